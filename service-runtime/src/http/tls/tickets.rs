//! Tickets by which a client resumes a session, with any worker of the program.
//!
//! The key is made before the first fork, and every worker has it: so a client that comes back to another
//! worker need not agree on keys anew. It is replaced every six hours, then by each worker for itself:
//! workers that are older resume only their own sessions until the program is started or upgraded.

use std::sync::{Arc, OnceLock};

use tokio_rustls::rustls::crypto::ring::Ticketer;
use tokio_rustls::rustls::server::ProducesTickets;

/// As long as the state of a session may be, in bytes; without a client's certificate it is far shorter.
const LONGEST: usize = 2048;

static TICKETS: OnceLock<Option<Arc<dyn ProducesTickets>>> = OnceLock::new();

/// Returns what makes and reads tickets; the same in every process forked after the first call.
///
/// `None` if the system has no random numbers: then nobody resumes a session.
pub(crate) fn tickets() -> Option<Arc<dyn ProducesTickets>> {
    let new = || {
        let tickets = Ticketer::new().ok()?;
        // It takes no ticket for its own that is longer than those that it has made: one that long was.
        let _ = tickets.encrypt(&[0; LONGEST]);
        Some(tickets)
    };
    TICKETS.get_or_init(new).clone()
}
