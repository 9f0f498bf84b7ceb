//! What can be wrong with a store.

/// Why the store cannot be used, or did not do what it was asked.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// `[store] url` cannot be read.
    #[error("`[store] url` is `{url}`: {wrong}")]
    Url {
        /// The address, with its password masked.
        url: String,
        /// What is wrong with it.
        wrong: String,
    },
    /// A newer program has changed the tables in a way that this one does not know.
    #[error(
        "the store {store} has schema {found}, and this program knows schemas up to {known}: \
         start a newer version of this program, or give it another store"
    )]
    NewerSchema {
        /// The store.
        store: String,
        /// The version of the tables that are there.
        found: i64,
        /// The newest version that this program knows.
        known: i64,
    },
    /// The database belongs to something else.
    #[error(
        "the store {store} belongs to another program: {what}; give `[store] url` a file of its own"
    )]
    Foreign {
        /// The store.
        store: String,
        /// What shows that.
        what: String,
    },
    /// The store cannot be reached, or a statement has failed; it is tried again with the next one.
    #[error("the store {store} does not answer: {cause}")]
    Unavailable {
        /// The store.
        store: String,
        /// What the engine says.
        cause: String,
    },
}

impl StoreError {
    /// Returns whether trying again cannot help until somebody changes something.
    pub fn is_permanent(&self) -> bool {
        !matches!(self, Self::Unavailable { .. })
    }
}
