//! How a request to AWS is signed: Signature Version 4 (AWS4-HMAC-SHA256). A request in, headers out; pure.
//!
//! It sends nothing, and knows neither roles nor sources. S3 signs its paths otherwise and is not spoken to here.

use hmac::{Hmac, KeyInit as _, Mac as _};
use observance_record::Instant;
use sha2::{Digest as _, Sha256};
use url::Url;
use zeroize::Zeroizing;

use crate::{collect::template::encode, secret::Secret};

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// What ends the scope of a signature, and its key.
const END: &str = "aws4_request";
/// Headers that are made here.
pub(super) const DATE: &str = "x-amz-date";
pub(super) const TOKEN: &str = "x-amz-security-token";
pub(super) const AUTHORIZATION: &str = "authorization";

/// An access key: its id, which may be known, and its secret.
#[derive(Debug, Clone)]
pub struct Keys {
    id: String,
    secret: Secret,
    /// What goes with keys that end.
    session: Option<Secret>,
}

impl Keys {
    /// Keys that last, or with the token of a session those that end with it.
    pub const fn new(id: String, secret: Secret, session: Option<Secret>) -> Self {
        Self { id, secret, session }
    }

    /// Its id; no secret.
    pub(super) fn id(&self) -> &str {
        &self.id
    }
}

/// For whom a signature holds.
#[derive(Debug, Clone, Copy)]
pub(in crate::collect) struct Scope<'a> {
    pub region: &'a str,
    pub service: &'a str,
}

/// A request as it will be sent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unsigned<'a> {
    pub method: &'a str,
    pub url: &'a Url,
    /// Its headers, by their names in small letters; those that change what is asked for are signed.
    pub headers: &'a [(String, String)],
    pub body: &'a [u8],
}

/// The headers that make it a signed one: when, by whom, and the token of a session if there is one.
pub(super) fn sign(
    request: Unsigned<'_>,
    keys: &Keys,
    scope: Scope<'_>,
    now: Instant,
) -> Vec<(&'static str, Secret)> {
    let at = basic(now);
    let mut made = vec![(DATE, Secret::new(at.clone()))];
    made.extend(keys.session.clone().map(|token| (TOKEN, token)));
    let mut headers: Vec<(String, Zeroizing<String>)> = vec![("host".to_owned(), host(request.url).into())];
    headers.extend(made.iter().map(|(name, value)| ((*name).to_owned(), value.expose().to_owned().into())));
    let meant = |name: &str| name == "content-type" || name.starts_with("x-amz-");
    let given = request.headers.iter().filter(|(name, _)| meant(name));
    headers.extend(given.map(|(name, value)| (name.clone(), value.clone().into())));
    let (canonical, signed) =
        canonical(request.method, request.url.path(), request.url.query(), &headers, request.body);
    let signature = signature(&canonical, keys, scope, &at);
    let day = at.get(..8).unwrap_or_default();
    let Scope { region, service } = scope;
    let word = format!(
        "{ALGORITHM} Credential={}/{day}/{region}/{service}/{END}, SignedHeaders={signed}, Signature={signature}",
        keys.id
    );
    made.push((AUTHORIZATION, Secret::new(word)));
    made
}

/// The request in its one form, and the names of the headers in it.
fn canonical(
    method: &str,
    path: &str,
    query: Option<&str>,
    headers: &[(String, Zeroizing<String>)],
    body: &[u8],
) -> (Zeroizing<String>, String) {
    let mut headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), folded(value))).collect();
    // stable: of headers with one name the order counts
    headers.sort_by(|a, b| a.0.cmp(b.0));
    let mut lines = Zeroizing::new(String::new());
    let mut names: Vec<&str> = Vec::new();
    for (name, value) in &headers {
        if names.last() == Some(name) {
            lines.pop();
            lines.push(',');
        } else {
            names.push(name);
            lines.push_str(name);
            lines.push(':');
        }
        lines.push_str(value);
        lines.push('\n');
    }
    let names = names.join(";");
    let (path, query) = (path_of(path), query_of(query.unwrap_or_default()));
    let body = hex::encode(Sha256::digest(body));
    (Zeroizing::new(format!("{method}\n{path}\n{query}\n{}\n{names}\n{body}", *lines)), names)
}

/// Without empty and dotted segments, and encoded once more than it is sent.
fn path_of(path: &str) -> String {
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split('/').filter(|segment| !matches!(*segment, "" | ".")) {
        if segment == ".." {
            segments.pop();
        } else {
            segments.push(segment);
        }
    }
    let mut out = String::new();
    for segment in &segments {
        out.push('/');
        encode(&mut out, segment);
    }
    if out.is_empty() || path.ends_with('/') {
        out.push('/');
    }
    out
}

/// As it is sent, sorted by names and then by values; a name alone has an empty value.
fn query_of(query: &str) -> String {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let mut pairs: Vec<_> = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, ""))).collect();
    pairs.sort_unstable();
    pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

/// A header's value without outer blanks, inner ones made one.
fn folded(value: &str) -> Zeroizing<String> {
    Zeroizing::new(value.split_ascii_whitespace().collect::<Vec<_>>().join(" "))
}

fn signature(canonical: &str, keys: &Keys, scope: Scope<'_>, at: &str) -> String {
    let day = at.get(..8).unwrap_or_default();
    let Scope { region, service } = scope;
    let text = format!(
        "{ALGORITHM}\n{at}\n{day}/{region}/{service}/{END}\n{}",
        hex::encode(Sha256::digest(canonical.as_bytes()))
    );
    let first = Zeroizing::new(format!("AWS4{}", keys.secret.expose()));
    let key = [day, region, service, END]
        .iter()
        .fold(Zeroizing::new(first.as_bytes().to_vec()), |key, part| mac(&key, part.as_bytes()));
    hex::encode(&*mac(&key, text.as_bytes()))
}

fn mac(key: &[u8], text: &[u8]) -> Zeroizing<Vec<u8>> {
    // a key of any length is one for HMAC, so there is no other case
    let mac = Hmac::<Sha256>::new_from_slice(key).map(|mac| mac.chain_update(text).finalize().into_bytes());
    Zeroizing::new(mac.map(|mac| mac.to_vec()).unwrap_or_default())
}

/// `20150830T123600Z`.
fn basic(at: Instant) -> String {
    let text = at.to_string();
    let whole = text.split('.').next().unwrap_or_default();
    whole.chars().filter(|c| !matches!(c, '-' | ':')).chain(['Z']).collect()
}

/// As it stands in the header `host`: a port only where it is not the scheme's own.
fn host(url: &Url) -> String {
    let name = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| name.to_owned(), |port| format!("{name}:{port}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the vendor's published examples are signed with.
    fn keys(session: Option<&str>) -> Keys {
        let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned();
        let session = session.map(|token| Secret::new(token.to_owned()));
        Keys::new("AKIDEXAMPLE".to_owned(), Secret::new(secret), session)
    }

    fn signed(method: &str, url: &str, (headers, body): (&[(&str, &str)], &str), service: &str) -> String {
        let headers: Vec<_> =
            headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let url = Url::parse(url).unwrap();
        let request = Unsigned { method, url: &url, headers: &headers, body: body.as_bytes() };
        let now = "2015-08-30T12:36:00.000Z".parse().unwrap();
        let made = sign(request, &keys(None), Scope { region: "us-east-1", service }, now);
        assert_eq!((made[0].0, made[0].1.expose()), (DATE, "20150830T123600Z"));
        let (name, word) = made.last().unwrap();
        assert_eq!(*name, AUTHORIZATION);
        word.expose().rsplit_once('=').unwrap().1.to_owned()
    }

    #[test]
    fn published_examples_are_signed_as_published() {
        let form = [("content-type", "application/x-www-form-urlencoded; charset=utf-8")];
        let users = "https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08";
        assert_eq!(
            signed("GET", users, (&form, ""), "iam"),
            "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
        );
        let example = "https://example.amazonaws.com/";
        assert_eq!(
            signed("GET", example, (&[], ""), "service"),
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
        );
        assert_eq!(
            signed("POST", example, (&[], ""), "service"),
            "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"
        );
        assert_eq!(
            signed("GET", &format!("{example}?Param2=value2&Param1=value1"), (&[], ""), "service"),
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"
        );
        assert_eq!(
            signed(
                "POST",
                example,
                (&[("content-type", "application/x-www-form-urlencoded")], "Param1=value1"),
                "service"
            ),
            "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"
        );
    }

    #[test]
    fn whatever_changes_the_request_changes_its_signature() {
        let url = "https://logs.eu-central-1.amazonaws.com/";
        let target = ("x-amz-target", "Logs_20140328.DescribeLogGroups");
        let one = signed("POST", url, (&[target], "{}"), "logs");
        assert_ne!(one, signed("POST", url, (&[target], "{ }"), "logs"));
        assert_ne!(one, signed("POST", url, (&[("x-amz-target", "Logs_20140328.Other")], "{}"), "logs"));
        assert_ne!(one, signed("POST", "http://127.0.0.1:5000/", (&[target], "{}"), "logs"));
        assert_ne!(one, signed("POST", url, (&[target], "{}"), "cloudtrail"));
        // what a proxy may change, and what says nothing about what is asked for, is left out
        assert_eq!(one, signed("POST", url, (&[target, ("accept", "*/*")], "{}"), "logs"));
        assert_eq!(
            one,
            signed("POST", url, (&[("x-amz-target", " Logs_20140328.DescribeLogGroups ")], "{}"), "logs")
        );
    }

    #[test]
    fn a_session_shows_its_token_and_nothing_is_printed() {
        let url = Url::parse("https://sts.eu-central-1.amazonaws.com/").unwrap();
        let request = Unsigned { method: "POST", url: &url, headers: &[], body: b"" };
        let scope = Scope { region: "eu-central-1", service: "sts" };
        let made = sign(request, &keys(Some("hush")), scope, Instant::from_ms(0));
        assert_eq!(made.iter().map(|(name, _)| *name).collect::<Vec<_>>(), [DATE, TOKEN, AUTHORIZATION]);
        assert!(made[2].1.expose().contains("SignedHeaders=host;x-amz-date;x-amz-security-token,"));
        let printed = format!("{:?}{made:?}", keys(Some("hush")));
        assert!(!printed.contains("hush") && !printed.contains("wJalr"), "{printed}");
    }

    #[test]
    fn paths_and_queries_have_one_form() {
        for (path, form) in
            [("", "/"), ("/", "/"), ("//a/./b/../c", "/a/c"), ("/a%20b/", "/a%2520b/"), ("/é", "/%C3%A9")]
        {
            assert_eq!(path_of(path), form, "{path}");
        }
        assert_eq!(query_of("b=2&a=2&a=1&c"), "a=1&a=2&b=2&c=");
        assert_eq!(*folded("  a \t  b "), "a b");
    }
}
