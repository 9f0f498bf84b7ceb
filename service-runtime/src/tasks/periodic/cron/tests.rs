//! Cron in paused time, with a wall clock that the test sets.

use std::sync::{Arc, Mutex};

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::sleep;

use super::*;
use crate::tasks::looping::{Gate, LoopOptions, Plan};
use crate::tasks::{Periodic, TaskGroup, TaskKind};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

/// A wall clock that goes with tokio's time, except when it is set.
#[derive(Clone)]
struct Wall(Arc<Mutex<(Timestamp, Instant)>>);

impl Wall {
    fn at(time: &str) -> Self {
        Self(Arc::new(Mutex::new((
            time.parse().unwrap(),
            Instant::now(),
        ))))
    }

    /// Sets the clock forward or back.
    fn jump(&self, by: SignedDuration) {
        let now = self.now();
        *self.0.lock().unwrap() = (now + by, Instant::now());
    }
}

impl Clock for Wall {
    fn now(&self) -> Timestamp {
        let (time, since) = *self.0.lock().unwrap();
        time + since.elapsed()
    }
}

/// Starts a task whose runs take a while; tells the time of day, in its zone, of each begin.
fn start(
    group: &TaskGroup,
    wall: &Wall,
    line: (&'static str, &'static str),
    jitter: Duration,
    takes: Duration,
) -> UnboundedReceiver<String> {
    let (tell, told) = unbounded_channel();
    let zone = TimeZone::get(line.1).unwrap();
    let (expression, time_zone) = (line.0.into(), Some(line.1.into()));
    let pace = Line {
        expression,
        time_zone,
    }
    .pace(jitter, false, wall.clone())
    .unwrap();
    let clock = wall.clone();
    let run = move || {
        let now = clock.now().to_zoned(zone.clone());
        tell.send(now.strftime("%m-%d %H:%M:%S %Z").to_string())
            .ok();
        async move {
            sleep(takes).await;
            anyhow::Ok(())
        }
    };
    let gate: Option<Gate> = None;
    let options = LoopOptions::default();
    let plan = Plan::new(group, "c".into(), TaskKind::Periodic, options);
    drop(Plan { gate, ..plan }.start_quiet(group, pace, run).unwrap());
    told
}

async fn take(told: &mut UnboundedReceiver<String>, count: usize) -> Vec<String> {
    let mut taken = Vec::new();
    for _ in 0..count {
        taken.push(told.recv().await.unwrap());
    }
    taken
}

fn counts(group: &TaskGroup) -> (u64, u64) {
    let info = group.tasks().pop().unwrap();
    (info.runs, info.skipped)
}

#[tokio::test(start_paused = true)]
async fn runs_come_when_the_expression_says_in_its_zone() {
    let (group, wall) = (TaskGroup::new("g"), Wall::at("2026-01-10T12:00:00.25Z"));
    let weekly = ("30 9 * * MON", "Europe/Berlin");
    let mut told = start(&group, &wall, weekly, Duration::ZERO, MINUTE);
    let expected = [
        "01-12 09:30:00 CET",
        "01-19 09:30:00 CET",
        "01-26 09:30:00 CET",
    ];
    assert_eq!(take(&mut told, 3).await, expected);
    assert_eq!(counts(&group), (3, 0));
}

#[tokio::test(start_paused = true)]
async fn a_time_that_the_day_does_not_have_runs_right_after_the_gap() {
    let (group, wall) = (TaskGroup::new("g"), Wall::at("2026-03-28T00:00:00Z"));
    let daily = ("30 2 * * *", "Europe/Berlin");
    let mut told = start(&group, &wall, daily, Duration::ZERO, MINUTE);
    let expected = [
        "03-28 02:30:00 CET",
        "03-29 03:00:00 CEST",
        "03-30 02:30:00 CEST",
    ];
    assert_eq!(take(&mut told, 3).await, expected);
    assert_eq!(counts(&group), (3, 0));
}

#[tokio::test(start_paused = true)]
async fn a_time_that_the_day_has_twice_runs_once_and_an_interval_each_time() {
    let (group, wall) = (TaskGroup::new("g"), Wall::at("2026-10-24T23:00:00Z"));
    let daily = ("30 2 * * *", "Europe/Berlin");
    let mut told = start(&group, &wall, daily, Duration::ZERO, MINUTE);
    let expected = ["10-25 02:30:00 CEST", "10-26 02:30:00 CET"];
    assert_eq!(take(&mut told, 2).await, expected);

    let (group, wall) = (TaskGroup::new("g"), Wall::at("2026-10-25T00:10:00Z"));
    let half_hourly = ("*/30 * * * *", "Europe/Berlin");
    let mut told = start(&group, &wall, half_hourly, Duration::ZERO, MINUTE);
    let expected = [
        "10-25 02:30:00 CEST",
        "10-25 02:00:00 CET",
        "10-25 02:30:00 CET",
        "10-25 03:00:00 CET",
    ];
    assert_eq!(take(&mut told, 4).await, expected);
    assert_eq!(counts(&group), (4, 0));
}

#[tokio::test(start_paused = true)]
async fn listed_times_of_day_run_once_when_clocks_change_however_they_are_listed() {
    let berlin = "Europe/Berlin";
    for expression in ["30 2,14 * * *", "30 2,14-14 * * *", "0 30 2,14 * * *"] {
        let (group, wall) = (TaskGroup::new("g"), Wall::at("2026-03-28T20:00:00Z"));
        let mut told = start(&group, &wall, (expression, berlin), Duration::ZERO, MINUTE);
        let expected = ["03-29 03:00:00 CEST", "03-29 14:30:00 CEST"];
        assert_eq!(take(&mut told, 2).await, expected, "{expression}");

        let (group, wall) = (TaskGroup::new("g"), Wall::at("2026-10-24T20:00:00Z"));
        let mut told = start(&group, &wall, (expression, berlin), Duration::ZERO, MINUTE);
        let expected = ["10-25 02:30:00 CEST", "10-25 14:30:00 CET"];
        assert_eq!(take(&mut told, 2).await, expected, "{expression}");
        assert_eq!(counts(&group), (2, 0), "{expression}");
    }

    let (group, wall) = (TaskGroup::new("g"), Wall::at("2026-03-28T20:00:00Z"));
    let twice_in_the_gap = ("0,30 2 * * *", berlin);
    let mut told = start(&group, &wall, twice_in_the_gap, Duration::ZERO, MINUTE);
    let expected = ["03-29 03:00:00 CEST", "03-30 02:00:00 CEST"];
    assert_eq!(take(&mut told, 2).await, expected);

    let (group, wall) = (TaskGroup::new("g"), Wall::at("2026-10-24T20:00:00Z"));
    let mut told = start(
        &group,
        &wall,
        ("0,30 2 * * *", berlin),
        Duration::ZERO,
        MINUTE,
    );
    let expected = [
        "10-25 02:00:00 CEST",
        "10-25 02:30:00 CEST",
        "10-26 02:00:00 CET",
    ];
    assert_eq!(take(&mut told, 3).await, expected);
}

#[tokio::test(start_paused = true)]
async fn a_range_of_hours_has_as_many_runs_a_day_as_hours_that_the_day_has() {
    let (group, wall) = (TaskGroup::new("g"), Wall::at("2026-10-24T23:00:00Z"));
    let hours = ("0 1-4 * * *", "Europe/Berlin");
    let mut told = start(&group, &wall, hours, Duration::ZERO, MINUTE);
    let expected = [
        "10-25 01:00:00 CEST",
        "10-25 02:00:00 CEST",
        "10-25 03:00:00 CET",
        "10-25 04:00:00 CET",
        "10-26 01:00:00 CET",
    ];
    assert_eq!(take(&mut told, 5).await, expected);
}

#[tokio::test(start_paused = true)]
async fn a_date_that_the_zone_has_skipped_stops_no_schedule() {
    // Samoa had no 30 December 2011. Its clocks went from UTC-10 to UTC+14.
    for (expression, expected) in [
        ("0 */12 * * *", ["12-29 12:00:00 -10", "12-31 00:00:00 +14"]),
        ("0 9 * * *", ["12-29 09:00:00 -10", "12-31 00:00:00 +14"]),
        (
            "0 10,20 30,31 12 *",
            ["12-31 00:00:00 +14", "12-31 10:00:00 +14"],
        ),
    ] {
        let (group, wall) = (TaskGroup::new("g"), Wall::at("2011-12-29T18:30:00Z"));
        let line = (expression, "Pacific/Apia");
        let mut told = start(&group, &wall, line, Duration::ZERO, MINUTE);
        assert_eq!(take(&mut told, 2).await, expected, "{expression}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_clock_set_forward_over_many_runs_causes_one() {
    let (group, wall) = (TaskGroup::new("g"), Wall::at("2026-01-10T12:00:30Z"));
    let mut told = start(
        &group,
        &wall,
        ("* * * * *", "UTC"),
        Duration::ZERO,
        Duration::ZERO,
    );
    assert_eq!(take(&mut told, 1).await, ["01-10 12:01:00 UTC"]);
    wall.jump(SignedDuration::from_hours(8));
    let late = take(&mut told, 1).await.remove(0);
    assert!(
        ("01-10 20:01:00 UTC"..="01-10 20:01:30 UTC").contains(&late.as_str()),
        "{late}"
    );
    assert_eq!(
        take(&mut told, 2).await,
        ["01-10 20:02:00 UTC", "01-10 20:03:00 UTC"]
    );
    // From 12:02 to 20:01 there are 480, of which one has run.
    assert_eq!(counts(&group), (4, 479));
}

#[tokio::test(start_paused = true)]
async fn a_clock_set_forward_is_noticed_long_before_the_wait_would_end() {
    let (group, wall) = (TaskGroup::new("g"), Wall::at("2026-01-10T12:00:00Z"));
    let mut told = start(
        &group,
        &wall,
        ("0 3 * * *", "UTC"),
        Duration::ZERO,
        Duration::ZERO,
    );
    sleep(MINUTE).await;
    let jumped = Instant::now();
    wall.jump(SignedDuration::from_hours(16));
    take(&mut told, 1).await;
    assert!(jumped.elapsed() <= GLANCE);
    assert_eq!(take(&mut told, 1).await, ["01-12 03:00:00 UTC"]);
}

#[tokio::test(start_paused = true)]
async fn a_clock_set_back_a_little_repeats_no_run() {
    let (group, wall) = (TaskGroup::new("g"), Wall::at("2026-01-10T02:59:00Z"));
    let mut told = start(
        &group,
        &wall,
        ("0 3 * * *", "UTC"),
        Duration::ZERO,
        Duration::ZERO,
    );
    assert_eq!(take(&mut told, 1).await, ["01-10 03:00:00 UTC"]);
    wall.jump(SignedDuration::from_mins(-50));
    assert_eq!(take(&mut told, 1).await, ["01-11 03:00:00 UTC"]);
    assert_eq!(counts(&group), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn a_clock_set_back_by_years_is_believed() {
    let (group, wall) = (TaskGroup::new("g"), Wall::at("2039-05-05T11:59:00Z"));
    let mut told = start(
        &group,
        &wall,
        ("0 * * * *", "UTC"),
        Duration::ZERO,
        Duration::ZERO,
    );
    assert_eq!(take(&mut told, 1).await, ["05-05 12:00:00 UTC"]);
    let back = wall
        .now()
        .until("2026-01-10T07:45:00Z".parse::<Timestamp>().unwrap())
        .unwrap();
    wall.jump(SignedDuration::try_from(back).unwrap());
    assert_eq!(
        take(&mut told, 2).await,
        ["01-10 08:00:00 UTC", "01-10 09:00:00 UTC"]
    );
    assert_eq!(counts(&group), (3, 0));
}

#[tokio::test(start_paused = true)]
async fn times_that_fall_into_a_run_are_skipped_and_counted() {
    let (group, wall) = (TaskGroup::new("g"), Wall::at("2026-01-10T12:00:30Z"));
    let mut told = start(
        &group,
        &wall,
        ("* * * * *", "UTC"),
        Duration::ZERO,
        MINUTE * 7 / 2,
    );
    assert_eq!(
        take(&mut told, 2).await,
        ["01-10 12:01:00 UTC", "01-10 12:05:00 UTC"]
    );
    assert_eq!(counts(&group), (2, 3));
}

#[tokio::test(start_paused = true)]
async fn jitter_delays_a_run_but_moves_no_other() {
    let (group, wall) = (TaskGroup::new("g"), Wall::at("2026-01-10T12:30:00Z"));
    let mut told = start(&group, &wall, ("0 * * * *", "UTC"), MINUTE * 10, MINUTE);
    for begun in take(&mut told, 200).await {
        let (minute, second) = (&begun[9..11], &begun[12..14]);
        assert!(minute < "10" || (minute, second) == ("10", "00"), "{begun}");
    }
    assert_eq!(counts(&group), (200, 0));
}

#[tokio::test(start_paused = true)]
async fn a_delay_ends_before_the_time_after() {
    let (group, wall) = (TaskGroup::new("g"), Wall::at("2026-01-10T12:30:00.5Z"));
    let mut told = start(&group, &wall, ("* * * * *", "UTC"), HOUR, Duration::ZERO);
    take(&mut told, 100).await;
    let hours = wall
        .now()
        .duration_since("2026-01-10T12:30:00Z".parse().unwrap());
    assert!(hours <= SignedDuration::from_mins(102), "{hours}");
}

#[tokio::test(start_paused = true)]
async fn the_first_run_may_come_immediately_and_the_clock_of_the_system_tells_the_rest() {
    let group = TaskGroup::new("g");
    let (tell, mut told) = unbounded_channel();
    let yearly = Periodic::cron("0 0 1 1 *", Some("UTC")).immediately(true);
    let run = move || {
        tell.send(()).unwrap();
        async { Ok(()) }
    };
    let task = group.periodic("c", yearly, run).unwrap();
    told.recv().await.unwrap();
    sleep(HOUR).await;
    assert_eq!((counts(&group), task.is_done()), ((1, 0), false));
    group.stop(true);
    group.wait().await;
}

#[tokio::test]
async fn wrong_expressions_and_zones_are_refused_by_name() {
    let group = TaskGroup::new("g");
    let refuse = |expression, zone: Option<&str>| {
        let error = group.periodic("c", Periodic::cron(expression, zone), || async { Ok(()) });
        error.unwrap_err().to_string()
    };
    assert_eq!(
        refuse("61 * * * *", None),
        "wrong cron expression `61 * * * *`"
    );
    assert_eq!(refuse("* * *", None), "wrong cron expression `* * *`");
    assert_eq!(
        refuse("0 0 30 2 *", None),
        "wrong cron expression `0 0 30 2 *`"
    );
    assert_eq!(
        refuse("* * * * *", Some("Europe/Atlantis")),
        "unknown time zone `Europe/Atlantis`"
    );
}
