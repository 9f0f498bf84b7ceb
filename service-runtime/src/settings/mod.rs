//! The table `[launch]`: every setting of a launcher, in one list.
//!
//! A setting is the same under the same name as an argument of `#[launch(…)]`, as a method of
//! [`LaunchOptions`](self::options::LaunchOptions), a key of the table `[launch]`, a flag and an environment variable.
//! All of them arrive as text and are read by the one function of their key.

mod admin;
#[cfg(feature = "cli")]
pub(crate) mod command_line;
pub(crate) mod configuration;
#[cfg(all(feature = "control", workers))]
pub(crate) mod control_socket;
mod flags;
mod keys;
pub(crate) mod logging;
pub(crate) mod options;
mod read;
mod report;
#[cfg(feature = "cli")]
pub(crate) mod sample_unit;
mod values;
mod workers;

#[cfg(feature = "control")]
pub(crate) use self::admin::Admin;
pub use self::flags::Flags;
#[cfg(feature = "config")]
pub(crate) use self::keys::{KEYS, Key};
pub(crate) use self::read::write_strings;
pub(crate) use self::report::Report;
pub use self::report::{ReportFormat, ReportFormatError};
pub(crate) use self::values::{ExitCommand, RecycleLimits, Settings};
pub(crate) use self::workers::Workers;

#[cfg(test)]
mod tests {
    use super::keys::KEYS;
    use super::*;

    #[test]
    fn every_default_in_the_list_is_the_default() {
        let mut read = Settings::default();
        for key in KEYS.iter().filter(|key| !key.default.is_empty()) {
            read.read(key.name, key.default.trim_matches('"')).unwrap();
        }
        assert_eq!(read, Settings::default());
    }

    #[test]
    fn a_wrong_value_is_refused_with_what_is_expected() {
        let mut settings = Settings::default();
        assert_eq!(
            settings.read("workers", "0"),
            Err(Some("a number of workers, 1 to 1000, or `auto`"))
        );
        let expected = settings.read("start_timeout", "soon").unwrap_err();
        assert!(expected.unwrap().starts_with("a duration"));
        assert!(settings.read("umask", "8").is_err());
        assert_eq!(settings.read("wokers", "1"), Err(None));
        assert_eq!(settings, Settings::default());
    }

    /// What a number, a duration or a size may be at its edges.
    const EXTREMES: &[&str] = &[
        "0",
        "1",
        "-1",
        "0s",
        "1ns",
        "255",
        "65535",
        "4294967295",
        "4294967296",
        "9223372036854775807",
        "18446744073709551615",
        "18446744073709551616",
        "340282366920938463463374607431768211456",
        "18446744073709551615s",
        "18446744073709551615years",
        "99999999999999999999y",
        "5M",
        "0B",
        "18446744073709551615B",
        "18446744073709551615TiB",
        "99999999999999999999 in 1s",
        "18446744073709551615 in 1s",
        "1 in 18446744073709551615s",
        "18446744073709551615:unlimited",
        "1e308",
        "nan",
        "inf",
        "",
    ];

    #[test]
    fn no_key_lets_an_extreme_through_that_a_clock_or_a_machine_cannot_bear() {
        for key in KEYS {
            for text in EXTREMES {
                let mut settings = Settings::default();
                let _ = settings.read(key.name, text);
                let durations = [
                    settings.graceful_shutdown_timeout,
                    settings.drain_timeout,
                    settings.start_timeout,
                    settings.heartbeat_timeout,
                    settings.upgrade_timeout,
                    settings.on_worker_exit.timeout,
                    settings.recycling.lifetime,
                    settings.restart_limit.map(|(_, window)| window),
                    Some(settings.recycling.lifetime_jitter),
                    Some(settings.respawn_delay),
                    Some(settings.respawn_delay_max),
                    Some(settings.healthy_after),
                ];
                let longest = durations.into_iter().flatten().max().unwrap();
                assert!(longest <= crate::duration::MAX, "{} = {text}", key.name);
                assert!(settings.workers.get() <= 1000, "{} = {text}", key.name);
                assert!(settings.threads <= 1024, "{} = {text}", key.name);
                assert!(settings.reload_surge.get() <= 1000, "{} = {text}", key.name);
                let deaths = settings.restart_limit.map_or(0, |(deaths, _)| deaths);
                assert!(deaths <= 100_000, "{} = {text}", key.name);
            }
        }
    }

    #[test]
    fn no_time_at_all_is_no_limit() {
        let mut settings = Settings::default();
        settings.read("graceful_shutdown_timeout", "0s").unwrap();
        assert_eq!(settings.graceful_shutdown_timeout, None);
    }
}
