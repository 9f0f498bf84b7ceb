//! What a program says of itself to be part of a cluster: `service_runtime::cluster!()`.

/// The version of a program, and the oldest peer that it can work with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Program {
    pub(crate) version: u64,
    pub(crate) oldest_peer: u64,
}

impl Program {
    /// Says which version the program is, and the oldest version of a peer that it can work with.
    pub const fn new(version: u64, oldest_peer: u64) -> Self {
        Self {
            version,
            oldest_peer,
        }
    }
}

inventory::collect!(Program);

/// Returns what the program says; none if it is not part of a cluster.
pub(super) fn declared() -> Option<Program> {
    inventory::iter::<Program>().copied().next()
}
