//! Workers that cannot start, for a while.

use std::time::Duration;

use nix::sys::signal::Signal;
use tests::fixture;
use tests::harness::{Fixture, Scratch, field, kill, processor_time, stamp};

use super::{NOISE, since};

/// Starts a program whose first worker is ready once, and whose later ones fail while the file
/// `broken` is there.
fn broken(scratch: &Scratch) -> Fixture {
    let file = scratch.path("broken");
    let echo = fixture!("echo")
        .args([
            "--workers",
            "2",
            "--respawn-delay-max",
            "800ms",
            "--healthy-after",
            "300ms",
        ])
        .args(["--set", &format!("echo.broken_by={}", file.display())])
        .start();
    echo.ready(2);
    scratch.write("broken", "");
    echo
}

#[test]
fn a_crash_loop_at_the_start_backs_off_and_ends_by_itself_when_its_cause_does() {
    let scratch = Scratch::new();
    let echo = broken(&scratch);
    let worker = echo.settles(2)[1];
    let before = (processor_time(echo.pid()), echo.lines().all().len());
    kill(worker.pid, Signal::SIGKILL);
    // Delays as promised: the first costs nothing, then they double to the longest.
    let mut deaths = Vec::new();
    for _ in 0..8 {
        deaths.push(echo.wait_for("worker died slot=1 "));
    }
    let next: Vec<String> = deaths.iter().map(|line| field(line, "next")).collect();
    let first = usize::from(next[1] == "at once");
    assert_eq!(next[0], "at once");
    let doubled = ["in 100ms", "in 200ms", "in 400ms", "in 800ms", "in 800ms"];
    assert_eq!(next[1 + first..6 + first], doubled, "{next:?}");
    for pair in deaths.windows(2) {
        let delay: String = field(&pair[0], "next");
        let delay = delay
            .strip_prefix("in ")
            .and_then(|ms| ms.strip_suffix("ms")?.parse().ok());
        let delay = Duration::from_millis(delay.unwrap_or_default());
        let took = since(stamp(&pair[0]), stamp(&pair[1]));
        assert!(
            took >= delay && took < delay + Duration::from_millis(250) * NOISE,
            "{pair:#?}"
        );
    }
    let spent = processor_time(echo.pid()) - before.0;
    assert!(
        spent < Duration::from_millis(100) * NOISE,
        "the supervisor took {spent:?}"
    );
    let lines = echo.lines().all().len() - before.1;
    assert!(lines < 8 * 10, "{lines} lines for 8 deaths");

    std::fs::remove_file(scratch.path("broken")).unwrap();
    let last = echo.lines().with("worker died slot=1 ").len();
    let ready = echo.wait_for("worker ready slot=1 ");
    let deaths = echo.lines().with("worker died slot=1 ");
    // At most one of them was on its way when the file went.
    assert!(deaths.len() <= last + 1, "{deaths:#?}");
    let waited = since(stamp(deaths.last().unwrap()), stamp(&ready));
    assert!(
        waited < Duration::from_millis(800) + Duration::from_millis(250) * NOISE,
        "{waited:?}"
    );
}

#[test]
fn a_crash_of_a_worker_that_has_served_does_not_inherit_the_delay_of_its_start() {
    let scratch = Scratch::new();
    let echo = broken(&scratch);
    kill(echo.settles(2)[1].pid, Signal::SIGKILL);
    for _ in 0..4 {
        echo.wait_for("worker died slot=1 ");
    }
    std::fs::remove_file(scratch.path("broken")).unwrap();
    echo.wait_for("worker ready slot=1 ");
    let healed = echo.settles(2)[1];
    // For as long as `healthy_after` says.
    std::thread::sleep(Duration::from_millis(400));
    kill(healed.pid, Signal::SIGKILL);
    let died = echo.wait_for(&format!("worker died slot=1 pid={} ", healed.pid));
    assert_eq!(field::<String>(&died, "next"), "at once");
}
