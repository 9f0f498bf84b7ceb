//! Rules of ranges.

use quote::quote;

use super::problem;
use crate::source::source;

#[test]
fn both_ends_belong_to_a_range() {
    for (range, help) in [
        (quote!(1..10), "write `range = 1..=9`"),
        (quote!(..10), "write `range = ..=9`"),
        (quote!("1s".."5m"), r#"write `range = "1s"..="5m"`"#),
    ] {
        let (wrong, helped) = problem(quote!(#[config(range = #range)] one: Own));
        assert_eq!(wrong, "both ends belong to a range");
        assert_eq!(helped, help);
    }
    assert_eq!(
        problem(quote!(#[config(range = ..)] one: u8)).0,
        "`..` lets every value pass"
    );
}

#[test]
fn a_range_holds_at_least_one_value() {
    let (wrong, help) = problem(quote!(#[config(range = 10..=1)] one: u8));
    assert_eq!(wrong, "no value is in this range: `10` is more than `1`");
    assert_eq!(help, "write `range = 1..=10`");
    let (_, help) = problem(quote!(#[config(range = "5m"..="1s")] one: Duration));
    assert_eq!(help, r#"write `range = "1s"..="5m"`"#);
}

#[test]
fn only_what_has_an_order_has_a_range() {
    for ty in [
        quote!(String),
        quote!(bool),
        quote!(Vec<u8>),
        quote!(Option<String>),
    ] {
        let (wrong, _) = problem(quote!(#[config(range = 1..=2)] one: #ty));
        let ty = source(ty);
        assert_eq!(wrong, format!("the field's type `{ty}` has no range"));
    }
    for range in [
        quote!(1..="5m"),
        quote!("a"..="z"),
        quote!(true..),
        quote!("1s"..="5MiB"),
    ] {
        let (wrong, _) = problem(quote!(#[config(range = #range)] one: Own));
        assert_eq!(wrong, "these ends cannot be compared", "{range}");
    }
    let (wrong, _) = problem(quote!(#[config(range = LOW..=2)] one: Own));
    assert_eq!(
        wrong,
        "`range` takes literals: they go into the template as they are"
    );
    assert_eq!(
        problem(quote!(#[config(range = 5)] one: u8)).0,
        "`range` takes a range"
    );
}

#[test]
fn a_default_is_in_its_own_range() {
    for (default, range, help) in [
        (
            quote!(0),
            quote!(1..=10),
            "write `1` or more, or widen the range",
        ),
        (
            quote!(11),
            quote!(..=10),
            "write `10` or less, or widen the range",
        ),
        (
            quote!("10m"),
            quote!("1s"..="5m"),
            "write `\"5m\"` or less, or widen the range",
        ),
    ] {
        let (wrong, helped) =
            problem(quote!(#[config(default = #default, range = #range)] one: Own));
        assert!(
            wrong.ends_with("is out of the field's own range"),
            "{wrong}"
        );
        assert_eq!(helped, help);
    }
}
