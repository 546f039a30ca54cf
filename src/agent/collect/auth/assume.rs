//! How a run comes to keys of AWS: those that are configured, or a session of a role (AssumeRole, AssumeRoleWithWebIdentity).
//!
//! A session may do what the manifest expects and nothing else, whatever the role is granted. Each exchange has a row and a
//! receipt; its answer is kept nowhere, and nothing is kept from run to run, so no session outlives what it was made for.

use chrono::DateTime;
use observance_record::{Instant, population::Outcome};
use serde::Deserialize;
use serde_json::json;
use url::Url;
use zeroize::Zeroizing;

use super::{
    Refusal,
    aws::{Aws, Begins, Role},
    errand::{Answer, Errand, Proves, Shown, TOKEN, malformed, rule, step, wipe},
    sigv4::{Keys, Scope, Unsigned, sign},
    why,
};
use crate::{
    collect::{
        decode::Decode,
        exchange::Session,
        http::Headers,
        manifest::{REGION, STS},
        outcome::Rule,
        template::encode,
    },
    secret::{Secret, SecretRef},
};

/// The name of the exchange before the one that gives the session, where there are two.
const THROUGH: &str = "auth.through";
/// The version of the interface.
const VERSION: &str = "2011-06-15";
/// What the language of session policies is called.
const POLICY_VERSION: &str = "2012-10-17";
/// How long a session is asked for: the shortest that there is.
const SESSION_S: i64 = 900;
/// Shortest life that is reckoned with, so that a wrong clock does not make every exchange renew.
const LIFE_MS_MIN: i64 = 60_000;
/// Longest name of a session, in bytes.
const NAME_BYTES_MAX: usize = 64;
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

/// What the service answers; the outermost element has no name.
#[derive(Deserialize)]
struct Assumed {
    #[serde(rename = "AssumeRoleResult", alias = "AssumeRoleWithWebIdentityResult")]
    result: Given,
}

#[derive(Deserialize)]
struct Given {
    #[serde(rename = "Credentials")]
    credentials: Credentials,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Credentials {
    access_key_id: String,
    secret_access_key: String,
    session_token: String,
    expiration: String,
}

/// Keys, and when to ask for the next ones.
type Had = (Keys, Option<Instant>);

/// Who asks for a session.
#[derive(Clone, Copy)]
enum By<'s> {
    Keys(&'s Keys),
    Web(&'s SecretRef),
}

/// One session, asked for.
struct Asking<'s> {
    session: &'s Session<'s>,
    by: By<'s>,
    role: &'s Role,
    /// What the session may do at most.
    policy: String,
    to: Url,
    region: &'s str,
}

impl Session<'_> {
    /// Keys of this run.
    pub(super) async fn keys_of(&self, aws: &Aws, serial: u32) -> Result<Had, Refusal> {
        let last = |keys| async move {
            match aws.role() {
                Some(role) => self.session_of(TOKEN, By::Keys(keys), role, self.reading(), serial).await,
                None => Ok((keys.clone(), None)),
            }
        };
        let (token, role) = match aws.begins() {
            Begins::Keys(keys) => return last(keys).await,
            Begins::Web { token, role } => (token, Role { arn: role.clone(), external_id: None }),
        };
        let Some(further) = aws.role() else {
            return self.session_of(TOKEN, By::Web(token), &role, self.reading(), serial).await;
        };
        // what it needs to go on, and no more
        let policy = allowing(&["sts:AssumeRole"], &further.arn);
        let (keys, _) = self.session_of(THROUGH, By::Web(token), &role, policy, serial).await?;
        last(&keys).await
    }

    /// What the manifest expects, as the policy of a session.
    fn reading(&self) -> String {
        let actions: Vec<&str> = self.manifest.permissions().iter().map(|(name, _)| name.as_str()).collect();
        allowing(&actions, "*")
    }

    async fn session_of(
        &self,
        id: &'static str,
        by: By<'_>,
        role: &Role,
        policy: String,
        serial: u32,
    ) -> Result<Had, Refusal> {
        let nowhere = Refusal { outcome: Outcome::Error, why: why::AUTH_ENDPOINT };
        let (to, region) = self.beside.get(STS).zip(self.params.get(REGION)).ok_or(nowhere)?;
        let mut to = to.clone();
        if !to.path().ends_with('/') {
            to.set_path(&format!("{}/", to.path()));
        }
        let mut step = step(id, "/", rules());
        step.decode = written();
        let asking = Asking { session: self, by, role, policy, to: to.clone(), region };
        let asked_at = self.clock.now();
        let exchange = Errand { step, url: to, answer: Answer::Token };
        let ran = self.run_errand(exchange, serial, &asking).await?;
        let (answer, skew_ms) = ran.hoped(why::AUTH_PERMISSIONS)?;
        let credentials = read(&answer);
        wipe(answer);
        let Credentials { access_key_id, secret_access_key, session_token, expiration } =
            credentials.ok_or_else(malformed)?;
        let expires = DateTime::parse_from_rfc3339(&expiration).map_err(|_malformed| malformed())?;
        let keys = Keys::new(access_key_id, Secret::new(secret_access_key), Some(Secret::new(session_token)));
        if id == TOKEN {
            // the source took the policy, so this is the most that the session may do
            self.note_scopes(self.manifest.permissions().iter().map(|(name, _)| name.as_str()));
        }
        let ours = asked_at.plus_ms(skew_ms);
        let life_ms = Instant::from_ms(expires.timestamp_millis()).ms_since(ours);
        let life_ms = life_ms.clamp(LIFE_MS_MIN, SESSION_S * 1000);
        Ok((keys, Some(asked_at.plus_ms(life_ms / 6 * 5))))
    }
}

/// The policy that allows these actions alone.
fn allowing(actions: &[&str], on: &str) -> String {
    let statement = json!([{ "Effect": "Allow", "Action": actions, "Resource": on }]);
    json!({ "Version": POLICY_VERSION, "Statement": statement }).to_string()
}

const fn written() -> Decode {
    Decode::Xml { lists: Vec::new() }
}

fn read(answer: &[u8]) -> Option<Credentials> {
    let json = Zeroizing::new(written().json(answer, None).ok()?.into_owned());
    serde_json::from_slice::<Assumed>(&json).ok().map(|assumed| assumed.result.credentials)
}

impl Proves for Asking<'_> {
    fn shown(&self) -> Result<Shown, Refusal> {
        let action = match self.by {
            By::Keys(_) => "AssumeRole",
            By::Web(_) => "AssumeRoleWithWebIdentity",
        };
        let (life, name) = (SESSION_S.to_string(), self.name());
        let mut fields = vec![
            ("Action", action),
            ("Version", VERSION),
            ("RoleArn", &self.role.arn),
            ("RoleSessionName", &name),
            ("DurationSeconds", &life),
            ("Policy", &self.policy),
        ];
        fields.extend(self.role.external_id.as_deref().map(|id| ("ExternalId", id)));
        let token = match self.by {
            By::Keys(_) => None,
            By::Web(token) => {
                let unreadable = Refusal { outcome: Outcome::Unauthenticated, why: why::AUTH_KEY };
                Some(token.read().map_err(|_unreadable| unreadable)?)
            }
        };
        fields.extend(token.as_ref().map(|token| ("WebIdentityToken", token.expose())));
        let body = form(&fields);
        let unfit = Refusal { outcome: Outcome::Unauthenticated, why: why::TOKEN_MALFORMED };
        let mut headers = Headers::of([FORM]).ok_or(unfit)?;
        if let By::Keys(keys) = self.by {
            let scope = Scope { region: self.region, service: STS };
            let now = self.session.clock.now();
            headers =
                signed(headers, ("POST", &self.to, body.as_bytes()), keys, (scope, now)).ok_or(unfit)?;
        }
        Ok(Shown { headers, body: Some(body) })
    }
}

/// Fields of a form in the service's own writing, in which nothing but unreserved characters stands for itself: whoever writes a
/// form anew to check its signature comes to the same.
fn form(fields: &[(&str, &str)]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::new());
    for (name, value) in fields {
        if !text.is_empty() {
            text.push('&');
        }
        encode(&mut text, name);
        text.push('=');
        encode(&mut text, value);
    }
    text
}

impl Asking<'_> {
    /// What the account's own log calls whoever reads: which collector it is.
    fn name(&self) -> String {
        let name = format!("observance-{}", self.session.manifest.id);
        let legal = |c: &char| c.is_ascii_alphanumeric() || "_.-".contains(*c);
        name.chars().filter(legal).take(NAME_BYTES_MAX).collect()
    }
}

/// The same headers, and those that sign all of them that count; none if something is not fit for a header.
pub(super) fn signed(
    headers: Headers,
    (method, url, body): (&str, &Url, &[u8]),
    keys: &Keys,
    (scope, now): (Scope<'_>, Instant),
) -> Option<Headers> {
    let given = headers.open()?;
    let made = sign(Unsigned { method, url, headers: &given, body }, keys, scope, now);
    made.iter().try_fold(headers, |headers, (name, value)| headers.with(name, value))
}

/// What an answer means; the words are the service's own codes.
fn rules() -> Vec<Rule> {
    let refused = |word| rule(&[400, 403], Some(word), Outcome::Unauthenticated);
    vec![
        rule(&[200], None, Outcome::Present),
        rule(&[400, 403, 503], Some("Throttling"), Outcome::Throttled),
        rule(&[429], None, Outcome::Throttled),
        refused("InvalidClientTokenId"),
        refused("SignatureDoesNotMatch"),
        refused("ExpiredToken"),
        refused("IncompleteSignature"),
        refused("InvalidIdentityToken"),
        refused("IDPRejectedClaim"),
        rule(&[400], Some("IDPCommunicationError"), Outcome::Retry),
        rule(&[403], None, Outcome::Forbidden),
        rule(&[500, 502, 503, 504], None, Outcome::Retry),
    ]
}
