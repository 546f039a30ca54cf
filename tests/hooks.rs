//! Change events over real HTTP, an agent on simulated time: they bring looks that a schedule would not have made, and
//! nothing else. What nobody signed brings nothing, and a flood brings little.

use std::sync::Arc;

use hmac::{Hmac, KeyInit as _, Mac as _};
use observance::{
    chance::Chance,
    clock::{Busy, Clock},
    hear::{Board, Ear, Listener},
    run::{Agent, Happening, News, Setup, Shared, Start},
    secret::Secret,
    store::{Location, Objects, Sharing, Store, connect},
};
use observance_record::{
    Instant,
    entry::{Body, Hook, PeriodOpen},
    view::PeriodView,
};
use sha2::Sha256;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::mpsc::UnboundedReceiver,
};
use tokio_util::sync::CancellationToken;

use crate::support::{
    life::{Record, at, every, setup},
    source::{Asked, Reply, Source, reply},
};

const RULES: &str = "github.branch_rules";
const SECRET: &str = "what-github-was-told";

/// Between 10:20 and 10:40 one repository requires no review.
fn flips(asked: &Asked<'_>) -> Option<Reply> {
    let weak = asked.path.contains("/r2/rules/branches/")
        && at("03-10T10:20") <= asked.at
        && asked.at < at("03-10T10:40");
    weak.then(|| reply(200, &[], &serde_json::json!([])))
}

/// Who speaks, and watches what comes of it. While it works, time stands still.
struct Speaker {
    me: Busy,
    address: std::net::SocketAddr,
    news: UnboundedReceiver<News>,
    said: u64,
}

impl Speaker {
    async fn sleep_until(&self, instant: Instant) {
        self.me.clock().sleep_until(instant).await;
    }

    /// A new delivery.
    async fn say(&mut self, event: &str) -> u16 {
        self.said += 1;
        let (id, body) = (self.said, format!("{{\"n\":{}}}", self.said));
        self.post("github", (event, id), SECRET, body.as_bytes()).await
    }

    async fn post(&self, source: &str, (event, id): (&str, u64), secret: &str, body: &[u8]) -> u16 {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(body);
        let head = format!(
            "POST /hooks/{source} HTTP/1.1\r\nhost: a\r\ncontent-length: {}\r\nx-github-event: {event}\r\n\
             x-github-delivery: 00000000-0000-0000-0000-{id:012x}\r\nx-hub-signature-256: sha256={}\r\n\r\n",
            body.len(),
            hex::encode(mac.finalize().into_bytes())
        );
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(&[head.as_bytes(), body].concat()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer.split(' ').nth(1).unwrap().parse().unwrap()
    }

    /// Waits for a run that answers no slot.
    async fn ran(&mut self) {
        loop {
            if let Happening::Ran { due: None, .. } = self.news.recv().await.unwrap().what {
                return;
            }
        }
    }
}

/// What an agent recorded from 08:58 to 13:30 while `script` spoke to it.
async fn morning(script: impl AsyncFnOnce(&mut Speaker)) -> (Record, Shared) {
    let clock = Clock::simulated(at("03-10T08:58"));
    let source = Source::serve(&clock, flips).await;
    let mut setup: Setup = setup(source.base_url(), &[RULES]);
    every(&mut setup, "0 * * * *");
    setup.webhook = None;
    setup.periods = vec![PeriodOpen {
        id: "morning".to_owned(),
        zone: "UTC".to_owned(),
        from: at("03-10T09:00"),
        to: at("03-10T13:00"),
        framework: "soc2".to_owned(),
        restated: 0,
        previous: None,
    }];
    let events = setup.collectors.values().flat_map(|collector| &collector.manifest.schedule().events);
    let events = events.map(|name| name.parse().unwrap()).collect();
    let ears = [("github".to_owned(), Ear::new(&Secret::new(SECRET.into()), events).unwrap())].into();
    let (setup, board, stop) = (Arc::new(setup), Board::default(), CancellationToken::new());
    let listener = Listener::bind("127.0.0.1:0".parse().unwrap(), ears, board.clone()).await.unwrap();
    let address = listener.address();
    tokio::spawn(listener.serve(Clock::system(), stop.clone()));

    let objects: Arc<dyn Objects> = connect(&Location::Memory, None).unwrap();
    let (me, speaks) = (clock.busy(), clock.busy());
    let store = Store::prove(Arc::clone(&objects), Sharing::Shared, me.clock().clone()).await.unwrap();
    let (told, news) = tokio::sync::mpsc::unbounded_channel();
    let start =
        Start { setup: Arc::clone(&setup), store, memory: None, me, chance: Chance::seeded(1), news: told };
    let mut agent = Agent::start(start).await.unwrap();
    agent.hear(board);
    let life = async {
        agent.run(&stop).await.unwrap();
    };
    let speaking = async {
        let mut speaker = Speaker { me: speaks, address, news, said: 0 };
        script(&mut speaker).await;
        speaker.sleep_until(at("03-10T13:30")).await;
        stop.cancel();
        // time stands still until the agent has heard it
        tokio::task::yield_now().await;
    };
    tokio::join!(life, speaking);
    let record = Record::read(objects, &setup).await.unwrap();
    record.assert_accounted();
    assert_eq!(record.runs(RULES).len(), 5, "every slot has its run, whoever speaks");
    (record, setup)
}

fn hooks(record: &Record) -> Vec<Hook> {
    let hook = |body: &Body| if let Body::Hook(hook) = body { Some((**hook).clone()) } else { None };
    record.bodies().filter_map(hook).collect()
}

/// Runs that answer no slot.
fn brought(record: &Record) -> usize {
    record.bodies().filter(|body| matches!(body, Body::Run(run) if run.due.is_none())).count()
}

/// The deviations of all policies that judge the rules, as (policy, least in minutes, most in minutes, known by).
fn deviations(record: &Record) -> Vec<(String, i64, i64, String)> {
    let view = PeriodView::new(&record.ledger, "morning", at("03-10T09:00"), at("03-10T13:00"));
    let lines = view.policies.iter().flat_map(|policy| {
        policy.period.deviations.iter().map(|deviation| {
            let minutes = |ms: i64| ms / 60_000;
            let (least, most) = (minutes(deviation.least_ms), minutes(deviation.most_ms));
            (policy.policy.clone(), least, most, deviation.known.to_string())
        })
    });
    lines.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_between_two_slots_is_seen_only_by_the_looks_that_change_events_bring() {
    let (record, setup) = morning(async |speaker| {
        for (when, event) in
            [("03-10T10:20", "repository_ruleset"), ("03-10T10:40", "branch_protection_rule")]
        {
            speaker.sleep_until(at(when)).await;
            assert_eq!(speaker.say(event).await, 202);
            speaker.ran().await;
        }
    })
    .await;
    let events: Vec<_> = hooks(&record).into_iter().flat_map(|hook| hook.events.into_keys()).collect();
    assert_eq!(
        events.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["repository_ruleset", "branch_protection_rule"]
    );
    assert_eq!(brought(&record), 2);
    let seen = deviations(&record);
    let rules = seen.iter().find(|(policy, ..)| policy == "GH-05").unwrap();
    // one look saw it failed: the slot before bounds its begin, and the second look that was brought its end
    assert_eq!((rules.1, rules.2, rules.3.as_str()), (0, 40, "a change event at both ends"));
    assert_eq!(record.ledger.heard().events, 2);
    assert!(record.ledger.tally().odd_runs().is_empty(), "neither was unusual");

    // an auditor comes to the same, from the bundle alone
    let report = record.assert_verifies(&setup);
    let views = report.periods.iter().flat_map(|view| &view.policies);
    let known: Vec<String> = views
        .flat_map(|policy| &policy.period.deviations)
        .map(|deviation| deviation.known.to_string())
        .collect();
    assert_eq!(known.len(), seen.len());
    assert!(known.iter().all(|known| known == "a change event at both ends"), "{known:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_sees_it_without_and_half_of_it_rests_on_the_schedule_with_one() {
    let (record, _) = morning(async |_| {}).await;
    assert_eq!((deviations(&record), hooks(&record), brought(&record)), (vec![], vec![], 0));
    let (record, _) = morning(async |speaker| {
        speaker.sleep_until(at("03-10T10:20")).await;
        speaker.say("repository_ruleset").await;
        speaker.ran().await;
    })
    .await;
    let seen = deviations(&record);
    assert!(!seen.is_empty());
    assert!(seen.iter().all(|(.., known)| known == "a change event at its begin, two looks at its end"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_forged_repeated_strange_or_too_large_brings_nothing() {
    let (record, setup) = morning(async |speaker| {
        speaker.sleep_until(at("03-10T10:20")).await;
        let event = "repository_ruleset";
        assert_eq!(speaker.post("github", (event, 901), "another-secret-of-theirs", b"{}").await, 401);
        assert_eq!(speaker.post("gitlab", (event, 902), SECRET, b"{}").await, 401);
        assert_eq!(speaker.say("star").await, 202, "it concerns nobody");
        assert_eq!(speaker.post("github", (event, 1), SECRET, b"{}").await, 409, "its id was used");
        assert_eq!(
            speaker.post("github", (event, 903), SECRET, b"{\"n\":1}").await,
            409,
            "its body was heard"
        );
        let large = format!(
            "POST /hooks/github HTTP/1.1\r\nhost: a\r\ncontent-length: {}\r\nx-github-event: {event}\r\n\
             x-github-delivery: 00000000-0000-0000-0000-0000000003ff\r\n\r\n",
            observance::hear::BODY_BYTES_MAX + 1
        );
        let mut stream = TcpStream::connect(speaker.address).await.unwrap();
        stream.write_all(large.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
        // what is refused is counted by the next that is not
        speaker.sleep_until(at("03-10T11:30")).await;
        assert_eq!(speaker.say(event).await, 202);
        speaker.ran().await;
    })
    .await;
    assert_eq!(deviations(&record), []);
    let hooks = hooks(&record);
    assert_eq!((hooks.len(), hooks[0].refused, brought(&record)), (1, 5, 1));
    record.assert_verifies(&setup);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_brings_one_run_and_one_entry_a_minute() {
    let (record, setup) = morning(async |speaker| {
        for minute in ["10:20", "10:21", "10:22"] {
            speaker.sleep_until(at(&format!("03-10T{minute}"))).await;
            for _ in 0..333 {
                assert_eq!(speaker.say("branch_protection_rule").await, 202);
            }
        }
        assert_eq!(speaker.say("repository").await, 202);
    })
    .await;
    let hooks = hooks(&record);
    let events: u64 = hooks.iter().flat_map(|hook| hook.events.values()).sum();
    assert_eq!(events, 1000, "each is counted");
    assert!((2..=4).contains(&hooks.len()), "{} entries in three minutes", hooks.len());
    assert!(brought(&record) <= hooks.len());
    record.assert_verifies(&setup);
}
