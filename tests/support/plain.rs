//! The barest way to ask a source on loopback: one connection, one question after the other, nothing but the answer.
//!
//! It knows neither redirects nor chunks, waits for nothing and tries nothing twice.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
};

/// One connection, kept.
pub(crate) struct Plain {
    answers: BufReader<TcpStream>,
}

impl Plain {
    /// To a source at `http://127.0.0.1:<port>`.
    pub(crate) fn connect(base_url: &str) -> Self {
        let stream = TcpStream::connect(base_url.strip_prefix("http://").unwrap()).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { answers: BufReader::new(stream) }
    }

    /// The status and the body of what a path and query answer.
    pub(crate) fn get(&mut self, path: &str) -> (u16, Vec<u8>) {
        let ask = format!("GET {path} HTTP/1.1\r\nhost: source\r\nauthorization: Bearer a-token\r\n\r\n");
        self.answers.get_mut().write_all(ask.as_bytes()).unwrap();
        let (mut status, mut length) = (None, 0);
        loop {
            let mut line = String::new();
            self.answers.read_line(&mut line).unwrap();
            let line = line.trim_end();
            if status.is_none() {
                status = Some(line.split(' ').nth(1).unwrap().parse().unwrap());
            } else if let Some((name, value)) = line.split_once(':') {
                if name.eq_ignore_ascii_case("content-length") {
                    length = value.trim().parse().unwrap();
                }
            } else {
                break;
            }
        }
        let mut body = vec![0; length];
        self.answers.read_exact(&mut body).unwrap();
        (status.unwrap(), body)
    }
}
