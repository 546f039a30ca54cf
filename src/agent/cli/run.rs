//! `run`: the agent, until somebody asks it to stop. What happens goes to the operator's log, one line each.

use tokio::{sync::mpsc, task::JoinSet};
use tokio_util::sync::CancellationToken;

use super::{setup::Resolved, signals::Signals, trouble::Trouble};
use crate::{
    chance::Chance,
    clock::Clock,
    hear::{Board, Listener},
    run::{Agent, Happening, News, Start},
    store::{Sharing, Store},
    text::visible,
};

/// Works until SIGTERM or SIGINT. After the first, what runs is ended and recorded; a second ends at once.
pub async fn run(mut resolved: Resolved) -> anyhow::Result<u8> {
    let clock = Clock::system();
    let mut signals = Signals::new()?;
    let stop = CancellationToken::new();
    let (news, mut heard) = mpsc::unbounded_channel();
    let work = async {
        // an address that is taken is told before anything is written
        let (board, listener) = listen(&mut resolved).await?;
        let mut agent = Agent::start(start(resolved, &clock, news).await?).await?;
        agent.hear(board);
        // dropped with the agent: what is still said then is not heard
        let mut listening = JoinSet::new();
        if let Some(listener) = listener {
            listening.spawn(listener.serve(clock.clone(), stop.clone()));
        }
        anyhow::Ok(agent.run(&stop).await?)
    };
    tokio::pin!(work);
    loop {
        tokio::select! {
            biased;
            Some(news) = heard.recv() => tell(&news),
            ended = &mut work => {
                while let Ok(news) = heard.try_recv() {
                    tell(&news);
                }
                ended?;
                tracing::info!("stopped; the log says how");
                return Ok(0);
            }
            () = signals.next() => {
                if stop.is_cancelled() {
                    let hint = "the next start records as gaps what was not answered";
                    return Err(Trouble::new("ended at once, as asked twice", hint).into());
                }
                tracing::info!("stopping: what runs is ended first; ask again to end at once");
                stop.cancel();
            }
        }
    }
}

/// Binds the address at which sources may speak, if there is one.
async fn listen(resolved: &mut Resolved) -> anyhow::Result<(Board, Option<Listener>)> {
    let board = Board::default();
    let Some(address) = resolved.config.listen else { return Ok((board, None)) };
    let ears = std::mem::take(&mut resolved.ears);
    let listener = Listener::bind(address, ears, board.clone()).await.map_err(|error| {
        let hint = "see who has that port, or name another as listen: in the configuration";
        Trouble::new("change events cannot be heard", hint).because(error)
    })?;
    tracing::info!(address = %listener.address(), "listening for change events");
    Ok((board, Some(listener)))
}

/// Opens the store and hands the agent what it is made of.
pub async fn start(
    resolved: Resolved,
    clock: &Clock,
    news: mpsc::UnboundedSender<News>,
) -> anyhow::Result<Start> {
    let Resolved { setup, place, .. } = resolved;
    let me = clock.busy();
    let store =
        Store::open(&place.location, place.keys.as_ref(), Sharing::Shared, me.clock().clone()).await?;
    Ok(Start { setup, store, memory: place.memory, me, chance: Chance::system(), news })
}

/// One line of the operator's log.
fn tell(news: &News) {
    match &news.what {
        Happening::Started { size } => tracing::info!(entries = size, "started"),
        Happening::Ran { collector, due, result, requests, fails } => {
            let due = due.map(|due| due.to_string());
            let failing = fails.iter().filter(|(_, n)| *n > 0).map(|(policy, n)| format!("{policy}={n}"));
            let failing = failing.collect::<Vec<_>>().join(" ");
            tracing::info!(%collector, due, ?result, requests, failing, "ran");
        }
        Happening::Heard { source, events, collectors, refused } => {
            let asked = collectors.join(" ");
            tracing::info!(%source, events, asked, refused, "a change was heard");
        }
        Happening::Gap { schedule, n, cause } => tracing::warn!(%schedule, slots = n, cause, "missed"),
        Happening::Changed { policy, item, from, to, .. } => {
            let item = visible(item);
            tracing::warn!(%policy, item = &*item, %from, %to, "changed");
        }
        Happening::Sight { policy, seen: true } => tracing::info!(%policy, "seen whole again"),
        Happening::Sight { policy, seen: false } => tracing::warn!(%policy, "cannot be seen whole"),
        Happening::Told { alert, delivered } => tracing::info!(alert, delivered, "told"),
        Happening::StoreAway { error } => {
            tracing::warn!(%error, "the store does not answer; the record waits");
        }
    }
}
