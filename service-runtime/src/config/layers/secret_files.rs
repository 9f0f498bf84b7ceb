//! Files that hold one value each: `key_file = "…"`, `<PROGRAM>__<SECTION>__<KEY>_FILE`, and those of
//! `$CREDENTIALS_DIRECTORY`.
//!
//! They are read when the configuration files are, once, and their texts are handed on with those: what a
//! check has seen is what workers get. The texts are in no output.

use std::{
    fmt, fs,
    io::{self, Read},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

/// The largest file of one value that is read.
const LARGEST: u64 = 1 << 20;
/// The rights of those who are neither the owner nor in the group.
const OTHERS: u32 = 0o007;

/// What a file of one value held when it was read.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct SecretFile {
    pub(crate) path: PathBuf,
    /// Whether it stands in `$CREDENTIALS_DIRECTORY`.
    pub(crate) is_credential: bool,
    /// Whether everybody on this machine may read or change it.
    pub(crate) is_open: bool,
    /// The text, or why there is none.
    pub(crate) text: Result<String, String>,
}

/// Shows the path and not the text.
impl fmt::Debug for SecretFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SecretFile").field(&self.path).finish()
    }
}

impl SecretFile {
    /// Reads a file, without the line break at its end.
    pub(crate) fn read(path: &Path, is_credential: bool) -> Self {
        let (is_open, text) = match read(path) {
            Ok((mode, text)) => (mode & OTHERS != 0, text),
            Err(error) => (false, Err(error.to_string())),
        };
        Self {
            path: path.to_owned(),
            is_credential,
            is_open,
            text,
        }
    }
}

/// Lists the files of a directory of credentials whose names are those of an option, `db.password`.
///
/// # Errors
///
/// Returns the error of the operating system.
pub(crate) fn credentials(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if option(&entry.path()).is_some() {
            paths.push(entry.path());
        }
    }
    paths.sort();
    Ok(paths)
}

/// Returns the dotted path of the option that a credential is for, if its name is one.
pub(crate) fn option(credential: &Path) -> Option<&str> {
    let name = credential.file_name()?.to_str()?;
    let is_path = name.contains('.') && name.split('.').all(|key| !key.is_empty());
    is_path.then_some(name)
}

type Text = Result<String, String>;

fn read(path: &Path) -> io::Result<(u32, Text)> {
    let file = fs::OpenOptions::new()
        .read(true)
        .custom_flags(nix::libc::O_NONBLOCK)
        .open(path)?;
    let found = file.metadata()?;
    if !found.is_file() {
        return Err(io::Error::other("expected a regular file"));
    }
    let mut bytes = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut bytes)?;
    Ok((found.mode(), text(bytes)))
}

fn text(bytes: Vec<u8>) -> Text {
    if bytes.len() as u64 > LARGEST {
        return Err("it is larger than 1 MiB".to_owned());
    }
    // What is no text is not shown: it may be a secret all the same.
    let text = String::from_utf8(bytes).map_err(|_| "expected UTF-8 text".to_owned())?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    if text.is_empty() {
        return Err("it is empty".to_owned());
    }
    Ok(text.to_owned())
}

/// Where the texts of such files come from while layers are laid over each other.
pub(crate) enum SecretFiles {
    /// From the disk; what was read is kept.
    Read(Vec<SecretFile>),
    /// From an earlier reading.
    Known(Vec<SecretFile>),
}

impl SecretFiles {
    /// Returns the text of a file, or why there is none.
    pub(crate) fn text(&mut self, path: &Path) -> Result<String, String> {
        let (Self::Read(files) | Self::Known(files)) = self;
        if let Some(known) = files.iter().find(|known| known.path == path) {
            return known.text.clone();
        }
        if let Self::Read(files) = self {
            let read = SecretFile::read(path, false);
            let text = read.text.clone();
            files.push(read);
            return text;
        }
        Err("it was not read".to_owned())
    }

    /// Returns the credentials, by the options that they are for.
    pub(crate) fn credentials(&self) -> Vec<SecretFile> {
        let (Self::Read(files) | Self::Known(files)) = self;
        let credentials = files.iter().filter(|file| file.is_credential);
        credentials.cloned().collect()
    }

    /// Returns all that was read.
    pub(crate) fn into_files(self) -> Vec<SecretFile> {
        let (Self::Read(files) | Self::Known(files)) = self;
        files
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_break_at_the_end_is_cut() {
        let text = |bytes: &str| text(bytes.into());
        assert_eq!(text("a b\n"), Ok("a b".to_owned()));
        assert_eq!(text("a\r\n"), Ok("a".to_owned()));
        assert_eq!(text("a\n\n"), Ok("a\n".to_owned()));
        assert_eq!(text(" a"), Ok(" a".to_owned()));
        assert_eq!(text("\n"), Err("it is empty".to_owned()));
    }

    #[test]
    fn what_is_no_text_is_not_shown() {
        let error = text(b"hunter2\xff".to_vec()).unwrap_err();
        assert_eq!(error, "expected UTF-8 text");
        let long = vec![b'a'; LARGEST as usize + 1];
        assert_eq!(text(long).unwrap_err(), "it is larger than 1 MiB");
    }

    #[test]
    fn a_credential_is_named_as_its_option() {
        assert_eq!(option(Path::new("/run/c/db.password")), Some("db.password"));
        for other in ["/run/c/token", "/run/c/.hidden", "/run/c/db.", "/"] {
            assert_eq!(option(Path::new(other)), None, "{other}");
        }
    }
}
