//! The command line of a launched program: a flag for each setting, and the program's own.

use std::path::PathBuf;

use clap::builder::{StyledStr, ValueParser};
use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::settings::options::LaunchOptions;
use crate::settings::{KEYS, Key, Settings};

/// What the command line says.
pub(crate) struct CommandLine {
    /// All of it, the program's own flags too.
    pub(crate) matches: ArgMatches,
    pub(crate) task: Task,
    pub(crate) files: Vec<PathBuf>,
    pub(crate) dirs: Vec<PathBuf>,
    pub(crate) sets: Vec<String>,
    pub(crate) only: Vec<String>,
    /// Settings by name, as text.
    pub(crate) given: Vec<(&'static str, String)>,
}

/// What the program is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Task {
    /// Serve.
    Run,
    /// Print every effective value, and where it came from.
    PrintConfig,
    /// Print a commented template.
    SampleConfig,
    /// Say whether the configuration is right.
    CheckConfig,
    /// Print a description of all options for editors.
    ConfigSchema,
    /// Print a unit of systemd.
    SampleUnit,
}

/// The flags of what is not serving.
const TASKS: [(&str, Task); 5] = [
    ("print-config", Task::PrintConfig),
    ("sample-config", Task::SampleConfig),
    ("check-config", Task::CheckConfig),
    ("config-schema", Task::ConfigSchema),
    ("sample-unit", Task::SampleUnit),
];

/// Reads the command line of this process.
///
/// # Errors
///
/// Returns clap's answer: a mistake, or the text of `--help` and `--version`.
pub(crate) fn read(
    options: &LaunchOptions,
    own: impl FnOnce(Command) -> Command,
) -> Result<CommandLine, clap::Error> {
    parse(options, own, std::env::args_os())
}

fn parse(
    options: &LaunchOptions,
    own: impl FnOnce(Command) -> Command,
    arguments: impl Iterator<Item = std::ffi::OsString>,
) -> Result<CommandLine, clap::Error> {
    let matches = own(command(options)).try_get_matches_from(arguments)?;
    let task = TASKS.into_iter().find(|(flag, _)| matches.get_flag(flag));
    Ok(CommandLine {
        task: task.map_or(Task::Run, |(_, task)| task),
        files: many(&matches, "config-file"),
        dirs: many(&matches, "config-dir"),
        sets: many(&matches, "set"),
        only: many(&matches, "only"),
        given: KEYS
            .iter()
            .filter_map(|key| Some((key.name, matches.get_one::<String>(key.name)?.clone())))
            .collect(),
        matches,
    })
}

fn command(options: &LaunchOptions) -> Command {
    let command = Command::new(options.program.clone())
        .next_line_help(false)
        .after_help(after_help(&options.program));
    let command = match options.version {
        Some(version) => command.version(version),
        None => command,
    };
    command
        .next_help_heading("Configuration")
        .arg(
            Arg::new("config-file")
                .long("config-file")
                .value_name("FILE")
                .action(ArgAction::Append)
                .value_parser(ValueParser::path_buf())
                .help("Reads a TOML file; may be given many times, later ones win"),
        )
        .arg(
            Arg::new("config-dir")
                .long("config-dir")
                .value_name("DIR")
                .action(ArgAction::Append)
                .value_parser(ValueParser::path_buf())
                .help("Reads every `*.toml` of a directory, in the order of their names"),
        )
        .arg(
            Arg::new("set")
                .long("set")
                .value_name("KEY=VALUE")
                .action(ArgAction::Append)
                .help("Sets one option, such as `launch.workers=4`"),
        )
        .arg(switch(
            "print-config",
            "Prints every effective option with its origin, and exits",
        ))
        .arg(switch(
            "sample-config",
            "Prints a commented template of all options, and exits",
        ))
        .arg(switch(
            "check-config",
            "Checks the configuration, and exits with 0 or 78",
        ))
        .arg(switch(
            "config-schema",
            "Prints a JSON Schema of all options, for editors, and exits",
        ))
        .arg(switch(
            "sample-unit",
            "Prints a systemd unit for the program with these arguments, and exits",
        ))
        .next_help_heading("Launch")
        .arg(
            Arg::new("only")
                .long("only")
                .value_name("SERVICE")
                .action(ArgAction::Append)
                .value_delimiter(',')
                .help("Runs only the services of these names"),
        )
        .args(KEYS.iter().map(|key| flag(key, options)))
        .next_help_heading(None::<&str>)
}

fn switch(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name)
        .long(name)
        .action(ArgAction::SetTrue)
        .help(help)
        .conflicts_with_all(
            TASKS
                .into_iter()
                .map(|(task, _)| task)
                .filter(|task| *task != name),
        )
}

/// The flag of a setting: its name with dashes, its value read as everywhere else.
fn flag(key: &'static Key, options: &LaunchOptions) -> Arg {
    let check = move |text: &str| match Settings::default().read(key.name, text) {
        Ok(()) => Ok(text.to_owned()),
        Err(_) => Err(format!("expected {}", key.expects)),
    };
    let mut help = StyledStr::from(key.doc);
    // The program's own attribute is the default of its operators.
    let given = options
        .given
        .iter()
        .rev()
        .find(|(name, _)| *name == key.name);
    let default = given.map_or(key.default.trim_matches('"'), |(_, text)| text);
    if !default.is_empty() {
        help = format!("{help} [default: {default}]").into();
    }
    Arg::new(key.name)
        .long(key.name.replace('_', "-"))
        .value_name("VALUE")
        .value_parser(check)
        .help(help)
}

fn many<T: Clone + Send + Sync + 'static>(matches: &ArgMatches, name: &str) -> Vec<T> {
    matches
        .get_many::<T>(name)
        .into_iter()
        .flatten()
        .cloned()
        .collect()
}

fn after_help(program: &str) -> String {
    let variable = program.to_uppercase().replace('-', "_");
    format!(
        "Every launch setting is also a key of the table `[launch]` in a configuration file and a \
         variable such as {variable}__LAUNCH__WORKERS.\n\
         Signals: TERM and QUIT stop gracefully, INT at once, HUP reloads, TTIN and TTOU change the number \
         of workers, USR1 asks for a report, USR2 starts a new version of the program."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(arguments: &[&str]) -> Result<CommandLine, clap::Error> {
        let arguments = ["program"].iter().chain(arguments).map(Into::into);
        parse(&LaunchOptions::new("program"), |command| command, arguments)
    }

    #[test]
    fn the_command_is_well_formed() {
        command(&LaunchOptions::new("program")).debug_assert();
    }

    #[test]
    fn a_setting_is_read_from_its_flag() {
        let line = line(&["--workers", "3", "--graceful-shutdown-timeout=5s"])
            .ok()
            .unwrap();
        let given = [
            ("workers", "3".to_owned()),
            ("graceful_shutdown_timeout", "5s".to_owned()),
        ];
        assert_eq!(line.given, given);
    }

    #[test]
    fn a_wrong_value_is_refused_with_what_is_expected() {
        let error = line(&["--workers", "0"]).err().unwrap();
        assert_eq!(error.exit_code(), 2);
        assert!(
            error
                .to_string()
                .contains("expected a number of workers, 1 to 1000"),
            "{error}"
        );
    }

    #[test]
    fn the_help_shows_the_defaults_of_this_program() {
        let options = LaunchOptions::new("program").workers(7).log_level("warn");
        let help = command(&options).render_long_help().to_string();
        assert!(help.contains("[default: 7]"), "{help}");
        assert!(help.contains("[default: warn]"), "{help}");
        assert!(!help.contains("[default: info]"), "{help}");
    }

    #[test]
    fn an_unknown_flag_is_refused_with_the_near_miss() {
        let error = line(&["--wokers", "2"]).err().unwrap();
        assert_eq!(error.exit_code(), 2);
        assert!(error.to_string().contains("--workers"), "{error}");
    }
}
