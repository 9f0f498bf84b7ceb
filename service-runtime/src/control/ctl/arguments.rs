//! The command line of `ctl`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::ValueParser;
use clap::{Arg, ArgAction, ArgMatches, Command};

/// What is asked for, and of which instance.
#[derive(Debug)]
pub(super) struct Invocation {
    pub(super) asked: Asked,
    pub(super) json: bool,
    /// The socket to ask, if it is named.
    pub(super) socket: Option<PathBuf>,
    /// What the configuration is read from, as a start reads it.
    pub(super) files: Vec<PathBuf>,
    pub(super) dirs: Vec<PathBuf>,
    pub(super) sets: Vec<String>,
}

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// A view of the program.
    View(&'static str),
}

/// The views, with what each shows.
const VIEWS: &[(&str, &str)] = &[
    ("status", "Shows the state, slots and workers"),
    ("workers", "Shows the workers, and the last that have ended"),
    ("services", "Shows the services of each worker"),
    ("tasks", "Shows the tasks and timers of each worker"),
    ("listeners", "Shows what the program listens on"),
    (
        "config",
        "Shows every option with its value and origin; secrets are masked",
    ),
    ("report", "Prints everything, as JSON"),
];

/// Reads a command line, whose first words are the program and `ctl`.
///
/// # Errors
///
/// Returns clap's answer: a mistake, or the text of `--help`.
pub(super) fn read(program: &str, arguments: &[OsString]) -> Result<Invocation, clap::Error> {
    let words = arguments.iter().skip(1);
    let matches = command(program).try_get_matches_from(words)?;
    let (name, matches) = matches.subcommand().unwrap_or(("status", &matches));
    let view = VIEWS.iter().find(|(view, _)| *view == name);
    Ok(Invocation {
        asked: Asked::View(view.map_or("status", |(view, _)| view)),
        json: matches.get_flag("json"),
        socket: matches.get_one("socket").cloned(),
        files: many(matches, "config-file"),
        dirs: many(matches, "config-dir"),
        sets: many(matches, "set"),
    })
}

fn many<T: Clone + Send + Sync + 'static>(matches: &ArgMatches, name: &str) -> Vec<T> {
    let values = matches.get_many::<T>(name).into_iter().flatten();
    values.cloned().collect()
}

fn command(program: &str) -> Command {
    let views = VIEWS
        .iter()
        .map(|(name, about)| Command::new(*name).about(*about));
    Command::new("ctl")
        .bin_name(format!("{program} ctl"))
        .about(format!("Looks into {program} while it runs"))
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands(views)
        .arg(
            Arg::new("json")
                .long("json")
                .global(true)
                .action(ArgAction::SetTrue)
                .help("Prints the answer as JSON"),
        )
        .arg(
            path("socket", "PATH")
                .help("Asks the instance with this control socket, instead of the one that is found"),
        )
        .arg(
            path("config-file", "FILE")
                .action(ArgAction::Append)
                .help("Reads `[launch]` of this file too, to find the instance"),
        )
        .arg(
            path("config-dir", "DIR")
                .action(ArgAction::Append)
                .help("Reads `[launch]` of the files of this directory too"),
        )
        .arg(
            Arg::new("set")
                .long("set")
                .value_name("KEY=VALUE")
                .global(true)
                .action(ArgAction::Append)
                .help("Sets one option, such as `launch.admin=/run/hello/admin.sock`"),
        )
        .after_help(
            "Exit codes: 0 done, 1 failed or refused, 2 wrong command line, 3 not running, 4 not allowed.",
        )
}

fn path(name: &'static str, value: &'static str) -> Arg {
    Arg::new(name)
        .long(name)
        .value_name(value)
        .global(true)
        .value_parser(ValueParser::path_buf())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(words: &str) -> Result<Invocation, clap::Error> {
        let words: Vec<OsString> = words.split(' ').map(Into::into).collect();
        read("hello", &words)
    }

    #[test]
    fn the_command_is_well_formed() {
        command("hello").debug_assert();
    }

    #[test]
    fn flags_stand_before_or_behind_the_word() {
        for words in [
            "hello ctl --json workers --socket /x",
            "hello ctl --socket /x workers --json",
        ] {
            let invocation = parsed(words).unwrap();
            assert_eq!(invocation.asked, Asked::View("workers"), "{words}");
            assert!(invocation.json, "{words}");
            assert_eq!(invocation.socket, Some("/x".into()), "{words}");
        }
    }

    #[test]
    fn an_unknown_word_is_refused_with_the_near_miss() {
        let error = parsed("hello ctl wokers").unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(error.to_string().contains("workers"), "{error}");
    }
}
