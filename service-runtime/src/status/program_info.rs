//! Which program it is, and how it was started.

use std::time::{Duration, Instant};

use super::row::Row;
use crate::settings::configuration::Loaded;
use crate::settings::options::LaunchOptions;

/// What does not change while a process of the program lives.
#[derive(Debug, Clone)]
pub(crate) struct ProgramInfo {
    pub(crate) program: String,
    version: Option<&'static str>,
    started: Instant,
}

impl ProgramInfo {
    /// Takes in what the program says of itself.
    pub(crate) fn new(options: &LaunchOptions) -> Self {
        Self {
            program: options.program.clone(),
            version: options.version,
            started: Instant::now(),
        }
    }

    /// Returns how long the process has lived.
    pub(crate) fn uptime(&self) -> Duration {
        self.started.elapsed()
    }

    pub(super) fn row(&self) -> Row {
        let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease");
        Row::one("program")
            .with("name", self.program.as_str())
            .with("version", self.version.map(str::to_owned))
            .with(
                "framework",
                concat!("service-runtime ", env!("CARGO_PKG_VERSION")),
            )
            .with("kernel", kernel.ok().map(|kernel| kernel.trim().to_owned()))
            .with("pid", u64::from(std::process::id()))
            .with("uptime", self.uptime())
    }
}

/// Returns the command line, with the values of secrets masked.
///
/// What a program's own flags mean nobody knows here: only `--set` is looked into.
pub(super) fn command_line(loaded: &Loaded) -> String {
    let arguments = std::env::args_os().map(|argument| argument.to_string_lossy().into_owned());
    masked(arguments, |key| loaded.is_secret(key))
}

fn masked(arguments: impl Iterator<Item = String>, is_secret: impl Fn(&str) -> bool) -> String {
    let mut line = String::new();
    let mut is_set = false;
    for argument in arguments {
        let (flag, set) = match argument.strip_prefix("--set=") {
            Some(set) => ("--set=", set),
            None if is_set => ("", &*argument),
            None => ("", ""),
        };
        is_set = argument == "--set";
        let shown = match set.split_once('=') {
            Some((key, _)) if is_secret(key.trim()) => format!("{flag}{key}=***"),
            _ => argument,
        };
        line.push_str(if line.is_empty() { "" } else { " " });
        if shown.is_empty() || shown.contains(char::is_whitespace) {
            line.push_str(&format!("'{shown}'"));
        } else {
            line.push_str(&shown);
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_masked_in_the_command_line() {
        let line = |words: &str| {
            let words = words.split(' ').map(str::to_owned);
            masked(words, |key| key == "db.password")
        };
        assert_eq!(
            line("p --set db.password=x --workers 2"),
            "p --set db.password=*** --workers 2"
        );
        assert_eq!(
            line("p --set=db.password=x --set db.host=y"),
            "p --set=db.password=*** --set db.host=y"
        );
    }
}
