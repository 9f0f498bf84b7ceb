//! From tracing's spans to those of a trace.

use std::time::SystemTime;

use service_runtime::trace::TraceContext;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::LookupSpan;

use crate::exporter::Queue;
use crate::span::{Message, Span};

/// The spans that the framework opens for a request and for a call: each is the step of its trace.
const OWN: [&str; 2] = ["request", "call"];

/// Exports the spans of requests and calls, and those in them, if their trace is sampled.
#[derive(Debug)]
pub struct SpanLayer {
    queue: Queue,
}

impl SpanLayer {
    pub(crate) fn new(queue: Queue) -> Self {
        Self { queue }
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for SpanLayer {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let metadata = attributes.metadata();
        let is_own =
            OWN.contains(&metadata.name()) && metadata.target().starts_with("service_runtime");
        let parent = || {
            let mut parents = span.scope().skip(1);
            parents.find_map(|parent| Some(parent.extensions().get::<Span>()?.trace.clone()))
        };
        let current = TraceContext::current();
        let trace = match current {
            Some(current) if is_own => Some(current),
            current => parent().or(current).map(|trace| trace.child()),
        };
        // What is no part of a request or a call is of no trace.
        let Some(trace) = trace else { return };
        let now = SystemTime::now();
        let mut new = Span {
            name: metadata.name(),
            trace,
            is_server: is_own,
            begun: now,
            ended: now,
            attributes: Vec::new(),
            error: None,
        };
        if new.trace.is_sampled() {
            attributes.record(&mut new);
        }
        span.extensions_mut().insert(new);
    }

    fn on_record(&self, id: &Id, record: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        if let Some(known) = span.extensions_mut().get_mut::<Span>()
            && known.trace.is_sampled()
        {
            record.record(known);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        if *event.metadata().level() != Level::ERROR {
            return;
        }
        let Some(span) = context.event_span(event) else {
            return;
        };
        if let Some(known) = span.extensions_mut().get_mut::<Span>() {
            let mut message = Message::default();
            event.record(&mut message);
            known.error.get_or_insert(message.0);
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(span) = context.span(&id) else {
            return;
        };
        let known = span.extensions_mut().remove::<Span>();
        if let Some(mut known) = known.filter(|known| known.trace.is_sampled()) {
            known.ended = SystemTime::now();
            self.queue.push(known);
        }
    }
}
