//! From configured sources to sources that can be asked: credentials, certificates, the way there.
//!
//! It asks none of them.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use super::{
    client::client,
    registers,
    setup::{Found, bounded, chain},
};
use crate::{
    collect::{self, Auth, Aws, Bind, Directory, GithubApp, Http, Keys, Reach, Role},
    config::{
        Config, aws, directory,
        other::{self, Other},
        register,
        source::{self, Source as Outside, Way},
    },
    run::setup::Source,
};

/// Largest extra certificate file.
const CA_BYTES_MAX: u64 = 1 << 20;
/// The version of GitHub's API that the shipped collectors read.
const GITHUB_VERSION: &str = "2026-03-10";

/// The configured sources, by name.
pub(super) fn sources(config: &Config, found: &mut Found) -> Option<BTreeMap<String, Arc<Source>>> {
    let read: Vec<_> = config
        .sources
        .iter()
        .map(|(name, source)| {
            let source = match source {
                Outside::Github(github) => github_source(name, github, found),
                Outside::Register(register) => register_source(name, register, found),
                Outside::Other(other) => other_source(name, other, found),
            };
            Some((name.clone(), Arc::new(source?)))
        })
        .collect();
    read.into_iter().collect()
}

fn github_source(name: &str, github: &source::Github, found: &mut Found) -> Option<Source> {
    let auth = github_auth(name, &github.credential, found);
    let credential = other::Credential::Headers(BTreeMap::new());
    let http = http(name, (&github.way, &credential), found);
    if github.api_version != GITHUB_VERSION {
        let hint = "its collectors were recorded against that version, and ask for it in every request";
        let path = ["sources", name, "api_version"];
        found.push(&path, github.api_version.as_str(), GITHUB_VERSION, Some(hint.to_owned()));
    }
    let params = BTreeMap::from([("org".to_owned(), github.org.clone())]);
    Some(Source { params, base_url: Some(github.base_url.clone()), auth: auth?, http: http? })
}

fn register_source(name: &str, register: &register::Register, found: &mut Found) -> Option<Source> {
    match registers::source(registers::of(register)) {
        Ok(source) => Some(source),
        Err(error) => {
            found.push(&["sources", name], chain(&error), "a way to read files", None);
            None
        }
    }
}

fn other_source(name: &str, other: &Other, found: &mut Found) -> Option<Source> {
    let auth = other_auth(name, &other.credential, found);
    let http = http(name, (&other.way, &other.credential), found);
    let region = other.region().map(|region| ("region".to_owned(), region.to_owned()));
    let params = other.params.clone().into_iter().chain(region).collect();
    Some(Source { params, base_url: other.base_url.clone(), auth: auth?, http: http? })
}

/// The way to a source: further certificates, a proxy, networks inside.
fn http(name: &str, (way, credential): (&Way, &other::Credential), found: &mut Found) -> Option<Http> {
    let directory = match credential {
        other::Credential::Bind(directory) => directory_of(name, directory, found).map(Some),
        other::Credential::Token(_)
        | other::Credential::Basic { .. }
        | other::Credential::Headers(_)
        | other::Credential::Client(_)
        | other::Credential::Aws(_) => Some(None),
    };
    let extra_ca = match &way.extra_ca {
        None => Some(None),
        Some(path) => pem(&["sources", name, "extra_ca"], path, found).map(Some),
    };
    let reach = reach(name, &way.networks, found);
    match Http::new(&collect::Route {
        extra_ca: extra_ca?,
        proxy: way.proxy.as_ref().map(ToString::to_string),
        reach: reach?,
        register: None,
        directory: directory?,
    }) {
        Ok(http) => Some(http),
        Err(error) => {
            found.push(&["sources", name], chain(&error), "a usable proxy and certificates", None);
            None
        }
    }
}

/// Who asks a directory.
fn directory_of(name: &str, asked: &directory::Directory, found: &mut Found) -> Option<Directory> {
    let hint = "put it into that variable or file, never into this one";
    let bind = match &asked.bind {
        directory::Bind::Simple { dn, password } => {
            let at = ["sources", name, "bind", "password"];
            let password =
                found.secret(&at, password, &format!("the password of one who can only read; {hint}"))?;
            Bind::Simple { name: dn.clone(), password }
        }
        directory::Bind::Certificate { file, key } => {
            let at = ["sources", name, "bind", "key"];
            let key = found.secret(&at, key, &format!("the private key of the certificate; {hint}"));
            let certificate = pem(&["sources", name, "bind", "certificate"], file, found);
            Bind::External { certificate: certificate?, key: key? }
        }
    };
    Some(Directory { bind, start_tls: asked.start_tls })
}

fn other_auth(name: &str, credential: &other::Credential, found: &mut Found) -> Option<Auth> {
    let hint = "a credential that can only read; put it into that variable or file, never into this one";
    match credential {
        other::Credential::Token(token) => {
            found.secret(&["sources", name, "token"], token, hint).map(Auth::Bearer)
        }
        other::Credential::Basic { user, password } => {
            let password = found.secret(&["sources", name, "basic", "password"], password, hint)?;
            Some(Auth::basic(user, &password))
        }
        other::Credential::Headers(headers) => {
            let read = |(header, reference): (&String, _)| {
                let path = ["sources", name, "headers", header];
                Some((header.clone(), found.secret(&path, reference, hint)?))
            };
            let read: Vec<_> = headers.iter().map(read).collect();
            read.into_iter().collect::<Option<_>>().map(Auth::Headers)
        }
        other::Credential::Client(given) => client(name, given, found).map(Auth::Client),
        other::Credential::Aws(aws) => aws_auth(name, aws, found).map(Auth::Aws),
        // who asks a directory says so once, when the connection is made
        other::Credential::Bind(_) => Some(Auth::Headers(BTreeMap::new())),
    }
}

fn aws_auth(name: &str, aws: &aws::Aws, found: &mut Found) -> Option<Aws> {
    let hint = "a key that can only read, or assume a role that can; put it into that variable or file, never into this one";
    let role = aws.role.as_ref();
    let role = role.map(|role| Role { arn: role.arn.clone(), external_id: role.external_id.clone() });
    match &aws.begins {
        aws::Begins::Keys { id, secret, session_token } => {
            let mut read =
                |key: &str, reference| found.secret(&["sources", name, "aws", key], reference, hint);
            let (id, secret) = (read("access_key_id", id), read("secret_access_key", secret));
            let session = match session_token {
                Some(token) => Some(read("session_token", token)?),
                None => None,
            };
            Some(Aws::with_keys(Keys::new(id?.expose().to_owned(), secret?, session), role))
        }
        aws::Begins::Web { token, role: first } => {
            // it is read anew for each run; whether it is there at all is told now
            let hint = "the token that the place gives to whoever runs there";
            found.secret(&["sources", name, "aws", "web_identity"], token, hint)?;
            Some(Aws::with_web_identity(token.clone(), first.clone(), role))
        }
    }
}

fn github_auth(name: &str, credential: &source::Credential, found: &mut Found) -> Option<Auth> {
    let hint = "put it into that variable or file, never into this one";
    match credential {
        source::Credential::Token(token) => {
            let token =
                found.secret(&["sources", name, "token"], token, &format!("a read-only token; {hint}"))?;
            Some(Auth::Bearer(token))
        }
        source::Credential::App(app) => {
            let at = ["sources", name, "app", "key"];
            let key = found.secret(&at, &app.key, &format!("the private key of the app; {hint}"))?;
            match GithubApp::new(&app.id, key, app.installation) {
                Ok(app) => Some(Auth::GithubApp(app)),
                Err(error) => {
                    let hint = "GitHub makes the key, in the app's settings, as a .pem file";
                    found.push(&at, error.to_string(), "the app's private key", Some(hint.to_owned()));
                    None
                }
            }
        }
    }
}

fn reach(name: &str, networks: &[String], found: &mut Found) -> Option<Reach> {
    let read = |text: &String| {
        let network = text.parse();
        if network.is_err() {
            let expected = "an address and how many of its bits count, the others zero: 10.20.0.0/16";
            found.push(&["sources", name, "networks"], text.as_str(), expected, None);
        }
        network.ok()
    };
    let networks: Vec<_> = networks.iter().map(read).collect();
    networks.into_iter().collect::<Option<_>>().map(Reach::new)
}

fn pem(at: &[&str], path: &Path, found: &mut Found) -> Option<Vec<u8>> {
    match bounded(path, CA_BYTES_MAX) {
        Ok(bytes) => Some(bytes),
        Err(error) => {
            let what = format!("{}: {error}", path.display());
            found.push(at, what, "a file of certificates (PEM)", None);
            None
        }
    }
}
