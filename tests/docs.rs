//! Compiles every Rust block of the README, the architecture and the guide, as tests of documentation.
//!
//! `tests/tests/docs.rs` checks that no page is missing here.

macro_rules! pages {
    ($($name:ident: $file:literal,)*) => {$(
        #[doc = include_str!($file)]
        mod $name {}
    )*};
}

pages! {
    readme: "../README.md",
    architecture: "../docs/architecture.md",
    guide: "../docs/guide/README.md",
    first_service: "../docs/guide/first-service.md",
    lifecycle_and_signals: "../docs/guide/lifecycle-and-signals.md",
    tasks_and_timers: "../docs/guide/tasks-and-timers.md",
    configuration_and_reload: "../docs/guide/configuration-and-reload.md",
    workers: "../docs/guide/workers.md",
    http: "../docs/guide/http.md",
    cluster: "../docs/guide/cluster.md",
    rpc: "../docs/guide/rpc.md",
    traces: "../docs/guide/traces.md",
    looking_in_and_steering: "../docs/guide/looking-in-and-steering.md",
    deploying: "../docs/guide/deploying.md",
    from_oslo_service: "../docs/guide/from-oslo-service.md",
}
