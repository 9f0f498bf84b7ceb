//! The ProcessLauncher's parent process.

pub(crate) mod machine;
