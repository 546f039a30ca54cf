//! Deliveries to a receiver on the loopback.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use axum::{Router, extract::State, http::HeaderMap, response::IntoResponse};
use tokio::net::TcpListener;

use super::*;
use crate::tell::outbox::{Outbox, Standing};

const KEY: &str = "a-webhook-key-for-tests";

/// What a receiver answers, in order; then 200 for ever.
#[derive(Clone, Copy)]
enum Answer {
    Status(u16),
    Elsewhere,
    Never,
}

#[derive(Clone, Default)]
struct Receiver(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    answers: VecDeque<Answer>,
    had: Vec<(HeaderMap, String)>,
}

impl Receiver {
    fn had(&self) -> Vec<(HeaderMap, String)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).had.clone()
    }
}

async fn receive(State(receiver): State<Receiver>, headers: HeaderMap, body: String) -> impl IntoResponse {
    let answer = {
        let mut inner = receiver.0.lock().unwrap();
        inner.had.push((headers, body));
        inner.answers.pop_front().unwrap_or(Answer::Status(200))
    };
    match answer {
        Answer::Status(status) => (StatusCode::from_u16(status).unwrap(), [("location", "")]),
        Answer::Elsewhere => (StatusCode::FOUND, [("location", "/elsewhere")]),
        Answer::Never => std::future::pending().await,
    }
}

async fn receiver(answers: &[Answer]) -> (Receiver, Route) {
    let receiver = Receiver::default();
    receiver.0.lock().unwrap().answers.extend(answers);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let app = Router::new().fallback(receive).with_state(receiver.clone());
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    (receiver, Route::new(&url, Secret::new(KEY.into()), Reach::Plain).unwrap())
}

fn message() -> Message {
    Message {
        id: "acme.example/observance#7".into(),
        title: String::new(),
        text: String::new(),
        json: r#"{"a":1}"#.into(),
    }
}

fn start() -> Instant {
    Instant::from_s(1_806_570_840)
}

fn teller(clock: &Clock) -> Teller {
    Teller::with_timeout_ms(clock.clone(), 2_000).unwrap()
}

#[test]
fn signatures_are_those_of_other_tools() {
    // computed with Python's hmac module
    for (key, hex) in [
        (KEY.to_owned(), "ca0c3a54a22972de1495d64de367c4e12452fe16d061a4e9dfa1e2e4cad4cb11"),
        ("k".repeat(100), "d749c90198f5db0d0c7b9072431ceaa7478d3655b9ee3a08ce967a1885eb13ba"),
    ] {
        let Message { id, json, .. } = message();
        assert_eq!(signature(&Secret::new(key), &id, "1806570840", &json), format!("v1={hex}"));
    }
}

#[tokio::test]
async fn a_delivery_carries_its_id_its_time_and_a_signature_of_all() {
    let (receiver, route) = receiver(&[]).await;
    let done = teller(&Clock::simulated(start())).attempt(&route, &message(), 1).await;
    assert_eq!(done, Attempt { attempt: 1, at: start(), status: Some(200), delivery: Delivery::Delivered });
    let [(headers, body)] = receiver.had().try_into().unwrap();
    let header = |name: &str| headers[name].to_str().unwrap().to_owned();
    assert_eq!(body, r#"{"a":1}"#);
    assert_eq!(header("content-type"), "application/json");
    assert_eq!(header("observance-id"), "acme.example/observance#7");
    assert_eq!(header("observance-timestamp"), "1806570840");
    assert_eq!(
        header("observance-signature"),
        "v1=ca0c3a54a22972de1495d64de367c4e12452fe16d061a4e9dfa1e2e4cad4cb11"
    );
}

#[tokio::test]
async fn a_refusal_is_tried_again_under_the_same_id_with_a_new_time() {
    let (receiver, route) = receiver(&[Answer::Status(500), Answer::Status(404)]).await;
    let clock = Clock::simulated(start());
    let busy = clock.busy();
    let made = teller(busy.clock()).deliver(&route, &message(), 1, ATTEMPTS_MAX).await;
    drop(busy);
    let brief: Vec<_> = made.iter().map(|one| (one.attempt, one.at.s() - start().s(), one.status)).collect();
    assert_eq!(brief, [(1, 0, Some(500)), (2, 30, Some(404)), (3, 150, Some(200))]);
    let had = receiver.had();
    assert!(had.iter().all(|(headers, _)| headers["observance-id"] == had[0].0["observance-id"]));
    assert_ne!(had[0].0["observance-signature"], had[1].0["observance-signature"]);
}

#[tokio::test]
async fn attempts_end() {
    let (receiver, route) = receiver(&[Answer::Status(503); 40]).await;
    let clock = Clock::simulated(start());
    let busy = clock.busy();
    let made = teller(busy.clock()).deliver(&route, &message(), 11, 99).await;
    drop(busy);
    assert_eq!(made.iter().map(|one| one.attempt).collect::<Vec<_>>(), [11, 12]);
    assert_eq!(receiver.had().len(), 2);
}

#[tokio::test]
async fn silence_redirects_and_closed_doors_are_told_apart() {
    let clock = Clock::simulated(start());
    let (receiver, route) = receiver(&[Answer::Never, Answer::Elsewhere]).await;
    let quick = Teller::with_timeout_ms(clock.clone(), 200).unwrap();
    let silent = quick.attempt(&route, &message(), 1).await;
    assert_eq!((silent.status, silent.delivery), (None, Delivery::TimedOut));
    let moved = quick.attempt(&route, &message(), 2).await;
    assert_eq!((moved.status, moved.delivery), (Some(302), Delivery::Redirected));
    assert_eq!(receiver.had().len(), 2, "a redirect was followed");

    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let plain_behind_tls = route.url.as_str().replace("http:", "https:");
    for url in [format!("http://{closed}/"), plain_behind_tls] {
        let route = Route::new(&url, Secret::new(KEY.into()), Reach::Plain).unwrap();
        let gone = teller(&clock).attempt(&route, &message(), 1).await;
        assert_eq!((gone.status, gone.delivery), (None, Delivery::Unreachable), "{url}");
    }
}

#[tokio::test]
async fn what_was_not_acknowledged_is_delivered_after_a_restart() {
    let (receiver, route) = receiver(&[Answer::Status(500)]).await;
    let clock = Clock::simulated(start());
    let busy = clock.busy();
    let mut outbox = Outbox::default();
    outbox.alert(7, "webhook", start()).unwrap();
    let first = teller(&clock).attempt(&route, &message(), outbox.due(start())[0].attempt).await;

    // the process ends here; another one reads the two entries
    let mut outbox = Outbox::default();
    outbox.alert(7, "webhook", start()).unwrap();
    outbox.notice(7, first.attempt, first.at, first.delivery.accepted()).unwrap();
    busy.clock().sleep_until(outbox.next().unwrap()).await;
    let [due] = outbox.due(clock.now()).try_into().unwrap();
    let second = teller(&clock).attempt(&route, &message(), due.attempt).await;
    outbox.notice(7, second.attempt, second.at, second.delivery.accepted()).unwrap();
    drop(busy);
    assert_eq!((second.attempt, outbox.standing(7)), (2, Some(Standing::Delivered)));
    assert_eq!(receiver.had().len(), 2);
}

#[test]
fn plain_and_near_addresses_are_told_only_on_purpose() {
    let key = || Secret::new(KEY.into());
    for url in ["http://hooks.example/x", "https://localhost/x", "https://127.9.9.9/x", "https://[::1]/x"] {
        assert_eq!(Route::new(url, key(), Reach::Encrypted).unwrap_err(), RouteError::Plain, "{url}");
        assert!(Route::new(url, key(), Reach::Plain).is_ok(), "{url}");
    }
    for url in ["ftp://x/y", "nonsense", "https://u:p@hooks.example/"] {
        assert_eq!(Route::new(url, key(), Reach::Plain).unwrap_err(), RouteError::Address, "{url}");
    }
    let short = Route::new("https://hooks.example/secret-path", Secret::new("short".into()), Reach::Plain);
    assert_eq!(short.unwrap_err(), RouteError::Key);
    let route = Route::new("https://hooks.example/secret-path", key(), Reach::Encrypted).unwrap();
    assert_eq!(format!("{route:?}"), "Route(..)");
}
