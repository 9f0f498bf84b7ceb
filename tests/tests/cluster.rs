//! Programs of one cluster, on a store of SQLite: who sees whom, and who does what only one does.

use nix::sys::signal::Signal;
use tests::fixture;
use tests::harness::{Fixture, Scratch, field, until};

/// Starts a program that takes itself for this host; `more` are further lines of `[membership]`.
fn start(store: &Scratch, host: &str, workers: usize, more: &str) -> Fixture {
    let file = store.path("store.db");
    let lock = store.path("lock");
    let program = fixture!("clustered")
        .config(&format!(
            "[launch]\nworkers = {workers}\n[store]\nurl = 'sqlite:{}'\n[agent]\nlock = '{}'\n\
             [membership]\nhost = '{host}'\ninterval = '200ms'\nlease = '2s'\n{more}\n",
            file.display(),
            lock.display(),
        ))
        .start();
    program.wait_for("ready hook");
    program
}

/// Waits until a program sees its members so.
#[track_caller]
fn sees(program: &Fixture, what: impl Fn(&str) -> bool) {
    until("the members are seen so", || {
        let lines = program.lines().with("members: ");
        lines.last().is_some_and(|line| what(line))
    });
}

#[test]
fn a_worker_is_a_member_from_ready_on_says_that_it_drains_and_leaves_when_it_ends() {
    let store = Scratch::new();
    let watcher = start(&store, "h2", 1, "");
    let program = start(&store, "h1", 2, "");
    sees(&watcher, |line| {
        ["h1.0=up", "h1.1=up", "h2.0=up"]
            .iter()
            .all(|one| line.contains(one))
    });
    program.signal(Signal::SIGTERM);
    assert_eq!(program.exit_code(), 0);
    sees(&watcher, |line| {
        !line.contains("h1.") && line.contains("h2.0=up")
    });
    // The order of one worker's steps, from its own log.
    let lines = program.lines().all();
    let place = |text: &str| {
        let found = lines.iter().position(|line| line.contains(text));
        found.unwrap_or_else(|| panic!("no {text:?} in {lines:#?}"))
    };
    let order = [
        "service record created",
        "recorded host=\"h1\" version=2",
        "ready hook known=false",
        "stop hook sees draining",
        "stopped hook sees draining",
    ];
    let places: Vec<_> = order
        .iter()
        .filter(|text| **text != "service record created")
        .map(|text| place(text))
        .collect();
    assert!(places.is_sorted(), "{places:?} {lines:#?}");
}

#[test]
fn a_killed_program_is_down_at_once_on_its_own_machine() {
    let store = Scratch::new();
    let more = "down_after = '10m'";
    let watcher = start(&store, "h2", 1, more);
    let program = start(&store, "h1", 1, more);
    sees(&watcher, |line| line.contains("h1.0=up"));
    program.signal_all(Signal::SIGKILL);
    sees(&watcher, |line| line.contains("h1.0=down"));
}

#[test]
fn a_program_that_stands_still_is_down_and_up_again_when_it_goes_on() {
    let store = Scratch::new();
    let more = "down_after = '2s'";
    let watcher = start(&store, "h2", 1, more);
    let program = start(&store, "h1", 1, more);
    sees(&watcher, |line| line.contains("h1.0=up"));
    program.signal_all(Signal::SIGSTOP);
    sees(&watcher, |line| {
        line.contains("h1.0=down") && line.contains("h2.0=up")
    });
    program.signal_all(Signal::SIGCONT);
    sees(&watcher, |line| line.contains("h1.0=up"));
}

#[test]
fn one_worker_of_the_cluster_runs_a_task_and_another_takes_over_when_it_is_killed() {
    let store = Scratch::new();
    let programs = [start(&store, "h1", 2, ""), start(&store, "h2", 2, "")];
    let runs = || -> Vec<(usize, String)> {
        let of = |place: usize| {
            let lines = programs[place].lines().with("only run ").into_iter();
            lines.map(move |line| (place, line))
        };
        of(0).chain(of(1)).collect()
    };
    until("the task has run often", || runs().len() >= 20);
    let (place, line) = runs().remove(0);
    let pid: i32 = field(&line, "pid");
    assert_eq!(field::<i64>(&line, "fence"), 1);
    assert!(
        runs()
            .iter()
            .all(|(_, line)| field::<i32>(line, "pid") == pid),
        "more than one worker has run: {:#?}",
        runs()
    );
    tests::harness::kill(nix::unistd::Pid::from_raw(pid), Signal::SIGKILL);
    until("another has taken over", || {
        let after = runs();
        let mut others = after
            .iter()
            .filter(|(_, line)| field::<i32>(line, "pid") != pid);
        others.any(|(_, line)| field::<i64>(line, "fence") == 2)
    });
    // A stop gives the lease back: the next one does not wait until it runs out.
    programs[place].signal(Signal::SIGTERM);
    assert_eq!(programs[place].exit_code(), 0);
    let other = &programs[1 - place];
    until("the other program runs it", || {
        !other.lines().with("only run ").is_empty()
    });
    for program in &programs {
        let overlaps = program.lines().with("two runs at once");
        assert!(overlaps.is_empty(), "{overlaps:#?}");
    }
}

#[test]
fn eight_workers_that_beat_all_the_time_lose_no_beat() {
    let store = Scratch::new();
    let program = start(&store, "h1", 8, "");
    let more = start(&store, "h2", 1, "");
    until("many beats are counted", || {
        let runs = program.lines().with("only run ").into_iter();
        let runs = runs.chain(more.lines().with("only run "));
        runs.filter(|line| line.contains("reports="))
            .any(|line| field::<u64>(&line, "reports") >= 60)
    });
    program.signal(Signal::SIGTERM);
    more.signal(Signal::SIGTERM);
    assert_eq!((program.exit_code(), more.exit_code()), (0, 0));
    for program in [&program, &more] {
        let errors = program.lines().with("ERROR");
        assert!(errors.is_empty(), "{errors:#?}");
    }
}

#[test]
fn a_store_of_another_kind_ends_the_start_with_what_to_write() {
    let program = fixture!("clustered")
        .config("[store]\nurl = 'mysql://me:s3cret@db/x'\n")
        .start();
    assert_eq!(program.exit_code(), 1);
    program.everybody_is_gone();
    let lines = program.lines().all().join("\n");
    assert!(lines.contains("write `sqlite:/path/to/file`"), "{lines}");
    assert!(!lines.contains("s3cret"), "{lines}");
}

#[test]
fn a_program_waits_for_a_store_that_cannot_be_opened_and_starts_when_it_can() {
    let store = Scratch::new();
    // A folder stands where the file belongs.
    std::fs::create_dir(store.path("store.db")).unwrap();
    let program = fixture!("clustered")
        .config(&format!(
            "[launch]\nworkers = 1\n[store]\nurl = 'sqlite:{}'\n",
            store.path("store.db").display()
        ))
        .start();
    program.wait_for("waits for the store: ");
    assert!(program.lines().with("ready hook").is_empty());
    std::fs::remove_dir(store.path("store.db")).unwrap();
    program.wait_for("the store answers");
    program.wait_for("ready hook");
    program.signal(Signal::SIGTERM);
    assert_eq!(program.exit_code(), 0);
}
