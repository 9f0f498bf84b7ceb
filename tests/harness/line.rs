//! What a log line says.

use std::time::Duration;

use nix::unistd::Pid;

/// A worker, as a log line of the supervisor names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Worker {
    /// Its place.
    pub slot: usize,
    /// Its process.
    pub pid: Pid,
    /// The generation it was forked in.
    pub generation: u64,
}

impl Worker {
    /// Reads the worker that a line such as `worker ready slot=0 pid=42 generation=1` is about.
    ///
    /// # Panics
    ///
    /// Panics if the line names none.
    #[track_caller]
    pub fn of(line: &str) -> Self {
        Self {
            slot: field(line, "slot"),
            pid: Pid::from_raw(field(line, "pid")),
            generation: field(line, "generation"),
        }
    }
}

/// Reads which process has written a log line.
///
/// # Panics
///
/// Panics if the line does not say.
#[track_caller]
pub fn writer(line: &str) -> Pid {
    let pid = line
        .split(" pid=")
        .nth(1)
        .and_then(|rest| rest.split(' ').next());
    match pid.map(str::parse) {
        Some(Ok(pid)) => Pid::from_raw(pid),
        _ => panic!("no process: {line}"),
    }
}

/// Reads the last field of this name, such as `42` of `pid=42`; quotes are taken off.
///
/// # Panics
///
/// Panics if the line has no such field, or one of another type.
#[track_caller]
pub fn field<T: std::str::FromStr>(line: &str, name: &str) -> T {
    let begin = format!(" {name}=");
    let Some((_, rest)) = line.rsplit_once(&begin) else {
        panic!("no field `{name}`: {line}");
    };
    let text = match rest.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next(),
        None => rest.split(' ').next(),
    };
    match text.map(str::parse) {
        Some(Ok(value)) => value,
        _ => panic!("the field `{name}` cannot be read: {line}"),
    }
}

/// Reads when a log line was written, as the time of its day.
///
/// # Panics
///
/// Panics if the line does not begin with a time.
#[track_caller]
pub fn stamp(line: &str) -> Duration {
    let time = line.split('Z').next().and_then(|at| at.split('T').nth(1));
    let read = |time: &str| {
        let mut parts = time.split(':');
        let mut next = || parts.next()?.parse::<f64>().ok();
        Some(next()? * 3600.0 + next()? * 60.0 + next()?)
    };
    match time.and_then(read) {
        Some(seconds) => Duration::from_secs_f64(seconds),
        None => panic!("no time: {line}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worker_is_the_one_that_the_line_is_about() {
        let line = "INFO supervisor pid=7 narrate: worker ready slot=1 pid=42 generation=3 after=\"3ms 1us\"";
        let (slot, pid, generation) = (1, Pid::from_raw(42), 3);
        assert_eq!(
            Worker::of(line),
            Worker {
                slot,
                pid,
                generation
            }
        );
        assert_eq!(field::<String>(line, "after"), "3ms 1us");
        assert_eq!(writer(line), Pid::from_raw(7));
    }

    #[test]
    fn the_time_of_a_line_is_that_of_its_day() {
        let line = "2026-11-22T01:02:03.250000Z  INFO supervisor pid=7 narrate: worker ready";
        assert_eq!(stamp(line), Duration::from_millis(3_723_250));
    }
}
