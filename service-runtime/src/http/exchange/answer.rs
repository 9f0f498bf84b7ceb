//! The body of an answer: while it lives, its request is in flight.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use crate::http::BoxError;
use crate::http::connection::InFlight;

pin_project! {
    /// The body of an answer.
    pub(crate) struct AnswerBody<B> {
        #[pin]
        kind: Kind<B>,
        in_flight: InFlight,
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
        Self { kind, in_flight }
    }

    pub(super) fn empty(in_flight: InFlight) -> Self {
        Self::text(None, in_flight)
    }

    pub(super) fn text(text: Option<String>, in_flight: InFlight) -> Self {
        let text = text.filter(|text| !text.is_empty()).map(Bytes::from);
        let kind = Kind::Text { text };
        Self { kind, in_flight }
    }
}

impl<B: Body<Data = Bytes, Error: Into<BoxError>>> Body for AnswerBody<B> {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match self.project().kind.project() {
            KindProj::Handlers { body } => body
                .poll_frame(cx)
                .map(|frame| frame.map(|frame| frame.map_err(Into::into))),
            KindProj::Text { text } => Poll::Ready(text.take().map(|text| Ok(Frame::data(text)))),
        }
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
