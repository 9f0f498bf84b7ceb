//! A worker's end of the channel to its supervisor.

use std::any::Any;
use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use crate::ipc::protocol::{ToSupervisor, ToWorker};
use crate::listen::{ListenOptions, Listeners};
use crate::os::process::channel::{Channel, Message};
use crate::os::process::memory;
use crate::os::process::page::Page;
use crate::os::process::process_lock::ProcessLocks;
use crate::runner::commands::{Asked, Word};
use crate::service::BoxFuture;
use crate::settings::ReportFormat;
use crate::tasks::TaskGroup;
use crate::worker::counter::Counter;

/// What a worker may ask of its supervisor. Every clone is the same link.
#[derive(Clone)]
pub(crate) struct SupervisorClient(Arc<Inner>);

struct Inner {
    outgoing: mpsc::UnboundedSender<Outgoing>,
    asked: Mutex<BTreeMap<u32, oneshot::Sender<Result<OwnedFd, String>>>>,
    next: AtomicU32,
    leads: Leads,
    inherited: Mutex<Option<Inherited>>,
    counter: Counter,
}

/// Who runs what runs once in the program.
pub(crate) struct Leads {
    pub(crate) page: Page,
    /// The number of this worker's pool.
    pub(crate) pool: usize,
    pub(crate) locks: ProcessLocks,
}

/// What was listened on when this worker was forked.
pub(crate) struct Inherited {
    listeners: Listeners,
    slot: usize,
}

impl Inherited {
    /// Keeps the sockets that came along with the fork, as the worker of a slot.
    pub(crate) fn new(listeners: Listeners, slot: usize) -> Self {
        Self { listeners, slot }
    }
}

/// What the task that writes is given.
enum Outgoing {
    Message(ToSupervisor),
    /// With bytes in a memory file.
    File(ToSupervisor, OwnedFd),
    /// Everything before is to be sent first; then this is told.
    Flush(oneshot::Sender<()>),
}

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
        counter: Counter,
        group: &TaskGroup,
        words: mpsc::UnboundedSender<Word>,
    ) -> io::Result<Self> {
        let channel = Arc::new(channel.watched()?);
        let (outgoing, queue) = mpsc::unbounded_channel();
        let (asked, next) = (Mutex::default(), AtomicU32::new(0));
        let link = Self(Arc::new(Inner {
            outgoing,
            asked,
            next,
            leads,
            inherited: Mutex::new(Some(inherited)),
            counter,
        }));
        group
            .try_spawn("to supervisor", write(Arc::clone(&channel), queue))
            .map_err(io::Error::other)?;
        group
            .try_spawn("from supervisor", read(channel, link.clone(), words))
            .map_err(io::Error::other)?;
        Ok(link)
    }

    /// Sends a message; one to a supervisor that is gone is lost with it.
    pub(crate) fn send(&self, message: ToSupervisor) {
        let _ = self.0.outgoing.send(Outgoing::Message(message));
    }

    /// Sends a message with bytes that may be longer than a message.
    pub(crate) fn send_with(&self, message: ToSupervisor, bytes: &[u8]) {
        match memory::file(c"service-runtime-part", bytes) {
            Ok(file) => drop(self.0.outgoing.send(Outgoing::File(message, file))),
            Err(error) => tracing::error!("cannot answer the supervisor: {error}"),
        }
    }

    /// Waits until the supervisor has been sent everything, or is gone.
    pub(crate) async fn flushed(&self) {
        let (tell, told) = oneshot::channel();
        if self.0.outgoing.send(Outgoing::Flush(tell)).is_ok() {
            let _ = timeout(FLUSH_LIMIT, told).await;
        }
    }

    /// Returns whether the whole program stops.
    #[cfg(feature = "http")]
    pub(crate) fn program_ends(&self) -> bool {
        self.0.leads.page.header().ends.load(Ordering::Acquire)
    }

    /// Returns what counts this worker's requests.
    pub(crate) fn counter(&self) -> &Counter {
        &self.0.counter
    }

    /// Asks for a listening socket; the supervisor, unless it came along with the fork.
    pub(crate) fn listen(
        &self,
        options: &ListenOptions,
    ) -> BoxFuture<'static, Result<OwnedFd, String>> {
        if let Some(fd) = self.inherited(options) {
            self.send(ToSupervisor::Uses(options.to_wire()));
            return Box::pin(std::future::ready(Ok(fd)));
        }
        let id = self.0.next.fetch_add(1, Ordering::Relaxed);
        let (answer, answered) = oneshot::channel();
        self.asked().insert(id, answer);
        self.send(ToSupervisor::Listen {
            id,
            options: options.to_wire(),
        });
        Box::pin(async move {
            answered
                .await
                .unwrap_or_else(|_| Err("the supervisor is gone".to_owned()))
        })
    }

    /// Closes what came along with the fork and nobody has asked for.
    pub(crate) fn close_inherited(&self) {
        *self
            .0
            .inherited
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Returns a socket that came along with the fork.
    fn inherited(&self, options: &ListenOptions) -> Option<OwnedFd> {
        let inherited = self
            .0
            .inherited
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let Inherited { listeners, slot } = inherited.as_ref()?;
        listeners
            .held(options, Some(*slot))?
            .fd()
            .try_clone_to_owned()
            .ok()
    }

    /// Passes on how a service says it goes.
    pub(crate) fn status(&self, service: &str, text: &str) {
        let (service, text) = (service.to_owned(), text.to_owned());
        self.send(ToSupervisor::Status { service, text });
    }

    /// Takes the lock of `task`, if this worker leads and no other still runs it.
    pub(crate) fn lock(&self, task: &str) -> Option<Box<dyn Any + Send>> {
        let Leads { page, pool, locks } = &self.0.leads;
        let leader = page.header().leaders.get(*pool)?.load(Ordering::Acquire);
        if leader != std::process::id() {
            return None;
        }
        Some(Box::new(locks.take(number(task))?))
    }

    fn asked(
        &self,
    ) -> std::sync::MutexGuard<'_, BTreeMap<u32, oneshot::Sender<Result<OwnedFd, String>>>> {
        self.0.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, id: u32, answer: Result<OwnedFd, String>) {
        if let Some(asked) = self.asked().remove(&id) {
            // Whoever asked may have gone away; then the descriptor is closed again.
            let _ = asked.send(answer);
        }
    }

    fn hang_up(&self) {
        self.asked().clear();
    }
}

async fn write(channel: Arc<AsyncFd<Channel>>, mut queue: mpsc::UnboundedReceiver<Outgoing>) {
    while let Some(outgoing) = queue.recv().await {
        let (message, file) = match outgoing {
            Outgoing::Message(message) => (message, None),
            Outgoing::File(message, file) => (message, Some(file)),
            Outgoing::Flush(told) => {
                let _ = told.send(());
                continue;
            }
        };
        let bytes = message.encode();
        let fds: Vec<_> = file.iter().map(AsFd::as_fd).collect();
        let sent = channel
            .async_io(
                Interest::WRITABLE,
                |channel| Ok(channel.send(&bytes, &fds)?),
            )
            .await;
        if sent.is_err() {
            return;
        }
    }
}

async fn read(
    channel: Arc<AsyncFd<Channel>>,
    link: SupervisorClient,
    words: mpsc::UnboundedSender<Word>,
) {
    loop {
        let received = channel
            .async_io(Interest::READABLE, |channel| match channel.receive() {
                Ok(Some(message)) => Ok(Some(message)),
                Ok(None) => Err(io::ErrorKind::WouldBlock.into()),
                Err(_) => Ok(None),
            })
            .await;
        // The end of the channel is the watchdog's to notice, which no runtime can hold up.
        let Ok(Some(Message { bytes, mut fds })) = received else {
            link.hang_up();
            return;
        };
        match ToWorker::decode(&bytes) {
            Some(ToWorker::Listening { id }) => {
                let none = || "the supervisor sent no socket".to_owned();
                link.answer(id, fds.pop().ok_or_else(none));
            }
            Some(ToWorker::Refused { id, text }) => link.answer(id, Err(text)),
            Some(ToWorker::Mutate) => match fds.pop().map(memory::read) {
                Some(Ok(bytes)) => drop(words.send(Word::Mutate(bytes))),
                Some(Err(error)) => link.send(ToSupervisor::Mutated(error.to_string())),
                None => link.send(ToSupervisor::Mutated("no configuration came".to_owned())),
            },
            Some(ToWorker::Report { id, as_json }) => {
                let format = if as_json {
                    ReportFormat::Json
                } else {
                    ReportFormat::Text
                };
                drop(words.send(Word::Report(Asked::Supervisor { id, format })));
            }
            None => tracing::error!("the supervisor sent a message that this worker cannot read"),
        }
    }
}

/// Returns the number of a task's lock, the same in every process of the program (FNV-1a).
fn number(task: &str) -> u32 {
    let hash = task.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    // A record lock's place is a signed number.
    hash & 0x7fff_ffff
}
