//! The thread that sends spans to a collector, and the bounded queue to it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{
    Receiver, RecvTimeoutError, Sender, SyncSender, TrySendError, channel, sync_channel,
};
use std::time::{Duration, Instant};
use std::{fmt, io, thread};

use service_runtime::{Context, Description, Service};

use crate::endpoint::{Endpoint, EndpointError};
use crate::json::request;
use crate::layer::SpanLayer;
use crate::span::Span;

/// How many spans are sent at once.
const BATCH: usize = 512;

/// How long a span waits for others that are sent with it.
const PAUSE: Duration = Duration::from_secs(1);

/// How an exporter is set up.
#[derive(Debug, Clone)]
pub struct Otlp {
    endpoint: Endpoint,
    service_name: String,
    queue: usize,
    timeout: Duration,
    flush_timeout: Duration,
}

impl Otlp {
    /// Sends to a collector, such as `http://127.0.0.1:4318`; spans go to `/v1/traces` there.
    ///
    /// # Errors
    ///
    /// Returns an error if that is no address of HTTP.
    pub fn new(endpoint: &str) -> Result<Self, EndpointError> {
        Ok(Self {
            endpoint: Endpoint::parse(endpoint)?,
            service_name: "unknown_service".to_owned(),
            queue: 4096,
            timeout: Duration::from_secs(5),
            flush_timeout: Duration::from_secs(1),
        })
    }

    /// Sets the name under which the collector knows the program: `service.name`.
    #[must_use]
    pub fn service_name(mut self, name: impl Into<String>) -> Self {
        self.service_name = name.into();
        self
    }

    /// Sets how many spans may wait to be sent (4096); more are dropped and counted.
    #[must_use]
    pub fn queue(mut self, spans: usize) -> Self {
        self.queue = spans.max(1);
        self
    }

    /// Sets how long the collector may take for one batch (5 s).
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets how long a stop waits at the most until what is left is sent (1 s).
    #[must_use]
    pub fn flush_timeout(mut self, timeout: Duration) -> Self {
        self.flush_timeout = timeout;
        self
    }

    /// Starts the thread; to be called in the worker, which is where `main` runs.
    ///
    /// The exporter is a service, and is to be one of the program's: its stop sends what is left.
    ///
    /// # Errors
    ///
    /// Returns the error of the operating system: no threads left.
    pub fn start(self) -> io::Result<(SpanLayer, Exporter)> {
        let (sender, receiver) = sync_channel(self.queue);
        let (flushes, asked) = channel();
        let dropped = Arc::new(AtomicU64::new(0));
        let sending = Sending {
            endpoint: self.endpoint,
            service_name: self.service_name,
            timeout: self.timeout,
            dropped: Arc::clone(&dropped),
            receiver,
            asked,
            is_away: false,
        };
        thread::Builder::new()
            .name("otlp".to_owned())
            .spawn(move || sending.run())?;
        let queue = Queue {
            sender,
            dropped: Arc::clone(&dropped),
        };
        let exporter = Exporter {
            queue: queue.clone(),
            flushes,
            flush_timeout: self.flush_timeout,
        };
        Ok((SpanLayer::new(queue), exporter))
    }
}

/// Where spans wait to be sent.
#[derive(Clone)]
pub(crate) struct Queue {
    sender: SyncSender<Message>,
    dropped: Arc<AtomicU64>,
}

enum Message {
    Span(Box<Span>),
    /// Nothing: somebody has asked for a flush.
    Wake,
}

impl Queue {
    /// Puts a span into the queue, or drops it if there is no room.
    pub(crate) fn push(&self, span: Span) {
        if self.sender.try_send(Message::Span(Box::new(span))).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue")
            .field("dropped", &self.dropped)
            .finish_non_exhaustive()
    }
}

/// The exporter as a service, whose stop sends what is left.
#[derive(Debug)]
pub struct Exporter {
    queue: Queue,
    flushes: Sender<SyncSender<()>>,
    flush_timeout: Duration,
}

impl Exporter {
    /// Returns how many spans were dropped: there was no room for them, or the collector did not take them.
    pub fn dropped(&self) -> u64 {
        self.queue.dropped.load(Ordering::Relaxed)
    }

    /// Sends what waits, and returns whether that is done within this time.
    ///
    /// It blocks the thread.
    pub fn flush(&self, within: Duration) -> bool {
        let (done, is_done) = sync_channel(1);
        if self.flushes.send(done).is_err() {
            return false;
        }
        // A full queue has woken it already.
        let woken = self.queue.sender.try_send(Message::Wake);
        if matches!(woken, Err(TrySendError::Disconnected(_))) {
            return false;
        }
        is_done.recv_timeout(within).is_ok()
    }
}

impl Service for Exporter {
    fn description(&self) -> Description {
        Description::new("otlp")
    }

    async fn stopped(self: &Arc<Self>, _cx: &Context) -> anyhow::Result<()> {
        let flushed = self.flush(self.flush_timeout);
        let dropped = self.dropped();
        if !flushed || dropped > 0 {
            tracing::warn!(dropped, flushed, "not every span has reached the collector");
        }
        Ok(())
    }
}

/// The thread's own.
struct Sending {
    endpoint: Endpoint,
    service_name: String,
    timeout: Duration,
    dropped: Arc<AtomicU64>,
    receiver: Receiver<Message>,
    asked: Receiver<SyncSender<()>>,
    /// Whether the last batch was not taken, so that the log hears of it once.
    is_away: bool,
}

impl Sending {
    fn run(mut self) {
        let mut batch = Vec::new();
        let mut since = None;
        loop {
            let wait = since.map_or(PAUSE, |since: Instant| {
                PAUSE.saturating_sub(since.elapsed())
            });
            match self.receiver.recv_timeout(wait) {
                Ok(Message::Span(span)) => {
                    since.get_or_insert_with(Instant::now);
                    batch.push(*span);
                }
                Ok(Message::Wake) | Err(RecvTimeoutError::Timeout) => {}
                // The last handle is gone: so are all who could wait.
                Err(RecvTimeoutError::Disconnected) => {
                    self.send(&mut batch);
                    return;
                }
            }
            let flushes: Vec<_> = self.asked.try_iter().collect();
            if !flushes.is_empty() {
                for message in self.receiver.try_iter() {
                    if let Message::Span(span) = message {
                        batch.push(*span);
                    }
                }
            }
            let is_due = since.is_some_and(|since| since.elapsed() >= PAUSE);
            if is_due || batch.len() >= BATCH || !flushes.is_empty() {
                self.send(&mut batch);
                since = None;
            }
            for done in flushes {
                // Who has waited may have given up.
                let _ = done.try_send(());
            }
        }
    }

    fn send(&mut self, batch: &mut Vec<Span>) {
        for spans in batch.chunks(BATCH) {
            let body = request(&self.service_name, spans);
            match self.endpoint.post(&body, self.timeout) {
                Ok(()) if self.is_away => {
                    self.is_away = false;
                    tracing::info!("the collector takes spans again");
                }
                Ok(()) => {}
                Err(error) => {
                    self.dropped
                        .fetch_add(spans.len() as u64, Ordering::Relaxed);
                    if !std::mem::replace(&mut self.is_away, true) {
                        tracing::warn!("the collector takes no spans, they are dropped: {error}");
                    }
                }
            }
        }
        batch.clear();
    }
}
