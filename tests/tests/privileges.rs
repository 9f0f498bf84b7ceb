//! Who the program is once it has started, and under what limits.
//!
//! Root is needed to become somebody else. Without it these tests say so and hold what is refused.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, chown};

use nix::sys::signal::Signal;
use nix::unistd::{Pid, User, geteuid};
use tests::fixture;
use tests::harness::{Client, Fixture, Program, Scratch, children, kill, writer};

/// A user that every Linux has, and that owns nothing.
const USER: &str = "nobody";

/// Returns the number of [`USER`], or `None`, loudly, if this is not root.
fn somebody_else() -> Option<u32> {
    let user = User::from_name(USER).unwrap().expect("every Linux has it");
    if geteuid().is_root() {
        return Some(user.uid.as_raw());
    }
    eprintln!("NOT ROOT: only the refusal to become another user is tested");
    let (code, _, log) = fixture!("greeter").args(["--user", "root"]).run();
    assert_eq!(code, 1, "{log}");
    assert!(log.contains("only root becomes another user"), "{log}");
    assert!(!log.contains("started"), "{log}");
    None
}

/// Returns the words of a line of `/proc/<pid>/status`.
fn status(pid: Pid, name: &str) -> String {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(&format!("{name}:")));
    let words: Vec<&str> = line.unwrap_or_default().split_whitespace().collect();
    words.join(" ")
}

fn ready(program: Program) -> (Fixture, Vec<Pid>) {
    let program = program.start();
    let workers = program
        .ready(2)
        .into_iter()
        .map(|worker| worker.pid)
        .collect();
    (program, workers)
}

#[test]
fn workers_are_another_user_for_good_and_the_supervisor_may_only_bind() {
    let Some(uid) = somebody_else() else {
        return;
    };
    let (greeter, workers) = ready(fixture!("greeter").args(["--user", USER]));
    let all = format!("{uid} {uid} {uid} {uid}");
    for pid in workers.iter().copied().chain([greeter.pid()]) {
        assert_eq!(status(pid, "Uid"), all);
        assert_eq!(
            status(pid, "Gid").split(' ').next(),
            Some(all.split(' ').next().unwrap())
        );
        assert!(!status(pid, "Groups").split(' ').any(|group| group == "0"));
    }
    for worker in &workers {
        for set in ["CapPrm", "CapEff", "CapInh", "CapAmb"] {
            assert_eq!(status(*worker, set), "0000000000000000", "{set}");
        }
    }
    // The one right is CAP_NET_BIND_SERVICE, number 10.
    for set in ["CapPrm", "CapEff", "CapBnd"] {
        assert_eq!(status(greeter.pid(), set), "0000000000000400", "{set}");
    }
    // It still signals, replaces and reloads workers.
    kill(workers[0], Signal::SIGKILL);
    let next = greeter.ready_worker();
    assert_eq!(status(next.pid, "Uid"), all);
    greeter.signal(Signal::SIGHUP);
    greeter.wait_for(" reloaded ");
    greeter.signal(Signal::SIGTERM);
    assert_eq!(greeter.exit_code(), 0);
    greeter.everybody_is_gone();
}

#[test]
fn a_worker_hears_of_its_supervisors_death_whoever_it_became() {
    let program = fixture!("environ");
    let environ = match somebody_else() {
        Some(_) => program.args(["--user", USER]).start(),
        None => program.start(),
    };
    environ.ready(2);
    let told = environ
        .lines()
        .with("at its parent's death: Ok(Some(SIGPWR))");
    assert_eq!(told.len(), 2, "{}", environ.lines());
    // Anybody may send the signal, and only a death is one.
    let workers = environ.children();
    for worker in &workers {
        kill(*worker, Signal::SIGPWR);
    }
    environ.signal(Signal::SIGUSR1);
    environ.wait_for("report:   service name=environ phase=ready");
    environ.wait_for("report:   service name=environ phase=ready");
    environ.has_children(&workers);
}

#[test]
fn an_upgrade_of_another_users_program_may_still_bind() {
    let Some(uid) = somebody_else() else {
        return;
    };
    let (greeter, _) = ready(fixture!("greeter").args(["--user", USER]));
    greeter.signal(Signal::SIGUSR2);
    let new = writer(&greeter.wait_for("this process has taken over"));
    assert_eq!(greeter.exit_code(), 0);
    assert_eq!(status(new, "Uid"), [uid.to_string().as_str(); 4].join(" "));
    assert_eq!(status(new, "CapEff"), "0000000000000400");
    for worker in children(new) {
        assert_eq!(status(worker, "CapPrm"), "0000000000000000");
    }
    kill(new, Signal::SIGTERM);
    greeter.everybody_is_gone();
}

#[test]
fn a_command_after_a_workers_end_is_the_user_too() {
    let Some(uid) = somebody_else() else {
        return;
    };
    let say = "[\"sh\", \"-c\", 'echo is $(id -u) $(grep CapPrm /proc/$$/status | cut -f2) . >&2']";
    let program = fixture!("greeter").args(["--user", USER, "--on-worker-exit", say]);
    let (greeter, workers) = ready(program);
    kill(workers[0], Signal::SIGKILL);
    greeter.wait_for(&format!("is {uid} 0000000000000000 ."));
    greeter.ready_worker();
    greeter.signal(Signal::SIGTERM);
    assert_eq!(greeter.exit_code(), 0);
}

#[test]
fn a_port_below_1024_is_bound_for_workers_that_may_not() {
    if somebody_else().is_none() {
        return;
    }
    let free = (600..1000).find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok());
    let address = format!("127.0.0.1:{}", free.expect("one of four hundred is free"));
    let listen = format!("echo.listen={address}");
    let (echo, workers) = ready(fixture!("echo").args(["--user", USER, "--set", &listen]));
    let answered = Client::connect(&address).unwrap().ask("who").unwrap();
    assert!(workers.contains(&answered));
    echo.signal(Signal::SIGTERM);
    assert_eq!(echo.exit_code(), 0);
}

#[test]
fn a_program_without_a_supervisor_becomes_another_user_too() {
    let Some(uid) = somebody_else() else {
        return;
    };
    let single = fixture!("single").args(["--user", USER]).start();
    single.wait_for(" ready");
    let all = format!("{uid} {uid} {uid} {uid}");
    for task in fs::read_dir(format!("/proc/{}/task", single.pid())).unwrap() {
        // Every thread, for credentials belong to each.
        let text = fs::read_to_string(task.unwrap().path().join("status")).unwrap();
        assert!(
            text.contains(&format!("Uid:\t{}", all.replace(' ', "\t"))),
            "{text}"
        );
        assert!(text.contains("CapEff:\t0000000000000400"), "{text}");
    }
    single.signal(Signal::SIGTERM);
    assert_eq!(single.exit_code(), 0);
}

#[test]
fn a_number_without_a_name_needs_a_group() {
    let (code, _, log) = fixture!("greeter").args(["--user", "4000123"]).run();
    assert_eq!(code, 78, "{log}");
    assert!(log.contains("set `group` as well"), "{log}");
    if somebody_else().is_none() {
        return;
    }
    let numbers = ["--user", "4000123", "--group", "4000124"];
    let (greeter, workers) = ready(fixture!("greeter").args(numbers));
    assert_eq!(status(workers[0], "Gid"), ["4000124"; 4].join(" "));
    assert_eq!(status(workers[0], "Groups"), "4000124");
    greeter.signal(Signal::SIGTERM);
    assert_eq!(greeter.exit_code(), 0);
}

#[test]
fn names_that_nobody_has_are_wrong_configuration() {
    for (text, words) in [
        (
            "user = \"nobody-at-all\"",
            "[launch] user: there is no user `nobody-at-all`",
        ),
        (
            "group = \"nobody-at-all\"",
            "[launch] group: there is no group `nobody-at-all`",
        ),
        (
            "chdir = \"/nowhere/at/all\"",
            "[launch] chdir: there is no directory",
        ),
        ("umask = \"8\"", "[launch] umask: expected an octal mask"),
        (
            "limit_nofile = \"many\"",
            "[launch] limit_nofile: expected a number",
        ),
    ] {
        let (code, _, log) = fixture!("greeter")
            .config(&format!("[launch]\n{text}\n"))
            .run();
        assert_eq!(code, 78, "{log}");
        assert!(
            log.contains("config.toml:2") && log.contains(words),
            "{text}: {log}"
        );
        assert!(!log.contains("started"), "{log}");
        let checked = fixture!("greeter").config(&format!("[launch]\n{text}\n"));
        assert_eq!(checked.arg("--check-config").run().0, 78, "{text}");
    }
}

#[test]
fn a_reload_that_names_nobody_is_refused_and_one_that_changes_the_user_keeps_it() {
    let greeter = fixture!("greeter").config("").start();
    let workers = greeter.ready(2);
    greeter.rewrite("[launch]\nuser = \"nobody-at-all\"\n");
    greeter.signal(Signal::SIGHUP);
    greeter.wait_for("there is no user `nobody-at-all`");
    greeter.wait_for("reload refused");
    greeter.rewrite("[launch]\numask = \"077\"\n");
    greeter.signal(Signal::SIGHUP);
    greeter.wait_for("are read at start alone");
    greeter.wait_for(" reloaded ");
    let replaced = greeter.lines().with("worker ready ").len();
    assert_eq!(replaced, 4, "{}", greeter.lines());
    let umask = status(greeter.pid(), "Umask");
    assert_ne!(umask, "0077");
    assert_ne!(
        greeter.children(),
        workers.iter().map(|w| w.pid).collect::<Vec<_>>()
    );
}

#[test]
fn a_configuration_that_only_root_may_read_is_warned_of() {
    let Some(_) = somebody_else() else {
        return;
    };
    let scratch = Scratch::new();
    let file = scratch.write("secret.toml", "[greeter]\ngreeting = 'psst'\n");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let program = fixture!("greeter").arg("--config-file").arg(&file);
    let greeter = program.args(["--user", USER]).start();
    greeter.wait_for("a reload will be refused");
    greeter.ready(2);
    greeter.wait_for("psst");
    greeter.signal(Signal::SIGHUP);
    greeter.wait_for("reload refused, nothing is changed");
    greeter.signal(Signal::SIGTERM);
    assert_eq!(greeter.exit_code(), 0);
}

#[test]
fn mask_directory_limits_and_no_new_privileges_hold_in_every_worker() {
    let scratch = Scratch::new();
    let dir = scratch.path("");
    let (greeter, workers) = ready(
        fixture!("greeter")
            .args(["--umask", "027", "--no-new-privileges", "true"])
            .args(["--limit-nofile", "300:400", "--limit-core", "1MiB:1MiB"])
            .arg("--chdir")
            .arg(&dir),
    );
    for worker in &workers {
        assert_eq!(status(*worker, "Umask"), "0027");
        assert_eq!(status(*worker, "NoNewPrivs"), "1");
        let at = fs::read_link(format!("/proc/{worker}/cwd")).unwrap();
        assert_eq!(at, dir.canonicalize().unwrap());
        let limits = fs::read_to_string(format!("/proc/{worker}/limits")).unwrap();
        let limit = |name: &str| {
            let line = limits
                .lines()
                .find_map(|line| line.strip_prefix(name))
                .unwrap();
            line.split_whitespace()
                .take(2)
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(limit("Max open files"), "300 400");
        assert_eq!(limit("Max core file size"), "1048576 1048576");
    }
    greeter.signal(Signal::SIGTERM);
    assert_eq!(greeter.exit_code(), 0);
}

#[test]
fn a_limit_that_the_system_refuses_ends_the_program_before_it_has_a_worker() {
    let low = ["sh", "-c", "ulimit -n 200; exec \"$@\"", "sh"];
    let unprivileged = ["setpriv", "--bounding-set", "-sys_resource"];
    let raise = ["--limit-nofile", "100000000:100000000"];
    let program = fixture!("greeter").args(raise);
    let program = match geteuid().is_root() {
        true => program.through(unprivileged.into_iter().chain(low)),
        false => program.through(low),
    };
    let (code, _, log) = program.run();
    assert_eq!(code, 1, "{log}");
    assert!(log.contains("cannot set limit_nofile: EPERM"), "{log}");
    assert!(!log.contains("started"), "{log}");
}

#[test]
fn relative_files_are_read_again_after_the_directory_was_changed() {
    let scratch = Scratch::new();
    scratch.write("own.toml", "[launch]\nchdir = '/'\n");
    let script = format!("cd '{}' && exec \"$@\"", scratch.path("").display());
    let single = fixture!("single")
        .through(["sh", "-c", &script, "sh"])
        .args(["--config-file", "own.toml"])
        .start();
    single.wait_for(" ready");
    assert_eq!(
        fs::read_link(format!("/proc/{}/cwd", single.pid()))
            .unwrap()
            .to_str(),
        Some("/")
    );
    single.signal(Signal::SIGHUP);
    single.wait_for("reloaded");
    single.signal(Signal::SIGTERM);
    assert_eq!(single.exit_code(), 0);
}

#[test]
fn a_pid_file_where_the_user_may_write_is_removed_and_elsewhere_emptied() {
    let Some(uid) = somebody_else() else {
        return;
    };
    for owned in [true, false] {
        let scratch = Scratch::new();
        if owned {
            chown(scratch.path(""), Some(uid), None).unwrap();
        }
        let file = scratch.path("pid");
        let program = || {
            let program = fixture!("greeter").args(["--user", USER]);
            program.arg("--pid-file").arg(&file)
        };
        let told = "is not removed at the end but emptied";
        let (code, _, log) = program().arg("--check-config").run();
        assert_eq!(code, 0, "{log}");
        assert_eq!(log.matches(told).count(), usize::from(!owned), "{log}");
        let greeter = program().start();
        greeter.ready(2);
        assert_eq!(
            fs::read_to_string(&file).unwrap(),
            format!("{}\n", greeter.pid())
        );
        greeter.signal(Signal::SIGTERM);
        assert_eq!(greeter.exit_code(), 0);
        assert_eq!(greeter.lines().with(told).len(), usize::from(!owned));
        assert_eq!(file.exists(), !owned);
        assert_eq!(fs::read_to_string(&file).unwrap_or_default(), "");
    }
}
