//! The whole company, and everything of it that an agent can read: GitHub, the identity provider, the logs, the registers.

use std::{io, path::PathBuf, sync::Arc};

use anyhow::{Context as _, bail};
use observance_record::Instant;

use super::{
    Options,
    company::{self, Company},
    identity::Identity,
    logs::Logs,
    registers::Registers,
    site::Site,
    staff::Staff,
    story::Story,
};
use crate::clock::Clock;

/// What the company is.
#[derive(Debug)]
pub(super) struct Estate {
    pub(super) company: Company,
    pub(super) staff: Staff,
    story: Story,
}

impl Estate {
    /// The company of this seed over `[from, to)`.
    pub(super) fn new(seed: u64, from: Instant, to: Instant) -> Self {
        let company = Company::new(seed, from, to);
        let story = Story::of(from);
        let staff = Staff::new(&company, &story);
        Self { company, staff, story }
    }
}

/// What of it is open to the agent, until this is dropped.
#[derive(Debug)]
pub(super) struct Outside {
    pub(super) github: company::Server,
    pub(super) identity: Site,
    pub(super) logs: Site,
    pub(super) registers: Registers,
}

impl Outside {
    /// Serves everything on loopback, and writes the registers beside the bundle.
    pub(super) fn open(estate: Estate, clock: &Clock, options: &Options) -> anyhow::Result<Self> {
        let Estate { company, staff, story } = estate;
        let folder = beside(&options.out, "registers")?;
        let served = |system: io::Result<Site>| system.context("cannot serve the company on loopback");
        let identity = served(Site::serve(Identity::new(options.seed, &staff, &story), clock.clone()))?;
        let logs = served(Site::serve(Logs::new(options.seed, &story), clock.clone()))?;
        let github = company::serve(company, clock.clone())?;
        let registers = Registers::begin(&folder, Arc::new(staff), clock.now())
            .with_context(|| format!("cannot write the registers to {}", folder.display()))?;
        Ok(Self { github, identity, logs, registers })
    }
}

/// A place beside the bundle that is not taken.
pub(super) fn beside(out: &std::path::Path, what: &str) -> anyhow::Result<PathBuf> {
    let mut name = out.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{what}"));
    let place = out.with_file_name(name);
    if place.symlink_metadata().is_ok() {
        bail!("{} exists already; remove it, or name another folder with --out", place.display());
    }
    Ok(place)
}
