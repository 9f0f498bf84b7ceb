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
fn settings_that_cannot_be_are_left_out_and_the_others_stay() {
    let args = quote!(
        workers = "automatic",
        umask = "8",
        on_worker_exit = [],
        limit_core = "many",
        limit_nofile = 1024,
        report_format = "xml"
    );
    assert_expansion!(launch(
        args,
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
            const fn main() -> Greeter {
                Greeter::new().await
            }
        )
    ));
}

#[test]
fn an_item_that_cannot_be_read_is_kept() {
    let block = quote!(impl Greeter { fn 5() {} });
    let expansion = crate::service::expand(quote!(), block.clone()).to_string();
    assert!(expansion.starts_with(&block.to_string()));
    assert!(expansion.contains("compile_error"));
}

#[test]
fn an_unreadable_argument_does_not_hide_the_next_mistake() {
    assert_expansion!(service(
        quote!(name "x", 5, after = , on_error = = "exit", colour = "red"),
        quote!(
            struct Greeter;
        )
    ));
}

#[cfg(not(feature = "cron"))]
#[test]
fn a_cron_line_names_the_feature_that_it_needs() {
    let block = quote!(impl Greeter { #[periodic(cron = "0 3 * * *")] fn greet(&self) {} });
    let expansion = crate::service::expand(quote!(), block).to_string();
    assert!(expansion.contains("needs the feature `cron` of `service-runtime`"));
}

#[cfg(feature = "http")]
#[test]
fn routes_that_cannot_be_asked_for_are_explained() {
    assert_expansion!(service(
        quote!(),
        quote! {
            impl Api {
                #[routes]
                async fn routes(&mut self) -> axum::Router { Router::new() }
            }
        }
    ));
}
