//! Export of traces by OTLP over HTTP, for programs of `service-runtime`.
//!
//! The spans of requests and calls, and those that an author opens in them, are sent to a collector. What
//! belongs to which trace is known without this crate: see `service_runtime::trace`.
//!
//! ```no_run
//! use service_runtime::prelude::*;
//! use tracing_subscriber::layer::SubscriberExt;
//! use tracing_subscriber::util::SubscriberInitExt;
//!
//! # #[service] #[derive(Default)] struct Api;
//! # #[service] impl Api {}
//! #[launch]
//! fn main() -> Result<(Api, service_otlp::Exporter)> {
//!     let (spans, exporter) = service_otlp::Otlp::new("http://127.0.0.1:4318")?
//!         .service_name("api")
//!         .start()?;
//!     tracing_subscriber::registry()
//!         .with(service_runtime::log_layer())
//!         .with(spans)
//!         .init();
//!     Ok((Api, exporter))
//! }
//! ```
//!
//! `main` runs in the worker, after the fork, so the thread of the exporter is the worker's own.
//!
//! What must stay true:
//!
//! - No request waits for the collector: spans go through a bounded queue, and what has no room in it is
//!   dropped and counted.
//! - A collector that is gone, or takes all it is sent and never answers, costs a stop no more than
//!   [`Otlp::flush_timeout`].

mod endpoint;
mod exporter;
mod json;
mod layer;
mod span;

pub use endpoint::EndpointError;
pub use exporter::{Exporter, Otlp};
pub use layer::SpanLayer;
