//! A unix socket that is for the owner of the program alone, from its first moment on.
//!
//! The socket gets its mode before it has a name, and its name when it is ready: it is bound under another
//! name, and linked to the one asked for. What stands there and is not this program's is never touched.

use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::sys::stat::{Mode, fchmod};
use nix::unistd::geteuid;
use socket2::{Domain, SockAddr, Socket, Type};

use super::unix::SocketFile;

/// The mode of the file: its owner may connect, and nobody else.
const MODE: Mode = Mode::S_IRUSR.union(Mode::S_IWUSR);

/// How many clients wait until one is accepted.
const QUEUE: i32 = 64;

/// A socket of the owner's that listens, and its file.
#[derive(Debug)]
pub(crate) struct PrivateSocket {
    fd: OwnedFd,
    file: SocketFile,
    path: PathBuf,
}

/// Why there is no such socket.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PrivateSocketError {
    /// A symbolic link may lead anywhere.
    #[error("`{}` is a symbolic link: it is not followed, remove it or name another path", .0.display())]
    Symlink(PathBuf),
    /// Something else is there.
    #[error("`{}` is no socket: it is left alone, remove it or name another path", .0.display())]
    NotASocket(PathBuf),
    /// It belongs to somebody else.
    #[error("`{}` belongs to user {owner}: it is left alone, remove it or name another path", path.display())]
    Foreign {
        /// Where.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
    },
    /// A process listens there.
    #[error("another process listens on `{}`", .0.display())]
    InUse(PathBuf),
    /// The operating system refused.
    #[error("cannot listen on `{}`", path.display())]
    Os {
        /// Where.
        path: PathBuf,
        /// Why.
        #[source]
        why: io::Error,
    },
}

impl PrivateSocket {
    /// Listens on a path; `replaces` if a process listens there whose place this one takes.
    ///
    /// # Errors
    ///
    /// Returns what stands in the way: a link, a file, a socket of another user or of a living process, or
    /// the error of the operating system.
    pub(crate) fn bind(path: &Path, replaces: bool) -> Result<Self, PrivateSocketError> {
        let os = |why: io::Error| PrivateSocketError::Os {
            path: path.to_owned(),
            why,
        };
        // The process may change its directory later.
        let path = &std::path::absolute(path).map_err(os)?;
        let lives = make_room(path, replaces)?;
        let hidden = path.with_file_name(format!(".a{}", std::process::id()));
        // One that an earlier process of this number has left.
        let _ = fs::remove_file(&hidden);
        let socket = open(&hidden).map_err(os)?;
        let named = if lives {
            fs::rename(&hidden, path)
        } else {
            // Unlike a rename it fails if something has come to stand there meanwhile.
            fs::hard_link(&hidden, path)
        };
        let _ = fs::remove_file(&hidden);
        named.map_err(|why| match why.kind() {
            io::ErrorKind::AlreadyExists => PrivateSocketError::InUse(path.clone()),
            _ => os(why),
        })?;
        let file = SocketFile::at(&path.to_string_lossy()).map_err(os)?;
        Ok(Self {
            fd: socket.into(),
            file,
            path: path.clone(),
        })
    }

    /// Returns where it listens.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Makes a second handle on the socket, without the file.
    pub(crate) fn handle(&self) -> io::Result<OwnedFd> {
        self.fd.try_clone()
    }

    /// Removes the file, unless another one has taken its place.
    pub(crate) fn remove_file(&self) {
        if let Err(error) = self.file.remove() {
            tracing::debug!("cannot remove `{}`: {error}", self.path.display());
        }
    }
}

impl AsFd for PrivateSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

fn open(path: &Path) -> io::Result<Socket> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    // On Linux the file gets the mode that the socket has when it is bound.
    fchmod(&socket, MODE)?;
    socket.bind(&SockAddr::unix(path)?)?;
    socket.listen(QUEUE)?;
    Ok(socket)
}

/// Removes the socket of a program that is gone; returns whether one that lives is to be replaced.
fn make_room(path: &Path, replaces: bool) -> Result<bool, PrivateSocketError> {
    let os = |why: io::Error| PrivateSocketError::Os {
        path: path.to_owned(),
        why,
    };
    let found = match fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(os(error)),
    };
    let path_buf = path.to_owned();
    if found.is_symlink() {
        return Err(PrivateSocketError::Symlink(path_buf));
    }
    if !found.file_type().is_socket() {
        return Err(PrivateSocketError::NotASocket(path_buf));
    }
    if found.uid() != geteuid().as_raw() {
        return Err(PrivateSocketError::Foreign {
            path: path_buf,
            owner: found.uid(),
        });
    }
    if replaces {
        return Ok(true);
    }
    let client = Socket::new(Domain::UNIX, Type::STREAM, None).map_err(os)?;
    client.set_nonblocking(true).map_err(os)?;
    let answer = client.connect(&SockAddr::unix(path).map_err(os)?);
    let errno = answer.as_ref().err().and_then(io::Error::raw_os_error);
    match errno.map(Errno::from_raw) {
        Some(Errno::ECONNREFUSED) => match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(os(error)),
            _ => Ok(false),
        },
        Some(Errno::ENOENT) => Ok(false),
        _ => Err(PrivateSocketError::InUse(path_buf)),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::{UnixListener, UnixStream};

    use super::*;

    struct Folder(PathBuf);

    impl Folder {
        fn new(test: &str) -> Self {
            let path = std::env::temp_dir().join(format!("private-{test}-{}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }

        fn socket(&self) -> PathBuf {
            self.0.join("admin.sock")
        }

        fn names(&self) -> Vec<String> {
            let names = fs::read_dir(&self.0).unwrap();
            names
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect()
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn refused(path: &Path) -> String {
        PrivateSocket::bind(path, false).unwrap_err().to_string()
    }

    #[test]
    fn it_has_its_mode_before_it_has_its_name_and_leaves_no_other() {
        let folder = Folder::new("mode");
        let hidden = folder.0.join("hidden");
        let _bound = open(&hidden).unwrap();
        assert_eq!(fs::metadata(&hidden).unwrap().mode() & 0o777, 0o600);
        fs::remove_file(&hidden).unwrap();
        let socket = PrivateSocket::bind(&folder.socket(), false).unwrap();
        assert_eq!(fs::metadata(folder.socket()).unwrap().mode() & 0o777, 0o600);
        UnixStream::connect(folder.socket()).unwrap();
        assert_eq!(folder.names(), ["admin.sock"]);
        socket.remove_file();
        assert!(folder.names().is_empty());
    }

    #[test]
    fn a_link_and_a_file_in_its_place_are_refused_and_left_alone() {
        let folder = Folder::new("foreign");
        fs::write(folder.0.join("precious"), "precious").unwrap();
        std::os::unix::fs::symlink(folder.0.join("precious"), folder.socket()).unwrap();
        assert!(refused(&folder.socket()).contains("is a symbolic link"));
        let dangling = folder.0.join("dangling");
        std::os::unix::fs::symlink(folder.0.join("nowhere"), &dangling).unwrap();
        assert!(refused(&dangling).contains("is a symbolic link"));
        assert!(!folder.0.join("nowhere").exists());
        let file = folder.0.join("precious");
        assert!(refused(&file).contains("is no socket"));
        assert_eq!(fs::read_to_string(file).unwrap(), "precious");
        assert_eq!(folder.names().len(), 3);
    }

    #[test]
    fn a_dead_socket_is_replaced_and_a_living_one_only_by_who_takes_its_place() {
        let folder = Folder::new("stale");
        drop(UnixListener::bind(folder.socket()).unwrap());
        let first = PrivateSocket::bind(&folder.socket(), false).unwrap();
        assert!(refused(&folder.socket()).contains("another process listens on"));
        let second = PrivateSocket::bind(&folder.socket(), true).unwrap();
        // The file is the second one's now.
        first.remove_file();
        UnixStream::connect(folder.socket()).unwrap();
        second.remove_file();
        assert!(folder.names().is_empty());
    }
}
