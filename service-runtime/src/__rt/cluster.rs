//! What a program says of itself to be part of a cluster.

pub use crate::cluster::Program;
use crate::cluster::sections;
use crate::service::registry::Table;

/// The table `[store]`.
pub const fn store_table() -> Table {
    Table(|| {
        let [store, _] = sections();
        store
    })
}

/// The table `[membership]`.
pub const fn membership_table() -> Table {
    Table(|| {
        let [_, membership] = sections();
        membership
    })
}

/// Makes the program part of a cluster: its services get records and members, in the store that `[store]`
/// names. Written once, beside `main`.
///
/// `version` is the number that peers see, 1 without it; raise it with each release that others have to know
/// of. A program whose version is below the lowest that is recorded for its service does not start, and one
/// with an `oldest_peer` does not start while an older peer is recorded.
///
/// ```
/// service_runtime::cluster!(version = 3, oldest_peer = 2);
/// ```
#[macro_export]
macro_rules! cluster {
    () => {
        $crate::cluster!(version = 1);
    };
    (version = $version:expr $(,)?) => {
        $crate::cluster!(version = $version, oldest_peer = 0);
    };
    (version = $version:expr, oldest_peer = $oldest:expr $(,)?) => {
        $crate::__rt::inventory::submit! { $crate::__rt::Program::new($version, $oldest) }
        $crate::__rt::inventory::submit! { $crate::__rt::store_table() }
        $crate::__rt::inventory::submit! { $crate::__rt::membership_table() }
    };
}
