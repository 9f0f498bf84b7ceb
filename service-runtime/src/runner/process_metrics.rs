//! What a process counts of itself once a second: its memory, its runtime, its tasks.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use tokio::runtime::Handle;
use tokio::time::{self, MissedTickBehavior, interval_at};

use super::run_state::RunState;
use crate::metrics::{Place, add_time, count, set};
use crate::tasks::TaskKind;

/// How often everything is looked at.
const INTERVAL: Duration = Duration::from_secs(1);
/// When the first look is: a start does not wait for it.
const FIRST: Duration = Duration::from_millis(100);

/// The services of this process, for those who only look.
pub(crate) struct ServiceContexts(pub(super) Vec<Arc<RunState>>);

/// What a periodic task had done when it was looked at: runs, failures, overruns.
type Done = (u64, u64, u64);

/// Counts, for as long as this process lives.
pub(crate) async fn sample(place: Place, services: ServiceContexts) {
    let labels = place.labels();
    let labels: Vec<_> = labels
        .iter()
        .map(|(key, value)| (&**key, &**value))
        .collect();
    let mut seen = Seen::default();
    let mut ticks = interval_at(time::Instant::now() + FIRST, INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let due = ticks.tick().await;
        let delay = time::Instant::now().saturating_duration_since(due);
        set("service_runtime_delay_seconds", &[], delay.as_secs_f64());
        seen.runtime(&labels);
        seen.process(&labels);
        seen.tasks(&services);
    }
}

/// What was there when it was looked at last.
#[derive(Default)]
struct Seen {
    at: Option<Instant>,
    busy: Duration,
    cpu: Duration,
    tasks: BTreeMap<(String, String), Done>,
}

impl Seen {
    fn runtime(&mut self, labels: &[(&str, &str)]) {
        let metrics = Handle::current().metrics();
        let threads = metrics.num_workers();
        let busy = (0..threads).map(|thread| metrics.worker_total_busy_duration(thread));
        let busy: Duration = busy.sum();
        let more = busy.saturating_sub(self.busy);
        add_time("service_runtime_busy_seconds_total", labels, more);
        let now = Instant::now();
        if let Some(at) = self.at {
            let all = now.duration_since(at).as_secs_f64() * threads.max(1) as f64;
            let ratio = (more.as_secs_f64() / all.max(f64::EPSILON)).min(1.0);
            set("service_runtime_busy_ratio", &[], ratio);
        }
        (self.busy, self.at) = (busy, Some(now));
        let queue = metrics.global_queue_depth();
        set("service_runtime_queue_depth", &[], queue as f64);
        set(
            "service_runtime_tasks",
            &[],
            metrics.num_alive_tasks() as f64,
        );
    }

    fn process(&mut self, labels: &[(&str, &str)]) {
        if let Ok(usage) = getrusage(UsageWho::RUSAGE_SELF) {
            let time = |time: nix::sys::time::TimeVal| {
                let micros = u64::try_from(time.tv_usec()).unwrap_or(0);
                let seconds = u64::try_from(time.tv_sec()).unwrap_or(0);
                Duration::from_secs(seconds) + Duration::from_micros(micros)
            };
            let cpu = time(usage.user_time()) + time(usage.system_time());
            let more = cpu.saturating_sub(self.cpu);
            add_time("process_cpu_seconds_total", labels, more);
            self.cpu = cpu;
        }
        #[cfg(workers)]
        {
            use crate::os::process::procfs;

            let own = nix::unistd::getpid();
            set(
                "process_resident_memory_bytes",
                &[],
                procfs::own_memory() as f64,
            );
            if let Some(open) = procfs::descriptors(own) {
                set("process_open_fds", &[], open as f64);
            }
            if let Some(threads) = procfs::thread_count(own) {
                set("process_threads", &[], threads as f64);
            }
        }
    }

    fn tasks(&mut self, services: &ServiceContexts) {
        for cx in services.0.iter().filter_map(|state| state.context()) {
            let (service, tasks) = (cx.name().to_owned(), cx.tasks().tasks());
            set(
                "service_tasks",
                &[("service", &service)],
                tasks.len() as f64,
            );
            for task in tasks.iter().filter(|task| task.kind == TaskKind::Periodic) {
                let name = task.name.to_string();
                let done = (task.runs, task.failures, task.skipped);
                let labels = [("service", &*service), ("task", &*name)];
                let before = self.tasks.get(&(service.clone(), name.clone()));
                let (runs, failures, overruns) = since(before.copied(), done);
                count("service_task_runs_total", &labels, runs);
                count("service_task_failures_total", &labels, failures);
                count("service_task_overruns_total", &labels, overruns);
                self.tasks.insert((service.clone(), name), done);
            }
        }
    }
}

/// Returns what a task has done since it was looked at; one that was started anew counts from zero.
fn since(before: Option<Done>, now: Done) -> Done {
    let before = before
        .filter(|before| before.0 <= now.0)
        .unwrap_or_default();
    (
        now.0 - before.0,
        now.1.saturating_sub(before.1),
        now.2.saturating_sub(before.2),
    )
}

#[cfg(test)]
mod tests {
    use super::since;

    #[test]
    fn a_task_that_was_started_anew_counts_from_zero() {
        assert_eq!(since(None, (3, 1, 0)), (3, 1, 0));
        assert_eq!(since(Some((3, 1, 0)), (5, 1, 2)), (2, 0, 2));
        assert_eq!(since(Some((5, 1, 2)), (1, 0, 0)), (1, 0, 0));
    }
}
