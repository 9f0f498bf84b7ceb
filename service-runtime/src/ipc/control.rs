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
    /// Something is to be done.
    Order(u32, OrderRequest),
    /// What has happened after the event of this number, and whatever happens from now on.
    Events(u32),
}

/// An order, and who gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OrderRequest {
    pub(crate) kind: OrderKind,
    /// How many workers, or which slot.
    pub(crate) number: u32,
    pub(crate) uid: u32,
    pub(crate) pid: i32,
    /// The service whose workers are meant.
    pub(crate) service: ServiceName,
}

/// What is ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OrderKind {
    Reload,
    Upgrade,
    Scale,
    Recycle,
    Stop,
    Quit,
    Drain,
    Fill,
}

/// The name of a service, or nothing for the workers that services share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ServiceName {
    length: usize,
    bytes: [u8; LONGEST_NAME],
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
    /// An order is carried out; what came of it is in the memory file, as with the next two.
    Done(u32),
    /// An order cannot be carried out.
    Refused(u32),
    /// An order was begun, and came to nothing.
    CameToNothing(u32),
    /// Something has happened; the event of this number is in the memory file.
    Event(u32),
}

/// The longest name of a service that an order can be for.
const LONGEST_NAME: usize = 64;

/// The size of a question, in bytes: what it is, its number, the five values of an order, the name.
const REQUEST: usize = 7 * 4 + LONGEST_NAME;

/// The size of an answer, in bytes: what it is, and a number.
const REPLY: usize = 8;

impl OrderKind {
    /// Every kind with the word for it; its place is its number in a message.
    pub(crate) const ALL: [(Self, &str); 8] = [
        (Self::Reload, "reload"),
        (Self::Upgrade, "upgrade"),
        (Self::Scale, "scale"),
        (Self::Recycle, "recycle"),
        (Self::Stop, "stop"),
        (Self::Quit, "quit"),
        (Self::Drain, "drain"),
        (Self::Fill, "fill"),
    ];

    /// Returns the word for it.
    pub(crate) fn word(self) -> &'static str {
        let known = Self::ALL.iter().find(|(kind, _)| *kind == self);
        known.map_or("", |(_, word)| word)
    }

    /// Returns what a word stands for.
    pub(crate) fn of_word(word: &str) -> Option<Self> {
        let known = Self::ALL.iter().find(|(_, known)| *known == word);
        known.map(|(kind, _)| *kind)
    }

    fn number(self) -> u32 {
        let place = Self::ALL.iter().position(|(kind, _)| *kind == self);
        place
            .and_then(|place| u32::try_from(place).ok())
            .unwrap_or(0)
    }

    fn of_number(number: u32) -> Option<Self> {
        let kind = Self::ALL.get(usize::try_from(number).ok()?);
        kind.map(|(kind, _)| *kind)
    }
}

impl ServiceName {
    /// Takes a name; `None` if no service can be called so.
    pub(crate) fn new(name: &str) -> Option<Self> {
        let mut bytes = [0; LONGEST_NAME];
        bytes
            .get_mut(..name.len())?
            .copy_from_slice(name.as_bytes());
        Some(Self {
            length: name.len(),
            bytes,
        })
    }

    /// Returns whether this is the name of a service; the name of none is empty.
    pub(crate) fn is(&self, name: &str) -> bool {
        self.bytes.get(..self.length) == Some(name.as_bytes())
    }
}

impl ControlRequest {
    /// Writes the message.
    pub(crate) fn encode(self) -> [u8; REQUEST] {
        let (kind, id) = match self {
            Self::Alive => (0, 0),
            Self::Status(id) => (1, id),
            Self::Configuration(id) => (2, id),
            Self::Report(id) => (3, id),
            Self::Order(id, _) => (4, id),
            Self::Events(after) => (5, after),
        };
        let mut bytes = [0; REQUEST];
        let mut numbers = [kind, id, 0, 0, 0, 0, 0];
        if let Self::Order(_, order) = self {
            let length = u32::try_from(order.service.length).unwrap_or(0);
            let pid = order.pid.cast_unsigned();
            let own = [order.kind.number(), order.number, order.uid, pid, length];
            numbers[2..].copy_from_slice(&own);
            bytes[7 * 4..].copy_from_slice(&order.service.bytes);
        }
        for (place, number) in bytes.chunks_exact_mut(4).zip(numbers) {
            place.copy_from_slice(&number.to_ne_bytes());
        }
        bytes
    }

    /// Reads a message, or `None` if it is none.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; REQUEST] = bytes.try_into().ok()?;
        let (numbers, name) = bytes.split_at(7 * 4);
        let mut values = [0; 7];
        for (value, four) in values.iter_mut().zip(numbers.chunks_exact(4)) {
            *value = u32::from_ne_bytes(four.try_into().ok()?);
        }
        let [kind, id, order, number, uid, pid, length] = values;
        Some(match kind {
            0 => Self::Alive,
            1 => Self::Status(id),
            2 => Self::Configuration(id),
            3 => Self::Report(id),
            4 => Self::Order(
                id,
                OrderRequest {
                    kind: OrderKind::of_number(order)?,
                    number,
                    uid,
                    pid: pid.cast_signed(),
                    service: ServiceName {
                        length: usize::try_from(length).ok()?,
                        bytes: name.try_into().ok()?,
                    },
                },
            ),
            5 => Self::Events(id),
            _ => return None,
        })
    }
}

impl ControlReply {
    /// Writes the message.
    pub(crate) fn encode(self) -> [u8; REPLY] {
        let (kind, number): (u32, u32) = match self {
            Self::Answer(id) => (0, id),
            Self::Failed(id) => (1, id),
            Self::Ended(code) => (2, code.into()),
            Self::Done(id) => (3, id),
            Self::Refused(id) => (4, id),
            Self::CameToNothing(id) => (5, id),
            Self::Event(id) => (6, id),
        };
        let mut bytes = [0; REPLY];
        bytes[..4].copy_from_slice(&kind.to_ne_bytes());
        bytes[4..].copy_from_slice(&number.to_ne_bytes());
        bytes
    }

    /// Reads a message, or `None` if it is none.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let [a, b, c, d, e, f, g, h]: [u8; REPLY] = bytes.try_into().ok()?;
        let number = u32::from_ne_bytes([e, f, g, h]);
        Some(match u32::from_ne_bytes([a, b, c, d]) {
            0 => Self::Answer(number),
            1 => Self::Failed(number),
            2 => Self::Ended(u8::try_from(number).ok()?),
            3 => Self::Done(number),
            4 => Self::Refused(number),
            5 => Self::CameToNothing(number),
            6 => Self::Event(number),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_said_arrives(id: u32, code: u8, number: u32, uid: u32, pid: i32, name in "[a-z_]{0,64}") {
            let service = ServiceName::new(&name).unwrap();
            prop_assert!(service.is(&name) && !service.is("Another"));
            let orders = OrderKind::ALL.map(|(kind, word)| {
                assert_eq!(OrderKind::of_word(word), Some(kind));
                ControlRequest::Order(id, OrderRequest { kind, number, uid, pid, service })
            });
            let requests = [
                ControlRequest::Alive,
                ControlRequest::Status(id),
                ControlRequest::Configuration(id),
                ControlRequest::Report(id),
                ControlRequest::Events(id),
            ];
            for request in requests.into_iter().chain(orders) {
                prop_assert_eq!(ControlRequest::decode(&request.encode()), Some(request));
            }
            let replies = [
                ControlReply::Answer(id),
                ControlReply::Failed(id),
                ControlReply::Ended(code),
                ControlReply::Done(id),
                ControlReply::Refused(id),
                ControlReply::CameToNothing(id),
                ControlReply::Event(id),
            ];
            for reply in replies {
                prop_assert_eq!(ControlReply::decode(&reply.encode()), Some(reply));
            }
        }

        #[test]
        fn no_bytes_make_reading_fail(bytes: Vec<u8>, message in prop::array::uniform32(any::<u8>())) {
            let _ = ControlRequest::decode(&bytes);
            let _ = ControlReply::decode(&bytes);
            // Of the right size, with a length of the name that may be too long.
            let mut whole = [0; REQUEST];
            whole[..32].copy_from_slice(&message);
            for kind in 0..6_u8 {
                whole[..4].copy_from_slice(&u32::from(kind).to_ne_bytes());
                if let Some(ControlRequest::Order(_, order)) = ControlRequest::decode(&whole) {
                    prop_assert!(!order.service.is("api"));
                }
            }
        }
    }

    #[test]
    fn a_name_that_is_too_long_is_none() {
        assert!(ServiceName::new(&"x".repeat(65)).is_none());
    }
}
