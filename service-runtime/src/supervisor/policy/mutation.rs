//! A mutation: workers stay, and take over the options that may change.

use super::operations::Mutation;
use super::{Action, LogEvent, Machine, Policy, Time, WorkerId};

impl Machine {
    pub(super) fn mutate(&mut self, now: Time, policy: Policy) {
        let workers: Vec<WorkerId> = self
            .workers
            .values()
            .filter(|worker| !worker.is_leaving())
            .map(|worker| worker.id)
            .collect();
        self.act(Action::Mutate(workers.clone()));
        self.act(Action::Keep(self.generation));
        let limit = policy.shared.start;
        self.mutation = Some(Mutation {
            waiting: workers,
            until: limit.map(|limit| now.saturating_add(limit)),
            refused: 0,
        });
        self.take_over(now, policy);
        self.end_mutation();
    }

    /// Notes that a worker has answered to a mutation.
    pub(super) fn mutated(&mut self, id: WorkerId, answer: Result<(), ()>) {
        if let Some(mutation) = &mut self.mutation {
            if mutation.waiting.contains(&id) && answer.is_err() {
                mutation.refused += 1;
            }
            mutation.waiting.retain(|waiting| *waiting != id);
            self.end_mutation();
        }
    }

    pub(super) fn expire_mutation(&mut self, now: Time) {
        if let Some(mutation) = &mut self.mutation
            && mutation.until.is_some_and(|until| until <= now)
        {
            mutation.refused += mutation.waiting.len();
            mutation.waiting.clear();
            self.end_mutation();
        }
    }

    fn end_mutation(&mut self) {
        if let Some(mutation) = self
            .mutation
            .take_if(|mutation| mutation.waiting.is_empty())
        {
            self.log(LogEvent::Mutated(mutation.refused));
        }
    }
}
