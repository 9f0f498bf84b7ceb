//! What a supervisor and its control process say to each other.
//!
//! A question has a fixed size and a place for each of its values: the supervisor reads no text. An answer
//! that is longer than a few bytes comes in a memory file.

/// What the control process asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ControlRequest {
    /// Nothing: it answers clients.
    Alive,
    /// The state of slots and workers, as the supervisor knows it.
    Status(u32),
    /// That, with the effective configuration.
    Configuration(u32),
    /// That, with what every worker tells of itself.
    Report(u32),
}

/// What the supervisor answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ControlReply {
    /// What was asked for comes with this message, in a memory file.
    Answer(u32),
    /// It cannot be told.
    Failed(u32),
    /// The program has ended, with this code.
    Ended(u8),
}

/// The size of a message, in bytes: what it is, and a number.
pub(crate) const SIZE: usize = 8;

impl ControlRequest {
    /// Writes the message.
    pub(crate) fn encode(self) -> [u8; SIZE] {
        match self {
            Self::Alive => message(0, 0),
            Self::Status(id) => message(1, id),
            Self::Configuration(id) => message(2, id),
            Self::Report(id) => message(3, id),
        }
    }

    /// Reads a message, or `None` if it is none.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        Some(match parts(bytes)? {
            (0, _) => Self::Alive,
            (1, id) => Self::Status(id),
            (2, id) => Self::Configuration(id),
            (3, id) => Self::Report(id),
            _ => return None,
        })
    }
}

impl ControlReply {
    /// Writes the message.
    pub(crate) fn encode(self) -> [u8; SIZE] {
        match self {
            Self::Answer(id) => message(0, id),
            Self::Failed(id) => message(1, id),
            Self::Ended(code) => message(2, code.into()),
        }
    }

    /// Reads a message, or `None` if it is none.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        Some(match parts(bytes)? {
            (0, id) => Self::Answer(id),
            (1, id) => Self::Failed(id),
            (2, code) => Self::Ended(u8::try_from(code).ok()?),
            _ => return None,
        })
    }
}

fn message(kind: u32, number: u32) -> [u8; SIZE] {
    let mut bytes = [0; SIZE];
    bytes[..4].copy_from_slice(&kind.to_ne_bytes());
    bytes[4..].copy_from_slice(&number.to_ne_bytes());
    bytes
}

fn parts(bytes: &[u8]) -> Option<(u32, u32)> {
    let bytes: [u8; SIZE] = bytes.try_into().ok()?;
    let [a, b, c, d, e, f, g, h] = bytes;
    let kind = u32::from_ne_bytes([a, b, c, d]);
    Some((kind, u32::from_ne_bytes([e, f, g, h])))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_said_arrives(id: u32, code: u8) {
            let requests = [
                ControlRequest::Alive,
                ControlRequest::Status(id),
                ControlRequest::Configuration(id),
                ControlRequest::Report(id),
            ];
            for request in requests {
                prop_assert_eq!(ControlRequest::decode(&request.encode()), Some(request));
            }
            let replies = [ControlReply::Answer(id), ControlReply::Failed(id), ControlReply::Ended(code)];
            for reply in replies {
                prop_assert_eq!(ControlReply::decode(&reply.encode()), Some(reply));
            }
        }

        #[test]
        fn no_bytes_make_reading_fail(bytes: Vec<u8>) {
            let _ = ControlRequest::decode(&bytes);
            let _ = ControlReply::decode(&bytes);
        }
    }
}
