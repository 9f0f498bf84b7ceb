//! The layers of a configuration: what is given where, and what wins.

mod keys;
mod merge;
mod secret_files;
mod sources;

use std::{collections::BTreeMap, ffi::OsString, fmt, path::PathBuf, sync::Arc};

use self::keys::{nest, split_set};
pub(crate) use self::merge::Merged;
use self::merge::{Merge, Spelling};
use self::secret_files::{SecretFile, SecretFiles};
pub(crate) use self::sources::Sources;
use super::{ConfigError, ConfigErrors, Origin, Section, Snapshot, Value, env, field, parse};

/// Where the service manager puts the files of `LoadCredential=`.
const CREDENTIALS_DIRECTORY: &str = "CREDENTIALS_DIRECTORY";

/// Everything that a configuration is made of, before any of it is read.
///
/// Whatever the order of the calls, later of these wins: defaults, attributes, files and directories
/// in the order they were named, credentials, environment, `--set`, flags. `Debug` shows names and no values.
#[derive(Clone, Default)]
pub(crate) struct Layers {
    program: String,
    attributes: Vec<(String, Value)>,
    files: Vec<Files>,
    /// Variables of the program, whose text is not there if it is not UTF-8.
    env: Vec<(String, Option<String>)>,
    /// `$CREDENTIALS_DIRECTORY`, if there is one.
    credentials: Option<PathBuf>,
    sets: Vec<String>,
    flags: Vec<(String, Value, String)>,
}

/// A file or a directory of them.
#[derive(Clone, Debug)]
enum Files {
    File { path: PathBuf, optional: bool },
    Dir(PathBuf),
}

#[cfg_attr(
    not(any(feature = "cli", test)),
    expect(
        dead_code,
        reason = "only a command line names files and single options"
    )
)]
impl Layers {
    /// Begins with nothing but the program's name, which the environment variables begin with.
    pub(crate) fn new(program: &str) -> Self {
        Self {
            program: program.to_owned(),
            ..Self::default()
        }
    }

    /// Adds an argument of `#[launch(…)]` under its dotted key, `launch.workers`.
    pub(crate) fn attribute(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.attributes.push((key.to_owned(), value.into()));
        self
    }

    /// Adds a file, which must be there.
    pub(crate) fn file(mut self, path: impl Into<PathBuf>) -> Self {
        self.files.push(Files::File {
            path: path.into(),
            optional: false,
        });
        self
    }

    /// Adds a file that need not be there; one that cannot be read is an error all the same.
    pub(crate) fn optional_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.files.push(Files::File {
            path: path.into(),
            optional: true,
        });
        self
    }

    /// Adds the files `*.toml` of a directory in the order of their names, hidden ones left out.
    pub(crate) fn dir(mut self, path: impl Into<PathBuf>) -> Self {
        self.files.push(Files::Dir(path.into()));
        self
    }

    /// Adds the program's own variables of an environment; others are left alone.
    pub(crate) fn env<N, T>(mut self, variables: impl IntoIterator<Item = (N, T)>) -> Self
    where
        N: Into<OsString>,
        T: Into<OsString>,
    {
        for (name, text) in variables {
            // A name that is no text is none of ours: it has the prefix or has it not.
            let name = name.into().to_string_lossy().into_owned();
            if name == CREDENTIALS_DIRECTORY {
                self.credentials = Some(text.into().into());
                continue;
            }
            if env::keys(&self.program, &name) != Ok(None) {
                self.env.push((name, text.into().into_string().ok()));
            }
        }
        self.env.sort();
        self
    }

    /// Adds a `--set`, as it is written: `greeter.greeting=hello`.
    pub(crate) fn set(mut self, text: impl Into<String>) -> Self {
        self.sets.push(text.into());
        self
    }

    /// Adds a flag under the dotted key that it sets; `flag` is how it is written, `--workers`.
    pub(crate) fn flag(mut self, key: &str, value: impl Into<Value>, flag: &str) -> Self {
        self.flags
            .push((key.to_owned(), value.into(), flag.to_owned()));
        self
    }

    /// Makes every path absolute, so that the files are found from another directory too.
    pub(crate) fn anchor(&mut self) {
        for files in &mut self.files {
            let (Files::File { path, .. } | Files::Dir(path)) = files;
            // An empty path stays one: reading it tells what is wrong with it.
            if let Ok(absolute) = std::path::absolute(&*path) {
                *path = absolute;
            }
        }
    }

    /// Reads all files.
    ///
    /// # Errors
    ///
    /// Returns one error for each file or directory that cannot be read, with its path and the errno.
    pub(crate) fn read(&self) -> Result<Sources, ConfigErrors> {
        let (mut sources, mut errors) = (Sources::default(), Vec::new());
        for files in &self.files {
            let read = match files {
                Files::File { path, optional } => sources.add_file(path, *optional),
                Files::Dir(path) => sources.add_dir(path),
            };
            errors.extend(read.err().into_iter().flatten());
        }
        ConfigErrors::or(errors, sources)
    }

    /// Reads the files that hold one value each: credentials, and those that an option is told of.
    ///
    /// One that cannot be read is told with everything else that is wrong, by the build.
    ///
    /// # Errors
    ///
    /// Returns an error if the directory of credentials cannot be read.
    pub(crate) fn read_secrets(
        &self,
        sources: &mut Sources,
        sections: &[Section],
    ) -> Result<(), ConfigErrors> {
        let mut files = Vec::new();
        if let Some(directory) = &self.credentials {
            let listed = secret_files::credentials(directory).map_err(|error| {
                let origin = Origin::environment(CREDENTIALS_DIRECTORY);
                let message = format!("cannot read the directory {}: {error}", directory.display());
                ConfigError::new("", "", &origin, message)
            })?;
            files.extend(listed.iter().map(|path| SecretFile::read(path, true)));
        }
        let (merged, _) = self.merge(sources, sections, SecretFiles::Read(files));
        sources.secrets = merged.secrets;
        Ok(())
    }

    /// Lays the layers over each other and checks the whole against the sections.
    ///
    /// # Errors
    ///
    /// Returns everything that is wrong: see [`build_all`](Self::build_all).
    #[cfg(test)]
    pub(crate) fn build(
        &self,
        sources: &Sources,
        sections: &[Section],
    ) -> Result<Snapshot, ConfigErrors> {
        let (snapshot, errors) = self.build_all(sources, sections);
        ConfigErrors::or(errors, snapshot)
    }

    /// Lays the layers over each other, and returns what comes of them with everything that is wrong:
    /// broken TOML, unknown tables and keys, wrong types, values out of range, required options that are
    /// missing. While a file is broken, only what can be said without its contents.
    pub(crate) fn build_all(
        &self,
        sources: &Sources,
        sections: &[Section],
    ) -> (Snapshot, Vec<ConfigError>) {
        let (merged, is_broken) = self.merge(
            sources,
            sections,
            SecretFiles::Known(sources.secrets.clone()),
        );
        if is_broken {
            let snapshot = Snapshot::new(&self.program, merged.root, sections);
            return (snapshot, merged.errors);
        }
        self.check(merged, sections)
    }

    /// Lays the layers over each other without reading any of it into an author's type: for a process that
    /// runs no code of the author's, of sources that another has checked.
    ///
    /// Texts have the types that they turned out to have in `like`, a snapshot of the same layers.
    ///
    /// # Errors
    ///
    /// Returns what is wrong without regard to types.
    pub(crate) fn build_like(
        &self,
        sources: &Sources,
        sections: &[Section],
        like: &Snapshot,
    ) -> Result<Snapshot, ConfigErrors> {
        let (mut snapshot, errors) = self.merge_alone(sources, sections);
        snapshot.resolve_like(like);
        ConfigErrors::or(errors, snapshot)
    }

    /// Lays the layers over each other, and leaves every text one; returns what is wrong without regard to
    /// types.
    pub(crate) fn merge_alone(
        &self,
        sources: &Sources,
        sections: &[Section],
    ) -> (Snapshot, Vec<ConfigError>) {
        let known = SecretFiles::Known(sources.secrets.clone());
        let (merged, _) = self.merge(sources, sections, known);
        let snapshot = Snapshot::new(&self.program, merged.root, sections);
        (snapshot, merged.errors)
    }

    /// Lays the layers over each other; tells whether a file is broken.
    fn merge(
        &self,
        sources: &Sources,
        sections: &[Section],
        secrets: SecretFiles,
    ) -> (Merged, bool) {
        let credentials = secrets.credentials();
        let mut merge = Merge::new(sections, secrets);
        for (key, value) in &self.attributes {
            let name = key.rsplit('.').next().unwrap_or(key);
            merge.lay(
                nest(key.split('.'), value.clone(), &Origin::attribute(name)),
                Spelling::Exact,
            );
        }
        let mut broken = false;
        for (path, text) in &sources.files {
            match parse::file(&Arc::from(path.as_path()), text) {
                Ok(table) => merge.lay(table, Spelling::Exact),
                Err(error) => {
                    broken = true;
                    merge.refuse(error);
                }
            }
        }
        for credential in credentials {
            merge.lay_credential(&credential);
        }
        self.lay_env(&mut merge);
        for text in &self.sets {
            match split_set(text) {
                Ok((key, value)) => {
                    let origin = Origin::set(key);
                    merge.lay(
                        nest(key.split('.'), Value::text(value), &origin),
                        Spelling::Exact,
                    );
                }
                Err(error) => merge.refuse(error),
            }
        }
        for (key, value, flag) in &self.flags {
            merge.lay(
                nest(key.split('.'), value.clone(), &Origin::flag(flag)),
                Spelling::Exact,
            );
        }
        (merge.finish(), broken)
    }

    fn lay_env(&self, merge: &mut Merge<'_>) {
        let mut seen: BTreeMap<Vec<String>, &str> = BTreeMap::new();
        for (name, text) in &self.env {
            let origin = Origin::environment(name);
            let refused = |message: String| ConfigError::new("", "", &origin, message);
            let keys = match env::keys(&self.program, name) {
                Ok(keys) => keys.unwrap_or_default(),
                Err(error) => {
                    merge.refuse(error);
                    continue;
                }
            };
            let Some(text) = text else {
                merge.refuse(refused("expected UTF-8 text".to_owned()));
                continue;
            };
            let spelled = keys.iter().map(|key| field::loosened(key)).collect();
            if let Some(other) = seen.insert(spelled, name) {
                merge.refuse(refused(format!(
                    "the same option as {other}: keep one of them"
                )));
                continue;
            }
            let keys = keys.iter().map(String::as_str);
            merge.lay(nest(keys, Value::text(text), &origin), Spelling::Loose);
        }
    }

    /// Checks every section, and gives the texts the types that their readers have asked for.
    fn check(&self, merged: Merged, sections: &[Section]) -> (Snapshot, Vec<ConfigError>) {
        let mut errors = merged.errors;
        let mut snapshot = Snapshot::new(&self.program, merged.root, sections);
        let mut resolved = Vec::new();
        for section in sections {
            let reading = section
                .reading(&self.program, snapshot.root())
                .excusing(&merged.excused);
            reading.run(section);
            let (wrong, texts) = reading.into_parts();
            errors.extend(wrong);
            resolved.extend(texts);
        }
        snapshot.resolve(resolved);
        (snapshot, errors)
    }
}

impl fmt::Debug for Layers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys = |text: &String| text.split('=').next().unwrap_or_default().to_owned();
        f.debug_struct("Layers")
            .field("program", &self.program)
            .field(
                "attributes",
                &self
                    .attributes
                    .iter()
                    .map(|(key, _)| key)
                    .collect::<Vec<_>>(),
            )
            .field("files", &self.files)
            .field(
                "env",
                &self.env.iter().map(|(name, _)| name).collect::<Vec<_>>(),
            )
            .field("sets", &self.sets.iter().map(keys).collect::<Vec<_>>())
            .field(
                "flags",
                &self
                    .flags
                    .iter()
                    .map(|(_, _, flag)| flag)
                    .collect::<Vec<_>>(),
            )
            .finish()
    }
}
