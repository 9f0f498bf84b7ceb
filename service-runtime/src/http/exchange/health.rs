//! `/healthz` and `/readyz`: whether the process lives, and whether its services can do their work.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use futures_core::future::BoxFuture;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use crate::http::shared::Shared;
use crate::service::{HealthStatus, Phase};

/// How long an answer of the services is good for.
const FRESH: Duration = Duration::from_secs(1);

/// How long a service may take to say how it goes.
const PATIENCE: Duration = Duration::from_secs(5);

/// What was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Probe {
    Alive,
    Ready,
}

/// The answer of the services, and when they gave it.
#[derive(Default)]
pub(crate) struct Readiness(Mutex<Option<(Instant, Vec<State>)>>);

/// How one service goes.
struct State {
    name: String,
    phase: Phase,
    status: HealthStatus,
}

impl Probe {
    pub(super) fn of(head: &Parts) -> Option<Self> {
        if head.method != Method::GET && head.method != Method::HEAD {
            return None;
        }
        match head.uri.path() {
            "/healthz" => Some(Self::Alive),
            "/readyz" => Some(Self::Ready),
            _ => None,
        }
    }

    pub(super) fn answer(
        self,
        server: Arc<Shared>,
        readiness: Arc<Readiness>,
    ) -> BoxFuture<'static, (StatusCode, String)> {
        Box::pin(async move {
            match self {
                Self::Alive => (StatusCode::OK, r#"{"status":"pass"}"#.to_owned()),
                Self::Ready => readiness.ask(&server).await,
            }
        })
    }
}

impl Readiness {
    async fn ask(&self, server: &Shared) -> (StatusCode, String) {
        let mut last = self.0.lock().await;
        let fresh = last.as_ref().is_some_and(|(at, _)| at.elapsed() < FRESH);
        if !fresh {
            *last = Some((Instant::now(), states(server).await));
        }
        let Some((at, states)) = &*last else {
            return (StatusCode::SERVICE_UNAVAILABLE, String::new());
        };
        let stops = server.cx.is_stopping();
        let worst = states.iter().map(|state| state.status).max();
        let worst = if stops {
            HealthStatus::Fail
        } else {
            worst.unwrap_or(HealthStatus::Pass)
        };
        let age = at.elapsed().as_millis();
        let mut text = format!(r#"{{"status":"{}","services":{{"#, word(worst));
        for (
            n,
            State {
                name,
                phase,
                status,
            },
        ) in states.iter().enumerate()
        {
            let comma = if n == 0 { "" } else { "," };
            let status = word(*status);
            let _ = write!(
                text,
                r#"{comma}"{name}":{{"phase":"{phase}","health":"{status}","age_ms":{age}}}"#
            );
        }
        text.push_str("}}");
        let code = match worst {
            HealthStatus::Fail => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::OK,
        };
        (code, text)
    }
}

async fn states(server: &Shared) -> Vec<State> {
    let mut states = Vec::new();
    for (name, phase, check) in server.cx.services() {
        let status = match (phase, check) {
            (Phase::Ready, Some(check)) => {
                let health = timeout(PATIENCE, check()).await;
                health.map_or(HealthStatus::Fail, |health| health.status())
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
    states
}

fn word(status: HealthStatus) -> &'static str {
    match status {
        HealthStatus::Pass => "pass",
        HealthStatus::Warn => "warn",
        HealthStatus::Fail => "fail",
    }
}
