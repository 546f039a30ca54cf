//! A source that is named on the command line instead of in a configuration, for commands that keep nothing.
//!
//! The token comes from the environment alone; it is never an argument, where others could see it.

use std::collections::BTreeMap;

use url::Url;

use super::trouble::Trouble;
use crate::{
    collect::{Auth, Aws, Bind, Directory, Http, Keys, Route},
    run::setup::Source,
    secret::{self, SecretRef},
};

/// The kind of source with organisations.
const GITHUB: &str = "github";
/// The variable in which the token of an organisation on GitHub is looked for unless another is named.
pub const TOKEN_VARIABLE: &str = "GITHUB_TOKEN";

/// What is said of a source beside what its manifest says.
pub struct Asked<'a> {
    /// What its collectors' ids begin with.
    pub kind: &'a str,
    /// Values for the manifest's parameters.
    pub params: BTreeMap<String, String>,
    /// Another address than the manifest's.
    pub base_url: Option<&'a str>,
    /// The variable that holds the token; named after the kind unless given.
    pub variable: Option<&'a str>,
    /// The header that the token goes into as it is; a bearer token unless given.
    pub header: Option<&'a str>,
    /// Are its requests signed as AWS wants them?
    pub aws: bool,
    /// Who binds, where it is a directory.
    pub bind: Option<&'a str>,
}

/// An organisation on GitHub, reachable with the token in `variable`.
pub fn github(org: &str, base_url: Option<&str>, variable: &str) -> anyhow::Result<Source> {
    let params = BTreeMap::from([("org".to_owned(), org.to_owned())]);
    let (variable, header) = (Some(variable), None);
    source(Asked { kind: GITHUB, params, base_url, variable, header, aws: false, bind: None })
}

/// A source, reachable with a token of the environment.
pub fn source(asked: Asked<'_>) -> anyhow::Result<Source> {
    if let (GITHUB, Some(org)) = (asked.kind, asked.params.get("org")) {
        login(org)?;
    }
    let base_url = asked.base_url.map(|text| address(text, asked.bind)).transpose()?;
    if asked.aws {
        let auth = Auth::Aws(aws_keys()?);
        return Ok(Source { params: asked.params, base_url, auth, http: Http::new(&Route::default())? });
    }
    let usual = format!("{}_TOKEN", asked.kind.to_ascii_uppercase().replace('-', "_"));
    let variable = asked.variable.unwrap_or(&usual);
    let token = SecretRef::Env(variable.to_owned()).read().map_err(|error| {
        let (what, hint) = if asked.kind == GITHUB {
            let hint = "any read-only token; observance grants github says how to make one";
            ("no token to read GitHub with".to_owned(), format!("export {variable}=... with {hint}"))
        } else {
            let what = format!("no token to read {} with", asked.kind);
            (
                what,
                format!("export {variable}=... with a token that can only read, or name another by --token"),
            )
        };
        Trouble::new(what, hint).because(error)
    })?;
    if let Some(bind) = asked.bind {
        let directory =
            Directory { bind: Bind::Simple { name: bind.to_owned(), password: token }, start_tls: false };
        let http = Http::new(&Route { directory: Some(directory), ..Route::default() })?;
        return Ok(Source { params: asked.params, base_url, auth: Auth::Headers(BTreeMap::new()), http });
    }
    let auth = match asked.header {
        Some(name) if !is_header(name) => {
            let hint = "--header NAME, such as --header private-token";
            return Err(Trouble::new(format!("{name:?} is no name of a header"), hint).into());
        }
        None => Auth::Bearer(token),
        Some(name) => Auth::Headers(BTreeMap::from([(name.to_ascii_lowercase(), token)])),
    };
    Ok(Source { params: asked.params, base_url, auth, http: Http::new(&Route::default())? })
}

/// Keys of AWS, from the variables in which its own tools look for them.
fn aws_keys() -> anyhow::Result<Aws> {
    let read = |name: &str| {
        SecretRef::Env(name.to_owned()).read().map_err(|error| {
            let hint = "export AWS_ACCESS_KEY_ID=.. AWS_SECRET_ACCESS_KEY=.. (and AWS_SESSION_TOKEN) with keys that can only read";
            Trouble::new("no keys to read AWS with", hint).because(error)
        })
    };
    let (id, secret) = (read("AWS_ACCESS_KEY_ID")?, read("AWS_SECRET_ACCESS_KEY")?);
    // keys that last have none
    let session = SecretRef::Env("AWS_SESSION_TOKEN".to_owned()).read().ok();
    Ok(Aws::with_keys(Keys::new(id.expose().to_owned(), secret, session), None))
}

fn is_header(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
}

/// `NAME=VALUE`.
pub fn param(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() && !value.is_empty() => {
            Ok((name.to_owned(), value.to_owned()))
        }
        _ => Err("not of the form NAME=VALUE".to_owned()),
    }
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
fn address(text: &str, bind: Option<&str>) -> anyhow::Result<String> {
    let hint = "https://HOST and its path, as https://HOST/api/v3 for GitHub Enterprise Server; http for this machine alone";
    let url = Url::parse(text).ok().filter(|url| {
        let bare = url.username().is_empty() && url.password().is_none();
        let whole = bare && url.query().is_none() && url.fragment().is_none();
        whole && if bind.is_some() { secret::may_bind_at(url) } else { secret::may_go_to(url) }
    });
    match url {
        Some(url) => Ok(url.as_str().trim_end_matches('/').to_owned()),
        None if bind.is_some() => {
            let hint = "ldaps://HOST; ldap for this machine alone";
            Err(Trouble::new("--base-url is no ldaps address", hint).into())
        }
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
            assert!(address(good, None).is_ok(), "{good}");
        }
        for bad in [
            "http://ghe.example",
            "https://u:p@ghe.example",
            "ghe.example",
            "https://h/?a=b",
            "ftp://127.0.0.1",
        ] {
            assert!(address(bad, None).is_err(), "{bad}");
        }
        assert!(
            address("ldaps://ldap.example", Some("cn=a")).is_ok()
                && address("ldap://[::1]:389", Some("cn=a")).is_ok()
        );
        assert!(
            address("ldap://ldap.example", Some("cn=a")).is_err()
                && address("ldaps://ldap.example", None).is_err()
        );
        assert!(login("acme-labs").is_ok() && login("acme/web").is_err() && login("").is_err());
    }
}
