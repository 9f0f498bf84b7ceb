//! Spans that are made when something is first logged in them.
//!
//! A span costs as much as the rest of a short request: its fields are rendered, and kept in a registry.
//! Most requests log nothing. So the framework's own subscriber is told of a span that waits, and makes it
//! before whatever asks for it: an event, another span, or `Span::current`.

use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};

use tracing::field::ValueSet;
use tracing::subscriber::Interest;
use tracing::{Event, Metadata, Subscriber, span};
use tracing_core::callsite::{Callsite, DefaultCallsite};
use tracing_core::{LevelFilter, span::Current};

thread_local! {
    /// What this thread works on, as long as nobody has asked for its span.
    static WAITING: RefCell<Option<Arc<dyn LateSpan>>> = const { RefCell::new(None) };
}

/// The subscriber of this process makes waiting spans.
static ARE_MADE: AtomicBool = AtomicBool::new(false);

/// What a span is made of, and where it is kept.
pub(crate) trait LateSpan: Send + Sync {
    fn callsite(&self) -> &'static DefaultCallsite;

    /// Hands the values of the fields to `make`, once.
    fn with_values(&self, make: &mut dyn FnMut(&ValueSet<'_>));

    fn slot(&self) -> &SpanSlot;
}

/// The place of a span that may never be made.
#[derive(Default)]
pub(crate) struct SpanSlot(OnceLock<Option<MadeSpan>>);

/// A span that is closed when this is dropped.
struct MadeSpan {
    subscriber: Arc<dyn Subscriber + Send + Sync>,
    id: span::Id,
}

impl SpanSlot {
    fn made(&self) -> Option<&MadeSpan> {
        self.0.get()?.as_ref()
    }
}

impl Drop for MadeSpan {
    fn drop(&mut self) {
        self.subscriber.try_close(self.id.clone());
    }
}

/// Takes note that the subscriber of this process is a [`LateSpans`].
pub(super) fn are_made_here() {
    ARE_MADE.store(true, Relaxed);
}

/// Tells whether a span may wait: somebody else's subscriber would never hear of it.
pub(crate) fn may_wait() -> bool {
    ARE_MADE.load(Relaxed)
}

/// Is in a span until it is dropped, on this thread.
#[must_use]
pub(crate) struct Inside {
    span: Arc<dyn LateSpan>,
    outer: Option<Arc<dyn LateSpan>>,
}

/// Enters a span, made or waiting.
pub(crate) fn enter(span: Arc<dyn LateSpan>) -> Inside {
    // Registers it: while a subscriber is at work, that would find no subscriber.
    let interest = span.callsite().interest();
    let waiting = match span.slot().0.get() {
        None => (!interest.is_never()).then(|| Arc::clone(&span)),
        Some(made) => {
            if let Some(made) = made {
                made.subscriber.enter(&made.id);
            }
            None
        }
    };
    let outer = WAITING.with(|it| it.replace(waiting));
    Inside { span, outer }
}

impl Drop for Inside {
    fn drop(&mut self) {
        WAITING.with(|it| it.replace(self.outer.take()));
        if let Some(made) = self.span.slot().made() {
            made.subscriber.exit(&made.id);
        }
    }
}

/// A subscriber that makes the span that waits on its thread, before it does what depends on it.
pub(super) struct LateSpans<S>(Arc<S>);

impl<S: Subscriber + Send + Sync + 'static> LateSpans<S> {
    pub(super) fn new(subscriber: S) -> Self {
        Self(Arc::new(subscriber))
    }

    /// Makes the span that waits, if there is one, and enters it.
    fn make(&self) {
        let waiting = WAITING.try_with(|it| it.try_borrow_mut().ok()?.take());
        let Ok(Some(span)) = waiting else {
            return;
        };
        let made = self.make_of(&*span);
        if let Some(made) = &made {
            self.0.enter(&made.id);
        }
        // Nobody else makes it: it waits on one thread at a time.
        let _ = span.slot().0.set(made);
    }

    fn make_of(&self, span: &dyn LateSpan) -> Option<MadeSpan> {
        let callsite = span.callsite();
        let metadata = callsite.metadata();
        if !callsite.interest().is_always() && !self.0.enabled(metadata) {
            return None;
        }
        let mut id = None;
        span.with_values(&mut |values| {
            id = Some(self.0.new_span(&span::Attributes::new(metadata, values)));
        });
        let subscriber = Arc::clone(&self.0) as Arc<dyn Subscriber + Send + Sync>;
        id.map(|id| MadeSpan { subscriber, id })
    }
}

impl<S: Subscriber + Send + Sync + 'static> Subscriber for LateSpans<S> {
    fn on_register_dispatch(&self, dispatch: &tracing::Dispatch) {
        self.0.on_register_dispatch(dispatch);
    }

    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        self.0.register_callsite(metadata)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        self.0.max_level_hint()
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        // Whether it is may depend on the span that it is in.
        self.make();
        self.0.enabled(metadata)
    }

    fn new_span(&self, attributes: &span::Attributes<'_>) -> span::Id {
        self.make();
        self.0.new_span(attributes)
    }

    fn record(&self, span: &span::Id, values: &span::Record<'_>) {
        self.0.record(span, values);
    }

    fn record_follows_from(&self, span: &span::Id, follows: &span::Id) {
        self.0.record_follows_from(span, follows);
    }

    fn event_enabled(&self, event: &Event<'_>) -> bool {
        self.make();
        self.0.event_enabled(event)
    }

    fn event(&self, event: &Event<'_>) {
        self.make();
        self.0.event(event);
    }

    fn enter(&self, span: &span::Id) {
        // The outer one is entered first.
        self.make();
        self.0.enter(span);
    }

    fn exit(&self, span: &span::Id) {
        self.0.exit(span);
    }

    fn clone_span(&self, id: &span::Id) -> span::Id {
        self.0.clone_span(id)
    }

    fn try_close(&self, id: span::Id) -> bool {
        self.0.try_close(id)
    }

    fn current_span(&self) -> Current {
        self.make();
        self.0.current_span()
    }
}

#[cfg(test)]
mod tests {
    use tracing_core::{Kind, Level, metadata};
    use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
    use tracing_subscriber::registry::{LookupSpan, Registry};

    use super::*;

    static CALLSITE: DefaultCallsite = DefaultCallsite::new(&METADATA);
    static METADATA: Metadata<'static> = metadata! {
        name: "work",
        target: "late",
        level: Level::ERROR,
        fields: &["n"],
        callsite: &CALLSITE,
        kind: Kind::SPAN,
    };

    #[derive(Default)]
    struct Work(SpanSlot);

    impl LateSpan for Work {
        fn callsite(&self) -> &'static DefaultCallsite {
            &CALLSITE
        }

        fn with_values(&self, make: &mut dyn FnMut(&ValueSet<'_>)) {
            let fields = METADATA.fields();
            make(&fields.value_set_all(&[Some(&7_u64)]));
        }

        fn slot(&self) -> &SpanSlot {
            &self.0
        }
    }

    /// Writes down what happens, and in which spans.
    struct Notes(std::sync::mpsc::Sender<String>);

    impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Notes {
        fn on_new_span(&self, attributes: &span::Attributes<'_>, _: &span::Id, _: Context<'_, S>) {
            let _ = self.0.send(format!("new {}", attributes.metadata().name()));
        }

        fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
            let scope = context.event_scope(event).into_iter().flatten();
            let names: Vec<_> = scope.map(|span| span.name()).collect();
            let _ = self.0.send(format!("event in {}", names.join(" in ")));
        }

        fn on_close(&self, id: span::Id, context: Context<'_, S>) {
            let name = context.span(&id).map_or("?", |span| span.name());
            let _ = self.0.send(format!("closed {name}"));
        }
    }

    /// Runs with a subscriber, and returns what it has seen.
    fn seen(run: impl FnOnce()) -> Vec<String> {
        let (sender, receiver) = std::sync::mpsc::channel();
        let subscriber = LateSpans::new(Registry::default().with(Notes(sender)));
        tracing::subscriber::with_default(subscriber, run);
        receiver.try_iter().collect()
    }

    #[test]
    fn what_logs_nothing_makes_no_span() {
        let seen = seen(|| {
            let work: Arc<dyn LateSpan> = Arc::new(Work::default());
            for _ in 0..2 {
                drop(enter(Arc::clone(&work)));
            }
        });
        assert_eq!(seen, [""; 0]);
    }

    #[test]
    fn the_first_event_makes_it_and_later_ones_are_in_the_same() {
        let seen = seen(|| {
            let work: Arc<dyn LateSpan> = Arc::new(Work::default());
            let inside = enter(Arc::clone(&work));
            tracing::info!("one");
            drop(inside);
            tracing::info!("outside");
            let inside = enter(Arc::clone(&work));
            tracing::info!("two");
            drop((inside, work));
        });
        let expected = [
            "new work",
            "event in work",
            "event in ",
            "event in work",
            "closed work",
        ];
        assert_eq!(seen, expected);
    }

    #[test]
    fn a_span_inside_has_it_as_its_parent() {
        let seen = seen(|| {
            let work: Arc<dyn LateSpan> = Arc::new(Work::default());
            let _inside = enter(work);
            tracing::info_span!("step").in_scope(|| tracing::info!("one"));
        });
        let expected = [
            "new work",
            "new step",
            "event in step in work",
            "closed step",
            "closed work",
        ];
        assert_eq!(seen, expected);
    }

    #[test]
    fn whoever_takes_the_current_span_along_has_it() {
        let seen = seen(|| {
            let work: Arc<dyn LateSpan> = Arc::new(Work::default());
            let inside = enter(work);
            let taken = tracing::Span::current();
            drop(inside);
            taken.in_scope(|| tracing::info!("later"));
        });
        assert_eq!(seen, ["new work", "event in work", "closed work"]);
    }

    #[test]
    fn the_outer_one_waits_again_behind_an_inner_one() {
        let seen = seen(|| {
            let _outer = enter(Arc::new(Work::default()));
            drop(enter(Arc::new(Work::default())));
            tracing::info!("one");
        });
        assert_eq!(seen, ["new work", "event in work", "closed work"]);
    }
}
