//! A server: what its connections share, its start and its end.

mod accept;
mod bind;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper_util::server::conn::auto::Builder;
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Handler;
use super::config::{HttpConfig, Wrong, limit, proxy};
use super::connection::{Connection, Purpose, StreamTasks};
use super::exchange::{AccessLog, Proxies, Readiness};
use crate::listen::Peer;
use crate::service::Context;
use crate::service::host::Exchange;
use crate::tasks::TaskGroup;

/// Far enough for every clock.
const FAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// How many headers hyper takes by itself; told the number, it clears memory for them each time.
const HEADERS: usize = 100;

/// What the connections of one server share.
pub(crate) struct Server {
    pub(crate) cx: Context,
    pub(crate) config: HttpConfig,
    pub(crate) limits: Limits,
    #[cfg(feature = "tls")]
    pub(crate) tls: Option<crate::http::tls::Tls>,
    pub(crate) access: AccessLog,
    pub(crate) proxies: Proxies,
    pub(crate) readiness: Readiness,
    pub(crate) builder: Builder<StreamTasks>,
    /// Cancelled when accepting has ended.
    pub(crate) drain: CancellationToken,
    /// What runs for connections. Apart from the service's own group, which takes nothing new from
    /// the moment of a stop on.
    pub(crate) tasks: TaskGroup,
    started: Instant,
    drains_since: AtomicU64,
    connections: Mutex<BTreeMap<u64, Arc<Connection>>>,
    next: AtomicU64,
    one_less: Notify,
}

/// A connection whose socket is open, until this is dropped: by its socket, or by a task that never
/// got as far as to have one.
pub(crate) struct Open(Arc<Connection>);

impl Drop for Open {
    fn drop(&mut self) {
        let server = &self.0.server;
        server.lock().remove(&self.0.id);
        // Whoever waits has said that it drains before it has looked how many there are.
        if server.is_draining() {
            server.one_less.notify_waiters();
        }
    }
}

impl std::ops::Deref for Open {
    type Target = Arc<Connection>;

    fn deref(&self) -> &Arc<Connection> {
        &self.0
    }
}

/// The clocks of a connection, in milliseconds.
pub(crate) struct Limits {
    pub(crate) head: Option<u64>,
    pub(crate) idle: Option<u64>,
    pub(crate) send: Option<u64>,
    pub(crate) linger: u64,
}

/// Serves a handler on the listeners of the service's own table, as a task of the service.
///
/// # Errors
///
/// Returns an error if the table is wrong or an address cannot be listened on.
pub(crate) async fn serve<H: Handler>(
    cx: &Context,
    config: HttpConfig,
    handler: H,
) -> anyhow::Result<()> {
    let wrong = config.trusted_proxies.iter();
    let wrong = wrong.filter_map(|text| proxy(text).err()).next();
    if let Some(text) = wrong {
        return Err(Wrong::new("trusted_proxies", text).of(cx).into());
    }
    #[cfg(not(feature = "tls"))]
    if config.tls.cert.is_some() {
        let text = "this program is built without the feature `tls` of service-runtime";
        return Err(Wrong::new("tls.cert", text).of(cx).into());
    }
    #[cfg(feature = "tls")]
    let tls = crate::http::tls::Tls::start(cx, &config.tls)?;
    let listeners = bind::bind(cx, &config).await?;
    let server = Server::new(cx.clone(), config);
    #[cfg(feature = "tls")]
    let server = Server { tls, ..server };
    let server = Arc::new(server);
    cx.tasks()
        .try_spawn("http", accept::run(server, listeners, handler))?;
    Ok(())
}

impl Server {
    fn new(cx: Context, config: HttpConfig) -> Self {
        let tasks = TaskGroup::new(cx.name().to_owned());
        let failed = cx.clone();
        tasks.on_failure(move |failure| {
            tracing::error!(service = failed.name(), "{failure}: {}", failure.message());
        });
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX / 4);
        let limits = Limits {
            head: limit(config.head_timeout).map(millis),
            idle: limit(config.client_socket_timeout).map(millis),
            send: limit(config.send_timeout).map(millis),
            linger: millis(config.linger),
        };
        Self {
            builder: builder(&config, StreamTasks(tasks.clone())),
            #[cfg(feature = "tls")]
            tls: None,
            access: AccessLog::new(&config.access_log),
            proxies: Proxies::new(&config.trusted_proxies),
            readiness: Readiness::default(),
            cx,
            config,
            limits,
            drain: CancellationToken::new(),
            tasks,
            started: Instant::now(),
            drains_since: AtomicU64::new(0),
            connections: Mutex::default(),
            next: AtomicU64::new(0),
            one_less: Notify::new(),
        }
    }

    /// Returns the time since the start in milliseconds, from 1.
    pub(crate) fn now(&self) -> u64 {
        self.millis(Instant::now())
    }

    /// Returns the time from the start to an instant, as [`now`](Self::now) does.
    pub(crate) fn millis(&self, at: Instant) -> u64 {
        let since = at.saturating_duration_since(self.started);
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX) + 1
    }

    /// Returns the instant of a time that [`now`](Self::now) gave.
    pub(crate) fn at(&self, millis: u64) -> Instant {
        self.started + Duration::from_millis(millis).min(FAR)
    }

    /// Counts a request that has begun.
    pub(crate) fn begun(&self) {
        self.cx.count_request();
        self.cx.host().exchange(Exchange::Begun);
    }

    /// Counts a request that has ended.
    pub(crate) fn ended(&self, status: Option<u16>, took: Duration) {
        let ended = Exchange::Ended { status, took };
        self.cx.host().exchange(ended);
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.drains_since.load(Relaxed) != 0
    }

    pub(crate) fn drains_since(&self) -> Option<u64> {
        Some(self.drains_since.load(Relaxed)).filter(|since| *since != 0)
    }

    fn begin_drain(&self) {
        self.drains_since.store(self.now(), Relaxed);
        self.drain.cancel();
    }

    fn opened(self: &Arc<Self>, peer: Peer, purpose: Purpose) -> Open {
        let id = self.next.fetch_add(1, Relaxed);
        let connection = Arc::new(Connection::new(Arc::clone(self), id, peer, purpose));
        self.lock().insert(id, Arc::clone(&connection));
        Open(connection)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<u64, Arc<Connection>>> {
        self.connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn builder(config: &HttpConfig, tasks: StreamTasks) -> Builder<StreamTasks> {
    let mut builder = Builder::new(tasks);
    // Time is kept by the connection itself: hyper does not tell idle from slow.
    let mut http1 = builder.http1();
    http1.header_read_timeout(None);
    if config.headers_max.get() != HEADERS {
        http1.max_headers(config.headers_max.get());
    }
    let head_max = usize::try_from(config.head_max.bytes()).unwrap_or(usize::MAX);
    if head_max > 0 {
        // The least that hyper takes.
        http1.max_buf_size(head_max.max(8192));
    }
    let mut http2 = builder.http2();
    http2.max_concurrent_streams(config.http2_streams.get());
    let resets = usize::try_from(config.http2_resets).unwrap_or(usize::MAX);
    let resets = if resets > 0 { resets } else { usize::MAX };
    http2.max_pending_accept_reset_streams(resets);
    if head_max > 0 {
        http2.max_header_list_size(u32::try_from(head_max).unwrap_or(u32::MAX));
    }
    builder
}
