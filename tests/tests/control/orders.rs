//! Orders: carried out, joined or refused, with their outcome told to whoever waits, and to the log.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::sys::signal::Signal;
use nix::unistd::Pid;
use serde_json::Value;
use tests::fixture;
use tests::harness::{Fixture, Program, Scratch, ask, is_gone, kill, until};

fn with_socket(program: Program) -> (Fixture, Scratch, PathBuf) {
    let scratch = Scratch::new();
    let socket = scratch.path("admin.sock");
    let program = program.arg("--admin").arg(&socket).start();
    (program, scratch, socket)
}

/// Gives an order by the command; returns its exit code, what it printed and what it complained of.
fn ctl(socket: &Path, words: &str) -> (i32, String, String) {
    fixture!("greeter")
        .arg("ctl")
        .args(words.split(' '))
        .arg("--socket")
        .arg(socket)
        .run()
}

#[track_caller]
fn done(socket: &Path, words: &str) -> String {
    let (code, out, err) = ctl(socket, words);
    assert_eq!((code, &*err), (0, ""), "{words}: {out}");
    out
}

#[track_caller]
fn refused(socket: &Path, words: &str) -> String {
    let (code, out, err) = ctl(socket, words);
    assert_eq!((code, &*out), (1, ""), "{words}: {err}");
    err
}

/// Returns slot and pid of every ready worker.
#[track_caller]
fn ready(socket: &Path) -> Vec<(u64, i64)> {
    let (_, body) = ask(socket, "GET", "/v1/workers");
    let value: Value = serde_json::from_str(&body).unwrap();
    let workers = value["workers"].as_array().unwrap().iter();
    workers
        .filter(|worker| worker["state"] == "ready")
        .map(|worker| {
            (
                worker["slot"].as_u64().unwrap(),
                worker["pid"].as_i64().unwrap(),
            )
        })
        .collect()
}

#[test]
fn a_reload_is_done_when_the_last_worker_is_new_and_a_wrong_file_is_told_with_its_line() {
    let right = "[configured]\npool-size = 5\n";
    let program = fixture!("configured")
        .config(right)
        .args(["--workers", "2"]);
    let (program, _scratch, socket) = with_socket(program);
    program.ready(2);
    let before = ready(&socket);
    assert_eq!(done(&socket, "reload"), "reload: done\n");
    let after = ready(&socket);
    assert_eq!(after.len(), 2);
    assert!(
        after.iter().all(|worker| !before.contains(worker)),
        "{before:?} {after:?}"
    );

    program.rewrite("[configured]\npool-size = 5000\n");
    let error = refused(&socket, "reload");
    assert!(error.contains("config.toml:2"), "{error}");
    assert!(error.contains("pool-size"), "{error}");
    assert!(
        error.contains("1..=100") || error.contains("5000"),
        "{error}"
    );
    assert_eq!(ready(&socket), after);

    program.rewrite(right);
    assert_eq!(done(&socket, "reload --no-wait"), "reload: under way\n");
    let outcomes = || {
        let (_, status) = ask(&socket, "GET", "/v1/status");
        let status: Value = serde_json::from_str(&status).unwrap();
        let orders = status["orders"].as_array().unwrap().iter();
        let outcomes = orders.map(|order| order["outcome"].as_str().unwrap().to_owned());
        outcomes.collect::<Vec<_>>()
    };
    until("the last order has an outcome", || outcomes().len() == 3);
    let line = program.lines().with("order: reload").pop().unwrap();
    assert!(
        line.contains("sender=\"pid ") || line.contains("sender=pid "),
        "{line}"
    );
    assert!(line.contains("uid "), "{line}");
    let outcomes = outcomes();
    assert_eq!((&*outcomes[0], &*outcomes[2]), ("done", "done"));
    assert!(outcomes[1].contains("config.toml:2"), "{outcomes:?}");
}

#[test]
fn workers_are_scaled_recycled_drained_and_filled() {
    let (program, _scratch, socket) = with_socket(fixture!("greeter"));
    program.ready(2);
    done(&socket, "scale 4");
    assert_eq!(ready(&socket).len(), 4);
    done(&socket, "scale 2");
    let two = ready(&socket);
    assert_eq!(
        two.iter().map(|(slot, _)| *slot).collect::<Vec<_>>(),
        [0, 1]
    );
    assert_eq!(program.children().len(), 3);

    done(&socket, "recycle");
    let recycled = ready(&socket);
    assert_eq!(recycled.len(), 2);
    assert!(
        recycled.iter().all(|worker| !two.contains(worker)),
        "{two:?} {recycled:?}"
    );

    done(&socket, "drain 0");
    assert_eq!(ready(&socket), recycled[1..]);
    let error = refused(&socket, "drain 1");
    assert!(error.contains("the last slot in use"), "{error}");
    // Neither a reload nor a new number fills it.
    done(&socket, "reload");
    done(&socket, "scale 3");
    let slots: Vec<u64> = ready(&socket).iter().map(|(slot, _)| *slot).collect();
    assert_eq!(slots, [1, 2]);
    assert!(
        done(&socket, "status")
            .lines()
            .any(|line| line.contains("held empty"))
    );
    done(&socket, "fill 0");
    let slots: Vec<u64> = ready(&socket).iter().map(|(slot, _)| *slot).collect();
    assert_eq!(slots, [0, 1, 2]);

    for (words, why) in [
        ("drain 7", "there is no such slot"),
        ("scale 0", "1 to 1000 workers"),
        ("scale nobody=2", "no service of this name"),
    ] {
        let error = refused(&socket, words);
        assert!(error.contains("refused, nothing is changed"), "{error}");
        assert!(error.contains(why), "{error}");
    }
    assert_eq!(ask(&socket, "GET", "/v1/orders/stop").0, 405);
    assert_eq!(ask(&socket, "POST", "/v1/orders/scale").0, 400);
    assert_eq!(program.children().len(), 4);
}

#[test]
fn the_workers_of_one_service_are_scaled_by_its_name() {
    let text = "[launch]\nworkers = 2\n[api]\nworkers = 1\n";
    let (program, _scratch, socket) = with_socket(fixture!("pools").config(text));
    program.wait_for(" ready: ");
    done(&socket, "scale api=3");
    let (_, body) = ask(&socket, "GET", "/v1/workers");
    let value: Value = serde_json::from_str(&body).unwrap();
    let workers = value["workers"].as_array().unwrap().iter();
    assert_eq!(workers.filter(|worker| worker["of"] == "api").count(), 3);
}

#[test]
fn a_stop_is_done_when_the_program_has_ended() {
    for words in ["stop", "stop --now"] {
        let (program, _scratch, socket) = with_socket(fixture!("greeter"));
        program.ready(2);
        let out = done(&socket, words);
        assert!(out.contains("the program has ended"), "{out}");
        assert_eq!(program.exit_code(), i32::from(words != "stop"));
        program.everybody_is_gone();
        assert_eq!(ctl(&socket, "status").0, 3);
    }
}

#[test]
fn an_upgrade_is_done_when_the_new_process_has_taken_over() {
    let (program, _scratch, socket) = with_socket(fixture!("greeter"));
    program.ready(2);
    assert_eq!(done(&socket, "upgrade"), "upgrade: done\n");
    program.wait_for("this process has taken over");
    assert_eq!(program.exit_code(), 0);
    until("the new process answers", || ctl(&socket, "status").0 == 0);
    done(&socket, "stop");
    program.everybody_is_gone();
}

#[test]
fn an_order_is_carried_out_when_its_caller_has_gone() {
    let (program, _scratch, socket) = with_socket(fixture!("greeter"));
    let workers = program.ready(2);
    // It holds the order up: a worker that is stopped cannot be replaced before it is continued.
    kill(workers[0].pid, Signal::SIGSTOP);
    let mut caller = Command::new(env!("CARGO_BIN_EXE_greeter"))
        .args(["ctl", "recycle", "--socket"])
        .arg(&socket)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    program.wait_for("order: recycle");
    caller.kill().unwrap();
    caller.wait().unwrap();
    // The control process goes too; it is the one that the system is to end first when memory is short.
    let is_control = |pid: &Pid| {
        let score = std::fs::read_to_string(format!("/proc/{pid}/oom_score_adj"));
        score.is_ok_and(|score| score.trim() == "1000")
    };
    let control = program.children().into_iter().find(is_control).unwrap();
    kill(control, Signal::SIGKILL);
    kill(workers[0].pid, Signal::SIGCONT);
    program.wait_for("order recycle: done");
    assert!(workers.iter().all(|worker| is_gone(worker.pid)));
    let status = done(&socket, "status");
    assert!(
        status
            .lines()
            .any(|line| line.starts_with("order recycle: done")),
        "{status}"
    );
}

#[test]
fn three_operators_at_once_are_each_answered() {
    let (program, _scratch, socket) = with_socket(fixture!("greeter"));
    program.ready(2);
    let orders = [
        "reload", "scale 3", "recycle", "reload", "scale 2", "upgrade",
    ];
    let answers: Vec<_> = orders
        .map(|words| {
            let socket = socket.clone();
            std::thread::spawn(move || ctl(&socket, words))
        })
        .into_iter()
        .map(|operator| operator.join().unwrap())
        .collect();
    for (words, (code, out, err)) in orders.iter().zip(&answers) {
        let told = *code == 0 && out.contains("done")
            || *code == 1
                && ["refused", "superseded", "given up", "failed"]
                    .iter()
                    .any(|word| err.contains(word));
        assert!(told, "{words}: {code} {out} {err}");
    }
}

#[test]
fn without_a_socket_an_order_is_the_signal_that_stands_for_it() {
    let scratch = Scratch::new();
    let set = format!("launch.pid_file={}", scratch.path("pid").display());
    let program = fixture!("greeter").args(["--set", &set]).start();
    program.ready(2);
    let run = |words: &str| {
        fixture!("greeter")
            .arg("ctl")
            .args(words.split(' '))
            .args(["--set", &set])
            .run()
    };
    let (code, out, err) = run("reload");
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("its log tells the outcome"), "{out}");
    program.wait_for("reloaded generation=2");
    let (code, _, err) = run("recycle");
    assert_eq!(code, 3);
    assert!(err.contains("no signal stands for `recycle`"), "{err}");
    assert_eq!(run("stop").0, 0);
    assert_eq!(program.exit_code(), 0);
}
