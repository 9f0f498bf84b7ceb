//! A client of the fixture program `echo`.

use std::io::{self, BufRead, BufReader, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::Path;

use nix::unistd::Pid;

use super::{Fixture, LIMIT};

/// A connection.
pub struct Client<S>(BufReader<S>);

impl Client<TcpStream> {
    /// Connects to the address that the program says it listens on.
    ///
    /// # Panics
    ///
    /// Panics if it says none, or nobody listens there.
    #[track_caller]
    pub fn of(echo: &Fixture) -> Self {
        let said = echo.lines().with("listening on ");
        let address = said.last().and_then(|line| line.rsplit(' ').next());
        Self::connect(address.expect("it has said where")).expect("it listens")
    }

    /// Connects to an address.
    ///
    /// # Errors
    ///
    /// Returns the system's error.
    pub fn connect(address: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(LIMIT))?;
        Ok(Self(BufReader::new(stream)))
    }
}

impl Client<UnixStream> {
    /// Connects to a path.
    ///
    /// # Errors
    ///
    /// Returns the system's error.
    pub fn connect_unix(path: &Path) -> io::Result<Self> {
        let stream = UnixStream::connect(path)?;
        stream.set_read_timeout(Some(LIMIT))?;
        Ok(Self(BufReader::new(stream)))
    }
}

impl<S: io::Read + Write> Client<S> {
    /// Sends a line and returns the process that answers it.
    ///
    /// # Errors
    ///
    /// Returns the system's error, and `UnexpectedEof` if nobody answers.
    pub fn ask(&mut self, line: &str) -> io::Result<Pid> {
        self.say(line)?;
        self.answer(line)
    }

    /// Sends a line.
    ///
    /// # Errors
    ///
    /// Returns the system's error.
    pub fn say(&mut self, line: &str) -> io::Result<()> {
        self.0.get_mut().write_all(format!("{line}\n").as_bytes())
    }

    /// Waits for the answer to a line and returns the process that gives it.
    ///
    /// # Errors
    ///
    /// Returns the system's error, and `UnexpectedEof` if nobody answers.
    pub fn answer(&mut self, line: &str) -> io::Result<Pid> {
        let mut answer = String::new();
        self.0.read_line(&mut answer)?;
        let answered = answer.strip_suffix(&format!(" {line}\n"));
        match answered.and_then(|pid| pid.parse().ok()) {
            Some(pid) => Ok(Pid::from_raw(pid)),
            None => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}
