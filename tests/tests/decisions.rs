//! One answer to a configuration, whoever asks: a start, a check, a reload, an upgrade.

use std::fs::File;
use std::os::unix::ffi::OsStrExt;

use nix::sys::signal::Signal;
use nix::sys::stat::Mode;
use tests::fixture;
use tests::harness::{Program, Scratch};

fn configured() -> Program {
    fixture!("configured")
}

/// A file with a mistake, and what is said of it.
const MISTAKES: &[(&str, &str)] = &[
    (
        "[launch]\nlog_level = 'info,web=bogus'\n",
        "[launch] log_level: expected a level",
    ),
    (
        "[launch]\nworkers = 20000\n",
        "[launch] workers: expected a number of workers, 1 to 1000",
    ),
    (
        "[launch]\nheartbeat_timeout = '1s'\n",
        "[launch] heartbeat_timeout: expected a duration of at least `3s`",
    ),
    (
        "[launch]\nuser = 'nobody-at-all'\n",
        "[launch] user: there is no user `nobody-at-all`",
    ),
    (
        "[launch]\nchdir = '/nowhere/at/all'\n",
        "[launch] chdir: there is no directory",
    ),
    (
        "[configured]\npatience = '5M'\n",
        "[configured] patience: expected a duration",
    ),
    (
        "[configured]\npool-size = 101\n",
        "[configured] pool-size: expected 1 to 100",
    ),
    (
        "[configured.periodic.oftn]\nenabled = true\n",
        "no periodic task has this name: did you mean `often`?",
    ),
    (
        "[launch.pools.confgured]\nworkers = 2\n",
        "[launch.pools] confgured: no service has this name: did you mean `configured`?",
    ),
    (
        "[configured.periodic.often]\ncron = '61 * * * *'\n",
        ":2: [configured.periodic.often] cron: wrong cron expression `61 * * * *`",
    ),
    (
        "[configured.periodic.often]\ncron = '0 0 30 2 *'\n",
        ":2: [configured.periodic.often] cron: wrong cron expression `0 0 30 2 *`",
    ),
    (
        "[configured.periodic.often]\ncron = '0 4 * * *'\nzone = 'Europe/Berln'\n",
        ":3: [configured.periodic.often] zone: unknown time zone `Europe/Berln`",
    ),
    (
        "[configured.periodic.often]\nzone = 'UTC'\n",
        ":2: [configured.periodic.often] zone: it is the time zone of `cron`",
    ),
    (
        "[configured.periodic.often]\nevery = '1h'\ncron = '0 4 * * *'\n",
        ":3: [configured.periodic.often] cron: a task has one of `every` and `cron`",
    ),
    (
        "[configured.periodic.often]\ncron = 5\n",
        ":2: [configured.periodic.often] cron: expected",
    ),
    ("[configured\n", "broken TOML"),
];

#[test]
fn start_check_reload_and_upgrade_refuse_the_same_mistakes() {
    for (text, told) in MISTAKES {
        let (start, _, log) = configured().config(text).run();
        assert!(log.contains(told), "{told} in {log}");
        let lines = log.lines().count();
        let (check, _, log) = configured().config(text).arg("--check-config").run();
        assert!(log.contains(told), "{told} in {log}");
        assert_eq!((start, check), (78, 78), "{text}");
        assert_eq!(lines, log.lines().count(), "{log}");
    }
    let program = configured().config("[launch]\nworkers = 2\n").start();
    program.ready(2);
    for (text, told) in MISTAKES {
        program.rewrite(text);
        program.signal(Signal::SIGHUP);
        program.wait_for(told);
        program.signal(Signal::SIGUSR2);
        program.wait_for(told);
    }
    program.signal(Signal::SIGTERM);
    assert_eq!(program.exit_code(), 0);
}

#[test]
fn mistakes_of_every_kind_are_told_in_one_run() {
    let (code, _, log) = configured()
        .config(
            "[configured]\npool-size = 0\n[configured.periodic.oftn]\nenabled = true\n\
             [launch]\nworkers = 0\nchdir = '/nowhere/at/all'\n[launch.pools.confgured]\nworkers = 2\n",
        )
        .arg("--check-config")
        .run();
    assert_eq!(code, 78);
    for part in ["pool-size", "oftn", "[launch] workers", "confgured"] {
        assert!(log.contains(part), "{part} in {log}");
    }
}

#[test]
fn a_wrong_name_of_only_ends_with_2_before_anything_is_forked() {
    for program in [configured(), configured().arg("--check-config")] {
        let (code, _, log) = program.arg("--only=confgured").run();
        assert_eq!(code, 2, "{log}");
        assert_eq!(
            log,
            "configured: `--only confgured`: no service has this name: did you mean `configured`?\n"
        );
    }
}

#[test]
fn a_wrong_rust_log_is_refused_by_start_and_check() {
    for wrong in [&b"inof"[..], b"garbage!!", b"info,x=bogus", b"\xff"] {
        let wrong = std::ffi::OsStr::from_bytes(wrong);
        for program in [configured(), configured().arg("--check-config")] {
            let (code, _, log) = program.env("RUST_LOG", wrong).run();
            assert_eq!(code, 78, "{log}");
            assert!(
                log.contains("in RUST_LOG does not say what to log"),
                "{log}"
            );
        }
    }
}

#[test]
fn a_variable_that_cannot_be_read_or_is_there_twice_is_refused() {
    let name = "CONFIGURED__CONFIGURED__ALIAS";
    let (code, _, log) = configured()
        .env(name, std::ffi::OsStr::from_bytes(b"\xff"))
        .arg("--check-config")
        .run();
    assert_eq!(code, 78);
    assert!(
        log.contains(&format!("environment variable {name}: expected UTF-8 text")),
        "{log}"
    );
    let (code, _, log) = configured()
        .env(name, "a")
        .env("CONFIGURED__Configured__alias", "b")
        .arg("--check-config")
        .run();
    assert_eq!(code, 78);
    assert!(
        log.contains(&format!("the same option as {name}: keep one of them")),
        "{log}"
    );
}

#[test]
fn a_set_keeps_the_spaces_of_its_text() {
    let program = configured().arg("--set=configured.alias= a ").start();
    program.wait_for("Some(\" a \")");
    program.signal(Signal::SIGTERM);
    assert_eq!(program.exit_code(), 0);
}

#[test]
fn an_answer_that_cannot_be_written_is_a_failure() {
    for question in ["--print-config", "--sample-config", "--check-config"] {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let program = configured().arg(question).stdout(full).start();
        assert_eq!(program.exit_code(), 1, "{question}");
    }
}

#[test]
fn what_is_no_file_or_has_lost_its_text_is_refused() {
    let scratch = Scratch::new();
    let pipe = scratch.path("pipe.toml");
    nix::unistd::mkfifo(&pipe, Mode::S_IRWXU).unwrap();
    let (code, _, log) = configured().arg("--config-file").arg(&pipe).run();
    assert_eq!(code, 78);
    assert!(
        log.contains("it is a pipe; expected a regular file"),
        "{log}"
    );

    let file = scratch.write("config.toml", "[configured]\npool-size = 7\n");
    let program = configured().arg("--config-file").arg(&file).start();
    program.wait_for("got 7 ");
    program.wait_for(" ready");
    scratch.write("config.toml", "");
    program.signal(Signal::SIGHUP);
    program.wait_for("the file is empty and was not before");
    std::fs::rename(&pipe, &file).unwrap();
    program.signal(Signal::SIGHUP);
    program.wait_for("it is a pipe; expected a regular file");
    program.signal(Signal::SIGTERM);
    assert_eq!(program.exit_code(), 0);
}

#[test]
fn a_file_that_is_cut_off_and_still_right_is_refused_by_a_reload() {
    let program = configured()
        .config("[configured]\npool-size = 77\n")
        .start();
    program.wait_for("got 77 ");
    program.wait_for(" ready");
    program.rewrite("[configured]\npool-size = 7");
    program.signal(Signal::SIGHUP);
    program
        .wait_for("config.toml:2: the file ends here in the middle of a line that it had before");
    program.rewrite("[configured]\npool-size = 7\n");
    program.signal(Signal::SIGHUP);
    program.wait_for("got 7 ");
    program.signal(Signal::SIGTERM);
    assert_eq!(program.exit_code(), 0);
}

#[test]
fn lines_that_are_gone_from_the_end_of_a_file_are_told_at_a_reload() {
    let program = configured()
        .config("[configured]\npatience = '6s'\npool-size = 7\n")
        .start();
    program.wait_for("got 7 6s");
    program.rewrite("[configured]\npatience = '6s'\n");
    program.signal(Signal::SIGHUP);
    let line = program.wait_for("the file is as it was but for its last 1 lines, which are gone");
    assert!(
        line.contains("WARN") && line.contains("config.toml"),
        "{line}"
    );
    program.wait_for("got 10 6s");
    program.signal(Signal::SIGTERM);
    assert_eq!(program.exit_code(), 0);
}

#[test]
fn an_operator_gives_a_cron_line_and_a_zone_and_a_reload_takes_another() {
    let table = "[configured.periodic.rarely]\nenabled = true\n";
    let program = configured()
        .config(&format!(
            "{table}cron = '* * * * * *'\nzone = 'Asia/Tokyo'\n"
        ))
        .start();
    // The attribute says each hour, and not at all.
    program.wait_for("rarely");
    program.wait_for("rarely");
    program.rewrite(&format!("{table}cron = '0 0 29 2 *'\n"));
    program.signal(Signal::SIGHUP);
    program.wait_for("reloaded");
    let told = program.lines().with("rarely").len();
    program.rewrite(&format!("{table}every = '1h'\nimmediately = true\n"));
    program.signal(Signal::SIGHUP);
    program.wait_for("reloaded");
    program.wait_for("rarely");
    assert_eq!(program.lines().with("rarely").len(), told + 1);
    program.signal(Signal::SIGTERM);
    assert_eq!(program.exit_code(), 0);
}

#[test]
fn addresses_that_are_no_addresses_or_are_used_twice_are_told_once() {
    for (text, told) in [
        ("[web]\nbind = 'nonsense'\n", "config.toml:2: [web] bind: "),
        (
            "[web]\nbind = '127.0.0.1:7999'\nhealth_bind = '127.0.0.1:7999'\n",
            "config.toml:3: [web] health_bind: `127.0.0.1:7999` is the address of [web] bind already",
        ),
        (
            "[web]\nbind = '*:7999'\nhealth_bind = 'localhost:7999'\n",
            "config.toml:3: [web] health_bind: `localhost:7999` and `*:7999`, the address of [web] bind, cannot both",
        ),
        (
            "[web]\nbind = ['127.0.0.1:7999', '0.0.0.0:7999']\n",
            "config.toml:2: [web] bind: `0.0.0.0:7999` and `127.0.0.1:7999`, the address of [web] bind, cannot both",
        ),
    ] {
        for program in [fixture!("web"), fixture!("web").arg("--check-config")] {
            let (code, _, log) = program.config(text).run();
            assert_eq!(code, 78, "{log}");
            assert!(log.contains(told), "{told} in {log}");
            assert_eq!(log.lines().count(), 1, "{log}");
        }
    }
}

#[test]
fn a_pid_file_that_cannot_be_written_is_told_once_by_start_and_check() {
    let path = "--pid-file=/nowhere/at/all.pid";
    for program in [configured(), configured().arg("--check-config")] {
        let (code, _, log) = program.arg(path).run();
        assert_eq!(code, 1, "{log}");
        assert_eq!(log.matches("cannot lock the pid file").count(), 1, "{log}");
        assert_eq!(log.lines().count(), 1, "{log}");
    }
}

#[test]
fn numbers_at_their_edges_start_reload_and_stop() {
    let durations = [
        "graceful_shutdown_timeout",
        "drain_timeout",
        "start_timeout",
        "respawn_delay",
        "respawn_delay_max",
        "healthy_after",
        "heartbeat_timeout",
        "max_lifetime",
        "max_lifetime_jitter",
        "upgrade_timeout",
        "on_worker_exit_timeout",
    ];
    let longest = "18446744073709551615s";
    let all: String = durations
        .iter()
        .map(|key| format!("{key} = '{longest}'\n"))
        .collect();
    let numbers = "max_requests = 18446744073709551615\nmax_requests_jitter = 18446744073709551615\n\
                   service_restart_limit = 18446744073709551615\nmax_memory = '18446744073709551615B'\n";
    let program = fixture!("greeter")
        .config(&format!("[launch]\nworkers = 2\n{all}{numbers}"))
        .start();
    program.ready(2);
    program.signal(Signal::SIGHUP);
    program.ready(2);
    program.signal(Signal::SIGTERM);
    assert_eq!(program.exit_code(), 0);
    program.everybody_is_gone();
    assert!(program.lines().with("panic").is_empty());
}
