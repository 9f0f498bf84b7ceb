//! Which events reach the log: a level, or directives as `RUST_LOG` has them.

use std::ffi::OsStr;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::EnvFilter;

/// The variable that wins over the setting.
pub(super) const VARIABLE: &str = "RUST_LOG";
const LEVELS: [&str; 6] = ["error", "warn", "info", "debug", "trace", "off"];
/// How many letters a misspelt level may differ in.
const NEAR: usize = 2;

/// Why the program cannot log as it was told to.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` in {from} does not say what to log{}; write `error`, `warn`, `info`, `debug`, `trace` or \
     `off`, or directives such as `info,hello=debug`",
    hint.map(|level| format!(", did you mean `{level}`?")).unwrap_or_default()
)]
pub(crate) struct LogError {
    text: String,
    from: &'static str,
    hint: Option<&'static str>,
}

/// Reads `RUST_LOG`, or the setting if that is unset or empty.
pub(super) fn choose(variable: Option<&OsStr>, setting: &str) -> Result<EnvFilter, LogError> {
    match variable.filter(|text| !text.is_empty()) {
        None => from_setting(setting),
        Some(text) => {
            let parsed = text.to_str().and_then(parse);
            parsed.ok_or_else(|| error(&text.to_string_lossy(), VARIABLE))
        }
    }
}

/// Tells whether a text is a level or directives.
pub(crate) fn is_level(text: &str) -> bool {
    parse(text).is_some()
}

/// Reads a level or directives.
pub(super) fn from_setting(text: &str) -> Result<EnvFilter, LogError> {
    parse(text).ok_or_else(|| error(text, "the log level"))
}

/// Reads a level or directives; a word alone must be a level.
///
/// tracing-subscriber takes any word for a crate to trace, so that `inof` would silence the program.
fn parse(text: &str) -> Option<EnvFilter> {
    let word = |part: &str| !part.contains(['=', '[']);
    let known = |part: &str| !word(part) || part.parse::<LevelFilter>().is_ok();
    let is_known = !text.is_empty() && text.split(',').map(str::trim).all(known);
    is_known.then(|| EnvFilter::builder().parse(text).ok())?
}

fn error(text: &str, from: &'static str) -> LogError {
    let words = text.split([',', '=']);
    let mut wrong = words.filter(|word| word.parse::<LevelFilter>().is_err());
    let near = |word: &str| {
        let distance = |level: &&&str| strsim::osa_distance(&word.to_lowercase(), level);
        LEVELS
            .iter()
            .min_by_key(distance)
            .filter(|level| distance(level) <= NEAR)
    };
    LogError {
        text: text.to_owned(),
        from,
        hint: wrong.next_back().and_then(near).copied(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(variable: Option<&str>, setting: &str) -> String {
        choose(variable.map(OsStr::new), setting)
            .unwrap()
            .to_string()
    }

    fn refused(variable: Option<&str>, setting: &str) -> String {
        choose(variable.map(OsStr::new), setting)
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn the_variable_wins_over_the_setting_unless_it_is_empty() {
        assert_eq!(shown(None, "debug"), "debug");
        assert_eq!(shown(Some("warn"), "debug"), "warn");
        assert_eq!(shown(Some(""), "debug"), "debug");
        assert_eq!(shown(Some("hello=trace"), "debug"), "hello=trace");
    }

    #[test]
    fn a_setting_takes_levels_and_directives() {
        assert_eq!(shown(None, "INFO"), "info");
        assert_eq!(shown(None, "off"), "off");
        assert_eq!(shown(None, "hello=debug,info"), "hello=debug,info");
    }

    #[test]
    fn a_misspelt_level_is_refused_with_the_near_miss() {
        let error = refused(None, "inof");
        assert!(error.starts_with(
            "`inof` in the log level does not say what to log, did you mean `info`?;"
        ));
        assert!(refused(None, "hello=dbug").contains("did you mean `debug`?"));
        assert!(refused(None, "loud").contains("does not say what to log; write `error`"));
        assert!(refused(None, "").contains("`` in the log level"));
    }

    #[test]
    fn a_bad_directive_of_the_variable_is_named() {
        let error = refused(Some("hello=loud"), "info");
        assert!(error.starts_with("`hello=loud` in RUST_LOG"), "{error}");
        let error = refused(Some("inof"), "info");
        assert!(error.contains("did you mean `info`?"), "{error}");
        refused(Some("garbage!!"), "info");
        refused(Some("hello"), "info");
        use std::os::unix::ffi::OsStrExt;
        assert!(choose(Some(OsStr::from_bytes(b"\xff")), "info").is_err());
    }
}
