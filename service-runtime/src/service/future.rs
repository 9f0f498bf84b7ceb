//! Futures whose type is not named.

use std::pin::Pin;

/// A future of any type.
pub(crate) type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
