//! The services that were registered at link time.

use super::Description;
use super::erased::{Build, Definition, InitFn};

/// A service type, as `#[service]` on its struct registers it.
#[cfg_attr(
    not(feature = "config"),
    expect(
        dead_code,
        reason = "only a configuration has a template and sub-tables"
    )
)]
pub struct Registration {
    pub(crate) describe: fn() -> Description,
    #[cfg_attr(
        not(feature = "cli"),
        expect(dead_code, reason = "only the command line looks for it")
    )]
    pub(crate) type_name: fn() -> &'static str,
    pub(crate) init: fn() -> Option<InitFn>,
    #[cfg(feature = "config")]
    pub(crate) section: fn() -> Option<crate::config::Section>,
    pub(crate) periodics: &'static [&'static str],
}

inventory::collect!(Registration);

/// Returns every registration, by name: the linker gives them in no promised order.
pub(crate) fn all() -> Vec<(Description, &'static Registration)> {
    let mut all: Vec<_> = inventory::iter::<Registration>()
        .map(|registration| ((registration.describe)(), registration))
        .collect();
    all.sort_by(|(a, _), (b, _)| a.name().cmp(b.name()));
    all
}

/// Returns the names of all services that a value of type `S` can hold, if every type in it is registered.
#[cfg(feature = "cli")]
pub(crate) fn names_in<S>() -> Option<Vec<String>> {
    /// What holds services, and is none.
    const HOLDERS: &[&str] = &[
        "alloc::vec::Vec",
        "core::result::Result",
        "core::option::Option",
        "anyhow::Error",
        "std::io::error::Error",
    ];
    let all = all();
    let written = std::any::type_name::<S>();
    let mut types = written.split(['(', ')', '<', '>', ',', ' ', ';', '[', ']']);
    let registered = |name: &str| all.iter().any(|(_, known)| (known.type_name)() == name);
    let is_known =
        |name: &str| name.parse::<usize>().is_ok() || HOLDERS.contains(&name) || registered(name);
    if !types.all(|name| name.is_empty() || is_known(name)) {
        return None;
    }
    Some(
        all.iter()
            .map(|(description, _)| description.name().to_owned())
            .collect(),
    )
}

/// Returns every registered service that can be built from its configuration.
pub(crate) fn buildable() -> Vec<Definition> {
    all()
        .into_iter()
        .filter_map(|(description, registration)| {
            let build = Build::Init((registration.init)()?);
            Some(Definition { description, build })
        })
        .collect()
}

/// A table of the configuration that belongs to no registered type.
#[cfg(feature = "config")]
pub struct Table(pub(crate) fn() -> crate::config::Section);

#[cfg(feature = "config")]
inventory::collect!(Table);

/// Returns every table that belongs to no registered type.
#[cfg(feature = "config")]
pub(crate) fn tables() -> Vec<crate::config::Section> {
    inventory::iter::<Table>()
        .map(|table| (table.0)())
        .collect()
}
