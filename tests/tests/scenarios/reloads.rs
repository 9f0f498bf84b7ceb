//! Reloads that meet a slow start, another reload, a worker that does not go, or a mistake.

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::time::Duration;

use nix::sys::signal::Signal;
use nix::unistd::Pid;
use tests::fixture;
use tests::harness::{Client, Crowd, Fixture, NotifySocket, Target, Worker, writer};

fn hup(program: &Fixture, config: &str) {
    program.rewrite(config);
    program.signal(Signal::SIGHUP);
}

#[test]
fn a_reload_during_a_slow_one_keeps_no_client_waiting_and_signals_nobody_twice() {
    const BOOT: Duration = Duration::from_secs(2);
    let echo = fixture!("echo")
        .args(["--reload-surge", "2"])
        .config("[echo]\n")
        .start();
    let old = echo.ready(2);
    let crowd = Crowd::begin(&Target::of(&echo), 4, Duration::from_millis(2));
    hup(&echo, "[echo]\nboot = '2s'\n");
    echo.wait_for("reload begins generation=2");
    crowd.goes_on_for(100);
    echo.signal(Signal::SIGHUP);
    echo.wait_for("reloaded generation=2");
    echo.wait_for("reloaded generation=3");
    let new = echo.settles(2);
    let tally = crowd.end();
    tally.is_whole();
    println!(
        "the longest of {} requests took {:?}",
        tally.asked, tally.longest
    );
    assert!(tally.longest < BOOT / 2, "{:?}", tally.longest);
    assert!(new.iter().all(|worker| worker.generation == 3), "{new:?}");
    let stopped = echo.lines().with("worker stopped");
    let pids: BTreeSet<Pid> = stopped.iter().map(|line| Worker::of(line).pid).collect();
    assert_eq!((stopped.len(), pids.len()), (4, 4), "{stopped:#?}");
    assert!(old.iter().all(|worker| pids.contains(&worker.pid)));
    // One that is told twice exits at once, with code 1.
    let once = |line: &String| line.contains("how=exit code 0");
    assert!(stopped.iter().all(once), "{stopped:#?}");
}

#[test]
fn whatever_goes_wrong_in_a_reload_the_same_workers_serve_on_and_the_next_one_works() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap();
    let in_use = format!("[echo]\nlisten = '{taken}'\n");
    let manager = NotifySocket::path();
    let good = "[launch]\nstart_timeout = '1s'\n";
    let echo = fixture!("echo")
        .config(good)
        .env("NOTIFY_SOCKET", manager.name())
        .start();
    let mut workers = echo.ready(2);
    let target = Target::of(&echo);
    let undone = "reload failed, it is undone";
    for (wrong, boots, words) in [
        ("[echo\n", 0, ["config.toml:3", "reload refused"]),
        (
            "[echo]\naccept = 3\n",
            0,
            ["[echo] accept", "reload refused"],
        ),
        (
            "[echo]\nfail_in = [0, 1]\n",
            1,
            ["slot 0 is to fail", undone],
        ),
        ("[echo]\nexit_in = [0, 1]\n", 1, ["how=exit code 3", undone]),
        (
            "[echo]\nhang_in = [0, 1]\n",
            1,
            ["not ready within start_timeout", undone],
        ),
        (
            "[echo]\nblock_in = [0, 1]\n",
            1,
            ["not ready within start_timeout", undone],
        ),
        (&in_use, 1, ["Address already in use", undone]),
    ] {
        let before = echo.lines().all().len();
        let crowd = Crowd::begin(&target, 2, Duration::from_millis(2));
        hup(&echo, &format!("{good}{wrong}"));
        let [why, outcome] = words;
        echo.wait_for(outcome);
        manager.messages().wait_for("last reload failed");
        crowd.goes_on_for(20);
        crowd.end().is_whole();
        assert_eq!(echo.settles(2), workers, "{wrong}");
        let known: BTreeSet<Pid> = workers.iter().map(|worker| worker.pid).collect();
        let lines = echo.lines().all();
        let told = lines[before..].iter().any(|line| line.contains(why));
        assert!(told, "{why}: {:#?}", &lines[before..]);
        let said: BTreeSet<Pid> = lines[before..]
            .iter()
            .filter(|line| line.contains(" slot=") && !line.contains(" supervisor "))
            .map(|line| writer(line))
            .filter(|pid| !known.contains(pid))
            .collect();
        assert!(said.len() <= boots, "{wrong}: {said:?}");

        hup(&echo, good);
        echo.wait_for("reloaded generation=");
        manager.messages().wait_for("READY=1");
        workers = echo.settles(2);
        assert!(
            workers.iter().all(|worker| !known.contains(&worker.pid)),
            "{wrong}"
        );
    }
    let status = manager.close();
    let last = status.iter().rfind(|message| message.contains("STATUS="));
    assert!(
        last.is_some_and(|status| !status.contains("failed")),
        "{last:?}"
    );
}

#[test]
fn only_the_worker_that_ignores_everything_is_killed_at_a_reload() {
    let echo = fixture!("echo")
        .args(["--workers", "3", "--drain-timeout", "1s"])
        .start();
    let old = echo.ready(3);
    let mut client = Client::of(&echo);
    let stuck = client.ask("hello").unwrap();
    client.say("block").unwrap();
    echo.wait_for("blocks");
    echo.signal(Signal::SIGHUP);
    let killed = echo.wait_for("worker did not stop within drain_timeout: killed");
    assert!(killed.contains(&format!(" pid={stuck} ")), "{killed}");
    let new = echo.settles(3);
    assert!(new.iter().all(|worker| worker.generation == 2), "{new:?}");
    for worker in old {
        let end = format!("pid={} generation=1", worker.pid);
        let how = if worker.pid == stuck {
            "how=killed by SIGKILL"
        } else {
            "how=exit code 0"
        };
        let stopped = echo.lines().with("worker stopped");
        let stopped: Vec<_> = stopped.iter().filter(|line| line.contains(&end)).collect();
        assert!(
            stopped.len() == 1 && stopped[0].contains(how),
            "{stopped:?}"
        );
    }
    assert_eq!(echo.lines().with(": killed").len(), 1);
}
