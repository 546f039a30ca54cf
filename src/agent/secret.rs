//! Secrets: named in configuration as `secret://env/NAME` or `secret://file/PATH`, never printed, wiped when dropped.
//!
//! It decides nothing about their use, but for one thing: over which way they may be sent at all.

use std::{env, fmt, fs, net::Ipv4Addr, path::Path, str::FromStr};

use url::{Host, Url};
use zeroize::Zeroizing;

/// Longest secret that is read, in bytes.
const BYTES_MAX: u64 = 65_536;

/// A secret in memory. Cannot be printed, serialised or compared.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes a value that was obtained elsewhere (a renewed token).
    pub fn new(value: String) -> Self {
        Self(Zeroizing::new(value))
    }

    /// The same behind a word that may be known, as `Bearer `.
    #[must_use]
    pub fn after(&self, word: &str) -> Self {
        Self(Zeroizing::new(format!("{word}{}", self.expose())))
    }

    /// The value, for the one place that sends or signs with it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// Where a secret is found. This may be printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretRef {
    /// `secret://env/NAME`.
    Env(String),
    /// `secret://file/PATH`: absolute, because the part after `file` keeps its slash.
    File(String),
}

/// Why a secret could not be had. Holds the reference only, never the value.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// Not of the two forms.
    #[error("{0:?} is not a secret reference (secret://env/NAME or secret://file/PATH)")]
    Form(String),
    /// The variable is not set, empty or not text.
    #[error("environment variable {0} is not set")]
    Env(String),
    /// The file cannot be read.
    #[error("cannot read secret file {path}")]
    Read {
        /// Which.
        path: String,
        /// Why not.
        source: std::io::Error,
    },
    /// The file is empty or too large to be one secret.
    #[error("secret file {0} is empty or larger than {BYTES_MAX} bytes")]
    Size(String),
}

impl FromStr for SecretRef {
    type Err = SecretError;

    fn from_str(text: &str) -> Result<Self, SecretError> {
        let form = || SecretError::Form(text.chars().take(200).collect());
        let rest = text.strip_prefix("secret://").ok_or_else(form)?;
        match rest.split_once('/') {
            Some(("env", name)) if !name.is_empty() && !name.contains(['=', '\0']) => {
                Ok(Self::Env(name.to_owned()))
            }
            Some(("file", path)) if !path.is_empty() => Ok(Self::File(format!("/{path}"))),
            _ => Err(form()),
        }
    }
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "secret://env/{name}"),
            Self::File(path) => write!(f, "secret://file{path}"),
        }
    }
}

impl SecretRef {
    /// Fetches the value; one trailing newline of a file is cut.
    pub fn read(&self) -> Result<Secret, SecretError> {
        match self {
            Self::Env(name) => env_secret(name),
            Self::File(path) => file_secret(path),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "secrets come from the environment here and nowhere else")]
fn env_secret(name: &str) -> Result<Secret, SecretError> {
    env::var(name)
        .ok()
        .filter(|value| !value.is_empty())
        .map(Secret::new)
        .ok_or_else(|| SecretError::Env(name.to_owned()))
}

fn file_secret(path: &str) -> Result<Secret, SecretError> {
    let read = |source| SecretError::Read { path: path.to_owned(), source };
    let bytes = fs::metadata(Path::new(path)).map_err(read)?.len();
    if bytes == 0 || bytes > BYTES_MAX {
        return Err(SecretError::Size(path.to_owned()));
    }
    let text = Zeroizing::new(fs::read_to_string(path).map_err(read)?);
    let value = text.strip_suffix('\n').unwrap_or(&text);
    Ok(Secret::new(value.strip_suffix('\r').unwrap_or(value).to_owned()))
}

/// May a credential be sent there? By https; by http only on this machine, which only a configuration can name.
pub fn may_go_to(url: &Url) -> bool {
    url.scheme() == "https" || url.scheme() == "http" && is_here(url)
}

/// The same of a directory, whose connection is encrypted from its beginning.
pub fn may_bind_at(url: &Url) -> bool {
    url.scheme() == "ldaps" || url.scheme() == "ldap" && is_here(url)
}

/// Is it on this machine?
pub fn is_here(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        // of a scheme that is not the web's, an address of numbers is read as a name
        Some(Host::Domain(name)) => {
            name == "localhost" || name.parse::<Ipv4Addr>().is_ok_and(|ip| ip.is_loopback())
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_read_what_they_write() {
        for text in ["secret://env/TOKEN", "secret://file/run/secrets/key"] {
            assert_eq!(text.parse::<SecretRef>().unwrap().to_string(), text);
        }
        for wrong in ["ghp_123", "secret://env/", "secret://vault/x", "secret://file/"] {
            assert!(wrong.parse::<SecretRef>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn secrets_go_where_all_is_encrypted_or_nowhere_else_than_here() {
        let http = |text: &str| may_go_to(&Url::parse(text).unwrap());
        let ldap = |text: &str| may_bind_at(&Url::parse(text).unwrap());
        for here in ["localhost", "127.0.0.1:1389", "[::1]:389", "127.1.2.3"] {
            assert!(http(&format!("http://{here}")) && ldap(&format!("ldap://{here}")), "{here}");
        }
        for there in
            ["example.org", "10.0.0.1", "[fd12::1]", "127.0.0.1.example.org", "localhost.example.org"]
        {
            assert!(!http(&format!("http://{there}")) && !ldap(&format!("ldap://{there}")), "{there}");
            assert!(http(&format!("https://{there}")) && ldap(&format!("ldaps://{there}")), "{there}");
        }
        assert!(!http("ldaps://example.org") && !ldap("https://example.org") && !ldap("ldapi:///x"));
    }

    #[test]
    fn a_secret_cannot_be_printed() {
        assert_eq!(format!("{:?}", Secret::new("hush".into())), "Secret(..)");
    }
}
