//! Waits for a service of another program, or of this one.

use std::time::Duration;

use tokio::time::sleep;

use super::base::{OWN, SUPPORTS};
use super::client::Client;
use super::error::{CallError, NoError};
use super::interface::TypedClient;
use super::message::PING;
use super::version::Version;
use crate::backoff::Backoff;
use crate::service::Context;

/// The waits between pings.
const WAITS: Backoff = Backoff::doubling(Duration::from_millis(20), Duration::from_secs(1));
/// How long a ping may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Waits until a server answers the pings of a client's topic, and returns the client.
///
/// # Errors
///
/// Returns how the last ping went if the service stops before.
///
/// # Cancel safety
///
/// Cancel safe: a ping changes nothing.
pub async fn wait_for<C: TypedClient>(cx: &Context) -> Result<C, CallError> {
    let topic = C::interface().topic();
    let client = C::connect(cx);
    let mut waits = WAITS.delays();
    loop {
        let Err(error) = client.untyped().clone().timeout(PATIENCE).ping().await else {
            return Ok(client);
        };
        if cx.is_stopping() {
            return Err(error);
        }
        if waits.is_new() {
            tracing::info!(service = cx.name(), "waiting for `{topic}`: {error}");
        }
        tokio::select! {
            () = sleep(waits.take_spread()) => {}
            () = cx.stopping() => return Err(error),
        }
    }
}

impl Client {
    /// Asks a server of the topic for a sign that it serves; every topic answers that.
    ///
    /// # Errors
    ///
    /// Returns what became of the ping instead.
    pub async fn ping(&self) -> Result<(), CallError> {
        let ping = self.method(PING).idempotent();
        ping.call::<Result<String, NoError>>().await.map(drop)
    }

    /// Asks a server of the topic whether it has a method, in the version that a call of it asks for.
    ///
    /// # Errors
    ///
    /// Returns what became of the question instead.
    pub async fn supports(
        &self,
        namespace: Option<&str>,
        method: &str,
        version: Version,
    ) -> Result<bool, CallError> {
        let question = self.method(SUPPORTS).namespace(OWN).idempotent();
        let question = question.argument("method", method);
        let question = question.argument("namespace", namespace);
        let question = question.argument("version", version.to_string());
        question.call::<Result<bool, NoError>>().await
    }
}
