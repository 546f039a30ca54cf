//! What a credential has to be granted and must not be: `permissions` of a manifest.
//!
//! It only tells scopes apart; what is granted is learnt from the source.

use super::Manifest;

/// What the credential may do, as declared and as seen.
#[derive(Debug, Default)]
pub(in crate::collect) struct Permissions {
    /// (name, access) that have to be granted.
    pub expect: Vec<(String, String)>,
    /// (name, on what) of those that say on what they are granted.
    pub places: Vec<(String, String)>,
    /// Response header that lists what is granted.
    pub granted: Option<String>,
    /// A granted scope that begins with none of these may write.
    pub reads: Vec<String>,
    /// Scopes that nobody may grant, whatever they begin with; `*` stands for any characters.
    pub forbid: Vec<String>,
    /// Response header that says which rights a request wants.
    pub accepted: Option<String>,
    /// Response header that says when the credential ends.
    pub expires: Option<String>,
}

impl Permissions {
    /// Is this scope more than the collector needs: one that writes, or one that is forbidden?
    pub(in crate::collect) fn writes(&self, scope: &str) -> bool {
        // with a list of forbidden scopes and none of reading ones, all others are fine
        let listed = !self.reads.is_empty() || self.forbid.is_empty();
        let reads = self.reads.iter().any(|prefix| scope.starts_with(prefix.as_str()));
        self.forbid.iter().any(|pattern| matches(pattern, scope)) || listed && !reads
    }
}

impl Manifest {
    /// On what rights are granted, as (name, on what), where the manifest says.
    pub fn places(&self) -> &[(String, String)] {
        &self.permissions.places
    }

    /// Does it say where a client is given a token? Then, and only then, a client may ask.
    pub const fn is_for_clients(&self) -> bool {
        self.connection.auth.is_some()
    }

    /// Is its address nobody's (RFC 2606 section 3), so that each organisation has to give its own?
    pub fn lacks_address(&self) -> bool {
        let host = self.connection.base_url.split('/').nth(2).unwrap_or_default();
        host.split(':').next().is_some_and(|name| name.ends_with(".example"))
    }

    /// Is the token asked for in somebody's name? Then only a client that signs can ask.
    pub fn is_for_signers(&self) -> bool {
        self.connection.auth.as_ref().is_some_and(|auth| auth.subject.is_some())
    }
}

/// Does the whole text match, `*` standing for any characters?
fn matches(pattern: &str, text: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(text) = text.strip_prefix(head) else { return false };
    let (mut text, mut parts) = (text, rest.split('*').peekable());
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return text.ends_with(part);
        }
        let Some((_, after)) = text.split_once(part) else { return false };
        text = after;
    }
    true
}
