//! Tokens that are bound to a key of their own (RFC 9449): asked for, and shown, with proofs.

use std::{collections::BTreeSet, fs};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::{
    MORE, THINGS, TOKENS, claims, look, manifest, part, shown, source, things, verified, with_secret,
};
use crate::collect::{
    RunResult,
    tests::{
        everything, pki,
        scenarios::{Server, codes, exchange, message, reply},
    },
};

/// Refuses a proof that does not hold the nonce of its place, as Okta does at its token endpoint.
fn nonce(server: &Server, wanted: &str) -> bool {
    let log = server.log.lock().unwrap();
    let proof = log.last().unwrap().1["dpop"].to_str().unwrap();
    claims(proof)["nonce"] == wanted
}

/// What stands at the head of a proof, which `openssl` verifies by the key there.
fn head(proof: &str) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let head = part(proof, 0);
    let half = |name: &str| URL_SAFE_NO_PAD.decode(head["jwk"][name].as_str().unwrap()).unwrap();
    let spki = hex::decode("3059301306072a8648ce3d020106082a8648ce3d03010703420004").unwrap();
    fs::write(folder.path().join("pub.der"), [spki, half("x"), half("y")].concat()).unwrap();
    pki::openssl(folder.path(), "pkey -pubin -inform DER -in pub.der -out me.pub");
    verified(folder.path(), proof, "ES256");
    head
}

#[tokio::test]
async fn a_token_of_ones_own_is_asked_for_and_shown_with_proofs() {
    let server = Server::start(move |_, path, server| match path {
        TOKENS if !nonce(server, "n1") => {
            reply(400, &[("dpop-nonce", "n1")], r#"{"error":"use_dpop_nonce"}"#)
        }
        TOKENS => {
            let body = json!({ "access_token": "ey_hush", "token_type": "DPoP", "expires_in": 3600,
                               "scope": "ids.things.read" });
            reply(200, &[], body.to_string())
        }
        // the source has a nonce of its own, and says so once
        MORE if !nonce(server, "n2") => {
            let asks = [("www-authenticate", r#"DPoP error="use_dpop_nonce""#), ("dpop-nonce", "n2")];
            message(401, &asks, "another proof")
        }
        path => things(path),
    })
    .await;
    let auth = r#"token_path: "/{org}/oauth2/token", dpop: true"#;
    let seen = look(&with_secret(), &manifest(auth), &server).await;
    assert_eq!((seen.result, codes(&seen)), (RunResult::Complete, vec![]));
    let log = server.log.lock().unwrap().clone();
    let paths: Vec<_> = log.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(paths, [TOKENS, TOKENS, "/org", THINGS, MORE, MORE]);
    // of the words ey_hush, by `openssl dgst -sha256`
    let hash = hash_of("ey_hush");
    let (mut once, mut keys) = (BTreeSet::new(), BTreeSet::new());
    for (path, headers) in &log {
        let proof = headers["dpop"].to_str().unwrap();
        let (head, said) = (head(proof), claims(proof));
        assert_eq!((&head["typ"], &head["alg"]), (&json!("dpop+jwt"), &json!("ES256")));
        assert!(head["jwk"].get("d").is_none(), "a private key was shown");
        keys.insert(head["jwk"].to_string());
        once.insert(said["jti"].as_str().unwrap().to_owned());
        let bare = path.split('?').next().unwrap();
        assert_eq!(said["htu"], format!("{}{bare}", server.base));
        assert_eq!(said["htm"], if path == TOKENS { "POST" } else { "GET" });
        let bound = path != TOKENS;
        assert_eq!(said.get("ath"), bound.then(|| json!(hash)).as_ref());
        if bound {
            assert_eq!(headers["authorization"], "DPoP ey_hush");
        }
        assert!(!everything(&seen).contains(proof));
    }
    assert_eq!((once.len(), keys.len()), (6, 1), "six proofs of one key");
    assert!(!everything(&seen).contains("hush"));
}

/// SHA-256 of words as tokens have it, worked out by `openssl`.
fn hash_of(words: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("words"), words).unwrap();
    URL_SAFE_NO_PAD.encode(pki::openssl(folder.path(), "dgst -sha256 -binary words"))
}

#[tokio::test]
async fn a_source_that_always_wants_another_proof_is_left_alone() {
    let server = Server::start(move |nth, path, _| match path {
        TOKENS => {
            let next = format!("n{nth}");
            reply(400, &[("dpop-nonce", next.as_str())], r#"{"error":"use_dpop_nonce"}"#)
        }
        path => things(path),
    })
    .await;
    let auth = r#"token_path: "/{org}/oauth2/token", dpop: true"#;
    let seen = look(&with_secret(), &manifest(auth), &server).await;
    assert_eq!((seen.result, server.asked(TOKENS)), (RunResult::Failed, 3));
    assert_eq!(exchange(&seen, "org", "error")["why"], "outcome.unmatched");
    // whoever asks for no proof is given a token that anybody can show
    let server = source(|_, _| true).await;
    let seen = look(&with_secret(), &manifest(auth), &server).await;
    assert_eq!((seen.result, shown(&server).as_str()), (RunResult::Complete, "Bearer ey_hush1"));
    assert!(!server.log.lock().unwrap().last().unwrap().1.contains_key("dpop"));
}
