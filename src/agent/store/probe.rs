//! Trying a store out before it is trusted with a log (formats section 1): does it create only once, and read back?
//!
//! An answer of 200 proves nothing; one real store ignores the condition and overwrites. The probe leaves at most two
//! objects, of fixed names, so that a thousand starts leave no more than one.

use std::sync::Arc;

use bytes::Bytes;
use observance_record::{entry::Posture, verdict::Code};

use super::{
    ATTEMPTS_MAX, Created, Fault, Found, Objects, Safeguards, Sharing, Store, StoreError, get, wait,
};
use crate::clock::Clock;

/// The object that is created twice.
const NAME: &str = "v1/probe/create";
/// What the first create writes, at this start or an earlier one.
const FIRST: &[u8] = b"an object that is created once\n";
/// What the second create offers, in vain.
const SECOND: &[u8] = b"an object that must not be written\n";

impl Store {
    /// Tries the store out. One that overwrites is refused unless nobody else writes; one that does not read back, always.
    pub async fn prove(
        objects: Arc<dyn Objects>,
        sharing: Sharing,
        clock: Clock,
    ) -> Result<Self, StoreError> {
        let safeguards = safeguards(&*objects, &clock).await?;
        let backend = safeguards.backend.to_owned();
        create(&*objects, &clock, FIRST).await?;
        let second = create(&*objects, &clock, SECOND).await?;
        let found = get(&*objects, &clock, NAME, 1024).await?;
        let create_only = Found::from(second == Created::Taken && found.as_deref() != Some(SECOND));
        let expected = if create_only == Found::Yes { FIRST } else { SECOND };
        if found.as_deref() != Some(expected) {
            return Err(StoreError::ReadBack { backend, name: NAME.to_owned() });
        }
        if create_only != Found::Yes && sharing == Sharing::Shared {
            return Err(StoreError::Overwrites { backend });
        }
        let posture = Posture {
            create_only: code(create_only.word())?,
            reads_back: code(Found::Yes.word())?,
            checksum: code(safeguards.checksum.word())?,
            retention: code(safeguards.retention.word())?,
            backend,
        };
        tracing::info!(backend = %posture.backend, create_only = %posture.create_only, retention = %posture.retention, "store tried out");
        Ok(Self { objects, clock, create_only, posture })
    }
}

/// One create that is answered; being taken by nobody (S3 status 409) is no answer.
async fn create(objects: &dyn Objects, clock: &Clock, bytes: &'static [u8]) -> Result<Created, StoreError> {
    let mut attempt = 0;
    loop {
        let last = attempt + 1 >= ATTEMPTS_MAX;
        match objects.create(NAME, Bytes::from_static(bytes)).await {
            Ok(Created::New) => return Ok(Created::New),
            Ok(Created::Taken) if last || get(objects, clock, NAME, 1024).await?.is_some() => {
                return Ok(Created::Taken);
            }
            Ok(Created::Taken) | Err(Fault::Unheard(_)) if !last => {}
            Ok(Created::Taken) => return Ok(Created::Taken),
            Err(source) => return Err(StoreError::objects("write", NAME, source)),
        }
        wait(clock, attempt).await;
        attempt += 1;
    }
}

async fn safeguards(objects: &dyn Objects, clock: &Clock) -> Result<Safeguards, StoreError> {
    let mut attempt = 0;
    loop {
        match objects.safeguards().await {
            Err(Fault::Unheard(_)) if attempt + 1 < ATTEMPTS_MAX => wait(clock, attempt).await,
            outcome => return outcome.map_err(|source| StoreError::objects("write", "v1/probe", source)),
        }
        attempt += 1;
    }
}

fn code(word: &str) -> Result<Code, StoreError> {
    word.parse().map_err(|error| StoreError::Open { location: word.to_owned(), source: Box::new(error) })
}
