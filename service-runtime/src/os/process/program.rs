//! This program's own file, to be started anew.

use std::env;
use std::ffi::{CString, OsStr, OsString};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::unistd::execve;

use super::mask;

/// The file of the running program, whatever its path names meanwhile.
const RUNNING: &str = "/proc/self/exe";

/// How this process was started.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    /// Where the file is, or will be when it is replaced.
    path: PathBuf,
    arguments: Vec<OsString>,
    directory: Option<PathBuf>,
}

impl Program {
    /// Notes how this process was started; to be called before it changes its directory.
    pub(crate) fn of_this_process() -> Self {
        let arguments: Vec<OsString> = env::args_os().collect();
        let directory = env::current_dir().ok();
        let named = arguments
            .first()
            .and_then(|name| find(name, directory.as_deref()));
        // A link stays a link: a release is often switched by changing where one points.
        let path = named
            .filter(|path| is_same_file(path, Path::new(RUNNING)))
            .or_else(|| env::current_exe().ok())
            .unwrap_or_else(|| RUNNING.into());
        Self {
            path,
            arguments,
            directory,
        }
    }

    /// Returns where the file is looked for.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Becomes the program, with the same arguments, `variables` beside the environment, and one
    /// descriptor left open. To be called in a child that was forked for it.
    ///
    /// A file that was deleted is started from what runs still.
    ///
    /// # Errors
    ///
    /// Returns only if that fails, with the kernel's error.
    pub(crate) fn exec(&self, variables: &[(String, OsString)], kept: BorrowedFd<'_>) -> Errno {
        match self.try_exec(variables, kept) {
            Ok(never) => match never {},
            Err(error) => error,
        }
    }

    fn try_exec(
        &self,
        variables: &[(String, OsString)],
        kept: BorrowedFd<'_>,
    ) -> nix::Result<std::convert::Infallible> {
        fcntl(kept.as_fd(), FcntlArg::F_SETFD(FdFlag::empty()))?;
        if let Some(directory) = &self.directory {
            // One that is gone matters only to relative paths, and those say so themselves.
            let _ = env::set_current_dir(directory);
        }
        let arguments: Vec<CString> = self.arguments.iter().map(|text| text_of(text)).collect();
        let given = variables.iter().map(|(name, _)| name.as_str());
        let given: Vec<&str> = given.collect();
        let inherited = env::vars_os().filter(|(name, _)| {
            !given
                .iter()
                .any(|given| name.as_os_str() == OsStr::new(given))
        });
        let added = variables
            .iter()
            .map(|(name, value)| (OsString::from(name), value.clone()));
        let environment: Vec<CString> = inherited.chain(added).map(variable).collect();
        mask::unblock_all()?;
        let path = text_of(self.path.as_os_str());
        match execve(&path, &arguments, &environment) {
            Err(Errno::ENOENT) => execve(&text_of(OsStr::new(RUNNING)), &arguments, &environment),
            other => other,
        }
    }
}

/// Returns a variable's text that names a descriptor, for a program that gets it.
pub(crate) fn number_of(fd: BorrowedFd<'_>) -> String {
    fd.as_raw_fd().to_string()
}

/// Finds a program by its name, as a shell does.
fn find(name: &OsStr, directory: Option<&Path>) -> Option<PathBuf> {
    if name.as_bytes().contains(&b'/') {
        return Some(directory?.join(name));
    }
    let paths = env::var_os("PATH")?;
    let found = env::split_paths(&paths).map(|path| path.join(name));
    found.into_iter().find(|path| path.is_file())
}

fn is_same_file(one: &Path, other: &Path) -> bool {
    let id = |path: &Path| -> io::Result<(u64, u64)> {
        let found = path.metadata()?;
        Ok((found.dev(), found.ino()))
    };
    matches!((id(one), id(other)), (Ok(one), Ok(other)) if one == other)
}

fn variable((name, value): (OsString, OsString)) -> CString {
    let mut text = name.into_vec();
    text.push(b'=');
    text.extend(value.into_vec());
    text_of(OsStr::from_bytes(&text))
}

/// Neither an argument nor a variable of a process can hold a zero byte.
fn text_of(text: &OsStr) -> CString {
    let bytes: Vec<u8> = text
        .as_bytes()
        .iter()
        .copied()
        .filter(|byte| *byte != 0)
        .collect();
    CString::new(bytes).unwrap_or_default()
}
