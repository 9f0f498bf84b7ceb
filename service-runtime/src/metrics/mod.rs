//! What the numbers mean that processes of a program count in memory that others read.

#[cfg(all(feature = "http", target_os = "linux"))]
pub(crate) mod exchanges;
