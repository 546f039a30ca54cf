//! Who asks a source that is a directory (LDAP), and how the way there is encrypted. It knows no collector.

use std::path::PathBuf;

use url::Url;

use super::{
    fault::Faults,
    node::{Fields, Node},
    reading::Reading,
    source::secret,
};
use crate::secret::{self as secrets, SecretRef};

/// Longest name of who asks, in bytes.
const NAME_BYTES_MAX: usize = 1_024;

/// Such a source, beside what any other has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directory {
    /// Who asks.
    pub bind: Bind,
    /// Whether a connection that begins plain is encrypted before anything is said.
    pub start_tls: bool,
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bind {
    /// Somebody with a password.
    Simple {
        /// His name in the directory, or whatever it takes for one.
        dn: String,
        /// His password.
        password: SecretRef,
    },
    /// Whoever the certificate says.
    Certificate {
        /// The file with it, and with those behind it (PEM).
        file: PathBuf,
        /// Its private key (PEM).
        key: SecretRef,
    },
}

/// `bind: { dn: .., password: secret://.. }` or `bind: { certificate: FILE, key: secret://.. }`; `start_tls` beside it.
pub(super) fn read(node: &Node, fields: &mut Fields<'_>, reading: &mut Reading<'_>) -> Option<Directory> {
    let bind = bind(node, reading);
    let start_tls = reading.or(fields, "start_tls", false, Node::flag);
    if let Some(proxy) = fields.may("proxy") {
        let hint = "networks names addresses inside that may be reached";
        let expected = "no proxy on the way to a directory";
        proxy.refuse_as("one beside bind".to_owned(), expected, Some(hint), &mut reading.faults);
    }
    let directory = Directory { bind: bind?, start_tls: start_tls? };
    if let (Bind::Certificate { .. }, Some(url), false) =
        (&directory.bind, fields.may("base_url"), directory.start_tls)
        && url.text("an address", &mut reading.faults).is_some_and(|text| text.starts_with("ldap:"))
    {
        let hint = "ldaps, or start_tls: true";
        url.refuse_as(
            "no TLS beside a certificate".to_owned(),
            "an encrypted connection",
            Some(hint),
            &mut reading.faults,
        );
        return None;
    }
    Some(directory)
}

fn bind(node: &Node, reading: &mut Reading<'_>) -> Option<Bind> {
    let expected = "{ dn: .., password: secret://.. } or { certificate: FILE, key: secret://.. }";
    let mut fields = node.fields(expected, &mut reading.faults)?;
    let of = "secret://env/NAME or secret://file/PATH";
    let bind = if let Some(certificate) = fields.may("certificate") {
        if let Some(dn) = fields.may("dn") {
            let hint = "a certificate says by itself who asks";
            dn.refuse_as(
                "beside a certificate".to_owned(),
                "dn or certificate",
                Some(hint),
                &mut reading.faults,
            );
        }
        let file =
            certificate.text("a file with the certificate (PEM)", &mut reading.faults).map(str::to_owned);
        if let Some(file) = &file {
            reading.given(certificate.path(), file);
        }
        let key = fields.must("key", of, &mut reading.faults).and_then(|node| secret(node, reading));
        file.zip(key).map(|(file, key)| Bind::Certificate { file: reading.resolve(&file), key })
    } else {
        let dn =
            fields.must("dn", "the name of who asks, as cn=reader,dc=example,dc=org", &mut reading.faults);
        let dn = dn.and_then(|node| {
            let dn = node.read("a name of visible characters", &mut reading.faults, |text| {
                (text.len() <= NAME_BYTES_MAX && !text.contains(char::is_control)).then(|| text.to_owned())
            })?;
            reading.given(node.path(), &dn);
            Some(dn)
        });
        let password =
            fields.must("password", of, &mut reading.faults).and_then(|node| secret(node, reading));
        dn.zip(password).map(|(dn, password)| Bind::Simple { dn, password })
    };
    fields.done(&mut reading.faults);
    bind
}

/// Where it is: `ldaps://HOST`, or `ldap://HOST` on this machine and with `start_tls`.
pub(super) fn address(directory: &Directory) -> impl Fn(&Node, &mut Faults) -> Option<String> + use<> {
    let start_tls = directory.start_tls;
    move |node, faults| {
        let expected = "an address as ldaps://HOST or ldaps://HOST:PORT";
        let text = node.text(expected, faults)?;
        let Some(url) = Url::parse(text).ok().filter(is_plain) else {
            let hint = "who asks stands under bind, what is asked for under params";
            // somebody may have put a password into it
            node.refuse_as("another address (not shown)".to_owned(), expected, Some(hint), faults);
            return None;
        };
        if !secrets::may_bind_at(&url) && !start_tls {
            let hint = "without TLS anybody on the way could read the password; ldap is for this machine alone, or with start_tls: true";
            node.refuse(expected, Some(hint), faults);
            return None;
        }
        Some(text.trim_end_matches('/').to_owned())
    }
}

fn is_plain(url: &Url) -> bool {
    matches!(url.scheme(), "ldap" | "ldaps")
        && url.has_host()
        && url.username().is_empty()
        && url.password().is_none()
        && matches!(url.path(), "" | "/")
        && url.query().is_none()
        && url.fragment().is_none()
}
