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
use crate::ipc::queued_channel::{QueuedChannel, SendError};
use crate::listen::{Held, Listeners};
use crate::metrics::ProgramMetrics;
use crate::os::process::channel::Channel;
use crate::os::process::child::Child;
use crate::os::process::exit;
use crate::os::process::fork::{Forked, fork};
use crate::os::process::program::{Program, number_of};
use crate::privileges::pid_file::PidFile;
use crate::upgrade::{
    PassedSocket, SOCKETS_A_MESSAGE, ToPredecessor, ToSuccessor, VARIABLE, VERSION,
};

/// How long a process that is not to take over may clean up.
const CLEAN_UP: Duration = Duration::from_secs(10);

/// How many messages may wait for the new process: more than there can be sockets for.
const MOST_UNSENT: usize = 4096;

/// How soon a message is sent again for which there was no room.
const SEND_AGAIN: Duration = Duration::from_millis(20);

/// The process that was started anew.
struct Successor {
    child: Child,
    /// `None` once it has closed its end.
    channel: Option<QueuedChannel>,
    /// What it said why it will not get ready.
    error: Option<String>,
    /// Whether the pid file that it was given is its own.
    keeps_pid_file: bool,
}

/// A process that is not to take over.
struct Dismissed {
    child: Child,
    /// Open for as long as it lives: it takes the end of the channel for the end of this process.
    _channel: Option<QueuedChannel>,
    /// When it is killed; `None` when it has been.
    kill_at: Option<Time>,
}

/// The upgrade under way, and what is left of earlier ones.
pub(super) struct Upgrade {
    program: Program,
    successor: Option<Successor>,
    /// When what waits to be sent to it is sent again.
    send_again_at: Time,
    dismissed: Vec<Dismissed>,
    /// The successor speaks for the program, and owns the files of its sockets.
    handed_over: bool,
}

/// What the new process gets from this one.
pub(super) struct HandedOver<'a> {
    pub(super) listeners: &'a Listeners,
    pub(super) metrics: &'a ProgramMetrics,
    pub(super) pid_file: Option<&'a PidFile>,
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
            send_again_at: Time::ZERO,
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
        now: Time,
        state: &HandedOver<'_>,
        manager: &ServiceManager,
    ) -> Result<(), String> {
        let (child, mut channel) = self.start(manager)?;
        let pid = child.pid().as_raw();
        // The new process is there first: what there is no room for waits until it has read.
        let sent = send_state(&mut channel, state);
        self.successor = Some(Successor {
            child,
            channel: Some(channel),
            error: None,
            keeps_pid_file: false,
        });
        tracing::info!(pid, "upgrade begins: {}", self.program.path().display());
        match sent {
            // One that is gone already has ended: how, is told when it is reaped, with what it said last.
            Ok(()) | Err(SendError::Gone) => Ok(()),
            Err(error) => {
                self.cancel(now);
                Err(format!("what this process holds: {}", chain(&error)))
            }
        }
    }

    fn start(&self, manager: &ServiceManager) -> Result<(Child, QueuedChannel), String> {
        let (ours, theirs) = Channel::pair().map_err(|error| error.to_string())?;
        match fork().map_err(|error| chain(&error))? {
            Forked::Child => {
                drop(ours);
                exit::now(self.become_program(&theirs, manager))
            }
            Forked::Parent(pid) => {
                let child = Child::forked(pid);
                let child = child.map_err(|error| format!("cannot watch it: {error}"))?;
                Ok((child, QueuedChannel::new(ours, MOST_UNSENT)))
            }
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
        let Some(mut successor) = self.successor.take() else {
            return;
        };
        let pid = successor.child.pid().as_raw();
        // One that the new process does not keep names this one until its end, and is removed then.
        if let Some(file) = pid_file.filter(|_| successor.keeps_pid_file)
            && let Err(error) = file.rewrite(pid.unsigned_abs())
        {
            tracing::error!("the pid file does not name the new process: {error}");
        }
        manager.leave_to(pid);
        self.handed_over = true;
        if let Some(channel) = &mut successor.channel
            && let Err(error) = channel.send(ToSuccessor::Go { reload }.encode(), &[])
        {
            let error = chain(&error);
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
        let channel = self.successor.as_ref().and_then(|it| it.channel.as_ref());
        let is_waiting = channel.is_some_and(QueuedChannel::is_waiting);
        let dismissed = self.dismissed.iter();
        dismissed
            .filter_map(|dismissed| dismissed.kill_at)
            .chain(is_waiting.then_some(self.send_again_at))
            .min()
    }

    fn events(&mut self, now: Time, _ready: &[bool]) -> Vec<UpgradeEvent> {
        self.reap_dismissed(now);
        self.send_again_at = now + SEND_AGAIN;
        let Some(successor) = &mut self.successor else {
            return Vec::new();
        };
        // Its end is noticed below, with what it has said.
        if let Some(Err(error)) = successor.channel.as_mut().map(QueuedChannel::flush)
            && !matches!(error, SendError::Gone)
        {
            let error = chain(&error);
            tracing::error!("cannot send the new process what this one holds: {error}");
            self.cancel(now);
            return vec![UpgradeEvent::Ended];
        }
        let ended = successor.child.reap().ok().flatten();
        let mut is_ready = false;
        while let Some(message) = successor.channel.as_ref().map(QueuedChannel::receive) {
            match message {
                Ok(Some(message)) => match ToPredecessor::decode(&message.bytes) {
                    Some(ToPredecessor::Ready { keeps_pid_file }) => {
                        successor.keeps_pid_file = keeps_pid_file;
                        is_ready = true;
                    }
                    Some(ToPredecessor::Failed(error)) => successor.error = Some(error),
                    None => {}
                },
                Ok(None) => break,
                Err(_) => successor.channel = None,
            }
        }
        if let Some(ended) = ended {
            let pid = successor.child.pid().as_raw();
            let error = successor.error.as_deref().unwrap_or("none given");
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

/// Sends what this process holds: now, or as soon as there is room for it.
fn send_state(channel: &mut QueuedChannel, state: &HandedOver<'_>) -> Result<(), SendError> {
    let held: Vec<&Held> = state.listeners.iter().collect();
    for held in held.chunks(SOCKETS_A_MESSAGE) {
        let sockets = held.iter().map(|held| PassedSocket {
            name: held.name().map(str::to_owned),
            address: held.address().to_string(),
            slot: held.slot(),
        });
        let message = ToSuccessor::Sockets(sockets.collect()).encode();
        let fds: Vec<_> = held.iter().map(|held| held.fd()).collect();
        channel.send(message, &fds)?;
    }
    if let Some((layout, arenas)) = state.metrics.to_hand_over() {
        let layout = layout.to_owned();
        channel.send(ToSuccessor::Metrics { layout }.encode(), &[arenas])?;
    }
    if let Some(file) = state.pid_file {
        channel.send(ToSuccessor::PidFile.encode(), &[file.as_fd()])?;
    }
    channel.send(ToSuccessor::End.encode(), &[])
}
