//! The control process: forked when somebody connects to the control socket, replaced when it dies or hangs.
//!
//! The supervisor never accepts a connection: it only sees that one waits. A control process that is gone
//! leaves those that wait in the queue of the socket, where the next one finds them.

use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::Signal;
use nix::unistd::Pid;

use super::component::Component;
use super::event_history::ControlEvents;
use super::policy::{OrderId, Time};
use super::report::ReportCollection;
use super::worker_fork::SpawnedControl;
use crate::backoff::Backoff;
use crate::error_chain::chain;
use crate::ipc::control::{ControlReply, ControlRequest};
use crate::ipc::queued_channel::QueuedChannel;
use crate::listen::PrivateSocket;
use crate::os::process::channel::Channel;
use crate::os::process::child::{Child, Ended};
use crate::os::process::fork::{Forked, fork};
use crate::os::process::memory;

/// A control process that says nothing for this long hangs: it speaks every second.
const SILENCE: Duration = Duration::from_secs(5);

/// How long the next control process waits after those that died.
const RETRY: Backoff = Backoff::doubling(Duration::from_millis(20), Duration::from_secs(1));

/// One that lived for longer has not died of its start.
const YOUNG: Duration = Duration::from_secs(1);

/// How many answers may wait for the control process to read them.
const MOST_UNSENT: usize = 512;

/// How many messages are taken in one turn of the loop.
const MESSAGES_A_TURN: usize = 32;

/// How soon an answer is sent again for which there was no room.
const SEND_AGAIN: Duration = Duration::from_millis(20);

/// How long the control process has at the end of the program to say so to its clients.
const LAST_WORDS: Duration = Duration::from_millis(300);

/// The control socket, and the process that answers on it.
pub(super) struct Control {
    /// What the workers tell for those who asked for a report.
    pub(super) report: ReportCollection,
    /// Who has asked for it.
    pub(super) report_for: Vec<u32>,
    /// The orders that have no outcome yet.
    pub(super) orders: Vec<GivenOrder>,
    next_order: u64,
    pub(super) events: ControlEvents,
    socket: Option<PrivateSocket>,
    process: Option<ControlProcess>,
    /// Deaths of young control processes in a row.
    failures: u64,
    /// Until when no control process is forked.
    backing_off: Option<Time>,
}

/// An order that the policy has not answered.
pub(super) struct GivenOrder {
    pub(super) id: OrderId,
    /// Who waits for the answer in the control process of the moment; nobody if that has ended since.
    pub(super) asker: Option<u32>,
    pub(super) what: String,
    pub(super) sender: String,
}

struct ControlProcess {
    child: Child,
    channel: QueuedChannel,
    since: Time,
    /// When it last said something.
    heard: Time,
    is_killed: bool,
    /// Its end of the channel is closed.
    is_closed: bool,
    /// When answers that wait are sent again, if any do.
    send_again_at: Time,
}

/// What has happened at the control socket.
pub(super) enum ControlEvent {
    /// A client waits, and there is no control process.
    Connected,
    /// The control process asks for something.
    Asked(ControlRequest),
}

impl Control {
    pub(super) fn new() -> Self {
        Self {
            // So that its questions are told from those of a signal.
            report: ReportCollection::numbered_from(1),
            report_for: Vec::new(),
            orders: Vec::new(),
            next_order: 0,
            events: ControlEvents::default(),
            socket: None,
            process: None,
            failures: 0,
            backing_off: None,
        }
    }

    /// Takes the socket on which the control process is to answer.
    pub(super) fn listen(&mut self, socket: Option<PrivateSocket>) {
        self.socket = socket;
    }

    /// Forks the control process; returns, in the child, what it is to know.
    pub(super) fn spawn(&mut self, now: Time) -> Result<Option<SpawnedControl>, String> {
        let spawned = self.fork(now);
        if spawned.is_err() {
            self.fail(now);
        }
        spawned
    }

    fn fork(&mut self, now: Time) -> Result<Option<SpawnedControl>, String> {
        let Some(socket) = &self.socket else {
            return Ok(None);
        };
        let socket = socket.handle().map_err(|error| error.to_string())?;
        let (ours, theirs) = Channel::pair().map_err(|error| error.to_string())?;
        match fork().map_err(|error| chain(&error))? {
            Forked::Child => Ok(Some(SpawnedControl {
                channel: theirs,
                socket,
            })),
            Forked::Parent(pid) => {
                let child = Child::forked(pid);
                self.process = Some(ControlProcess {
                    child: child.map_err(|error| format!("cannot watch it: {error}"))?,
                    channel: QueuedChannel::new(ours, MOST_UNSENT),
                    since: now,
                    heard: now,
                    is_killed: false,
                    is_closed: false,
                    send_again_at: Time::ZERO,
                });
                Ok(None)
            }
        }
    }

    /// Sends the control process what it has asked for; one that is gone needs it no more.
    pub(super) fn answer(&mut self, id: u32, bytes: &[u8]) {
        match memory::file(c"service-runtime-answer", bytes) {
            Ok(file) => self.send(ControlReply::Answer(id), &[file.as_fd()]),
            Err(_) => self.send(ControlReply::Failed(id), &[]),
        }
    }

    /// Tells the control process what became of an order, with words.
    pub(super) fn reply(&mut self, reply: ControlReply, text: &str) {
        match memory::file(c"service-runtime-answer", text.as_bytes()) {
            Ok(file) => self.send(reply, &[file.as_fd()]),
            // The words are in the log.
            Err(_) => self.send(reply, &[]),
        }
    }

    /// Keeps an event, and tells it if somebody follows.
    pub(super) fn tell(&mut self, event: &serde_json::Value) {
        let text = event.to_string();
        let id = self.events.push(text.clone());
        if self.events.is_followed {
            self.reply(ControlReply::Event(id), &text);
        }
    }

    /// Tells the events after the one of this number, and each that comes from now on.
    pub(super) fn follow(&mut self, after: u32) {
        self.events.is_followed = true;
        for (id, text) in self.events.after(after) {
            self.reply(ControlReply::Event(id), &text);
        }
    }

    /// Returns a number that no order has had.
    pub(super) fn next_order(&mut self) -> OrderId {
        self.next_order += 1;
        OrderId(self.next_order)
    }

    fn send(&mut self, reply: ControlReply, fds: &[BorrowedFd<'_>]) {
        let Some(process) = &mut self.process else {
            return;
        };
        if let Err(error) = process.channel.send(reply.encode().to_vec(), fds) {
            tracing::debug!("cannot answer the control process: {}", chain(&error));
        }
    }

    /// Tells the control process that the program has ended, and waits for a moment until it has told its
    /// clients. Without one there is nothing to wait for.
    pub(super) fn end(&mut self, code: u8) {
        self.send(ControlReply::Ended(code), &[]);
        let Some(process) = self.process.take() else {
            return;
        };
        let timeout = PollTimeout::try_from(LAST_WORDS).unwrap_or(PollTimeout::ZERO);
        let mut ended = [PollFd::new(process.child.as_fd(), PollFlags::POLLIN)];
        if !matches!(poll(&mut ended, timeout), Ok(1..)) {
            let _ = process.child.signal(Signal::SIGKILL);
        }
        let _ = process.child.reap();
    }

    /// Removes the file of the socket.
    pub(super) fn remove_file(&self) {
        if let Some(socket) = &self.socket {
            socket.remove_file();
        }
    }

    /// Returns the control process, if there is one.
    pub(super) fn pids(&self) -> impl Iterator<Item = Pid> {
        self.process.iter().map(|process| process.child.pid())
    }

    fn fail(&mut self, now: Time) {
        self.failures = self.failures.saturating_add(1);
        self.backing_off = Some(now + RETRY.after(self.failures));
    }

    fn ended(&mut self, now: Time, process: &ControlProcess, ended: Ended) {
        // The next one has questions of its own, with the same numbers.
        self.report_for.clear();
        self.events.is_followed = false;
        for order in &mut self.orders {
            order.asker = None;
        }
        let pid = process.child.pid().as_raw();
        if ended == Ended::Exited(0) {
            self.failures = 0;
            tracing::debug!(pid, "the control process has nothing left to do");
            return;
        }
        if now.saturating_sub(process.since) > YOUNG {
            self.failures = 0;
        }
        self.fail(now);
        tracing::warn!(pid, how = %ended, "the control process died: the next client gets another");
    }
}

impl Component for Control {
    type Event = ControlEvent;

    fn fds(&self) -> Vec<BorrowedFd<'_>> {
        match (&self.process, &self.socket) {
            (Some(process), _) if process.is_closed => vec![process.child.as_fd()],
            (Some(process), _) => vec![process.child.as_fd(), process.channel.as_fd()],
            (None, Some(socket)) if self.backing_off.is_none() => vec![socket.as_fd()],
            _ => Vec::new(),
        }
    }

    fn deadline(&self) -> Option<Time> {
        match &self.process {
            Some(process) if process.channel.is_waiting() && !process.is_closed => {
                Some(process.send_again_at)
            }
            Some(process) if process.is_killed => None,
            Some(process) => Some(process.heard + SILENCE),
            None => self.backing_off,
        }
    }

    fn events(&mut self, now: Time, ready: &[bool]) -> Vec<ControlEvent> {
        self.backing_off = self.backing_off.filter(|until| *until > now);
        let Some(mut process) = self.process.take() else {
            let waits = self.socket.is_some() && ready.iter().any(|is| *is);
            return waits
                .then_some(ControlEvent::Connected)
                .into_iter()
                .collect();
        };
        // What cannot be sent ends with the process.
        let _ = process.channel.flush();
        process.send_again_at = now + SEND_AGAIN;
        let mut events = Vec::new();
        for _ in 0..MESSAGES_A_TURN {
            let message = match process.channel.receive() {
                Ok(Some(message)) => message,
                Ok(None) => break,
                Err(_) => {
                    // It ends; should it not, it is taken for one that hangs.
                    process.is_closed = true;
                    break;
                }
            };
            process.heard = now;
            match ControlRequest::decode(&message.bytes) {
                Some(ControlRequest::Alive) | None => {}
                Some(request) => events.push(ControlEvent::Asked(request)),
            }
        }
        if let Some(ended) = process.child.reap().ok().flatten() {
            self.ended(now, &process, ended);
            return events;
        }
        if !process.is_killed && now >= process.heard + SILENCE {
            let pid = process.child.pid().as_raw();
            tracing::warn!(pid, "the control process hangs: killed");
            let _ = process.child.signal(Signal::SIGKILL);
            process.is_killed = true;
        }
        self.process = Some(process);
        events
    }
}
