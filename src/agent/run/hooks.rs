//! What was heard of changes: an entry that says so, then the runs that it brings. They answer no slot.
//!
//! Nothing else follows from what was heard: what a run sees is the evidence, and slots are promised and answered as if
//! nobody had spoken.

use observance_record::entry::Hook;

use super::{Agent, RunError, batch::By, happening::Happening};
use crate::hear::Heard;

impl Agent {
    /// Records what was heard and may be acted on, and asks for the runs; true if there was any.
    pub(super) async fn hear_changes(&mut self) -> Result<bool, RunError> {
        let mut any = false;
        for heard in self.board.take(self.journal.now()) {
            any |= self.hear_change(&heard).await?;
        }
        Ok(any)
    }

    async fn hear_change(&mut self, heard: &Heard) -> Result<bool, RunError> {
        loop {
            let collectors = self.concerned(heard);
            if collectors.is_empty() {
                return Ok(false);
            }
            let (source, events, refused) = (heard.source.clone(), heard.events.clone(), heard.refused);
            let mut batch = self.journal.batch(By::Start(self.by));
            batch.push(Hook { source: source.clone(), events, collectors: collectors.clone(), refused });
            if self.commit(&batch, Vec::new(), &[]).await?.is_none() {
                continue;
            }
            // If we crash here, the entry names collectors that never ran for it; no later run is taken for theirs.
            for collector in &collectors {
                self.planner.hear(collector);
            }
            let events = heard.events.values().copied().fold(0, u64::saturating_add);
            self.say(Happening::Heard { source, events, collectors, refused });
            return Ok(true);
        }
    }

    /// Collectors of the source that are in force and whose manifest names one of the events, by id.
    fn concerned(&self, heard: &Heard) -> Vec<String> {
        let in_force = self.journal.ledger().collectors();
        let ours = self.setup.collectors.values().filter(|collector| collector.source == heard.source);
        let ours = ours.filter(|collector| in_force.contains_key(&collector.id));
        let named = |name: &String| heard.events.keys().any(|event| event.as_str() == name);
        let concerned = ours.filter(|collector| collector.manifest.schedule().events.iter().any(named));
        concerned.map(|collector| collector.id.clone()).collect()
    }
}
