//! What a client signs, or has signed: by its key, by the key of its certificate, in somebody's name, by somebody else.

use std::{collections::BTreeSet, fs, path::Path, sync::Arc};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::{
    TOKENS, claims, fields, form, look, manifest, part, things, token, usual, verified, with_secret,
};
use crate::{
    collect::{
        Auth, Client, RunResult,
        tests::{
            everything, pki,
            scenarios::{Server, codes, exchange, message, reply},
        },
    },
    secret::{Secret, SecretRef},
};

const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Makes a key, asks with it, and has `openssl` check what was shown.
async fn signs(make: &str, algorithm: &str) {
    let folder = tempfile::tempdir().unwrap();
    pki::openssl(folder.path(), make);
    let key = Secret::new(fs::read_to_string(folder.path().join("me.key")).unwrap());
    let auth = Auth::Client(Client::with_key("0oa1", key, Some("k-1")).unwrap());
    // the first attempt is refused for a while, so that two proofs are seen
    let server = Server::start(move |nth, path, _| match path {
        TOKENS if nth == 0 => message(503, &[], "later"),
        TOKENS => token(nth, 3600, "ids.things.read"),
        path => things(path),
    })
    .await;
    let seen = look(&auth, &usual(), &server).await;
    assert_eq!((seen.result, codes(&seen)), (RunResult::Complete, vec![]));
    let mut once = BTreeSet::new();
    let posted = server.posted.lock().unwrap().clone();
    assert_eq!(posted.len(), 2);
    for form in &posted {
        let form = fields(form);
        assert_eq!(form["client_assertion_type"], "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
        assert_eq!((form["client_id"].as_str(), form.contains_key("client_secret")), ("0oa1", false));
        let assertion = form["client_assertion"].as_str();
        assert_eq!(part(assertion, 0), json!({ "alg": algorithm, "typ": "JWT", "kid": "k-1" }));
        let claims = claims(assertion);
        let to = format!("{}{TOKENS}", server.base);
        for (claim, value) in [("iss", "0oa1"), ("sub", "0oa1"), ("aud", to.as_str())] {
            assert_eq!(claims[claim], value);
        }
        let life_s = claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap();
        assert!((60..=300).contains(&life_s), "{life_s}");
        once.insert(claims["jti"].as_str().unwrap().to_owned());
        pki::openssl(folder.path(), "pkey -in me.key -pubout -out me.pub");
        verified(folder.path(), assertion, algorithm);
        assert!(!everything(&seen).contains(assertion));
    }
    assert_eq!(once.len(), 2, "no proof is shown twice");
}

#[tokio::test]
async fn openssl_verifies_what_a_client_signs_with_either_kind_of_key() {
    signs("genrsa -out me.key 2048", "RS256").await;
    for _ in 0..4 {
        // a number of such a signature may be shorter than the others
        signs("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out me.key", "ES256").await;
    }
}

#[test]
fn what_cannot_sign_is_told_without_the_key() {
    let folder = tempfile::tempdir().unwrap();
    pki::openssl(folder.path(), "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out me.key");
    let key = fs::read_to_string(folder.path().join("me.key")).unwrap();
    let said = Client::with_key("0oa1", Secret::new(key), None).unwrap_err().to_string();
    assert_eq!(said, "neither an RSA key of 2048 bits or more nor one of the curve P-256");
    assert!(Client::with_key("0oa1", Secret::new("hush".to_owned()), None).is_err());
    assert!(!format!("{:?}", with_secret()).contains("hush"));
}

/// A key and a certificate of it: `<name>.key`, `<name>.pem`.
fn certified(folder: &Path, name: &str, key: &str) -> (Secret, Vec<u8>) {
    let made = format!("-newkey {key} -nodes -keyout {name}.key");
    pki::openssl(folder, &format!("req -x509 {made} -out {name}.pem -subj /CN={name} -days 30"));
    let key = Secret::new(fs::read_to_string(folder.join(format!("{name}.key"))).unwrap());
    (key, fs::read(folder.join(format!("{name}.pem"))).unwrap())
}

#[tokio::test]
async fn a_key_is_known_by_its_certificate_as_entra_wants_it() {
    let folder = tempfile::tempdir().unwrap();
    let (key, certificate) = certified(folder.path(), "me", "rsa:2048");
    let client = Client::with_certificate("0oa1", key, &certificate).unwrap();
    let server = Server::start(|nth, path, _| match path {
        TOKENS => token(nth + 1, 3600, "ids.things.read"),
        path => things(path),
    })
    .await;
    let auth = r#"token_path: "/{org}/oauth2/token", scopes: ["https://ids.example/.default"]"#;
    let seen = look(&Auth::Client(client), &manifest(auth), &server).await;
    assert_eq!((seen.result, codes(&seen)), (RunResult::Complete, vec![]));
    let form = form(&server);
    assert_eq!((form["grant_type"].as_str(), form["client_id"].as_str()), ("client_credentials", "0oa1"));
    assert_eq!(
        (form["client_assertion_type"].as_str(), form["scope"].as_str()),
        (ASSERTION, "https://ids.example/.default")
    );
    let assertion = form["client_assertion"].as_str();
    // the thumbprint is worked out by somebody else
    pki::openssl(folder.path(), "x509 -in me.pem -outform DER -out me.der");
    let thumbprint = URL_SAFE_NO_PAD.encode(pki::openssl(folder.path(), "dgst -sha256 -binary me.der"));
    assert_eq!(part(assertion, 0), json!({ "alg": "PS256", "typ": "JWT", "x5t#S256": thumbprint }));
    let claims = claims(assertion);
    assert_eq!((&claims["iss"], &claims["sub"]), (&json!("0oa1"), &json!("0oa1")));
    assert_eq!(claims["aud"], format!("{}{TOKENS}", server.base));
    assert!(claims["jti"].as_str().unwrap().len() >= 32);
    let life_s = claims["exp"].as_i64().unwrap() - claims["nbf"].as_i64().unwrap();
    assert!((60..=300).contains(&life_s), "{life_s}");
    pki::openssl(folder.path(), "x509 -in me.pem -pubkey -noout -out me.pub");
    verified(folder.path(), assertion, "PS256");
    assert!(!everything(&seen).contains(assertion));
}

#[test]
fn a_certificate_is_of_the_clients_own_key() {
    let folder = tempfile::tempdir().unwrap();
    let (key, own) = certified(folder.path(), "me", "rsa:2048");
    let (_, other) = certified(folder.path(), "you", "rsa:2048");
    let (curve, of_curve) = certified(folder.path(), "ec", "ec -pkeyopt ec_paramgen_curve:P-256");
    let said = |key: &Secret, certificate: &[u8]| {
        let made = Client::with_certificate("0oa1", key.clone(), certificate);
        made.map_err(|error| error.to_string()).map(|_client| ())
    };
    assert_eq!(said(&key, &own), Ok(()));
    // a chain begins with the client's own; a key beside it is passed over
    assert_eq!(said(&key, &[key.expose().as_bytes(), &own, &other].concat()), Ok(()));
    assert_eq!(
        said(&key, &[other.as_slice(), &own].concat()),
        Err("a certificate of another key".to_owned())
    );
    for none in
        [b"".as_slice(), b"hush", b"-----BEGIN CERTIFICATE-----\naHVzaA==\n-----END CERTIFICATE-----\n"]
    {
        assert_eq!(said(&key, none), Err("not a certificate (PEM)".to_owned()));
    }
    // Entra believes RSA alone
    assert_eq!(said(&curve, &of_curve), Err("not an RSA key of 2048 bits or more".to_owned()));
    assert_eq!(said(&Secret::new("hush".to_owned()), &own), Err("not a private key (PEM)".to_owned()));
}

#[tokio::test]
async fn what_somebody_else_signs_is_read_anew_each_time() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().join("token");
    fs::write(&at, "hush.first.statement\n").unwrap();
    let auth = Client::with_statement("0oa1", SecretRef::File(at.display().to_string())).unwrap();
    // whoever signs writes the next one while the first is refused
    let next = at.clone();
    let server = Server::start(move |nth, path, _| match path {
        TOKENS if nth == 0 => {
            fs::write(&next, "hush.second.statement\n").unwrap();
            message(503, &[], "later")
        }
        TOKENS => token(nth, 3600, "ids.things.read"),
        path => things(path),
    })
    .await;
    let auth = Auth::Client(auth);
    let seen = look(&auth, &usual(), &server).await;
    assert_eq!((seen.result, codes(&seen)), (RunResult::Complete, vec![]));
    let posted = server.posted.lock().unwrap().clone();
    let shown: Vec<_> = posted.iter().map(|form| fields(form)).collect();
    for (form, statement) in shown.iter().zip(["hush.first.statement", "hush.second.statement"]) {
        assert_eq!(form["client_assertion"], statement);
        assert_eq!((form["client_assertion_type"].as_str(), form["client_id"].as_str()), (ASSERTION, "0oa1"));
        assert_eq!(form["grant_type"], "client_credentials");
    }
    assert_eq!(shown.len(), 2);
    assert!(!everything(&seen).contains("hush"));
    // a run that finds none asks nothing, and says so
    for gone in [None, Some("")] {
        gone.map_or_else(|| fs::remove_file(&at), |text| fs::write(&at, text)).unwrap();
        let before = server.log.lock().unwrap().len();
        let seen = look(&auth, &usual(), &server).await;
        assert_eq!((seen.result, server.log.lock().unwrap().len()), (RunResult::Failed, before));
        assert_eq!(exchange(&seen, "org", "unauthenticated")["why"], "auth.statement");
    }
    assert!(Client::with_statement("0oa1", SecretRef::File("/nowhere/token".to_owned())).is_err());
}

/// A token in somebody's name, as Google's service accounts ask for it.
const IN_A_NAME: &str = r#"token_path: "/{org}/oauth2/token", subject: "{org}@acme.example""#;

/// Answers whoever asks for a token in somebody's name.
async fn in_a_name(answer: impl Fn(usize) -> super::Reply + Send + Sync + 'static) -> Arc<Server> {
    Server::start(move |nth, path, _| match path {
        TOKENS => answer(nth),
        path => things(path),
    })
    .await
}

#[tokio::test]
async fn a_statement_is_itself_the_grant_in_somebodys_name() {
    let folder = tempfile::tempdir().unwrap();
    let key = pki::rsa_key(folder.path(), "me");
    let auth = Auth::Client(Client::with_key("robot@acme.example", key, Some("k-1")).unwrap());
    let server = in_a_name(|nth| token(nth + 1, 3600, "ids.things.read ids.orgs.read")).await;
    let seen = look(&auth, &manifest(IN_A_NAME), &server).await;
    assert_eq!((seen.result, codes(&seen)), (RunResult::Complete, vec![]));
    let form = form(&server);
    // nothing else is posted: the statement says who asks, for whom and what for
    let names: Vec<&str> = form.keys().map(String::as_str).collect();
    assert_eq!(names, ["assertion", "grant_type"]);
    assert_eq!(form["grant_type"], "urn:ietf:params:oauth:grant-type:jwt-bearer");
    let assertion = form["assertion"].as_str();
    assert_eq!(part(assertion, 0), json!({ "alg": "RS256", "typ": "JWT", "kid": "k-1" }));
    let claims = claims(assertion);
    let life_s = claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap();
    assert!((60..=300).contains(&life_s), "{life_s}");
    let said = json!({
        "iss": "robot@acme.example", "sub": "acme@acme.example", "scope": "ids.things.read ids.orgs.read",
        "aud": format!("{}{TOKENS}", server.base), "iat": claims["iat"], "exp": claims["exp"],
    });
    assert_eq!(claims, said);
    pki::openssl(folder.path(), "pkey -in me.key -pubout -out me.pub");
    verified(folder.path(), assertion, "RS256");
    let everything = everything(&seen);
    assert!(!everything.contains("hush") && !everything.contains(assertion), "{everything}");
    assert_eq!(seen.privileges.write, 0);
    let row = exchange(&seen, "auth.token", "present");
    assert_eq!(row["artefact"], Value::Null);
}

#[tokio::test]
async fn whoever_may_not_speak_in_that_name_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let key = pki::rsa_key(folder.path(), "me");
    let auth = Auth::Client(Client::with_key("robot@acme.example", key, None).unwrap());
    for (status, code, outcome, why) in [
        (401, "unauthorized_client", "forbidden", "auth.permissions"),
        (403, "access_denied", "forbidden", "auth.permissions"),
        (400, "invalid_scope", "forbidden", "auth.permissions"),
        (400, "invalid_grant", "unauthenticated", "auth.refused"),
        (401, "invalid_client", "unauthenticated", "auth.refused"),
    ] {
        let body =
            json!({ "error": code, "error_description": "hush: not for acme@acme.example" }).to_string();
        let server = in_a_name(move |_| reply(status, &[], body.clone())).await;
        let seen = look(&auth, &manifest(IN_A_NAME), &server).await;
        assert_eq!((seen.result, server.log.lock().unwrap().len()), (RunResult::Failed, 1), "{code}");
        assert_eq!(exchange(&seen, "org", outcome)["why"], why, "{code}");
        let everything = everything(&seen);
        let assertion = form(&server).remove("assertion").unwrap();
        assert!(!everything.contains(&assertion), "{code}: the statement was kept");
    }
    // a secret signs nothing
    let server = in_a_name(|nth| token(nth + 1, 3600, "")).await;
    let seen = look(&with_secret(), &manifest(IN_A_NAME), &server).await;
    assert_eq!((seen.result, server.log.lock().unwrap().len()), (RunResult::Failed, 0));
    assert_eq!(exchange(&seen, "org", "unauthenticated")["why"], "auth.key");
}
