//! What is asked of each element of a tuple that `main` returns.

use crate::service::IntoServices;

/// Does nothing for what can be launched, and does not compile for anything else.
///
/// The compiler calls the tuple as a whole no service. This names the element that is none.
pub const fn launchable<S: IntoServices>() {}
