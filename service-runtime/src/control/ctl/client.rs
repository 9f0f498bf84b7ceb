//! A client of the control socket: one request, one answer, no runtime.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

/// How long an answer to a question may take; the control process itself gives up before.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often a question is asked again whose answer did not come: the control process was replaced.
const TRIES: usize = 3;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum ClientError {
    /// Nobody listens there.
    #[error("not running: nobody listens on `{}`", .0.display())]
    NotRunning(PathBuf),
    /// The socket, or the program, is somebody else's.
    #[error("not allowed: {0}")]
    NotAllowed(String),
    /// The program says no.
    #[error("{0}")]
    Refused(String),
    /// The connection broke, or what came is no answer.
    #[error("no answer on `{}`: {why}", path.display())]
    Broken {
        /// The socket.
        path: PathBuf,
        /// What happened.
        why: String,
    },
}

/// The answer to a request, read to the end of its head.
struct Answer {
    status: u16,
    /// What has been read of the body.
    body: Vec<u8>,
    stream: UnixStream,
}

/// Asks for something.
///
/// # Errors
///
/// Returns why there is no answer, or what the program refuses it with.
pub(super) fn get(socket: &Path, path: &str) -> Result<Value, ClientError> {
    let mut tried = 1;
    loop {
        match request(socket, "GET", path, Some(PATIENCE)).and_then(|answer| answer.json(socket)) {
            Err(ClientError::Broken { .. }) if tried < TRIES => tried += 1,
            answer => return answer,
        }
    }
}

/// Gives an order, and waits for what is answered for as long as that takes.
///
/// # Errors
///
/// Returns why there is no answer, or why the order came to nothing.
pub(super) fn post(socket: &Path, path: &str) -> Result<Value, ClientError> {
    request(socket, "POST", path, None).and_then(|answer| answer.json(socket))
}

/// Follows what a path tells, from behind an event on if one is known.
///
/// # Errors
///
/// Returns why nothing comes.
pub(super) fn stream(
    socket: &Path,
    path: &str,
    last: Option<&str>,
) -> Result<impl Read + use<>, ClientError> {
    let header = last.map(|id| format!("last-event-id: {id}\r\n"));
    let header = header.unwrap_or_default();
    let answer = request_with(socket, "GET", path, None, &header)?;
    if answer.status != 200 {
        return Err(match answer.json(socket) {
            Err(error) => error,
            Ok(_) => ClientError::Refused("no events are told".to_owned()),
        });
    }
    Ok(io::Cursor::new(answer.body).chain(answer.stream))
}

fn request(
    socket: &Path,
    method: &str,
    path: &str,
    patience: Option<Duration>,
) -> Result<Answer, ClientError> {
    request_with(socket, method, path, patience, "")
}

/// Sends a request and reads the head of its answer.
fn request_with(
    socket: &Path,
    method: &str,
    path: &str,
    patience: Option<Duration>,
    header: &str,
) -> Result<Answer, ClientError> {
    let broken = |why: &dyn std::fmt::Display| ClientError::Broken {
        path: socket.to_owned(),
        why: why.to_string(),
    };
    let mut stream = UnixStream::connect(socket).map_err(|error| match error.kind() {
        io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound => {
            ClientError::NotRunning(socket.to_owned())
        }
        io::ErrorKind::PermissionDenied => ClientError::NotAllowed(format!(
            "`{}` belongs to another user, ask as that one or as root",
            socket.display()
        )),
        _ => broken(&error),
    })?;
    stream
        .set_read_timeout(patience)
        .map_err(|error| broken(&error))?;
    // The end of the connection is the end of the answer.
    let head =
        format!("{method} {path} HTTP/1.0\r\nhost: localhost\r\ncontent-length: 0\r\n{header}\r\n");
    stream
        .write_all(head.as_bytes())
        .map_err(|error| broken(&error))?;
    let mut bytes = Vec::new();
    let mut piece = [0; 4096];
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        match stream.read(&mut piece) {
            Ok(0) => return Err(broken(&"the connection ended before the answer")),
            Ok(length) => bytes.extend_from_slice(&piece[..length]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(broken(&error)),
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end]);
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
    Ok(Answer {
        status: status.ok_or_else(|| broken(&"it is no HTTP"))?,
        body: bytes.split_off(end + 4),
        stream,
    })
}

impl Answer {
    /// Reads the rest, and what it says.
    fn json(mut self, socket: &Path) -> Result<Value, ClientError> {
        let broken = |why: String| ClientError::Broken {
            path: socket.to_owned(),
            why,
        };
        self.stream
            .read_to_end(&mut self.body)
            .map_err(|error| broken(error.to_string()))?;
        let value: Value =
            serde_json::from_slice(&self.body).map_err(|error| broken(error.to_string()))?;
        let error = || {
            let error = value["error"].as_str().unwrap_or("refused without a word");
            error.to_owned()
        };
        match self.status {
            200..300 => Ok(value),
            401 | 403 => Err(ClientError::NotAllowed(error())),
            404 => Err(ClientError::Refused(format!(
                "the running program, version {}, does not know this: {}",
                value["program"]["version"].as_str().unwrap_or("unknown"),
                error()
            ))),
            _ => Err(ClientError::Refused(error())),
        }
    }
}
