//! The methods that every topic has: pings by the names of oslo.messaging and nova, and a question for
//! versions.

use serde_json::{Value, json};

use super::dispatch::Dispatch;
use super::message::PING;
use super::method::Method;
use super::version::Version;

/// The namespace of the methods that are this crate's own.
pub(super) const OWN: &str = "service_runtime";
/// Asks whether a call would find a method.
pub(super) const SUPPORTS: &str = "supports";

/// Makes the base methods of a topic.
pub(super) fn methods(topic: &str, served: &Dispatch) -> anyhow::Result<Dispatch> {
    let ping = Method::new(
        PING,
        |_| Ok(()),
        |_, ()| std::future::ready(anyhow::Ok("pong".to_owned())),
    );
    let service = topic.to_owned();
    let base_ping = Method::new(
        "ping",
        |args| args.take::<Option<Value>>("arg"),
        move |_, arg| std::future::ready(anyhow::Ok(json!({ "service": service, "arg": arg }))),
    );
    let base_ping = base_ping.namespace("baseapi").since(Version::new(1, 1));
    let served = served.clone();
    let supports = Method::new(
        SUPPORTS,
        |args| {
            let namespace: Option<String> = args.take("namespace")?;
            let version: Option<String> = args.take("version")?;
            Ok((args.take::<String>("method")?, namespace, version))
        },
        move |_, (method, namespace, version)| {
            let found = served.look_up(&method, namespace.as_deref(), version.as_deref());
            std::future::ready(anyhow::Ok(found.is_ok()))
        },
    );
    Dispatch::new(vec![ping, base_ping, supports.namespace(OWN)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_methods_are_found_by_the_names_that_peers_use() {
        let served = Dispatch::new(Vec::new()).unwrap();
        let base = methods("compute", &served).unwrap();
        assert!(base.look_up(PING, None, None).is_ok());
        assert!(base.look_up("ping", Some("baseapi"), Some("1.0")).is_ok());
        assert!(base.look_up("ping", Some("baseapi"), Some("1.1")).is_ok());
        assert!(base.look_up("ping", None, None).is_err());
        assert!(base.look_up(SUPPORTS, Some(OWN), None).is_ok());
    }
}
