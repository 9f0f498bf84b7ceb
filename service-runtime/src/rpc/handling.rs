//! One request, whatever carried it: its method, its handler as a task with a name, its answer.

use std::time::{Duration, Instant};

use futures_core::future::BoxFuture;
use tracing::Instrument;

use super::arguments::Arguments;
use super::call::Call;
use super::frame::{self, FrameError};
use super::message::{Failure, Reply, Request};
use super::method::Handled;
use super::server::Server;
use super::stats::{End, Refusal};
use super::trace;
use crate::tasks::catch_panic;

/// Who sent a request, and how answers get there.
pub(super) trait Caller: Send {
    /// Sends an answer, the last one of a call or the only one of a cast; a caller that is gone gets none.
    fn answer(&mut self, reply: Reply) -> impl Future<Output = ()> + Send;

    /// Waits until the caller is known to wait no longer, and tells it until then that the call runs.
    fn gone(&mut self) -> impl Future<Output = ()> + Send;
}

/// Reads a request and handles it; a cast is answered before it is handled.
///
/// The caller's time counts from when it was `received`.
pub(super) async fn handle(
    server: &Server,
    body: &[u8],
    received: Instant,
    caller: &mut impl Caller,
) {
    let request: Request = match serde_json::from_slice(body) {
        Ok(request) => request,
        Err(error) => {
            return refuse(
                server,
                caller,
                Refusal::Unreadable,
                &format!("no request: {error}"),
            )
            .await;
        }
    };
    let found = server.dispatch.find(&request);
    let base = server.base.find(&request);
    let is_base = found.is_err() && base.is_ok();
    let found = if is_base { base } else { found };
    let Request {
        method: name,
        args,
        context,
        id,
        timeout_ms,
        cast,
        ..
    } = request;
    let topic = server.topic();
    let method = match found {
        Ok(method) => method,
        Err(failure) => {
            server.stats.refused(Refusal::Unsupported);
            tracing::warn!(topic, method = name, id, "refused: {}", failure.message);
            return caller.answer(Reply::failed(*failure)).await;
        }
    };
    let timeout =
        timeout_ms.map(|millis| Duration::from_millis(millis).saturating_sub(received.elapsed()));
    if timeout.is_some_and(|left| left.is_zero()) {
        server.stats.refused(Refusal::Late);
        tracing::debug!(
            topic,
            method = name,
            id,
            "not handled: its caller waits no longer"
        );
        return caller.answer(Reply::failed(Failure::late())).await;
    }
    let call = Call::new(id, name, context, timeout);
    let work = match method.handle(call.clone(), Arguments::new(args)) {
        Ok(work) => work,
        Err(error) => {
            server.stats.refused(Refusal::Arguments);
            tracing::warn!(
                topic,
                method = call.method(),
                id = call.id(),
                "refused: {error}"
            );
            return caller
                .answer(Reply::failed(Failure::bad_request(error.to_string())))
                .await;
        }
    };
    if is_base {
        // It takes no time: it is answered here, and counted nowhere.
        let reply = match call.within(work).await {
            Handled::Value(value) => Reply::result(value),
            Handled::Expected(failure) => Reply::failed(*failure),
            Handled::Unexpected(_) => Reply::failed(Failure::internal(call.method(), call.id())),
        };
        return caller.answer(reply).await;
    }
    if cast {
        caller.answer(Reply::accepted()).await;
    }
    server.cx.count_request();
    if let Some(reply) = run(server, caller, &call, work, cast).await {
        caller.answer(reply).await;
    }
}

/// Runs the handler, and tells of its end; `None` for a cast, which was answered already.
async fn run(
    server: &Server,
    caller: &mut impl Caller,
    call: &Call,
    work: BoxFuture<'static, Handled>,
    cast: bool,
) -> Option<Reply> {
    let (topic, method, id) = (server.topic(), call.method(), call.id());
    let started = Instant::now();
    let counted = server.stats.begin(method);
    let handled = run_as_task(server, caller, call, work, cast).await;
    let took = started.elapsed();
    let (end, reply) = match handled {
        Handled::Value(value) => (End::Value, Reply::result(value)),
        Handled::Expected(failure) => {
            tracing::debug!(topic, method, id, "{}: {}", failure.class, failure.message);
            (End::Expected, Reply::failed(*failure))
        }
        Handled::Unexpected(error) => {
            tracing::error!(topic, method, id, "call failed: {error:#}");
            (End::Failed, Reply::failed(Failure::internal(method, id)))
        }
    };
    counted.end(end, took);
    if server.slow.is_some_and(|slow| took >= slow) {
        let took = humantime::format_duration(Duration::from_millis(
            u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        ));
        tracing::warn!(topic, method, id, "slow call: it took {took}");
    } else {
        tracing::debug!(topic, method, id, ?took, "handled");
    }
    (!cast).then_some(reply)
}

/// Runs the handler as a task of the service, and tells it when nobody waits any more.
async fn run_as_task(
    server: &Server,
    caller: &mut impl Caller,
    call: &Call,
    work: BoxFuture<'static, Handled>,
    cast: bool,
) -> Handled {
    let (topic, method, id) = (server.topic(), call.method(), call.id());
    let name = format!("rpc {topic}.{method} {id}");
    let scoped = call.clone();
    let trace = trace::of_call(call.context());
    let span = trace.in_scope(|| {
        let trace_id = tracing::field::display(trace.trace_id());
        tracing::error_span!("call", method, id, trace_id)
    });
    let work = async move { catch_panic(trace.within(scoped.within(work))).await };
    let work = work.instrument(span);
    // The group takes tasks for as long as this one runs in it.
    let mut task = match server.cx.tasks().try_spawn(name, work) {
        Ok(task) => task,
        Err(error) => return Handled::Unexpected(error.into()),
    };
    let ended = tokio::select! {
        biased;
        ended = &mut task => ended,
        () = nobody_waits(caller, call), if !cast => {
            call.cancel();
            task.await
        }
    };
    match ended {
        Ok(Ok(handled)) => handled,
        Ok(Err(panic)) => Handled::Unexpected(anyhow::anyhow!("it panicked: {panic}")),
        Err(error) => Handled::Unexpected(error.into()),
    }
}

/// Waits until the caller is gone, or its time is over.
async fn nobody_waits(caller: &mut impl Caller, call: &Call) {
    let late = async {
        match call.deadline() {
            Some(deadline) => tokio::time::sleep_until(deadline).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = late => {}
        () = caller.gone() => {}
    }
}

/// Says why a request is not handled at all.
pub(super) async fn refuse(server: &Server, caller: &mut impl Caller, refusal: Refusal, why: &str) {
    server.stats.refused(refusal);
    tracing::warn!(topic = server.topic(), "refused: {why}");
    caller
        .answer(Reply::failed(Failure::bad_request(why)))
        .await;
}

/// Writes an answer; one that is too large becomes an error that says so.
pub(super) fn encode(server: &Server, reply: &Reply) -> Result<Vec<u8>, FrameError> {
    frame::encode(reply, server.limit).or_else(|error| {
        tracing::error!(topic = server.topic(), "cannot answer: {error}");
        frame::encode(
            &Reply::failed(Failure::no_answer(error.to_string())),
            server.limit,
        )
    })
}
