//! Tables of the configuration that belong to no service.

use crate::config::Section;
use crate::service::registry::Table;

/// A table, by what describes it.
pub const fn table(section: fn() -> Section) -> Table {
    Table(section)
}

/// Declares a table of the configuration that belongs to no service, by its name and the type of its options:
/// what [`Setup::config`](crate::Setup::config) reads.
///
/// Like a service's own table it is checked at the start and at each reload, is listed by `--sample-config`, and takes
/// variables and `--set`.
///
/// # Examples
///
/// ```
/// use service_runtime::prelude::*;
///
/// #[derive(serde::Deserialize, Config)]
/// struct DbSettings {
///     /// Where the database is.
///     #[config(default = "postgres://localhost/shop")]
///     url: String,
/// }
///
/// service_runtime::config_table!("db", DbSettings);
/// ```
#[macro_export]
macro_rules! config_table {
    ($name:literal, $settings:ty) => {
        $crate::__rt::inventory::submit! {
            $crate::__rt::table(|| $crate::config::Section::of::<$settings>($name))
        }
    };
}
