//! Rules of sections and fields, by what is told of those that break them.

mod defaults;
mod ranges;

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
    let parsed = Parsed::new(input, &mut problems);
    let _model = Model::new(parsed, &mut problems);
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
