//! What an accept loop does about errors that are not the listener's fault.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use nix::errno::Errno;

use crate::backoff::{Backoff, Delays};

const PAUSES: Backoff = Backoff::doubling(Duration::from_millis(100), Duration::from_secs(1));

/// Remembers whether the system was short of something, so that the log hears of it once.
#[derive(Debug, Default)]
pub(super) struct Pressure {
    short: AtomicBool,
}

/// What an error of `accept(2)` says about the next attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AcceptError {
    /// That one connection is lost; the next may be fine.
    Again,
    /// Something must be freed first.
    OutOfResources,
    /// It will not get better.
    Fatal,
}

/// What one call of `accept` goes through until there is a connection.
#[derive(Debug)]
pub(super) struct Attempts<'a> {
    pressure: &'a Pressure,
    pauses: Delays,
}

impl Pressure {
    /// Begins to accept one connection.
    pub(super) fn attempts(&self) -> Attempts<'_> {
        Attempts {
            pressure: self,
            pauses: PAUSES.delays(),
        }
    }
}

impl Attempts<'_> {
    /// Takes note that there is a connection.
    pub(super) fn accepted(self) {
        if self.pressure.short.swap(false, Ordering::Relaxed) {
            tracing::info!("connections are accepted again");
        }
    }

    /// Waits as long as it takes before the next attempt.
    ///
    /// # Errors
    ///
    /// Returns an error that stays.
    pub(super) async fn failed(&mut self, error: io::Error) -> io::Result<()> {
        match classify(&error) {
            AcceptError::Again => {
                tracing::debug!(%error, "a connection was gone before it was accepted");
                Ok(())
            }
            AcceptError::OutOfResources => {
                if !self.pressure.short.swap(true, Ordering::Relaxed) {
                    tracing::warn!(%error, "connections wait until this process can accept them");
                }
                tokio::time::sleep(self.pauses.take()).await;
                Ok(())
            }
            AcceptError::Fatal => Err(error),
        }
    }
}

fn classify(error: &io::Error) -> AcceptError {
    match error.raw_os_error().map(Errno::from_raw) {
        Some(Errno::EMFILE | Errno::ENFILE | Errno::ENOBUFS | Errno::ENOMEM) => {
            AcceptError::OutOfResources
        }
        // The errors of a new connection's network, which accept(2) says to take as EAGAIN.
        Some(
            Errno::ECONNABORTED
            | Errno::ECONNRESET
            | Errno::EHOSTUNREACH
            | Errno::EINTR
            | Errno::ENETDOWN
            | Errno::ENETUNREACH
            | Errno::ENOPROTOOPT
            | Errno::EPERM
            | Errno::EPROTO
            | Errno::ETIMEDOUT,
        ) => AcceptError::Again,
        _ => AcceptError::Fatal,
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    /// Accepts what a list says, to its end.
    async fn accept(pressure: &Pressure, outcomes: Vec<Result<u32, Errno>>) -> io::Result<u32> {
        let mut attempts = pressure.attempts();
        let mut outcomes = outcomes.into_iter();
        loop {
            match outcomes.next().unwrap() {
                Ok(accepted) => {
                    attempts.accepted();
                    assert_eq!(outcomes.next(), None);
                    return Ok(accepted);
                }
                Err(errno) => attempts.failed(errno.into()).await?,
            }
        }
    }

    async fn accepted(outcomes: Vec<Result<u32, Errno>>) -> (io::Result<u32>, Duration) {
        let begin = Instant::now();
        let result = accept(&Pressure::default(), outcomes).await;
        (result, begin.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_is_gone_is_passed_over_at_once() {
        let gone = [Errno::ECONNABORTED, Errno::EPROTO, Errno::EINTR].map(Err);
        let (result, took) = accepted([&gone[..], &[Ok(7)]].concat()).await;
        assert_eq!(result.unwrap(), 7);
        assert_eq!(took, Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_shortage_is_waited_out_with_growing_pauses() {
        let short = [Errno::EMFILE, Errno::ENFILE, Errno::ENOBUFS, Errno::ENOMEM].map(Err);
        let (result, took) = accepted([&short[..], &short[..2], &[Ok(7)]].concat()).await;
        assert_eq!(result.unwrap(), 7);
        let pauses = [100, 200, 400, 800, 1000, 1000];
        assert_eq!(took.as_millis(), pauses.into_iter().sum());
    }

    #[tokio::test(start_paused = true)]
    async fn an_error_that_stays_is_returned() {
        let (result, _) = accepted(vec![Err(Errno::EMFILE), Err(Errno::EINVAL)]).await;
        assert_eq!(
            result.unwrap_err().raw_os_error(),
            Some(Errno::EINVAL as i32)
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_shortage_is_forgotten_with_the_next_connection() {
        let pressure = Pressure::default();
        let outcomes = vec![Err(Errno::EMFILE), Ok(7)];
        accept(&pressure, outcomes).await.unwrap();
        assert!(!pressure.short.load(Ordering::Relaxed));
    }
}
