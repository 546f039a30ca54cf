//! `log`: the entries, one a line. `checkpoint`: the signed head over all of them.

use std::io::Write;

use super::{arguments::Log, read, setup::Resolved, summary::summary};
use crate::{clock::Clock, text::visible};

/// Prints the entries that were asked for.
pub async fn log(resolved: &Resolved, asked: &Log, clock: &Clock, out: &mut dyn Write) -> anyhow::Result<u8> {
    let (mut shown, mut lines) = (0_u64, Vec::new());
    let to = asked.to.unwrap_or(u64::MAX);
    let ledger = read::read(resolved, clock, &mut |commit, entries, _| {
        for (entry, bytes) in entries.iter().zip(&commit.entries) {
            let wanted = asked.kind.as_deref().is_none_or(|kind| kind == entry.body.kind());
            if !wanted || entry.seq < asked.from || entry.seq >= to {
                continue;
            }
            shown += 1;
            if asked.json {
                lines.extend_from_slice(bytes);
                lines.push(b'\n');
            } else {
                let (kind, what) = (visible(entry.body.kind()).into_owned(), summary(&entry.body));
                writeln!(lines, "{:>7}  {}  {kind:<12}  {}", entry.seq, entry.t, visible(&what))?;
            }
        }
        Ok(())
    })
    .await?;
    out.write_all(&lines)?;
    if !asked.json {
        writeln!(
            out,
            "{shown} of {} entries; next: observance log --json --from N for an entry as it is signed",
            ledger.size()
        )?;
    }
    Ok(0)
}

/// Prints the newest signed head, alone on standard output, so that it can be kept as it is.
pub async fn checkpoint(resolved: &Resolved, clock: &Clock, out: &mut dyn Write) -> anyhow::Result<u8> {
    let mut newest = Vec::new();
    read::read(resolved, clock, &mut |commit, _, _| {
        newest.clone_from(&commit.note);
        Ok(())
    })
    .await?;
    out.write_all(&newest)?;
    Ok(0)
}
