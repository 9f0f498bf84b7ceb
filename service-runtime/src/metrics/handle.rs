//! What is kept of a series by whoever counts: where its words are.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::os::process::arena::{Word, Words};

/// A counter or a gauge: one word.
#[derive(Debug, Clone)]
pub(crate) struct Cell {
    pub(super) word: Word,
}

/// A histogram.
#[derive(Debug, Clone)]
pub(crate) struct Buckets {
    pub(super) words: Arc<Words>,
    /// Where its counts begin.
    pub(super) at: usize,
    pub(super) bounds: Arc<[f64]>,
}

impl Cell {
    /// Counts.
    pub(crate) fn increment(&self, value: u64) {
        self.word().fetch_add(value, Ordering::Relaxed);
    }

    /// Adds to a gauge.
    pub(crate) fn add(&self, value: f64) {
        add(self.word(), value);
    }

    fn word(&self) -> &AtomicU64 {
        &self.word
    }
}

impl Buckets {
    /// Counts a value `times` times; what is not a number is left out.
    fn count(&self, value: f64, times: u64) {
        if value.is_nan() || times == 0 {
            return;
        }
        let bucket = self.bounds.partition_point(|bound| *bound < value);
        self.words[self.at + bucket].fetch_add(times, Ordering::Relaxed);
        let sum = &self.words[self.at + self.bounds.len() + 1];
        add(sum, value * times as f64);
    }
}

/// Adds to a word that holds the bits of a number.
fn add(word: &AtomicU64, value: f64) {
    let sum = |bits| Some((f64::from_bits(bits) + value).to_bits());
    let _ = word.fetch_update(Ordering::Relaxed, Ordering::Relaxed, sum);
}

impl ::metrics::CounterFn for Cell {
    fn increment(&self, value: u64) {
        Self::increment(self, value);
    }

    fn absolute(&self, value: u64) {
        self.word().fetch_max(value, Ordering::Relaxed);
    }
}

impl ::metrics::GaugeFn for Cell {
    fn increment(&self, value: f64) {
        self.add(value);
    }

    fn decrement(&self, value: f64) {
        self.add(-value);
    }

    fn set(&self, value: f64) {
        self.word().store(value.to_bits(), Ordering::Relaxed);
    }
}

impl ::metrics::HistogramFn for Buckets {
    fn record(&self, value: f64) {
        self.count(value, 1);
    }

    fn record_many(&self, value: f64, count: usize) {
        self.count(value, count as u64);
    }
}
