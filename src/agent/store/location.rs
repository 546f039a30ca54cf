//! Where a store lies: `file:PATH`, `s3://bucket/prefix?region&endpoint&path_style&allow_http`, `memory:`.
//!
//! It connects to nothing, and credentials are never part of a location.

use std::{fmt, net::IpAddr, path::PathBuf, str::FromStr};

use url::{Host, Url};

use crate::secret::Secret;

/// A store's place. Prints as it was written, and holds no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// A folder; made if it is missing.
    Folder(PathBuf),
    /// A bucket that speaks S3.
    S3(Bucket),
    /// This process's memory, for trials: gone with it.
    Memory,
}

/// A bucket, as given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    /// Its name.
    pub name: String,
    /// Where in it the log lies; may be empty.
    pub prefix: String,
    /// The region that signatures name; `us-east-1` if not given.
    pub region: String,
    /// The bucket's own URL: requests go to it and below it.
    pub base: Url,
    /// The query as written, for printing.
    query: Option<String>,
}

/// Credentials of a bucket, as values.
#[derive(Debug, Clone)]
pub struct S3Keys {
    /// The access key's id.
    pub access_key: String,
    /// Its secret.
    pub secret_key: Secret,
    /// The token that goes with temporary keys.
    pub session_token: Option<Secret>,
}

/// Why a text is not a location.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a store: {why} (file:PATH, s3://BUCKET/PREFIX?region=R or memory:)")]
pub struct LocationError {
    /// The text.
    pub text: String,
    /// What is wrong with it.
    pub why: &'static str,
}

impl FromStr for Location {
    type Err = LocationError;

    fn from_str(text: &str) -> Result<Self, LocationError> {
        let wrong = |why| LocationError { text: text.chars().take(200).collect(), why };
        if text == "memory:" {
            return Ok(Self::Memory);
        }
        if let Some(path) = text.strip_prefix("file:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            return if path.is_empty() { Err(wrong("no path")) } else { Ok(Self::Folder(path.into())) };
        }
        if !text.starts_with("s3://") {
            return Err(wrong("unknown kind"));
        }
        let place = text.split('?').next().unwrap_or(text);
        // a URL parser would quietly resolve these, and the log would lie elsewhere than written
        if place.contains(['%', '\\']) || place.split('/').any(|part| part == "." || part == "..") {
            return Err(wrong("a prefix has no '.', '..' or escapes"));
        }
        let url = Url::parse(text).map_err(|_malformed| wrong("not a URL"))?;
        bucket(&url).map(Self::S3).map_err(wrong)
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(path) => write!(f, "file:{}", path.display()),
            Self::Memory => f.write_str("memory:"),
            Self::S3(Bucket { name, prefix, query, .. }) => {
                write!(f, "s3://{name}")?;
                if !prefix.is_empty() {
                    write!(f, "/{prefix}")?;
                }
                query.as_ref().map_or(Ok(()), |query| write!(f, "?{query}"))
            }
        }
    }
}

/// What the query of an S3 location may say.
#[derive(Default)]
struct Options {
    region: Option<String>,
    endpoint: Option<String>,
    path_style: Option<bool>,
    allow_http: Option<bool>,
}

fn bucket(url: &Url) -> Result<Bucket, &'static str> {
    if !url.username().is_empty()
        || url.password().is_some()
        || url.port().is_some()
        || url.fragment().is_some()
    {
        return Err("only bucket, prefix and options belong there; credentials come from secrets");
    }
    let name = url.host_str().filter(|name| !name.is_empty()).ok_or("no bucket")?.to_owned();
    let prefix = url.path().trim_matches('/').to_owned();
    let legal = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    if !prefix.chars().all(legal) || prefix.contains("//") {
        return Err("a prefix holds letters, digits, '-', '_', '.' and single '/'");
    }
    let options = options(url)?;
    let region = options.region.clone().unwrap_or_else(|| "us-east-1".to_owned());
    let base = base(&name, &region, &options)?;
    Ok(Bucket { name, prefix, region, base, query: url.query().map(str::to_owned) })
}

fn options(url: &Url) -> Result<Options, &'static str> {
    let mut options = Options::default();
    for (key, value) in url.query_pairs() {
        let flag = || match &*value {
            "true" => Ok(Some(true)),
            "false" => Ok(Some(false)),
            _ => Err("path_style and allow_http are true or false"),
        };
        let known = match &*key {
            "region" => options.region.replace(value.into_owned()).is_none(),
            "endpoint" => options.endpoint.replace(value.into_owned()).is_none(),
            "path_style" => std::mem::replace(&mut options.path_style, flag()?).is_none(),
            "allow_http" => std::mem::replace(&mut options.allow_http, flag()?).is_none(),
            _ => false,
        };
        if !known {
            return Err("the options are region, endpoint, path_style and allow_http, each once");
        }
    }
    Ok(options)
}

/// The bucket's URL. A given endpoint is addressed by path unless told otherwise, Amazon's by host.
fn base(bucket: &str, region: &str, options: &Options) -> Result<Url, &'static str> {
    let malformed = |_| "the endpoint is not a URL";
    let endpoint = options.endpoint.clone().unwrap_or_else(|| format!("https://s3.{region}.amazonaws.com"));
    let mut url = Url::parse(&endpoint).map_err(malformed)?;
    if !matches!(url.scheme(), "https" | "http") || url.query().is_some() || !url.username().is_empty() {
        return Err("an endpoint is https://HOST[:PORT]");
    }
    if url.scheme() == "http" && options.allow_http != Some(true) && !is_loopback(&url) {
        return Err("http is for loopback alone; allow_http=true sends evidence over it in the clear");
    }
    if options.path_style.unwrap_or(options.endpoint.is_some()) {
        let path = format!("{}/{bucket}", url.path().trim_end_matches('/'));
        url.set_path(&path);
    } else {
        let host = format!("{bucket}.{}", url.host_str().ok_or("the endpoint has no host")?);
        url.set_host(Some(&host)).map_err(malformed)?;
    }
    Ok(url)
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => IpAddr::V4(ip).is_loopback(),
        Some(Host::Ipv6(ip)) => IpAddr::V6(ip).is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(text: &str) -> String {
        let Location::S3(bucket) = text.parse().unwrap() else { panic!("{text}") };
        bucket.base.to_string()
    }

    #[test]
    fn locations_read_what_they_write() {
        for text in [
            "memory:",
            "file:/var/lib/observance",
            "file:folder",
            "s3://b",
            "s3://acme-evidence/observance?region=eu-central-1",
        ] {
            assert_eq!(text.parse::<Location>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_bucket_has_one_url() {
        assert_eq!(base("s3://b/p?region=eu-west-1"), "https://b.s3.eu-west-1.amazonaws.com/");
        assert_eq!(base("s3://b/p?path_style=true"), "https://s3.us-east-1.amazonaws.com/b");
        assert_eq!(base("s3://b?endpoint=https://s3.test:9000"), "https://s3.test:9000/b");
        assert_eq!(base("s3://b?endpoint=https://s3.test&path_style=false"), "https://b.s3.test/");
        assert_eq!(base("s3://b?endpoint=http://[::1]:9/"), "http://[::1]:9/b");
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for text in [
            "",
            "file:",
            "gs://b",
            "/var/lib",
            "s3://",
            "s3://key:secret@b",
            "s3://b/%2e%2e/x",
            "s3://b/a/../x",
            "s3://b/a//b",
            "s3://b?regoin=x",
            "s3://b?region=x&region=y",
            "s3://b?path_style=1",
            "s3://b?endpoint=http://store.test",
            "s3://b?endpoint=ftp://127.0.0.1",
        ] {
            assert!(text.parse::<Location>().is_err(), "{text}");
        }
        assert_eq!(base("s3://b?endpoint=http://store.test&allow_http=true"), "http://store.test/b");
    }
}
