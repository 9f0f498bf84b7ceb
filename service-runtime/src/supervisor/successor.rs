//! An upgrade, as the old supervisor carries it out: the new process of the program, and those that were
//! not to take over.

use std::ffi::OsString;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use nix::sys::signal::Signal;
use nix::unistd::Pid;

use super::component::Component;
use super::policy::Time;
use super::service_manager::ServiceManager;
use crate::error_chain::chain;
use crate::listen::Listeners;
use crate::os::process::channel::Channel;
use crate::os::process::child::Child;
use crate::os::process::exit;
use crate::os::process::fork::{Forked, fork};
use crate::os::process::program::{Program, number_of};
use crate::privileges::pid_file::PidFile;
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
    kill_at: Option<Time>,
}

/// The upgrade under way, and what is left of earlier ones.
pub(super) struct Upgrade {
    program: Program,
    successor: Option<Successor>,
    dismissed: Vec<Dismissed>,
    /// The successor speaks for the program, and owns the files of its sockets.
    handed_over: bool,
}

/// What the new process tells: it is ready, or has ended before it was.
pub(super) enum UpgradeEvent {
    Ready,
    Ended,
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

    /// Returns whether another process speaks for the program by now.
    pub(super) fn is_handed_over(&self) -> bool {
        self.handed_over
    }

    /// Returns the processes that were started anew.
    pub(super) fn pids(&self) -> impl Iterator<Item = Pid> {
        let successor = self.successor.iter().map(|successor| successor.child.pid());
        successor.chain(self.dismissed.iter().map(|dismissed| dismissed.child.pid()))
    }

    /// Starts the program file anew, and sends it what this process holds.
    pub(super) fn begin(
        &mut self,
        listeners: &Listeners,
        pid_file: Option<&PidFile>,
        manager: &ServiceManager,
    ) -> Result<(), String> {
        let successor = self.start(listeners, pid_file, manager)?;
        let pid = successor.child.pid().as_raw();
        tracing::info!(pid, "upgrade begins: {}", self.program.path().display());
        self.successor = Some(successor);
        Ok(())
    }

    fn start(
        &self,
        listeners: &Listeners,
        pid_file: Option<&PidFile>,
        manager: &ServiceManager,
    ) -> Result<Successor, String> {
        let (ours, theirs) = Channel::pair().map_err(|error| error.to_string())?;
        for held in listeners.iter() {
            let socket = ToSuccessor::Socket {
                name: held.name().map(str::to_owned),
                address: held.address().to_string(),
                slot: held.slot(),
            };
            let sent = ours.send(&socket.encode(), &[held.fd()]);
            sent.map_err(|error| format!("{}: {error}", held.address()))?;
        }
        if let Some(file) = pid_file {
            let sent = ours.send(&ToSuccessor::PidFile.encode(), &[file.as_fd()]);
            sent.map_err(|error| format!("the pid file: {error}"))?;
        }
        let end = ours.send(&ToSuccessor::End.encode(), &[]);
        end.map_err(|error| error.to_string())?;
        match fork().map_err(|error| chain(&error))? {
            Forked::Child => {
                drop(ours);
                exit::now(self.become_program(&theirs, manager))
            }
            Forked::Parent(pid) => Ok(Successor {
                child: Child::forked(pid).map_err(|error| format!("cannot watch it: {error}"))?,
                channel: Some(ours),
                error: None,
            }),
        }
    }

    /// In the child: becomes the program, or says why not.
    fn become_program(&self, channel: &Channel, manager: &ServiceManager) -> i32 {
        let value = format!("{VERSION}:{}", number_of(channel.as_fd()));
        let mut variables = vec![(VARIABLE.to_owned(), OsString::from(value))];
        variables.extend(manager.variables());
        let error = self.program.exec(&variables, channel.as_fd());
        let path = self.program.path().display();
        let failed = ToPredecessor::Failed(format!("cannot start {path}: {error}"));
        let _ = channel.send(&failed.encode(), &[]);
        127
    }

    /// Ends the new process: it is not to take over.
    pub(super) fn cancel(&mut self, now: Time) {
        if let Some(Successor { child, channel, .. }) = self.successor.take() {
            let _ = child.signal(Signal::SIGTERM);
            self.dismissed.push(Dismissed {
                child,
                _channel: channel,
                kill_at: Some(now + CLEAN_UP),
            });
        }
    }

    /// Lets the new process take over.
    pub(super) fn hand_over(
        &mut self,
        reload: bool,
        pid_file: Option<&PidFile>,
        manager: &ServiceManager,
    ) {
        let Some(successor) = self.successor.take() else {
            return;
        };
        let pid = successor.child.pid().as_raw();
        if let Some(file) = pid_file
            && let Err(error) = file.rewrite(pid.unsigned_abs())
        {
            tracing::error!("the pid file does not name the new process: {error}");
        }
        manager.leave_to(pid);
        self.handed_over = true;
        if let Some(channel) = &successor.channel
            && let Err(error) = channel.send(&ToSuccessor::Go { reload }.encode(), &[])
        {
            tracing::error!("cannot tell the new process that it may take over: {error}");
        }
    }

    /// Kills what was started anew and did not take over: nobody is left to wait for it.
    pub(super) fn kill_dismissed(&self) {
        for dismissed in &self.dismissed {
            let _ = dismissed.child.signal(Signal::SIGKILL);
        }
    }

    fn reap_dismissed(&mut self, now: Time) {
        self.dismissed.retain_mut(|dismissed| {
            if dismissed.kill_at.is_some_and(|at| at <= now) {
                let _ = dismissed.child.signal(Signal::SIGKILL);
                dismissed.kill_at = None;
            }
            !matches!(dismissed.child.reap(), Ok(Some(_)))
        });
    }
}

impl Component for Upgrade {
    type Event = UpgradeEvent;

    fn fds(&self) -> Vec<BorrowedFd<'_>> {
        let successor = self.successor.iter().flat_map(|successor| {
            let channel = successor.channel.as_ref().map(AsFd::as_fd);
            channel.into_iter().chain([successor.child.as_fd()])
        });
        let dismissed = self
            .dismissed
            .iter()
            .map(|dismissed| dismissed.child.as_fd());
        successor.chain(dismissed).collect()
    }

    fn deadline(&self) -> Option<Time> {
        let dismissed = self.dismissed.iter();
        dismissed.filter_map(|dismissed| dismissed.kill_at).min()
    }

    fn events(&mut self, now: Time, _ready: &[bool]) -> Vec<UpgradeEvent> {
        self.reap_dismissed(now);
        let Some(successor) = &mut self.successor else {
            return Vec::new();
        };
        let ended = successor.child.reap().ok().flatten();
        let mut is_ready = false;
        while let Some(message) = successor.channel.as_ref().map(Channel::receive) {
            match message {
                Ok(Some(message)) => match ToPredecessor::decode(&message.bytes) {
                    Some(ToPredecessor::Ready) => is_ready = true,
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
            self.successor = None;
            return vec![UpgradeEvent::Ended];
        }
        is_ready
            .then_some(UpgradeEvent::Ready)
            .into_iter()
            .collect()
    }
}
