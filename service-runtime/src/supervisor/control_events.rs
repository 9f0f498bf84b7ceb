//! What the policy has decided, as those are told who follow it over the control socket.

use serde_json::{Value, json};

use super::log_events::WorkerFields;
use super::policy::{LogEvent, WorkerId};
use super::system::Supervisor;

impl Supervisor {
    /// Tells those who follow what the policy has decided.
    pub(super) fn note_event(&mut self, event: &LogEvent) {
        let value = match event {
            LogEvent::Ready(id) => self.of_worker("worker_ready", *id),
            LogEvent::StartTimedOut(id) => self.of_worker("worker_start_timed_out", *id),
            LogEvent::StopTimedOut(id) => self.of_worker("worker_stop_timed_out", *id),
            LogEvent::Hung(id, _) => self.of_worker("worker_hangs", *id),
            LogEvent::Recycling(id) => self.of_worker("worker_recycled", *id),
            LogEvent::Done(id) => self.of_worker("worker_done", *id),
            LogEvent::Died { worker, retry_in } => {
                let death = self.last_death.as_ref().filter(|death| death.id == *worker);
                let Some(death) = death else { return };
                let mut value = fields("worker_died", &death.worker);
                value["how"] = death.how.as_str().into();
                value["error"] = death.error.clone().into();
                value["retry_in"] = retry_in.as_secs_f64().into();
                value
            }
            LogEvent::Reloading(generation) => {
                json!({"event": "reloading", "generation": generation})
            }
            LogEvent::Reloaded(generation) => {
                json!({"event": "reloaded", "generation": generation})
            }
            LogEvent::Undone(generation) => {
                json!({"event": "reload_undone", "generation": generation})
            }
            LogEvent::Mutated(refused) => json!({"event": "mutated", "refused": refused}),
            LogEvent::ReloadRefused(_) => {
                json!({"event": "reload_refused", "text": self.history.last_reload()})
            }
            LogEvent::Scaled(pool, workers) => {
                let of = self.pools.name(*pool).map(|name| name.to_string());
                json!({"event": "scaled", "of": of, "workers": workers})
            }
            LogEvent::Upgraded => json!({"event": "upgraded"}),
            LogEvent::UpgradeFailed | LogEvent::UpgradeTimedOut(_) => {
                json!({"event": "upgrade_failed"})
            }
            _ => return,
        };
        self.control.tell(&value);
    }

    fn of_worker(&self, event: &str, id: WorkerId) -> Value {
        match self.workers.get(id) {
            Some(process) => fields(event, &WorkerFields::of(process)),
            None => json!({ "event": event }),
        }
    }
}

fn fields(event: &str, worker: &WorkerFields) -> Value {
    json!({
        "event": event, "slot": worker.slot, "of": worker.of, "pid": worker.pid,
        "generation": worker.generation,
    })
}
