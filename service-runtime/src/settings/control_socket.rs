//! The places in which the control socket of a program is, and in which it is looked for.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use nix::unistd::geteuid;

use super::Admin;

/// The name of the socket in a directory.
const NAME: &str = "admin.sock";

/// The variable in which systemd names the directories that it has made for the program.
const RUNTIME_DIRECTORY: &str = "RUNTIME_DIRECTORY";

/// The variable that names the directory of the user for sockets.
const XDG_RUNTIME_DIR: &str = "XDG_RUNTIME_DIR";

/// Where the socket of an instance is to be.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) path: PathBuf,
    /// A directory of the program's, which instances share, and which is made if it is missing.
    pub(crate) directory: Option<PathBuf>,
}

/// Returns where this instance of the program has its socket; `None` for nowhere.
pub(crate) fn place(admin: &Admin, program: &str) -> Option<Place> {
    place_by(admin, program, &variable)
}

fn place_by(
    admin: &Admin,
    program: &str,
    variable: &dyn Fn(&str) -> Option<PathBuf>,
) -> Option<Place> {
    let alone = |path| Place {
        path,
        directory: None,
    };
    match admin {
        Admin::Off => None,
        Admin::Path(path) => Some(alone(path.clone())),
        Admin::Auto => {
            if let Some(directory) = variable(RUNTIME_DIRECTORY) {
                return Some(alone(directory.join(NAME)));
            }
            let directory = variable(XDG_RUNTIME_DIR)?.join(program);
            Some(Place {
                path: directory.join(NAME),
                directory: Some(directory),
            })
        }
    }
}

/// Returns every path at which an instance of the program may have its socket.
pub(crate) fn candidates(admin: &Admin, program: &str) -> Vec<PathBuf> {
    match admin {
        Admin::Off => Vec::new(),
        Admin::Path(path) => vec![path.clone()],
        Admin::Auto => {
            let user = PathBuf::from(format!("/run/user/{}", geteuid()));
            let parents = [
                variable(XDG_RUNTIME_DIR),
                Some(PathBuf::from("/run")),
                Some(user),
            ];
            let directories = parents.into_iter().flatten().map(|dir| dir.join(program));
            let directories = variable(RUNTIME_DIRECTORY).into_iter().chain(directories);
            let mut found: Vec<PathBuf> = directories.flat_map(|dir| sockets_in(&dir)).collect();
            found.sort();
            found.dedup();
            found
        }
    }
}

fn sockets_in(directory: &Path) -> Vec<PathBuf> {
    let is_ours = |name: &str| name.starts_with("admin") && name.ends_with(".sock");
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries
        .filter(|entry| entry.file_name().to_str().is_some_and(is_ours))
        .map(|entry| entry.path())
        .collect()
}

/// Returns the first absolute path of a variable.
fn variable(name: &str) -> Option<PathBuf> {
    let value = std::env::var_os(name)?;
    std::env::split_paths(&value).find(|path| path.is_absolute())
}

/// Makes the directory for the owner alone, or makes sure that one that is there is.
pub(crate) fn make_directory(path: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        made => return made,
    }
    let found = fs::symlink_metadata(path)?;
    if !found.is_dir() || found.uid() != geteuid().as_raw() || found.mode() & 0o022 != 0 {
        return Err(io::Error::other(
            "it is no directory that belongs to this user alone",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(admin: &Admin, variables: &[(&str, &str)]) -> Option<Place> {
        place_by(admin, "hello", &|name| {
            let set = variables.iter().find(|(known, _)| *known == name);
            set.map(|(_, value)| PathBuf::from(value))
        })
    }

    #[test]
    fn it_is_where_the_service_manager_or_the_user_has_a_directory_and_nowhere_else() {
        let systemd = ("RUNTIME_DIRECTORY", "/run/hello");
        let user = ("XDG_RUNTIME_DIR", "/run/user/7");
        let place = |path: &str, directory: Option<&str>| Place {
            path: path.into(),
            directory: directory.map(Into::into),
        };
        assert_eq!(
            found(&Admin::Auto, &[systemd, user]),
            Some(place("/run/hello/admin.sock", None))
        );
        assert_eq!(
            found(&Admin::Auto, &[user]),
            Some(place(
                "/run/user/7/hello/admin.sock",
                Some("/run/user/7/hello")
            ))
        );
        assert_eq!(found(&Admin::Auto, &[]), None);
        assert_eq!(found(&Admin::Off, &[systemd]), None);
        let path = Admin::Path("/x/y".into());
        assert_eq!(found(&path, &[systemd]), Some(place("/x/y", None)));
    }

    #[test]
    fn a_directory_that_others_may_write_to_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let path = std::env::temp_dir().join(format!("control-dir-{}", std::process::id()));
        make_directory(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o700);
        make_directory(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o777)).unwrap();
        assert!(make_directory(&path).is_err());
        fs::remove_dir(&path).unwrap();
    }
}
