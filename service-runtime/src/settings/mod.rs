//! The table `[launch]`: every setting of a launcher, in one list.
//!
//! A setting is the same under the same name as an argument of `#[launch(…)]`, as a method of
//! [`LaunchOptions`](self::options::LaunchOptions), a key of the table `[launch]`, a flag and an environment variable.
//! All of them arrive as text and are read by the one function of their key.

#[cfg(feature = "cli")]
pub(crate) mod command_line;
pub(crate) mod configuration;
mod flags;
mod keys;
pub(crate) mod logging;
pub(crate) mod options;
mod read;
mod report;
mod values;
mod workers;

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
            Err(Some("a number of workers, at least 1, or `auto`"))
        );
        let expected = settings.read("start_timeout", "soon").unwrap_err();
        assert!(expected.unwrap().starts_with("a duration"));
        assert!(settings.read("umask", "8").is_err());
        assert_eq!(settings.read("wokers", "1"), Err(None));
        assert_eq!(settings, Settings::default());
    }

    #[test]
    fn no_time_at_all_is_no_limit() {
        let mut settings = Settings::default();
        settings.read("graceful_shutdown_timeout", "0s").unwrap();
        assert_eq!(settings.graceful_shutdown_timeout, None);
    }
}
