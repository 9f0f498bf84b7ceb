//! The subjects of topics, servers and workers.

use crate::rpc::address::{self, Target};

/// The queue group of those that share the calls of a subject.
pub(super) const QUEUE: &str = "rpc";

/// The subject that any one server of a topic, or one server of it, takes calls from.
pub(super) fn of_target(target: &Target) -> String {
    match &target.server {
        Some(server) => on(target, server),
        None => any(target),
    }
}

/// The subject that all servers of a topic share.
pub(super) fn any(target: &Target) -> String {
    format!("{}.any", of_topic(target))
}

/// The subject of one server, whose workers share it.
pub(super) fn on(target: &Target, server: &str) -> String {
    format!("{}.on.{}", of_topic(target), escape(server))
}

/// The subject that every worker of a topic gets.
pub(super) fn all(target: &Target) -> String {
    format!("{}.all", of_topic(target))
}

/// The subject of one worker alone.
pub(super) fn own(target: &Target, id: &str) -> String {
    format!("{}.worker.{}", of_topic(target), escape(id))
}

fn of_topic(target: &Target) -> String {
    format!("rpc.{}.{}", escape(&target.exchange), escape(&target.topic))
}

/// Writes a name as one token of a subject; no two names make the same.
fn escape(name: &str) -> String {
    address::escape(name, |_, _| false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_tokens_of_a_subject() {
        let target = Target {
            exchange: "open.stack".to_owned(),
            topic: "a *".to_owned(),
            server: Some("host7.example.org>".to_owned()),
        };
        let subject = "rpc.open%2estack.a%20%2a.on.host7%2eexample%2eorg%3e";
        assert_eq!(of_target(&target), subject);
        let any = Target {
            server: None,
            ..target
        };
        assert_eq!(of_target(&any), "rpc.open%2estack.a%20%2a.any");
        assert_eq!(escape(""), "%");
    }
}
