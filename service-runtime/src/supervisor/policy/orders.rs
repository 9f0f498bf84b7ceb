//! Orders of operators who wait for the outcome.
//!
//! An order is carried out, joined to the same one that is under way, or refused, and it is answered once. Nobody
//! has to wait for the answer: an order that was taken is carried out all the same.

use super::operations::{PendingOrder, Waits};
use super::slot::Slot;
use super::{
    Action, LaunchOutcome, LogEvent, Machine, Order, OrderFailure, OrderId, OrderOutcome, PoolId,
    Refusal, State, Time, WorkerId,
};

/// The most workers that a pool can have.
const MOST_WORKERS: usize = 1000;

impl Machine {
    /// Takes in an order.
    pub(super) fn ordered(&mut self, now: Time, id: OrderId, order: Order) {
        match order {
            Order::Stop => self.stop(now),
            Order::Quit => self.quit(now, LaunchOutcome::Quit),
            _ if self.is_stopping() => self.refuse(id, Refusal::Stopping),
            _ => match self.begin_order(now, order) {
                Ok(waits) => self.orders.push(PendingOrder { id, waits }),
                Err(refusal) => self.refuse(id, refusal),
            },
        }
    }

    fn refuse(&mut self, id: OrderId, refusal: Refusal) {
        self.act(Action::Answer(id, OrderOutcome::Refused(refusal)));
    }

    fn begin_order(&mut self, now: Time, order: Order) -> Result<Waits, Refusal> {
        Ok(match order {
            Order::Reload => {
                self.want_reload(now);
                Waits::NextReload
            }
            Order::Upgrade => {
                if self.upgrade.is_none() {
                    if let Some(busy) = self.upgrade_waits_for() {
                        return Err(Refusal::Busy(busy));
                    }
                    self.begin_upgrade(now);
                }
                Waits::Upgrade
            }
            Order::Scale(pool, count) => {
                if !(1..=MOST_WORKERS).contains(&count) {
                    return Err(Refusal::Number(MOST_WORKERS));
                }
                if self.active(pool) == 0 {
                    return Err(Refusal::Pool);
                }
                if self.active(pool) != count {
                    self.scale_to(now, pool, count);
                }
                Waits::Number(pool, count)
            }
            Order::Recycle => Waits::Ends(self.recycle_all(now)),
            Order::Drain(pool, number) => {
                let index = self.used_slot(pool, number)?;
                if !self.slots[index].held {
                    self.hold(now, index)?;
                }
                Waits::Empty(index)
            }
            Order::Fill(pool, number) => {
                let index = self.used_slot(pool, number)?;
                if self.slots[index].held {
                    self.release(index);
                }
                Waits::Filled(index)
            }
            Order::Stop | Order::Quit => return Err(Refusal::Stopping),
        })
    }

    /// Has every ready worker replaced, those that are young when they are old enough; returns them.
    fn recycle_all(&mut self, now: Time) -> Vec<WorkerId> {
        let ready: Vec<(WorkerId, usize, Time)> = self
            .workers
            .values()
            .filter(|worker| self.slots[worker.slot].active)
            .filter_map(|worker| match worker.state {
                State::Ready { since } => Some((worker.id, worker.slot, since)),
                _ => None,
            })
            .collect();
        for (id, slot, since) in &ready {
            self.recycle_when_old_enough(now, *id, *slot, *since);
        }
        ready.into_iter().map(|(id, ..)| id).collect()
    }

    /// Returns the slot of this number that has a worker, is to have one, or is held empty.
    fn used_slot(&self, pool: PoolId, number: usize) -> Result<usize, Refusal> {
        if self.active(pool) == 0 {
            return Err(Refusal::Pool);
        }
        let is_it = |slot: &Slot| slot.number == number && (slot.active || slot.held);
        let found = self.slots_of(pool).find(|index| is_it(&self.slots[*index]));
        found.ok_or(Refusal::Slot)
    }

    /// Empties a slot, and keeps it so.
    fn hold(&mut self, now: Time, index: usize) -> Result<(), Refusal> {
        let pool = self.slots[index].pool;
        let has_others = self
            .slots_of(pool)
            .any(|other| other != index && self.slots[other].active);
        if !has_others {
            return Err(Refusal::LastSlot);
        }
        self.drop_slot(now, index);
        self.slots[index].held = true;
        Ok(())
    }

    /// Lets a slot that was held empty have a worker again.
    fn release(&mut self, index: usize) {
        let (pool, number) = (self.slots[index].pool, self.slots[index].number);
        self.slots[index] = Slot {
            active: true,
            ..Slot::new(pool, number, self.generation)
        };
        if let Some(rollout) = &mut self.rollout {
            rollout.add(index);
        }
    }

    /// Lets the orders for a reload wait for the one that begins now.
    pub(super) fn reload_begins(&mut self) {
        for order in &mut self.orders {
            if order.waits == Waits::NextReload {
                order.waits = Waits::Reload;
            }
        }
    }

    /// Answers those who wait for what the log is told of.
    pub(super) fn answer_by_event(&mut self, event: &LogEvent) {
        let failed = OrderOutcome::Failed;
        let (waits, outcome) = match *event {
            LogEvent::Reloaded(_) | LogEvent::Mutated(0) => (Waits::Reload, OrderOutcome::Done),
            LogEvent::Mutated(refused) => (Waits::Reload, failed(OrderFailure::Mutation(refused))),
            LogEvent::ReloadRefused(cause) => (Waits::Reload, failed(OrderFailure::Reload(cause))),
            LogEvent::Upgraded => (Waits::Upgrade, OrderOutcome::Done),
            LogEvent::UpgradeFailed | LogEvent::UpgradeTimedOut(_) => {
                (Waits::Upgrade, failed(OrderFailure::Upgrade))
            }
            _ => return,
        };
        self.answer_if(outcome, |order| *order == waits);
    }

    /// Answers those whose slot had a worker that ended before it was ready.
    pub(super) fn fail_orders_for(&mut self, worker: WorkerId, slot: usize) {
        let pool = self.slots[slot].pool;
        let holder = self.slots[slot].holder;
        let outcome = OrderOutcome::Failed(OrderFailure::Worker(worker));
        self.answer_if(outcome, |waits| match waits {
            Waits::Number(other, _) => *other == pool,
            Waits::Filled(index) => *index == slot,
            Waits::Ends(workers) => holder.is_some_and(|holder| workers.contains(&holder)),
            _ => false,
        });
    }

    /// Answers everybody: nothing that was ordered can be carried out any more.
    pub(super) fn abandon_orders(&mut self) {
        let outcome = OrderOutcome::Failed(OrderFailure::Stopping);
        self.answer_if(outcome, |_| true);
    }

    /// Answers those who wait for a state that has come, or that will not come.
    pub(super) fn answer_orders(&mut self) {
        for order in std::mem::take(&mut self.orders) {
            match self.outcome_of(&order.waits) {
                Some(outcome) => self.act(Action::Answer(order.id, outcome)),
                None => self.orders.push(order),
            }
        }
    }

    fn outcome_of(&self, waits: &Waits) -> Option<OrderOutcome> {
        let superseded = Some(OrderOutcome::Failed(OrderFailure::Superseded));
        let is_ready = |index: &usize| self.is_ready(self.slots[*index].holder);
        let is_done = match waits {
            Waits::NextReload | Waits::Reload | Waits::Upgrade => return None,
            Waits::Number(pool, count) if self.active(*pool) != *count => return superseded,
            Waits::Number(pool, _) => {
                let mut slots = self.slots_of(*pool);
                let is_settled = |index: usize| {
                    !self.is_draining(index) && (!self.slots[index].active || is_ready(&index))
                };
                slots.all(is_settled)
            }
            Waits::Ends(workers) => !workers.iter().any(|id| self.workers.contains_key(id)),
            Waits::Empty(index) if !self.slots[*index].held => return superseded,
            Waits::Empty(index) => !self.is_draining(*index),
            Waits::Filled(index) if !self.slots[*index].active => return superseded,
            Waits::Filled(index) => is_ready(index),
        };
        is_done.then_some(OrderOutcome::Done)
    }

    fn answer_if(&mut self, outcome: OrderOutcome, is_meant: impl Fn(&Waits) -> bool) {
        for order in std::mem::take(&mut self.orders) {
            if is_meant(&order.waits) {
                self.act(Action::Answer(order.id, outcome));
            } else {
                self.orders.push(order);
            }
        }
    }
}
