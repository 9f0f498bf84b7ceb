//! Where a call goes: exchange, topic, server.

use std::fmt;

/// The address of a call: a topic in an exchange, and one server of it if only that one is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) exchange: String,
    pub(super) topic: String,
    /// `None` for any one server of the topic.
    pub(super) server: Option<String>,
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.server {
            Some(server) => write!(f, "`{}` on `{server}`", self.topic),
            None => write!(f, "`{}`", self.topic),
        }
    }
}

/// Writes a name with `%` and two digits for each byte that is not plain, so that no two names make the same.
///
/// Letters, digits, `-` and `_` are plain, and what `is_plain` finds so, by its place and the byte.
pub(super) fn escape(name: &str, is_plain: impl Fn(usize, u8) -> bool) -> String {
    let mut escaped = String::with_capacity(name.len());
    for (place, byte) in name.bytes().enumerate() {
        let plain = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if plain || is_plain(place, byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02x}"));
        }
    }
    if escaped.is_empty() {
        escaped.push('%');
    }
    escaped
}
