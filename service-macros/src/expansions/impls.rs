//! What `#[service]` makes of an `impl` block: hooks, tasks and timers.

use quote::quote;

use super::{assert_expansion, service};

#[test]
fn a_block_without_hooks_is_a_service_all_the_same() {
    assert_expansion!(service(quote!(), quote!(impl Greeter {})));
}

#[test]
fn every_hook_with_the_context() {
    assert_expansion!(service(
        quote!(),
        quote! {
            impl Greeter {
                #[init]
                async fn new(config: Settings, cx: &Context) -> Result<Self> { build(config, cx).await }
                #[start]
                async fn on_start(&self, cx: &Context) -> Result<()> { Ok(()) }
                #[run]
                async fn serve(&self, cx: &Context) -> Result<()> { Ok(()) }
                #[periodic(every = "1s")]
                async fn greet(&self, cx: &Context) {}
                #[reset]
                async fn on_reset(&self, cx: &Context) {}
                #[stop]
                async fn on_stop(&self, cx: &Context) {}
                #[health]
                async fn check(&self, cx: &Context) -> Health { Health::Good }
            }
        }
    ));
}

#[test]
fn every_hook_sync_and_without_the_context() {
    assert_expansion!(service(
        quote!(),
        quote! {
            impl Greeter {
                #[init]
                fn new() -> Self { Self }
                #[start]
                fn on_start(&self) {}
                #[run]
                fn serve(&self) -> Result<()> { Ok(()) }
                #[periodic(every = "1500ms")]
                fn greet(&self) {}
                #[reset]
                fn on_reset(&self) {}
                #[stop]
                fn on_stop(&self) {}
                #[health]
                fn check(&self) -> bool { true }
            }
        }
    ));
}

#[test]
fn init_takes_the_configuration_or_the_context_alone() {
    assert_expansion!(service(
        quote!(),
        quote! {
            impl Greeter {
                #[init]
                fn new(Settings { count }: Settings) -> Result<Self, Error> { Ok(Self { count }) }
            }
        }
    ));
    assert_expansion!(service(
        quote!(),
        quote! {
            impl Greeter {
                #[init]
                async fn new(cx: &Context) -> Greeter { Greeter }
            }
        }
    ));
}

#[test]
fn a_periodic_hook_writes_only_what_was_given() {
    assert_expansion!(service(
        quote!(),
        quote! {
            impl Greeter {
                #[periodic(
                    every = "60s", immediately, jitter = "5s", enabled = false, name = "greet-all",
                    on_error = "stop", scope = "program"
                )]
                async fn greet(&self) {}
                #[periodic(every = "1h 30m", immediately = false, enabled, on_error = "fail", scope = "worker")]
                #[service_runtime::periodic(every = "1s 1us", name = "again", on_error = "continue")]
                async fn count(&self) {}
            }
        }
    ));
}

#[cfg(feature = "cron")]
#[test]
fn a_periodic_hook_with_a_cron_line() {
    assert_expansion!(service(
        quote!(),
        quote! {
            impl Greeter {
                #[periodic(cron = "0 3 * * *", tz = "Europe/Berlin", jitter = "5m")]
                async fn sweep(&self) {}
                #[periodic(cron = "*/5 * * * * *")]
                async fn tick(&self) {}
            }
        }
    ));
}

#[test]
fn a_method_can_have_two_markers() {
    assert_expansion!(service(
        quote!(),
        quote! {
            impl Greeter {
                #[start]
                #[reset]
                async fn load(&self) -> Result<()> { Ok(()) }
            }
        }
    ));
}

#[test]
fn conditions_hold_for_the_calls_too() {
    assert_expansion!(service(
        quote!(),
        quote! {
            #[cfg(feature = "greeter")]
            impl Greeter {
                #[cfg(unix)]
                #[init]
                fn unix(config: Settings) -> Self { Self }
                #[init]
                #[cfg(not(unix))]
                fn other() -> Self { Self }
                #[cfg(unix)]
                #[start]
                fn on_start(&self) {}
                #[cfg(unix)]
                #[run]
                fn serve(&self) {}
                #[cfg(unix)]
                #[periodic(every = "1s")]
                fn greet(&self) {}
                #[cfg(unix)]
                #[stop]
                fn on_stop(&self) {}
                #[cfg(not(unix))]
                #[stop]
                fn stop_elsewhere(&self) {}
            }
        }
    ));
}

#[test]
fn a_generic_service_keeps_its_bounds() {
    assert_expansion!(service(
        quote!(),
        quote! {
            impl<T: Send, const N: usize> Pool<T, N>
            where
                T: Sync + 'static,
            {
                #[init]
                fn new(config: Settings<T>) -> Result<Self> { build(config) }
                #[start]
                fn fill<'a>(self: &'a Arc<Self>, cx: &'a Context) where T: Clone {}
            }
        }
    ));
}

#[test]
fn what_is_no_hook_stays_as_it_was_written() {
    assert_expansion!(service(
        quote!(),
        quote! {
            #[allow(clippy::all)]
            impl Greeter {
                /// How often.
                pub const COUNT: u32 = 3;
                /// Stays public and inlined.
                #[inline]
                #[start]
                #[tracing::instrument(skip(self))]
                pub(crate) async fn r#loop(&self) -> ::core::result::Result<(), Error> { Ok(()) }
                fn plain<T: Into<String>>(mut self, text: T) -> Self { self }
                helpers!();
            }
        }
    ));
}

#[cfg(feature = "http")]
#[test]
fn routes_are_served_between_start_and_run() {
    assert_expansion!(service(
        quote!(),
        quote! {
            impl Api {
                #[start]
                fn on_start(&self) {}
                #[routes]
                fn routes(self: Arc<Self>) -> axum::Router { Router::new() }
                #[run]
                async fn serve(&self) {}
            }
        }
    ));
}

#[cfg(feature = "http")]
#[test]
fn routes_may_borrow_the_service_and_take_the_context() {
    assert_expansion!(service(
        quote!(),
        quote! {
            impl Api {
                #[routes]
                fn http(&self, cx: &Context) -> Result<axum::Router> { routes(cx) }
            }
        }
    ));
}

#[cfg(not(feature = "http"))]
#[test]
fn routes_without_their_feature_say_so() {
    assert_expansion!(service(
        quote!(),
        quote! {
            impl Api {
                #[routes]
                fn routes(self: Arc<Self>) -> axum::Router { Router::new() }
            }
        }
    ));
}
