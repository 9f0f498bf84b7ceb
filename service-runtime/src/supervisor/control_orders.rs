//! Orders of operators: from the control process to the policy, and the outcome back, with words.

use std::ops::ControlFlow;

use super::control::GivenOrder;
use super::event_loop::{EventLoop, Flow};
use super::policy::{
    Busy, Cause, Event, Order, OrderFailure, OrderId, OrderOutcome, PoolId, Refusal, WorkerId,
};
use super::system::Supervisor;
use crate::ipc::control::{ControlReply, OrderKind, OrderRequest};

impl EventLoop {
    /// Gives an order to the policy.
    pub(super) fn order(&mut self, asker: u32, request: &OrderRequest) -> Flow {
        let pool = self.pool_of(request);
        let supervisor = &mut self.supervisor;
        let name = pool.and_then(|pool| supervisor.pools.name(pool));
        let what = words(request, name.as_deref());
        let sender = format!("pid {}, uid {}", request.pid, request.uid);
        tracing::info!(%sender, "order: {what}");
        let control = &mut supervisor.control;
        let id = control.next_order();
        control.orders.push(GivenOrder {
            id,
            asker: Some(asker),
            what,
            sender,
        });
        let Some(pool) = pool else {
            supervisor.answer_order(id, OrderOutcome::Refused(Refusal::Pool));
            return ControlFlow::Continue(());
        };
        let number = usize::try_from(request.number).unwrap_or(usize::MAX);
        let order = match request.kind {
            OrderKind::Reload => Order::Reload,
            OrderKind::Upgrade => Order::Upgrade,
            OrderKind::Scale => Order::Scale(pool, number),
            OrderKind::Recycle => Order::Recycle,
            OrderKind::Stop => Order::Stop,
            OrderKind::Quit => Order::Quit,
            OrderKind::Drain => Order::Drain(pool, number),
            OrderKind::Fill => Order::Fill(pool, number),
        };
        self.handle(Event::Ordered(id, order))
    }

    /// Returns the pool that an order is for: that of the service which it names, else the shared one, or the
    /// first if no service shares.
    fn pool_of(&self, request: &OrderRequest) -> Option<PoolId> {
        let mut pools = self.decisions.machine().pools().into_keys();
        if request.service.is("") {
            return pools.next();
        }
        let name = |pool: &PoolId| self.supervisor.pools.name(*pool);
        pools.find(|pool| name(pool).is_some_and(|name| request.service.is(&name)))
    }
}

/// Says what is ordered, as the command line has it.
fn words(request: &OrderRequest, service: Option<&str>) -> String {
    let (word, number) = (request.kind.word(), request.number);
    match (request.kind, service) {
        (OrderKind::Scale, Some(service)) => format!("{word} {service}={number}"),
        (OrderKind::Drain | OrderKind::Fill, Some(service)) => format!("{word} {service}/{number}"),
        (OrderKind::Scale | OrderKind::Drain | OrderKind::Fill, None) => format!("{word} {number}"),
        _ => word.to_owned(),
    }
}

impl Supervisor {
    /// Tells whoever gave an order, the log and reports what became of it.
    pub(super) fn answer_order(&mut self, id: OrderId, outcome: OrderOutcome) {
        let orders = &mut self.control.orders;
        let Some(place) = orders.iter().position(|order| order.id == id) else {
            return;
        };
        let order = orders.remove(place);
        let (text, reply): (String, fn(u32) -> ControlReply) = match outcome {
            OrderOutcome::Done => ("done".to_owned(), ControlReply::Done),
            OrderOutcome::Refused(refusal) => (
                format!("refused, nothing is changed: {}", refused(refusal)),
                ControlReply::Refused,
            ),
            OrderOutcome::Failed(failure) => (self.failed(failure), ControlReply::CameToNothing),
        };
        let (sender, what) = (&order.sender, &order.what);
        match outcome {
            OrderOutcome::Done => tracing::info!(%sender, "order {what}: {text}"),
            _ => tracing::warn!(%sender, "order {what}: {text}"),
        }
        let event = serde_json::json!({
            "event": "order", "what": what, "sender": sender, "outcome": text,
        });
        self.control.tell(&event);
        self.history.order(order.what, order.sender, text.clone());
        if let Some(asker) = order.asker {
            self.control.reply(reply(asker), &text);
        }
    }

    fn failed(&self, failure: OrderFailure) -> String {
        match failure {
            OrderFailure::Reload(Cause::Worker(id)) => {
                format!("failed, it is undone: {}", self.death(id))
            }
            OrderFailure::Reload(Cause::Configuration | Cause::CheckTimedOut) => {
                let told = self.history.last_reload();
                told.unwrap_or("refused, nothing is changed").to_owned()
            }
            OrderFailure::Mutation(refused) => {
                format!("failed: {refused} workers did not take the configuration over")
            }
            OrderFailure::Upgrade => {
                "failed, this process serves on: the new one did not get ready, the log says why"
                    .to_owned()
            }
            OrderFailure::Worker(id) => {
                format!("failed, it is tried again: {}", self.death(id))
            }
            OrderFailure::Superseded => {
                "superseded: another order has asked for something else".to_owned()
            }
            OrderFailure::Stopping => {
                "given up: the program stops, or another process has taken over".to_owned()
            }
        }
    }

    /// Tells how a worker ended that was not ready.
    fn death(&self, id: WorkerId) -> String {
        let death = self.last_death.as_ref().filter(|death| death.id == id);
        let Some(death) = death else {
            return "a new worker ended before it was ready".to_owned();
        };
        let (slot, how) = (death.worker.slot, &death.how);
        let error = death.error.as_deref().unwrap_or("it told no error");
        format!("the new worker of slot {slot} ended before it was ready ({how}): {error}")
    }
}

fn refused(refusal: Refusal) -> String {
    match refusal {
        Refusal::Stopping => "the program stops".to_owned(),
        Refusal::Busy(Busy::Starting) => "the workers are being started".to_owned(),
        Refusal::Busy(Busy::Reloading) => "a reload is under way".to_owned(),
        Refusal::Busy(Busy::Upgrading) => "another upgrade is under way".to_owned(),
        Refusal::Number(most) => format!("there can be 1 to {most} workers"),
        Refusal::Pool => "no service of this name has workers of its own".to_owned(),
        Refusal::Slot => "there is no such slot".to_owned(),
        Refusal::LastSlot => {
            "it is the last slot in use of its service: stop the program instead".to_owned()
        }
    }
}
