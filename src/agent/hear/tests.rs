//! Deliveries over a real socket, one by one.

use std::net::Ipv4Addr;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::*;
use crate::secret::Secret;

const SECRET: &str = "a-secret-of-a-webhook";

struct Served {
    board: Board,
    address: SocketAddr,
    _stop: tokio_util::sync::DropGuard,
}

async fn served() -> Served {
    let events = ["member".parse().unwrap()].into();
    let ear = Ear::new(&Secret::new(SECRET.into()), events).unwrap();
    let board = Board::default();
    let ears = [("github".to_owned(), ear)].into();
    let listener = Listener::bind((Ipv4Addr::LOCALHOST, 0).into(), ears, board.clone()).await.unwrap();
    let (address, stop) = (listener.address(), CancellationToken::new());
    tokio::spawn(listener.serve(Clock::system(), stop.clone()));
    Served { board, address, _stop: stop.drop_guard() }
}

fn sign(body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(body);
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

fn guid(n: u32) -> String {
    format!("00000000-0000-0000-0000-0000{n:08x}")
}

impl Served {
    /// The status and the text of the answer to these bytes.
    async fn say(&self, bytes: &[u8]) -> (u16, String) {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        // a peer that has answered already may close before everything is written
        let _written = stream.write_all(bytes).await.is_ok();
        let mut answer = Vec::new();
        let _read = stream.read_to_end(&mut answer).await.is_ok();
        let answer = String::from_utf8(answer).unwrap();
        let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
        (status, answer.split_once("\r\n\r\n").unwrap().1.to_owned())
    }

    async fn post(&self, path: &str, headers: &[(&str, &str)], body: &[u8]) -> (u16, String) {
        let mut head = format!("POST {path} HTTP/1.1\r\nhost: a\r\ncontent-length: {}\r\n", body.len());
        for (name, value) in headers {
            head.extend([name, ": ", value, "\r\n"]);
        }
        self.say(&[head.as_bytes(), b"\r\n", body].concat()).await
    }

    async fn deliver(&self, event: &str, id: &str, body: &[u8]) -> u16 {
        let headers =
            [("x-github-event", event), ("x-github-delivery", id), ("x-hub-signature-256", &sign(body))];
        self.post("/hooks/github", &headers, body).await.0
    }

    fn heard(&self) -> (u64, u64) {
        let heard = self.board.take(observance_record::Instant::from_s(1_800_000_000));
        let events = heard.iter().flat_map(|heard| heard.events.values()).sum();
        (events, heard.iter().map(|heard| heard.refused).sum())
    }
}

#[tokio::test]
async fn what_is_signed_and_new_is_heard_once() {
    let served = served().await;
    assert_eq!(served.deliver("ping", &guid(1), b"{}").await, 200);
    assert_eq!(served.deliver("ping", &guid(1), b"{}").await, 200);
    assert_eq!(served.deliver("star", &guid(2), b"{\"a\":1}").await, 202);
    assert_eq!(served.board.next(), None, "neither concerns a collector");
    assert_eq!(served.deliver("member", &guid(3), b"{\"a\":2}").await, 202);
    assert_eq!(served.deliver("member", &guid(3), b"{\"a\":3}").await, 409, "the same id");
    assert_eq!(served.deliver("member", &guid(4), b"{\"a\":2}").await, 409, "the same body under another id");
    assert_eq!(served.deliver("member", &guid(5), b"{\"a\":1}").await, 409, "a body under another event");
    assert_eq!(served.deliver("member", &guid(6), b"{}").await, 409, "that of the ping");
    assert_eq!(served.heard(), (1, 4));
}

#[tokio::test]
async fn nobody_learns_which_sources_there_are() {
    let served = served().await;
    let (event, id) = (("x-github-event", "member"), guid(1));
    let id = ("x-github-delivery", id.as_str());
    let (good, bad) = (sign(b"{}"), sign(b"[]"));
    let signed = |tag| ("x-hub-signature-256", tag);
    let forged = served.post("/hooks/github", &[event, id, signed(bad.as_str())], b"{}").await;
    let stranger = served.post("/hooks/nobody", &[event, id, signed(good.as_str())], b"{}").await;
    let unsigned = served.post("/hooks/github", &[event, id], b"{}").await;
    let zero = Hmac::<Sha256>::new(&[0; 64].into()).chain_update(b"{}").finalize().into_bytes();
    let zero = format!("sha256={}", hex::encode(zero));
    let empty = served.post("/hooks/nobody", &[event, id, signed(zero.as_str())], b"{}").await;
    let twice = served.post("/hooks/nobody", &[event, id, signed(zero.as_str())], b"{}").await;
    assert_eq!(forged.0, 401);
    assert!([stranger, unsigned, empty, twice].iter().all(|answer| *answer == forged));
    assert_eq!(served.deliver("member", id.1, b"{}").await, 202, "none of these used up the id");
    assert_eq!(served.heard(), (1, 5));
}

#[tokio::test]
async fn what_is_no_delivery_is_refused() {
    let served = served().await;
    let signature = sign(b"{}");
    let signed = ("x-hub-signature-256", signature.as_str());
    let (event, id) = (("x-github-event", "member"), guid(1));
    let id = ("x-github-delivery", id.as_str());
    assert_eq!(served.post("/hooks/github", &[id, signed], b"{}").await.0, 400);
    assert_eq!(served.post("/hooks/github", &[event, signed], b"{}").await.0, 400);
    let strange = ("x-github-event", "Not A Code");
    assert_eq!(served.post("/hooks/github", &[strange, id, signed], b"{}").await.0, 400);
    assert_eq!(
        served.say(b"GET /hooks/github HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await.0,
        405
    );
    assert_eq!(served.say(b"POST / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await.0, 404);
    assert_eq!(served.board.next(), None);
}

#[tokio::test]
async fn a_body_is_no_larger_than_github_sends() {
    let served = served().await;
    let head = format!(
        "POST /hooks/github HTTP/1.1\r\nhost: a\r\nx-github-event: member\r\nx-github-delivery: {}\r\n",
        guid(1)
    );
    let said = format!("{head}content-length: {}\r\n\r\n", BODY_BYTES_MAX + 1);
    assert_eq!(served.say(said.as_bytes()).await.0, 413, "before a byte of it was read");
    let mut unsaid = format!("{head}transfer-encoding: chunked\r\n\r\n").into_bytes();
    for _ in 0..25 {
        unsaid.extend_from_slice(b"100000\r\n");
        unsaid.resize(unsaid.len() + (1 << 20), b' ');
        unsaid.extend_from_slice(b"\r\n");
    }
    unsaid.extend_from_slice(b"1\r\n \r\n");
    assert_eq!(served.say(&unsaid).await.0, 413);
    let largest = vec![b' '; usize::try_from(BODY_BYTES_MAX).unwrap()];
    assert_eq!(served.deliver("member", &guid(2), &largest).await, 202);
    assert_eq!(served.heard(), (1, 2));
}

#[tokio::test]
async fn who_holds_a_connection_open_and_says_nothing_loses_it() {
    let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = socket.local_addr().unwrap();
    let clock = Clock::simulated(observance_record::Instant::from_s(1_800_000_000));
    let stop = CancellationToken::new();
    let doors = Doors { ears: BTreeMap::new(), deaf: Ear::deaf(), board: Board::default() };
    let address_of = Listener { socket, address, doors: Arc::new(doors) };
    // nobody else sleeps by this clock, so that the connection's time is up as soon as it is asked for
    tokio::spawn(address_of.serve(clock, stop.clone()));
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"POST /hooks/github HTTP/1.1\r\n").await.unwrap();
    let mut answer = Vec::new();
    let _read = stream.read_to_end(&mut answer).await.is_ok();
    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 4"), "{}", String::from_utf8_lossy(&answer));
    stop.cancel();
}

#[tokio::test]
async fn an_address_that_is_taken_is_an_error_that_names_it() {
    let served = served().await;
    let taken = Listener::bind(served.address, BTreeMap::new(), Board::default()).await.unwrap_err();
    assert_eq!(taken.to_string(), format!("cannot listen at {}", served.address));
}

#[test]
fn a_short_secret_is_refused_and_none_is_shown() {
    assert!(Ear::new(&Secret::new("fifteen-bytes-!".into()), [].into()).is_err());
    let ear = Ear::new(&Secret::new(SECRET.into()), [].into()).unwrap();
    assert!(!format!("{ear:?}").contains(SECRET));
}
