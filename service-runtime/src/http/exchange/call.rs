//! From hyper's request to the handler's, and what becomes of it: an answer, a panic, no answer in time.

use std::any::Any;
use std::convert::Infallible;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::extract::DefaultBodyLimit;
use axum::http::header::{CACHE_CONTROL, CONNECTION, CONTENT_TYPE, HeaderValue};
use axum::http::{Method, Request, Response, StatusCode, Version};
use bytes::Bytes;
use futures_core::future::BoxFuture;
use http_body::Body;
use hyper::body::Incoming;
use pin_project_lite::pin_project;
use tokio::time::{Sleep, sleep};

use super::access::Record;
use super::bodiless::leave_out_body;
use super::health::{Probe, ProbeAnswer};
use super::id;
use super::parts::ExchangeParts;
use super::refusal::{limit_of, refusal};
use super::span::RequestSpan;
use super::target::take_host_of_target;
use super::{AnswerBody, RequestBody, trace};
use crate::http::config::limit;
use crate::http::connection::{Client, Connection, InFlight, Purpose};
use crate::http::ongoing::Ongoing;
use crate::http::{BoxError, Handler};
use crate::tasks::panic_message;
use crate::trace::{HasTrace, in_scope_of};

/// Answers the requests of one connection.
pub(crate) struct Exchanger<H> {
    connection: Arc<Connection>,
    parts: Arc<ExchangeParts>,
    handler: H,
}

impl<H> Exchanger<H> {
    pub(crate) fn new(connection: Arc<Connection>, parts: Arc<ExchangeParts>, handler: H) -> Self {
        Self {
            connection,
            parts,
            handler,
        }
    }
}

impl<H: Handler> hyper::service::Service<Request<Incoming>> for Exchanger<H> {
    type Response = Response<AnswerBody<H::AnswerBody>>;
    type Error = Infallible;
    type Future = Answering<H>;

    fn call(&self, request: Request<Incoming>) -> Answering<H> {
        let (mut head, body) = request.into_parts();
        let connection = &self.connection;
        let server = &connection.server;
        let probe = Probe::of(&head);
        let probe = probe.filter(|probe| probe.is_answered(&server.config, connection.purpose));
        let counts = probe.is_none() && connection.purpose != Purpose::Health;
        let id = server
            .config
            .request_id
            .then(|| id::take_or_make(&mut head.headers));
        let forwarded = self.parts.proxies.client(&connection.peer, &head.headers);
        let ratio = server.config.trace_sample_ratio;
        let trace = trace::of_request(&self.parts.proxies, &connection.peer, &head.headers, ratio);
        let in_flight = InFlight::begin(connection, &head, id, trace, counts);
        let ongoing = in_flight.request();
        let body = RequestBody::new(body, &in_flight);
        let client = Client::new(Arc::clone(connection), Arc::clone(ongoing), forwarded);
        let access = &self.parts.access;
        let record = access.logs(head.uri.path()).then(|| {
            let log = Arc::clone(access);
            Record::new(&head, client.address(), ongoing.id.as_ref(), log)
        });
        let span = match server.config.request_span {
            true => RequestSpan::of(ongoing),
            false => RequestSpan::none(),
        };
        let asked = Asked {
            version: head.version,
            is_head: head.method == Method::HEAD,
            // By whom else the length was told, hyper does not say: what comes after such a body may
            // be a request to one and a body to another.
            closes: head.version != Version::HTTP_2
                && !body.is_end_stream()
                && body.size_hint().exact().is_none(),
            record,
        };
        let state = match (refusal(&head, &server.config), probe) {
            (Some(status), _) => State::Refused { status },
            (None, Some(probe)) => State::Probed {
                answer: probe.answer(Arc::clone(server), Arc::clone(&self.parts.readiness)),
            },
            (None, None) if connection.purpose == Purpose::Health => State::Refused {
                status: StatusCode::NOT_FOUND,
            },
            (None, None) => {
                head.extensions.insert(client);
                take_host_of_target(&mut head);
                let has_body = !body.is_end_stream();
                let mut request = Request::from_parts(head, body);
                if has_body {
                    // Ours is `body_max`; axum's own limit would come on top of it.
                    DefaultBodyLimit::disable().apply(&mut request);
                }
                State::Waiting {
                    handler: self.handler.clone(),
                    request: Some(request),
                }
            }
        };
        Answering {
            state,
            in_flight: Some(in_flight),
            asked,
            span,
            time: None,
        }
    }
}

/// What was asked, for the answer.
struct Asked {
    version: Version,
    is_head: bool,
    /// No further request is taken from a connection of HTTP/1.1.
    closes: bool,
    record: Option<Arc<Record>>,
}

pin_project! {
    /// The answer to one request, to come.
    pub(crate) struct Answering<H: Handler> {
        #[pin]
        state: State<H>,
        in_flight: Option<InFlight>,
        asked: Asked,
        span: RequestSpan,
        time: Option<Pin<Box<Sleep>>>,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<H: Handler> {
        Refused { status: StatusCode },
        Probed { answer: BoxFuture<'static, ProbeAnswer> },
        Waiting { handler: H, request: Option<Request<RequestBody>> },
        Running { #[pin] future: H::Future },
    }
}

/// How a handler's part ended, if it did.
enum HandlerEnd<B> {
    Answer(Response<B>),
    Refused(StatusCode),
    Probed(ProbeAnswer),
    Failed(BoxError),
    Panicked(Box<dyn Any + Send>),
}

impl<H: Handler> Future for Answering<H> {
    type Output = Result<Response<AnswerBody<H::AnswerBody>>, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let inside = this.span.enter();
        let in_flight = this.in_flight.as_ref();
        let request = in_flight.expect("hyper polls a future until it is ready, and no further");
        let trace: Arc<dyn HasTrace> = Arc::clone(request.request()) as _;
        let polled = catch_unwind(AssertUnwindSafe(|| {
            in_scope_of(trace, || work::<H>(this.state.as_mut(), cx))
        }));
        let outcome = match polled {
            Ok(Poll::Ready(outcome)) => outcome,
            Ok(Poll::Pending) => {
                // Most handlers answer at once: the clock starts with those that do not.
                let in_flight = this.in_flight.as_ref();
                let config = in_flight.map(|it| &it.connection().server.config);
                let Some(time) = config.and_then(|config| limit(config.request_timeout)) else {
                    return Poll::Pending;
                };
                let clock = this.time.get_or_insert_with(|| Box::pin(sleep(time)));
                ready!(clock.as_mut().poll(cx));
                tracing::warn!(
                    "no answer within request_timeout, {}",
                    humantime::format_duration(time),
                );
                HandlerEnd::Refused(StatusCode::SERVICE_UNAVAILABLE)
            }
            Err(payload) => HandlerEnd::Panicked(payload),
        };
        let in_flight = this.in_flight.take().expect("it was there above");
        let mut answer = finish(outcome, this.asked, in_flight);
        drop(inside);
        answer
            .body_mut()
            .within(std::mem::replace(this.span, RequestSpan::none()));
        Poll::Ready(Ok(answer))
    }
}

fn work<H: Handler>(
    mut state: Pin<&mut State<H>>,
    cx: &mut Context<'_>,
) -> Poll<HandlerEnd<H::AnswerBody>> {
    loop {
        let future = match state.as_mut().project() {
            StateProj::Refused { status } => return Poll::Ready(HandlerEnd::Refused(*status)),
            StateProj::Probed { answer } => {
                return Poll::Ready(HandlerEnd::Probed(ready!(answer.as_mut().poll(cx))));
            }
            StateProj::Running { future } => {
                return Poll::Ready(match ready!(future.poll(cx)) {
                    Ok(answer) => HandlerEnd::Answer(answer),
                    Err(error) => HandlerEnd::Failed(error.into()),
                });
            }
            StateProj::Waiting { handler, request } => match ready!(handler.poll_ready(cx)) {
                Ok(()) => {
                    let request = request.take().expect("it is called once");
                    handler.call(request)
                }
                Err(error) => return Poll::Ready(HandlerEnd::Failed(error.into())),
            },
        };
        state.set(State::Running { future });
    }
}

fn finish<B: Body<Data = Bytes, Error: Into<BoxError>>>(
    outcome: HandlerEnd<B>,
    asked: &mut Asked,
    in_flight: InFlight,
) -> Response<AnswerBody<B>> {
    let connection = Arc::clone(in_flight.connection());
    let request = Arc::clone(in_flight.request());
    let debug = connection.server.config.debug;
    let mut closes = connection.is_to_close() || asked.closes;
    // What a handler made of a body that broke a limit is not what broke it.
    let outcome = match outcome {
        HandlerEnd::Answer(answer) if answer.status().as_u16() >= 400 => {
            match in_flight.request().broken() {
                Some(status) => HandlerEnd::Refused(status),
                None if is_unhandled_connect(&answer, in_flight.request()) => {
                    HandlerEnd::Refused(StatusCode::BAD_REQUEST)
                }
                None => HandlerEnd::Answer(answer),
            }
        }
        outcome => outcome,
    };
    let mut answer = match outcome {
        HandlerEnd::Answer(answer) => answer.map(|body| AnswerBody::of(body, in_flight)),
        HandlerEnd::Refused(status) => {
            if let Some(limit) = limit_of(status) {
                connection.server.metrics.refused(limit);
            }
            // A stream of HTTP/2 ends by itself; of HTTP/1.1 the rest of the request is in the way.
            let whole = status == StatusCode::SERVICE_UNAVAILABLE;
            closes |= !whole && asked.version != Version::HTTP_2;
            with_status(status, AnswerBody::empty(in_flight))
        }
        HandlerEnd::Probed(probe) => {
            let body = AnswerBody::text(Some(probe.text), in_flight);
            let mut answer = with_status(probe.status, body);
            let content_type = HeaderValue::from_static(probe.content_type);
            answer.headers_mut().insert(CONTENT_TYPE, content_type);
            let never = HeaderValue::from_static("no-store");
            answer.headers_mut().insert(CACHE_CONTROL, never);
            answer
        }
        HandlerEnd::Failed(error) => {
            tracing::error!("handler failed: {error}");
            let text = debug.then(|| error.to_string());
            with_status(
                StatusCode::INTERNAL_SERVER_ERROR,
                AnswerBody::text(text, in_flight),
            )
        }
        HandlerEnd::Panicked(payload) => {
            let message = panic_message(payload);
            tracing::error!("handler panicked: {message}");
            with_status(
                StatusCode::INTERNAL_SERVER_ERROR,
                AnswerBody::text(debug.then_some(message), in_flight),
            )
        }
    };
    // Of HTTP/1.1 hyper closes a connection with the rest of a body in it: that has to be announced too.
    closes |= asked.version != Version::HTTP_2 && connection.is_unread();
    if let Some(id) = &request.id {
        answer.headers_mut().insert(id::NAME, id.clone());
    }
    leave_out_body(&mut answer, asked.version, asked.is_head);
    let status = answer.status();
    answer.body_mut().answered(status);
    if let Some(record) = asked.record.take() {
        record.answered(status);
        answer.body_mut().recorded(record);
    }
    if closes && !answer.status().is_informational() {
        connection.announce();
        if asked.version != Version::HTTP_2 {
            let close = HeaderValue::from_static("close");
            answer.headers_mut().insert(CONNECTION, close);
        }
    }
    answer
}

/// Returns whether somebody asked for a tunnel where there is none: no route can be found for a target
/// that has no path, so it is the form of the target that is wrong.
fn is_unhandled_connect<B>(answer: &Response<B>, request: &Ongoing) -> bool {
    answer.status() == StatusCode::NOT_FOUND
        && request.method == Method::CONNECT
        && request.uri.path_and_query().is_none()
}

fn with_status<B>(status: StatusCode, body: AnswerBody<B>) -> Response<AnswerBody<B>> {
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    answer
}
