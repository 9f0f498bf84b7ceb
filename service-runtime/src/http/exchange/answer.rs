//! The body of an answer: while it lives, its request is in flight.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::http::StatusCode;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::access::Record;
use super::counted::Counted;
use super::span::RequestSpan;
use crate::http::BoxError;
use crate::http::connection::InFlight;

pin_project! {
    /// The body of an answer.
    pub(crate) struct AnswerBody<B> {
        #[pin]
        kind: Kind<B>,
        in_flight: InFlight,
        record: Option<Arc<Record>>,
        span: RequestSpan,
    }
}

pin_project! {
    #[project = KindProj]
    enum Kind<B> {
        Handlers { #[pin] body: B },
        Text { text: Option<Bytes> },
    }
}

impl<B> AnswerBody<B> {
    pub(super) fn of(body: B, in_flight: InFlight) -> Self {
        let kind = Kind::Handlers { body };
        Self::new(kind, in_flight)
    }

    fn new(kind: Kind<B>, in_flight: InFlight) -> Self {
        Self {
            kind,
            in_flight,
            record: None,
            span: RequestSpan::none(),
        }
    }

    /// Takes note of the status that it comes with.
    pub(super) fn answered(&mut self, status: StatusCode) {
        self.in_flight.answered(status);
    }

    /// Makes the body in this span, if any of it is still to be made.
    pub(super) fn within(&mut self, span: RequestSpan)
    where
        B: Body,
    {
        if let Kind::Handlers { body } = &self.kind
            && body.size_hint().exact().is_none()
        {
            self.span = span;
        }
    }

    /// Gives the body up: its status, or its request, allows none.
    pub(super) fn discard(&mut self) {
        self.kind = Kind::Text { text: None };
    }

    /// Logs the exchange when all pieces of the body have left, or were given up.
    pub(super) fn recorded(&mut self, record: Arc<Record>) {
        self.record = Some(record);
    }

    pub(super) fn empty(in_flight: InFlight) -> Self {
        Self::text(None, in_flight)
    }

    pub(super) fn text(text: Option<String>, in_flight: InFlight) -> Self {
        let text = text.filter(|text| !text.is_empty()).map(Bytes::from);
        let kind = Kind::Text { text };
        Self::new(kind, in_flight)
    }
}

impl<B: Body<Data = Bytes, Error: Into<BoxError>>> Body for AnswerBody<B> {
    type Data = Counted;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Counted>, BoxError>>> {
        let this = self.project();
        let _inside = this.span.enter();
        let frame: Option<Result<Frame<Bytes>, BoxError>> = match this.kind.project() {
            KindProj::Handlers { body } => {
                ready!(body.poll_frame(cx)).map(|frame| frame.map_err(Into::into))
            }
            KindProj::Text { text } => text.take().map(|text| Ok(Frame::data(text))),
        };
        let counted = |bytes| Counted::new(bytes, this.record.clone());
        Poll::Ready(frame.map(|frame| frame.map(|frame| frame.map_data(counted))))
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Handlers { body } => body.is_end_stream(),
            Kind::Text { text } => text.is_none(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Handlers { body } => body.size_hint(),
            Kind::Text { text } => {
                SizeHint::with_exact(text.as_ref().map_or(0, |text| text.len() as u64))
            }
        }
    }
}
