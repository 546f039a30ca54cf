//! `status`: how every control stands, read from the log alone.

use std::io::Write;

use observance_record::Instant;

use super::{arguments::Status, json, period, read, setup::Resolved};
use crate::{
    clock::Clock,
    status::{counted, status_of, status_text},
};

/// Prints the table; with `--strict` 1 if something deviates or is unknown.
pub async fn status(
    resolved: &Resolved,
    asked: &Status,
    clock: &Clock,
    out: &mut dyn Write,
) -> anyhow::Result<u8> {
    let ledger = read::read(resolved, clock, &mut |_, _, _| Ok(())).await?;
    let now = clock.now();
    let owners = &resolved.config.owners;
    // an owner may be named for the policy or for its control; the policy's own id is the usual one
    let owner = |policy: &str, _control: &str| owners.of(policy).to_owned();
    let from = period::current(&ledger, now).map_or(Instant::EPOCH, |period| period.from);
    let status = status_of(&ledger, from, now, &owner);
    if asked.json {
        json(out, &status)?;
    } else {
        if let Some(address) = resolved.config.listen {
            let heard = counted(ledger.heard().events, "change event");
            writeln!(out, "listens at {address}; {heard} so far")?;
        }
        write!(out, "{}", status_text(&status, resolved.config.organisation.zone))?;
    }
    Ok(u8::from(asked.strict && !status.is_clear()))
}
