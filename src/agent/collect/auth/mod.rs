//! How a run shows who it is: a bearer token, headers, a GitHub App that mints a short token for every run, a client of
//! OAuth 2.0 that is granted one, or keys of AWS that sign every request.
//!
//! A credential that cannot be had is an outcome of every exchange, with its reason; it is never a crash, and never a
//! request without one. No value of a credential leaves this folder but into a header.

mod app;
mod assume;
mod aws;
mod certificate;
mod client;
mod dpop;
mod errand;
mod grant;
mod granted;
mod jwt;
mod mint;
mod sigv4;

use std::{
    borrow::Cow,
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use observance_record::{Digest, Instant, population::Outcome};
use tokio::sync::Mutex as Turn;
use url::Url;

pub(super) use self::granted::Granted;
pub use self::{
    app::GithubApp,
    aws::{Aws, Role},
    client::Client,
    granted::Privileges,
    jwt::KeyError,
    sigv4::Keys,
};
use self::{dpop::Prover, sigv4::Scope};
use super::{
    exchange::{Sent, Session},
    http::{Answer, Headers},
    manifest::Step,
    outcome::why,
};
use crate::secret::Secret;

/// Tokens that one run may have refused before it stops asking for another.
const REFUSED_MAX: u32 = 3;

/// Who asks.
#[derive(Debug)]
pub enum Auth {
    /// Whoever holds a token that was made elsewhere: a personal one, classic or fine-grained.
    Bearer(Secret),
    /// Whoever may send these headers, by name, with values as they stand here.
    Headers(BTreeMap<String, Secret>),
    /// An app, by its key. Each run mints a token of its own, narrowed to what its manifest expects.
    GithubApp(GithubApp),
    /// A client of OAuth 2.0. Each run is granted a token of its own, narrowed to what its manifest expects.
    Client(Client),
    /// Keys of AWS, or a role that each run assumes, narrowed to what its manifest expects.
    Aws(Aws),
}

impl Auth {
    /// A user with a password (RFC 7617).
    pub fn basic(user: &str, password: &Secret) -> Self {
        let pair = password.after(&format!("{user}:"));
        let text = Secret::new(STANDARD.encode(pair.expose()));
        Self::Headers(BTreeMap::from([("authorization".to_owned(), text.after("Basic "))]))
    }
}

/// What is sent to the source, for as long as it holds.
#[derive(Debug, Clone)]
pub(super) struct Credential {
    pub headers: Arc<Headers>,
    /// The same without the credential, for other hosts.
    pub plain: Arc<Headers>,
    /// Tells credentials apart; says nothing about them.
    pub by: Digest,
    /// Which of the run, from 1.
    serial: u32,
    /// What each request is proved with, where each has to be.
    bound: Option<Arc<Bound>>,
    /// From then on another is asked for first.
    renew_at: Option<Instant>,
}

/// What each request is proved with.
#[derive(Debug)]
enum Bound {
    /// A token that is shown with proofs (RFC 9449).
    Token { token: Secret, prover: Box<Prover> },
    /// Keys that sign it.
    Keys(Keys),
}

/// Why there is no credential: what every exchange comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Refusal {
    pub outcome: Outcome,
    pub why: &'static str,
}

/// The credential of one run: had once, renewed when it ends, and what was learnt about it on the way.
pub(super) struct Door<'a> {
    auth: &'a Auth,
    held: Turn<Held>,
    learnt: Mutex<Learnt>,
}

/// A token, when to ask for the next one, and who proves that it is his.
type Lasting = (Secret, Instant, Option<Prover>);
/// What is sent, until when, and with what it is proved.
type Ready = (Headers, Option<Instant>, Option<Bound>);

#[derive(Debug, Default)]
struct Held {
    state: Option<Result<Credential, Refusal>>,
    serial: u32,
    refused: u32,
}

/// What the exchanges for a credential left.
#[derive(Default)]
struct Learnt {
    sent: Vec<Sent>,
    rights: BTreeMap<String, String>,
}

impl<'a> Door<'a> {
    /// Nothing asked for yet.
    pub(super) fn new(auth: &'a Auth) -> Self {
        Self { auth, held: Turn::default(), learnt: Mutex::default() }
    }

    /// The exchanges that were made for a credential, in order. Takes them.
    pub(super) fn sent(&self) -> Vec<Sent> {
        std::mem::take(&mut self.learnt().sent)
    }

    /// Rights of the app's installation, `name: access`. A token is narrower; whoever holds the key could mint a wider.
    pub(super) fn rights(&self) -> BTreeMap<String, String> {
        self.learnt().rights.clone()
    }

    fn learnt(&self) -> std::sync::MutexGuard<'_, Learnt> {
        self.learnt.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Session<'_> {
    /// What to send with a request now. One exchange asks at a time; the others wait for what it is given.
    pub(super) async fn credential(&self) -> Result<Credential, Refusal> {
        let mut held = self.door.held.lock().await;
        if let Some(state) = &held.state
            && !state.as_ref().is_ok_and(|held| held.renew_at.is_some_and(|at| self.clock.now() >= at))
        {
            return state.clone();
        }
        self.obtain(&mut held).await
    }

    /// What a request of a step shows there, its own headers among it: another host is asked without saying who asks.
    pub(super) fn shown<'c>(
        &self,
        credential: &'c Credential,
        (step, url, own): (&Step, &Url, &[(String, String)]),
        posted: Option<&str>,
    ) -> Result<Cow<'c, Headers>, Refusal> {
        let shown = self.shown_by(credential, url, posted)?;
        let unfit = Refusal { outcome: Outcome::Error, why: why::VALUE_UNSAFE };
        let shown = if own.is_empty() { shown } else { Cow::Owned(shown.and(own).ok_or(unfit)?) };
        match credential.bound.as_deref() {
            Some(Bound::Keys(keys)) if self.is_ours(url) => {
                self.signed(keys, shown.into_owned(), (step, url), posted).map(Cow::Owned)
            }
            Some(Bound::Keys(_) | Bound::Token { .. }) | None => Ok(shown),
        }
    }

    /// The headers with a signature over all that is sent, as it is sent.
    fn signed(
        &self,
        keys: &Keys,
        mut headers: Headers,
        (step, url): (&Step, &Url),
        posted: Option<&str>,
    ) -> Result<Headers, Refusal> {
        let unfit = Refusal { outcome: Outcome::Error, why: why::VALUE_UNSAFE };
        let scope = self.manifest.connection.aws.as_ref().and_then(|aws| step.scope(aws, self.params));
        let (service, region) = scope.ok_or(unfit)?;
        if posted.is_some() && !headers.has("content-type") {
            // what is added when it is sent would not be signed
            headers =
                headers.and(&[("content-type".to_owned(), "application/json".to_owned())]).ok_or(unfit)?;
        }
        let method = posted.map_or("GET", |_| "POST");
        let request = (method, url, posted.unwrap_or_default().as_bytes());
        assume::signed(headers, request, keys, (Scope { region, service }, self.clock.now())).ok_or(unfit)
    }

    fn shown_by<'c>(
        &self,
        credential: &'c Credential,
        url: &Url,
        posted: Option<&str>,
    ) -> Result<Cow<'c, Headers>, Refusal> {
        if !self.is_ours(url) {
            return Ok(Cow::Borrowed(&credential.plain));
        }
        let Some(Bound::Token { token, prover }) = credential.bound.as_deref() else {
            return Ok(Cow::Borrowed(&credential.headers));
        };
        let method = posted.map_or("GET", |_| "POST");
        let (once, now) = (self.once()?, self.clock.now());
        let proof = prover.proof((method, url), Some(token), (&once, now));
        let headers = proof.and_then(|proof| credential.headers.with(dpop::HEADER, &proof));
        headers.map(Cow::Owned).ok_or(Refusal { outcome: Outcome::Retry, why: why::AUTH_UNAVAILABLE })
    }

    /// Another credential, or another proof of the same, after the source refused this one; none if there is no point in
    /// asking again.
    pub(super) async fn renewed(
        &self,
        refused: &Credential,
        (url, answer): (&Url, Option<&Answer>),
    ) -> Option<Credential> {
        if let (Some(Bound::Token { prover, .. }), Some(answer)) = (refused.bound.as_deref(), answer)
            && answer.headers.joined("www-authenticate").is_some_and(|asks| asks.contains(dpop::ASKS))
            && prover.hear(url, &answer.headers)
        {
            return Some(refused.clone());
        }
        let mut held = self.door.held.lock().await;
        if let Some(Ok(current)) = &held.state
            && current.serial != refused.serial
        {
            return Some(current.clone());
        }
        let lasts = match self.door.auth {
            Auth::Bearer(_) | Auth::Headers(_) => true,
            Auth::Aws(aws) => !aws.renews(),
            Auth::GithubApp(_) | Auth::Client(_) => false,
        };
        if lasts || held.refused >= REFUSED_MAX {
            return None;
        }
        held.refused += 1;
        self.obtain(&mut held).await.ok()
    }

    async fn obtain(&self, held: &mut Held) -> Result<Credential, Refusal> {
        held.serial += 1;
        let had = match self.door.auth {
            Auth::Bearer(token) => self.bearer(token).map(|headers| (headers, None, None)),
            Auth::Headers(secrets) => self.with(secrets).map(|headers| (headers, None, None)),
            Auth::GithubApp(app) => {
                let minted = self.mint(app, held.serial).await;
                self.lasting(minted.map(|(token, renew_at)| (token, renew_at, None)))
            }
            Auth::Client(client) => self.lasting(self.granted_token(client, held.serial).await),
            Auth::Aws(aws) => self.keys_of(aws, held.serial).await.and_then(|(keys, renew_at)| {
                // nothing of them is shown as it is: each request has a signature of its own
                self.with(&BTreeMap::new()).map(|headers| (headers, renew_at, Some(Bound::Keys(keys))))
            }),
        };
        let had = had.map(|(headers, renew_at, bound)| Credential {
            by: match &bound {
                Some(Bound::Keys(keys)) => Digest::of(keys.id().as_bytes()),
                Some(Bound::Token { .. }) | None => headers.by(),
            },
            bound: bound.map(Arc::new),
            plain: Arc::new(headers.without_credential()),
            headers: Arc::new(headers),
            serial: held.serial,
            renew_at,
        });
        held.state = Some(had.clone());
        had
    }

    /// A token that ends.
    fn lasting(&self, had: Result<Lasting, Refusal>) -> Result<Ready, Refusal> {
        let (token, renew_at, prover) = had?;
        let Some(prover) = prover else {
            return self.bearer(&token).map(|headers| (headers, Some(renew_at), None));
        };
        let headers = self.with(&BTreeMap::from([("authorization".to_owned(), token.after("DPoP "))]))?;
        Ok((headers, Some(renew_at), Some(Bound::Token { token, prover: Box::new(prover) })))
    }

    fn bearer(&self, token: &Secret) -> Result<Headers, Refusal> {
        self.with(&BTreeMap::from([("authorization".to_owned(), token.after("Bearer "))]))
    }

    fn with(&self, secrets: &BTreeMap<String, Secret>) -> Result<Headers, Refusal> {
        let malformed = Refusal { outcome: Outcome::Unauthenticated, why: why::TOKEN_MALFORMED };
        Headers::outgoing(&self.manifest.connection.headers, secrets).ok_or(malformed)
    }
}
