//! The configuration of a program, in layers from files, environment and flags.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::addresses;
use super::changes::Changes;
use super::launch_table::{self, LAUNCH, read_into};
use super::pools::{self, OwnPool, POOLS};
use crate::config::{
    self, ConfigError, ConfigErrors, Layers, Section, Snapshot, Sources, log_options,
};
use crate::privileges::{PrivilegeError, Privileges};
use crate::service::registry;
use crate::settings::Settings;
use crate::settings::options::LaunchOptions;

/// Where the configuration comes from, and what it may hold.
pub(crate) struct Configuration {
    pub(super) layers: Layers,
    pub(super) sections: Arc<[Section]>,
}

/// A configuration: every value with its origin, and the launcher's own part of it.
#[derive(Clone)]
pub(crate) struct Loaded {
    /// The launcher's settings; in a worker of a service's own pool, those of the pool.
    pub(crate) settings: Settings,
    /// The services with workers of their own.
    pub(crate) pools: Vec<OwnPool>,
    /// Whose pool this worker belongs to.
    mine: Option<String>,
    pub(crate) snapshot: Snapshot,
    pub(super) sections: Arc<[Section]>,
    sources: Arc<Sources>,
}

impl Configuration {
    /// Takes in what the program says, and the environment.
    pub(crate) fn new(options: &LaunchOptions) -> Self {
        let mut layers = Layers::new(&options.program).env(std::env::vars_os());
        for (name, text) in &options.given {
            let value = config::Value::text(text.as_str());
            layers = layers.attribute(&format!("{LAUNCH}.{name}"), value);
        }
        if let Some(path) = options.config {
            layers = layers.optional_file(path);
        }
        Self {
            layers,
            sections: sections(options).into(),
        }
    }

    /// Adds what the command line says.
    #[cfg(feature = "cli")]
    pub(crate) fn with(mut self, line: &crate::settings::command_line::CommandLine) -> Self {
        for file in &line.files {
            self.layers = self.layers.file(file);
        }
        for dir in &line.dirs {
            self.layers = self.layers.dir(dir);
        }
        for set in &line.sets {
            self.layers = self.layers.set(set);
        }
        for (name, text) in &line.given {
            let flag = format!("--{}", name.replace('_', "-"));
            let value = config::Value::text(text.as_str());
            self.layers = self.layers.flag(&format!("{LAUNCH}.{name}"), value, &flag);
        }
        self
    }

    /// Adds files, directories and single options, as the command line does.
    #[cfg(all(feature = "control", workers))]
    pub(crate) fn of_files(
        mut self,
        files: &[std::path::PathBuf],
        dirs: &[std::path::PathBuf],
        sets: &[String],
    ) -> Self {
        for file in files {
            self.layers = self.layers.file(file);
        }
        for dir in dirs {
            self.layers = self.layers.dir(dir);
        }
        for set in sets {
            self.layers = self.layers.set(set);
        }
        self
    }

    /// Reads the table `[launch]` alone, whatever is wrong with others: none of the author's types is asked.
    ///
    /// # Errors
    ///
    /// Returns what cannot be read, or is wrong with that table.
    #[cfg(all(feature = "control", workers))]
    pub(crate) fn launch_settings(&self) -> Result<Settings, ConfigErrors> {
        let sources = self.layers.read()?;
        let own = [pools::reserve(launch_table::section())];
        // What other tables hold nobody knows here.
        let (snapshot, _) = self.layers.build_all(&sources, &own);
        settings(&snapshot)
    }

    /// Reads the files of the moment, and looks up what they name on this machine.
    ///
    /// Start, check, reload and upgrade all ask here, so that one does not accept what another refuses.
    #[cfg(any(feature = "cli", not(workers), test))]
    pub(crate) fn load(&self) -> Result<Loaded, ConfigErrors> {
        self.decide(self.read()?)
    }

    /// As [`load`](Self::load), beside the configuration that is in use: a file that has lost its text
    /// since, or the end of it, is being written or was cut off, and its options do not go back to their
    /// defaults unsaid.
    pub(crate) fn load_anew(&self, current: Option<&Loaded>) -> Result<Loaded, ConfigErrors> {
        let sources = self.read()?;
        if let Some(current) = current {
            for warning in sources.refuse_cut(&current.sources)? {
                tracing::warn!("{warning}");
            }
        }
        sources.warn_of_open_secrets();
        self.decide(sources)
    }

    /// Reads the files, and those that hold one secret each.
    pub(super) fn read(&self) -> Result<Sources, ConfigErrors> {
        let mut sources = self.layers.read()?;
        self.layers.read_secrets(&mut sources, &self.sections)?;
        Ok(sources)
    }

    pub(super) fn decide(&self, sources: Sources) -> Result<Loaded, ConfigErrors> {
        let (loaded, mut errors) = self.build_all(sources);
        errors.extend(loaded.privileges().err().into_iter().flatten());
        // Its type may have refused an address already.
        let is_told = |error: &ConfigError| {
            let same = |known: &ConfigError| {
                (known.section(), known.key()) == (error.section(), error.key())
            };
            errors.iter().any(same)
        };
        let addresses = addresses::check(&loaded.snapshot, &self.sections).into_iter();
        let addresses: Vec<_> = addresses.filter(|error| !is_told(error)).collect();
        errors.extend(addresses);
        ConfigErrors::or(errors, loaded)
    }

    /// Warns of files that this process could read before it gave rights up, and cannot any more.
    pub(crate) fn warn_of_unreadable(&self) {
        if let Err(error) = self.read() {
            tracing::warn!(
                "a reload will be refused, the configuration can be read no more: {error}"
            );
        }
    }

    /// Makes the paths of all files absolute: the process is about to change its directory.
    pub(crate) fn anchor(&mut self) {
        self.layers.anchor();
    }

    /// Builds the configuration that another process of the program has read.
    pub(crate) fn rebuild(&self, bytes: &[u8]) -> Result<Loaded, ConfigErrors> {
        let sources = Sources::from_bytes(bytes).map_err(|error| {
            let origin = config::Origin::file("the supervisor's copy", 0);
            ConfigErrors::at(LAUNCH, "", &origin, error.to_string())
        })?;
        self.build(sources)
    }

    /// As [`rebuild`](Self::rebuild), of a configuration that was checked elsewhere: no type of the author's
    /// is read here. `like` is an earlier configuration of the same program.
    pub(crate) fn rebuild_checked(
        &self,
        bytes: &[u8],
        like: &Loaded,
    ) -> Result<Loaded, ConfigErrors> {
        let sources = Sources::from_bytes(bytes).map_err(|error| {
            let origin = config::Origin::file("the supervisor's copy", 0);
            ConfigErrors::at(LAUNCH, "", &origin, error.to_string())
        })?;
        let layers = &self.layers;
        let snapshot = layers.build_like(&sources, &self.sections, &like.snapshot)?;
        let (loaded, errors) = self.complete(sources, snapshot, Vec::new());
        ConfigErrors::or(errors, loaded)
    }

    /// Returns the commented template of all sections.
    #[cfg(feature = "cli")]
    pub(crate) fn sample(&self) -> String {
        config::sample_config(&self.sections)
    }

    /// Returns the description of all sections for editors.
    #[cfg(feature = "cli")]
    pub(crate) fn schema(&self, program: &str) -> String {
        config::json_schema(program, &self.sections)
    }

    fn build(&self, sources: Sources) -> Result<Loaded, ConfigErrors> {
        let (loaded, errors) = self.build_all(sources);
        ConfigErrors::or(errors, loaded)
    }

    /// Builds as much as can be built, and tells everything that is wrong.
    fn build_all(&self, sources: Sources) -> (Loaded, Vec<ConfigError>) {
        let (snapshot, errors) = self.layers.build_all(&sources, &self.sections);
        self.complete(sources, snapshot, errors)
    }

    /// Reads the framework's own part of a snapshot; what else is wrong is added to the errors.
    pub(super) fn complete(
        &self,
        sources: Sources,
        snapshot: Snapshot,
        mut errors: Vec<ConfigError>,
    ) -> (Loaded, Vec<ConfigError>) {
        errors.extend(
            super::periodic::check(&snapshot)
                .err()
                .into_iter()
                .flatten(),
        );
        // A setting that is wrong was told when its table was checked.
        let mut told = errors.is_empty();
        let settings = settings(&snapshot).unwrap_or_else(|wrong| {
            if std::mem::take(&mut told) {
                errors.extend(wrong);
            }
            Settings::default()
        });
        let pools = pools::read(&snapshot, &settings).unwrap_or_else(|wrong| {
            let is_new = |error: &ConfigError| {
                !errors
                    .iter()
                    .any(|known| known.origin() == error.origin() && known.key() == error.key())
            };
            let new: Vec<_> = wrong.into_iter().filter(is_new).collect();
            errors.extend(new);
            Vec::new()
        });
        let (sections, sources) = (Arc::clone(&self.sections), Arc::new(sources));
        let loaded = Loaded {
            settings,
            pools,
            mine: None,
            snapshot,
            sections,
            sources,
        };
        (loaded, errors)
    }
}

impl Loaded {
    /// Reads every table into its author's type, and throws that away again.
    pub(crate) fn check(&self) -> Result<(), ConfigErrors> {
        let checked = catch_unwind(AssertUnwindSafe(|| self.snapshot.validate(&self.sections)));
        checked.unwrap_or_else(|panic| {
            let message = crate::tasks::panic_message(panic);
            let message = format!("the check of an option panicked: {message}");
            Err(ConfigErrors::at("", "", &config::Origin::Default, message))
        })
    }

    /// As [`check`](Self::check).
    pub(crate) fn checked(self) -> Result<Self, ConfigErrors> {
        self.check().map(|()| self)
    }

    /// Returns the path, value and origin of each option, secrets masked.
    pub(crate) fn options(&self) -> Vec<(String, String, String)> {
        config::options(&self.snapshot, &self.sections)
    }

    /// Tells whether the value of a key must never be shown; that of an unknown one must not.
    pub(crate) fn is_secret(&self, key: &str) -> bool {
        self.snapshot
            .get(key)
            .is_none_or(config::Entry::holds_secret)
    }

    /// Looks up who the program is to be.
    pub(crate) fn privileges(&self) -> Result<Privileges, ConfigErrors> {
        Privileges::look_up(&self.settings.privileges).map_err(|PrivilegeError(key, message)| {
            let mut entries = self.snapshot.entries(LAUNCH);
            let entry = entries.find(|(name, ..)| *name == key);
            let origin = entry.map_or(config::Origin::Default, |(_, _, origin)| origin.clone());
            ConfigErrors::at(LAUNCH, key, &origin, message)
        })
    }

    /// Returns the texts that this was built from.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        self.sources.to_bytes()
    }

    /// Takes over the mutable options of a newer configuration; returns this one as it was, and a
    /// line for each option that changed or could not.
    pub(crate) fn mutate(&mut self, newer: &Self) -> (Self, Changes) {
        let old = self.clone();
        let (snapshot, options) = old.snapshot.mutate(&newer.snapshot, &self.sections);
        // A value that was right in the newer configuration is right here.
        let launch = settings(&snapshot).unwrap_or_else(|_| newer.settings.clone());
        let pools = pools::read(&snapshot, &launch).unwrap_or_else(|_| newer.pools.clone());
        let pools_stay = !pools::same(&pools, &old.pools);
        if !pools_stay {
            self.pools = pools;
        }
        self.settings = launch;
        self.snapshot = snapshot;
        self.sources = Arc::clone(&newer.sources);
        if let Some(mine) = self.mine.take() {
            self.belong_to(&mine);
        }
        let changes = Changes {
            options,
            pools_stay,
        };
        (old, changes)
    }

    /// Makes the settings those of a service's own pool.
    pub(crate) fn belong_to(&mut self, service: &str) {
        if let Some(pool) = self.pools.iter().find(|pool| pool.service == service) {
            self.settings = pool.settings.clone();
        }
        self.mine = Some(service.to_owned());
    }

    /// Logs every effective value, secrets masked, and warns of files of secrets that everybody may read.
    pub(crate) fn log_options(&self) {
        self.sources.warn_of_open_secrets();
        if self.settings.log_options {
            for line in log_options(&self.snapshot, &self.sections) {
                tracing::debug!("option {line}");
            }
        }
    }

    /// Prints every effective value with its origin.
    #[cfg(feature = "cli")]
    pub(crate) fn print(&self) -> String {
        config::print_config(&self.snapshot, &self.sections)
    }
}

/// Returns every table that the program knows: the launcher's, and the registered services'.
fn sections(options: &LaunchOptions) -> Vec<Section> {
    let mut sections = vec![pools::reserve(launch_table::section())];
    for (description, registration) in registry::all() {
        let own = (registration.section)();
        let section =
            own.unwrap_or_else(|| Section::dynamic(description.name().to_owned(), Vec::new()));
        sections.push(super::periodic::reserve(section, registration.periodics));
    }
    for section in options.sections.iter().chain(&registry::tables()) {
        if !sections.iter().any(|known| known.name() == section.name()) {
            sections.push(section.clone());
        }
    }
    let count = |section: Section| {
        if section.name() == LAUNCH {
            section
        } else {
            pools::count(section)
        }
    };
    sections.into_iter().map(count).collect()
}

fn settings(snapshot: &Snapshot) -> Result<Settings, ConfigErrors> {
    read_into(Settings::default(), snapshot, LAUNCH, |name| name != POOLS)
}
