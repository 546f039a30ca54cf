//! A source that is named on the command line instead of in a configuration, for commands that keep nothing.
//!
//! The token comes from the environment alone; it is never an argument, where others could see it.

use std::collections::BTreeMap;

use url::Url;

use super::trouble::Trouble;
use crate::{
    collect::{Auth, Http, Route},
    run::setup::Source,
    secret::{self, SecretRef},
};

/// The variable in which a token is looked for unless another is named.
pub const TOKEN_VARIABLE: &str = "GITHUB_TOKEN";

/// An organisation, reachable with the token in `variable`.
pub fn github(org: &str, base_url: Option<&str>, variable: &str) -> anyhow::Result<Source> {
    login(org)?;
    let base_url = base_url.map(address).transpose()?;
    let token = SecretRef::Env(variable.to_owned()).read().map_err(|error| {
        let hint = format!(
            "export {variable}=... with any read-only token; observance grants github says how to make one"
        );
        Trouble::new("no token to read GitHub with", hint).because(error)
    })?;
    let http = Http::new(&Route::default())?;
    Ok(Source {
        params: BTreeMap::from([("org".to_owned(), org.to_owned())]),
        base_url,
        auth: Auth::Bearer(token),
        http,
    })
}

/// Refuses what is no login of an organisation.
pub fn login(org: &str) -> anyhow::Result<()> {
    let whole =
        !org.is_empty() && org.len() <= 39 && org.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if whole {
        return Ok(());
    }
    let hint = "the last part of https://github.com/ORG, such as acme";
    Err(Trouble::new(format!("{org:?} is no login of an organisation"), hint).into())
}

/// An address without user, query or fragment; without TLS only on this machine, since a token goes there.
fn address(text: &str) -> anyhow::Result<String> {
    let hint = "--base-url https://HOST/api/v3 for GitHub Enterprise Server";
    let url = Url::parse(text).ok().filter(|url| {
        let bare = url.username().is_empty() && url.password().is_none();
        let whole = bare && url.query().is_none() && url.fragment().is_none();
        whole && secret::may_go_to(url)
    });
    match url {
        Some(url) => Ok(url.as_str().trim_end_matches('/').to_owned()),
        None => Err(Trouble::new("--base-url is no https address", hint).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_goes_to_encrypted_addresses_and_to_this_machine() {
        for good in
            ["https://ghe.example/api/v3/", "http://127.0.0.1:8080", "http://localhost:1", "http://[::1]:9"]
        {
            assert!(address(good).is_ok(), "{good}");
        }
        for bad in [
            "http://ghe.example",
            "https://u:p@ghe.example",
            "ghe.example",
            "https://h/?a=b",
            "ftp://127.0.0.1",
        ] {
            assert!(address(bad).is_err(), "{bad}");
        }
        assert!(login("acme-labs").is_ok() && login("acme/web").is_err() && login("").is_err());
    }
}
