//! What `#[service]` makes of a struct: its description and its registration.

use quote::quote;

use super::{assert_expansion, service};

#[test]
fn a_struct_gets_a_description_and_is_registered() {
    assert_expansion!(service(
        quote!(),
        quote! {
            #[derive(Default)]
            struct Greeter;
        }
    ));
}

#[test]
fn every_argument_is_part_of_the_description() {
    let args = quote! {
        name = "greeter-2", after = ["db", "cache"], config = Settings<Vec<u8>, u8>,
        on_error = "restart", register = true
    };
    assert_expansion!(service(
        args,
        quote! {
            /// Greets.
            pub(crate) struct Greeter {
                /// How often.
                count: u32,
            }
        }
    ));
}

#[test]
fn one_name_needs_no_brackets() {
    assert_expansion!(service(
        quote!(after = "db"),
        quote!(
            struct Greeter;
        )
    ));
}

#[test]
fn a_service_can_stay_unregistered() {
    assert_expansion!(service(
        quote!(register = false),
        quote!(
            struct HttpServer(u16);
        )
    ));
}

#[test]
fn a_generic_service_keeps_its_bounds_and_is_not_registered() {
    assert_expansion!(service(
        quote!(config = Settings<T>),
        quote! {
            struct Pool<T: Send = u8, const N: usize = 4>
            where
                T: Sync,
            {
                values: [T; N],
            }
        }
    ));
}

#[test]
fn a_condition_of_the_struct_holds_for_all_of_it() {
    assert_expansion!(service(
        quote!(),
        quote! {
            #[cfg(feature = "greeter")]
            #[derive(Debug)]
            struct Greeter;
        }
    ));
}
