//! How a client comes to a token: it proves itself where the manifest says, and is granted scopes (RFC 6749 section 4.4).
//!
//! The exchange has a row and a receipt; its answer, which holds the token, is kept nowhere but for the scopes. Nothing is
//! kept from run to run, so no token outlives what it was made for.

use std::{borrow::Cow, collections::BTreeMap};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use observance_record::{Instant, population::Outcome};
use serde::Deserialize;
use url::{
    Url,
    form_urlencoded::{Serializer, byte_serialize},
};
use zeroize::Zeroizing;

use super::{
    Client, Refusal,
    client::Proof,
    dpop::{self, Prover},
    errand::{Answer, Errand, Proves, Shown, TOKEN, malformed, rule, step, wipe},
    why,
};
use crate::{
    collect::{
        exchange::Session,
        http::{self, Headers},
        manifest::{SecretIn, TokenAt, TokenErrand},
        outcome::{Rule, contains},
        template::{Slot, Template, Unfilled},
    },
    secret::{self, Secret},
};

/// Longest life that is believed of a token.
const LIFE_S_MAX: u64 = 3_600;
/// Shortest life that is reckoned with, so that not every exchange renews.
const LIFE_S_MIN: u64 = 30;
/// Longest list of granted scopes that is read, in bytes.
const SCOPE_BYTES_MAX: usize = 65_536;
/// How a signed statement says that it is the grant (RFC 7523 section 2.1).
const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// How a client says that it signs (RFC 7523 section 2.2).
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// What RFC 6749 section 5.1 has a source answer.
#[derive(Deserialize)]
struct Granted {
    access_token: String,
    token_type: String,
    #[serde(default)]
    expires_in: Option<u64>,
    #[serde(default)]
    scope: Option<String>,
}

/// A client that asks for a token.
struct Asking<'s> {
    session: &'s Session<'s>,
    client: &'s Client,
    errand: &'s TokenErrand,
    to: Url,
    /// Who proves that the token will be his alone, if the manifest wants that.
    prover: Option<&'s Prover>,
    /// What is posted by every client.
    form: Vec<(&'static str, String)>,
    /// In whose name, where the grant is a signed statement.
    subject: Option<String>,
}

impl Session<'_> {
    /// A token for this run, when to ask for the next one, and what it is bound to.
    pub(super) async fn granted_token(
        &self,
        client: &Client,
        serial: u32,
    ) -> Result<(Secret, Instant, Option<Prover>), Refusal> {
        let nowhere = Refusal { outcome: Outcome::Error, why: why::AUTH_ENDPOINT };
        let errand = self.manifest.connection.auth.as_ref().ok_or(nowhere)?;
        let (to, form) = (self.token_address(errand)?, self.token_form(errand)?);
        let subject = errand.subject.as_ref().map(|subject| self.plain(subject)).transpose()?;
        let exchange = Errand {
            step: step(TOKEN, errand.at.template().source(), rules()),
            url: to.clone(),
            answer: Answer::Token,
        };
        let prover = if errand.dpop { Some(Prover::new().ok_or_else(no_chance)?) } else { None };
        let by = Asking { session: self, client, errand, to, prover: prover.as_ref(), form, subject };
        let asked_at = self.clock.now();
        let ran = self.run_errand(exchange, serial, &by).await?;
        if ran.status == 404 {
            return Err(nowhere);
        }
        let (answer, _) = ran.hoped(why::AUTH_PERMISSIONS)?;
        let granted = serde_json::from_slice::<Granted>(&answer);
        wipe(answer);
        let Granted { access_token, token_type, expires_in, scope } =
            granted.map_err(|_malformed| malformed())?;
        let token = Secret::new(access_token);
        let is = |kind: &str| token_type.eq_ignore_ascii_case(kind) && !token.expose().is_empty();
        // who asked with a proof may still be given a token that anybody could show
        let prover = prover.filter(|_| is("dpop"));
        if prover.is_none() && !is("bearer") {
            return Err(malformed());
        }
        if let Some(scope) = scope.filter(|scope| scope.len() <= SCOPE_BYTES_MAX) {
            self.note_scopes(scope.split(' '));
        }
        let life_s = expires_in.unwrap_or(LIFE_S_MAX).clamp(LIFE_S_MIN, LIFE_S_MAX);
        let life_ms = i64::try_from(life_s).unwrap_or_default() * 1000;
        Ok((token, asked_at.plus_ms(life_ms / 6 * 5), prover))
    }

    fn token_address(&self, errand: &TokenErrand) -> Result<Url, Refusal> {
        let look_up = |slot: &Slot| self.param(slot).map(Cow::Owned);
        let filled = errand.at.template().fill(&mut Vec::new(), look_up).map_err(unfilled)?;
        let unsafe_value = Refusal { outcome: Outcome::Error, why: why::VALUE_UNSAFE };
        match errand.at {
            TokenAt::Path(_) => self
                .address(&filled)
                .and_then(|url| if self.is_ours(&url) { Ok(url) } else { Err(unsafe_value) }),
            TokenAt::Url(_) => Url::parse(&filled).ok().filter(secret::may_go_to).ok_or(unsafe_value),
        }
    }

    fn token_form(&self, errand: &TokenErrand) -> Result<Vec<(&'static str, String)>, Refusal> {
        let mut form = vec![("grant_type", "client_credentials".to_owned())];
        let expected = || self.manifest.permissions().iter().map(|(name, _)| name.clone()).collect();
        let scopes = errand.scopes.clone().unwrap_or_else(expected);
        if !scopes.is_empty() {
            form.push(("scope", scopes.join(" ")));
        }
        for (name, template) in [("audience", &errand.audience), ("resource", &errand.resource)] {
            let Some(template) = template else { continue };
            form.push((name, self.plain(template)?));
        }
        Ok(form)
    }

    fn plain(&self, template: &Template) -> Result<String, Refusal> {
        template.plain(&mut Vec::new(), |slot| self.param(slot)).map_err(unfilled)
    }

    fn param(&self, slot: &Slot) -> Option<String> {
        self.params.get(slot.path.to_string().as_str()).cloned()
    }

    /// What no other will ever say again.
    pub(super) fn once(&self) -> Result<String, Refusal> {
        self.chance.bytes32().map(hex::encode).map_err(|_none| no_chance())
    }
}

impl Proves for Asking<'_> {
    fn shown(&self) -> Result<Shown, Refusal> {
        let mut form = Serializer::new(String::new());
        if let Some(subject) = &self.subject {
            form.append_pair("grant_type", GRANT_TYPE);
            form.append_pair("assertion", self.statement(subject)?.expose());
            return shown(form.finish(), &BTreeMap::new());
        }
        form.extend_pairs(&self.form);
        let mut secrets = BTreeMap::new();
        match (self.client.proof(), self.errand.secret) {
            (Proof::Secret(secret), SecretIn::Basic) => {
                secrets.insert("authorization".to_owned(), basic(self.client.id(), secret));
            }
            (Proof::Secret(secret), SecretIn::Post) => {
                form.append_pair("client_id", self.client.id());
                form.append_pair("client_secret", secret.expose());
            }
            (Proof::Key(key), SecretIn::Basic | SecretIn::Post) => {
                let refused = Refusal { outcome: Outcome::Unauthenticated, why: why::AUTH_KEY };
                let (once, now) = (self.session.once()?, self.session.clock.now());
                let assertion =
                    key.assertion(self.client.id(), self.to.as_str(), &once, now).map_err(|_key| refused)?;
                self.assert(&mut form, &assertion);
            }
            (Proof::Statement(at), SecretIn::Basic | SecretIn::Post) => {
                let refused = Refusal { outcome: Outcome::Unauthenticated, why: why::AUTH_STATEMENT };
                self.assert(&mut form, &at.read().map_err(|_gone| refused)?);
            }
        }
        if let Some(prover) = self.prover {
            let (once, now) = (self.session.once()?, self.session.clock.now());
            let proof = prover.proof(("POST", &self.to), None, (&once, now)).ok_or_else(no_chance)?;
            secrets.insert(dpop::HEADER.to_owned(), proof);
        }
        shown(form.finish(), &secrets)
    }

    /// The source may say what a proof must hold, and then wants another (RFC 9449 section 8).
    fn hears(&self, answer: &http::Answer) -> bool {
        let asks = matches!(answer.status, 400 | 401) && contains(&answer.body, dpop::ASKS.as_bytes());
        asks && self.prover.is_some_and(|prover| prover.hear(&self.to, &answer.headers))
    }
}

impl Asking<'_> {
    /// Shows who asks by a signed statement (RFC 7521 section 4.2).
    fn assert(&self, form: &mut Serializer<'_, String>, assertion: &Secret) {
        form.append_pair("client_id", self.client.id());
        form.append_pair("client_assertion_type", ASSERTION_TYPE);
        form.append_pair("client_assertion", assertion.expose());
    }

    /// The grant in somebody's name, for the scopes that a form would ask for. Only a key signs it.
    fn statement(&self, subject: &str) -> Result<Secret, Refusal> {
        let refused = Refusal { outcome: Outcome::Unauthenticated, why: why::AUTH_KEY };
        let Proof::Key(key) = self.client.proof() else { return Err(refused) };
        let scope = self.form.iter().find(|(name, _)| *name == "scope");
        let scope = scope.map_or("", |(_, scope)| scope.as_str());
        let now = self.session.clock.now();
        key.grant((self.client.id(), subject, scope), self.to.as_str(), now).map_err(|_key| refused)
    }
}

/// A form, and the headers that go with it.
fn shown(form: String, secrets: &BTreeMap<String, Secret>) -> Result<Shown, Refusal> {
    let pairs = [("accept", "application/json"), ("content-type", "application/x-www-form-urlencoded")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let headers = Headers::outgoing(&pairs, secrets);
    let unfit = Refusal { outcome: Outcome::Unauthenticated, why: why::TOKEN_MALFORMED };
    Ok(Shown { headers: headers.ok_or(unfit)?, body: Some(Zeroizing::new(form)) })
}

/// A client's id and secret in a header, each encoded as in a form (RFC 6749 section 2.3.1).
fn basic(id: &str, secret: &Secret) -> Secret {
    let encoded = |text: &str| Zeroizing::new(byte_serialize(text.as_bytes()).collect::<String>());
    let pair = Zeroizing::new(format!("{}:{}", *encoded(id), *encoded(secret.expose())));
    Secret::new(STANDARD.encode(pair.as_bytes())).after("Basic ")
}

const fn no_chance() -> Refusal {
    Refusal { outcome: Outcome::Retry, why: why::AUTH_UNAVAILABLE }
}

const fn unfilled(unfilled: Unfilled) -> Refusal {
    let why = match unfilled {
        Unfilled::Missing => why::VALUE_MISSING,
        Unfilled::Unsafe => why::VALUE_UNSAFE,
    };
    Refusal { outcome: Outcome::Error, why }
}

/// What an answer means (RFC 6749 section 5.2). A word of the body is an error code in quotes.
fn rules() -> Vec<Rule> {
    let denied = |word| rule(&[400, 401, 403], Some(word), Outcome::Forbidden);
    vec![
        rule(&[200], None, Outcome::Present),
        denied(r#""invalid_scope""#),
        denied(r#""unauthorized_client""#),
        denied(r#""access_denied""#),
        denied(r#""invalid_target""#),
        rule(&[400, 401, 403], Some(r#""invalid_client""#), Outcome::Unauthenticated),
        // a statement that is the grant itself, and is not believed (RFC 7523 section 3.1)
        rule(&[400, 401, 403], Some(r#""invalid_grant""#), Outcome::Unauthenticated),
        rule(&[401], None, Outcome::Unauthenticated),
        rule(&[403], None, Outcome::Forbidden),
        rule(&[404], None, Outcome::Error),
        rule(&[429], None, Outcome::Throttled),
        rule(&[500, 502, 503, 504], None, Outcome::Retry),
    ]
}
