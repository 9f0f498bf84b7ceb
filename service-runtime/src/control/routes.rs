//! Which path is answered with what.

use hyper::body::Incoming;
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, ORIGIN};
use hyper::{Method, Request, Response, StatusCode};
use serde_json::{Value, json};

use super::body::AnswerBody;
use super::orders;
use super::peer::Caller;
use super::supervisor_link::{LinkError, SupervisorLink};
use super::views;
use crate::ipc::control::ControlRequest;

/// The number of the form of all answers: fields are added to it, and never changed.
pub(super) const SCHEMA: u64 = 1;

/// Where events are.
const EVENTS: &str = "/v1/events";

/// What all connections share.
pub(super) struct State {
    link: SupervisorLink,
}

/// An answer to a client.
pub(super) type Answer = Response<AnswerBody>;

/// What is asked of the supervisor for a path, and what of the answer is shown.
struct View {
    path: &'static str,
    ask: fn(u32) -> ControlRequest,
    show: fn(&mut Value),
}

/// Every path that is read.
const VIEWS: &[View] = &[
    view("/v1/status", ControlRequest::Status, views::status),
    view("/v1/workers", ControlRequest::Status, views::workers),
    view("/v1/listeners", ControlRequest::Status, views::listeners),
    view("/v1/config", ControlRequest::Configuration, views::config),
    view("/v1/services", ControlRequest::Report, views::services),
    view("/v1/tasks", ControlRequest::Report, views::tasks),
    view("/v1/report", ControlRequest::Report, views::report),
];

const fn view(path: &'static str, ask: fn(u32) -> ControlRequest, show: fn(&mut Value)) -> View {
    View { path, ask, show }
}

impl State {
    pub(super) fn new(link: SupervisorLink) -> Self {
        Self { link }
    }
}

/// Answers a request.
pub(super) async fn answer(state: &State, caller: Caller, request: Request<Incoming>) -> Answer {
    tracing::debug!(
        "control: {} {} by pid {}, uid {}",
        request.method(),
        request.uri().path(),
        caller.pid,
        caller.uid
    );
    // A page of somebody else's in a browser can reach no unix socket by itself, but a forwarder can be there.
    if request.headers().contains_key(ORIGIN) {
        return error(StatusCode::FORBIDDEN, "no page of another origin may ask");
    }
    let path = request.uri().path();
    if let Some(word) = path.strip_prefix(orders::ORDERS) {
        if request.method() != Method::POST {
            return error(StatusCode::METHOD_NOT_ALLOWED, "orders are given with POST");
        }
        let query = request.uri().query().unwrap_or_default();
        let (status, mut value) = orders::give(&state.link, caller, word, query).await;
        value["schema"] = SCHEMA.into();
        return json_answer(status, &value);
    }
    if path == EVENTS && request.method() == Method::GET {
        let last = request.headers().get("last-event-id");
        let last = last.and_then(|id| id.to_str().ok()?.trim().parse().ok());
        let follows = request.uri().query() != Some("follow=no");
        return events(state, last, follows).await;
    }
    let Some(view) = VIEWS.iter().find(|view| view.path == path) else {
        let known: Vec<_> = VIEWS.iter().map(|view| view.path).collect();
        let known = known.join(", ");
        return error(
            StatusCode::NOT_FOUND,
            &format!("there is nothing here; known are {known}"),
        );
    };
    if request.method() != Method::GET {
        return error(
            StatusCode::METHOD_NOT_ALLOWED,
            "this is only read, with GET",
        );
    }
    match state.link.ask(view.ask).await {
        Ok(bytes) => match serde_json::from_slice::<Value>(&bytes) {
            Ok(mut value) => {
                (view.show)(&mut value);
                value["schema"] = SCHEMA.into();
                json_answer(StatusCode::OK, &value)
            }
            Err(wrong) => error(
                StatusCode::INTERNAL_SERVER_ERROR,
                &format!("the supervisor's answer cannot be read: {wrong}"),
            ),
        },
        Err(why @ LinkError::Silent) => error(StatusCode::GATEWAY_TIMEOUT, &why.to_string()),
        Err(why) => error(StatusCode::SERVICE_UNAVAILABLE, &why.to_string()),
    }
}

/// Answers with what happens: the state and what comes after it, or what came after an event that is known.
async fn events(state: &State, last: Option<u32>, follows: bool) -> Answer {
    let (at, status) = match state.link.receive_events().await {
        Ok(heard) => heard,
        Err(why) => return error(StatusCode::SERVICE_UNAVAILABLE, &why.to_string()),
    };
    let mut events = state.link.events();
    let body = if !follows {
        AnswerBody::whole(events.kept())
    } else {
        // Who is ahead has followed another process of the program.
        let known = last.filter(|last| *last <= at);
        let snapshot = || {
            let mut value: Value = serde_json::from_slice(&status).ok()?;
            views::status(&mut value);
            value["event"] = "snapshot".into();
            value["schema"] = SCHEMA.into();
            Some(super::events::written(at, &value.to_string()))
        };
        let first = if known.is_some() { None } else { snapshot() };
        match events.follow(known.unwrap_or(at), first) {
            Some(pieces) => AnswerBody::Pieces(pieces),
            None => {
                return error(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "as many clients follow the events as may",
                );
            }
        }
    };
    let mut answer = Response::new(body);
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

/// Answers whoever may not ask.
pub(super) fn not_allowed() -> Answer {
    error(
        StatusCode::FORBIDDEN,
        "only the user of the program and root may ask",
    )
}

fn error(status: StatusCode, text: &str) -> Answer {
    json_answer(status, &json!({"schema": SCHEMA, "error": text}))
}

fn json_answer(status: StatusCode, value: &Value) -> Answer {
    let mut answer = Response::new(AnswerBody::whole(format!("{value}\n")));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}
