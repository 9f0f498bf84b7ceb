//! Says whether this build has worker processes: on Linux, unless `SERVICE_RUNTIME_NO_WORKERS` is set.
//!
//! The variable is for checking, on Linux, what other Unix systems get.

fn main() {
    println!("cargo::rustc-check-cfg=cfg(workers)");
    println!("cargo::rerun-if-env-changed=SERVICE_RUNTIME_NO_WORKERS");
    println!("cargo::rerun-if-changed=build.rs");
    let is_linux = std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|system| system == "linux");
    if is_linux && std::env::var_os("SERVICE_RUNTIME_NO_WORKERS").is_none() {
        println!("cargo::rustc-cfg=workers");
    }
}
