//! The `Default` of a section's type.

use crate::config::{Config, Layers, Section, Sources};

/// Written by `#[config(default)]` on a section's struct.
#[diagnostic::on_unimplemented(
    message = "a table of the type `{Self}` has no default",
    note = "write `#[config(default)]` on the struct `{Self}` too, or make the field an `Option`"
)]
pub trait Defaults: Config {}

/// Does nothing for a table whose options all have a default, and does not compile for any other.
pub const fn has_defaults<T: Defaults>() {}

/// Returns a section as an empty configuration makes it.
///
/// # Panics
///
/// Panics if a default is none: a text that the field's own type refuses.
pub fn defaults<T: Defaults>() -> T {
    let section = [Section::of::<T>("defaults")];
    let (snapshot, errors) = Layers::default().build_all(&Sources::default(), &section);
    if let Some(error) = errors.first() {
        panic!(
            "`{}` has a wrong default: {error}",
            std::any::type_name::<T>()
        );
    }
    match snapshot.section("defaults") {
        Ok(section) => section,
        Err(error) => panic!(
            "`{}` has a wrong default: {error}",
            std::any::type_name::<T>()
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::time::Duration;

    use super::*;
    use crate::config::Field;

    #[derive(serde::Deserialize)]
    struct Server {
        idle: Duration,
        names: Vec<String>,
        key: Option<String>,
    }

    impl Config for Server {
        const FIELDS: &'static [Field] = &[
            Field::new("idle", "Duration").default(r#""30s""#),
            Field::new("names", "Vec<String>").default(r#"["a"]"#),
            Field::new("key", "Option<String>").optional().secret(),
        ];
    }

    impl Defaults for Server {}

    #[derive(Debug, serde::Deserialize)]
    struct Wrong {
        #[expect(dead_code, reason = "it cannot be read")]
        address: IpAddr,
    }

    impl Config for Wrong {
        const FIELDS: &'static [Field] = &[Field::new("address", "Address").default(r#""home""#)];
    }

    impl Defaults for Wrong {}

    #[test]
    fn a_section_has_the_defaults_of_its_options() {
        let server: Server = defaults();
        assert_eq!(server.idle, Duration::from_secs(30));
        assert_eq!((server.names, server.key), (vec!["a".to_owned()], None));
    }

    #[test]
    #[should_panic(expected = "Wrong` has a wrong default: default: [defaults] address")]
    fn a_default_that_its_type_refuses_is_named() {
        let _: Wrong = defaults();
    }
}
