//! A secret is in no output, whatever stands around it, and what stands around it works as a table does.

use nix::sys::signal::Signal;
use tests::fixture;
use tests::harness::{Program, Scratch};

const SECRET: &str = "hunter2";

/// An account in every shape.
const SHAPES: &str = r#"
[[vault.list]]
pass-word = "hunter2"
[[vault.list]]
user = "second"
pw = "hunter2"
[vault.map."a.b"]
pass-word = "hunter2"
port = 1
[[vault.lists.x]]
pass-word = "hunter2"
[vault.one]
pass-word = "hunter2"
[vault]
method = { pair = ["x", { user = "u", pass-word = "hunter2", port = 3 }] }
tagged = { type = "basic", user = "u", pass-word = "hunter2", port = 3 }
either = { user = "u", pass-word = "hunter2", port = 3 }
flattened = { user = "u", pass-word = "hunter2", port = 3 }
aliased = [{ user = "u", pass-word = "hunter2", port = 3 }]
"#;

fn shapes() -> String {
    // A table may not be opened a second time, so its own keys come first.
    let (tables, keys) = SHAPES.split_once("[vault]\n").unwrap();
    format!("[vault]\n{keys}{tables}")
}

fn vault() -> Program {
    fixture!("vault")
}

fn assert_hidden(text: &str) {
    assert!(!text.contains(SECRET), "{text}");
}

#[test]
fn a_secret_of_any_shape_is_in_no_output() {
    let (code, printed, log) = vault().config(&shapes()).arg("--print-config").run();
    assert_eq!(code, 0, "{log}");
    assert_hidden(&printed);
    assert_eq!(printed.matches("***").count(), 10, "{printed}");
    let mut masked = printed.lines().filter(|line| line.contains("***"));
    assert!(masked.all(|line| line.starts_with('#')), "{printed}");

    let program = vault().config(&shapes()).arg("--log-level=debug").start();
    program.wait_for("variants Some(7) Some(7) Some(7) Some(7)");
    program.wait_for(" ready");
    program.signal(Signal::SIGUSR1);
    program.wait_for("vault.list = ");
    program.signal(Signal::SIGTERM);
    assert_eq!(program.exit_code(), 0);
    program.everybody_is_gone();
    assert!(program.lines().with(SECRET).is_empty());
}

#[test]
fn an_error_beside_a_secret_does_not_show_it() {
    for (mistake, part) in [
        (
            "[[vault.list]]\npass-word = \"hunter2\"\nport = 0\n",
            "port",
        ),
        ("[[vault.list]]\npass-word = [\"hunter2\"]\n", "pass-word"),
        ("[vault]\nlist = \"hunter2\"\n", "list"),
        ("[vault]\nlist = [\"hunter2\"]\n", "list"),
        (
            "[vault]\naliased = [{ pass-word = 5, pw = \"hunter2\" }]\n",
            "aliased",
        ),
        (
            "[vault]\nmethod = { basic = { pass-word = \"hunter2\", port = true } }\n",
            "port",
        ),
        (
            "[vault]\ntagged = { type = \"basic\", pass-word = [\"hunter2\"] }\n",
            "tagged",
        ),
        (
            "[vault]\neither = { pass-word = [\"hunter2\"] }\n",
            "either",
        ),
        (
            "[vault]\nflattened = { pass-word = { x = \"hunter2\" } }\n",
            "flattened",
        ),
        ("[vault.one]\npass-word = hunter2\n", "config.toml:2"),
        ("[vault.one]\npass-word = \"hunter2\n", "config.toml:2"),
    ] {
        let (code, _, log) = vault().config(mistake).arg("--check-config").run();
        assert_eq!(code, 78, "{mistake}");
        assert!(log.contains(part), "{log}");
        assert_hidden(&log);
    }
    for (name, text) in [
        (
            "VAULT__VAULT__LIST",
            "[{ pass-word = \"hunter2\", port = 0 }]",
        ),
        ("VAULT__VAULT__LIST", "[{ pass-word = \"hunter2\""),
        ("VAULT__VAULT__ALIASED", "[{ pass-word = \"hunter2\""),
        (
            "VAULT__VAULT__METHOD",
            "{ basic = { pass-word = \"hunter2\", prot = 1 } }",
        ),
    ] {
        let (code, _, log) = vault().env(name, text).arg("--check-config").run();
        assert_eq!(code, 78, "{text}: {log}");
        assert_hidden(&log);
    }
}

#[test]
fn defaults_ranges_and_names_of_options_hold_in_lists_and_maps() {
    let program = vault().config(&shapes()).start();
    for line in [
        "opened nobody 5432 7",
        "opened second 5432 7",
        "opened nobody 1 7",
    ] {
        program.wait_for(line);
    }
    program.signal(Signal::SIGTERM);
    assert_eq!(program.exit_code(), 0);

    let wrong = |text: &str| {
        let (code, _, log) = vault().config(text).arg("--check-config").run();
        assert_eq!(code, 78, "{log}");
        log
    };
    let log = wrong("[[vault.list]]\npass-word = 'x'\n[[vault.list]]\npass-word = 'x'\nprot = 1\n");
    assert!(
        log.contains("config.toml:5: [vault] list[1].prot: unknown key, did you mean `port`?"),
        "{log}"
    );
    let log = wrong("[vault.map.main]\npass-word = 'x'\nport = 10000\n");
    assert!(
        log.contains("config.toml:3: [vault.map.main] port: expected 1 to 9999"),
        "{log}"
    );
    let log = wrong("[[vault.lists.y]]\npass-word = 'x'\nport = 'many'\n");
    assert!(
        log.contains("config.toml:3: [vault.lists] y[0].port: expected an integer"),
        "{log}"
    );
}

#[test]
fn no_hint_names_a_key_that_does_not_exist() {
    let missing = |text: &str| {
        let (code, _, log) = vault().config(text).arg("--check-config").run();
        assert_eq!(code, 78, "{log}");
        log
    };
    let log = missing("[[vault.list]]\nuser = 'x'\n");
    assert!(
        log.contains("config.toml:1: [vault] list[0].pass-word: required and not set: add `pass-word = …` to this item\n"),
        "{log}"
    );
    // A variable can spell neither the case nor the point of such a name.
    let log = missing("[vault.map.Main]\n[vault.map.\"a.b\"]\n[vault.map.plain]\n");
    assert!(log.contains("under `[vault.map.Main]` in a configuration file or as `--set vault.map.Main.pass-word=…`"), "{log}");
    assert!(
        log.contains(
            "give it as `pass-word = …` under `[vault.map.\"a.b\"]` in a configuration file\n"
        ),
        "{log}"
    );
    assert!(
        log.contains("as `VAULT__VAULT__MAP__PLAIN__PASS_WORD=…` in the environment"),
        "{log}"
    );
    let (code, _, log) = vault()
        .env("VAULT__VAULT__MAP__PLAIN__PASS_WORD", "x")
        .arg("--set=vault.map.Main.pass-word=x")
        .arg("--check-config")
        .run();
    assert_eq!(code, 0, "{log}");
}

#[test]
fn the_secret_of_a_file_is_read_at_start_and_at_each_reload() {
    let scratch = Scratch::new();
    let (phrase, pin) = (
        scratch.write("phrase", "hunter2\n"),
        scratch.write("pin", "7"),
    );
    let config = format!("[configured.tls]\npassphrase_file = {phrase:?}\n");
    let configured = || {
        let program = fixture!("configured").config(&config);
        program.env("CONFIGURED__CONFIGURED__TLS__PIN_FILE", &pin)
    };
    let (code, printed, log) = configured().arg("--print-config").run();
    assert_eq!(code, 0, "{log}");
    assert_hidden(&printed);
    let origin = format!("{}, named by ", phrase.display());
    assert!(printed.contains(&origin), "{printed}");

    let program = configured()
        .args(["--workers=2", "--log-level=debug"])
        .start();
    program.ready(2);
    for _ in 0..2 {
        program.wait_for(" true true Some(7)");
    }
    let open =
        |path: &std::path::Path| format!("may read or change the secret in {}", path.display());
    let early = program.lines();
    assert_eq!(early.with(&open(&phrase)).len(), 1);

    scratch.write("phrase", "hunter2-and-more\n");
    program.signal(Signal::SIGHUP);
    for _ in 0..2 {
        program.wait_for(" true true Some(16)");
    }
    program.wait_for("reloaded");
    scratch.write("phrase", "");
    program.signal(Signal::SIGHUP);
    program.wait_for(&format!(
        "passphrase_file: cannot read {}: it is empty",
        phrase.display()
    ));
    program.signal(Signal::SIGTERM);
    assert_eq!(program.exit_code(), 0);
    assert!(program.lines().with(SECRET).is_empty());
}
