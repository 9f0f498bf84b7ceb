//! What the numbers mean that processes of a program count in memory that others read.

#[cfg(feature = "http")]
pub(crate) mod exchanges;
mod requests;

pub(crate) use requests::RequestCounters;
