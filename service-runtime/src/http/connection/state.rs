//! What is known of one connection: who it is, what it works on, and until when it may go on so.
//!
//! Times are milliseconds since the server's start, so that a request costs no lock for them. Zero
//! stands for "not now".

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use axum::http::{StatusCode, Version};
use tokio::time::Instant;

use super::frames::Progress;
use super::refusals::Refusals;
use crate::http::ongoing::Ongoing;
use crate::http::shared::Shared;
use crate::listen::Peer;

/// A connection, shared by its driver, its socket and its requests.
pub(crate) struct Connection {
    pub(crate) server: Arc<Shared>,
    pub(crate) id: u64,
    pub(crate) peer: Peer,
    pub(crate) purpose: Purpose,
    accepted: u64,
    /// Requests that are being read, worked on or answered.
    in_flight: AtomicUsize,
    requests: AtomicU64,
    idle_since: AtomicU64,
    head_since: AtomicU64,
    stalled_since: AtomicU64,
    is_http2: AtomicBool,
    is_http1: AtomicBool,
    /// What is logged of requests that are never begun, if anything is.
    pub(super) refusals: Option<Refusals>,
    /// The client has been told that no further request is taken.
    announced: AtomicBool,
    /// A body was given up before its end: the client may still be sending it.
    unread: AtomicBool,
    work: Mutex<Vec<Arc<Ongoing>>>,
}

/// What is answered on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The routes alone.
    Routes,
    /// How it goes, alone.
    Health,
    /// How it goes, before the routes are asked.
    Both,
}

impl Connection {
    pub(crate) fn new(server: Arc<Shared>, id: u64, peer: Peer, purpose: Purpose) -> Self {
        let now = server.now();
        let logs = server.config.access_log != "off";
        Self {
            server,
            is_http1: AtomicBool::new(false),
            refusals: logs.then(Refusals::default),
            id,
            peer,
            purpose,
            accepted: now,
            in_flight: AtomicUsize::new(0),
            requests: AtomicU64::new(0),
            idle_since: AtomicU64::new(now),
            head_since: AtomicU64::new(0),
            stalled_since: AtomicU64::new(0),
            is_http2: AtomicBool::new(false),
            announced: AtomicBool::new(false),
            unread: AtomicBool::new(false),
            work: Mutex::default(),
        }
    }

    /// Takes note of bytes that came, and of what they were part of.
    pub(super) fn received(&self, progress: Progress) {
        if self.in_flight.load(Relaxed) > 0 {
            return;
        }
        match progress {
            Progress::Head if self.head_since.load(Relaxed) == 0 => {
                self.head_since.store(self.server.now(), Relaxed);
            }
            Progress::Head => {}
            Progress::Whole => {
                self.head_since.store(0, Relaxed);
                self.idle_since.store(self.server.now(), Relaxed);
            }
        }
    }

    /// Takes note that the client speaks HTTP/1.1.
    pub(super) fn speaks_http1(&self) {
        self.is_http1.store(true, Relaxed);
    }

    /// Tells whether the client has sent a part of a head of HTTP/1.1, and may yet send the rest.
    pub(crate) fn has_part_of_head(&self) -> bool {
        let begun = self.is_http1.load(Relaxed) && self.head_since.load(Relaxed) != 0;
        begun && !self.is_announced() && !self.unread.load(Relaxed)
    }

    /// Returns the status of each request that HTTP/2 has refused by itself since the last look; all
    /// that has come was looked at.
    pub(crate) fn take_refused(&self) -> Vec<StatusCode> {
        let refusals = self.refusals.as_ref();
        refusals.map_or_else(Vec::new, |it| it.take(self.requests.load(Relaxed)))
    }

    /// Returns the same at the end; `otherwise` stands for those that nobody has looked at.
    pub(crate) fn take_rest_refused(&self, otherwise: StatusCode) -> Vec<StatusCode> {
        let refusals = self.refusals.as_ref();
        refusals.map_or_else(Vec::new, |it| {
            it.take_rest(self.requests.load(Relaxed), otherwise)
        })
    }

    /// Takes note of whether the client takes what is sent.
    pub(crate) fn sent(&self, stalled: bool) {
        if !stalled {
            if self.stalled_since.load(Relaxed) != 0 {
                self.stalled_since.store(0, Relaxed);
            }
        } else if self.stalled_since.load(Relaxed) == 0 {
            self.stalled_since.store(self.server.now(), Relaxed);
        }
    }

    /// Takes note of a request that begins; the supervisor hears of one that counts.
    pub(super) fn begun(&self, request: &Arc<Ongoing>, version: Version, counts: bool) {
        let earlier = self.requests.fetch_add(1, Relaxed);
        if earlier == 0 && version == Version::HTTP_2 {
            self.is_http2.store(true, Relaxed);
        }
        if counts {
            self.server.begun();
        }
        self.in_flight.fetch_add(1, Relaxed);
        self.head_since.store(0, Relaxed);
        self.lock().push(Arc::clone(request));
    }

    /// Takes note that a request is no longer in flight.
    pub(super) fn ended(&self, request: &Arc<Ongoing>, now: Instant) {
        {
            let mut work = self.lock();
            if let Some(place) = work.iter().position(|it| Arc::ptr_eq(it, request)) {
                work.swap_remove(place);
            }
        }
        self.idle_since.store(self.server.millis(now), Relaxed);
        self.in_flight.fetch_sub(1, Relaxed);
    }

    /// Tells whether the answer of the moment is to be the connection's last.
    pub(crate) fn is_to_close(&self) -> bool {
        let limit = self.server.config.connection_requests;
        self.server.is_draining() || (limit > 0 && self.requests.load(Relaxed) >= limit)
    }

    pub(crate) fn is_http2(&self) -> bool {
        self.is_http2.load(Relaxed)
    }

    /// Takes note that an answer announces the end, or that HTTP/2 is to announce it.
    pub(crate) fn announce(&self) {
        self.announced.store(true, Relaxed);
    }

    pub(crate) fn is_announced(&self) -> bool {
        self.announced.load(Relaxed)
    }

    /// Takes note of a body that nobody reads to its end.
    pub(crate) fn leave_unread(&self) {
        self.unread.store(true, Relaxed);
    }

    /// Tells whether the client may still be sending what nobody wants.
    pub(crate) fn is_unread(&self) -> bool {
        self.unread.load(Relaxed) || self.head_since.load(Relaxed) != 0
    }

    /// Returns when the connection has to end unless something happens before, and why.
    pub(crate) fn due(&self) -> Option<(u64, Overdue)> {
        let limits = &self.server.limits;
        let stalled = self.stalled_since.load(Relaxed);
        if stalled != 0 {
            return limits
                .send
                .map(|limit| (stalled + limit, Overdue::NotTaken));
        }
        if self.in_flight.load(Relaxed) > 0 {
            return None;
        }
        let head = self.head_since.load(Relaxed);
        if head != 0 {
            return limits.head.map(|limit| (head + limit, Overdue::Head));
        }
        let idle = self.idle_since.load(Relaxed);
        let lingers = self.server.drains_since().map(|since| {
            let until = since.max(idle) + limits.linger;
            (until, Overdue::Lingered)
        });
        let silent = if self.requests.load(Relaxed) == 0 {
            limits
                .head
                .map(|limit| (self.accepted + limit, Overdue::Head))
        } else {
            limits.idle.map(|limit| (idle + limit, Overdue::Idle))
        };
        match (lingers, silent) {
            (Some(one), Some(other)) if other.0 < one.0 => Some(other),
            (Some(one), _) => Some(one),
            (None, other) => other,
        }
    }

    /// Returns the requests in flight.
    pub(crate) fn work(&self) -> Vec<Arc<Ongoing>> {
        self.lock().clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Arc<Ongoing>>> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why a connection is ended by us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Overdue {
    /// No head of a request came, or not all of it.
    Head,
    /// Nothing came for too long.
    Idle,
    /// The client does not take its answer.
    NotTaken,
    /// The server stops.
    Lingered,
}
