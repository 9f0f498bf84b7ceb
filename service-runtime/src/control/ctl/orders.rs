//! Orders: given by the control socket, or by a signal where there is none.

use std::os::unix::net::UnixStream;
use std::path::Path;

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::arguments::Ordered;
use super::client::{self, ClientError};
use super::table::cell;
use super::{Failure, Outcome};
use crate::exit::Exit;
use crate::ipc::control::OrderKind;

/// Gives an order, and says what became of it.
pub(super) fn give(socket: &Path, order: &Ordered, as_json: bool) -> Outcome {
    let answer = match client::post(socket, &address(order)) {
        Ok(answer) => answer,
        // In a container the end of the program is the end of everybody who could say so.
        Err(ClientError::Broken { .. })
            if is_stop(order) && UnixStream::connect(socket).is_err() =>
        {
            return Ok(format!("{}: the program has ended\n", order.kind.word()));
        }
        Err(error) => return Err(error.into()),
    };
    if as_json {
        return Ok(format!("{answer}\n"));
    }
    let text = answer.get("text").unwrap_or(&answer["outcome"]);
    Ok(format!("{}: {}\n", order.kind.word(), cell(text)))
}

/// Sends the signal that an order has to a program without a control socket.
pub(super) fn signal(pid: Pid, order: &Ordered) -> Outcome {
    let signal = match order.kind {
        OrderKind::Reload => Signal::SIGHUP,
        OrderKind::Upgrade => Signal::SIGUSR2,
        OrderKind::Stop => Signal::SIGTERM,
        OrderKind::Quit => Signal::SIGINT,
        _ => {
            let word = order.kind.word();
            let text = format!(
                "pid {pid} runs without a control socket, and no signal stands for `{word}`"
            );
            return Err(Failure::new(Exit::NotRunning, text));
        }
    };
    match kill(pid, signal) {
        Ok(()) => Ok(format!(
            "{}: sent {signal} to pid {pid}, which has no control socket: its log tells the outcome\n",
            order.kind.word()
        )),
        Err(Errno::EPERM) => {
            let text = format!("not allowed: pid {pid} is another user's");
            Err(Failure::new(Exit::NotAllowed, text))
        }
        Err(error) => {
            let text = format!("cannot send {signal} to pid {pid}: {error}");
            Err(Failure::new(Exit::Failed, text))
        }
    }
}

fn is_stop(order: &Ordered) -> bool {
    matches!(order.kind, OrderKind::Stop | OrderKind::Quit)
}

/// Writes an order as the control socket reads it.
fn address(order: &Ordered) -> String {
    let mut query = Vec::new();
    if let Some(target) = &order.target {
        query.push(format!("number={}", target.number));
        query.extend(
            target
                .service
                .iter()
                .map(|service| format!("service={service}")),
        );
    }
    if !order.waits {
        query.push("wait=no".to_owned());
    }
    format!("/v1/orders/{}?{}", order.kind.word(), query.join("&"))
}
