//! A listener that answers with metrics and nothing else, on a thread of its own.
//!
//! No request of a service waits for it: metrics are written in that thread, and clients that are slow or
//! say nothing only wait in its list, from which the oldest are dropped.

use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::{Mutex, PoisonError, mpsc};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use socket2::Socket;

use super::program::exposition;
use super::text::Format;
use crate::os::process::thread;

/// How many clients are in the list at the most; one more takes the place of the oldest.
const MOST_CLIENTS: usize = 64;

/// How long one client may take, from its connection to the last byte of its answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long clients may take that are connected when the process ends.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// The longest head of a request.
const LONGEST_HEAD: usize = 8 << 10;

/// The stack of the thread, which writes texts of any length to the heap.
const STACK: usize = 256 << 10;

/// A client that is connected.
struct Client {
    socket: Socket,
    until: Instant,
    head: Vec<u8>,
    /// What is left of the answer, once the request is read.
    answer: Option<(Vec<u8>, usize)>,
}

/// The thread of this process, as [`stop`] sees it.
struct Running {
    /// Closed to say that the process ends.
    alive: UnixStream,
    /// Closed when every client has been answered.
    done: mpsc::Receiver<()>,
}

static RUNNING: Mutex<Option<Running>> = Mutex::new(None);

/// Starts the thread that answers on a listening socket until [`stop`] is called.
///
/// # Errors
///
/// Returns the error of the operating system: no threads, or no socket.
pub(crate) fn serve(listener: OwnedFd) -> io::Result<()> {
    let listener = Socket::from(listener);
    listener.set_nonblocking(true)?;
    let (alive, ends) = UnixStream::pair()?;
    let (answered, done) = mpsc::channel();
    thread::spawn(STACK, move || {
        let mut clients = Vec::new();
        while !turn(Some(&listener), &ends, &mut clients) {}
        // What waits in the queue is another process's.
        drop(listener);
        let until = Instant::now() + LAST_WORDS;
        for client in &mut clients {
            client.until = client.until.min(until);
        }
        while !clients.is_empty() {
            turn(None, &ends, &mut clients);
        }
        drop::<mpsc::Sender<()>>(answered);
    })?;
    let running = Running { alive, done };
    *RUNNING.lock().unwrap_or_else(PoisonError::into_inner) = Some(running);
    Ok(())
}

/// Ends the thread of this process, if there is one: nobody is let in any more, and those who are have their
/// answers, for a moment at the most.
pub(crate) fn stop() {
    let running = RUNNING
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take();
    if let Some(Running { alive, done }) = running {
        drop(alive);
        let _ = done.recv_timeout(LAST_WORDS * 2);
    }
}

/// Waits until something can be done, and does it; returns whether the process ends.
fn turn(listener: Option<&Socket>, ends: &UnixStream, clients: &mut Vec<Client>) -> bool {
    let now = Instant::now();
    let next = clients.iter().map(|client| client.until).min();
    let timeout = next.map_or(PollTimeout::NONE, |next| {
        let millis = next.saturating_duration_since(now).as_millis() + 1;
        PollTimeout::try_from(millis).unwrap_or(PollTimeout::MAX)
    });
    let mut waits = Vec::new();
    for fd in listener.iter().flat_map(|it| [it.as_fd(), ends.as_fd()]) {
        waits.push(PollFd::new(fd, PollFlags::POLLIN));
    }
    waits.extend(clients.iter().map(|client| {
        let events = match client.answer {
            None => PollFlags::POLLIN,
            Some(_) => PollFlags::POLLOUT,
        };
        PollFd::new(client.socket.as_fd(), events)
    }));
    if poll(&mut waits, timeout).is_err() {
        return false;
    }
    let ready = waits.iter().map(|wait| wait.any().unwrap_or(true));
    let ready: Vec<bool> = ready.collect();
    let mut ready = ready.into_iter();
    let mut is_ready = || listener.is_some() && ready.next().unwrap_or(false);
    let (is_asked, is_over) = (is_ready(), is_ready());
    let now = Instant::now();
    clients.retain_mut(|client| {
        let is_ready = ready.next().unwrap_or(false);
        now < client.until && (!is_ready || client.proceed().is_ok_and(|done| !done))
    });
    if let Some(listener) = listener.filter(|_| is_asked && !is_over) {
        accept(listener, clients);
    }
    is_over
}

fn accept(listener: &Socket, clients: &mut Vec<Client>) {
    // Another process may have been faster.
    while let Ok((socket, _)) = listener.accept() {
        if socket.set_nonblocking(true).is_err() {
            continue;
        }
        if clients.len() >= MOST_CLIENTS {
            clients.remove(0);
        }
        clients.push(Client {
            socket,
            until: Instant::now() + PATIENCE,
            head: Vec::new(),
            answer: None,
        });
    }
}

impl Client {
    /// Reads or writes as far as that goes; returns whether it is done.
    fn proceed(&mut self) -> io::Result<bool> {
        while self.answer.is_none() {
            let mut bytes = [0; 1024];
            match self.socket.read(&mut bytes) {
                Ok(0) => return Ok(true),
                Ok(read) => self.head.extend_from_slice(&bytes[..read]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
            self.answer = answer(&self.head).map(|answer| (answer, 0));
        }
        let Some((answer, sent)) = &mut self.answer else {
            return Ok(false);
        };
        while *sent < answer.len() {
            match self.socket.write(&answer[*sent..]) {
                Ok(0) => return Ok(true),
                Ok(written) => *sent += written,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }
}

/// Returns the answer to what has come so far, once that is a whole head.
fn answer(bytes: &[u8]) -> Option<Vec<u8>> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
    let Some(end) = end else {
        let is_long = bytes.len() > LONGEST_HEAD;
        return is_long.then(|| plain("431 Request Header Fields Too Large", true));
    };
    let head = String::from_utf8_lossy(&bytes[..end]);
    let mut lines = head.split("\r\n");
    let first: Vec<_> = lines.next().unwrap_or_default().split(' ').collect();
    let [method, target, version] = *first.as_slice() else {
        return Some(plain("400 Bad Request", true));
    };
    if !version.starts_with("HTTP/1.") {
        return Some(plain("400 Bad Request", true));
    }
    let has_body = method != "HEAD";
    if !matches!(method, "GET" | "HEAD") {
        return Some(plain("405 Method Not Allowed", true));
    }
    if target.split('?').next() != Some("/metrics") {
        return Some(plain("404 Not Found", has_body));
    }
    let accepts: Vec<_> = lines
        .filter_map(|line| line.split_once(':'))
        .filter(|(name, _)| name.eq_ignore_ascii_case("accept"))
        .map(|(_, value)| value.trim())
        .collect();
    let format = Format::accepted(Some(&accepts.join(",")));
    let text = exposition(format);
    Some(whole("200 OK", format.content_type(), &text, has_body))
}

fn plain(status: &str, has_body: bool) -> Vec<u8> {
    whole(status, "text/plain", &format!("{status}\n"), has_body)
}

fn whole(status: &str, content_type: &str, text: &str, has_body: bool) -> Vec<u8> {
    let length = text.len();
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: {content_type}\r\ncontent-length: {length}\r\n\
         cache-control: no-store\r\nconnection: close\r\n\r\n"
    );
    let body = if has_body { text } else { "" };
    (head + body).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(request: &str) -> Option<String> {
        answer(request.as_bytes()).map(|answer| String::from_utf8(answer).unwrap())
    }

    fn status(request: &str) -> Option<String> {
        asked(request).map(|answer| answer[9..12].to_owned())
    }

    #[test]
    fn metrics_are_answered_and_nothing_else() {
        for (request, expected) in [
            ("GET /metrics HTTP/1.1\r\n\r\n", Some("200")),
            (
                "GET /metrics?name=x HTTP/1.0\r\nhost: x\r\n\r\n",
                Some("200"),
            ),
            ("HEAD /metrics HTTP/1.1\r\n\r\n", Some("200")),
            ("POST /metrics HTTP/1.1\r\n\r\n", Some("405")),
            ("GET / HTTP/1.1\r\n\r\n", Some("404")),
            ("GET /metrics HTTP/2\r\n\r\n", Some("400")),
            ("nonsense\r\n\r\n", Some("400")),
            ("GET /metrics HTTP/1.1\r\n", None),
        ] {
            assert_eq!(status(request).as_deref(), expected, "{request:?}");
        }
        let endless = "x".repeat(LONGEST_HEAD + 1);
        assert_eq!(status(&endless).as_deref(), Some("431"));
    }

    #[test]
    fn the_format_is_negotiated_over_all_accept_headers() {
        let request = "GET /metrics HTTP/1.1\r\nAccept: text/plain\r\naccept: application/openmetrics-text\r\n\r\n";
        let answer = asked(request).unwrap();
        assert!(
            answer.contains("content-type: application/openmetrics-text"),
            "{answer}"
        );
        assert!(answer.ends_with("# EOF\n"), "{answer}");
        let head = asked("HEAD /metrics HTTP/1.1\r\n\r\n").unwrap();
        assert!(head.ends_with("\r\n\r\n"), "{head}");
    }
}
