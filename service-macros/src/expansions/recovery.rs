//! What is left of an expansion when something is wrong: all that is right, and the errors.

use quote::quote;

use super::{assert_expansion, launch, service};

#[test]
fn a_struct_with_wrong_arguments_is_still_a_service() {
    let args = quote!(
        nmae = "x",
        after = ["greeter", "db"],
        on_error = "retry",
        config
    );
    assert_expansion!(service(
        args,
        quote!(
            struct Greeter;
        )
    ));
}

#[test]
fn a_wrong_hook_is_left_out_and_the_others_stay() {
    assert_expansion!(service(
        quote!(),
        quote! {
            impl Greeter {
                #[start]
                fn on_start(&mut self) {}
                #[perodic(every = "0s")]
                fn greet(&self) {}
                #[stop]
                fn on_stop(&self) {}
            }
        }
    ));
}

#[test]
fn a_main_with_wrong_arguments_is_still_launched() {
    assert_expansion!(launch(
        quote!(workers = 0, threads = 2),
        quote!(
            fn main() -> Greeter {
                Greeter
            }
        )
    ));
}

#[test]
fn a_main_that_cannot_be_launched_is_kept() {
    assert_expansion!(launch(
        quote!(),
        quote!(
            async fn main() -> Greeter {
                Greeter::new().await
            }
        )
    ));
}
