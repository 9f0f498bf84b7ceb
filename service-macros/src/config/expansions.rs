//! Snapshots of every shape of expansion, pretty-printed.

use proc_macro2::TokenStream;
use quote::quote;

/// Compares an expansion with the snapshot that is named as the test.
macro_rules! assert_expansion {
    ($($item:tt)*) => {
        insta::with_settings!(
            { omit_expression => true, prepend_module_to_snapshot => false },
            { insta::assert_snapshot!(pretty(super::expand(quote!($($item)*)))) }
        )
    };
}

/// The expansion as a person would have written it.
fn pretty(expansion: TokenStream) -> String {
    let text = expansion.to_string();
    match syn::parse2(expansion) {
        Ok(file) => prettyplease::unparse(&file),
        Err(error) => panic!("{error} in {text}"),
    }
}

#[test]
fn the_documented_section() {
    assert_expansion! {
        /// How the server listens.
        #[serde(rename_all = "kebab-case")]
        struct Server {
            /// The address to listen on.
            #[config(default = "127.0.0.1:7007")]
            address: SocketAddr,
            /// How many connections at once.
            #[config(default = 1024, range = 1..=65536, mutable)]
            max_connections: u32,
            /// How long a connection may be silent.
            #[config(default = "30s", range = "1s"..="1h", mutable)]
            idle: Duration,
            /// The key that clients sign with.
            #[config(secret)]
            key: String,
            /// Encrypts the connections.
            #[config(nested)]
            tls: Option<Tls>,
        }
    }
}

#[test]
fn a_section_with_default() {
    assert_expansion! {
        #[config(default)]
        struct Server {
            #[config(default = "30s")]
            idle: Duration,
            key: Option<String>,
            #[config(nested)]
            tls: Tls,
            #[config(nested)]
            proxy: Option<Proxy>,
        }
    }
}

#[test]
fn every_form_of_a_default_is_toml() {
    assert_expansion! {
        struct Defaults {
            #[config(default = -5)]
            negative: i8,
            #[config(default = 0xff)]
            hexadecimal: u64,
            #[config(default = 1)]
            whole_float: f64,
            #[config(default = -1.5e3)]
            float: f32,
            #[config(default = false)]
            boolean: bool,
            #[config(default = "a \"b\"\n")]
            text: String,
            #[config(default = ["a", "b"])]
            list: Vec<String>,
            #[config(default = [[1, 2], []])]
            lists: Vec<Vec<i32>>,
            #[config(default = "64MiB")]
            size: Size,
            #[config(default = (3))]
            own: Level,
        }
    }
}

#[test]
fn every_form_of_a_range() {
    assert_expansion! {
        struct Ranges {
            #[config(range = -1..=1)]
            closed: Option<i32>,
            #[config(range = 1..)]
            from: NonZeroUsize,
            #[config(range = ..=10)]
            up_to: u8,
            #[config(range = 0..=1, default = 0.5)]
            float: f64,
            #[config(range = "1KiB".., default = "2KiB")]
            size: ByteSize,
            #[config(range = 0.5..=2)]
            own: Factor,
        }
    }
}

#[test]
fn names_and_presence_are_those_of_serde() {
    assert_expansion! {
        #[serde(rename_all(deserialize = "camelCase"), deny_unknown_fields)]
        pub(crate) struct Names {
            max_open_files: u8,
            r#type: u8,
            #[serde(rename = "other", alias = "old", alias = "older")]
            renamed: u8,
            #[serde(rename(serialize = "a", deserialize = "b"), default = "one")]
            renamed_for_reading: u8,
            #[serde(skip)]
            skipped: Instant,
            #[serde(skip_deserializing)]
            not_read: Instant,
            #[serde(with = "seconds")]
            #[config(default = 5)]
            seconds: Duration,
        }
    }
}

#[test]
fn a_default_of_the_struct_lets_every_field_be_absent() {
    assert_expansion! {
        #[serde(default)]
        struct Lenient {
            one: u8,
            #[config(nested)]
            two: two::Section,
        }
    }
}

#[test]
fn options_in_several_attributes_and_switched_off() {
    assert_expansion! {
        struct Several {
            #[config(mutable)]
            #[config(secret, nested = false)]
            one: Vec<HashMap<&'static str, [u8; 4]>>,
            #[config(mutable = false)]
            two: String,
        }
    }
}

#[test]
fn a_section_without_options() {
    assert_expansion! {
        struct Empty {}
    }
}

#[test]
fn what_is_right_about_a_wrong_struct_is_kept() {
    assert_expansion! {
        struct Wrong {
            /// The port.
            #[config(default = "http", mutable, rnage = 1..=2)]
            port: u16,
            #[config(default = 8)]
            right: u8,
        }
    }
}

#[test]
fn what_is_no_struct_is_a_section_without_options() {
    assert_expansion! {
        enum Mode { Fast }
    }
}

#[test]
fn a_generic_struct_is_not_implemented() {
    assert_expansion! {
        struct Generic<T> { value: T }
    }
}
