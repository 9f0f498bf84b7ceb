//! What clients see of reloads, and of workers that end: nothing, unless one is killed outright.

use std::sync::Barrier;
use std::thread;

use nix::sys::signal::Signal;
use nix::unistd::Pid;
use tests::harness::{Fixture, Scratch, kill, state, until};

use super::client::Client;
use super::load::{Habit, Load, Target};
use super::{tls, web};

/// Of each program; both reload at the same time.
const RELOADS: usize = 100;

/// Two programs with two workers each: one that speaks plainly, and one that speaks TLS.
struct Both {
    programs: [Fixture; 2],
    loads: Vec<Load>,
    _folder: Scratch,
}

impl Both {
    fn begin() -> Self {
        let folder = Scratch::new();
        let pair = tls::server(&folder);
        let keys = [
            format!("tls.cert={}", pair.cert),
            format!("tls.key={}", pair.key),
        ];
        let (plain, address) = web(2, &[]);
        let target = |address, tls| Target { address, tls };
        let plain_target = target(address, None);
        let (secure, address) = web(2, &[&keys[0], &keys[1]]);
        let secure_target = target(address, Some(pair.client()));
        let loads = vec![
            Load::begin(&plain_target, 16, Habit::KeepsAlive),
            Load::begin(&plain_target, 8, Habit::Reconnects),
            Load::begin(&plain_target, 4, Habit::Http2),
            Load::begin(&secure_target, 8, Habit::KeepsAlive),
            Load::begin(&secure_target, 2, Habit::Reconnects),
            Load::begin(&secure_target, 4, Habit::Http2),
        ];
        Self {
            programs: [plain, secure],
            loads,
            _folder: folder,
        }
    }

    /// Lets every client ask a few times more.
    fn go_on(&self) {
        self.loads.iter().for_each(|load| load.goes_on_for(4));
    }

    fn end(self) {
        let failures: Vec<_> = self.loads.into_iter().flat_map(Load::end).collect();
        assert!(failures.is_empty(), "{}: {failures:#?}", failures.len());
        for web in self.programs {
            web.signal(Signal::SIGTERM);
            assert_eq!(web.exit_code(), 0);
            web.everybody_is_gone();
        }
    }
}

#[test]
fn no_client_sees_a_reload() {
    let both = Both::begin();
    both.go_on();
    for generation in 2..2 + RELOADS {
        both.programs
            .iter()
            .for_each(|web| web.signal(Signal::SIGHUP));
        for web in &both.programs {
            web.wait_for(&format!("reloaded generation={generation}"));
        }
        both.go_on();
    }
    both.end();
}

#[test]
fn no_client_sees_a_worker_that_is_told_to_stop() {
    let both = Both::begin();
    for round in 0..12 {
        both.go_on();
        for web in &both.programs {
            let workers = web.children();
            kill(workers[round % workers.len()], Signal::SIGTERM);
        }
        for web in &both.programs {
            web.ready_worker();
        }
    }
    both.go_on();
    both.end();
}

#[test]
fn of_a_worker_that_is_killed_only_the_requests_in_flight_are_lost() {
    const CLIENTS: usize = 24;
    let (web, address) = web(2, &[]);
    let connect = || {
        let mut client = Client::connect(&address).unwrap();
        let pid: i32 = client.get("/pid").unwrap().body.parse().unwrap();
        (client, Pid::from_raw(pid))
    };
    // Each of the two has a client, whoever takes the others.
    let (first, victim) = connect();
    kill(victim, Signal::SIGSTOP);
    until("it is stopped", || state(victim) == Some('T'));
    let (second, other) = connect();
    kill(victim, Signal::SIGCONT);
    assert_ne!(victim, other);
    let mut known = vec![(first, victim), (second, other)];
    known.extend((known.len()..CLIENTS).map(|_| connect()));
    // Every client knows its worker, and has a request in flight there when that is killed.
    let all_ask = Barrier::new(CLIENTS + 1);
    let ends: Vec<(Pid, bool)> = thread::scope(|scope| {
        let clients: Vec<_> = known
            .into_iter()
            .map(|(mut client, pid)| {
                let all_ask = &all_ask;
                scope.spawn(move || {
                    client
                        .send("GET /slow/3000 HTTP/1.1\r\nHost: x\r\n\r\n")
                        .unwrap();
                    all_ask.wait();
                    let answer = client.answer();
                    (pid, answer.is_ok_and(|it| it.body == "slow"))
                })
            })
            .collect();
        all_ask.wait();
        for _ in 0..CLIENTS {
            web.wait_for("slow request begins");
        }
        kill(victim, Signal::SIGKILL);
        web.wait_for("worker died");
        // Whoever comes now is served, by the one that is left or the one that is new.
        for _ in 0..50 {
            assert_eq!(
                Client::connect(&address).unwrap().get("/").unwrap().status,
                200
            );
        }
        let ends = clients.into_iter().map(|client| client.join().unwrap());
        ends.collect()
    });
    let lost = ends.iter().filter(|(pid, _)| *pid == victim).count();
    println!("{lost} of {CLIENTS} requests were in flight in the worker that was killed");
    assert!(lost > 0 && lost < CLIENTS, "{ends:?}");
    for (pid, answered) in &ends {
        assert_eq!(*answered, *pid != victim, "{ends:?}");
    }
}
