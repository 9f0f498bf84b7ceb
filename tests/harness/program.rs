//! A fixture program, before it is started.

use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::thread;

use nix::sys::signal::{SigSet, Signal};

use super::scratch::unique;
use super::{Fixture, Lines, Scratch};

/// The variable that marks every process of a fixture.
const MARKER: &str = "SERVICE_RUNTIME_FIXTURE";

/// A program to be started, and how.
pub struct Program {
    path: OsString,
    /// Programs that run it, each with its arguments.
    through: Vec<OsString>,
    args: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
    stdin: Stdio,
    stderr: Option<Stdio>,
    stdout: Option<Stdio>,
    blocked: SigSet,
    scratch: Scratch,
}

impl Program {
    /// Names the program; [`fixture!`](crate::fixture) does it by name.
    pub fn new(path: impl AsRef<OsStr>) -> Self {
        Self {
            path: path.as_ref().to_owned(),
            through: Vec::new(),
            args: Vec::new(),
            env: Vec::new(),
            stdin: Stdio::null(),
            stderr: None,
            stdout: None,
            blocked: SigSet::empty(),
            scratch: Scratch::new(),
        }
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args
            .extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// Sets a variable of the environment.
    #[must_use]
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.env
            .push((name.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    /// Gives it a configuration file; [`Fixture::rewrite`] changes that.
    #[must_use]
    pub fn config(self, text: &str) -> Self {
        let path = self.scratch.write("config.toml", text);
        self.arg("--config-file").arg(path)
    }

    /// Runs it by another program, such as `nohup` or `sh -c … sh`, which gets it as its last
    /// arguments.
    #[must_use]
    pub fn through<A: AsRef<OsStr>>(mut self, program: impl IntoIterator<Item = A>) -> Self {
        self.through
            .extend(program.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// Sets its standard input, which is empty otherwise.
    #[must_use]
    pub fn stdin(mut self, stdin: impl Into<Stdio>) -> Self {
        self.stdin = stdin.into();
        self
    }

    /// Sets its standard error, whose lines are then not collected.
    #[must_use]
    pub fn stderr(mut self, stderr: impl Into<Stdio>) -> Self {
        self.stderr = Some(stderr.into());
        self
    }

    /// Sets its standard output, whose lines are then not collected.
    #[must_use]
    pub fn stdout(mut self, stdout: impl Into<Stdio>) -> Self {
        self.stdout = Some(stdout.into());
        self
    }

    /// Starts it with a signal blocked.
    #[must_use]
    pub fn blocked(mut self, signal: Signal) -> Self {
        self.blocked.add(signal);
        self
    }

    /// Starts it, in a process group of its own.
    ///
    /// # Panics
    ///
    /// Panics if it cannot be started.
    #[track_caller]
    #[must_use]
    pub fn start(self) -> Fixture {
        let marker = unique();
        let mut words = self.through.into_iter().chain([self.path]).chain(self.args);
        let mut command = Command::new(words.next().expect("the program at least"));
        command
            .args(words)
            .env_remove("RUST_LOG")
            .env_remove("NOTIFY_SOCKET")
            .env_remove("RUNTIME_DIRECTORY")
            .env_remove("XDG_RUNTIME_DIR")
            .env(MARKER, &marker)
            .envs(self.env)
            .stdin(self.stdin)
            .stdout(self.stdout.unwrap_or_else(Stdio::piped))
            .stderr(self.stderr.unwrap_or_else(Stdio::piped))
            .process_group(0);
        let blocked = self.blocked;
        // In a thread of its own, whose signal mask the program gets.
        let spawn = thread::spawn(move || {
            blocked.thread_block().expect("every set can be blocked");
            let name = command.get_program().to_owned();
            command
                .spawn()
                .unwrap_or_else(|error| panic!("cannot start {}: {error}", name.display()))
        });
        let child = spawn.join().expect("the program can be started");
        Fixture::new(child, format!("{MARKER}={marker}"), self.scratch)
    }

    /// Runs it to its end and returns its exit code and all that it printed.
    ///
    /// # Panics
    ///
    /// Panics if it does not end by itself.
    #[track_caller]
    #[must_use]
    pub fn run(self) -> (i32, String, String) {
        let fixture = self.start();
        let code = fixture.exit_code();
        fixture.everybody_is_gone();
        fixture.stdout().wait_for_end();
        let text = |lines: &Lines| lines.all().iter().map(|line| format!("{line}\n")).collect();
        (code, text(fixture.stdout()), text(fixture.lines()))
    }
}
