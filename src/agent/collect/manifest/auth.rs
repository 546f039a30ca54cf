//! How whoever holds a client's secret or key comes to a token: `connection.auth` of a manifest.
//!
//! It asks for no token, and knows neither clients nor secrets; those are the configuration's.

use url::Url;

use super::{
    keys, parts,
    yaml::{Faults, Spot},
};
use crate::collect::template::Template;

/// Most scopes that a manifest may ask for.
const SCOPES_MAX: usize = 100;

/// Where a token is asked for, and what it is to be good for (RFC 6749 section 4.4).
#[derive(Debug)]
pub(in crate::collect) struct TokenErrand {
    /// Where it is asked for.
    pub at: TokenAt,
    /// What it may do; those of `permissions.expect` unless listed.
    pub scopes: Option<Vec<String>>,
    /// For whom it is, if the source asks for that.
    pub audience: Option<Template>,
    /// The same by RFC 8707.
    pub resource: Option<Template>,
    /// In whose name it is asked for by a signed statement (RFC 7523 section 2.1), if it is.
    pub subject: Option<Template>,
    /// Where a client's secret goes.
    pub secret: SecretIn,
    /// Whether tokens are asked for, and shown, with proofs of their own key (RFC 9449).
    pub dpop: bool,
}

/// Where a token is asked for.
#[derive(Debug)]
pub(in crate::collect) enum TokenAt {
    /// Below the base address.
    Path(Template),
    /// Anywhere, for this errand alone.
    Url(Template),
}

/// Where a client's secret goes (RFC 6749 section 2.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::collect) enum SecretIn {
    /// Into the header `authorization`.
    #[default]
    Basic,
    /// Into the form that is posted.
    Post,
}

impl TokenAt {
    /// As it stands in the manifest.
    pub(in crate::collect) const fn template(&self) -> &Template {
        match self {
            Self::Path(template) | Self::Url(template) => template,
        }
    }
}

pub(super) fn read(spot: &Spot<'_>, params: &[String], faults: &mut Faults) -> Option<TokenErrand> {
    let section = spot.section(faults, &keys::AUTH.names());
    let mut template = |name: &str| section.get(name).and_then(|spot| filled(spot, params, faults));
    let (audience, resource) = (template("audience"), template("resource"));
    let subject = template("subject");
    let (path, url) = (template("token_path"), template("token_url"));
    let at = match (section.get("token_path"), section.get("token_url")) {
        (Some(spot), None) => path.filter(|path| is_path(path, spot, faults)).map(TokenAt::Path),
        (None, Some(spot)) => url.filter(|url| is_address(url, spot, faults)).map(TokenAt::Url),
        (Some(_), Some(_)) | (None, None) => {
            faults.add(spot, spot.found(), "exactly one of token_path and token_url");
            None
        }
    };
    let scopes = match section.get("scopes") {
        Some(spot) if spot.is_list() => Some(scopes(spot, faults)),
        Some(spot) => {
            spot.read(faults, "expect, or a list", |text| (text == "expect").then_some(()));
            None
        }
        None => None,
    };
    let secret = section.get("client_secret").and_then(|spot| {
        spot.read(faults, "basic or post", |text| match text {
            "basic" => Some(SecretIn::Basic),
            "post" => Some(SecretIn::Post),
            _ => None,
        })
    });
    let dpop = section.get("dpop").and_then(|spot| spot.truth(faults)).unwrap_or_default();
    Some(TokenErrand {
        at: at?,
        scopes,
        audience,
        resource,
        subject,
        secret: secret.unwrap_or_default(),
        dpop,
    })
}

/// A text whose places are parameters of the manifest.
fn filled(spot: &Spot<'_>, params: &[String], faults: &mut Faults) -> Option<Template> {
    let template = parts::template(spot, faults, &[])?;
    let unknown = template.slots().map(|slot| slot.path.to_string()).find(|name| !params.contains(name));
    let Some(unknown) = unknown else { return Some(template) };
    faults.add(spot, format!("{{{unknown}}}"), "a parameter that `params` names");
    None
}

fn scopes(spot: &Spot<'_>, faults: &mut Faults) -> Vec<String> {
    let list = spot.list(faults);
    if list.is_empty() || list.len() > SCOPES_MAX {
        faults.add(spot, spot.found(), format!("1 to {SCOPES_MAX} scopes"));
    }
    // RFC 6749 section 3.3
    let word = |text: &str| {
        let legal = |b: u8| b.is_ascii_graphic() && b != b'"' && b != b'\\';
        (!text.is_empty() && text.bytes().all(legal)).then(|| text.to_owned())
    };
    list.iter().filter_map(|spot| spot.read(faults, "a scope without spaces", word)).collect()
}

fn is_path(path: &Template, spot: &Spot<'_>, faults: &mut Faults) -> bool {
    let fine = path.source().starts_with('/') && !path.source().contains(['?', '#']);
    if !fine {
        faults.add(spot, spot.found(), "a path that begins with / and has no query");
    }
    fine
}

/// No place may stand in the host: nobody who gives a parameter chooses where a secret is sent.
fn is_address(address: &Template, spot: &Spot<'_>, faults: &mut Faults) -> bool {
    let host = address.source().splitn(4, '/').take(3).collect::<Vec<_>>().join("/");
    let fine = Url::parse(address.source()).is_ok_and(|url| {
        let plain = url.username().is_empty() && url.password().is_none();
        let bare = url.query().is_none() && url.fragment().is_none();
        url.scheme() == "https" && plain && bare && url.domain().is_some_and(parts::is_outside)
    });
    let fine = fine && !host.contains(['{', '}']);
    if !fine {
        faults.add(spot, spot.found(), "an https address without user or query, its host without places");
    }
    fine
}
