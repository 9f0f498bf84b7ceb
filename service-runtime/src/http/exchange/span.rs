//! The span of a request: what every line names that is logged for it.

use std::sync::Arc;

use tracing::Span;
use tracing::field::display;
use tracing::span::Entered;

use crate::http::ongoing::Ongoing;
#[cfg(feature = "log")]
use crate::log;
use crate::trace::{HasTrace, in_scope_of};

/// The span of a request.
pub(crate) enum RequestSpan {
    /// None, or one of somebody else's subscriber.
    Made(Span),
    /// One that is made when something is logged in it.
    #[cfg(feature = "log")]
    Late(Arc<Ongoing>),
}

/// Is in the span until it is dropped.
#[expect(dead_code, reason = "it is kept to be dropped")]
pub(super) enum Inside<'a> {
    Made(Entered<'a>),
    #[cfg(feature = "log")]
    Late(log::Inside),
}

impl RequestSpan {
    pub(super) fn none() -> Self {
        Self::Made(Span::none())
    }

    pub(super) fn of(request: &Arc<Ongoing>) -> Self {
        #[cfg(feature = "log")]
        if log::may_wait() {
            return Self::Late(Arc::clone(request));
        }
        // An exporter reads the trace while the span is made.
        in_scope_of(Arc::clone(request) as Arc<dyn HasTrace>, || {
            let id = request.id.as_ref().and_then(|id| id.to_str().ok());
            let (id, trace_id) = (id.map(display), request.trace().trace_id());
            Self::Made(tracing::error_span!(
                "request",
                method = display(request.method.as_str()),
                path = request.uri.path(),
                id,
                trace_id = display(trace_id),
            ))
        })
    }

    pub(super) fn enter(&self) -> Inside<'_> {
        match self {
            Self::Made(span) => Inside::Made(span.enter()),
            #[cfg(feature = "log")]
            Self::Late(request) => Inside::Late(log::enter(Arc::clone(request) as _)),
        }
    }
}

#[cfg(feature = "log")]
mod late {
    use tracing::field::{ValueSet, display};
    use tracing::{Level, Metadata};
    use tracing_core::callsite::DefaultCallsite;
    use tracing_core::{Kind, metadata};

    use crate::http::ongoing::Ongoing;
    use crate::log::{LateSpan, SpanSlot};
    use crate::trace::HasTrace;

    static CALLSITE: DefaultCallsite = DefaultCallsite::new(&METADATA);
    static METADATA: Metadata<'static> = metadata! {
        name: "request",
        target: module_path!(),
        level: Level::ERROR,
        fields: &["method", "path", "id", "trace_id"],
        callsite: &CALLSITE,
        kind: Kind::SPAN,
    };

    impl LateSpan for Ongoing {
        fn callsite(&self) -> &'static DefaultCallsite {
            &CALLSITE
        }

        fn with_values(&self, make: &mut dyn FnMut(&ValueSet<'_>)) {
            // Of these it is known what is in them; a path may hold anything, and is quoted.
            let method = display(self.method.as_str());
            let id = self.id.as_ref().and_then(|id| id.to_str().ok());
            let id = id.map(display);
            let trace_id = display(self.trace().trace_id());
            let path = self.uri.path();
            let fields = METADATA.fields();
            make(&fields.value_set_all(&[Some(&method), Some(&path), Some(&id), Some(&trace_id)]));
        }

        fn slot(&self) -> &SpanSlot {
            &self.span
        }
    }
}
