//! What `#[launch]` makes of a `main`.

use quote::quote;

use super::{assert_expansion, launch};

#[test]
fn a_number_of_workers_is_a_process_launcher() {
    assert_expansion!(launch(
        quote!(workers = 2),
        quote! {
            fn main() -> Greeter {
                Greeter
            }
        }
    ));
}

#[test]
fn one_worker_is_a_service_launcher() {
    assert_expansion!(launch(
        quote!(workers = 1),
        quote! {
            fn main() -> Result<(Greeter, Counter)> {
                Ok((Greeter, Counter::open()?))
            }
        }
    ));
}

#[test]
fn no_number_is_chosen_at_start() {
    assert_expansion!(launch(
        quote!(),
        quote!(
            fn main() {}
        )
    ));
}

#[test]
fn a_computed_number_is_chosen_at_start() {
    assert_expansion!(launch(
        quote!(workers = num_cpus() * 2),
        quote! {
            fn main() -> Greeter {
                Greeter
            }
        }
    ));
}

#[test]
fn a_worker_for_each_processor_is_chosen_at_start() {
    assert_expansion!(launch(
        quote!(workers = "auto"),
        quote! {
            fn main() -> Greeter {
                Greeter
            }
        }
    ));
}

#[test]
fn main_keeps_its_flags_attributes_and_conditions() {
    assert_expansion!(launch(
        quote!(crates = [billing, mailer]),
        quote! {
            /// Greets.
            #[cfg(unix)]
            #[allow(clippy::unwrap_used)]
            pub(crate) fn main(Flags { name }: Flags) -> Greeter {
                Greeter { name }
            }
        }
    ));
}

#[test]
fn every_setting_is_a_method_of_the_options() {
    let args = quote! {
        workers = 4,
        restart_method = "mutate",
        graceful_shutdown_timeout = "90s",
        config = "/etc/greeter.toml",
        preload = tables::load,
        runtime = "current_thread",
        threads = 2,
        respawn_delay = "100ms",
        respawn_delay_max = "30s",
        healthy_after = "1s",
        start_timeout = "30s",
        heartbeat_timeout = "0s",
        drain_timeout = "2m",
        reload_surge = 1,
        restart_limit = "5 in 60s",
        max_requests = 100_000,
        max_requests_jitter = 1000,
        max_lifetime = "1d",
        max_lifetime_jitter = "1h",
        max_memory = "256MiB",
        service_restart_limit = 10,
        log_level = "info,hyper=warn",
        log_format = "json",
        log_options = true,
        reuse_port,
        cpu_affinity = true,
        upgrade_timeout = "90s",
        pid_file = "/run/greeter.pid",
        admin = "/run/greeter/admin.sock",
        report_format = "json",
        report_dir = "/var/log/greeter",
        on_worker_exit = ["/usr/bin/logger", "worker"],
        on_worker_exit_timeout = "10s",
        metrics_bind = "127.0.0.1:9100",
        metrics_gauges = ["queue_depth=max"],
        metrics_buckets = ["payload_bytes=100,1000"],
        metrics_series = 500,
        user = "greeter",
        group = "greeter",
        no_new_privileges = true,
        umask = "027",
        chdir = "/var/lib/greeter",
        limit_nofile = 65536,
        limit_nproc = "512:1024",
        limit_core = "unlimited",
        limit_memlock = "64MiB",
        limit_stack = "8MiB",
        limit_as = "4GiB",
        limit_fsize = "1GiB",
    };
    assert_expansion!(launch(
        args,
        quote! {
            fn main() -> Greeter {
                Greeter
            }
        }
    ));
}

#[test]
fn an_async_main_is_run_by_the_runtime_of_the_services() {
    assert_expansion!(launch(
        quote!(workers = 2),
        quote! {
            async fn main(setup: &Setup, flags: Flags) -> Result<(Shop, Stock)> {
                let pool = Pool::connect(setup.config("db")?).await?;
                Ok((Shop::new(pool.clone()), Stock::new(pool, flags)))
            }
        }
    ));
}
