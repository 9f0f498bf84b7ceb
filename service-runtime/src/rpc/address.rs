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
