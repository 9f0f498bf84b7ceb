//! The table of a service as it is now, read for each request.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::watch;

use super::{Config, ConfigErrors, Snapshot};

/// The table of a service, which follows each mutation.
///
/// [`load`](Self::load) costs about as much as a clone of an `Arc` behind a lock that nobody writes: the table
/// is read again only after it has changed. A clone follows too, and costs nothing.
pub struct Live<T>(Arc<Inner<T>>);

struct Inner<T> {
    section: String,
    current: RwLock<Current<T>>,
}

struct Current<T> {
    snapshots: watch::Receiver<Snapshot>,
    value: Arc<T>,
}

/// Why a table cannot be followed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LiveError {
    /// There is no table of that name.
    #[error(
        "service `{0}` has no table in the configuration: take one in `#[init]`, or name its type \
         in `#[service(config = …)]`"
    )]
    NoTable(String),
    /// Another type reads the table.
    #[error("the table of service `{section}` is a `{known}`, not a `{asked}`: ask for that one")]
    OtherType {
        /// The table.
        section: String,
        /// The type that it was declared with.
        known: &'static str,
        /// The type that was asked for.
        asked: &'static str,
    },
    /// The table does not make a value of the type.
    #[error(transparent)]
    Wrong(#[from] ConfigErrors),
}

impl<T: Config> Live<T> {
    /// Follows a section of the snapshots.
    pub(crate) fn follow(
        mut snapshots: watch::Receiver<Snapshot>,
        section: &str,
    ) -> Result<Self, LiveError> {
        let snapshot = snapshots.borrow_and_update().clone();
        let found = snapshot
            .sections()
            .find(|known| known.name() == section)
            .ok_or_else(|| LiveError::NoTable(section.to_owned()))?;
        let asked = std::any::type_name::<T>();
        let types = found.types();
        if let Some(known) = types.first()
            && !types.contains(&asked)
        {
            let section = section.to_owned();
            return Err(LiveError::OtherType {
                section,
                known,
                asked,
            });
        }
        let value = Arc::new(snapshot.section(section)?);
        Ok(Self(Arc::new(Inner {
            section: section.to_owned(),
            current: RwLock::new(Current { snapshots, value }),
        })))
    }

    /// Returns the table as it is now.
    ///
    /// Options that are not `mutable` stay as they were until a restart. What is returned does not change:
    /// load once for each request, so that the request sees one state.
    pub fn load(&self) -> Arc<T> {
        {
            let current = self
                .0
                .current
                .read()
                .unwrap_or_else(PoisonError::into_inner);
            if !current.is_stale() {
                return Arc::clone(&current.value);
            }
        }
        self.load_anew()
    }

    #[cold]
    fn load_anew(&self) -> Arc<T> {
        let mut current = self
            .0
            .current
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        if current.is_stale() {
            let snapshot = current.snapshots.borrow_and_update().clone();
            // A snapshot is checked with this type before it is anybody's.
            match snapshot.section(&self.0.section) {
                Ok(value) => current.value = Arc::new(value),
                Err(error) => tracing::error!(
                    service = self.0.section,
                    "the table cannot be read, its options stay as they were: {error}"
                ),
            }
        }
        Arc::clone(&current.value)
    }
}

impl<T> Current<T> {
    fn is_stale(&self) -> bool {
        // Without a sender the process ends, and nothing changes any more.
        self.snapshots.has_changed().unwrap_or_default()
    }
}

impl<T> Clone for Live<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> fmt::Debug for Live<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Live")
            .field("section", &self.0.section)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::config::{Field, Layers, Section, Sources};

    #[derive(Debug, Deserialize)]
    struct Settings {
        limit: u32,
    }

    impl Config for Settings {
        const FIELDS: &'static [Field] = &[Field::new("limit", "u32").default("1").mutable()];
    }

    #[derive(Debug, Deserialize)]
    struct Other {}

    impl Config for Other {
        const FIELDS: &'static [Field] = &[];
    }

    fn snapshot(text: &str) -> Snapshot {
        let files = vec![("hello.toml".into(), text.to_owned())];
        let sources = Sources {
            files,
            ..Sources::default()
        };
        let sections = [Section::of::<Settings>("api")];
        Layers::new("hello").build(&sources, &sections).unwrap()
    }

    #[test]
    fn every_clone_gives_the_table_of_the_newest_snapshot() {
        let sender = watch::Sender::new(snapshot("api.limit = 2"));
        let live = Live::<Settings>::follow(sender.subscribe(), "api").unwrap();
        let (clone, before) = (live.clone(), live.load());
        assert!(Arc::ptr_eq(&before, &clone.load()), "it is read once");
        sender.send_replace(snapshot("api.limit = 3"));
        assert_eq!((clone.load().limit, live.load().limit), (3, 3));
        assert_eq!(before.limit, 2, "what was loaded stays as it was");
        drop(sender);
        assert_eq!(live.load().limit, 3);
    }

    #[test]
    fn a_table_that_is_missing_or_of_another_type_is_told() {
        let sender = watch::Sender::new(snapshot(""));
        let other = Live::<Other>::follow(sender.subscribe(), "api").unwrap_err();
        assert!(matches!(other, LiveError::OtherType { .. }));
        let text = other.to_string();
        assert!(text.contains("Settings`, not a `"), "{text}");
        let none = Live::<Settings>::follow(sender.subscribe(), "web").unwrap_err();
        assert!(matches!(none, LiveError::NoTable(name) if name == "web"));
    }

    #[test]
    fn a_table_that_does_not_fit_leaves_the_one_before() {
        let sender = watch::Sender::new(snapshot("api.limit = 2"));
        let live = Live::<Settings>::follow(sender.subscribe(), "api").unwrap();
        let broken = Layers::new("hello").set("api.limit=many");
        let sections = [Section::of::<Settings>("api")];
        sender.send_replace(broken.build_all(&Sources::default(), &sections).0);
        assert_eq!(live.load().limit, 2);
    }
}
