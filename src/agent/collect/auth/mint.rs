//! How an app comes to a token: it looks at its installation, then mints a token that may read what the manifest expects.
//!
//! Both are exchanges of the run, with rows and receipts. The installation's answer is kept as evidence of its rights; the
//! answer that holds the token is kept nowhere. Nothing is kept from run to run, so no token outlives what it was made for.

use std::collections::BTreeMap;

use bytes::Bytes;
use chrono::DateTime;
use observance_record::{Instant, Item, population::Outcome};
use serde::Deserialize;
use serde_json::json;
use url::Url;
use zeroize::Zeroize as _;

use super::{GithubApp, Refusal, why};
use crate::{
    collect::{
        ask::Asked,
        exchange::{Call, Session},
        manifest::{Projection, Records, Step, Verb},
        outcome::Rule,
        receipt::Attempt,
        template::{Template, encode},
    },
    secret::Secret,
};

/// Names of the two exchanges. No step of a manifest can have them, for their dot.
const INSTALLATION: &str = "auth.installation";
const TOKEN: &str = "auth.token";
/// Longest life that is believed of a token.
const LIFE_MS_MAX: i64 = 3_600_000;
/// Shortest life that is reckoned with, so that a wrong clock does not make every exchange renew.
const LIFE_MS_MIN: i64 = 60_000;
/// Most permissions of an installation that are looked at.
const PERMISSIONS_MAX: usize = 200;

/// What the source says of an installation.
#[derive(Deserialize)]
struct Installation {
    id: u64,
    #[serde(default)]
    permissions: BTreeMap<String, String>,
    #[serde(default)]
    suspended_at: Option<String>,
}

/// A token as minted.
#[derive(Deserialize)]
struct Minted {
    token: String,
    expires_at: String,
}

/// One exchange that an app makes with its own proof.
struct Errand {
    step: Step,
    asked: Asked,
    /// What a denial means here.
    denied: &'static str,
}

impl Session<'_> {
    /// A token for this run, and when to ask for the next one.
    pub(super) async fn mint(&self, app: &GithubApp, serial: u32) -> Result<(Secret, Instant), Refusal> {
        let installation = self.installation(app, serial).await?;
        let wanted: BTreeMap<&str, &str> = self
            .manifest
            .permissions()
            .iter()
            .filter(|(name, _)| installation.permissions.contains_key(name))
            .map(|(name, _)| (name.as_str(), "read"))
            .collect();
        if wanted.is_empty() {
            // without a list the token would have every right that the installation has
            return Err(Refusal { outcome: Outcome::Forbidden, why: why::AUTH_PERMISSIONS });
        }
        let body = json!({ "permissions": wanted });
        let path = format!("/app/installations/{}/access_tokens", installation.id);
        let errand = Errand {
            step: step(TOKEN, "/app/installations/{installation}/access_tokens", 201),
            asked: Asked { url: self.address(&path)?, body: Some(body) },
            denied: why::AUTH_PERMISSIONS,
        };
        let asked_at = self.clock.now();
        let (answer, skew_ms) = self.run_errand(app, errand, serial).await?;
        let minted = serde_json::from_slice::<Minted>(&answer);
        wipe(answer);
        let Minted { token, expires_at } = minted.map_err(|_malformed| malformed())?;
        let token = Secret::new(token);
        let expires = DateTime::parse_from_rfc3339(&expires_at).map_err(|_malformed| malformed())?;
        let ours = asked_at.plus_ms(skew_ms);
        let life_ms =
            Instant::from_ms(expires.timestamp_millis()).ms_since(ours).clamp(LIFE_MS_MIN, LIFE_MS_MAX);
        Ok((token, asked_at.plus_ms(life_ms / 6 * 5)))
    }

    async fn installation(&self, app: &GithubApp, serial: u32) -> Result<Installation, Refusal> {
        let (template, path) = match app.installation() {
            Some(id) => ("/app/installations/{installation}", format!("/app/installations/{id}")),
            None => ("/orgs/{org}/installation", self.org_installation()?),
        };
        let errand = Errand {
            step: step(INSTALLATION, template, 200),
            asked: Asked { url: self.address(&path)?, body: None },
            denied: why::AUTH_NOT_INSTALLED,
        };
        let (answer, _) = self.run_errand(app, errand, serial).await?;
        let installation: Installation = serde_json::from_slice(&answer).map_err(|_malformed| malformed())?;
        let word = |text: &str| text.len() <= 64 && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        let rights = installation.permissions.iter().filter(|(name, access)| word(name) && word(access));
        let rights = rights.take(PERMISSIONS_MAX).map(|(name, access)| (name.clone(), access.clone()));
        self.door.learnt().rights.extend(rights);
        if installation.suspended_at.is_some() {
            return Err(Refusal { outcome: Outcome::Forbidden, why: why::AUTH_SUSPENDED });
        }
        Ok(installation)
    }

    fn org_installation(&self) -> Result<String, Refusal> {
        let missing = Refusal { outcome: Outcome::Error, why: why::VALUE_MISSING };
        let mut path = "/orgs/".to_owned();
        encode(&mut path, self.params.get("org").ok_or(missing)?);
        path.push_str("/installation");
        Ok(path)
    }

    /// Makes the exchange and leaves its row and receipt; the body of an answer that is as hoped, and the source's clock
    /// minus ours.
    async fn run_errand(
        &self,
        app: &GithubApp,
        errand: Errand,
        serial: u32,
    ) -> Result<(Bytes, i64), Refusal> {
        let Errand { step, asked, denied } = errand;
        let posted = asked.body.as_ref().map(ToString::to_string);
        let mut attempts = Vec::new();
        let mut tried = loop {
            // a wait may be longer than a proof holds
            let proof = app
                .statement(self.clock.now())
                .map_err(|_key| Refusal { outcome: Outcome::Unauthenticated, why: why::AUTH_KEY })?;
            let headers = self.bearer(&proof)?;
            let call = Call { headers: &headers, etag: None, body: posted.as_deref().map(str::as_bytes) };
            let tried = self.attempt(&step, &asked.url, call).await;
            let tries = u32::try_from(attempts.len()).unwrap_or(u32::MAX) + 1;
            if tries < self.manifest.limits.attempts_max
                && let Some(wait_ms) = self.wait_before_retry(&step, &tried, tries).await
            {
                attempts.push(Attempt::failed(tried.status(), tried.outcome, tried.why, wait_ms));
                continue;
            }
            break tried;
        };
        let body = tried.answer.as_ref().map(|answer| answer.body.clone()).unwrap_or_default();
        if posted.is_some() {
            // the answer holds the token
            tried.meaning = None;
        }
        let skew_ms = tried.skew_ms.unwrap_or(0);
        let item = self.errand_item(&step, serial);
        let mut sent = self.finish(&step, item, &asked, tried, None, attempts);
        sent.known = None;
        if posted.is_some() {
            sent.receipt.etag = None;
        }
        let (outcome, why) = (sent.outcome, sent.why);
        self.door.learnt().sent.push(sent);
        if outcome == Outcome::Present { Ok((body, skew_ms)) } else { Err(refusal(outcome, why, denied)) }
    }

    fn errand_item(&self, step: &Step, serial: u32) -> Item {
        self.item(&format!("{}\u{1f}{serial}", step.id))
    }

    fn address(&self, path: &str) -> Result<Url, Refusal> {
        let text = format!("{}{path}", self.base.as_str().trim_end_matches('/'));
        Url::parse(&text).map_err(|_malformed| Refusal { outcome: Outcome::Error, why: why::VALUE_UNSAFE })
    }
}

const fn malformed() -> Refusal {
    Refusal { outcome: Outcome::Error, why: why::AUTH_MALFORMED }
}

fn refusal(outcome: Outcome, why: Option<&'static str>, denied: &'static str) -> Refusal {
    let (outcome, why) = match outcome {
        Outcome::Unauthenticated => (outcome, why::AUTH_REFUSED),
        Outcome::Forbidden | Outcome::Hidden | Outcome::Absent | Outcome::NotApplicable => {
            (Outcome::Forbidden, denied)
        }
        Outcome::Throttled | Outcome::Retry => (outcome, why.unwrap_or(why::AUTH_UNAVAILABLE)),
        Outcome::Present | Outcome::Unchanged | Outcome::OutOfRetention | Outcome::Error => {
            (Outcome::Error, why.unwrap_or(why::AUTH_MALFORMED))
        }
    };
    Refusal { outcome, why }
}

/// A request that stands in no manifest. `fine` is the status that is hoped for; the manifest's own rules say the rest.
fn step(id: &str, path: &str, fine: u16) -> Step {
    let rule =
        |status: &[u16], outcome| Rule { status: status.to_vec(), headers: Vec::new(), body: None, outcome };
    Step {
        id: id.to_owned(),
        verb: Verb::Get,
        path: Template::named(path),
        query: Vec::new(),
        each: None,
        pages: None,
        records: Records::One,
        key: None,
        projection: Projection::default(),
        require: Vec::new(),
        redact: Vec::new(),
        outcomes: vec![rule(&[fine], Outcome::Present), rule(&[404, 422], Outcome::Forbidden)],
        window: None,
        complete: Vec::new(),
        needs: None,
        caveat: None,
        marks: Vec::new(),
        exprs: Vec::new(),
        nested: Vec::new(),
        raw: false,
    }
}

/// Wipes the bytes if nobody else holds them.
fn wipe(bytes: Bytes) {
    if let Ok(mut bytes) = bytes.try_into_mut() {
        bytes.as_mut().zeroize();
    }
}
