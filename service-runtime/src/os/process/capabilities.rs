//! What this process may do although it is not root: the right to bind ports below 1024, and nothing else.
//!
//! Capabilities belong to a thread. A process has to change them while it has one.
#![expect(
    unsafe_code,
    reason = "nix wraps no capabilities: two system calls with memory of ours"
)]

use nix::errno::Errno;
use nix::libc;

/// The right to bind ports below 1024.
const NET_BIND_SERVICE: u32 = 10;

/// That, as a set of capabilities.
pub(super) const BIND: u64 = 1 << NET_BIND_SERVICE;

/// The form of the system calls below: two words of 32 capabilities.
const VERSION_3: u32 = 0x2008_0522;

/// What could not be done, and why.
#[derive(Debug, thiserror::Error)]
#[error("cannot {what}")]
pub(crate) struct Refused {
    what: &'static str,
    #[source]
    why: Errno,
}

pub(super) fn refused(what: &'static str) -> impl FnOnce(Errno) -> Refused {
    move |why| Refused { what, why }
}

/// Gives up every capability: in a worker, which binds nothing by itself.
///
/// # Errors
///
/// Returns what could not be done, or was done and had no effect.
pub(crate) fn give_up_capabilities() -> Result<(), Refused> {
    set_ambient(0).map_err(refused("clear the ambient capabilities"))?;
    set_capabilities(0).map_err(refused("give capabilities up"))?;
    let left = capabilities().map_err(refused("read the capabilities"))?;
    if left
        .iter()
        .any(|word| (word.permitted | word.effective) != 0)
    {
        return Err(refused("give capabilities up for good")(Errno::EPERM));
    }
    Ok(())
}

#[repr(C)]
struct Header {
    version: u32,
    pid: libc::c_int,
}

#[repr(C)]
#[derive(Default, Clone, Copy)]
struct Word {
    effective: u32,
    permitted: u32,
    inheritable: u32,
}

static OWN: Header = Header {
    version: VERSION_3,
    pid: 0,
};

/// Reads the capabilities of this thread; an error is no empty set.
fn capabilities() -> nix::Result<[Word; 2]> {
    capabilities_as(&OWN)
}

fn capabilities_as(header: &Header) -> nix::Result<[Word; 2]> {
    let mut words = [Word::default(); 2];
    // The kernel writes its own version into a header whose version it does not know.
    let mut header = Header { ..*header };
    // SAFETY: the kernel reads one header and may write its version; version 3 makes it write two words,
    // and any other at most that: both places hold as much.
    let done = unsafe { libc::syscall(libc::SYS_capget, &raw mut header, words.as_mut_ptr()) };
    Errno::result(done)?;
    Ok(words)
}

pub(super) fn effective() -> nix::Result<u64> {
    let [low, high] = capabilities()?;
    Ok(u64::from(low.effective) | u64::from(high.effective) << 32)
}

/// Sets every set of this thread to these capabilities, which must be permitted.
pub(super) fn set_capabilities(these: u64) -> nix::Result<()> {
    let [low, high] = [these, these >> 32].map(|half| u32::try_from(half & 0xffff_ffff));
    let words = [low, high].map(|half| {
        let half = half.unwrap_or(0);
        Word {
            effective: half,
            permitted: half,
            inheritable: half,
        }
    });
    // SAFETY: version 3 makes the kernel read one header, of this process, and two words, which is
    // what both places hold.
    let done = unsafe { libc::syscall(libc::SYS_capset, &raw const OWN, words.as_ptr()) };
    Errno::result(done).map(drop)
}

/// Sets the ambient set to the right to bind low ports, or to nothing.
pub(super) fn set_ambient(these: u64) -> nix::Result<()> {
    let raise = libc::PR_CAP_AMBIENT_RAISE;
    prctl(libc::PR_CAP_AMBIENT, libc::PR_CAP_AMBIENT_CLEAR_ALL, 0)?;
    match these & BIND {
        0 => Ok(()),
        _ => prctl(libc::PR_CAP_AMBIENT, raise, NET_BIND_SERVICE.into()),
    }
}

/// Lets no program that is executed have a capability but these.
pub(super) fn bound_by(these: u64) -> nix::Result<()> {
    for capability in (0..64).filter(|capability| these >> capability & 1 == 0) {
        match prctl(libc::PR_CAPBSET_DROP, capability, 0) {
            Ok(()) => {}
            // The last capability that this kernel knows was the one before.
            Err(Errno::EINVAL) => return Ok(()),
            // In a container that took this right away the bound is the container's.
            Err(Errno::EPERM) => return Ok(()),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn prctl(what: libc::c_int, how: libc::c_int, value: libc::c_ulong) -> nix::Result<()> {
    let how = libc::c_ulong::try_from(how).map_err(|_| Errno::EINVAL)?;
    let none: libc::c_ulong = 0;
    // SAFETY: none of the options that are used here takes a pointer.
    Errno::result(unsafe { libc::prctl(what, how, value, none, none) }).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capabilities_that_cannot_be_read_are_an_error_and_not_none() {
        capabilities().unwrap();
        let unknown = Header { version: 0, pid: 0 };
        assert_eq!(capabilities_as(&unknown).err(), Some(Errno::EINVAL));
    }
}
