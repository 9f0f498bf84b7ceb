//! The texts of all files, read once, so that every process builds the same snapshot.

use std::{
    ffi::OsString,
    fmt,
    fs::{self, Metadata, OpenOptions},
    io::{self, Read},
    os::unix::{
        ffi::{OsStrExt, OsStringExt},
        fs::{FileTypeExt, MetadataExt, OpenOptionsExt},
    },
    path::{Path, PathBuf},
};

use super::secret_files::SecretFile;
use crate::config::{ConfigError, ConfigErrors, Origin};

/// The texts of the configuration files, as they were at one moment.
///
/// `Debug` shows the paths and not the texts, which may hold secrets.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Sources {
    pub(crate) files: Vec<(PathBuf, String)>,
    /// Files that hold one value each.
    pub(crate) secrets: Vec<SecretFile>,
}

/// What a text is, in the bytes for another process: a configuration file, or a file of one value.
const FILE: u8 = 0;
const SECRET: u8 = 8;
const SECRETS_END: u8 = 16;
/// What is known of a file of one value.
const CREDENTIAL: u8 = 1;
const OPEN: u8 = 2;
const WRONG: u8 = 4;

/// The bytes are not those of a [`Sources`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot read configuration sources from {0} bytes that are none")]
pub(crate) struct SourcesError(usize);

impl Sources {
    /// Returns the paths of the files, in the order in which they are laid over each other.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().map(|(path, _)| path.as_path())
    }

    /// Writes the texts for another process of the same program.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut put = |path: &Path, kind: u8, text: &str| {
            bytes.push(kind);
            for part in [path.as_os_str().as_bytes(), text.as_bytes()] {
                bytes.extend((part.len() as u64).to_le_bytes());
                bytes.extend(part);
            }
        };
        for (path, text) in &self.files {
            put(path, FILE, text);
        }
        for secret in &self.secrets {
            let (wrong, text) = match &secret.text {
                Ok(text) => (0, text),
                Err(why) => (WRONG, why),
            };
            let credential = u8::from(secret.is_credential) * CREDENTIAL;
            let open = u8::from(secret.is_open) * OPEN;
            put(&secret.path, SECRET | credential | open | wrong, text);
        }
        bytes
    }

    /// Reads what [`to_bytes`](Self::to_bytes) has written.
    ///
    /// # Errors
    ///
    /// Returns an error if the bytes are cut short or not of that form.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, SourcesError> {
        let wrong = || SourcesError(bytes.len());
        let (mut rest, mut files, mut secrets) = (bytes, Vec::new(), Vec::new());
        while let Some((&kind, after)) = rest.split_first() {
            rest = after;
            let path = part(&mut rest).ok_or_else(wrong)?;
            let text = part(&mut rest).ok_or_else(wrong)?;
            let text = String::from_utf8(text.to_vec()).map_err(|_| wrong())?;
            let path = OsString::from_vec(path.to_vec()).into();
            match kind {
                // In the order in which they are written.
                FILE if secrets.is_empty() => files.push((path, text)),
                SECRET..SECRETS_END => secrets.push(SecretFile {
                    path,
                    is_credential: kind & CREDENTIAL != 0,
                    is_open: kind & OPEN != 0,
                    text: if kind & WRONG == 0 {
                        Ok(text)
                    } else {
                        Err(text)
                    },
                }),
                _ => return Err(wrong()),
            }
        }
        Ok(Self { files, secrets })
    }

    /// Warns of each secret's file that everybody on this machine may read or change.
    pub(crate) fn warn_of_open_secrets(&self) {
        for secret in self.secrets.iter().filter(|secret| secret.is_open) {
            tracing::warn!(
                "everybody on this machine may read or change the secret in {}: take the rights of others away \
                 (chmod o= FILE)",
                secret.path.display()
            );
        }
    }

    /// Refuses files that have lost their text, or the end of it in the middle of a line; returns a warning
    /// for each that has lost whole lines at its end.
    ///
    /// Such a file may be one that is being written, or that a full disk has cut off, and yet be right:
    /// options that it has no more would go back to their defaults.
    pub(crate) fn refuse_cut(&self, before: &Self) -> Result<Vec<String>, ConfigErrors> {
        let (mut errors, mut warnings) = (Vec::new(), Vec::new());
        for (path, text) in &self.files {
            let mut known = before.files.iter();
            let Some((_, old)) = known.find(|(known, _)| known == path) else {
                continue;
            };
            let line = text.lines().count().max(1);
            match cut(old, text) {
                Cut::None => {}
                Cut::Emptied => errors.push(refused(path, line, "the file is empty and was not before")),
                Cut::InLine => errors.push(refused(
                    path,
                    line,
                    "the file ends here in the middle of a line that it had before",
                )),
                Cut::Lines(number) => warnings.push(format!(
                    "{}: the file is as it was but for its last {number} lines, which are gone: options that stood \
                     there have their defaults now",
                    path.display()
                )),
            }
        }
        ConfigErrors::or(errors, warnings)
    }

    /// Reads a file; one that may be absent is no error when it is.
    pub(super) fn add_file(&mut self, path: &Path, optional: bool) -> Result<(), ConfigErrors> {
        let text = match read(path) {
            Ok(bytes) => String::from_utf8(bytes).map_err(|error| not_text(path, &error))?,
            Err(error) if optional && error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(unreadable(path, &error)),
        };
        self.files.push((path.to_owned(), text));
        Ok(())
    }

    /// Reads the files `*.toml` of a directory in the order of their names, hidden ones left out.
    pub(super) fn add_dir(&mut self, dir: &Path) -> Result<(), ConfigErrors> {
        let listed = fs::read_dir(dir).and_then(|entries| {
            entries
                .map(|entry| Ok(entry?.path()))
                .collect::<io::Result<Vec<_>>>()
        });
        let mut paths = listed.map_err(|error| unreadable(dir, &error))?;
        paths.retain(|path| {
            let hidden = path
                .file_name()
                .is_some_and(|name| name.as_bytes().starts_with(b"."));
            path.extension()
                .is_some_and(|extension| extension == "toml")
                && !hidden
                && !path.is_dir()
        });
        paths.sort();
        let errors = paths
            .iter()
            .filter_map(|path| self.add_file(path, false).err());
        ConfigErrors::or(errors.flatten().collect(), ())
    }
}

/// What a text has lost of an older one at its end.
enum Cut {
    None,
    Emptied,
    InLine,
    /// So many lines that said something.
    Lines(usize),
}

fn cut(old: &str, new: &str) -> Cut {
    if new.trim().is_empty() {
        return match old.trim().is_empty() {
            true => Cut::None,
            false => Cut::Emptied,
        };
    }
    let Some(lost) = old.strip_prefix(new) else {
        return Cut::None;
    };
    let says = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
    // A new line may be taken away at the end by an editor.
    if !new.ends_with('\n') && !lost.is_empty() && !lost.starts_with(['\n', '\r']) {
        return Cut::InLine;
    }
    match lost.lines().filter(says).count() {
        0 => Cut::None,
        number => Cut::Lines(number),
    }
}

fn refused(path: &Path, line: usize, what: &str) -> ConfigError {
    let message = format!(
        "{what}: write a new file and rename it to this name, or take the options out one by one"
    );
    ConfigError::new("", "", &Origin::file(path, line), message)
}

impl fmt::Debug for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.paths()).finish()
    }
}

/// The largest file that is read.
const LARGEST: u64 = 16 << 20;

/// Reads a regular file; what could block, or never end, is refused.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = OpenOptions::new()
        .read(true)
        .custom_flags(nix::libc::O_NONBLOCK)
        .open(path)?;
    let found = file.metadata()?;
    let kind = found.file_type();
    if !kind.is_file() && path != Path::new("/dev/null") {
        let what = if kind.is_dir() {
            "a directory"
        } else if kind.is_fifo() {
            "a pipe"
        } else {
            "a device or a socket"
        };
        return Err(io::Error::other(format!(
            "it is {what}; expected a regular file"
        )));
    }
    let mut bytes = Vec::new();
    (&mut file).take(LARGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST {
        return Err(io::Error::other("it is larger than 16 MiB"));
    }
    let after = file.metadata()?;
    let stamp = |of: &Metadata| (of.len(), of.mtime(), of.mtime_nsec());
    if kind.is_file() && stamp(&found) != stamp(&after) {
        return Err(io::Error::other(
            "it is written while it is read: write a new file and rename it to this name",
        ));
    }
    Ok(bytes)
}

fn part<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, after) = rest.split_first_chunk::<8>()?;
    let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
    let (part, after) = after.split_at_checked(length)?;
    *rest = after;
    Some(part)
}

fn unreadable(path: &Path, error: &io::Error) -> ConfigErrors {
    ConfigError::plain(format!("cannot read {}: {error}", path.display())).into()
}

fn not_text(path: &Path, error: &std::string::FromUtf8Error) -> ConfigErrors {
    let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
    let line = good.iter().filter(|byte| **byte == b'\n').count() + 1;
    ConfigError::new("", "", &Origin::file(path, line), "expected UTF-8 text").into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn secret() -> impl Strategy<Value = SecretFile> {
        let path = any::<String>().prop_map(PathBuf::from);
        let text = prop_oneof![any::<String>().prop_map(Ok), any::<String>().prop_map(Err)];
        (path, any::<bool>(), any::<bool>(), text).prop_map(
            |(path, is_credential, is_open, text)| SecretFile {
                path,
                is_credential,
                is_open,
                text,
            },
        )
    }

    proptest! {
        #[test]
        fn sources_read_back_what_they_have_written(
            files in prop::collection::vec((any::<Vec<u8>>(), any::<String>()), 0..4),
            secrets in prop::collection::vec(secret(), 0..4),
        ) {
            let named = |(name, text): (Vec<u8>, String)| (OsString::from_vec(name).into(), text);
            let files = files.into_iter().map(named).collect();
            let sources = Sources { files, secrets };
            prop_assert_eq!(Sources::from_bytes(&sources.to_bytes()), Ok(sources));
        }

        #[test]
        fn bytes_from_elsewhere_are_refused_or_read_but_never_a_panic(bytes: Vec<u8>) {
            if let Ok(sources) = Sources::from_bytes(&bytes) {
                prop_assert_eq!(sources.to_bytes(), bytes);
            }
        }
    }

    #[test]
    fn bytes_cut_short_are_an_error() {
        let sources = Sources {
            files: vec![("a.toml".into(), "[a]".into())],
            secrets: Vec::new(),
        };
        let bytes = sources.to_bytes();
        assert!(Sources::from_bytes(&bytes[..bytes.len() - 1]).is_err());
    }

    fn source(text: &str) -> Sources {
        Sources {
            files: vec![("a.toml".into(), text.into())],
            secrets: Vec::new(),
        }
    }

    #[test]
    fn a_text_that_has_lost_its_end_is_refused_or_told() {
        let old = "[a]\nport = 8080\nsize = 7\n# the end\n";
        for (new, refused, warned) in [
            ("", true, false),
            (" \n", true, false),
            ("[a]\nport = 80", true, false),
            ("[a]\npo", true, false),
            ("[a]\nport = 8080", false, true),
            ("[a]\nport = 8080\n", false, true),
            ("[a]\nport = 8080\nsize = 7\n", false, false),
            ("[a]\nport = 8080\nsize = 7", false, false),
            ("[a]\nport = 80\n", false, false),
            (old, false, false),
            ("[a]\n# another\n", false, false),
        ] {
            let answer = source(new).refuse_cut(&source(old));
            assert_eq!(answer.is_err(), refused, "{new:?}");
            assert_eq!(answer.is_ok_and(|told| !told.is_empty()), warned, "{new:?}");
        }
        assert!(source("").refuse_cut(&source(" \n")).is_ok());
        assert!(source("").refuse_cut(&Sources::default()).is_ok());
    }

    #[test]
    fn the_text_is_not_in_the_debug_output() {
        let sources = Sources {
            files: vec![("a.toml".into(), "password = \"hunter2\"".into())],
            secrets: Vec::new(),
        };
        assert_eq!(format!("{sources:?}"), r#"{"a.toml"}"#);
    }
}
