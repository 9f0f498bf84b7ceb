//! Rules of defaults.

use quote::quote;

use super::{problem, wrongs};
use crate::source::source;

#[test]
fn a_default_is_a_literal() {
    let wrong = "`default` takes literals: they go into the template as they are";
    for expr in [
        quote!(DEFAULT),
        quote!(Duration::from_secs(1)),
        quote!(1 + 1),
        quote!(-DEFAULT),
        quote!(b"bytes"),
        quote!('a'),
        quote!(None),
        quote!((1, 2)),
    ] {
        let (told, help) = problem(quote!(#[config(default = #expr)] one: Own));
        assert_eq!(told, wrong, "{expr}");
        assert!(help.contains("`\"5s\"` and `\"64MiB\"`"));
    }
    assert_eq!(
        problem(quote!(#[config(default)] one: u8)).0,
        "`default` takes a literal"
    );
    let (wrong, help) = problem(quote!(#[config(default = 10u8)] one: u8));
    assert_eq!(wrong, "`10u8` has a type of its own");
    assert_eq!(help, "write `10`: the field has the type");
}

#[test]
fn a_default_is_a_value_of_a_known_type() {
    for (default, ty, wrong, help) in [
        (
            quote!("http"),
            quote!(u16),
            "is no value of",
            "write a whole number from 0 to 65535",
        ),
        (
            quote!(70000),
            quote!(u16),
            "does not fit into",
            "write a whole number from 0 to 65535",
        ),
        (
            quote!(-1),
            quote!(u8),
            "does not fit into",
            "write a whole number from 0 to 255",
        ),
        (
            quote!(0),
            quote!(NonZeroU8),
            "does not fit into",
            "write a whole number from 1 to 255",
        ),
        (
            quote!(0),
            quote!(NonZeroI8),
            "does not fit into",
            "write a whole number from -128 to 127, but not 0",
        ),
        (
            quote!(1.5),
            quote!(u8),
            "is no value of",
            "write a whole number from 0 to 255",
        ),
        (
            quote!("yes"),
            quote!(bool),
            "is no value of",
            "write `true` or `false`",
        ),
        (
            quote!(5),
            quote!(String),
            "is no value of",
            "write a string, as in `\"text\"`",
        ),
        (
            quote!("half"),
            quote!(f64),
            "is no value of",
            "write a number, as in `0.5`",
        ),
        (
            quote!(5),
            quote!(Duration),
            "is no value of",
            "write a duration as a string, as in `\"5s\"`",
        ),
        (
            quote!("5 parsecs"),
            quote!(Duration),
            "cannot be read as",
            "write a duration as a string, as in `\"5s\"`",
        ),
        (
            quote!("5 parsecs"),
            quote!(Size),
            "cannot be read as",
            "write a size as a string, as in `\"64MiB\"`",
        ),
        (
            quote!("a"),
            quote!(Vec<bool>),
            "is no value of",
            "write an array; for each of its values write `true` or `false`",
        ),
        (
            quote!(["a"]),
            quote!(String),
            "is no value of",
            "write a string, as in `\"text\"`",
        ),
    ] {
        let (told, helped) = problem(quote!(#[config(default = #default)] one: #ty));
        let (written, ty) = (source(default), source(ty));
        assert_eq!(told, format!("`{written}` {wrong} the field's type `{ty}`"));
        assert_eq!(helped, help);
    }
}

#[test]
fn a_number_of_toml_has_64_bits_and_a_sign() {
    let (wrong, _) = problem(quote!(#[config(default = 9223372036854775808)] one: u64));
    assert!(
        wrong.starts_with("`9223372036854775808` is too large"),
        "{wrong}"
    );
    assert!(
        wrongs(quote!(
            struct Section {
                #[config(default = -9223372036854775808)]
                one: i64,
            }
        ))
        .is_empty()
    );
}

#[test]
fn what_may_be_absent_and_what_is_secret_has_no_default() {
    let (wrong, help) = problem(quote!(#[config(default = 1)] one: Option<Vec<u8>>));
    assert_eq!(
        wrong,
        "a field of the type `Option<Vec<u8>>` is `None` by default"
    );
    assert_eq!(help, "write the type `Vec<u8>`, or leave `default` out");
    let (wrong, help) = problem(quote!(#[config(default = "hunter2", secret)] one: String));
    assert!(wrong.starts_with("a secret has no default"), "{wrong}");
    assert!(help.starts_with("leave `default` out"), "{help}");
}
