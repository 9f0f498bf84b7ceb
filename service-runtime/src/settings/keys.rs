//! The list of settings: each with its words and the function that reads it.

use std::time::Duration;

use super::read::{
    at_most, deaths, duration, filled, known_address, level, limit, set, size, strings, umask,
};
use super::values::Settings;
use super::workers::WORKERS_MOST;
use crate::metrics::MetricSettings;
use crate::privileges::ResourceLimit;

/// One setting.
#[cfg_attr(
    not(feature = "config"),
    expect(
        dead_code,
        reason = "only a configuration has a template and sub-tables"
    )
)]
pub(crate) struct Key {
    /// Its name.
    pub(crate) name: &'static str,
    /// Its type, as the template shows it.
    pub(crate) kind: &'static str,
    /// What a value must be, in words.
    pub(crate) expects: &'static str,
    /// Its default, as it is written in a file.
    pub(crate) default: &'static str,
    /// Whether a mutation takes it over.
    pub(crate) mutable: bool,
    /// What it is for.
    pub(crate) doc: &'static str,
    /// Reads it.
    read: fn(&mut Settings, &str) -> Option<()>,
}

/// The settings that `[launch.pools.<service>]` may hold.
#[cfg(feature = "config")]
const OF_A_POOL: &[&str] = &[
    "workers",
    "drain_timeout",
    "start_timeout",
    "runtime",
    "threads",
    "respawn_delay",
    "respawn_delay_max",
    "healthy_after",
    "reload_surge",
    "heartbeat_timeout",
    "max_requests",
    "max_requests_jitter",
    "max_lifetime",
    "max_lifetime_jitter",
    "max_memory",
    "service_restart_limit",
    "cpu_affinity",
    "reuse_port",
];

#[cfg(feature = "config")]
impl Key {
    /// Returns whether the workers of one service can be told another value.
    pub(crate) fn is_of_a_pool(&self) -> bool {
        OF_A_POOL.contains(&self.name)
    }
}

/// What a duration must look like.
const DURATION: &str = "a duration such as `500ms`, `30s` or `1h 30m`";

/// What a limit must look like.
const LIMIT: &str = "a duration such as `500ms`, `30s` or `1h 30m`, or `0s` for no limit";

/// What a limit of the system must look like.
const RLIMIT: &str = "a number, a size such as `64MiB`, `unlimited`, or a soft and a hard limit such as `1024:65536`";

/// Every setting, in the order in which help and sample show them.
#[rustfmt::skip]
pub(crate) const KEYS: &[Key] = &[
    key("workers", "Workers", "a number of workers, 1 to 1000, or `auto`", "1", true,
        "How many worker processes run the services, up to 1000; `auto` for one a processor. What 1 means is the program's choice: one worker, or none and the services in this process.",
        |s, t| set(&mut s.workers, t.parse().ok())),
    key("restart_method", "RestartMethod", "`reload` or `mutate`", "\"reload\"", true,
        "What SIGHUP does: `reload` replaces every worker, `mutate` lets them take over mutable options.",
        |s, t| set(&mut s.restart_method, t.parse().ok())),
    key("graceful_shutdown_timeout", "Duration", LIMIT, "\"60s\"", true,
        "How long a graceful stop may take before what still runs is killed. `0s` for no limit.",
        |s, t| set(&mut s.graceful_shutdown_timeout, limit(t))),
    key("drain_timeout", "Duration", LIMIT, "\"60s\"", true,
        "How long a replaced worker may take to finish before it is killed. `0s` for no limit.",
        |s, t| set(&mut s.drain_timeout, limit(t))),
    key("start_timeout", "Duration", LIMIT, "\"30s\"", true,
        "How long a worker may take to get ready before it is killed. `0s` for no limit.",
        |s, t| set(&mut s.start_timeout, limit(t))),
    key("runtime", "RuntimeKind", "`current_thread` or `multi_thread`", "", false,
        "The tokio runtime of a worker; `current_thread` in a forked worker, `multi_thread` in a single process.",
        |s, t| set(&mut s.runtime, t.parse().ok().map(Some))),
    key("threads", "usize", "a number of threads up to 1024, 0 for one a CPU", "0", false,
        "How many threads a `multi_thread` runtime has, up to 1024; 0 for one a CPU.",
        |s, t| set(&mut s.threads, at_most(1024, t))),
    key("respawn_delay", "Duration", DURATION, "\"100ms\"", true,
        "How long a slot waits for its next worker when two in a row died early; doubles with each further one.",
        |s, t| set(&mut s.respawn_delay, duration(t))),
    key("respawn_delay_max", "Duration", DURATION, "\"30s\"", true,
        "The longest that a slot waits for its next worker.",
        |s, t| set(&mut s.respawn_delay_max, duration(t))),
    key("healthy_after", "Duration", DURATION, "\"1s\"", true,
        "A worker that was ready for less than this has died early.",
        |s, t| set(&mut s.healthy_after, duration(t))),
    key("reload_surge", "NonZeroUsize", "a number of workers, 1 to 1000", "1", true,
        "How many workers a reload replaces at the same time.",
        |s, t| set(&mut s.reload_surge, at_most(WORKERS_MOST, t))),
    key("heartbeat_timeout", "Duration", "a duration of at least `3s`, or `0s` for no limit", "\"30s\"", true,
        "A worker whose runtime stands still for this long is aborted and replaced. `0s` for never.",
        |s, t| set(&mut s.heartbeat_timeout, limit(t).filter(|limit| limit.is_none_or(|l| l >= Duration::from_secs(3))))),
    key("restart_limit", "String", "how many deaths (1 to 100000) in how long, such as `5 in 60s`, or `none`", "\"none\"", true,
        "When more workers die within the time, the program ends with code 1, for a service manager to decide.",
        |s, t| set(&mut s.restart_limit, deaths(t))),
    key("max_requests", "u64", "a number of requests, 0 for no limit", "0", false,
        "A worker that has counted this many requests is replaced. 0 for no limit.",
        |s, t| set(&mut s.recycling.requests, t.parse().ok())),
    key("max_requests_jitter", "u64", "a number of requests", "0", false,
        "A random number up to this is added to `max_requests`, so that workers do not go together.",
        |s, t| set(&mut s.recycling.requests_jitter, t.parse().ok())),
    key("max_lifetime", "Duration", LIMIT, "\"0s\"", false,
        "A worker that has been ready for this long is replaced. `0s` for no limit.",
        |s, t| set(&mut s.recycling.lifetime, limit(t))),
    key("max_lifetime_jitter", "Duration", DURATION, "\"0s\"", false,
        "A random time up to this is added to `max_lifetime`.",
        |s, t| set(&mut s.recycling.lifetime_jitter, duration(t))),
    key("max_memory", "Size", "a size such as `256MiB`, or `0B` for no limit", "\"0B\"", false,
        "A worker whose resident memory is more than this is replaced. `0B` for no limit.",
        |s, t| set(&mut s.recycling.memory, size(t))),
    key("service_restart_limit", "u64", "a whole number, 0 for no limit", "10", true,
        "How often in a row a service with `on_error = \"restart\"` may fail before the process ends. 0 for no limit.",
        |s, t| set(&mut s.service_restart_limit, t.parse().ok())),
    key("log_level", "String", "a level (`error`, `warn`, `info`, `debug`, `trace`, `off`) or directives such as `info,my_crate=debug`", "\"info\"", true,
        "What is logged. The variable RUST_LOG wins.",
        |s, t| set(&mut s.log_level, level(t))),
    key("log_format", "LogFormat", "`text` or `json`", "\"text\"", false,
        "How a log line looks.",
        |s, t| set(&mut s.log_format, t.parse().ok())),
    key("log_options", "bool", "`true` or `false`", "true", false,
        "Whether every effective option is logged at start, at debug level, with secrets masked.",
        |s, t| set(&mut s.log_options, t.parse().ok())),
    key("reuse_port", "bool", "`true` or `false`", "false", false,
        "Whether each slot gets a socket of its own of every TCP listener that does not say it by itself.",
        |s, t| set(&mut s.reuse_port, t.parse().ok())),
    key("cpu_affinity", "bool", "`true` or `false`", "false", false,
        "Whether each slot is pinned to one processor, round the allowed ones.",
        |s, t| set(&mut s.cpu_affinity, t.parse().ok())),
    key("upgrade_timeout", "Duration", LIMIT, "\"60s\"", true,
        "How long a new program file may take to get ready at an upgrade before it is ended. `0s` for no limit.",
        |s, t| set(&mut s.upgrade_timeout, limit(t))),
    key("pid_file", "PathBuf", "the path of a file", "", false,
        "The file that holds the program's pid, locked so that no second instance starts.",
        |s, t| set(&mut s.pid_file, filled(t).map(|path| Some(path.into())))),
    key("admin", "Admin", "`auto`, `off` or the path of a socket", "\"auto\"", false,
        "The control socket of a program with workers: `auto` for one in the runtime directory of systemd or the user, a path, or `off`.",
        |s, t| set(&mut s.admin, t.parse().ok())),
    key("report_format", "ReportFormat", "`text` or `json`", "\"text\"", true,
        "How the report of SIGUSR1 looks.",
        |s, t| set(&mut s.report.format, t.parse().ok())),
    key("report_dir", "PathBuf", "the path of a directory", "", true,
        "The directory in which each report of SIGUSR1 becomes a file; without it reports go to the log.",
        |s, t| set(&mut s.report.dir, filled(t).map(|path| Some(path.into())))),
    key("on_worker_exit", "Vec<String>", "a list of strings, such as `[\"/usr/bin/logger\", \"worker\"]`", "[]", true,
        "A program and its arguments, run after each worker's end; what happened stands in its environment.",
        |s, t| set(&mut s.on_worker_exit.command, strings(t))),
    key("on_worker_exit_timeout", "Duration", LIMIT, "\"10s\"", true,
        "How long `on_worker_exit` may take before it is killed. `0s` for no limit.",
        |s, t| set(&mut s.on_worker_exit.timeout, limit(t))),
    key("metrics_bind", "Address", "an address such as `127.0.0.1:9100` or `unix:/run/metrics.sock`", "", false,
        "A listener that answers GET /metrics, and nothing else.",
        |s, t| set(&mut s.metrics_bind, known_address(t))),
    key("metrics_gauges", "Vec<String>", "a list such as `[\"queue_depth=max\"]`, with `sum`, `max`, `min` or `each`", "[]", false,
        "How a gauge of several workers is shown: the sum if it is not in the list, the largest, the smallest, or each with its slot.",
        |s, t| set(&mut s.metrics.gauges, strings(t).and_then(|list| MetricSettings::read_gauges(&list)))),
    key("metrics_buckets", "Vec<String>", "a list such as `[\"payload_bytes=100,1000,10000\"]`, with at most 64 rising numbers", "[]", false,
        "The bounds of histograms by name.",
        |s, t| set(&mut s.metrics.buckets, strings(t).and_then(|list| MetricSettings::read_buckets(&list)))),
    key("metrics_series", "usize", "a number from 1 to 100000", "1000", false,
        "How many series a metric may have in each worker; further ones count as one.",
        |s, t| set(&mut s.metrics.series, MetricSettings::read_series(t))),
    key("user", "User", "the name or number of a user", "", false,
        "Who the program is once it has started as root.",
        |s, t| set(&mut s.privileges.user, filled(t).map(Some))),
    key("group", "Group", "the name or number of a group", "", false,
        "Its group; the user's own, and those it is a member of, if not given.",
        |s, t| set(&mut s.privileges.group, filled(t).map(Some))),
    key("no_new_privileges", "bool", "`true` or `false`", "false", false,
        "Whether nothing that the program executes may give it more privileges, such as a set-user-id file.",
        |s, t| set(&mut s.privileges.no_new, t.parse().ok())),
    key("umask", "String", "an octal mask up to `777`, such as `027`", "", false,
        "The permissions that new files and sockets never have.",
        |s, t| set(&mut s.privileges.umask, umask(t).map(Some))),
    key("chdir", "PathBuf", "the path of a directory", "", false,
        "The directory that the services run in.",
        |s, t| set(&mut s.privileges.chdir, filled(t).map(|path| Some(path.into())))),
    key("limit_nofile", "Limit", RLIMIT, "", false,
        "How many descriptors each process may have open.",
        |s, t| set(&mut s.privileges.limits.nofile, ResourceLimit::read(t).map(Some))),
    key("limit_nproc", "Limit", RLIMIT, "", false,
        "How many processes and threads the user may have.",
        |s, t| set(&mut s.privileges.limits.nproc, ResourceLimit::read(t).map(Some))),
    key("limit_core", "Limit", RLIMIT, "", false,
        "How large a core file may be.",
        |s, t| set(&mut s.privileges.limits.core, ResourceLimit::read(t).map(Some))),
    key("limit_memlock", "Limit", RLIMIT, "", false,
        "How much memory each process may lock.",
        |s, t| set(&mut s.privileges.limits.memlock, ResourceLimit::read(t).map(Some))),
    key("limit_stack", "Limit", RLIMIT, "", false,
        "How large the stack of a process may grow.",
        |s, t| set(&mut s.privileges.limits.stack, ResourceLimit::read(t).map(Some))),
    key("limit_as", "Limit", RLIMIT, "", false,
        "How much address space each process may have.",
        |s, t| set(&mut s.privileges.limits.address_space, ResourceLimit::read(t).map(Some))),
    key("limit_fsize", "Limit", RLIMIT, "", false,
        "How large a file may be that a process writes.",
        |s, t| set(&mut s.privileges.limits.fsize, ResourceLimit::read(t).map(Some))),
];

impl Settings {
    /// Reads one setting.
    ///
    /// # Errors
    ///
    /// Returns what a value must be, in words, or `None` if there is no such setting.
    pub(crate) fn read(&mut self, name: &str, text: &str) -> Result<(), Option<&'static str>> {
        let key = KEYS.iter().find(|key| key.name == name).ok_or(None)?;
        (key.read)(self, text.trim()).ok_or(Some(key.expects))
    }
}

const fn key(
    name: &'static str,
    kind: &'static str,
    expects: &'static str,
    default: &'static str,
    mutable: bool,
    doc: &'static str,
    read: fn(&mut Settings, &str) -> Option<()>,
) -> Key {
    Key {
        name,
        kind,
        expects,
        default,
        mutable,
        doc,
        read,
    }
}
