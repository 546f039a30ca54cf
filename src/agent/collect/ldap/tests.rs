//! What a directory could do that a real one does not on demand: a script of it on loopback, without TLS.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex, mpsc},
    thread,
    time::Duration,
};

use super::{
    ber::{self, OCTETS, value, values},
    message::tests::{ended, entry, result, said},
    *,
};
use crate::collect::{Http, http::Ask};
use crate::collect::{http::Route, reach::Reach};

type Answers = Vec<Vec<u8>>;

/// A directory that answers each request with what stands next; what it was asked. Where nothing stands it keeps silent.
struct Directory {
    url: Url,
    asked: Arc<Mutex<Vec<Vec<u8>>>>,
    /// How many connections there were.
    connections: mpsc::Receiver<()>,
}

fn start(answers: Answers) -> Directory {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = Url::parse(&format!("ldap://127.0.0.1:{}", listener.local_addr().unwrap().port())).unwrap();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let (log, (told, connections)) = (Arc::clone(&asked), mpsc::channel());
    thread::spawn(move || {
        let mut answers = answers.into_iter();
        for stream in listener.incoming() {
            told.send(()).unwrap();
            serve(&mut stream.unwrap(), &mut answers, &log);
        }
    });
    Directory { url, asked, connections }
}

fn serve(stream: &mut TcpStream, answers: &mut impl Iterator<Item = Vec<u8>>, log: &Mutex<Vec<Vec<u8>>>) {
    let mut came = Vec::new();
    let mut byte = [0];
    while stream.read_exact(&mut byte).is_ok() {
        came.push(byte[0]);
        if ber::whole(&came).unwrap() == Some(came.len()) {
            log.lock().unwrap().push(std::mem::take(&mut came));
            let Some(answer) = answers.next() else { continue };
            if stream.write_all(&answer).is_err() {
                return;
            }
        }
    }
}

fn bound(id: u32) -> Vec<u8> {
    said(id, &result(0x61, 0), None)
}

fn http(start_tls: bool, password: &str) -> Http {
    let bind = Bind::Simple { name: "cn=reader".to_owned(), password: Secret::new(password.to_owned()) };
    let directory = super::Directory { bind, start_tls };
    Http::new(&Route { directory: Some(directory), reach: Reach::default(), ..Route::default() }).unwrap()
}

const WANTED: &str = r#"{"base":"dc=x","scope":"sub","filter":"(cn=*)","attributes":[["cn","text"],["member","texts"]],"size":2}"#;

async fn ask(http: &Http, directory: &Directory, line: &Line, wanted: &str) -> Result<Answer, Broken> {
    let ask = Ask {
        headers: &Headers::default(),
        etag: None,
        by_date: false,
        body: Some(wanted.as_bytes()),
        body_bytes_max: 4096,
        line,
    };
    http.send(&directory.url, ask).await
}

fn body(answer: &Answer) -> &str {
    std::str::from_utf8(&answer.body).unwrap()
}

#[tokio::test]
async fn pages_come_over_one_connection_and_ranges_to_their_end() {
    let group = |part: &'static str, members: &[&[u8]]| entry("cn=g,dc=x", &[(part, members)]);
    let page = |id, place: &[u8]| said(id, &result(0x65, 0), Some(ended(place)));
    let directory = start(vec![
        bound(1),
        [said(2, &entry("cn=a,dc=x", &[("CN", &[b"a"])]), None), page(2, b"\x00here")].concat(),
        [said(3, &group("member;range=0-1", &[b"b", b"c"]), None), page(3, b"")].concat(),
        [said(4, &group("member;range=2-2", &[b"a"]), None), said(4, &result(0x65, 0), None)].concat(),
        [said(5, &group("member;range=3-*", &[b"d"]), None), said(5, &result(0x65, 0), None)].concat(),
    ]);
    let (http, line) = (http(false, "hush"), Line::default());
    let first = ask(&http, &directory, &line, WANTED).await.unwrap();
    assert_eq!(body(&first), r#"{"entries":[{"dn":"cn=a,dc=x","cn":"a"}]}"#);
    assert_eq!(
        (first.status, first.headers.get(NEXT), first.headers.get(FURTHER)),
        (0, Some("AGhlcmU="), Some("0"))
    );
    let on = WANTED.replace("\"size\":2", "\"size\":2,\"place\":\"AGhlcmU=\"");
    let second = ask(&http, &directory, &line, &on).await.unwrap();
    assert_eq!(body(&second), r#"{"entries":[{"dn":"cn=g,dc=x","member":["a","b","c","d"]}]}"#);
    assert_eq!((second.headers.get(NEXT), second.headers.get(FURTHER)), (Some(""), Some("2")));
    assert_eq!(directory.connections.try_iter().count(), 1);
    let asked = directory.asked.lock().unwrap();
    assert!(asked[2].ends_with(b"\x04\x05\x00here"), "the place of the page before: {:?}", asked[2]);
    assert!(asked[3].windows(16).any(|part| part == b"member;range=2-*"), "{:?}", asked[3]);
}

#[tokio::test]
async fn whoever_is_not_let_in_asks_nothing_and_an_empty_password_is_never_sent() {
    let refuses = start(vec![said(1, &result(0x61, 49), None)]);
    let answer = ask(&http(false, "hush"), &refuses, &Line::default(), WANTED).await.unwrap();
    assert_eq!((answer.status, told(&answer.headers).unwrap().1), (49, why::BIND_REFUSED));
    assert_eq!(refuses.asked.lock().unwrap().len(), 1);
    let busy = start(vec![said(1, &result(0x61, 51), None)]);
    let answer = ask(&http(false, "hush"), &busy, &Line::default(), WANTED).await.unwrap();
    assert_eq!((answer.status, told(&answer.headers)), (51, None), "that says nothing of who asks");
    let answer = ask(&http(false, ""), &refuses, &Line::default(), WANTED).await.unwrap();
    assert_eq!((answer.status, told(&answer.headers).unwrap().1), (49, why::BIND_REFUSED));
    assert_eq!(refuses.connections.try_iter().count(), 1, "nobody was asked without a password");
}

#[tokio::test]
async fn what_a_directory_leaves_out_is_told() {
    let there = |address: &str| said(2, &values(0x73, &[value(OCTETS, address.as_bytes())]), None);
    let one = || said(2, &entry("cn=a", &[("cn", &[b"a"])]), None);
    let end = |code| said(2, &result(0x65, code), None);
    let known = WANTED.replace("\"size\":2", "\"elsewhere\":[\"DC=DomainDnsZones\"]");
    for (came, wanted, status, reason) in [
        (end(4), WANTED, 4, Some(why::SIZE_LIMIT)),
        (end(3), WANTED, 3, Some(why::TIME_LIMIT)),
        (end(11), WANTED, 11, Some(why::ADMIN_LIMIT)),
        ([there("ldap://b/dc=child,dc=x"), end(0)].concat(), WANTED, 0, Some(why::ELSEWHERE)),
        ([there("ldap://b/dc=domainDnsZones,dc=x"), end(0)].concat(), &known, 0, None),
        ([there("ldap://b/dc=child,dc=x"), end(0)].concat(), &known, 0, Some(why::ELSEWHERE)),
    ] {
        let directory = start(vec![bound(1), [one(), came].concat()]);
        let answer = ask(&http(false, "hush"), &directory, &Line::default(), wanted).await.unwrap();
        assert_eq!((answer.status, told(&answer.headers).map(|(_, why)| why)), (status, reason));
        assert!(body(&answer).starts_with(r#"{"entries":[{"dn":"cn=a","cn":"a"}]"#), "{}", body(&answer));
    }
}

#[tokio::test]
async fn what_is_not_as_the_protocol_says_is_no_answer() {
    let many = [b'a'; 8000];
    let far = said(2, &entry("cn=a", &[("cn", &[&many])]), None);
    let cut = said(2, &entry("cn=a", &[("member;range=0-1", &[b"a"])]), None);
    let end = |id| said(id, &result(0x65, 0), None);
    for (came, expected) in [
        (vec![end(9)], Broken::Other),
        (vec![vec![0x30, 0x80, 0, 0]], Broken::Other),
        (vec![bound(2)], Broken::Other),
        (vec![far], Broken::TooLarge),
        (vec![said(0, &result(0x78, 52), None)], Broken::Truncated),
        // an entry of which the rest does not come is not whole
        (vec![[cut.clone(), end(2)].concat(), end(3)], Broken::Truncated),
        (vec![[cut, end(2)].concat(), said(3, &result(0x65, 50), None)], Broken::Truncated),
    ] {
        let directory = start([vec![bound(1)], came.clone()].concat());
        let line = Line::default();
        let answer = ask(&http(false, "hush"), &directory, &line, WANTED).await;
        assert_eq!(answer.err(), Some(expected), "{came:?}");
        assert!(matches!(*line.0.lock().await, Seat::Empty), "what broke off is not gone on with");
    }
}

#[tokio::test]
async fn a_question_that_nobody_waits_for_takes_its_connection_with_it() {
    let directory = start(vec![bound(1)]);
    let (http, line) = (http(false, "hush"), Line::default());
    let waited = timeout(Duration::from_millis(300), ask(&http, &directory, &line, WANTED)).await;
    assert!(waited.is_err() && matches!(*line.0.lock().await, Seat::Empty));
}

#[tokio::test]
async fn nothing_is_said_before_the_connection_is_encrypted() {
    let agreed = said(1, &result(0x78, 0), None);
    for answer in [
        said(1, &result(0x78, 2), None),
        bound(1),
        // a word that somebody put behind the answer, in the hope that it is taken for an encrypted one
        [agreed, bound(2)].concat(),
    ] {
        let directory = start(vec![answer]);
        let found = ask(&http(true, "hush"), &directory, &Line::default(), WANTED).await;
        assert_eq!(found.err(), Some(Broken::Connect));
        assert_eq!(directory.asked.lock().unwrap().len(), 1, "the password was not sent");
    }
    let elsewhere = Url::parse("ldap://192.0.2.1").unwrap();
    assert!(!http(false, "hush").may_bind_at(&elsewhere) && http(true, "hush").may_bind_at(&elsewhere));
}
