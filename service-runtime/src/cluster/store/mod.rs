//! The store: where the services of many programs keep what all of them know.
//!
//! What must stay true:
//!
//! - It is opened after the fork, in the process that uses it, at its first statement.
//! - Every change is one statement, so that it is whole or not at all in both engines.
//! - Every stamp is written by the store's own clock, in milliseconds: `{now}` in a statement.
//! - Nothing waits longer than [`LIMIT`] for an answer, and nothing of SQLite runs on a thread of the runtime.

mod error;
#[cfg(feature = "postgres")]
mod postgres;
mod schema;
mod sqlite;
#[cfg(test)]
pub(super) mod tests;
mod url;
mod value;

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

pub use self::error::StoreError;
use self::url::StoreUrl;
pub(crate) use self::value::{Row, Value};
use crate::tasks::{TaskGroup, blocking};

/// How long a statement may take, all that it waits for included.
const LIMIT: Duration = Duration::from_secs(5);

/// A store; a clone is the same one.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    url: StoreUrl,
    engine: Engine,
}

enum Engine {
    Sqlite(Arc<sqlite::Engine>),
    #[cfg(feature = "postgres")]
    Postgres(Box<postgres::Engine>),
}

impl Store {
    /// Takes a store by its address; a relative file is one of `base`. Nothing is opened yet.
    ///
    /// What drives a connection to a server runs in the background of `tasks`.
    ///
    /// # Errors
    ///
    /// Returns an error if the address cannot be read, or is of an engine that the program was built without.
    pub fn new(url: &str, base: &Path, tasks: &TaskGroup) -> Result<Self, StoreError> {
        let url = StoreUrl::parse(url, base)?;
        let engine = match &url {
            StoreUrl::Sqlite(path) => Engine::Sqlite(Arc::new(sqlite::Engine::new(path.clone()))),
            #[cfg(feature = "postgres")]
            StoreUrl::Postgres(text) => {
                let engine = postgres::Engine::new(text, url.to_string(), tasks.clone())?;
                Engine::Postgres(Box::new(engine))
            }
            #[cfg(not(feature = "postgres"))]
            StoreUrl::Postgres(_) => {
                let _ = tasks;
                return Err(StoreError::Url {
                    url: url.to_string(),
                    wrong: "this program was built without the feature `postgres`".to_owned(),
                });
            }
        };
        Ok(Self(Arc::new(Inner { url, engine })))
    }

    /// Carries out a statement, whose parameters are `$1`, `$2` …, and returns its rows.
    ///
    /// # Errors
    ///
    /// Returns an error if the store cannot be opened, does not answer in time or refuses.
    ///
    /// # Cancel safety
    ///
    /// A statement that was begun may be carried out although its future was dropped.
    pub(crate) async fn query(
        &self,
        statement: &'static str,
        values: Vec<Value>,
    ) -> Result<Vec<Row>, StoreError> {
        match &self.0.engine {
            Engine::Sqlite(engine) => {
                let engine = Arc::clone(engine);
                let done = blocking(move || engine.query(statement, &values)).await;
                done.unwrap_or_else(|cause| {
                    let store = self.to_string();
                    Err(StoreError::Unavailable { store, cause })
                })
            }
            #[cfg(feature = "postgres")]
            Engine::Postgres(engine) => engine.query(statement, &values).await,
        }
    }
}

impl fmt::Display for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.url.fmt(f)
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Store({self})")
    }
}
