use quote::quote;

use super::{super::parse::Parsed, Model};
use crate::problem::Problems;

/// What is wrong with a struct, without the help.
fn wrongs(item: proc_macro2::TokenStream) -> Vec<String> {
    problems(item).into_iter().map(|(wrong, _)| wrong).collect()
}

/// What is wrong with a struct of one field, and the help.
fn problem(field: proc_macro2::TokenStream) -> (String, String) {
    let mut all = problems(quote!(struct Section { #field }));
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

/// The errors as text, each cut at its second line.
fn problems(item: proc_macro2::TokenStream) -> Vec<(String, String)> {
    let mut problems = Problems::default();
    let input = syn::parse2(item).unwrap();
    let _model = Model::new(Parsed::new(input), &mut problems);
    let errors = problems.result().err().into_iter().flatten();
    let two_lines = errors.map(|error| {
        let text = error.to_string();
        let (wrong, help) = text.split_once("\nhelp: ").unwrap();
        (wrong.to_owned(), help.to_owned())
    });
    two_lines.collect()
}

#[test]
fn a_right_section_has_no_problems() {
    assert!(
        wrongs(quote!(
            struct Section {
                #[config(default = 1, range = 1..)]
                one: u8,
            }
        ))
        .is_empty()
    );
}

#[test]
fn only_structs_with_named_fields_are_sections() {
    for (item, what) in [
        (
            quote!(
                enum Mode {
                    Fast,
                }
            ),
            "an enum",
        ),
        (quote!(union Bits { one: u8 }), "a union"),
        (
            quote!(
                struct Pair(u8, u8);
            ),
            "a tuple struct",
        ),
        (
            quote!(
                struct Nothing;
            ),
            "a unit struct",
        ),
    ] {
        let wrong = format!("`Config` cannot be derived for {what}: a section has named options");
        assert_eq!(wrongs(item), [wrong]);
    }
    let generic = wrongs(quote!(
        struct Generic<'a, T> {
            one: &'a T,
        }
    ));
    assert_eq!(generic.len(), 1);
    assert!(generic[0].starts_with("a section has no generic parameters"));
}

#[test]
fn all_problems_of_a_struct_are_told_at_once() {
    let all = wrongs(quote! {
        #[config(mutable)]
        struct Section<T> {
            #[config(defualt = 10)]
            one: T,
            #[config(mutable, mutable, default = ["a", 1, true])]
            two: Vec<String>,
            #[serde(flatten)]
            three: Rest,
        }
    });
    let wrong: Vec<_> = all.iter().map(String::as_str).collect();
    assert_eq!(
        wrong,
        [
            "`#[config]` stands on a field",
            "a section has no generic parameters: its options are known before the program runs",
            "`#[config]` has no argument `defualt`",
            "`mutable` is given twice",
            "`1` is no value of the field's type `Vec<String>`",
            "`true` is no value of the field's type `Vec<String>`",
            "`flatten` hides which options there are",
        ]
    );
}

#[test]
fn an_unknown_option_has_a_near_miss_and_the_known_ones() {
    let (_, help) = problem(quote!(#[config(mutabel)] one: u8));
    assert_eq!(
        help,
        "write `mutable`; known are `default`, `mutable`, `secret`, `range`, `nested`"
    );
    let (_, help) = problem(quote!(#[config(colour = 1)] one: u8));
    assert_eq!(
        help,
        "known are `default`, `mutable`, `secret`, `range`, `nested`"
    );
}

#[test]
fn attributes_have_their_options_in_parentheses() {
    for field in [quote!(#[config] one: u8), quote!(#[config = 1] one: u8)] {
        assert_eq!(
            problem(field).0,
            "`#[config]` has its options in parentheses"
        );
    }
}

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
        let (written, ty) = (super::source::source(default), super::source::source(ty));
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
        let ty = super::source::source(ty);
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

#[test]
fn a_nested_table_has_no_options_of_its_own() {
    let all = wrongs(quote! {
        struct Section {
            #[config(nested, mutable, secret, default = 1, range = 1..=2)]
            tls: Tls,
        }
    });
    assert_eq!(all.len(), 4);
    assert_eq!(all[0], "a nested table has no `mutable` of its own");
}

#[test]
fn a_field_that_serde_skips_has_no_options() {
    let (wrong, _) = problem(quote!(#[serde(skip)] #[config(mutable)] one: u8));
    assert_eq!(wrong, "serde skips this field: `mutable` has no effect");
}

#[test]
fn the_options_are_the_fields_of_the_struct_itself() {
    let all = wrongs(quote!(
        #[serde(try_from = "Raw")]
        struct Section {
            one: u8,
        }
    ));
    assert_eq!(
        all,
        ["with `try_from` the options are not the fields of this struct"]
    );
}
