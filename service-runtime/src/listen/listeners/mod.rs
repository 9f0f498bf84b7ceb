//! The holder of listening sockets.
//!
//! One process holds them for as long as the program runs: the supervisor, or the one process of
//! a ServiceLauncher. It has no runtime and never waits, neither for a name server nor for
//! a client. Dropping it closes the descriptors and nothing more, for a forked child drops its
//! copy too.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::errno::Errno;

use crate::listen::activation::{self, ActivationError};
use crate::listen::address::is_any;
use crate::listen::unix::SocketFile;
use crate::listen::{Address, BindError, ListenOptions, socket, tcp, unix};

/// Binds each address once and keeps the socket.
#[derive(Debug, Default)]
pub(crate) struct Listeners {
    sockets: Vec<Held>,
    /// How many sockets there ever were.
    count: u64,
    /// The files of unix sockets that are closed here already and accepted from elsewhere.
    files: Vec<SocketFile>,
    /// Descriptors that were passed and do not listen: kept open, for they are the author's.
    others: Vec<(String, OwnedFd)>,
}

/// A socket that is held, or was. Never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SocketId(u64);

/// A socket that is held.
#[derive(Debug)]
pub(crate) struct Held {
    id: SocketId,
    name: Option<String>,
    address: Address,
    slot: Option<usize>,
    file: Option<SocketFile>,
    fd: OwnedFd,
}

impl Held {
    /// Returns which socket this is.
    pub(crate) fn id(&self) -> SocketId {
        self.id
    }

    /// Returns the name under which systemd passed the socket, if it did.
    pub(crate) fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Returns the address that was asked for, or that a passed socket is bound to.
    pub(crate) fn address(&self) -> &Address {
        &self.address
    }

    /// Returns the slot whose own socket this is.
    pub(crate) fn slot(&self) -> Option<usize> {
        self.slot
    }

    /// Returns the address that the socket is bound to: a port where 0 was asked for.
    pub(crate) fn local_address(&self) -> io::Result<Address> {
        socket::local_address(&self.fd)
    }

    /// Tells whether no other socket can be bound to an address because of this one.
    fn is_in_the_way_of(&self, asked: &Address) -> bool {
        let Some(own) = self.local_address().ok().and_then(|address| address.tcp()) else {
            return self.address == *asked;
        };
        let same_port = asked.port() == Some(own.port());
        let every = is_any(own) || matches!(asked, Address::Any(_));
        let overlaps = |asked: SocketAddr| every || is_any(asked) || asked.ip() == own.ip();
        same_port && asked.tcp().map_or(every, overlaps)
    }

    /// Returns the descriptor.
    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

fn remove(file: &SocketFile) {
    if let Err(error) = file.remove() {
        tracing::debug!(%error, ?file, "cannot remove the file of a socket");
    }
}

impl Listeners {
    /// Takes the sockets that were passed to this process.
    ///
    /// To be called first of all, and followed by the removal of [`VARIABLES`](crate::listen::VARIABLES)
    /// from the environment.
    pub(crate) fn from_env() -> Result<Self, ActivationError> {
        let mut listeners = Self::default();
        for (name, fd) in activation::take()? {
            listeners.keep_passed(name, fd);
        }
        Ok(listeners)
    }

    /// Returns the socket of an address, bound at the first call.
    ///
    /// With `reuse_port` each slot has a socket of its own; without it, or without a slot, all
    /// share one. A socket that was passed is preferred to binding, and always shared.
    pub(crate) fn bind(
        &mut self,
        options: &ListenOptions,
        slot: Option<usize>,
    ) -> Result<&Held, BindError> {
        let address = options.address();
        let own_slot = own_slot(options, slot);
        let index = match self.find(address, own_slot)? {
            Some(index) => index,
            None => {
                let (fd, file) = self.open(options, own_slot)?;
                let id = self.next_id();
                self.sockets.push(Held {
                    id,
                    name: None,
                    address: address.clone(),
                    slot: own_slot,
                    file,
                    fd,
                });
                self.sockets.len() - 1
            }
        };
        Ok(&self.sockets[index])
    }

    fn next_id(&mut self) -> SocketId {
        self.count += 1;
        SocketId(self.count)
    }

    /// Returns the socket of an address if there is one already.
    pub(crate) fn held(&self, options: &ListenOptions, slot: Option<usize>) -> Option<&Held> {
        let index = self
            .find(options.address(), own_slot(options, slot))
            .ok()??;
        Some(&self.sockets[index])
    }

    /// Keeps a socket that another process of this program held before.
    ///
    /// The arguments are what [`Held`] tells of it there.
    pub(crate) fn adopt(
        &mut self,
        name: Option<&str>,
        address: Address,
        slot: Option<usize>,
        fd: OwnedFd,
    ) -> Result<(), BindError> {
        if !socket::listens(fd.as_fd()) {
            return Err(BindError::NotListening { address });
        }
        socket::prepare(fd.as_fd()).map_err(|source| BindError::os(&address, source))?;
        let file = match (&address, name) {
            // A file that is gone cannot be removed later, and the socket works without it.
            (Address::Unix(path), None) => SocketFile::at(path).ok(),
            _ => None,
        };
        let id = self.next_id();
        self.sockets.push(Held {
            id,
            name: name.map(str::to_owned),
            address,
            slot,
            file,
            fd,
        });
        Ok(())
    }

    /// Closes the sockets that belong to the slots that `gone` names.
    ///
    /// A socket of a slot without a worker would go on taking connections that nobody accepts.
    pub(crate) fn close_slots(&mut self, gone: impl Fn(usize) -> bool) {
        self.sockets.retain(|held| !held.slot.is_some_and(&gone));
    }

    /// Closes the sockets that were bound here and that `gone` names, and removes their files.
    ///
    /// Those that were passed stay: whoever passed them decides how long they live.
    pub(crate) fn close_bound(&mut self, gone: impl Fn(SocketId) -> bool) -> Vec<Held> {
        let is_gone = |held: &mut Held| held.name.is_none() && gone(held.id);
        let closed: Vec<Held> = self.sockets.extract_if(.., is_gone).collect();
        closed
            .iter()
            .filter_map(|held| held.file.as_ref())
            .for_each(remove);
        closed
    }

    /// Goes through what is held, in the order in which it came.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Held> {
        self.sockets.iter()
    }

    /// Removes the files of the unix sockets that were bound here, not those of passed ones.
    ///
    /// For the very end of the program; not after a hand-over, for then the files are the other's.
    pub(crate) fn remove_socket_files(&self) {
        let held = self.sockets.iter().filter_map(|held| held.file.as_ref());
        held.chain(&self.files).for_each(remove);
    }

    /// Closes every socket here, so that the end of those who accept from it is its end.
    pub(crate) fn close_all(&mut self) {
        let files = self.sockets.drain(..).filter_map(|held| held.file);
        self.files.extend(files);
    }

    fn keep_passed(&mut self, name: String, fd: OwnedFd) {
        let address = match socket::local_address(&fd) {
            Ok(address) if socket::listens(fd.as_fd()) => address,
            _ => return self.others.push((name, fd)),
        };
        match self.adopt(Some(&name), address, None, fd) {
            Ok(()) => {}
            Err(error) => tracing::debug!(%error, name, "cannot take a socket that was passed"),
        }
    }

    /// Finds what serves an address already.
    fn find(&self, address: &Address, slot: Option<usize>) -> Result<Option<usize>, BindError> {
        if let Address::Systemd(name) = address {
            return self.find_named(address, name).map(Some);
        }
        let bound = self
            .sockets
            .iter()
            .position(|held| held.name.is_none() && held.slot == slot && held.address == *address);
        let passed = || {
            let mut passed = self
                .sockets
                .iter()
                .enumerate()
                .filter(|(_, held)| held.name.is_some());
            let exact = passed.clone().find(|(_, held)| held.address == *address);
            exact.or_else(|| passed.find(|(_, held)| covers(&held.address, address)))
        };
        Ok(bound.or_else(|| passed().map(|(index, _)| index)))
    }

    fn find_named(&self, address: &Address, name: &str) -> Result<usize, BindError> {
        let named = |held: &Held| held.name() == Some(name);
        let mut found = self
            .sockets
            .iter()
            .enumerate()
            .filter(|(_, held)| named(held));
        let Some((first, _)) = found.next() else {
            let address = address.clone();
            if self.others.iter().any(|(other, _)| other == name) {
                return Err(BindError::NotListening { address });
            }
            let passed = self
                .sockets
                .iter()
                .filter_map(|held| held.name.clone())
                .collect();
            return Err(BindError::NotPassed { address, passed });
        };
        if found.next().is_none() {
            return Ok(first);
        }
        let all = self.sockets.iter().filter(|held| named(held));
        Err(BindError::Ambiguous {
            address: address.clone(),
            passed: all.map(|held| held.address.to_string()).collect(),
        })
    }

    fn open(
        &self,
        options: &ListenOptions,
        slot: Option<usize>,
    ) -> Result<(OwnedFd, Option<SocketFile>), BindError> {
        let address = options.address();
        let queue = options.queue();
        let opened = match address {
            Address::Any(port) => {
                tcp::bind_any(self.port_of_slots(address, *port), queue, slot.is_some())
            }
            Address::Tcp(at) => {
                let mut at = *at;
                at.set_port(self.port_of_slots(address, at.port()));
                tcp::bind_one(at, queue, slot.is_some())
            }
            Address::Abstract(name) => unix::bind_abstract(name, queue),
            Address::Unix(path) => {
                let (fd, file) = unix::bind_path(address, path, queue, options)?;
                return Ok((fd, Some(file)));
            }
            Address::Host(..) | Address::Systemd(_) => {
                let address = address.clone();
                return Err(BindError::Unresolved { address });
            }
        };
        opened
            .map(|fd| (fd, None))
            .map_err(|source| self.explain(address, source))
    }

    /// Returns the port that the sockets of other slots got where 0 was asked for.
    fn port_of_slots(&self, address: &Address, port: u16) -> u16 {
        let mut others = self.sockets.iter().filter(|held| held.address == *address);
        match others.next().filter(|_| port == 0).map(Held::local_address) {
            Some(Ok(local)) => local.port().unwrap_or(port),
            _ => port,
        }
    }

    /// Says so if the socket that is in the way is one of our own.
    fn explain(&self, address: &Address, source: io::Error) -> BindError {
        let in_use = source.raw_os_error() == Some(Errno::EADDRINUSE as i32);
        let own = self
            .iter()
            .find(|held| in_use && held.is_in_the_way_of(address));
        match own {
            Some(held) => BindError::held(address, &held.address, source),
            None => BindError::os(address, source),
        }
    }
}

/// Returns the slot if a socket with these options is to be the slot's own.
fn own_slot(options: &ListenOptions, slot: Option<usize>) -> Option<usize> {
    slot.filter(|_| {
        options.is_reuse_port() && matches!(options.address(), Address::Tcp(_) | Address::Any(_))
    })
}

/// Tells whether a passed socket serves an address that is written in another way.
fn covers(passed: &Address, asked: &Address) -> bool {
    let (Address::Tcp(passed), Some(port)) = (passed, asked.port()) else {
        return false;
    };
    let any = matches!(asked, Address::Any(_)) || asked.tcp().is_some_and(is_any);
    any && is_any(*passed) && passed.port() == port
}

#[cfg(test)]
mod tests;
