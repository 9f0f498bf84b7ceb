//! The committed file of an interface, with which a test finds what was changed by accident.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use super::interface::{Interface, TypedClient};

/// The variable that has the files written instead of compared.
const BLESS: &str = "RPC_BLESS";

/// Why a surface is not that of its file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SurfaceError {
    /// The interface is another than when the file was written.
    #[error(
        "the interface of `{topic}` is not that of `{}`:\n{difference}old callers and servers know the lines \
         with `-`; if the change is meant, run the test with {BLESS}=1 and commit the file", path.display()
    )]
    Changed {
        /// The topic.
        topic: &'static str,
        /// The file.
        path: PathBuf,
        /// The lines that differ: `-` for those of the file, `+` for those of the program.
        difference: String,
    },
    /// There is no such file.
    #[error("there is no `{}`: run the test with {BLESS}=1 and commit the file", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be read or written.
    #[error("cannot use `{}`", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

/// Compares the interface of a client with a file, so that nobody changes the wire by accident.
///
/// For a test. A path that is not absolute begins at the package, where `cargo test` runs. With `RPC_BLESS=1`
/// in the environment the file is written instead. The fields of arguments are not in it: of those the
/// file holds the name of the type alone.
///
/// ```no_run
/// # use service_runtime::rpc::TypedClient;
/// # fn example<ComputeClient: TypedClient>() {
/// // #[test] fn the_wire_stays_as_it_is() {
/// service_runtime::rpc::check_surface::<ComputeClient>("compute.rpc").unwrap();
/// # }
/// ```
///
/// # Errors
///
/// Returns the lines that differ, or why the file cannot be read.
pub fn check_surface<C: TypedClient>(path: impl AsRef<Path>) -> Result<(), SurfaceError> {
    let is_blessed = env::var_os(BLESS).is_some_and(|value| !value.is_empty() && value != "0");
    check(&C::interface(), path.as_ref(), is_blessed)
}

fn check(interface: &Interface, path: &Path, is_blessed: bool) -> Result<(), SurfaceError> {
    let text = interface.to_string();
    let io = |source| SurfaceError::Io {
        path: path.to_owned(),
        source,
    };
    if is_blessed {
        return fs::write(path, text).map_err(io);
    }
    let known = match fs::read_to_string(path) {
        Ok(known) => known,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let path = path.to_owned();
            return Err(SurfaceError::Missing { path });
        }
        Err(error) => return Err(io(error)),
    };
    let difference = difference(&known, &text);
    if difference.is_empty() {
        return Ok(());
    }
    Err(SurfaceError::Changed {
        topic: interface.topic(),
        path: path.to_owned(),
        difference,
    })
}

/// Writes the lines that only one of the two has; neither has a line twice.
fn difference(known: &str, text: &str) -> String {
    let mut difference = String::new();
    let mut write = |sign, lines: &str, others: &str| {
        for line in lines
            .lines()
            .filter(|line| !others.lines().any(|other| other == *line))
        {
            let _ = writeln!(difference, "{sign} {line}");
        }
    };
    write('-', known, text);
    write('+', text, known);
    difference
}

#[cfg(test)]
mod tests {
    use super::super::interface::MethodShape;
    use super::*;

    #[test]
    fn a_surface_is_written_and_compared() {
        const OLD: &[MethodShape] = &[MethodShape::new("build", &[], "")];
        const NEW: &[MethodShape] = &[MethodShape::new("build", &[], "").cast()];
        let (old, new) = (
            Interface::new("compute", OLD),
            Interface::new("compute", NEW),
        );
        let path = env::temp_dir().join(format!("surface-{}.rpc", std::process::id()));
        let error = check(&old, &path, false).unwrap_err().to_string();
        assert!(error.contains("RPC_BLESS=1"), "{error}");
        check(&old, &path, true).unwrap();
        check(&old, &path, false).unwrap();
        let error = check(&new, &path, false).unwrap_err().to_string();
        assert!(
            error.contains("- build() since 1.0\n+ build() since 1.0 cast\n"),
            "{error}"
        );
        fs::remove_file(path).unwrap();
    }
}
