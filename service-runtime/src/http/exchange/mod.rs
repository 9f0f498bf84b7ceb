//! One request and its answer.

mod answer;
mod body;
mod call;
mod refusal;

pub(crate) use self::answer::AnswerBody;
pub use self::body::RequestBody;
pub(crate) use self::body::StillSending;
pub(crate) use self::call::Exchanger;
