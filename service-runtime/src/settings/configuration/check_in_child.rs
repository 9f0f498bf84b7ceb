//! The first check of a configuration, in a child: the process that is to fork must not run the author's
//! code, which may start a thread.

use std::os::fd::{AsFd, OwnedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::Signal;
use nix::unistd::{getpid, getppid};

use super::check_answer::{answer_check, answer_of_check, memory_for_answer};
use super::load::{Configuration, Loaded};
use crate::config::{ConfigError, ConfigErrors, Section, Sources};
use crate::exit::Exit;
use crate::os::process::child::{Child, Ended};
use crate::os::process::exit;
use crate::os::process::fork::{Forked, fork};

impl Configuration {
    /// As [`load`](Self::load), for a process that may become a supervisor: if it will, which `supervises`
    /// tells, every author's type is read in a child and none here.
    ///
    /// # Errors
    ///
    /// Returns everything that is wrong, as text.
    pub(crate) fn load_for(
        &self,
        supervises: impl FnOnce(&Loaded) -> bool,
    ) -> Result<Loaded, String> {
        let text = |errors: ConfigErrors| errors.to_string();
        let sources = self.read().map_err(text)?;
        sources.warn_of_open_secrets();
        let (mut loaded, errors) = self.merged(sources.clone());
        // A program that will not start may read anything here.
        let may_run = self.sections.iter().any(Section::runs_authors_code);
        if errors.is_empty() && may_run && supervises(&loaded) {
            let check = || {
                let typed = self.decide(sources.clone()).map_err(text)?;
                Ok(loaded.snapshot.kinds_in(&typed.snapshot))
            };
            match apart(check) {
                Ok(kinds) => {
                    loaded.snapshot.give_kinds(kinds);
                    return Ok(loaded);
                }
                Err(Refusal::Wrong(text)) => return Err(text),
                Err(Refusal::NoChild) => {}
            }
        }
        self.decide(sources).map_err(text)
    }

    /// Lays the layers over each other, and reads no table but the framework's own.
    fn merged(&self, sources: Sources) -> (Loaded, Vec<ConfigError>) {
        let (snapshot, errors) = self.layers.merge_alone(&sources, &self.sections);
        self.complete(sources, snapshot, errors)
    }
}

/// Why there is no answer.
enum Refusal {
    /// What the child has found, in words.
    Wrong(String),
    /// There is no child to be had: whoever asks has to look itself.
    NoChild,
}

/// Runs a check in a child, waits for it, and returns what it has found to be right, or to be wrong.
///
/// A signal that ends this process ends the child as well.
fn apart(check: impl FnOnce() -> Result<Vec<u8>, String>) -> Result<Vec<u8>, Refusal> {
    let answer = memory_for_answer().map_err(|_| Refusal::NoChild)?;
    let parent = getpid();
    match fork().map_err(|_| Refusal::NoChild)? {
        Forked::Child => {
            let alone = set_pdeathsig(Signal::SIGKILL).is_err() || getppid() != parent;
            exit::now(match alone {
                true => Exit::Failed.code().into(),
                false => run(check, &answer),
            })
        }
        Forked::Parent(pid) => {
            let child = Child::forked(pid).map_err(|_| Refusal::NoChild)?;
            let ended = wait(&child).map_err(|error| {
                Refusal::Wrong(format!(
                    "cannot wait for the check of the configuration: {error}"
                ))
            })?;
            answer_of_check(answer, ended).map_err(Refusal::Wrong)
        }
    }
}

/// In the child: writes what was found.
fn run(check: impl FnOnce() -> Result<Vec<u8>, String>, answer: &OwnedFd) -> i32 {
    let checked = catch_unwind(AssertUnwindSafe(check)).unwrap_or_else(|panic| {
        let message = crate::tasks::panic_message(panic);
        Err(format!("the check of an option panicked: {message}"))
    });
    answer_check(answer, checked)
}

fn wait(child: &Child) -> nix::Result<Ended> {
    loop {
        match poll(
            &mut [PollFd::new(child.as_fd(), PollFlags::POLLIN)],
            PollTimeout::NONE,
        ) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => return Err(error),
        }
        if let Some(ended) = child.reap()? {
            return Ok(ended);
        }
    }
}
