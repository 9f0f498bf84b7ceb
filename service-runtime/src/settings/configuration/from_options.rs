//! The configuration of a program without the feature `config`: what its options say.

use crate::exit::WrongConfig;
use crate::privileges::{PrivilegeError, Privileges};
use crate::settings::Settings;
use crate::settings::options::LaunchOptions;

/// Where the configuration comes from.
pub(crate) struct Configuration {
    given: Vec<(&'static str, String)>,
}

/// A configuration.
#[derive(Clone)]
pub(crate) struct Loaded {
    pub(crate) settings: Settings,
    pub(crate) pools: Vec<OwnPool>,
}

/// A service whose workers run nothing else: only a configuration can tell of one.
#[derive(Clone)]
pub(crate) struct OwnPool {
    pub(crate) service: String,
    pub(crate) settings: Settings,
}

/// What a mutation changed: nothing can.
pub(crate) struct Changes;

impl Configuration {
    pub(crate) fn new(options: &LaunchOptions) -> Self {
        Self {
            given: options.given.clone(),
        }
    }

    /// Reads the settings.
    pub(crate) fn load(&self) -> Result<Loaded, WrongConfig> {
        let mut settings = Settings::default();
        for (name, text) in &self.given {
            settings.read(name, text).map_err(|expects| {
                let expects = expects.unwrap_or("a setting that exists");
                WrongConfig(format!("`{name}` is `{text}`, expected {expects}"))
            })?;
        }
        let pools = Vec::new();
        let loaded = Loaded { settings, pools };
        loaded.privileges()?;
        Ok(loaded)
    }

    /// As [`load`](Self::load): no type of an author's is read.
    pub(crate) fn load_for(&self, _: impl FnOnce(&Loaded) -> bool) -> Result<Loaded, String> {
        self.load().map_err(|error| error.to_string())
    }

    /// As [`load`](Self::load): there are no files.
    pub(crate) fn load_anew(&self, _current: Option<&Loaded>) -> Result<Loaded, WrongConfig> {
        self.load()
    }

    /// Has no files.
    pub(crate) fn warn_of_unreadable(&self) {}

    /// Has no files.
    pub(crate) fn anchor(&mut self) {}

    /// Reads them once more.
    pub(crate) fn rebuild(&self, _bytes: &[u8]) -> Result<Loaded, WrongConfig> {
        self.load()
    }

    /// As [`rebuild`](Self::rebuild): there are no types of the author's.
    pub(crate) fn rebuild_checked(
        &self,
        bytes: &[u8],
        _like: &Loaded,
    ) -> Result<Loaded, WrongConfig> {
        self.rebuild(bytes)
    }
}

impl Loaded {
    /// Has no options that anybody but the program sets.
    pub(crate) fn options(&self) -> Vec<(String, String, String)> {
        Vec::new()
    }

    /// Has no keys.
    pub(crate) fn is_secret(&self, _key: &str) -> bool {
        true
    }

    /// Looks up who the program is to be.
    pub(crate) fn privileges(&self) -> Result<Privileges, WrongConfig> {
        Privileges::look_up(&self.settings.privileges)
            .map_err(|PrivilegeError(key, message)| WrongConfig(format!("`{key}`: {message}")))
    }

    pub(crate) fn check(&self) -> Result<(), WrongConfig> {
        Ok(())
    }

    pub(crate) fn checked(self) -> Result<Self, WrongConfig> {
        Ok(self)
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        Vec::new()
    }

    pub(crate) fn mutate(&mut self, newer: &Self) -> (Self, Changes) {
        (std::mem::replace(self, newer.clone()), Changes)
    }

    pub(crate) fn belong_to(&mut self, _service: &str) {}

    pub(crate) fn log_options(&self) {}
}

impl Changes {
    pub(crate) fn log(&self) {}
}
