//! How to listen: the address and what else the socket wants to know.

use std::net::SocketAddr;
use std::num::ParseIntError;

use super::{Address, AddressError, OptionsError};

/// How many connections wait in the accept queue unless the author says otherwise.
const DEFAULT_BACKLOG: u32 = 1024;
/// The longest accept queue that every supported kernel takes without wrapping the number.
const MAX_BACKLOG: u32 = 65_535;

/// Says how to listen.
///
/// # Examples
///
/// ```
/// use service_runtime::listen::ListenOptions;
///
/// let options = ListenOptions::try_from("unix:/run/app.sock")?.backlog(64).mode(0o660);
/// assert_eq!(options.address().to_string(), "unix:/run/app.sock");
/// # Ok::<(), service_runtime::listen::AddressError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenOptions {
    address: Address,
    backlog: u32,
    /// `None` until somebody says it.
    reuse_port: Option<bool>,
    mode: Option<u32>,
    owner: Owner,
}

/// Whom the file of a unix socket belongs to, by number; nothing leaves it as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Owner {
    pub(super) user: Option<u32>,
    pub(super) group: Option<u32>,
}

impl ListenOptions {
    /// Listens on `address`, everything else by default.
    #[must_use]
    pub fn new(address: Address) -> Self {
        Self {
            address,
            backlog: DEFAULT_BACKLOG,
            reuse_port: None,
            mode: None,
            owner: Owner::default(),
        }
    }

    /// Sets how many connections may wait in the accept queue, 1 to 65535; by default 1024.
    ///
    /// The system may hold fewer: `net.core.somaxconn`.
    #[must_use]
    pub fn backlog(mut self, connections: u32) -> Self {
        self.backlog = connections.clamp(1, MAX_BACKLOG);
        self
    }

    /// Sets whether each slot gets a socket of its own (`SO_REUSEPORT`).
    ///
    /// Concerns TCP sockets that the program binds itself; all others stay shared. Without this
    /// call the setting `reuse_port` of the launch decides.
    #[must_use]
    pub fn reuse_port(mut self, yes: bool) -> Self {
        self.reuse_port = Some(yes);
        self
    }

    /// Decides what nobody has decided yet.
    #[must_use]
    pub(crate) fn reuse_port_by_default(mut self, yes: bool) -> Self {
        self.reuse_port.get_or_insert(yes);
        self
    }

    /// Sets the permissions of a unix socket's file, such as `0o660`.
    ///
    /// The file has them before the first client can connect. Without this call the process's
    /// umask decides.
    #[must_use]
    pub fn mode(mut self, mode: u32) -> Self {
        self.mode = Some(mode);
        self
    }

    /// Sets the user and the group that a unix socket's file belongs to, by number.
    ///
    /// The file is theirs before the first client can connect. Only the superuser may give a file to
    /// another user, or to a group that it is not in itself.
    #[must_use]
    pub fn owner(mut self, user: Option<u32>, group: Option<u32>) -> Self {
        self.owner = Owner { user, group };
        self
    }

    /// Replaces the address, as after [`Address::resolve`].
    #[must_use]
    pub fn at(mut self, address: Address) -> Self {
        self.address = address;
        self
    }

    /// Returns the address.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Returns how many connections may wait, as `listen(2)` takes it.
    pub(super) fn queue(&self) -> i32 {
        i32::try_from(self.backlog).expect("the backlog was capped far below")
    }

    /// Tells whether each slot gets a socket of its own.
    #[must_use]
    pub fn is_reuse_port(&self) -> bool {
        self.reuse_port.unwrap_or(false)
    }

    /// Returns the permissions of the socket's file, if any were set.
    pub(super) fn file_mode(&self) -> Option<u32> {
        self.mode
    }

    /// Returns whom the socket's file is to belong to.
    pub(super) fn file_owner(&self) -> Owner {
        self.owner
    }

    /// Writes the options as one line of text for another process of this program.
    ///
    /// The address comes last, for it may hold anything, spaces and line ends included.
    pub(crate) fn to_wire(&self) -> String {
        let mode = self
            .mode
            .map_or_else(|| "-".to_owned(), |mode| format!("{mode:o}"));
        let number = |number: Option<u32>| {
            number.map_or_else(|| "-".to_owned(), |number| number.to_string())
        };
        let (user, group) = (number(self.owner.user), number(self.owner.group));
        let reuse_port = u8::from(self.is_reuse_port());
        let Self {
            backlog, address, ..
        } = self;
        format!("{backlog} {reuse_port} {mode} {user} {group} {address}")
    }

    /// Reads what [`to_wire`](Self::to_wire) wrote.
    pub(crate) fn from_wire(text: &str) -> Result<Self, OptionsError> {
        let malformed = || OptionsError::Malformed(text.to_owned());
        let number = |_: ParseIntError| malformed();
        let mut parts = text.splitn(6, ' ');
        let mut part = || parts.next().ok_or_else(malformed);
        let backlog = part()?.parse().map_err(number)?;
        let reuse_port = match part()? {
            "0" => false,
            "1" => true,
            _ => return Err(malformed()),
        };
        let mode = match part()? {
            "-" => None,
            mode => Some(u32::from_str_radix(mode, 8).map_err(number)?),
        };
        let mut id = || match part()? {
            "-" => Ok(None),
            id => id.parse().map(Some).map_err(number),
        };
        let (user, group) = (id()?, id()?);
        let address = part()?.parse()?;
        let options = Self::new(address).backlog(backlog).reuse_port(reuse_port);
        let options = options.owner(user, group);
        Ok(Self { mode, ..options })
    }
}

impl From<Address> for ListenOptions {
    fn from(address: Address) -> Self {
        Self::new(address)
    }
}

impl From<SocketAddr> for ListenOptions {
    fn from(address: SocketAddr) -> Self {
        Self::new(Address::Tcp(address))
    }
}

impl TryFrom<&str> for ListenOptions {
    type Error = AddressError;

    fn try_from(address: &str) -> Result<Self, AddressError> {
        Ok(Self::new(address.parse()?))
    }
}

impl TryFrom<&String> for ListenOptions {
    type Error = AddressError;

    fn try_from(address: &String) -> Result<Self, AddressError> {
        Self::try_from(address.as_str())
    }
}

impl TryFrom<String> for ListenOptions {
    type Error = AddressError;

    fn try_from(address: String) -> Result<Self, AddressError> {
        Self::try_from(address.as_str())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn options(text: &str) -> ListenOptions {
        ListenOptions::try_from(text).unwrap()
    }

    #[test]
    fn the_backlog_stays_within_what_the_system_takes() {
        assert_eq!(options(":80").queue(), 1024);
        assert_eq!(options(":80").backlog(0).queue(), 1);
        assert_eq!(options(":80").backlog(u32::MAX).queue(), 65_535);
    }

    #[test]
    fn a_malformed_line_is_refused() {
        for text in [
            "",
            "1024",
            "1024 0 - - -",
            "x 0 - - - :80",
            "1 2 - - - :80",
            "1 0 9 - - :80",
            "1 0 - x - :80",
            "1 0 - - -1 :80",
            "1 0 - - - 80",
        ] {
            assert!(ListenOptions::from_wire(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn options_travel_as_text(
            backlog in 0u32..=100_000,
            reuse_port: bool,
            mode in proptest::option::of(0u32..=0o777),
            owner: (Option<u32>, Option<u32>),
            address in prop_oneof![
                Just(":80".to_owned()),
                Just("[::1]:0".to_owned()),
                // No `@` first: a name in the abstract namespace must not be empty.
                "unix:[^\0@][^\0]{0,19}",
                "unix:@[^\0]{1,19}",
                "systemd:[ -9;-~]{1,40}",
            ],
        ) {
            // Whatever travels has been decided.
            let mut sent = options(&address).backlog(backlog).reuse_port(reuse_port);
            if let Some(mode) = mode {
                sent = sent.mode(mode);
            }
            sent = sent.owner(owner.0, owner.1);
            prop_assert_eq!(ListenOptions::from_wire(&sent.to_wire()).unwrap(), sent);
        }
    }
}
