//! Unix stream sockets, and the files that stand for them.
//!
//! The file of a dead program is replaced; the file of a live one, or one that is no socket, is
//! never touched.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::PathBuf;

use nix::errno::Errno;
use socket2::{Domain, SockAddr, Socket, Type};

use super::options::Owner;
use super::{Address, BindError, ListenOptions};

/// The file of a socket that this program bound.
#[derive(Debug)]
pub(super) struct SocketFile {
    path: PathBuf,
    device: u64,
    inode: u64,
}

impl SocketFile {
    /// Remembers the file that stands at a path now.
    pub(super) fn at(path: &str) -> io::Result<Self> {
        let found = fs::symlink_metadata(path)?;
        Ok(Self {
            path: std::path::absolute(path)?,
            device: found.dev(),
            inode: found.ino(),
        })
    }

    /// Removes the file, unless another one has taken its place.
    pub(super) fn remove(&self) -> io::Result<()> {
        match fs::symlink_metadata(&self.path) {
            Ok(found) if found.dev() == self.device && found.ino() == self.inode => {
                fs::remove_file(&self.path)
            }
            Ok(_) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// Binds a path, with the file's permissions in place before the first client can connect.
pub(super) fn bind_path(
    address: &Address,
    path: &str,
    queue: i32,
    options: &ListenOptions,
) -> Result<(OwnedFd, SocketFile), BindError> {
    let (mode, owner) = (options.file_mode(), options.file_owner());
    if let Some(mode) = mode.filter(|mode| *mode > 0o777) {
        let address = address.clone();
        return Err(BindError::Mode { address, mode });
    }
    make_room(address, path)?;
    let os = |source| BindError::os(address, source);
    let socket = open().map_err(os)?;
    socket
        .bind(&SockAddr::unix(path).map_err(os)?)
        .map_err(os)?;
    let file = SocketFile::at(path).map_err(os)?;
    // A bound socket refuses connections until it listens.
    let moded = match mode {
        Some(mode) => fs::set_permissions(path, fs::Permissions::from_mode(mode)),
        None => Ok(()),
    };
    let listening = moded
        .map_err(os)
        .and_then(|()| give(address, path, owner))
        .and_then(|()| socket.listen(queue).map_err(os));
    match listening {
        Ok(()) => Ok((socket.into(), file)),
        Err(error) => {
            // The error that counts is the first one.
            let _ = file.remove();
            Err(error)
        }
    }
}

/// Gives the file to its owner, after the mode: who is not the superuser can no longer change that.
fn give(address: &Address, path: &str, owner: Owner) -> Result<(), BindError> {
    if owner == Owner::default() {
        return Ok(());
    }
    std::os::unix::fs::lchown(path, owner.user, owner.group).map_err(|source| {
        let name = |id: Option<u32>| id.map_or_else(|| "-".to_owned(), |id| id.to_string());
        let (user, group) = (name(owner.user), name(owner.group));
        BindError::Os {
            address: address.clone(),
            advice: format!(": this user may not give the file to user {user} and group {group}"),
            source,
        }
    })
}

/// Binds an abstract name, which has no file.
pub(super) fn bind_abstract(name: &str, queue: i32) -> io::Result<OwnedFd> {
    let socket = open()?;
    socket.bind(&SockAddr::unix(format!("\0{name}"))?)?;
    socket.listen(queue)?;
    Ok(socket.into())
}

fn open() -> io::Result<Socket> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

/// Removes the file of a program that is gone.
fn make_room(address: &Address, path: &str) -> Result<(), BindError> {
    let os = |source| BindError::os(address, source);
    match fs::symlink_metadata(path) {
        Ok(found) if found.file_type().is_socket() => {}
        Ok(_) => {
            let address = address.clone();
            return Err(BindError::NotASocket { address });
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(os(error)),
    }
    let client = open().map_err(os)?;
    let answer = client.connect(&SockAddr::unix(path).map_err(os)?);
    let errno = answer.as_ref().err().and_then(io::Error::raw_os_error);
    match (answer, errno.map(Errno::from_raw)) {
        (Err(_), Some(Errno::ECONNREFUSED)) => match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(os(error)),
            _ => Ok(()),
        },
        (Err(_), Some(Errno::ENOENT)) => Ok(()),
        // Somebody answers, has a full queue, or speaks another protocol.
        (Ok(()), _) | (Err(_), Some(Errno::EAGAIN | Errno::EINPROGRESS | Errno::EPROTOTYPE)) => {
            Err(os(Errno::EADDRINUSE.into()))
        }
        (Err(error), _) => Err(os(error)),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
    use std::path::Path;

    use super::*;

    /// A directory of a test's own, gone with the test.
    struct Folder(PathBuf);

    impl Folder {
        fn new(test: &str) -> Self {
            let path = std::env::temp_dir().join(format!("unix-{test}-{}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }

        fn path(&self) -> String {
            self.0.join("app.sock").to_str().unwrap().to_owned()
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn bind(path: &str, mode: Option<u32>) -> Result<(OwnedFd, SocketFile), BindError> {
        let address = Address::Unix(path.to_owned());
        let mut options = ListenOptions::new(address.clone());
        if let Some(mode) = mode {
            options = options.mode(mode);
        }
        bind_path(&address, path, 16, &options)
    }

    fn refused(path: &str) -> String {
        bind(path, None).unwrap_err().to_string()
    }

    #[test]
    fn a_bound_path_takes_connections_and_has_the_mode_asked_for() {
        let folder = Folder::new("mode");
        let (_socket, _file) = bind(&folder.path(), Some(0o640)).unwrap();
        let mode = fs::metadata(folder.path()).unwrap().mode();
        assert_eq!(mode & 0o777, 0o640);
        UnixStream::connect(folder.path()).unwrap();
    }

    #[test]
    fn a_file_is_given_to_its_owner_or_not_left_behind() {
        let folder = Folder::new("owner");
        let address = Address::Unix(folder.path());
        let options = ListenOptions::new(address.clone()).owner(Some(12345), Some(23456));
        match bind_path(&address, &folder.path(), 16, &options) {
            Ok((_socket, _file)) => {
                let found = fs::metadata(folder.path()).unwrap();
                assert_eq!((found.uid(), found.gid()), (12345, 23456));
            }
            // Who runs the tests is not the superuser.
            Err(error) => {
                let text = error.to_string();
                assert!(text.contains("to user 12345 and group 23456"), "{text}");
                assert!(!Path::new(&folder.path()).exists());
            }
        }
    }

    #[test]
    fn a_stale_socket_file_is_replaced() {
        let folder = Folder::new("stale");
        drop(UnixListener::bind(folder.path()).unwrap());
        assert!(Path::new(&folder.path()).exists());
        let (_socket, _file) = bind(&folder.path(), None).unwrap();
        UnixStream::connect(folder.path()).unwrap();
    }

    #[test]
    fn a_live_socket_is_refused_and_left_alone() {
        let folder = Folder::new("live");
        let live = UnixListener::bind(folder.path()).unwrap();
        assert!(refused(&folder.path()).contains("another process listens there"));
        live.accept().unwrap();
        UnixStream::connect(folder.path()).unwrap();
    }

    #[test]
    fn a_live_socket_of_datagrams_is_refused() {
        let folder = Folder::new("datagrams");
        let _live = UnixDatagram::bind(folder.path()).unwrap();
        assert!(refused(&folder.path()).contains("another process listens there"));
    }

    #[test]
    fn a_file_that_is_no_socket_is_left_alone() {
        let folder = Folder::new("file");
        fs::write(folder.path(), "precious").unwrap();
        assert!(refused(&folder.path()).contains("a file stands there"));
        assert_eq!(fs::read_to_string(folder.path()).unwrap(), "precious");
    }

    #[test]
    fn a_missing_directory_is_named() {
        let error = refused("/nowhere/at/all/app.sock");
        assert!(error.contains("/nowhere/at/all is no directory"), "{error}");
    }

    #[test]
    fn a_mode_of_more_than_nine_bits_is_refused() {
        let folder = Folder::new("bits");
        let error = bind(&folder.path(), Some(0o1777)).unwrap_err().to_string();
        assert!(error.contains("`0o1777` is no file mode"), "{error}");
        assert!(!Path::new(&folder.path()).exists());
    }

    #[test]
    fn only_the_file_that_was_bound_is_removed() {
        let folder = Folder::new("remove");
        let (_socket, file) = bind(&folder.path(), None).unwrap();
        fs::rename(folder.path(), folder.0.join("kept")).unwrap();
        let _other = UnixListener::bind(folder.path()).unwrap();
        file.remove().unwrap();
        assert!(Path::new(&folder.path()).exists());
        fs::rename(folder.0.join("kept"), folder.path()).unwrap();
        file.remove().unwrap();
        assert!(!Path::new(&folder.path()).exists());
        file.remove().unwrap();
    }
}
