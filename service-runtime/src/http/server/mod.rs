//! A server: what its connections share, its start and its end.

mod accept;
mod bind;
mod drive;
mod streams;

use std::sync::Arc;

use hyper_util::server::conn::auto::Builder;

use self::streams::StreamTasks;
use super::Handler;
use super::config::{AccessFormat, HttpConfig, Wrong, proxy};
use super::connection::Connections;
use super::exchange::ExchangeParts;
use super::shared::Shared;
use crate::service::Context;
use crate::tasks::TaskGroup;

/// How many headers hyper takes by itself; told the number, it clears memory for them each time.
const HEADERS: usize = 100;

/// A server: its settings, its connections, and what drives them.
pub(crate) struct Server {
    pub(crate) shared: Arc<Shared>,
    pub(crate) connections: Arc<Connections>,
    pub(crate) parts: Arc<ExchangeParts>,
    #[cfg(feature = "tls")]
    pub(crate) tls: Option<crate::http::tls::Tls>,
    pub(crate) builder: Arc<Builder<StreamTasks>>,
    /// What runs for connections, apart from the service's own group: it is stopped when the connections
    /// have been drained.
    pub(crate) tasks: TaskGroup,
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
    AccessFormat::read(&config.access_log).map_err(|text| Wrong::new("access_log", text).of(cx))?;
    #[cfg(not(feature = "tls"))]
    if config.tls.cert.is_some() {
        let text = "this program is built without the feature `tls` of service-runtime";
        return Err(Wrong::new("tls.cert", text).of(cx).into());
    }
    #[cfg(feature = "tls")]
    let tls = crate::http::tls::Tls::start(cx, &config.tls).await?;
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
        Self {
            builder: Arc::new(builder(&config, StreamTasks(tasks.clone()))),
            #[cfg(feature = "tls")]
            tls: None,
            parts: Arc::new(ExchangeParts::new(&config)),
            connections: Arc::default(),
            shared: Arc::new(Shared::new(cx, config)),
            tasks,
        }
    }
}

/// What speaks with a connection, in the version that it finds.
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
