//! What `#[interface]` makes of a trait, and `serves` of an `impl` block.

use quote::quote;

use super::{assert_expansion, pretty, service};

#[test]
fn an_interface_is_constants_and_a_client() {
    let args = quote!(topic = "compute");
    assert_expansion!(pretty(crate::rpc::interface(
        args,
        quote! {
            /// What computes.
            #[cfg(unix)]
            pub trait ComputeApi {
                /// Builds.
                #[rpc(since = "1.2", idempotent)]
                async fn build(&self, image: String, #[serde(default)] cores: u32) -> Result<Built, NoRoom>;
                #[cfg(feature = "forgetful")]
                #[rpc(cast, namespace = "admin")]
                fn forget(&self);
            }
        }
    )));
}

#[test]
fn a_service_implements_the_interfaces_that_it_serves() {
    assert_expansion!(service(
        quote!(serves = [ComputeApi, api::AdminApi]),
        quote! {
            impl Compute {
                #[rpc(since = "1.2", interface = ComputeApi)]
                async fn build(&self, call: &Call, image: String) -> Result<Built, NoRoom> { todo() }
                #[cfg(unix)]
                #[rpc(cast, interface = AdminApi)]
                fn forget(&self) {}
            }
        }
    ));
}
