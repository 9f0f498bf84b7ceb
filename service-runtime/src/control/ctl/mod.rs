//! The command `ctl`: finds an instance of the program, asks its control socket, and shows the answer.
//!
//! It is read before anything of the author's runs: no `main`, no `preload`, no runtime, and of the configuration
//! only the table `[launch]`.

mod arguments;
mod client;
mod events;
mod find;
mod orders;
mod show;
mod table;

use std::ffi::OsString;
use std::io::{IsTerminal, Write};

use clap::Command;
use serde_json::Value;

use self::arguments::{Asked, Invocation};
use self::client::ClientError;
use crate::exit::Exit;
use crate::os::terminal;
use crate::settings::options::LaunchOptions;

/// The word that the command line begins with.
const WORD: &str = "ctl";

/// What a command came to: what is printed, or why there is nothing.
type Outcome = Result<String, Failure>;

/// Why a command came to nothing, and the code that says so.
#[derive(Debug)]
struct Failure {
    exit: Exit,
    text: String,
}

/// Runs the command if the command line asks for it, and the program has none of this name itself.
pub(crate) fn run_if_asked(
    options: &LaunchOptions,
    own: impl FnOnce(Command) -> Command,
) -> Option<Exit> {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    if arguments.get(1).is_none_or(|word| word != WORD) {
        return None;
    }
    let own = own(Command::new(options.program.clone()));
    if own.find_subcommand(WORD).is_some() {
        return None;
    }
    Some(run(options, &arguments))
}

fn run(options: &LaunchOptions, arguments: &[OsString]) -> Exit {
    // What is printed may go to a pipe that is closed: then there is nobody to tell.
    let invocation = match arguments::read(&options.program, arguments) {
        Ok(invocation) => invocation,
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() {
                Exit::Usage
            } else {
                Exit::Done
            };
        }
    };
    match execute(options, &invocation) {
        Ok(text) => {
            let _ = std::io::stdout().write_all(text.as_bytes());
            Exit::Done
        }
        Err(Failure { exit, text }) => exit.say(&options.program, text),
    }
}

fn execute(options: &LaunchOptions, invocation: &Invocation) -> Outcome {
    match &invocation.asked {
        Asked::View(name) => {
            let socket = find::socket(options, invocation)?;
            let answer = client::get(&socket, &format!("/v1/{name}"))?;
            Ok(print(invocation, name, &answer))
        }
        Asked::Events { follow } => {
            let socket = find::socket(options, invocation)?;
            events::show(&socket, *follow, invocation.json)
        }
        Asked::Order(order) => match find::socket(options, invocation) {
            Ok(socket) => orders::give(&socket, order, invocation.json),
            Err(failure) => match find::pid(options, invocation) {
                Some(pid) => orders::signal(pid, order),
                None => Err(failure),
            },
        },
    }
}

/// Writes an answer as JSON, or for people.
fn print(invocation: &Invocation, view: &str, answer: &Value) -> String {
    if invocation.json {
        return format!("{answer}\n");
    }
    let out = std::io::stdout();
    let width = out.is_terminal().then(|| terminal::width(&out)).flatten();
    let has_colour = out.is_terminal() && std::env::var_os("NO_COLOR").is_none();
    show::view(view, answer, &table::Style { width, has_colour })
}

impl Failure {
    fn new(exit: Exit, text: impl Into<String>) -> Self {
        let text = text.into();
        Self { exit, text }
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        let exit = match &error {
            ClientError::NotRunning(_) => Exit::NotRunning,
            ClientError::NotAllowed(_) => Exit::NotAllowed,
            ClientError::Refused(_) | ClientError::Broken { .. } => Exit::Failed,
        };
        Self::new(exit, error.to_string())
    }
}
