//! What `main` may ask while it builds the services.

use std::fmt;

use crate::settings::Flags;
use crate::settings::configuration::Loaded;

/// The process that the services are built for, and its configuration: an argument of `main`.
///
/// `main` runs once in each worker, so what it builds belongs to one worker: a pool of connections, say, that
/// all services of the worker share.
///
/// # Examples
///
/// ```no_run
/// use std::sync::Arc;
///
/// use service_runtime::prelude::*;
///
/// struct Pool;
///
/// impl Pool {
///     async fn connect(_url: &str) -> Result<Arc<Self>> {
///         Ok(Arc::new(Self))
///     }
/// }
///
/// #[derive(serde::Deserialize, Config)]
/// struct DbSettings {
///     #[config(default = "postgres://localhost/shop")]
///     url: String,
/// }
///
/// service_runtime::config_table!("db", DbSettings);
///
/// #[service]
/// struct Shop(Arc<Pool>);
///
/// #[service]
/// impl Shop {}
///
/// #[service]
/// struct Stock(Arc<Pool>);
///
/// #[service]
/// impl Stock {}
///
/// #[launch(workers = 2)]
/// async fn main(setup: &Setup) -> Result<(Shop, Stock)> {
///     let db: DbSettings = setup.config("db")?;
///     let pool = Pool::connect(&db.url).await?;
///     Ok((Shop(Arc::clone(&pool)), Stock(pool)))
/// }
/// ```
pub struct Setup {
    program: String,
    slot: Option<usize>,
    generation: u64,
    #[cfg(feature = "cli")]
    flags: Flags,
    #[cfg(feature = "config")]
    snapshot: crate::config::Snapshot,
}

impl Setup {
    #[cfg_attr(
        not(feature = "cli"),
        expect(
            unused_variables,
            reason = "there is no command line, or no configuration"
        )
    )]
    pub(crate) fn new(
        program: &str,
        slot: Option<usize>,
        generation: u64,
        flags: Flags,
        loaded: &Loaded,
    ) -> Self {
        Self {
            program: program.to_owned(),
            slot,
            generation,
            #[cfg(feature = "cli")]
            flags,
            #[cfg(feature = "config")]
            snapshot: loaded.snapshot.clone(),
        }
    }

    /// Returns the program's name.
    #[must_use]
    pub fn program(&self) -> &str {
        &self.program
    }

    /// Returns the number of the worker's slot; `None` without a supervisor.
    #[must_use]
    pub fn slot(&self) -> Option<usize> {
        self.slot
    }

    /// Returns the generation of the worker: 1, and one more after each reload.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Reads a table of the configuration that was declared: a service's, or one of `config_table!`.
    ///
    /// # Errors
    ///
    /// Returns an error if no table of that name was declared, with the nearest that was, or if it was declared
    /// with another type and does not fit this one.
    #[cfg(feature = "config")]
    pub fn config<T: crate::config::Config>(
        &self,
        table: &str,
    ) -> Result<T, crate::config::ConfigErrors> {
        self.snapshot.section(table)
    }

    /// Returns the whole configuration, as it was when the worker began.
    #[cfg(feature = "config")]
    #[must_use]
    pub fn snapshot(&self) -> &crate::config::Snapshot {
        &self.snapshot
    }

    /// Returns the program's own flags, as they were parsed.
    #[cfg(feature = "cli")]
    pub(crate) fn flags(&self) -> &Flags {
        &self.flags
    }
}

impl fmt::Debug for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Setup")
            .field("program", &self.program)
            .field("slot", &self.slot)
            .field("generation", &self.generation)
            .finish_non_exhaustive()
    }
}
