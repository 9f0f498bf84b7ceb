//! A service manager's notify socket.

use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::thread;

use super::Lines;
use super::scratch::{Scratch, unique};

/// A real datagram socket that collects what programs send.
pub struct NotifySocket {
    name: String,
    messages: Lines,
    end: UnixDatagram,
    _scratch: Option<Scratch>,
}

/// Nobody but this file sends it.
const END: &[u8] = b"END";

impl NotifySocket {
    /// Opens a socket that has a path, as systemd's has.
    ///
    /// # Panics
    ///
    /// Panics if the system refuses.
    #[must_use]
    pub fn path() -> Self {
        let scratch = Scratch::new();
        let path = scratch.path("notify");
        let address = SocketAddr::from_pathname(&path).expect("the path is short");
        let name = path.to_str().expect("the path is text").to_owned();
        Self::open(name, &address, Some(scratch))
    }

    /// Opens a socket that has an abstract name, as a container manager's may have.
    ///
    /// # Panics
    ///
    /// Panics if the system refuses.
    #[must_use]
    pub fn abstract_name() -> Self {
        let name = unique();
        let address = SocketAddr::from_abstract_name(&name).expect("the name is short");
        Self::open(format!("@{name}"), &address, None)
    }

    fn open(name: String, address: &SocketAddr, scratch: Option<Scratch>) -> Self {
        let socket = UnixDatagram::bind_addr(address).expect("the name is new");
        let end = UnixDatagram::unbound().expect("there are descriptors");
        end.connect_addr(address).expect("it is bound");
        let messages = Lines::default();
        let collected = messages.clone();
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(length) = socket.recv(&mut bytes) {
                if &bytes[..length] == END {
                    break;
                }
                collected.push(String::from_utf8_lossy(&bytes[..length]).into_owned());
            }
            collected.end();
        });
        Self {
            name,
            messages,
            end,
            _scratch: scratch,
        }
    }

    /// Returns the value of the variable NOTIFY_SOCKET.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the messages, each with all its lines.
    pub fn messages(&self) -> &Lines {
        &self.messages
    }

    /// Returns every message that was sent until now; no more are taken.
    pub fn close(&self) -> Vec<String> {
        // Datagrams keep their order: what was sent before has come when this has.
        let _ = self.end.send(END);
        self.messages.wait_for_end();
        self.messages.all()
    }
}

impl Drop for NotifySocket {
    fn drop(&mut self) {
        let _ = self.end.send(END);
        if thread::panicking() {
            eprintln!("messages to the service manager:\n{}", self.messages);
        }
    }
}
