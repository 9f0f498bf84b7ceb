//! The command line of `ctl`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::ValueParser;
use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::ipc::control::OrderKind;

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
    /// Something to be done.
    Order(Ordered),
    /// What has happened, and what happens from now on if it is followed.
    Events {
        /// Whether it is.
        follow: bool,
    },
}

/// An order.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Ordered {
    pub(super) kind: OrderKind,
    /// The service whose workers are meant, and how many or which.
    pub(super) target: Option<Target>,
    /// Whether the outcome is waited for.
    pub(super) waits: bool,
}

/// Whose workers, and how many or which of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) service: Option<String>,
    pub(super) number: u32,
}

/// The orders, with what each does.
const ORDERS: &[(OrderKind, &str)] = &[
    (
        OrderKind::Reload,
        "Reloads, and waits until the last worker has the new configuration",
    ),
    (
        OrderKind::Upgrade,
        "Starts the program file anew, and waits until it has taken over",
    ),
    (
        OrderKind::Scale,
        "Sets the number of workers, until a reload says otherwise",
    ),
    (OrderKind::Recycle, "Replaces every worker gracefully"),
    (OrderKind::Stop, "Stops the program, and waits for its end"),
    (
        OrderKind::Drain,
        "Empties a slot, which stays empty until it is filled",
    ),
    (
        OrderKind::Fill,
        "Lets a slot that was emptied have a worker again",
    ),
];

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
    let order = ORDERS.iter().find(|(kind, _)| kind.word() == name);
    let asked = match (view, order) {
        _ if name == "events" => Asked::Events {
            follow: matches.get_flag("follow"),
        },
        (_, Some((kind, _))) => Asked::Order(ordered(*kind, matches)),
        (view, None) => Asked::View(view.map_or("status", |(view, _)| view)),
    };
    Ok(Invocation {
        asked,
        json: matches.get_flag("json"),
        socket: matches.get_one("socket").cloned(),
        files: many(matches, "config-file"),
        dirs: many(matches, "config-dir"),
        sets: many(matches, "set"),
    })
}

fn ordered(kind: OrderKind, matches: &ArgMatches) -> Ordered {
    let is_now = kind == OrderKind::Stop && matches.get_flag("now");
    let has_target = matches!(kind, OrderKind::Scale | OrderKind::Drain | OrderKind::Fill);
    Ordered {
        kind: if is_now { OrderKind::Quit } else { kind },
        target: has_target
            .then(|| matches.get_one("target").cloned())
            .flatten(),
        waits: !matches.get_flag("no-wait"),
    }
}

/// Reads `3`, `api=3` or `api/3`.
fn target(text: &str) -> Result<Target, String> {
    let (service, number) = match text.split_once(['=', '/']) {
        Some((service, number)) => (Some(service), number),
        None => (None, text),
    };
    let wrong = "expected a whole number, with the name of a service before it if it has workers of its own";
    let is_name = |name: &str| {
        !name.is_empty()
            && name
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
    };
    if !service.is_none_or(is_name) {
        return Err(wrong.to_owned());
    }
    Ok(Target {
        service: service.map(str::to_owned),
        number: number.parse().map_err(|_| wrong.to_owned())?,
    })
}

fn order(kind: OrderKind, about: &'static str) -> Command {
    let command = Command::new(kind.word()).about(about).arg(
        Arg::new("no-wait")
            .long("no-wait")
            .action(ArgAction::SetTrue)
            .help("Does not wait for the outcome"),
    );
    let with_target = |name: &'static str| {
        let target = Arg::new("target").value_name(name).required(true);
        target.value_parser(target_parser())
    };
    match kind {
        OrderKind::Scale => command.arg(with_target("[SERVICE=]N")),
        OrderKind::Drain | OrderKind::Fill => command.arg(with_target("[SERVICE/]SLOT")),
        OrderKind::Stop => command.arg(
            Arg::new("now")
                .long("now")
                .action(ArgAction::SetTrue)
                .help("Ends the workers at once"),
        ),
        _ => command,
    }
}

fn target_parser() -> impl Fn(&str) -> Result<Target, String> + Clone + Send + Sync + 'static {
    target
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
        .about(format!("Looks into {program} and steers it while it runs"))
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands(views)
        .subcommand(
            Command::new("events")
                .about("Shows what has happened lately, and what happens")
                .arg(
                    Arg::new("follow")
                        .short('f')
                        .long("follow")
                        .action(ArgAction::SetTrue)
                        .help("Goes on until the program ends"),
                ),
        )
        .subcommands(ORDERS.iter().map(|(kind, about)| order(*kind, about)))
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
    fn an_order_names_whose_workers_are_meant() {
        let asked = |words: &str| parsed(words).unwrap().asked;
        let target = |service: Option<&str>, number| Target {
            service: service.map(str::to_owned),
            number,
        };
        let order = |kind, target, waits| {
            Asked::Order(Ordered {
                kind,
                target,
                waits,
            })
        };
        let three = Some(target(None, 3));
        assert_eq!(
            asked("hello ctl scale 3"),
            order(OrderKind::Scale, three, true)
        );
        let api = Some(target(Some("api"), 0));
        assert_eq!(
            asked("hello ctl drain api/0 --no-wait"),
            order(OrderKind::Drain, api, false)
        );
        assert_eq!(
            asked("hello ctl stop --now"),
            order(OrderKind::Quit, None, true)
        );
        for wrong in [
            "scale",
            "scale x",
            "scale =3",
            "scale a&b=3",
            "drain",
            "reload 3",
            "quit",
        ] {
            let error = parsed(&format!("hello ctl {wrong}")).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{wrong}");
        }
    }

    #[test]
    fn an_unknown_word_is_refused_with_the_near_miss() {
        let error = parsed("hello ctl wokers").unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(error.to_string().contains("workers"), "{error}");
    }
}
