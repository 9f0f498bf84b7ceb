//! Reloads: whole or not at all, and no client notices.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use nix::sys::signal::Signal;
use nix::unistd::Pid;
use tests::fixture;
use tests::harness::{Client, Fixture, Scratch, Worker, descriptors, field, kill, until};

/// Returns the workers as the supervisor reports them when no reload is under way any more.
#[track_caller]
fn settled(program: &Fixture) -> Vec<Worker> {
    loop {
        program.signal(Signal::SIGUSR1);
        let whole = program.wait_for(" lost_lines=");
        if [" reloading", " draining", " ready"]
            .iter()
            .any(|word| whole.contains(word))
        {
            continue;
        }
        let count = whole
            .split(" report: ")
            .nth(1)
            .and_then(|rest| rest.split(' ').next());
        let count: usize = count
            .and_then(|count| count.parse().ok())
            .expect("a number of workers");
        let reported = || {
            let lines = program.lines().all().into_iter();
            let after = lines.skip_while(|line| *line != whole);
            let after = after.filter(|line| line.contains(" report: worker slot="));
            after
                .take(count)
                .map(|line| Worker::of(&line))
                .collect::<Vec<_>>()
        };
        until("every worker is reported", || reported().len() == count);
        let mut workers = reported();
        workers.sort_unstable();
        return workers;
    }
}

fn hup(program: &Fixture, config: &str) {
    program.rewrite(config);
    program.signal(Signal::SIGHUP);
}

#[test]
fn a_new_file_is_in_place_after_a_reload() {
    let greeter = fixture!("greeter")
        .config("[greeter]\ngreeting = 'hello'\n")
        .start();
    let old = greeter.ready(2);
    hup(&greeter, "[greeter]\ngreeting = 'servus'\nplace = 'gate'\n");
    for _ in &old {
        greeter.wait_for("started greeting=\"servus\" place=\"gate\" generation=2");
    }
    let new = greeter.ready(2);
    assert_eq!(settled(&greeter), new);
    // Each old one stopped only when the new one in its slot was ready.
    let lines = greeter.lines().all();
    let place = |text: &str| lines.iter().position(|line| line.contains(text)).unwrap();
    for (old, new) in old.iter().zip(&new) {
        let ready = place(&format!("worker ready slot={} pid={}", new.slot, new.pid));
        assert!(
            ready < place(&format!("pid={} greeter: stopping", old.pid)),
            "{lines:#?}"
        );
    }
}

#[test]
fn the_number_of_workers_follows_the_file() {
    let greeter = fixture!("greeter")
        .config("[launch]\nworkers = 2\n")
        .start();
    greeter.ready(2);
    hup(&greeter, "[launch]\nworkers = 4\n");
    greeter.ready(4);
    hup(&greeter, "[launch]\nworkers = 1\n");
    greeter.wait_for("number of workers changed workers=1");
    assert_eq!(settled(&greeter).len(), 1);
}

#[test]
fn a_broken_file_changes_nothing_and_a_good_one_works_again() {
    let greeter = fixture!("greeter")
        .config("[greeter]\ngreeting = 'hello'\n")
        .start();
    let old = greeter.ready(2);
    for (text, words) in [
        (
            "[greeter]\ngreting = 'servus'\n",
            &["config.toml:2", "greting", "greeting"][..],
        ),
        ("[greeter]\ngreeting = 1\n", &["config.toml:2", "greeting"]),
        ("[greeter\n", &["config.toml:1"]),
        ("[launch]\nworkers = 0\n", &["config.toml:2", "workers"]),
    ] {
        hup(&greeter, text);
        let why = greeter.wait_for("config.toml:");
        assert!(words.iter().all(|word| why.contains(word)), "{why}");
        greeter.wait_for("reload refused, nothing is changed");
    }
    assert_eq!(settled(&greeter), old);
    assert!(greeter.lines().with("greeter: stopping").is_empty());
    hup(&greeter, "[greeter]\ngreeting = 'servus'\n");
    greeter.wait_for("started greeting=\"servus\"");
    greeter.wait_for("started greeting=\"servus\"");
    greeter.ready(2);
}

#[test]
fn a_worker_that_dies_after_a_change_of_the_file_comes_back_with_the_last_good_one() {
    let greeter = fixture!("greeter")
        .config("[greeter]\ngreeting = 'hello'\n")
        .start();
    let mut workers = greeter.ready(2);
    for text in ["[greeter]\ngreeting = 'unasked'\n", "[broken\n"] {
        greeter.rewrite(text);
        kill(workers[0].pid, Signal::SIGKILL);
        workers[0] = greeter.ready_worker();
        greeter.wait_for(&format!(
            "pid={} greeter: started greeting=\"hello\"",
            workers[0].pid
        ));
    }
}

#[test]
fn a_worker_that_dies_after_a_mutation_comes_back_with_what_was_taken_over() {
    let greeter = fixture!("greeter")
        .args(["--restart-method", "mutate"])
        .config("[greeter]\ngreeting = 'hello'\n")
        .start();
    let workers = greeter.ready(2);
    hup(&greeter, "[greeter]\ngreeting = 'servus'\nplace = 'gate'\n");
    greeter.wait_for(" ready: 2 workers");
    kill(workers[0].pid, Signal::SIGKILL);
    let next = greeter.ready_worker();
    greeter.wait_for(&format!(
        "pid={} greeter: started greeting=\"servus\" place=\"door\" generation=1",
        next.pid
    ));
}

#[test]
fn every_worker_gets_the_whole_of_a_mutation() {
    let greeter = fixture!("greeter")
        .args(["--restart-method", "mutate", "--workers", "4"])
        .config("[greeter]\n")
        .start();
    greeter.ready(4);
    for round in 0..20 {
        hup(
            &greeter,
            &format!("[greeter]\ngreeting = 'servus {round}'\n"),
        );
        for _ in 0..4 {
            greeter.wait_for(&format!("reset greeting=\"servus {round}\""));
        }
        greeter.wait_for(" ready: 4 workers");
    }
}

#[test]
fn a_reload_whose_first_worker_fails_is_undone_and_the_next_one_works() {
    let picky = fixture!("picky").config("[picky]\n").start();
    let old = picky.ready(2);
    hup(&picky, "[picky]\nfail_in = [0, 1]\n");
    let failed = picky.wait_for("reload failed, it is undone");
    assert!(
        field::<String>(&failed, "error").contains("the larder of slot 0 is empty"),
        "{failed}"
    );
    assert_eq!(field::<u64>(&failed, "generation"), 2);
    picky.wait_for("reload undone generation=1");
    assert_eq!(settled(&picky), old);
    hup(&picky, "[picky]\n");
    let new = picky.ready(2);
    assert!(new.iter().all(|worker| worker.generation == 3), "{new:?}");
    assert_eq!(settled(&picky), new);
}

#[test]
fn a_reload_whose_second_worker_fails_is_undone_as_a_whole() {
    let picky = fixture!("picky").config("[picky]\n").start();
    let old = picky.ready(2);
    hup(&picky, "[picky]\nfail_in = [1]\n");
    let passing = picky.ready_worker();
    assert_eq!((passing.slot, passing.generation), (0, 2));
    let failed = picky.wait_for("reload failed, it is undone");
    assert!(
        field::<String>(&failed, "error").contains("the larder of slot 1 is empty"),
        "{failed}"
    );
    picky.wait_for("reload undone generation=1");
    let now = settled(&picky);
    assert!(now.iter().all(|worker| worker.generation == 1), "{now:?}");
    assert_eq!(now[1], old[1]);
    assert_ne!(now[0].pid, passing.pid);
    // What was taken back is not what a crash brings forth either.
    kill(now[1].pid, Signal::SIGKILL);
    until("slot 1 is filled again", || {
        picky.lines().with("worker ready slot=1").len() == 2
    });
}

#[test]
fn a_reload_whose_worker_hangs_is_undone_after_the_start_timeout() {
    let picky = fixture!("picky").config("[picky]\n").start();
    picky.ready(2);
    hup(&picky, "[launch]\nstart_timeout = '1s'\n");
    picky.wait_for("reloaded generation=2");
    let old = settled(&picky);
    hup(
        &picky,
        "[launch]\nstart_timeout = '1s'\n[picky]\nhang_in = [0]\n",
    );
    picky.wait_for("worker is not ready within start_timeout: killed");
    let failed = picky.wait_for("reload failed, it is undone");
    assert!(failed.contains("killed by SIGKILL"), "{failed}");
    picky.wait_for("reload undone generation=2");
    assert_eq!(settled(&picky), old);
}

#[test]
fn a_storm_of_hups_ends_in_two_more_reloads_at_most() {
    let greeter = fixture!("greeter").start();
    greeter.ready(2);
    for _ in 0..50 {
        greeter.signal(Signal::SIGHUP);
    }
    let workers = settled(&greeter);
    let reloads = greeter.lines().with("reloaded generation=").len();
    assert!((1..=3).contains(&reloads), "{reloads}");
    assert_eq!(workers.len(), 2);
    let expected = u64::try_from(reloads).unwrap() + 1;
    assert!(
        workers.iter().all(|worker| worker.generation == expected),
        "{workers:?}"
    );
}

#[test]
fn a_hup_during_the_start_is_a_reload_after_it() {
    let greeter = fixture!("greeter").start();
    greeter.wait_for("started");
    greeter.signal(Signal::SIGHUP);
    greeter.wait_for("reloaded generation=2");
    let workers = settled(&greeter);
    assert!(
        workers.iter().all(|worker| worker.generation == 2),
        "{workers:?}"
    );
}

#[test]
fn clients_in_the_queue_are_answered_by_the_next_generation() {
    let echo = fixture!("echo").config("[echo]\naccept = false\n").start();
    echo.ready(2);
    let mut clients: Vec<_> = (0..4).map(|_| Client::of(&echo)).collect();
    for client in &mut clients {
        client.say("hello").unwrap();
    }
    hup(&echo, "[echo]\naccept = true\n");
    let new: Vec<Pid> = echo.ready(2).iter().map(|worker| worker.pid).collect();
    for client in &mut clients {
        assert!(new.contains(&client.answer("hello").unwrap()));
    }
}

#[test]
fn no_client_is_refused_or_forgotten_while_workers_are_replaced() {
    let echo = fixture!("echo").start();
    echo.ready(2);
    let said = echo.lines().with("listening on ");
    let address = said[0].rsplit(' ').next().unwrap().to_owned();
    let over = AtomicBool::new(false);
    let asked = thread::scope(|scope| {
        let client = scope.spawn(|| {
            let mut asked = 0;
            while !over.load(Ordering::Relaxed) {
                Client::connect(&address)
                    .and_then(|mut client| client.ask("hello"))
                    .unwrap();
                asked += 1;
            }
            asked
        });
        for _ in 0..5 {
            echo.signal(Signal::SIGHUP);
            echo.ready(2);
        }
        over.store(true, Ordering::Relaxed);
        client.join().unwrap()
    });
    assert!(asked > 5, "{asked}");
}

#[test]
fn twenty_reloads_leave_no_descriptor_and_no_process_behind() {
    let echo = fixture!("echo").config("[echo]\n").start();
    echo.ready(2);
    echo.signal(Signal::SIGHUP);
    let mut workers = echo.ready(2);
    settled(&echo);
    let before = descriptors(echo.pid());
    for round in 0..20 {
        // A broken one now and then, and a death.
        if round % 5 == 0 {
            hup(&echo, "[echo\n");
            echo.wait_for("reload refused, nothing is changed");
            kill(workers[0].pid, Signal::SIGKILL);
            echo.ready_worker();
        }
        hup(&echo, "[echo]\n");
        workers = echo.ready(2);
    }
    settled(&echo);
    until("there are as many descriptors as before", || {
        descriptors(echo.pid()) == before
    });
    until("there are two workers", || echo.processes().len() == 3);
}

#[test]
fn a_mutation_that_workers_do_not_take_over_is_not_told_as_one() {
    let launch = "[launch]\nrestart_method = 'mutate'\n";
    let greeter = fixture!("greeter").config(launch).start();
    greeter.ready(2);
    greeter.rewrite(&format!("{launch}[greeter]\ngreeting = 'silence'\n"));
    greeter.signal(Signal::SIGHUP);
    let line = greeter.wait_for("worker did not take the configuration over");
    assert!(line.contains("nothing to say"), "{line}");
    greeter.wait_for("mutated, but 2 workers did not take the configuration over");
}

#[test]
fn an_address_that_was_given_up_is_closed() {
    let scratch = Scratch::new();
    let (old, new) = (scratch.path("old.sock"), scratch.path("new.sock"));
    let at = |path: &std::path::Path| format!("[echo]\nlisten = 'unix:{}'\n", path.display());
    let echo = fixture!("echo").config(&at(&old)).start();
    echo.ready(2);
    echo.rewrite(&at(&new));
    echo.signal(Signal::SIGHUP);
    let closed = echo.wait_for("no service listens on this any more: closed");
    assert!(closed.contains("old.sock"), "{closed}");
    assert!(!old.exists());
    Client::connect_unix(&new).unwrap().ask("hello").unwrap();
    // And one that is refused keeps what there was.
    echo.rewrite("[echo]\nlisten = 'unix:/nowhere/at.all'\n");
    echo.signal(Signal::SIGHUP);
    echo.wait_for("reload undone");
    Client::connect_unix(&new).unwrap().ask("hello").unwrap();
}

#[test]
fn a_start_reads_the_author_s_types_in_the_check_and_once_in_each_worker() {
    // By a variable too: what its text is, only the author's type knows.
    let typed = fixture!("typed")
        .env("TYPED__TYPED__WORD", "thread")
        .start();
    let first = typed.ready(2);
    let reads = typed.lines().with("read `thread` in ");
    let readers: Vec<String> = first
        .iter()
        .map(|worker| format!("pid={} .", worker.pid))
        .collect();
    for reader in &readers {
        let by = reads.iter().filter(|line| line.ends_with(reader.as_str()));
        assert_eq!(by.count(), 1, "{reads:?}");
    }
    let supervisor = format!("pid={} .", typed.pid());
    assert!(
        !reads.iter().any(|line| line.ends_with(&supervisor)),
        "{reads:?}"
    );
    // The check is one more.
    assert_eq!(reads.len(), 3, "{reads:?}");
    // No thread was left in the supervisor, which forks as before.
    kill(typed.children()[0], Signal::SIGKILL);
    typed.wait_for("worker died");
    typed.ready_worker();
}

#[test]
fn a_reload_reads_the_author_s_types_in_the_check_and_in_workers_and_not_in_the_supervisor() {
    let typed = fixture!("typed").config("[typed]\n").start();
    let first = typed.ready(2);
    typed.rewrite("[typed]\nword = 'thread'\n");
    typed.signal(Signal::SIGHUP);
    typed.wait_for("reloaded generation=2");
    let supervisor = format!("pid={} .", typed.pid());
    let reads = typed.lines().with("read `thread` in ");
    let by_supervisor = reads.iter().filter(|line| line.ends_with(&supervisor));
    assert_eq!(by_supervisor.count(), 0, "{reads:?}");
    // The check, and each of the new workers.
    let readers: std::collections::BTreeSet<&str> = reads
        .iter()
        .filter_map(|line| line.rsplit_once("pid=").map(|(_, pid)| pid))
        .collect();
    assert_eq!(readers.len(), 3, "{reads:?}");
    // No thread was left in the supervisor, which forks as before.
    until("the old workers are gone", || {
        let left = typed.children();
        first.iter().all(|worker| !left.contains(&worker.pid))
    });
    kill(typed.children()[0], Signal::SIGKILL);
    typed.wait_for("worker died");
    typed.ready_worker();
    typed.ready_worker();
    typed.ready_worker();
}
