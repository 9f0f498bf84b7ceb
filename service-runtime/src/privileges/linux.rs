//! Privileges: looked up with the configuration, taken once at start.
//!
//! The names are looked up and the user is changed while the process has one thread: credentials
//! belong to a thread, and a name service may lock. Whatever fails here ends the program before it
//! has a worker, so that it never runs with a part of what was asked for.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::sys::prctl::set_pdeathsig;
use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit, setrlimit};
use nix::sys::signal::Signal;
use nix::sys::stat::{Mode, umask};
use nix::unistd::{AccessFlags, Gid, Group, Pid, Uid, User, access, geteuid, getppid};

use super::{PrivilegeSettings, ResourceLimit};
use crate::error_chain::chain;
use crate::os::process::capabilities;
use crate::os::process::credentials::{self, Credentials};
use crate::os::process::fork;

/// What the settings come to on this machine.
#[derive(Debug, Clone, Default)]
pub(crate) struct Privileges {
    settings: PrivilegeSettings,
    /// Whom to become; `None` to stay who it is.
    credentials: Option<Credentials>,
}

/// A setting that this machine cannot follow: its name, and why not.
#[derive(Debug)]
pub(crate) struct PrivilegeError(pub(crate) &'static str, pub(crate) String);

impl Privileges {
    /// Looks up what the settings name.
    pub(crate) fn look_up(settings: &PrivilegeSettings) -> Result<Self, PrivilegeError> {
        if let Some(dir) = &settings.chdir
            && !dir.is_dir()
        {
            let message = format!("there is no directory `{}`", dir.display());
            return Err(PrivilegeError("chdir", message));
        }
        Ok(Self {
            credentials: credentials(settings)?,
            settings: settings.clone(),
        })
    }

    /// Takes what holds for every process of the program: limits, mask, user.
    ///
    /// # Errors
    ///
    /// Returns what could not be done; the process is to be ended then.
    pub(crate) fn take(&self) -> Result<(), String> {
        let settings = &self.settings;
        let limits = settings.limits;
        for (name, resource, limit) in [
            ("nofile", Resource::RLIMIT_NOFILE, limits.nofile),
            ("nproc", Resource::RLIMIT_NPROC, limits.nproc),
            ("core", Resource::RLIMIT_CORE, limits.core),
            ("memlock", Resource::RLIMIT_MEMLOCK, limits.memlock),
            ("stack", Resource::RLIMIT_STACK, limits.stack),
            ("as", Resource::RLIMIT_AS, limits.address_space),
            ("fsize", Resource::RLIMIT_FSIZE, limits.fsize),
        ] {
            if let Some(limit) = limit {
                set_limit(resource, limit)
                    .map_err(|error| format!("cannot set limit_{name}: {error}"))?;
            }
        }
        if let Some(mask) = settings.umask {
            umask(Mode::from_bits_truncate(mask));
        }
        if let Some(wanted) = &self.credentials {
            fork::only_thread()
                .map_err(|error| format!("cannot become another user: {}", chain(&error)))?;
            wanted.take().map_err(|error| {
                let hint = if geteuid().is_root() {
                    ""
                } else {
                    "; only root becomes another user: start as root, or leave `user` and `group` out"
                };
                let (user, group) = (wanted.uid, wanted.gid);
                let why = chain(&error);
                format!("cannot run as user {user} and group {group}: {why}{hint}")
            })?;
        }
        if settings.no_new {
            credentials::no_new_privileges().map_err(|error| chain(&error))?;
        }
        if let Some(dir) = &settings.chdir {
            access(dir, AccessFlags::X_OK)
                .map_err(|error| format!("cannot change to `{}`: {error}", dir.display()))?;
        }
        Ok(())
    }

    /// Takes what holds for a worker: no rights at all if it is another user's, and the directory.
    ///
    /// To be called while it has one thread. The signal of the parent's death comes last: a change
    /// of credentials would clear it. `parent` is the pid of the process that forked this one, as it was
    /// before the fork: a parent that has died since is an error, because no signal will tell of it.
    pub(crate) fn apply_in_worker(&self, parents_death: Signal, parent: Pid) -> Result<(), String> {
        if self.is_dropped() {
            capabilities::give_up_capabilities().map_err(|error| chain(&error))?;
        }
        set_pdeathsig(parents_death)
            .map_err(|error| format!("cannot ask for a signal at the parent's death: {error}"))?;
        if getppid() != parent {
            return Err("the process that forked this one is gone".to_owned());
        }
        self.change_directory()
    }

    /// Changes to the directory of the services.
    pub(crate) fn change_directory(&self) -> Result<(), String> {
        let Some(dir) = &self.settings.chdir else {
            return Ok(());
        };
        std::env::set_current_dir(dir)
            .map_err(|error| format!("cannot change to `{}`: {error}", dir.display()))
    }

    /// Returns the directory of the services, if there is one of theirs.
    pub(crate) fn directory(&self) -> Option<&PathBuf> {
        self.settings.chdir.as_ref()
    }

    /// Tells whether the user of the program may make and remove files in a directory.
    pub(crate) fn may_write_in(&self, folder: &Path) -> bool {
        let Some(user) = &self.credentials else {
            return true;
        };
        let mut folders = folder.ancestors();
        let own = folders
            .next()
            .is_some_and(|own| may(user, own, WRITE | SEARCH));
        own && folders.all(|above| may(user, above, SEARCH))
    }

    /// Tells whether a directory keeps everybody but its owner and the file's from removing a file.
    pub(crate) fn is_kept_by_sticky(&self, folder: &Path, file: &Path) -> bool {
        let (Some(user), Ok(folder)) = (&self.credentials, std::fs::metadata(folder)) else {
            return false;
        };
        let owns = |found: &Metadata| user.uid.is_root() || found.uid() == user.uid.as_raw();
        let file = std::fs::symlink_metadata(file);
        // One that root is yet to make is root's.
        let owns_file = file.is_ok_and(|file| owns(&file));
        folder.mode() & 0o1000 != 0 && !owns(&folder) && !owns_file
    }

    /// Returns the number of the user that the program becomes, if it becomes another.
    pub(crate) fn user(&self) -> Option<u32> {
        let credentials = self.credentials.as_ref();
        credentials.map(|credentials| credentials.uid.as_raw())
    }

    /// Returns whether this program was told to be somebody who is not root.
    pub(crate) fn is_dropped(&self) -> bool {
        let credentials = self.credentials.as_ref();
        credentials.is_some_and(|credentials| !credentials.uid.is_root())
    }
}

const WRITE: u32 = 0o2;
const SEARCH: u32 = 0o1;

/// Tells whether a user may do this with a directory, by the bits of its owner, its group or others.
fn may(user: &Credentials, folder: &Path, wanted: u32) -> bool {
    if user.uid.is_root() {
        return true;
    }
    let Ok(found) = std::fs::metadata(folder) else {
        return false;
    };
    let groups = user.groups.iter().chain([&user.gid]);
    let shift = if found.uid() == user.uid.as_raw() {
        6
    } else if groups
        .into_iter()
        .any(|group| found.gid() == group.as_raw())
    {
        3
    } else {
        0
    };
    found.mode() >> shift & wanted == wanted
}

/// Sets a limit; one that is above what may be set as it is already stays.
fn set_limit(resource: Resource, limit: ResourceLimit) -> nix::Result<()> {
    let [soft, hard] = [limit.soft, limit.hard].map(|limit| limit.unwrap_or(RLIM_INFINITY));
    if getrlimit(resource)? == (soft, hard) {
        return Ok(());
    }
    setrlimit(resource, soft, hard)
}

fn credentials(settings: &PrivilegeSettings) -> Result<Option<Credentials>, PrivilegeError> {
    let group = settings.group.as_deref().map(group).transpose()?;
    let Some(name) = settings.user.as_deref() else {
        return Ok(group.map(|gid| Credentials {
            uid: geteuid(),
            gid,
            groups: vec![gid],
        }));
    };
    let unknown = |message: String| PrivilegeError("user", message);
    let number = name.parse().ok().map(Uid::from_raw);
    let found = match number {
        Some(uid) => User::from_uid(uid),
        None => User::from_name(name),
    };
    let found = found.map_err(|error| unknown(format!("cannot look up `{name}`: {error}")))?;
    let (uid, gid, groups) = match (found, number) {
        (Some(user), _) => {
            let gid = group.unwrap_or(user.gid);
            let groups = credentials::groups_of(&user, gid).map_err(|error| {
                unknown(format!("cannot look up the groups of `{name}`: {error}"))
            })?;
            (user.uid, gid, groups)
        }
        (None, Some(uid)) => match group {
            Some(gid) => (uid, gid, vec![gid]),
            None => {
                let message = format!("user {uid} has no name here, so set `group` as well");
                return Err(unknown(message));
            }
        },
        (None, None) => return Err(unknown(format!("there is no user `{name}`"))),
    };
    Ok(Some(Credentials { uid, gid, groups }))
}

fn group(name: &str) -> Result<Gid, PrivilegeError> {
    let unknown = |message: String| PrivilegeError("group", message);
    if let Ok(number) = name.parse() {
        return Ok(Gid::from_raw(number));
    }
    match Group::from_name(name) {
        Ok(Some(group)) => Ok(group.gid),
        Ok(None) => Err(unknown(format!("there is no group `{name}`"))),
        Err(error) => Err(unknown(format!("cannot look up `{name}`: {error}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look_up(user: Option<&str>, group: Option<&str>) -> Result<Option<Credentials>, String> {
        let settings = PrivilegeSettings {
            user: user.map(str::to_owned),
            group: group.map(str::to_owned),
            ..PrivilegeSettings::default()
        };
        credentials(&settings).map_err(|PrivilegeError(key, message)| format!("{key}: {message}"))
    }

    #[test]
    fn names_and_numbers_are_looked_up_and_unknown_ones_refused() {
        assert_eq!(look_up(None, None), Ok(None));
        let root = look_up(Some("root"), None).unwrap().unwrap();
        assert_eq!((root.uid, root.gid), (Uid::from_raw(0), Gid::from_raw(0)));
        let stranger = look_up(Some("4000123"), Some("4000124")).unwrap().unwrap();
        assert_eq!(stranger.groups, [Gid::from_raw(4_000_124)]);
        let refused = |user, group| look_up(user, group).unwrap_err();
        assert!(refused(Some("4000123"), None).contains("set `group` as well"));
        assert!(refused(Some("nobody-at-all"), None).contains("no user `nobody-at-all`"));
        assert!(refused(None, Some("nobody-at-all")).starts_with("group: there is no group"));
    }

    #[test]
    fn rights_are_those_of_the_owner_or_a_group_or_all_others() {
        use std::os::unix::fs::PermissionsExt;
        let folder = std::env::temp_dir().join(format!("service-runtime-may-{}", Pid::this()));
        std::fs::create_dir(&folder).unwrap();
        let found = std::fs::metadata(&folder).unwrap();
        let (uid, gid) = (Uid::from_raw(found.uid()), Gid::from_raw(found.gid()));
        let stranger = Uid::from_raw(4_000_123);
        let nobodys = Gid::from_raw(4_000_124);
        let user = |uid, gid, groups: &[Gid]| Credentials {
            uid,
            gid,
            groups: groups.to_vec(),
        };
        for (mode, who, allowed) in [
            (0o700, user(uid, nobodys, &[]), true),
            (0o077, user(uid, gid, &[]), uid.is_root()),
            (0o070, user(stranger, gid, &[]), true),
            (0o070, user(stranger, nobodys, &[nobodys, gid]), true),
            (0o707, user(stranger, nobodys, &[gid]), false),
            (0o007, user(stranger, nobodys, &[]), true),
            (0o770, user(stranger, nobodys, &[]), false),
            (0o002, user(stranger, nobodys, &[]), false),
            (0o000, user(Uid::from_raw(0), nobodys, &[]), true),
        ] {
            let set = std::fs::Permissions::from_mode(mode);
            std::fs::set_permissions(&folder, set).unwrap();
            assert_eq!(
                may(&who, &folder, WRITE | SEARCH),
                allowed,
                "{mode:o} {who:?}"
            );
        }
        std::fs::remove_dir(&folder).unwrap();
    }

    #[test]
    fn a_parent_that_has_died_since_the_fork_is_noticed() {
        let privileges = Privileges::default();
        // In a thread of its own, whose setting ends with it.
        let taken = std::thread::spawn(move || {
            let own = privileges.apply_in_worker(Signal::SIGPWR, getppid());
            // No process has this pid, so it is nobody's parent.
            let gone = privileges.apply_in_worker(Signal::SIGPWR, Pid::from_raw(i32::MAX));
            (own, gone)
        });
        let (own, gone) = taken.join().unwrap();
        assert_eq!(own, Ok(()));
        assert_eq!(
            gone.unwrap_err(),
            "the process that forked this one is gone"
        );
    }

    #[test]
    fn a_directory_that_is_not_there_is_refused() {
        let settings = PrivilegeSettings {
            chdir: Some("/nowhere/at/all".into()),
            ..PrivilegeSettings::default()
        };
        let PrivilegeError(key, message) = Privileges::look_up(&settings).unwrap_err();
        assert_eq!(key, "chdir");
        assert!(message.contains("/nowhere/at/all"), "{message}");
    }
}
