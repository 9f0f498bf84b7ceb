//! The requests that a process has served.

use std::time::Duration;

use super::row::Row;

/// The requests that a process has served.
#[derive(Debug, Clone)]
pub(crate) struct RequestStatus {
    pub(crate) total: u64,
    /// The figures of HTTP, if there was a request.
    pub(crate) http: Option<HttpStatus>,
}

/// What became of the requests of HTTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HttpStatus {
    pub(crate) in_flight: u64,
    pub(crate) ended: u64,
    /// How many clients went before their answer.
    pub(crate) without_answer: u64,
    /// How many answers there were of each class, from 1xx to 5xx.
    pub(crate) classes: [u64; 5],
    /// What a request that has ended took, on average; `None` as long as none has.
    pub(crate) mean: Option<Duration>,
    /// The bound within which half of them have ended; `None` also above the last bound, 10 s.
    pub(crate) p50_within: Option<Duration>,
    /// The same for 99 of a hundred.
    pub(crate) p99_within: Option<Duration>,
}

impl RequestStatus {
    /// Adds what was served to the row of the process.
    pub(super) fn add_to(&self, row: Row) -> Row {
        let http = self.http.as_ref().map(HttpStatus::row);
        row.with("requests", self.total).rows(http)
    }
}

impl HttpStatus {
    fn row(&self) -> Row {
        const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];
        let row = Row::one("http")
            .with("in_flight", self.in_flight)
            .with("ended", self.ended)
            .with("without_answer", self.without_answer);
        let row = CLASSES
            .into_iter()
            .zip(self.classes)
            .fold(row, |row, (class, count)| row.with(class, count));
        row.with("mean", self.mean)
            .with("p50_within", self.p50_within)
            .with("p99_within", self.p99_within)
    }
}

#[cfg(feature = "http")]
impl From<crate::metrics::exchanges::Figures> for HttpStatus {
    fn from(figures: crate::metrics::exchanges::Figures) -> Self {
        let percentile = |percent| (figures.ended() > 0).then(|| figures.percentile(percent));
        Self {
            in_flight: figures.in_flight(),
            ended: figures.ended(),
            without_answer: figures.without_answer(),
            classes: figures.classes(),
            mean: figures.mean(),
            p50_within: percentile(50).flatten(),
            p99_within: percentile(99).flatten(),
        }
    }
}
