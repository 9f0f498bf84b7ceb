//! Calls between services, over the sockets of one machine.

mod bounds;
mod calls;
mod interfaces;
mod processes;
mod readiness;
mod seen;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use tests::fixture;
use tests::harness::{Fixture, LIMIT, Program, Scratch, until};

/// The fixture in a directory that a test shares among its programs.
fn program(scratch: &Scratch, role: &str) -> Program {
    let directory = format!("rpc.directory={}", scratch.path("rpc").display());
    let host = format!("rpc.host={role}-host");
    let args = ["--set", &directory, "--set", &host, "--healthy-after", "0s"];
    let args = fixture!("calls").env("ROLE", role).args(args);
    args.args(["--set", "front.bind=127.0.0.1:0"])
}

/// The address of HTTP of a program that has it.
fn address_of(program: &Fixture) -> String {
    let line = program.wait_for("listening on 127.0.0.1:");
    let address = line.split("listening on ").nth(1);
    let address = address.and_then(|rest| rest.split(' ').next());
    address.unwrap().to_owned()
}

/// Asks by HTTP; returns the status and all behind it.
fn get(address: &str, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let status = answer
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    (status.unwrap(), answer)
}

/// A connection to a caller: it is told what to call, and tells what came of it.
struct Caller(BufReader<TcpStream>);

impl Caller {
    /// Connects to a caller that is ready.
    #[track_caller]
    fn of(program: &Fixture) -> Self {
        let said = || program.lines().with("listening on 127");
        until("the caller listens", || !said().is_empty());
        let said = said();
        let address = said.last().and_then(|line| line.rsplit(' ').next());
        let stream = TcpStream::connect(address.expect("it has said where")).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        Self(BufReader::new(stream))
    }

    fn say(&mut self, line: &str) {
        let line = format!("{line}\n");
        self.0.get_mut().write_all(line.as_bytes()).unwrap();
    }

    fn answer(&mut self) -> String {
        let mut answer = String::new();
        self.0.read_line(&mut answer).unwrap();
        assert!(answer.ends_with('\n'), "the caller is gone: {answer}");
        answer.trim_end().to_owned()
    }

    /// Waits for an answer; `None` once `or` comes true instead.
    fn answer_or(&mut self, mut or: impl FnMut() -> bool) -> Option<String> {
        let has_answer = |caller: &Self| {
            let stream = caller.0.get_ref();
            stream.set_nonblocking(true).unwrap();
            let peeked = stream.peek(&mut [0]);
            stream.set_nonblocking(false).unwrap();
            peeked.is_ok()
        };
        until("an answer or an event", || has_answer(self) || or());
        has_answer(self).then(|| self.answer())
    }

    fn ask(&mut self, line: &str) -> String {
        self.say(line);
        self.answer()
    }
}
