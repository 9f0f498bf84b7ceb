//! Who this process is: user and groups.
//!
//! Credentials belong to a thread. A process has to change them while it has one.

use std::collections::BTreeSet;
use std::ffi::CString;

use nix::errno::Errno;
use nix::sys::prctl::{set_dumpable, set_keepcaps, set_no_new_privs};
use nix::unistd::{
    Gid, Uid, User, getgrouplist, getgroups, getresgid, getresuid, setgroups, setresgid, setresuid,
};

use super::capabilities::{
    BIND, Refused, bound_by, effective, refused, set_ambient, set_capabilities,
};

/// A user to become, with all groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Credentials {
    pub(crate) uid: Uid,
    pub(crate) gid: Gid,
    /// All groups of the process.
    pub(crate) groups: Vec<Gid>,
}

/// Returns the groups that the name service knows a user to be a member of.
pub(crate) fn groups_of(user: &User, gid: Gid) -> nix::Result<Vec<Gid>> {
    let name = CString::new(user.name.as_str()).map_err(|_| Errno::EINVAL)?;
    getgrouplist(&name, gid)
}

impl Credentials {
    /// Returns whether this process is that user already, with these groups.
    fn hold(&self) -> bool {
        let uid = getresuid().is_ok_and(|is| [is.real, is.effective, is.saved] == [self.uid; 3]);
        let gid = getresgid().is_ok_and(|is| [is.real, is.effective, is.saved] == [self.gid; 3]);
        // The main group may stand among the others or not: that changes nothing.
        let all = |groups: &[Gid]| {
            let groups = groups.iter().chain([&self.gid]);
            groups.map(|gid| gid.as_raw()).collect::<BTreeSet<_>>()
        };
        uid && gid && getgroups().is_ok_and(|groups| all(&groups) == all(&self.groups))
    }

    /// Becomes that user, for good, and keeps the right to bind low ports if this process had it.
    ///
    /// # Errors
    ///
    /// Returns what could not be done. The process is then to be ended: it may be half another's.
    pub(crate) fn take(&self) -> Result<(), Refused> {
        let kept = effective().map_err(refused("read the capabilities"))? & BIND;
        if !self.hold() {
            if !self.uid.is_root() {
                bound_by(kept).map_err(refused("bound the capabilities"))?;
                set_keepcaps(true).map_err(refused("keep a capability"))?;
            }
            setgroups(&self.groups).map_err(refused("set the supplementary groups"))?;
            setresgid(self.gid, self.gid, self.gid).map_err(refused("set the group"))?;
            setresuid(self.uid, self.uid, self.uid).map_err(refused("set the user"))?;
        }
        if !self.uid.is_root() {
            set_keepcaps(false).map_err(refused("keep a capability"))?;
            // Inheritable and ambient, so that a program file that an upgrade starts has it too.
            set_capabilities(kept).map_err(refused("give capabilities up"))?;
            set_ambient(kept).map_err(refused("set the ambient capabilities"))?;
            // A core, and a look from outside, as of any process of this user.
            set_dumpable(true).map_err(refused("be looked at"))?;
        }
        let root = Uid::from_raw(0);
        let regained = !self.uid.is_root() && setresuid(root, root, root).is_ok();
        if regained || !self.hold() {
            return Err(refused("become another user for good")(Errno::EPERM));
        }
        Ok(())
    }
}

/// Lets nothing that this process executes give it more rights.
pub(crate) fn no_new_privileges() -> Result<(), Refused> {
    set_no_new_privs().map_err(refused("set `no_new_privs`"))
}
