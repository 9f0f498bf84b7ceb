//! One connection: a request, its handler as a task with a name, the answer.

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::UnixStream;
use tokio::time::timeout;
use tracing::Instrument;

use super::arguments::Arguments;
use super::call::Call;
use super::frame::{self, FrameError};
use super::message::{Failure, Reply, Request};
use super::method::Handled;
use super::server::Server;
use super::trace;
use crate::tasks::catch_panic;

/// How long a caller may take to send its request, and to take its answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Reads a request, handles it and answers.
pub(super) async fn serve(server: Arc<Server>, mut stream: UnixStream) {
    let read = frame::read(&mut stream, server.limit);
    let Ok(read) = timeout(PATIENCE, read).await else {
        tracing::warn!(topic = server.topic, "a caller sends nothing");
        return;
    };
    let body = match read {
        Ok(body) => body,
        Err(FrameError::Ended) => return,
        Err(error) => return refuse(&server, &mut stream, &error.to_string()).await,
    };
    let request: Request = match serde_json::from_slice(&body) {
        Ok(request) => request,
        Err(error) => return refuse(&server, &mut stream, &format!("no request: {error}")).await,
    };
    drop(body);
    if let Some(reply) = handle(&server, &mut stream, request).await {
        answer(&server, &mut stream, &reply).await;
    }
}

/// Handles a request; a cast is answered before it is handled.
async fn handle(server: &Arc<Server>, stream: &mut UnixStream, request: Request) -> Option<Reply> {
    let started = Instant::now();
    let found = server.dispatch.find(&request).cloned();
    let Request {
        method: name,
        args,
        context,
        id,
        timeout_ms,
        cast,
        ..
    } = request;
    let method = match found {
        Ok(method) => method,
        Err(failure) => {
            tracing::warn!(
                topic = server.topic,
                method = name,
                id,
                "refused: {}",
                failure.message
            );
            return Some(Reply::failed(*failure));
        }
    };
    let call = Call::new(id, name, context, timeout_ms.map(Duration::from_millis));
    let work = match method.handle(call.clone(), Arguments::new(args)) {
        Ok(work) => work,
        Err(error) => {
            let (topic, method, id) = (&server.topic, call.method(), call.id());
            tracing::warn!(topic, method, id, "refused: {error}");
            return Some(Reply::failed(Failure::bad_request(error.to_string())));
        }
    };
    if cast {
        answer(server, stream, &Reply::accepted()).await;
    }
    server.cx.count_request();
    let handled = run(server, stream, &call, work, cast).await;
    let (topic, method, id) = (&server.topic, call.method(), call.id());
    tracing::debug!(topic, method, id, took = ?started.elapsed(), "handled");
    let reply = match handled {
        Handled::Value(value) => Reply::result(value),
        Handled::Expected(failure) => {
            tracing::debug!(topic, method, id, "{}: {}", failure.class, failure.message);
            Reply::failed(*failure)
        }
        Handled::Unexpected(error) => {
            tracing::error!(topic, method, id, "call failed: {error:#}");
            Reply::failed(Failure::internal(method, id))
        }
    };
    (!cast).then_some(reply)
}

/// Runs the handler as a task of the service, and tells it when nobody waits any more.
async fn run(
    server: &Arc<Server>,
    stream: &UnixStream,
    call: &Call,
    work: futures_core::future::BoxFuture<'static, Handled>,
    cast: bool,
) -> Handled {
    let name = format!("rpc {}.{} {}", server.topic, call.method(), call.id());
    let scoped = call.clone();
    let trace = trace::of_call(call.context());
    let span = trace.in_scope(|| {
        let (method, id) = (call.method(), call.id());
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
        () = nobody_waits(stream, call), if !cast => {
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

/// Waits until the caller hangs up, or its time is over.
async fn nobody_waits(stream: &UnixStream, call: &Call) {
    let late = async {
        match call.deadline() {
            Some(deadline) => tokio::time::sleep_until(deadline).await,
            None => std::future::pending().await,
        }
    };
    let hung_up = async {
        // A caller sends one request: what can be read now is the end, or what nobody asked for.
        while stream.readable().await.is_ok() {
            match stream.try_read(&mut [0; 64]) {
                Ok(0) => return,
                Err(error) if error.kind() != ErrorKind::WouldBlock => return,
                _ => {}
            }
        }
    };
    tokio::select! {
        () = late => {}
        () = hung_up => {}
    }
}

/// Says why a request is not handled at all.
async fn refuse(server: &Server, stream: &mut UnixStream, why: &str) {
    tracing::warn!(topic = server.topic, "refused: {why}");
    answer(server, stream, &Reply::failed(Failure::bad_request(why))).await;
}

/// Sends an answer; a caller that is gone gets none.
async fn answer(server: &Server, stream: &mut UnixStream, reply: &Reply) {
    let frame = frame::encode(reply, server.limit).or_else(|error| {
        tracing::error!(topic = server.topic, "cannot answer: {error}");
        frame::encode(
            &Reply::failed(Failure::no_answer(error.to_string())),
            server.limit,
        )
    });
    let Ok(frame) = frame else {
        return;
    };
    match timeout(PATIENCE, frame::write(stream, &frame)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(topic = server.topic, "the caller is gone: {error}"),
        Err(_) => tracing::warn!(topic = server.topic, "a caller does not take its answer"),
    }
}
