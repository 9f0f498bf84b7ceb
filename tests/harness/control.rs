//! A client of a control socket.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;

use super::LIMIT;

/// Sends a request to a control socket; returns the status of the answer and its body.
///
/// # Panics
///
/// Panics if nobody listens there, or what is answered is no HTTP.
#[track_caller]
pub fn ask(socket: &Path, method: &str, path: &str) -> (u16, String) {
    match try_ask(socket, method, path) {
        Ok(answer) => answer,
        Err(error) => panic!("{method} {path} of {}: {error}", socket.display()),
    }
}

/// As [`ask`], without a panic if nobody answers.
///
/// # Errors
///
/// Returns the error of the connection.
pub fn try_ask(socket: &Path, method: &str, path: &str) -> std::io::Result<(u16, String)> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(LIMIT))?;
    write!(stream, "{method} {path} HTTP/1.1\r\nHost: x\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let Some((head, body)) = answer.split_once("\r\n\r\n") else {
        return Err(std::io::Error::other(format!("no answer: {answer:?}")));
    };
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
    let status = status.ok_or_else(|| std::io::Error::other(head.to_owned()))?;
    Ok((status, body.to_owned()))
}
