//! The launchers.

#[cfg(target_os = "linux")]
mod supervisor;
