//! A client of TLS that keeps its connection: `openssl s_client`, whose pipes are the connection.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdout, Command, Stdio};

/// Connects, and makes sure that the server speaks.
pub(crate) fn connect(address: &str, cert: &str) -> (Child, BufReader<ChildStdout>) {
    let mut client = Command::new("openssl")
        .args(["s_client", "-quiet", "-connect", address, "-CAfile", cert])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut answers = BufReader::new(client.stdout.take().unwrap());
    let get = "GET /pid HTTP/1.1\r\nHost: x\r\n\r\n";
    let to = client.stdin.as_mut().unwrap();
    to.write_all(get.as_bytes()).unwrap();
    let mut line = String::new();
    answers.read_line(&mut line).unwrap();
    assert!(line.starts_with("HTTP/1.1 200"), "{line}");
    (client, answers)
}

/// Asks for one thing more, and reads to the end.
pub(crate) fn get(client: &mut Child, answers: BufReader<ChildStdout>, path: &str) -> String {
    let get = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    let mut to = client.stdin.take().unwrap();
    to.write_all(get.as_bytes()).unwrap();
    let answer = std::io::read_to_string(answers).unwrap();
    drop(to);
    client.wait().unwrap();
    answer
}
