//! Whole runs over TLS and through a proxy, and what keeps a request from going where it should not.

use std::{
    collections::BTreeMap,
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    path::Path,
    sync::{Arc, Mutex},
    thread,
};

use observance_record::Digest;
use rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use serde_json::json;

use super::{
    Script, pki, rows, run,
    scenarios::{acme, codes, exchange},
    shipped,
};
use crate::collect::{Collected, Http, Manifest, Reach, Route, RunResult, State};

/// A TLS server that shows `leaf` and behind it the authority; one request a connection.
struct Server {
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn start(folder: &Path, leaf: &str, authority: &str) -> Self {
        let read = |name: &str| CertificateDer::from_pem_file(folder.join(name)).unwrap();
        let chain = vec![read(&format!("{leaf}.pem")), read(&format!("{authority}.pem"))];
        let key = PrivateKeyDer::from_pem_file(folder.join(format!("{leaf}.key"))).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = config.unwrap().with_no_client_auth().with_single_cert(chain, key).unwrap();
        let (config, asked) = (Arc::new(config), Arc::new(Mutex::new(Vec::new())));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let log = Arc::clone(&asked);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (config, log) = (Arc::clone(&config), Arc::clone(&log));
                thread::spawn(move || serve(stream.unwrap(), config, &log));
            }
        });
        Self { port, asked }
    }

    fn base(&self, host: &str) -> String {
        format!("https://{host}:{}", self.port)
    }

    fn asked(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

/// A peer that does not believe us hangs up, and then there is nothing to serve.
fn serve(stream: TcpStream, config: Arc<ServerConfig>, log: &Mutex<Vec<String>>) -> Option<()> {
    let mut stream = StreamOwned::new(ServerConnection::new(config).unwrap(), stream);
    let head = head(&mut stream)?;
    let path = head.split(' ').nth(1)?.to_owned();
    log.lock().unwrap().push(head);
    let (parts, body) = acme(&path).into_parts();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let body = runtime.block_on(axum::body::to_bytes(body, 1 << 20)).unwrap();
    let (status, length) = (parts.status.as_u16(), body.len());
    write!(stream, "HTTP/1.1 {status} x\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n")
        .ok()?;
    stream.write_all(b"connection: close\r\n\r\n").ok()?;
    stream.write_all(&body).ok()?;
    stream.conn.send_close_notify();
    stream.flush().ok()
}

fn head(stream: &mut impl Read) -> Option<String> {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    String::from_utf8(head).ok()
}

/// A proxy that connects as it is asked; what it was asked.
fn proxy() -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://localhost:{}", listener.local_addr().unwrap().port());
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&asked);
    thread::spawn(move || {
        for client in listener.incoming() {
            let (mut client, log) = (client.unwrap(), Arc::clone(&log));
            thread::spawn(move || {
                let head = head(&mut client)?;
                let port = head.split(' ').nth(1)?.rsplit_once(':')?.1.to_owned();
                log.lock().unwrap().push(head);
                let mut there = TcpStream::connect(format!("127.0.0.1:{port}")).ok()?;
                client.write_all(b"HTTP/1.1 200 Connected\r\n\r\n").ok()?;
                let (mut from, mut to) = (client.try_clone().ok()?, there.try_clone().ok()?);
                thread::spawn(move || {
                    std::io::copy(&mut from, &mut to).ok()?;
                    to.shutdown(Shutdown::Write).ok()
                });
                std::io::copy(&mut there, &mut client).ok()?;
                client.shutdown(Shutdown::Write).ok()
            });
        }
    });
    (address, asked)
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    pki::authority(folder.path(), "ours");
    pki::authority(folder.path(), "theirs");
    pki::leaf(folder.path(), "leaf", "ours");
    folder
}

fn route(folder: &Path, authority: &str) -> Route {
    let extra_ca = std::fs::read(folder.join(format!("{authority}.pem"))).unwrap();
    Route { extra_ca: Some(extra_ca), ..Route::default() }
}

async fn look(route: &Route, base: &str) -> Collected {
    let (manifest, http) = (shipped("github/branch_rules"), Http::new(route).unwrap());
    run(&manifest, &http, Some(base), None, &BTreeMap::new(), &mut State::default()).await
}

#[tokio::test]
async fn a_run_over_tls_records_the_key_and_the_authority_that_openssl_sees() {
    let folder = folder();
    let folder = folder.path();
    let server = Server::start(folder, "leaf", "ours");
    let seen = look(&route(folder, "ours"), &server.base("localhost")).await;
    assert_eq!((seen.result, codes(&seen)), (RunResult::Complete, vec![]));
    assert_eq!(server.asked(), 8);
    pki::openssl(folder, "x509 -in leaf.pem -noout -pubkey -out leaf.pub");
    let key = pki::openssl(folder, "pkey -pubin -in leaf.pub -outform DER");
    let authority = pki::openssl(folder, "x509 -in ours.pem -outform DER");
    let [host] = seen.channel.hosts.as_slice() else { panic!("{:?}", seen.channel) };
    assert_eq!(host.host, "localhost");
    assert_eq!((host.spki, host.root), (Some(Digest::of(&key)), Some(Digest::of(&authority))));
    assert!(seen.channel.overridden && seen.channel.extra_ca.is_some() && seen.channel.proxy.is_none());
}

#[tokio::test]
async fn whoever_shows_a_certificate_of_another_authority_is_told_nothing() {
    let folder = folder();
    let server = Server::start(folder.path(), "leaf", "ours");
    for route in [route(folder.path(), "theirs"), Route::default()] {
        let seen = look(&route, &server.base("localhost")).await;
        assert_eq!(seen.result, RunResult::Failed);
        assert_eq!(exchange(&seen, "org", "retry")["why"], "net.connect");
        assert_eq!((seen.channel.hosts[0].spki, seen.channel.hosts[0].root), (None, None));
    }
    assert_eq!(server.asked(), 0);
}

#[tokio::test]
async fn a_name_that_leads_inside_is_not_asked_unless_the_network_is_named() {
    let folder = folder();
    let server = Server::start(folder.path(), "leaf", "ours");
    let strict = route(folder.path(), "ours");
    let seen = look(&strict, &server.base("rebound.test")).await;
    assert_eq!((exchange(&seen, "org", "error")["why"].as_str(), server.asked()), (Some("net.inside"), 0));
    let named = Route { reach: Reach::new(vec!["127.0.0.0/8".parse().unwrap()]), ..strict };
    assert_eq!(look(&named, &server.base("rebound.test")).await.result, RunResult::Complete);
}

#[tokio::test]
async fn a_proxy_sees_where_to_and_nothing_else() {
    let folder = folder();
    let server = Server::start(folder.path(), "leaf", "ours");
    let (address, asked) = proxy();
    let through = Route { proxy: Some(address.clone()), ..route(folder.path(), "ours") };
    let seen = look(&through, &server.base("rebound.test")).await;
    assert_eq!((seen.result, codes(&seen), server.asked()), (RunResult::Complete, vec![], 8));
    assert_eq!(seen.channel.proxy, Some(format!("{address}/")));
    let asked = asked.lock().unwrap();
    assert!(!asked.is_empty());
    for head in asked.iter() {
        assert!(head.starts_with(&format!("CONNECT rebound.test:{} ", server.port)), "{head}");
        assert!(!head.contains("ghp_hush"));
    }
}

#[tokio::test]
async fn without_tls_only_this_machine_is_asked() {
    for base in ["http://ghes.acme.example/api/v3", "http://10.0.0.1", "ftp://localhost"] {
        let seen = look(&Route::default(), base).await;
        assert_eq!((seen.requests, seen.populations[0].rows.len()), (0, 0), "{base}");
        assert_eq!(seen.result, RunResult::Failed, "{base}");
    }
}

#[tokio::test]
async fn another_host_is_asked_only_if_it_is_named_and_never_told_who_asks() {
    let text =
        std::fs::read_to_string(super::collectors().join("github/branch_rules/collector.yaml")).unwrap();
    let named = text.replace("  params: [org]", "  params: [org]\n  allow_hosts: [uploads.example.org]");
    assert_ne!(text, named);
    let rules = "/repos/acme/r1/rules/branches/main?per_page=100";
    let repository =
        json!({ "id": 1, "name": "r1", "full_name": "acme/r1", "archived": false, "default_branch": "main" });
    for (manifest, to, found) in [
        (&named, "https://uploads.example.org/rules", json!([{ "type": "deletion" }])),
        (&named, "https://uploads.example.org:8443/rules", json!(null)),
        (&named, "http://uploads.example.org/rules", json!(null)),
        (&named, "https://x@uploads.example.org/rules", json!(null)),
        (&named, "https://other.example.org/rules", json!(null)),
        (&text, "https://uploads.example.org/rules", json!(null)),
    ] {
        let script = Script::new(&json!({
            "/orgs/acme": { "status": 200, "body": { "id": 77, "login": "acme", "public_repos": 1, "total_private_repos": 0 } },
            "/orgs/acme/repos?type=all&sort=full_name&per_page=100": { "status": 200, "body": [repository] },
            rules: { "status": 302, "headers": { "location": to } },
            "/repos/acme/r1/branches/main/protection": { "status": 404, "body": { "message": "Branch not protected" } },
            "uploads.example.org/rules": { "status": 200, "body": [{ "type": "deletion" }] },
        }));
        let manifest = Manifest::read("x", manifest).unwrap();
        let http = Http::scripted(script);
        let seen = run(&manifest, &http, None, None, &BTreeMap::new(), &mut State::default()).await;
        assert_eq!(rows(&seen, 0)[0]["rules"], found, "{to}");
        assert_eq!(seen.channel.hosts.len(), if found.is_null() { 1 } else { 2 }, "{to}");
    }
    for wrong in ["localhost", "127.0.0.1", "Example.org", "x.org/y", "x.org:1", "u@x.org", "x.localhost"] {
        let text = named.replace("[uploads.example.org]", &format!("[\"{wrong}\"]"));
        assert_eq!(Manifest::read("x", &text).unwrap_err().len(), 1, "{wrong}");
    }
}
