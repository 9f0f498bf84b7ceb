//! Answers to the tools of the broker, so that `nats micro ls`, `info` and `stats` show each worker of a topic.
//!
//! The subjects and answers are those of the micro protocol of NATS (ADR-32): `$SRV.PING`, `$SRV.INFO` and
//! `$SRV.STATS`, each also for one name and for one worker of it.

use std::sync::Arc;
use std::time::SystemTime;

use async_nats::{Message, Subscriber};
use serde_json::{Map, Value, json};

use super::session::{Session, next};
use super::subjects;
use crate::rpc::server::Server;
use crate::rpc::version::Version;

/// What is said of a worker of a topic, and where it is asked.
pub(super) struct Discovery {
    session: Arc<Session>,
    server: Arc<Server>,
    /// The topic, as a name that the protocol permits.
    name: String,
    id: String,
    started: String,
    /// What is asked of all services, of all workers of a topic, and of this one.
    questions: [Subscriber; 3],
}

impl Discovery {
    /// Subscribes to what tools ask.
    ///
    /// # Errors
    ///
    /// Returns an error if the connection has ended.
    pub(super) async fn subscribe(
        session: &Arc<Session>,
        server: &Arc<Server>,
        id: String,
    ) -> Result<Self, async_nats::SubscribeError> {
        let (client, name) = (&session.client, name(server.topic()));
        let questions = [
            client.subscribe("$SRV.*").await?,
            client.subscribe(format!("$SRV.*.{name}")).await?,
            client.subscribe(format!("$SRV.*.{name}.{id}")).await?,
        ];
        Ok(Self {
            session: Arc::clone(session),
            server: Arc::clone(server),
            name,
            id,
            started: humantime::format_rfc3339_millis(SystemTime::now()).to_string(),
            questions,
        })
    }

    /// Answers until the service stops, or the connection ends.
    pub(super) async fn answer(mut self) {
        loop {
            let [every, named, own] = &mut self.questions;
            let message = tokio::select! {
                () = self.server.cx.stopping() => return,
                message = next(every) => message,
                message = next(named) => message,
                message = next(own) => message,
            };
            let Some(message) = message else {
                return;
            };
            self.reply(message).await;
        }
    }

    async fn reply(&self, message: Message) {
        let Some(to) = message.reply else {
            return;
        };
        let (kind, more) = match message.subject.split('.').nth(1) {
            Some("PING") => ("ping", Map::new()),
            Some("INFO") => ("info", self.info()),
            Some("STATS") => ("stats", self.stats()),
            _ => return,
        };
        let mut answer = self.identity(kind);
        answer.extend(more);
        let body = Value::Object(answer).to_string();
        if let Err(error) = self.session.client.publish(to, body.into()).await {
            tracing::debug!(topic = self.server.topic(), "cannot answer a tool: {error}");
        }
    }

    /// What stands in each answer.
    fn identity(&self, kind: &str) -> Map<String, Value> {
        let Version { major, minor } = self.server.dispatch.highest_version();
        object(json!({
            "type": format!("io.nats.micro.v1.{kind}_response"),
            "name": self.name,
            "id": self.id,
            "version": format!("{major}.{minor}.0"),
            "metadata": {
                "exchange": self.server.target.exchange,
                "topic": self.server.topic(),
                "server": self.server.name,
            },
        }))
    }

    fn info(&self) -> Map<String, Value> {
        let endpoints = self.server.dispatch.methods().map(|method| {
            let (namespace, since) = method.place();
            let mut endpoint = self.endpoint(method.name());
            let mut metadata = object(json!({ "since": since.to_string() }));
            if let Some(namespace) = namespace {
                metadata.insert("namespace".to_owned(), namespace.into());
            }
            endpoint.insert("metadata".to_owned(), metadata.into());
            endpoint
        });
        let endpoints: Vec<_> = endpoints.collect();
        object(json!({ "description": "", "endpoints": endpoints }))
    }

    fn stats(&self) -> Map<String, Value> {
        let endpoints = self.server.dispatch.methods().map(|method| {
            let name = method.name();
            let called = self.server.stats.of_method(self.server.topic(), name);
            let (ended, errors, mean) = called.map_or((0, 0, 0), |called| {
                let errors = called.errors + called.expected_errors;
                (called.ended, errors, nanos(called.mean.as_nanos()))
            });
            let mut endpoint = self.endpoint(name);
            endpoint.extend(object(json!({
                "num_requests": ended,
                "num_errors": errors,
                "last_error": "",
                "processing_time": mean.saturating_mul(ended),
                "average_processing_time": mean,
            })));
            endpoint
        });
        let endpoints: Vec<_> = endpoints.collect();
        object(json!({ "started": self.started, "endpoints": endpoints }))
    }

    fn endpoint(&self, method: &str) -> Map<String, Value> {
        object(json!({
            "name": method,
            "subject": subjects::any(&self.server.target),
            "queue_group": subjects::QUEUE,
        }))
    }
}

/// Writes a topic as a name that the protocol permits; the topic itself stands in the metadata.
fn name(topic: &str) -> String {
    let permitted = |it: char| it.is_ascii_alphanumeric() || matches!(it, '-' | '_');
    let name = topic.chars().map(|it| if permitted(it) { it } else { '_' });
    name.collect()
}

fn nanos(nanos: u128) -> u64 {
    u64::try_from(nanos).unwrap_or(u64::MAX)
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_becomes_a_name_that_tools_accept() {
        assert_eq!(name("compute-admin_2"), "compute-admin_2");
        assert_eq!(name("a.b *>ä"), "a_b____");
    }
}
