//! How an app comes to a token: it looks at its installation, then mints a token that may read what the manifest expects.
//!
//! Both are exchanges of the run, with rows and receipts. The installation's answer is kept as evidence of its rights; the
//! answer that holds the token is kept nowhere. Nothing is kept from run to run, so no token outlives what it was made for.

use std::collections::BTreeMap;

use chrono::DateTime;
use observance_record::{Instant, population::Outcome};
use serde::Deserialize;
use serde_json::json;
use zeroize::Zeroizing;

use super::{
    GithubApp, Refusal,
    errand::{Answer, Errand, Proves, Shown, TOKEN, malformed, rule, step, wipe},
    why,
};
use crate::{
    collect::{exchange::Session, outcome::Rule, template::encode},
    secret::Secret,
};

/// The name of the exchange before the one that gives a token.
const INSTALLATION: &str = "auth.installation";
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
            step: step(TOKEN, "/app/installations/{installation}/access_tokens", rules(201)),
            url: self.address(&path)?,
            answer: Answer::Token,
        };
        let asked_at = self.clock.now();
        let by = Stated { session: self, app, body: Some(body.to_string()) };
        let (answer, skew_ms) = self.run_errand(errand, serial, &by).await?.hoped(why::AUTH_PERMISSIONS)?;
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
            step: step(INSTALLATION, template, rules(200)),
            url: self.address(&path)?,
            answer: Answer::Kept,
        };
        let by = Stated { session: self, app, body: None };
        let (answer, _) = self.run_errand(errand, serial, &by).await?.hoped(why::AUTH_NOT_INSTALLED)?;
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
}

/// An app that states who it is.
struct Stated<'s> {
    session: &'s Session<'s>,
    app: &'s GithubApp,
    body: Option<String>,
}

impl Proves for Stated<'_> {
    fn shown(&self) -> Result<Shown, Refusal> {
        let key = Refusal { outcome: Outcome::Unauthenticated, why: why::AUTH_KEY };
        let proof = self.app.statement(self.session.clock.now()).map_err(|_key| key)?;
        let body = self.body.clone().map(Zeroizing::new);
        Ok(Shown { headers: self.session.bearer(&proof)?, body })
    }
}

/// What an answer to an app means: the status that is hoped for, and those with which GitHub denies.
fn rules(fine: u16) -> Vec<Rule> {
    vec![rule(&[fine], None, Outcome::Present), rule(&[404, 422], None, Outcome::Forbidden)]
}
