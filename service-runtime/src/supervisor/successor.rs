//! An upgrade, as the old supervisor carries it out.

use std::ffi::OsString;
use std::ops::ControlFlow;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use nix::sys::signal::Signal;

use super::event_loop::{EventLoop, Flow};
use super::policy::Event;
use crate::error_chain::chain;
use crate::os::process::channel::Channel;
use crate::os::process::child::Child;
use crate::os::process::exit;
use crate::os::process::fork::{Forked, fork};
use crate::os::process::program::{Program, number_of};
use crate::upgrade::{ToPredecessor, ToSuccessor, VARIABLE, VERSION};

/// How long a process that is not to take over may clean up.
const CLEAN_UP: Duration = Duration::from_secs(10);

/// The process that was started anew.
struct Successor {
    child: Child,
    /// `None` once it has closed its end.
    channel: Option<Channel>,
    /// What it said why it will not get ready.
    error: Option<String>,
}

/// A process that is not to take over.
struct Dismissed {
    child: Child,
    /// Open for as long as it lives: it takes the end of the channel for the end of this process.
    _channel: Option<Channel>,
    /// When it is killed; `None` when it has been.
    kill_at: Option<Duration>,
}

/// Everything about upgrades that the driver holds.
pub(super) struct Upgrade {
    program: Program,
    successor: Option<Successor>,
    dismissed: Vec<Dismissed>,
    /// The successor speaks for the program, and owns the files of its sockets.
    pub(super) handed_over: bool,
}

impl Upgrade {
    pub(super) fn new(program: Program) -> Self {
        Self {
            program,
            successor: None,
            dismissed: Vec::new(),
            handed_over: false,
        }
    }

    /// Goes through the descriptors that tell of a change.
    pub(super) fn fds(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        let successor = self.successor.iter().flat_map(|successor| {
            let channel = successor.channel.as_ref().map(AsFd::as_fd);
            channel.into_iter().chain([successor.child.as_fd()])
        });
        successor.chain(
            self.dismissed
                .iter()
                .map(|dismissed| dismissed.child.as_fd()),
        )
    }

    /// Returns when a process is to be killed that should have ended.
    pub(super) fn wake_up(&self) -> Option<Duration> {
        self.dismissed
            .iter()
            .filter_map(|dismissed| dismissed.kill_at)
            .min()
    }

    /// Returns the pids of the processes that are children of this one and no workers.
    pub(super) fn pids(&self) -> impl Iterator<Item = nix::unistd::Pid> {
        let successor = self.successor.iter().map(|successor| successor.child.pid());
        successor.chain(self.dismissed.iter().map(|dismissed| dismissed.child.pid()))
    }
}

impl EventLoop {
    /// Starts the program file anew.
    pub(super) fn begin_upgrade(&mut self) -> Flow {
        let started = if self.is_init {
            Err("this process is PID 1, whose end would be that of the container".to_owned())
        } else {
            self.start_successor()
        };
        match started {
            Ok(successor) => {
                let pid = successor.child.pid().as_raw();
                let path = self.upgrade.program.path().display();
                tracing::info!(pid, "upgrade begins: {path}");
                self.upgrade.successor = Some(successor);
                ControlFlow::Continue(())
            }
            Err(error) => {
                tracing::error!("the program cannot be started anew: {error}");
                self.feed(Event::Upgraded(Err(())))
            }
        }
    }

    fn start_successor(&self) -> Result<Successor, String> {
        let (ours, theirs) = Channel::pair().map_err(|error| error.to_string())?;
        for held in self.listeners.iter() {
            let socket = ToSuccessor::Socket {
                name: held.name().map(str::to_owned),
                address: held.address().to_string(),
                slot: held.slot(),
            };
            let sent = ours.send(&socket.encode(), &[held.fd()]);
            sent.map_err(|error| format!("{}: {error}", held.address()))?;
        }
        if let Some(file) = &self.pid_file {
            let sent = ours.send(&ToSuccessor::PidFile.encode(), &[file.as_fd()]);
            sent.map_err(|error| format!("the pid file: {error}"))?;
        }
        let end = ours.send(&ToSuccessor::End.encode(), &[]);
        end.map_err(|error| error.to_string())?;
        match fork().map_err(|error| chain(&error))? {
            Forked::Child => {
                drop(ours);
                exit::now(self.become_successor(&theirs))
            }
            Forked::Parent(pid) => Ok(Successor {
                child: Child::forked(pid).map_err(|error| format!("cannot watch it: {error}"))?,
                channel: Some(ours),
                error: None,
            }),
        }
    }

    /// In the child: becomes the program, or says why not.
    fn become_successor(&self, channel: &Channel) -> i32 {
        let told = format!("{VERSION}:{}", number_of(channel.as_fd()));
        let mut variables = vec![(VARIABLE.to_owned(), OsString::from(told))];
        variables.extend(self.notifier.variables());
        let error = self.upgrade.program.exec(&variables, channel.as_fd());
        let path = self.upgrade.program.path().display();
        let failed = ToPredecessor::Failed(format!("cannot start {path}: {error}"));
        let _ = channel.send(&failed.encode(), &[]);
        127
    }

    /// Takes in what the new process says, and how it ends.
    pub(super) fn follow_upgrade(&mut self) -> Flow {
        self.bury_dismissed();
        let Some(successor) = &mut self.upgrade.successor else {
            return ControlFlow::Continue(());
        };
        let ended = successor.child.reap().ok().flatten();
        let mut ready = false;
        while let Some(message) = successor.channel.as_ref().map(Channel::receive) {
            match message {
                Ok(Some(message)) => match ToPredecessor::decode(&message.bytes) {
                    Some(ToPredecessor::Ready) => ready = true,
                    Some(ToPredecessor::Failed(error)) => successor.error = Some(error),
                    None => {}
                },
                Ok(None) => break,
                Err(_) => successor.channel = None,
            }
        }
        if let Some(ended) = ended {
            let pid = successor.child.pid().as_raw();
            let error = successor.error.as_deref().unwrap_or("none told");
            tracing::error!(
                pid,
                error,
                "the new process ended before it was ready: {ended}"
            );
            self.upgrade.successor = None;
            return self.feed(Event::Upgraded(Err(())));
        }
        if ready {
            return self.feed(Event::Upgraded(Ok(())));
        }
        ControlFlow::Continue(())
    }

    /// Ends the new process: it is not to take over.
    pub(super) fn cancel_upgrade(&mut self) {
        if let Some(Successor { child, channel, .. }) = self.upgrade.successor.take() {
            let _ = child.signal(Signal::SIGTERM);
            self.upgrade.dismissed.push(Dismissed {
                child,
                _channel: channel,
                kill_at: Some(self.now() + CLEAN_UP),
            });
        }
    }

    /// Leaves the field to the new process.
    pub(super) fn hand_over(&mut self, reload: bool) {
        let Some(successor) = self.upgrade.successor.take() else {
            return;
        };
        let pid = successor.child.pid().as_raw();
        if let Some(file) = &self.pid_file
            && let Err(error) = file.rewrite(pid.unsigned_abs())
        {
            tracing::error!("the pid file does not name the new process: {error}");
        }
        self.notifier.main_pid(pid);
        self.notifier.mute();
        self.upgrade.handed_over = true;
        if let Some(channel) = &successor.channel
            && let Err(error) = channel.send(&ToSuccessor::Go { reload }.encode(), &[])
        {
            tracing::error!("cannot tell the new process that it may take over: {error}");
        }
    }

    fn bury_dismissed(&mut self) {
        let now = self.now();
        self.upgrade.dismissed.retain_mut(|dismissed| {
            if dismissed.kill_at.is_some_and(|at| at <= now) {
                let _ = dismissed.child.signal(Signal::SIGKILL);
                dismissed.kill_at = None;
            }
            !matches!(dismissed.child.reap(), Ok(Some(_)))
        });
    }

    /// Kills what was started anew and did not take over: nobody is left to wait for it.
    pub(super) fn kill_dismissed(&self) {
        for dismissed in &self.upgrade.dismissed {
            let _ = dismissed.child.signal(Signal::SIGKILL);
        }
    }
}
