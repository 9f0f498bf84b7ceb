//! What a supervisor and its workers say to each other, one message each.
//!
//! A message is its tag and its fields, with a unit separator between them. Both ends are of the
//! same program file, so the form needs no versions.

use std::str::FromStr;

use super::RecycleLimit;

/// Between two fields. It comes in no address, and is taken out of every text.
pub(crate) const SEPARATOR: char = '\u{1f}';

/// The longest text that is passed on, in bytes.
const LONGEST: usize = 8 * 1024;

/// From a worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ToSupervisor {
    /// Every service is ready.
    Ready,
    /// The services cannot be started.
    Failed {
        /// The code that the worker is about to exit with.
        code: u8,
        /// Whether another try could not go better.
        hopeless: bool,
        /// What is wrong.
        text: String,
    },
    /// The process cannot be set up: the machine is short of something.
    SetupFailed(String),
    /// A socket is asked for.
    Listen {
        /// The number of the question.
        id: u32,
        /// The address and options.
        options: String,
    },
    /// How a service says it goes.
    Status {
        /// The service.
        service: String,
        /// Its words.
        text: String,
    },
    /// A socket that came along with the fork is in use.
    Uses(String),
    /// A limit of the worker's life is reached.
    RecycleRequested(RecycleLimit),
    /// Every service has come to its end, or there is none for this worker: it exits.
    Done,
    /// A mutation is done; empty, or what went wrong.
    Mutated(String),
    /// This worker's part of a report comes with this message, in a memory file.
    Reported {
        /// The number of the question.
        id: u32,
    },
}

/// To a worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ToWorker {
    /// The socket asked for comes with this message.
    Listening {
        /// The number of the question.
        id: u32,
    },
    /// The socket asked for cannot be had.
    Refused {
        /// The number of the question.
        id: u32,
        /// Why.
        text: String,
    },
    /// The socket asked for is not given any more: the program stops.
    Stopping {
        /// The number of the question.
        id: u32,
    },
    /// A configuration to be taken over comes with this message, in a memory file.
    Mutate,
    /// A part of a report is asked for.
    Report {
        /// The number of the question.
        id: u32,
        /// Whether it is to be written as JSON, and not as text.
        as_json: bool,
    },
}

impl ToSupervisor {
    /// Writes the message.
    pub(crate) fn encode(&self) -> Vec<u8> {
        match self {
            Self::Ready => join(&["ready"]),
            Self::RecycleRequested(limit) => join(&["recycle", limit.key()]),
            Self::Done => join(&["done"]),
            Self::Uses(options) => join(&["uses", options]),
            Self::Failed {
                code,
                hopeless,
                text,
            } => join(&["failed", &code.to_string(), &hopeless.to_string(), text]),
            Self::SetupFailed(text) => join(&["setup_failed", text]),
            Self::Listen { id, options } => join(&["listen", &id.to_string(), options]),
            Self::Status { service, text } => join(&["status", service, text]),
            Self::Mutated(text) => join(&["mutated", text]),
            Self::Reported { id } => join(&["reported", &id.to_string()]),
        }
    }

    /// Reads a message, or `None` if it is none.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let text = str::from_utf8(bytes).ok()?;
        let fields: Vec<&str> = text.split(SEPARATOR).collect();
        Some(match *fields.as_slice() {
            ["ready"] => Self::Ready,
            ["recycle", limit] => Self::RecycleRequested(RecycleLimit::of_key(limit)?),
            ["done"] => Self::Done,
            ["uses", options] => Self::Uses(options.to_owned()),
            ["failed", code, hopeless, text] => Self::Failed {
                code: code.parse().ok()?,
                hopeless: bool::from_str(hopeless).ok()?,
                text: text.to_owned(),
            },
            ["setup_failed", text] => Self::SetupFailed(text.to_owned()),
            ["listen", id, options] => Self::Listen {
                id: id.parse().ok()?,
                options: options.to_owned(),
            },
            ["status", service, text] => Self::Status {
                service: service.to_owned(),
                text: text.to_owned(),
            },
            ["mutated", text] => Self::Mutated(text.to_owned()),
            ["reported", id] => Self::Reported {
                id: id.parse().ok()?,
            },
            _ => return None,
        })
    }
}

impl ToWorker {
    /// Writes the message.
    pub(crate) fn encode(&self) -> Vec<u8> {
        match self {
            Self::Listening { id } => join(&["listening", &id.to_string()]),
            Self::Refused { id, text } => join(&["refused", &id.to_string(), text]),
            Self::Stopping { id } => join(&["stopping", &id.to_string()]),
            Self::Mutate => join(&["mutate"]),
            Self::Report { id, as_json } => {
                join(&["report", &id.to_string(), &as_json.to_string()])
            }
        }
    }

    /// Reads a message, or `None` if it is none.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let text = str::from_utf8(bytes).ok()?;
        let fields: Vec<&str> = text.split(SEPARATOR).collect();
        Some(match *fields.as_slice() {
            ["listening", id] => Self::Listening {
                id: id.parse().ok()?,
            },
            ["refused", id, text] => Self::Refused {
                id: id.parse().ok()?,
                text: text.to_owned(),
            },
            ["stopping", id] => Self::Stopping {
                id: id.parse().ok()?,
            },
            ["mutate"] => Self::Mutate,
            ["report", id, as_json] => Self::Report {
                id: id.parse().ok()?,
                as_json: as_json.parse().ok()?,
            },
            _ => return None,
        })
    }
}

pub(crate) fn join(fields: &[&str]) -> Vec<u8> {
    let mut message = String::new();
    for (index, field) in fields.iter().enumerate() {
        if index > 0 {
            message.push(SEPARATOR);
        }
        let cut = (0..=LONGEST.min(field.len()))
            .rfind(|&at| field.is_char_boundary(at))
            .unwrap_or_default();
        message.extend(
            field[..cut]
                .chars()
                .map(|c| if c == SEPARATOR { ' ' } else { c }),
        );
    }
    message.into_bytes()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_a_worker_says_arrives(code: u8, hopeless: bool, id: u32, text in "[^\u{1f}]{0,200}") {
            for message in [
                ToSupervisor::Ready,
                ToSupervisor::RecycleRequested(RecycleLimit::Memory),
                ToSupervisor::Done,
                ToSupervisor::Uses(text.clone()),
                ToSupervisor::Failed { code, hopeless, text: text.clone() },
                ToSupervisor::SetupFailed(text.clone()),
                ToSupervisor::Listen { id, options: text.clone() },
                ToSupervisor::Status { service: "api".to_owned(), text: text.clone() },
                ToSupervisor::Mutated(text.clone()),
                ToSupervisor::Reported { id },
            ] {
                prop_assert_eq!(ToSupervisor::decode(&message.encode()), Some(message));
            }
            for message in [ToWorker::Listening { id }, ToWorker::Refused { id, text }, ToWorker::Stopping { id }, ToWorker::Mutate, ToWorker::Report { id, as_json: hopeless }] {
                prop_assert_eq!(ToWorker::decode(&message.encode()), Some(message));
            }
        }

        #[test]
        fn no_bytes_make_reading_fail(bytes: Vec<u8>) {
            let _ = ToSupervisor::decode(&bytes);
            let _ = ToWorker::decode(&bytes);
        }
    }

    #[test]
    fn a_text_too_long_is_cut_and_one_with_a_separator_stays_one_field() {
        let text = format!("a\u{1f}b{}", "ä".repeat(LONGEST));
        let message = ToSupervisor::Mutated(text).encode();
        assert!(message.len() <= LONGEST + 20);
        assert!(matches!(
            ToSupervisor::decode(&message),
            Some(ToSupervisor::Mutated(_))
        ));
    }
}
