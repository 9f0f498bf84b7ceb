//! One request and its answer.

mod access;
mod answer;
mod bodiless;
mod body;
mod call;
mod counted;
mod forwarded;
mod health;
mod id;
mod parts;
mod refusal;
mod span;
mod target;
mod trace;

pub(crate) use self::access::NO_ANSWER;
pub(crate) use self::answer::AnswerBody;
pub use self::body::RequestBody;
pub(crate) use self::call::Exchanger;
pub(crate) use self::parts::ExchangeParts;
pub(crate) use self::refusal::limit_of;

#[cfg(fuzzing)]
pub(crate) use self::{access::fuzz as fuzz_access_log, forwarded::fuzz as fuzz_forwarded};
