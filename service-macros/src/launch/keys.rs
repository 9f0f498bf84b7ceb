//! Every setting that `#[launch]` knows, one line each.
//!
//! Each is a method of `LaunchOptions` of the same name, a key of the table `[launch]` and a flag.

use std::time::Duration;

use crate::args::{Key, Variant};

/// A setting and the kind of value that it takes.
pub(super) struct Setting {
    pub(super) key: Key,
    pub(super) kind: Kind,
}

/// What a value must be.
pub(super) enum Kind {
    /// How many workers: a literal chooses the launcher, an expression or `"auto"` leaves it to the
    /// start.
    Workers,
    /// A whole number of things, at least one.
    Count,
    /// A whole number.
    Number,
    /// `true` or `false`.
    Bool,
    /// A duration as a string.
    Duration,
    /// A duration as a string, zero for none, and else at least so long.
    Timeout(Duration),
    /// A string with something in it.
    Text,
    /// So many deaths in such a time, as a string.
    RestartLimit,
    /// A size as a string.
    Size,
    /// The permissions that new files never have, as a string of octal digits.
    Mask,
    /// A word that stands for a variant.
    Choice(&'static [(&'static str, Variant)]),
    /// A limit of the system: a whole number, or a string.
    ResourceLimit,
    /// A list of strings, not empty.
    Texts,
    /// The path of a function.
    Function,
    /// Names of crates, which `main` only has to name.
    Crates,
}

const RESTART_METHOD: &[(&str, Variant)] = &[
    ("reload", Variant(&["RestartMethod", "Reload"])),
    ("mutate", Variant(&["RestartMethod", "Mutate"])),
];
const RUNTIME: &[(&str, Variant)] = &[
    ("current_thread", Variant(&["RuntimeKind", "CurrentThread"])),
    ("multi_thread", Variant(&["RuntimeKind", "MultiThread"])),
];
const LOG_FORMAT: &[(&str, Variant)] = &[
    ("text", Variant(&["LogFormat", "Text"])),
    ("json", Variant(&["LogFormat", "Json"])),
];
const REPORT_FORMAT: &[(&str, Variant)] = &[
    ("text", Variant(&["ReportFormat", "Text"])),
    ("json", Variant(&["ReportFormat", "Json"])),
];

/// All of them, in the order in which help lists them.
#[rustfmt::skip]
pub(super) const SETTINGS: &[Setting] = &[
    setting("workers", "workers = 2", Kind::Workers),
    setting("restart_method", r#"restart_method = "mutate""#, Kind::Choice(RESTART_METHOD)),
    setting("graceful_shutdown_timeout", r#"graceful_shutdown_timeout = "60s""#, Kind::Duration),
    setting("config", r#"config = "/etc/greeter.toml""#, Kind::Text),
    setting("preload", "preload = load_tables", Kind::Function),
    setting("runtime", r#"runtime = "multi_thread""#, Kind::Choice(RUNTIME)),
    setting("threads", "threads = 4", Kind::Count),
    setting("crates", "crates = [billing, mailer]", Kind::Crates),
    setting("respawn_delay", r#"respawn_delay = "100ms""#, Kind::Duration),
    setting("respawn_delay_max", r#"respawn_delay_max = "30s""#, Kind::Duration),
    setting("healthy_after", r#"healthy_after = "1s""#, Kind::Duration),
    setting("start_timeout", r#"start_timeout = "30s""#, Kind::Duration),
    setting("drain_timeout", r#"drain_timeout = "60s""#, Kind::Duration),
    setting("reload_surge", "reload_surge = 1", Kind::Count),
    setting("heartbeat_timeout", r#"heartbeat_timeout = "30s""#, Kind::Timeout(HEARTBEAT_LEAST)),
    setting("restart_limit", r#"restart_limit = "5 in 60s""#, Kind::RestartLimit),
    setting("max_requests", "max_requests = 100000", Kind::Number),
    setting("max_requests_jitter", "max_requests_jitter = 1000", Kind::Number),
    setting("max_lifetime", r#"max_lifetime = "1d""#, Kind::Duration),
    setting("max_lifetime_jitter", r#"max_lifetime_jitter = "1h""#, Kind::Duration),
    setting("max_memory", r#"max_memory = "256MiB""#, Kind::Size),
    setting("service_restart_limit", "service_restart_limit = 10", Kind::Number),
    setting("log_level", r#"log_level = "info""#, Kind::Text),
    setting("log_format", r#"log_format = "json""#, Kind::Choice(LOG_FORMAT)),
    setting("log_options", "log_options = true", Kind::Bool),
    setting("reuse_port", "reuse_port = true", Kind::Bool),
    setting("cpu_affinity", "cpu_affinity = true", Kind::Bool),
    setting("upgrade_timeout", r#"upgrade_timeout = "60s""#, Kind::Duration),
    setting("pid_file", r#"pid_file = "/run/greeter.pid""#, Kind::Text),
    setting("admin", r#"admin = "auto""#, Kind::Text),
    setting("report_format", r#"report_format = "json""#, Kind::Choice(REPORT_FORMAT)),
    setting("report_dir", r#"report_dir = "/var/log/greeter""#, Kind::Text),
    setting("on_worker_exit", r#"on_worker_exit = ["/usr/bin/logger", "worker"]"#, Kind::Texts),
    setting("on_worker_exit_timeout", r#"on_worker_exit_timeout = "10s""#, Kind::Duration),
    setting("metrics_bind", r#"metrics_bind = "127.0.0.1:9100""#, Kind::Text),
    setting("metrics_gauges", r#"metrics_gauges = ["queue_depth=max"]"#, Kind::Texts),
    setting("metrics_buckets", r#"metrics_buckets = ["payload_bytes=100,1000"]"#, Kind::Texts),
    setting("metrics_series", "metrics_series = 1000", Kind::Count),
    setting("user", r#"user = "greeter""#, Kind::Text),
    setting("group", r#"group = "greeter""#, Kind::Text),
    setting("no_new_privileges", "no_new_privileges = true", Kind::Bool),
    setting("umask", r#"umask = "027""#, Kind::Mask),
    setting("chdir", r#"chdir = "/var/lib/greeter""#, Kind::Text),
    setting("limit_nofile", "limit_nofile = 65536", Kind::ResourceLimit),
    setting("limit_nproc", "limit_nproc = 512", Kind::ResourceLimit),
    setting("limit_core", r#"limit_core = "0B""#, Kind::ResourceLimit),
    setting("limit_memlock", r#"limit_memlock = "64MiB""#, Kind::ResourceLimit),
    setting("limit_stack", r#"limit_stack = "8MiB""#, Kind::ResourceLimit),
    setting("limit_as", r#"limit_as = "4GiB""#, Kind::ResourceLimit),
    setting("limit_fsize", r#"limit_fsize = "1GiB""#, Kind::ResourceLimit),
];

const fn setting(name: &'static str, example: &'static str, kind: Kind) -> Setting {
    let key = Key::new(name, example);
    Setting { key, kind }
}

/// A heartbeat comes each second, and one may be late.
const HEARTBEAT_LEAST: Duration = Duration::from_secs(3);

/// The most deaths of a `restart_limit`: the supervisor remembers each.
const DEATHS_MOST: usize = 100_000;

/// `5 in 60s`.
pub(super) fn restart_limit(text: &str) -> Result<(usize, Duration), String> {
    let wrong = || format!("`{text}` is not a number of restarts in a duration");
    let (count, window) = text.split_once(" in ").ok_or_else(wrong)?;
    let count: usize = count.trim().parse().map_err(|_| wrong())?;
    let window = humantime::parse_duration(window.trim()).map_err(|_| wrong())?;
    if count == 0 || window.is_zero() {
        return Err(format!("`{text}` would allow no restart at all"));
    }
    if count > DEATHS_MOST {
        return Err(format!("`{text}` is more than {DEATHS_MOST} restarts"));
    }
    Ok((count, window))
}

/// `256MiB`, in bytes.
pub(super) fn size(text: &str) -> Result<u64, String> {
    match number_of_bytes(text)? {
        0 => Err(format!("`{text}` must be more than 0")),
        bytes => Ok(bytes),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a part of a byte is cut off, and nothing here is negative"
)]
fn number_of_bytes(text: &str) -> Result<u64, String> {
    const UNITS: [(&str, f64); 10] = [
        ("B", 1.0),
        ("kB", 1e3),
        ("KB", 1e3),
        ("MB", 1e6),
        ("GB", 1e9),
        ("TB", 1e12),
        ("KiB", 1024.0),
        ("MiB", 1024.0 * 1024.0),
        ("GiB", 1024.0 * 1024.0 * 1024.0),
        ("TiB", 1024.0 * 1024.0 * 1024.0 * 1024.0),
    ];
    let wrong = || format!("`{text}` is not a size: a number and a unit, such as `MiB`");
    let digits = text.trim_end_matches(char::is_alphabetic);
    let unit = &text[digits.len()..];
    let number: f64 = digits.trim().parse().map_err(|_| wrong())?;
    let unit = UNITS.iter().find(|(name, _)| *name == unit);
    let (_, factor) = unit.ok_or_else(wrong)?;
    if !number.is_finite() || number < 0.0 {
        return Err(wrong());
    }
    Ok((number * factor) as u64)
}

/// `022`.
pub(super) fn umask(text: &str) -> Result<u32, String> {
    match u32::from_str_radix(text, 8) {
        Ok(mask) if mask <= 0o777 && !text.starts_with('+') => Ok(mask),
        _ => Err(format!("`{text}` is not an octal mask up to `777`")),
    }
}

/// A soft and a hard limit of the system; `None` is unlimited.
pub(super) type ResourceLimit = (Option<u64>, Option<u64>);

/// `unlimited`, `64MiB`, or a soft and a hard limit of that kind, `1024:65536`.
pub(super) fn resource_limit(text: &str) -> Result<ResourceLimit, String> {
    let (soft, hard) = text.split_once(':').unwrap_or((text, text));
    let one = |part: &str| {
        match part.trim() {
        "unlimited" => Ok(None),
        part => match part.parse() {
            Ok(number) => Ok(Some(number)),
            Err(_) => number_of_bytes(part).map(Some).map_err(|_| {
                format!(
                    "`{text}` is not a limit: a number, a size, `unlimited`, or two of these as in `1024:65536`"
                )
            }),
        },
    }
    };
    let (soft, hard) = (one(soft)?, one(hard)?);
    if hard.is_some_and(|hard| soft.is_none_or(|soft| soft > hard)) {
        return Err(format!("`{text}` has a soft limit above the hard one"));
    }
    Ok((soft, hard))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_a_number_and_a_unit() {
        for (good, bytes) in [
            ("256MiB", 256 << 20),
            ("1.5 GB", 1_500_000_000),
            ("4096B", 4096),
        ] {
            assert_eq!(size(good), Ok(bytes));
        }
        for bad in ["", "256", "MiB", "256Mib", "-1MB", "0MB", "infMB"] {
            assert!(size(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn limits_are_a_count_in_a_window() {
        assert_eq!(restart_limit("5 in 60s"), Ok((5, Duration::from_secs(60))));
        for bad in [
            "5",
            "5 in",
            "5 in 0s",
            "0 in 60s",
            "five in 60s",
            "5in60s",
            "100001 in 1h",
        ] {
            assert!(restart_limit(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn masks_are_octal() {
        assert_eq!(umask("022"), Ok(0o022));
        for bad in ["", "8", "1000", "0o22", "+22", "-1"] {
            assert!(umask(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn limits_of_the_system_are_one_or_two() {
        for (good, limit) in [
            ("65536", (Some(65536), Some(65536))),
            ("unlimited", (None, None)),
            ("64MiB", (Some(64 << 20), Some(64 << 20))),
            ("1024:65536", (Some(1024), Some(65536))),
            ("1MiB:unlimited", (Some(1 << 20), None)),
        ] {
            assert_eq!(resource_limit(good), Ok(limit));
        }
        for bad in ["", "many", "-1", "1:2:3", ":", "1:", "2:1", "unlimited:1"] {
            assert!(resource_limit(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn no_setting_is_there_twice_and_each_example_is_of_its_setting() {
        for (place, Setting { key, .. }) in SETTINGS.iter().enumerate() {
            let mut others = SETTINGS[..place].iter();
            assert!(
                others.all(|other| other.key.name != key.name),
                "{}",
                key.name
            );
            assert!(key.example.starts_with(&format!("{} = ", key.name)));
        }
    }

    #[test]
    fn every_setting_is_documented() {
        let doc = include_str!("../../doc/launch.md");
        for Setting { key, .. } in SETTINGS {
            let mut rows = doc.lines().filter(|line| line.starts_with("| `"));
            let name = format!("`{}`", key.name);
            assert!(rows.any(|row| row.contains(&name)), "{name}");
        }
    }
}
