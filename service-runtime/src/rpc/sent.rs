//! A request on its way, and what became of it.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{sleep, timeout_at};

use super::error::{CallError, NoError, RemoteError, RpcError};
use super::message::Reply;
use super::prepared::Prepared;
use super::transport::{Delivery, Outbound};
use crate::backoff::Backoff;

/// The waits before an idempotent call is sent again.
const WAITS: Backoff = Backoff::doubling(Duration::from_millis(5), Duration::from_secs(1));

/// A request that is ready to be sent, and what is said of it when it fails.
pub(super) struct Sent {
    pub(super) prepared: Arc<Prepared>,
    pub(super) outbound: Outbound,
    pub(super) method: String,
    pub(super) idempotent: bool,
    pub(super) timeout: Duration,
}

impl Sent {
    /// Sends the request, and sends it again if it may run twice and its server died.
    pub(super) async fn deliver(&self) -> Result<Delivery, CallError> {
        let deadline = self.outbound.deadline;
        let mut was_lost = false;
        let mut waits = WAITS.delays();
        loop {
            let sent = self.prepared.transport.deliver(&self.outbound).await;
            match sent {
                Ok(Delivery::Lost) if self.idempotent => was_lost = true,
                // Whom it was sent to first may have begun.
                Ok(Delivery::Nobody) | Err(_) if was_lost => return Ok(Delivery::Lost),
                sent => return sent.map_err(|error| self.not_sent(error)),
            }
            if timeout_at(deadline, sleep(waits.take())).await.is_err() {
                return Ok(Delivery::Lost);
            }
        }
    }

    /// Sends the request to all workers, and returns the answers that are waited for.
    pub(super) async fn deliver_to_all(&self) -> Result<Vec<Delivery>, CallError> {
        let sent = self.prepared.transport.deliver_to_all(&self.outbound).await;
        sent.map_err(|error| self.not_sent(error))
    }

    pub(super) fn read(&self, delivery: Delivery) -> Result<Reply, CallError> {
        let (method, target) = (self.method.clone(), self.outbound.target.to_string());
        match delivery {
            Delivery::Answered(body) => {
                serde_json::from_slice(&body).map_err(|error| self.unknown(error))
            }
            Delivery::Nobody => Err(CallError::Undeliverable { method, target }),
            Delivery::Lost => Err(CallError::PeerLost { method, target }),
            Delivery::TimedOut => Err(CallError::Timeout {
                method,
                target,
                after: self.timeout,
            }),
            Delivery::Unreadable(error) => Err(self.unknown(error)),
        }
    }

    /// Tells an answer with a value from one with a failure.
    pub(super) fn value<E: RpcError>(&self, mut reply: Reply) -> Result<Reply, CallError<E>> {
        let Some(failure) = reply.failure.take() else {
            return Ok(reply);
        };
        if failure.is_late() {
            return Err(CallError::Timeout {
                method: self.method.clone(),
                target: self.outbound.target.to_string(),
                after: self.timeout,
            });
        }
        Err(if failure.is_unsupported() {
            CallError::Unsupported {
                method: self.method.clone(),
                target: self.outbound.target.to_string(),
                message: failure.message,
            }
        } else {
            match E::from_failure(&failure) {
                Some(error) => CallError::Expected(error),
                None => CallError::Remote(RemoteError(Box::new(failure))),
            }
        })
    }

    fn not_sent(&self, error: std::io::Error) -> CallError {
        CallError::NotSent {
            method: self.method.clone(),
            source: error.into(),
        }
    }

    pub(super) fn unknown<E: RpcError>(
        &self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> CallError<E> {
        CallError::Unknown {
            method: self.method.clone(),
            source: source.into(),
        }
    }
}

/// Makes an error without a typed one an error that could have one.
pub(super) fn widen<E: RpcError>(error: CallError<NoError>) -> CallError<E> {
    match error {
        CallError::Expected(never) => match never.0 {},
        CallError::Remote(error) => CallError::Remote(error),
        CallError::Timeout {
            method,
            target,
            after,
        } => CallError::Timeout {
            method,
            target,
            after,
        },
        CallError::PeerLost { method, target } => CallError::PeerLost { method, target },
        CallError::Undeliverable { method, target } => CallError::Undeliverable { method, target },
        CallError::Unsupported {
            method,
            target,
            message,
        } => CallError::Unsupported {
            method,
            target,
            message,
        },
        CallError::NotSent { method, source } => CallError::NotSent { method, source },
        CallError::Unknown { method, source } => CallError::Unknown { method, source },
    }
}
