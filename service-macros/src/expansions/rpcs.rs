//! What `#[rpc]` and `#[derive(RpcError)]` stand for.

use quote::quote;

use super::{assert_expansion, pretty, service};

#[test]
fn methods_are_served_before_the_service_runs_and_a_client_stands_beside() {
    assert_expansion!(service(
        quote!(),
        quote! {
            impl Compute {
                #[start]
                fn begin(&self) {}
                /// Builds.
                #[rpc(since = "1.2")]
                pub async fn build(&self, call: &Call, image: String, #[serde(default)] cores: u32) -> Result<Built, NoRoom> {
                    todo()
                }
                #[rpc]
                pub(crate) fn count(&self, cx: &Context) -> usize { 3 }
                #[run]
                async fn serve(&self) {}
            }
        }
    ));
}

#[test]
fn a_cast_can_be_told_to_every_worker() {
    assert_expansion!(service(
        quote!(),
        quote! {
            impl Compute {
                #[cfg(unix)]
                #[rpc(cast, namespace = "admin")]
                fn r#move(&self, r#in: String) {}
            }
        }
    ));
}

#[test]
fn a_wrong_method_has_no_client_and_the_others_have() {
    assert_expansion!(service(
        quote!(),
        quote! {
            impl Compute {
                #[rpc]
                fn borrow(&self, image: &str) {}
                #[rpc]
                fn count(&self) -> usize { 3 }
            }
        }
    ));
}

#[test]
fn each_variant_of_an_error_is_a_class_with_its_fields() {
    assert_expansion!(pretty(crate::rpc::error(quote! {
        enum Refused {
            Closed,
            TooMuch(u32, String),
            Missing { name: String, r#type: u8 },
        }
    })));
}

#[test]
fn an_error_of_one_shape_is_a_class_of_its_module() {
    assert_expansion!(pretty(crate::rpc::error(quote! {
        #[rpc_error(crate = facade::runtime)]
        struct Missing {
            name: String,
        }
    })));
}
