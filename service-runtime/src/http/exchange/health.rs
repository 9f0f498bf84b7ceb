//! `/healthz` and `/readyz`: whether the process lives, and whether its services can do their work; and
//! `/metrics`.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use axum::http::header::ACCEPT;
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use futures_core::future::BoxFuture;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use crate::http::HttpConfig;
use crate::http::connection::Purpose;
use crate::http::shared::Shared;
use crate::metrics::{Format, exposition};
use crate::service::{Context, HealthStatus, Phase};

/// How long an answer of the services is good for.
const FRESH: Duration = Duration::from_secs(1);

/// How long the services together may take to say how they go.
const PATIENCE: Duration = Duration::from_secs(5);

const JSON: &str = "application/json";

/// What was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Probe {
    Alive,
    Ready,
    Metrics(Format),
}

/// What is answered.
pub(super) struct ProbeAnswer {
    pub(super) status: StatusCode,
    pub(super) content_type: &'static str,
    pub(super) text: String,
}

/// The last answer of the services, which belongs to nobody who asks: it is completed and kept for a
/// while also if whoever asked first has given up.
#[derive(Default)]
pub(crate) struct Readiness(watch::Sender<Answer>);

#[derive(Default)]
struct Answer {
    is_being_asked: bool,
    last: Option<(Instant, Arc<Vec<State>>)>,
}

/// How one service goes.
struct State {
    name: String,
    phase: Phase,
    status: HealthStatus,
}

impl Probe {
    /// Returns whether a service answers this, on a connection to its routes or to where health is asked.
    pub(super) fn is_answered(self, config: &HttpConfig, purpose: Purpose) -> bool {
        match self {
            Self::Alive | Self::Ready => purpose != Purpose::Routes,
            Self::Metrics(_) => {
                config.metrics && (purpose != Purpose::Routes || config.health_bind.is_none())
            }
        }
    }

    pub(super) fn of(head: &Parts) -> Option<Self> {
        if head.method != Method::GET && head.method != Method::HEAD {
            return None;
        }
        match head.uri.path() {
            "/healthz" => Some(Self::Alive),
            "/readyz" => Some(Self::Ready),
            "/metrics" => {
                let accept = head.headers.get(ACCEPT);
                let accept = accept.and_then(|accept| accept.to_str().ok());
                Some(Self::Metrics(Format::accepted(accept)))
            }
            _ => None,
        }
    }

    pub(super) fn answer(
        self,
        server: Arc<Shared>,
        readiness: Arc<Readiness>,
    ) -> BoxFuture<'static, ProbeAnswer> {
        Box::pin(async move {
            let (status, content_type, text) = match self {
                Self::Alive => (StatusCode::OK, JSON, r#"{"status":"pass"}"#.to_owned()),
                Self::Ready => {
                    let (status, text) = readiness.ask(&server).await;
                    (status, JSON, text)
                }
                Self::Metrics(format) => {
                    (StatusCode::OK, format.content_type(), exposition(format))
                }
            };
            ProbeAnswer {
                status,
                content_type,
                text,
            }
        })
    }
}

/// Ends the question when its task does, however that ends.
struct Asking(Arc<Readiness>);

impl Drop for Asking {
    fn drop(&mut self) {
        self.0.0.send_modify(|answer| answer.is_being_asked = false);
    }
}

impl Readiness {
    async fn ask(self: &Arc<Self>, server: &Shared) -> (StatusCode, String) {
        let mut answers = self.0.subscribe();
        if self.begin() {
            let (asking, cx) = (Asking(Arc::clone(self)), server.cx.clone());
            server.cx.tasks().background("readiness", async move {
                let states = Arc::new(states(&cx).await);
                let last = Some((Instant::now(), states));
                asking.0.0.send_modify(|answer| answer.last = last);
            });
        }
        // The sender is ours: it cannot be gone.
        let answered = answers.wait_for(|answer| !answer.is_being_asked).await;
        let last = answered.ok().and_then(|answer| answer.last.clone());
        match last {
            Some((at, states)) if at.elapsed() < FRESH + PATIENCE => {
                told(&states, at, server.cx.is_stopping())
            }
            // The question itself has failed.
            _ => (
                StatusCode::SERVICE_UNAVAILABLE,
                r#"{"status":"fail","services":{}}"#.to_owned(),
            ),
        }
    }

    /// Tells whether the services have to be asked, and by whoever has called.
    fn begin(&self) -> bool {
        self.0.send_if_modified(|answer| {
            let last = answer.last.as_ref();
            let fresh = last.is_some_and(|(at, _)| at.elapsed() < FRESH);
            let begins = !fresh && !answer.is_being_asked;
            answer.is_being_asked |= begins;
            begins
        })
    }
}

/// Writes the answer.
fn told(states: &[State], at: Instant, stops: bool) -> (StatusCode, String) {
    let worst = states.iter().map(|state| state.status).max();
    let worst = if stops {
        HealthStatus::Fail
    } else {
        worst.unwrap_or(HealthStatus::Pass)
    };
    let age = at.elapsed().as_millis();
    let services: Vec<_> = states
        .iter()
        .map(|state| {
            let (phase, health) = (state.phase, word(state.status));
            let name = quoted(&state.name);
            format!(r#"{name}:{{"phase":"{phase}","health":"{health}","age_ms":{age}}}"#)
        })
        .collect();
    let (status, services) = (word(worst), services.join(","));
    let text = format!(r#"{{"status":"{status}","services":{{{services}}}}}"#);
    let code = match worst {
        HealthStatus::Fail => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::OK,
    };
    (code, text)
}

/// Writes a name as a string of JSON.
fn quoted(name: &str) -> String {
    let mut text = String::from("\"");
    for character in name.chars() {
        match character {
            '"' | '\\' => text.extend(['\\', character]),
            control if control.is_control() => {
                text.push_str(&format!("\\u{:04x}", u32::from(control)));
            }
            plain => text.push(plain),
        }
    }
    text.push('"');
    text
}

/// Asks every service at the same time, within one bound.
async fn states(cx: &Context) -> Vec<State> {
    let mut states = Vec::new();
    let mut checks = Checks(Vec::new());
    for (number, (name, phase, check)) in cx.services().into_iter().enumerate() {
        let status = match (phase, check) {
            (Phase::Ready, Some(check)) => {
                // The call is part of the check: it may panic as well.
                checks
                    .0
                    .push((number, Box::pin(async move { check().await.status() })));
                HealthStatus::Fail
            }
            // Its work is done.
            (Phase::Stopped, _) => HealthStatus::Pass,
            _ => HealthStatus::Fail,
        };
        states.push(State {
            name,
            phase,
            status,
        });
    }
    let asking = std::future::poll_fn(|task| checks.poll(task, &mut states));
    // Who has not answered by then fails, as it was written down above.
    let _ = timeout(PATIENCE, asking).await;
    states
}

/// The checks that run, each with the number of its service.
struct Checks(Vec<(usize, BoxFuture<'static, HealthStatus>)>);

impl Checks {
    fn poll(&mut self, task: &mut TaskContext<'_>, states: &mut [State]) -> Poll<()> {
        self.0.retain_mut(|(number, check)| {
            let check = AssertUnwindSafe(|| Pin::new(check).poll(task));
            match catch_unwind(check) {
                Ok(Poll::Pending) => true,
                Ok(Poll::Ready(status)) => {
                    states[*number].status = status;
                    false
                }
                // It stays failed; the panic's message is in the log by the panic hook.
                Err(_) => false,
            }
        });
        if self.0.is_empty() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}

fn word(status: HealthStatus) -> &'static str {
    match status {
        HealthStatus::Pass => "pass",
        HealthStatus::Warn => "warn",
        HealthStatus::Fail => "fail",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_string_of_json_whatever_is_in_it() {
        for name in ["web", "a\"b", "a\\b", "a\nb", "\u{7f}\u{85}", "größe"] {
            let read: String = serde_json::from_str(&quoted(name)).unwrap();
            assert_eq!(read, name);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn checks_run_side_by_side_and_one_that_panics_or_hangs_fails_alone() {
        let state = || State {
            name: "s".to_owned(),
            phase: Phase::Ready,
            status: HealthStatus::Fail,
        };
        let mut states: Vec<_> = std::iter::repeat_with(state).take(4).collect();
        let slow = || async {
            tokio::time::sleep(Duration::from_secs(4)).await;
            HealthStatus::Pass
        };
        let mut checks = Checks(vec![
            (0, Box::pin(slow())),
            (1, Box::pin(async { panic!("told to panic") })),
            (2, Box::pin(std::future::pending())),
            (3, Box::pin(slow())),
        ]);
        let begun = Instant::now();
        let asking = std::future::poll_fn(|task| checks.poll(task, &mut states));
        assert!(timeout(PATIENCE, asking).await.is_err());
        assert_eq!(begun.elapsed(), PATIENCE);
        let found: Vec<_> = states.iter().map(|state| state.status).collect();
        let (pass, fail) = (HealthStatus::Pass, HealthStatus::Fail);
        assert_eq!(found, [pass, fail, fail, pass]);
    }
}
