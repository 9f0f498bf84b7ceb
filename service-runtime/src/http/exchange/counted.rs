//! A piece of an answer that counts what of it has left.

use std::sync::Arc;

use bytes::{Buf, Bytes};

use super::access::Record;

/// Bytes of a body, and the line of the access log that says how many of them were sent.
///
/// hyper keeps a piece until the socket has taken it, and advances it by what the socket takes; whatever is
/// dropped before that was not sent.
pub(crate) struct Counted {
    bytes: Bytes,
    record: Option<Arc<Record>>,
}

impl Counted {
    pub(super) fn new(bytes: Bytes, record: Option<Arc<Record>>) -> Self {
        Self { bytes, record }
    }

    fn sent(&self, length: usize) {
        if let Some(record) = &self.record {
            record.sent(length);
        }
    }
}

impl Buf for Counted {
    fn remaining(&self) -> usize {
        self.bytes.remaining()
    }

    fn chunk(&self) -> &[u8] {
        self.bytes.chunk()
    }

    fn advance(&mut self, length: usize) {
        self.sent(length);
        self.bytes.advance(length);
    }

    fn copy_to_bytes(&mut self, length: usize) -> Bytes {
        self.sent(length);
        self.bytes.copy_to_bytes(length)
    }
}
