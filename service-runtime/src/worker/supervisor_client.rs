//! A worker's end of the channel to its supervisor.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use nix::errno::Errno;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::{sleep, timeout};

use crate::ipc::protocol::{ToSupervisor, ToWorker};
use crate::listen::{ListenOptions, Listeners, SocketId};
use crate::metrics::RequestCounters;
use crate::os::process::channel::{Channel, Closed, Message, is_transient};
use crate::os::process::memory;
use crate::os::process::shared_page::CellRef;
use crate::runner::commands::{ReportRequest, WorkerCommand};
use crate::runner::host_backend::HostBackend;
use crate::service::BoxFuture;
use crate::settings::ReportFormat;
use crate::tasks::TaskGroup;
use crate::worker::leader::Leads;
use crate::worker::outbox::{Outbox, Outgoing};

/// What a worker may ask of its supervisor. Every clone is the same client.
#[derive(Clone)]
pub(crate) struct SupervisorClient(Arc<Inner>);

struct Inner {
    outbox: Outbox,
    questions: Mutex<Questions>,
    next: AtomicU32,
    ready: Notify,
    leads: Leads,
    inherited: Mutex<Option<Inherited>>,
    requests: RequestCounters,
    cell: CellRef,
}

/// What was listened on when this worker was forked.
pub(crate) struct Inherited {
    listeners: Listeners,
    slot: usize,
    /// Those of which the supervisor knows that they are used.
    used: BTreeSet<SocketId>,
}

impl Inherited {
    /// Keeps the sockets that came along with the fork, as the worker of a slot.
    pub(crate) fn new(listeners: Listeners, slot: usize) -> Self {
        Self {
            listeners,
            slot,
            used: BTreeSet::new(),
        }
    }
}

/// What was asked for and not answered yet.
#[derive(Default)]
struct Questions {
    waiting: BTreeMap<u32, oneshot::Sender<Result<OwnedFd, String>>>,
    /// Those that the supervisor answers no more because the program stops.
    refused_by_stop: Vec<u32>,
    /// This process has been told to stop as well.
    is_stopping: bool,
    /// Nobody answers any more.
    is_closed: bool,
}

/// How soon something is tried again for which the system was short of memory.
const RETRY: Duration = Duration::from_millis(10);

/// Why a service gets no socket when the program stops.
const STOPPING: &str = "the program stops, and listens on nothing new";

/// Why a service gets no socket when nobody is there to give it.
const GONE: &str = "the supervisor is gone";

/// How long an end waits for a supervisor that does not read.
const FLUSH_LIMIT: Duration = Duration::from_millis(200);

impl SupervisorClient {
    /// Serves the channel by two tasks of `group`; what the supervisor sends unasked goes to `words`.
    ///
    /// # Errors
    ///
    /// Returns an error if the runtime cannot watch the channel.
    pub(crate) fn open(
        channel: Channel,
        (leads, inherited): (Leads, Inherited),
        (requests, cell): (RequestCounters, CellRef),
        group: &TaskGroup,
        words: mpsc::UnboundedSender<WorkerCommand>,
    ) -> io::Result<Self> {
        let channel = Arc::new(channel.watched()?);
        let client = Self(Arc::new(Inner {
            outbox: Outbox::default(),
            questions: Mutex::default(),
            next: AtomicU32::new(0),
            ready: Notify::new(),
            leads,
            inherited: Mutex::new(Some(inherited)),
            requests,
            cell,
        }));
        group
            .try_spawn(
                "to supervisor",
                write(Arc::clone(&channel), client.clone(), words.clone()),
            )
            .map_err(io::Error::other)?;
        group
            .try_spawn("from supervisor", read(channel, client.clone(), words))
            .map_err(io::Error::other)?;
        Ok(client)
    }

    /// Sends a message; one to a supervisor that is gone is lost with it.
    pub(crate) fn send(&self, message: ToSupervisor) {
        self.0.outbox.push(Outgoing::Message(message));
    }

    /// Sends a message with bytes that may be longer than a message.
    pub(crate) fn send_with(&self, message: ToSupervisor, bytes: &[u8]) {
        match memory::file(c"service-runtime-part", bytes) {
            Ok(file) => self.0.outbox.push(Outgoing::File(message, file)),
            Err(error) => tracing::error!("cannot answer the supervisor: {error}"),
        }
    }

    /// Waits until the supervisor has been sent everything, or is gone.
    pub(crate) async fn flushed(&self) {
        let (tell, told) = oneshot::channel();
        self.0.outbox.push(Outgoing::Flush(tell));
        let _ = timeout(FLUSH_LIMIT, told).await;
    }

    /// Tells the supervisor that every service is ready.
    pub(crate) fn ready(&self) {
        self.send(ToSupervisor::Ready);
        self.0.ready.notify_one();
    }

    /// Waits until every service has been ready; for one waiter, once.
    pub(crate) async fn until_ready(&self) {
        self.0.ready.notified().await;
    }

    /// Takes note that this process stops: what the supervisor does not give any more for that reason is
    /// refused from now on.
    ///
    /// A service that is still being started is not, because its start is about to be given up, which is
    /// no error.
    pub(crate) fn stopping(&self) {
        let refused = {
            let mut questions = self.questions();
            questions.is_stopping = true;
            std::mem::take(&mut questions.refused_by_stop)
        };
        for id in refused {
            self.answer(id, Err(STOPPING.to_owned()));
        }
    }

    fn refuse_because_of_stop(&self, id: u32) {
        let is_stopping = {
            let mut questions = self.questions();
            if !questions.is_stopping {
                questions.refused_by_stop.push(id);
            }
            questions.is_stopping
        };
        if is_stopping {
            self.answer(id, Err(STOPPING.to_owned()));
        }
    }

    /// Closes what came along with the fork and nobody has asked for.
    pub(crate) fn close_inherited(&self) {
        *self
            .0
            .inherited
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Returns a socket that came along with the fork; the supervisor is told once that it is used.
    fn inherited(&self, options: &ListenOptions) -> Option<OwnedFd> {
        let mut inherited = self
            .0
            .inherited
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let Inherited {
            listeners,
            slot,
            used,
        } = inherited.as_mut()?;
        let held = listeners.held(options, Some(*slot))?;
        let fd = held.fd().try_clone_to_owned().ok()?;
        if used.insert(held.id()) {
            self.send(ToSupervisor::Uses(options.to_wire()));
        }
        Some(fd)
    }

    fn questions(&self) -> MutexGuard<'_, Questions> {
        let questions = self.0.questions.lock();
        questions.unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, id: u32, answer: Result<OwnedFd, String>) {
        if let Some(waiting) = self.questions().waiting.remove(&id) {
            // Whoever asked may have gone away; then the descriptor is closed again.
            let _ = waiting.send(answer);
        }
    }

    /// Lets nobody wait for a supervisor that neither sends nor receives any more.
    fn close(&self) {
        self.0.outbox.close();
        *self.questions() = Questions {
            is_closed: true,
            ..Questions::default()
        };
    }
}

impl HostBackend for SupervisorClient {
    /// Asks the supervisor, unless the socket came along with the fork.
    fn listen(&self, options: &ListenOptions) -> BoxFuture<'static, Result<OwnedFd, String>> {
        if let Some(fd) = self.inherited(options) {
            return Box::pin(std::future::ready(Ok(fd)));
        }
        let id = self.0.next.fetch_add(1, Ordering::Relaxed);
        let (answer, answered) = oneshot::channel();
        {
            let mut questions = self.questions();
            if questions.is_closed {
                return Box::pin(std::future::ready(Err(GONE.to_owned())));
            }
            questions.waiting.insert(id, answer);
        }
        let asked = self.0.outbox.push_request(ToSupervisor::Listen {
            id,
            options: options.to_wire(),
        });
        if let Err(error) = asked {
            self.answer(id, Err(error.to_string()));
        }
        Box::pin(async move { answered.await.unwrap_or_else(|_| Err(GONE.to_owned())) })
    }

    /// Passes on how a service says it goes; of several in quick succession, the last.
    fn status(&self, service: &str, text: &str) {
        self.0.outbox.set_status(service, text);
    }

    /// Takes the lock of `task`, if this worker leads and no other still runs it.
    fn lock(&self, task: &str) -> Option<Box<dyn Any + Send>> {
        let lock = self.0.leads.lock(task)?;
        Some(Box::new(lock))
    }

    fn program_ends(&self, _this_ends: bool) -> bool {
        self.0.leads.program_ends()
    }

    fn stop_limit(&self) -> Option<Option<Duration>> {
        self.0.cell.limit()
    }

    fn requests(&self) -> &RequestCounters {
        &self.0.requests
    }
}

/// Sends what is to be sent, one message after the other, until the channel fails.
async fn write(
    channel: Arc<AsyncFd<Channel>>,
    client: SupervisorClient,
    words: mpsc::UnboundedSender<WorkerCommand>,
) {
    loop {
        let (message, file) = match client.0.outbox.next().await {
            Outgoing::Message(message) => (message, None),
            Outgoing::File(message, file) => (message, Some(file)),
            Outgoing::Flush(told) => {
                let _ = told.send(());
                continue;
            }
        };
        let bytes = message.encode();
        let fds: Vec<_> = file.iter().map(AsFd::as_fd).collect();
        let sent = retried(&channel, Interest::WRITABLE, |channel| {
            Ok(channel.send(&bytes, &fds)?)
        });
        if let Err(error) = sent.await {
            client.close();
            // The end of the supervisor is the watchdog's to notice, which no runtime can hold up.
            if !is_gone(&error) {
                let _ = words.send(WorkerCommand::ChannelFailed(format!(
                    "cannot send: {error}"
                )));
            }
            return;
        }
    }
}

/// Does something with the channel, again and again while the system is short of memory for it.
async fn retried<T>(
    channel: &AsyncFd<Channel>,
    interest: Interest,
    mut act: impl FnMut(&Channel) -> io::Result<T>,
) -> io::Result<T> {
    loop {
        let done = channel.async_io(interest, |channel| act(channel)).await;
        match done {
            Err(error) if errno(&error).is_some_and(is_transient) => sleep(RETRY).await,
            done => return done,
        }
    }
}

fn errno(error: &io::Error) -> Option<Errno> {
    error.raw_os_error().map(Errno::from_raw)
}

fn is_gone(error: &io::Error) -> bool {
    matches!(errno(error), Some(Errno::EPIPE | Errno::ECONNRESET))
}

async fn read(
    channel: Arc<AsyncFd<Channel>>,
    client: SupervisorClient,
    words: mpsc::UnboundedSender<WorkerCommand>,
) {
    loop {
        let received = retried(&channel, Interest::READABLE, |channel| {
            match channel.receive() {
                Ok(Some(message)) => Ok(Some(message)),
                Ok(None) => Err(io::ErrorKind::WouldBlock.into()),
                Err(Closed::End) => Ok(None),
                Err(Closed::Os(error)) => Err(error.into()),
            }
        });
        let Message { bytes, mut fds } = match received.await {
            Ok(Some(message)) => message,
            ended => {
                client.close();
                if let Err(error) = ended {
                    let _ = words.send(WorkerCommand::ChannelFailed(format!(
                        "cannot receive: {error}"
                    )));
                }
                return;
            }
        };
        match ToWorker::decode(&bytes) {
            Some(ToWorker::Listening { id }) => {
                let none = || "the supervisor sent no socket".to_owned();
                client.answer(id, fds.pop().ok_or_else(none));
            }
            Some(ToWorker::Refused { id, text }) => client.answer(id, Err(text)),
            Some(ToWorker::Stopping { id }) => client.refuse_because_of_stop(id),
            Some(ToWorker::Mutate) => match fds.pop().map(memory::read) {
                Some(Ok(bytes)) => drop(words.send(WorkerCommand::Mutate(bytes))),
                Some(Err(error)) => client.send(ToSupervisor::Mutated(error.to_string())),
                None => client.send(ToSupervisor::Mutated("no configuration came".to_owned())),
            },
            Some(ToWorker::Report { id, as_json }) => {
                let format = ReportFormat::of(as_json);
                drop(words.send(WorkerCommand::Report(ReportRequest::Supervisor {
                    id,
                    format,
                })));
            }
            None => tracing::error!("the supervisor sent a message that this worker cannot read"),
        }
    }
}
