//! The framework's own metrics: the one list of them, by the conventions of OpenTelemetry and Prometheus.
//!
//! The page on metrics has the same table, which a test compares.

use super::layout::Kind;
use super::settings::Merge;

/// One of the framework's own metrics.
#[derive(Debug)]
pub(crate) struct OwnMetric {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// How a gauge of several processes is merged.
    pub(crate) merge: Merge,
    /// The names of its labels, for the page.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "a test compares the page with it")
    )]
    pub(crate) labels: &'static str,
    pub(crate) help: &'static str,
}

/// All of them.
#[rustfmt::skip]
pub(crate) const OWN: &[OwnMetric] = &[
    gauge("service_workers", Merge::Sum, "`pool`, `state`: `starting`, `ready`, `stopping`", "Workers by state."),
    counter("service_worker_deaths_total", "`pool`, `cause`: `exit`, `signal`, `hang`, `start_timeout`, `stop_timeout`", "Workers that have ended without being asked to, or that had to be killed."),
    counter("service_worker_respawns_total", "`pool`", "Workers that were forked in place of one of the same generation."),
    counter("service_reloads_total", "`outcome`: `done`, `mutated`, `refused`, `undone`", "Reloads by their outcome."),
    counter("service_upgrades_total", "`outcome`: `done`, `failed`, `refused`", "Upgrades by their outcome."),
    gauge("service_generation", Merge::Max, "", "The generation of the program's workers, which grows with each reload."),
    gauge("service_start_time_seconds", Merge::Max, "", "When the supervisor was started, or the program without one; in seconds since 1970."),
    gauge("service_config_hash", Merge::Max, "", "A number that changes when an effective option does; secrets are not part of it."),
    gauge("service_config_last_reload_successful", Merge::Min, "", "Whether the last reload has brought its configuration into use."),
    gauge("process_resident_memory_bytes", Merge::Each, "`pool`, `slot`", "Resident memory of a process."),
    seconds("process_cpu_seconds_total", "`pool`, `slot`", "Processor time, of the system and the user, of all processes that were in this slot."),
    gauge("process_open_fds", Merge::Each, "`pool`, `slot`", "Open descriptors of a process."),
    gauge("process_threads", Merge::Each, "`pool`, `slot`", "Threads of a process."),
    seconds("service_runtime_busy_seconds_total", "`pool`, `slot`", "How long the threads of the async runtime were busy, of all processes that were in this slot."),
    gauge("service_runtime_busy_ratio", Merge::Each, "`pool`, `slot`", "Which part of the last second the threads of the async runtime were busy."),
    gauge("service_runtime_queue_depth", Merge::Each, "`pool`, `slot`", "Tasks that wait in the runtime's shared queue."),
    gauge("service_runtime_tasks", Merge::Each, "`pool`, `slot`", "Tasks that live in the async runtime."),
    gauge("service_runtime_delay_seconds", Merge::Each, "`pool`, `slot`", "How late the async runtime was with the last tick of a second: at least the longest poll in it."),
    gauge("service_tasks", Merge::Sum, "`service`", "Tasks, timers and loops of a service that live."),
    counter("service_task_runs_total", "`service`, `task`", "Runs of a periodic task that have begun."),
    counter("service_task_failures_total", "`service`, `task`", "Runs of a periodic task that returned an error."),
    counter("service_task_overruns_total", "`service`, `task`", "Ticks of a periodic task that were missed, because a run lasted into them."),
    gauge("http_server_active_requests", Merge::Sum, "`service`", "Requests that are being answered."),
    gauge("http_server_open_connections", Merge::Sum, "`service`", "Connections that are open."),
    counter("http_server_requests_total", "`service`, `method`, `route`, `class`: `1xx` to `5xx`, or `none` without an answer", "Requests that have ended."),
    histogram("http_server_request_duration_seconds", "`service`, `method`, `route`, `class`", "How long requests took."),
    counter("http_server_refused_requests_total", "`service`, `limit`: a key, or `malformed`", "Requests that were refused before a handler had answered them, or instead of its answer."),
    counter("service_membership_beats_total", "`service`, `outcome`: `done`, `failed`", "Writes of the entry of a worker in the store."),
    gauge("service_membership_last_beat_seconds", Merge::Min, "`service`", "When the entry of a worker was written last, of the worker for which that is longest ago; in seconds since 1970."),
];

/// Returns one of them by its name.
pub(crate) fn find(name: &str) -> Option<&'static OwnMetric> {
    OWN.iter().find(|own| own.name == name)
}

const fn gauge(
    name: &'static str,
    merge: Merge,
    labels: &'static str,
    help: &'static str,
) -> OwnMetric {
    OwnMetric {
        name,
        kind: Kind::Gauge,
        merge,
        labels,
        help,
    }
}

const fn of(kind: Kind, name: &'static str, labels: &'static str, help: &'static str) -> OwnMetric {
    OwnMetric {
        name,
        kind,
        merge: Merge::Sum,
        labels,
        help,
    }
}

const fn counter(name: &'static str, labels: &'static str, help: &'static str) -> OwnMetric {
    of(Kind::Counter, name, labels, help)
}

const fn seconds(name: &'static str, labels: &'static str, help: &'static str) -> OwnMetric {
    of(Kind::Seconds, name, labels, help)
}

const fn histogram(name: &'static str, labels: &'static str, help: &'static str) -> OwnMetric {
    of(Kind::Histogram, name, labels, help)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(own: &OwnMetric) -> String {
        let kind = match (own.kind, own.merge) {
            (Kind::Histogram, _) => "histogram",
            (Kind::Gauge, Merge::Max) => "gauge, largest",
            (Kind::Gauge, Merge::Min) => "gauge, smallest",
            (Kind::Gauge, Merge::Each) => "gauge, each",
            (Kind::Gauge, Merge::Sum) => "gauge",
            _ => "counter",
        };
        format!(
            "| `{}` | {kind} | {} | {} |",
            own.name, own.labels, own.help
        )
    }

    #[test]
    fn the_page_has_the_table_of_all_own_metrics() {
        let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/guide/metrics.md");
        let page = std::fs::read_to_string(page).unwrap();
        let rows: Vec<_> = OWN.iter().map(row).collect();
        let table = rows.join("\n");
        assert!(page.contains(&table), "the page's table is to be\n{table}");
    }
}
