//! A client over a plain socket, which sees every byte and hides no mistake.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;

use tests::harness::LIMIT;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, ClientConnection, StreamOwned};

/// One connection.
pub(crate) struct Client {
    stream: Box<dyn Stream>,
    socket: Socket,
    buffer: Vec<u8>,
}

/// The socket alone, also where something is around it.
#[derive(Clone)]
struct Socket(Arc<TcpStream>);

impl Read for Socket {
    /// Reads again when the wait was interrupted: one with a timeout ends early if this process was stopped and
    /// goes on.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match (&*self.0).read(buffer) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                read => return read,
            }
        }
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        (&*self.0).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        (&*self.0).flush()
    }
}

trait Stream: Read + Write + Send {}

impl<S: Read + Write + Send> Stream for S {}

/// An answer with its whole body.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    /// Returns a header's value, in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let name = format!("{name}:");
        let head = self.head.to_ascii_lowercase();
        let mut lines = head.lines().filter_map(|line| line.strip_prefix(&name));
        lines.next().map(|value| value.trim().to_owned())
    }

    /// Tells whether this is the connection's last answer.
    pub(crate) fn closes(&self) -> bool {
        self.header("connection").as_deref() == Some("close")
    }
}

impl Client {
    pub(crate) fn connect(address: &str) -> io::Result<Self> {
        let socket = connect(address)?;
        let stream = Box::new(socket.clone());
        Ok(Self::of(stream, socket))
    }

    /// Connects, and speaks TLS.
    pub(crate) fn secure(address: &str, config: &Arc<ClientConfig>) -> io::Result<Self> {
        let socket = connect(address)?;
        let name = ServerName::try_from("127.0.0.1").map_err(io::Error::other)?;
        let tls = ClientConnection::new(Arc::clone(config), name).map_err(io::Error::other)?;
        let stream = Box::new(StreamOwned::new(tls, socket.clone()));
        Ok(Self::of(stream, socket))
    }

    fn of(stream: Box<dyn Stream>, socket: Socket) -> Self {
        let buffer = Vec::new();
        Self {
            stream,
            socket,
            buffer,
        }
    }

    pub(crate) fn send(&mut self, text: &str) -> io::Result<()> {
        self.stream.write_all(text.as_bytes())
    }

    /// Asks for a path and returns the answer.
    pub(crate) fn get(&mut self, path: &str) -> io::Result<Answer> {
        self.send(&format!("GET {path} HTTP/1.1\r\nHost: test\r\n\r\n"))?;
        self.answer()
    }

    /// Reads the head of an answer, and no body.
    pub(crate) fn head(&mut self) -> io::Result<String> {
        self.through(b"\r\n\r\n")
    }

    /// Reads one answer.
    pub(crate) fn answer(&mut self) -> io::Result<Answer> {
        let head = self.through(b"\r\n\r\n")?;
        let status = head
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok());
        let status = status.ok_or_else(|| io::Error::new(ErrorKind::InvalidData, head.clone()))?;
        let mut answer = Answer {
            status,
            head,
            body: String::new(),
        };
        if status < 200 {
            return Ok(answer);
        }
        if answer.header("transfer-encoding").as_deref() == Some("chunked") {
            loop {
                let size = self.through(b"\r\n")?;
                let size = usize::from_str_radix(size.trim(), 16).map_err(io::Error::other)?;
                let piece = self.exactly(size)?;
                self.through(b"\r\n")?;
                if size == 0 {
                    break;
                }
                answer.body.push_str(&piece);
            }
        } else {
            let length = answer
                .header("content-length")
                .unwrap_or_else(|| "0".to_owned());
            let length = length.parse().map_err(io::Error::other)?;
            answer.body = self.exactly(length)?;
        }
        Ok(answer)
    }

    /// Reads until the server closes, and returns what came before.
    pub(crate) fn rest(&mut self) -> io::Result<String> {
        while self.more()? {}
        Ok(text(std::mem::take(&mut self.buffer)))
    }

    /// Ends our side of the connection.
    pub(crate) fn shut(&self) -> io::Result<()> {
        self.socket.0.shutdown(Shutdown::Write)
    }

    fn through(&mut self, end: &[u8]) -> io::Result<String> {
        loop {
            let found = self
                .buffer
                .windows(end.len())
                .position(|window| window == end);
            if let Some(at) = found {
                return Ok(self.take(at + end.len()));
            }
            self.need_more()?;
        }
    }

    fn exactly(&mut self, length: usize) -> io::Result<String> {
        while self.buffer.len() < length {
            self.need_more()?;
        }
        Ok(self.take(length))
    }

    fn take(&mut self, length: usize) -> String {
        let rest = self.buffer.split_off(length);
        text(std::mem::replace(&mut self.buffer, rest))
    }

    fn need_more(&mut self) -> io::Result<()> {
        if self.more()? {
            return Ok(());
        }
        Err(ErrorKind::UnexpectedEof.into())
    }

    fn more(&mut self) -> io::Result<bool> {
        let mut piece = [0; 16 * 1024];
        let length = self.stream.read(&mut piece)?;
        self.buffer.extend_from_slice(&piece[..length]);
        Ok(length > 0)
    }
}

fn connect(address: &str) -> io::Result<Socket> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(LIMIT))?;
    stream.set_write_timeout(Some(LIMIT))?;
    Ok(Socket(Arc::new(stream)))
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8_lossy(&bytes).into_owned()
}
