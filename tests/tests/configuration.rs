//! The configuration as an operator meets it: layers, questions, mistakes, secrets, periodic tasks.

use nix::sys::signal::Signal;
use tests::fixture;
use tests::harness::{Program, Scratch};

fn configured() -> Program {
    fixture!("configured")
}

/// Asks for the effective configuration.
fn printed(program: Program) -> String {
    let (code, printed, log) = program.arg("--print-config").run();
    assert_eq!(code, 0, "{log}");
    printed
}

/// Starts it, refused as wrongly configured, and returns the lines that say so.
fn wrong(program: Program) -> Vec<String> {
    let (code, _, log) = program.run();
    assert_eq!(code, 78, "{log}");
    assert!(!log.contains("got "), "{log}");
    log.lines().map(str::to_owned).collect()
}

#[test]
fn every_layer_wins_over_those_before_it() {
    let scratch = Scratch::new();
    // The last line of each layer stays, as no later layer sets it.
    let keys = [
        "reload_surge",
        "start_timeout",
        "respawn_delay_max",
        "healthy_after",
        "drain_timeout",
        "graceful_shutdown_timeout",
    ];
    let text = |value: u32, keys: &[&str]| {
        let lines: String = keys
            .iter()
            .map(|key| format!("{key} = '{value}s'\n"))
            .collect();
        format!("[launch]\n{lines}")
    };
    let first = scratch.write("first.toml", &text(2, &keys[2..]));
    let second = scratch.write("second.toml", &text(3, &keys[3..]));
    std::fs::create_dir(scratch.path("conf.d")).unwrap();
    scratch.write(
        "conf.d/10.toml",
        "[launch]\ndrain_timeout = '4s'\ngraceful_shutdown_timeout = '4s'\nthreads = 4\n",
    );
    scratch.write(
        "conf.d/20.toml",
        "[launch]\ngraceful_shutdown_timeout = '5s'\nthreads = 5\n",
    );
    scratch.write("conf.d/30.conf", "this is none of ours");
    let printed = printed(
        configured()
            .arg("--config-file")
            .arg(&first)
            .arg("--config-file")
            .arg(&second)
            .arg("--config-dir")
            .arg(scratch.path("conf.d"))
            .env("CONFIGURED__LAUNCH__THREADS", "6")
            .env("CONFIGURED__LAUNCH__LOG_LEVEL", "warn")
            .env("CONFIGURED__LAUNCH__LOG_OPTIONS", "false")
            .arg("--set=launch.log_level=error")
            .arg("--set=launch.log_options=true")
            .arg("--log-options=false"),
    );
    let at = |name: &str, line: usize| format!("{}:{line}", scratch.path(name).display());
    for line in [
        "workers = 1  # default".to_owned(),
        "respawn_delay = \"11ms\"  # attribute respawn_delay".to_owned(),
        format!("respawn_delay_max = \"2s\"  # {}", at("first.toml", 2)),
        format!("healthy_after = \"3s\"  # {}", at("second.toml", 2)),
        format!("drain_timeout = \"4s\"  # {}", at("conf.d/10.toml", 2)),
        format!(
            "graceful_shutdown_timeout = \"5s\"  # {}",
            at("conf.d/20.toml", 2)
        ),
        "threads = 6  # environment variable CONFIGURED__LAUNCH__THREADS".to_owned(),
        "log_level = \"error\"  # --set launch.log_level".to_owned(),
        "log_options = false  # --log-options".to_owned(),
    ] {
        assert!(printed.contains(&line), "no `{line}` in:\n{printed}");
    }
}

#[test]
fn an_authors_options_come_from_every_layer_too() {
    let program = configured()
        .config("[configured]\npatience = '1m 30s'\nalias = 'file'\n[configured.tls]\npassphrase = 'sesame'\n")
        .env("CONFIGURED__CONFIGURED__POOL_SIZE", "20")
        .env("CONFIGURED__CONFIGURED__HOSTS", "['a', 'b']")
        .env("CONFIGURED__CONFIGURED__TLS__VERIFY", "false")
        .arg("--set=configured.alias=flag")
        .arg("--set=configured.cache=1GiB")
        .start();
    program.wait_for(r#"got 20 90s 1GiB ["a", "b"] Some("flag") false false Some(6)"#);
    program.signal(Signal::SIGTERM);
    assert_eq!(program.exit_code(), 0);
}

#[test]
fn what_is_printed_is_a_configuration_of_the_same_values() {
    let first = printed(configured().arg("--set=configured.pool-size=7"));
    let scratch = Scratch::new();
    let file = scratch.write("printed.toml", &first);
    let again = printed(configured().arg("--config-file").arg(file));
    let values = |text: &str| -> Vec<String> {
        let value = |line: &str| line.split("  #").next().unwrap().to_owned();
        text.lines().map(value).collect()
    };
    assert_eq!(values(&first), values(&again));
}

#[test]
fn the_sample_is_a_valid_file_that_sets_nothing() {
    let (code, sample, _) = configured().arg("--sample-config").run();
    assert_eq!(code, 0);
    for text in [
        "[launch]",
        "[configured]",
        "# How many there are.",
        "#pool-size = 10",
        "[configured.tls]",
    ] {
        assert!(sample.contains(text), "{text} in:\n{sample}");
    }
    sample.parse::<toml::Table>().unwrap();
    let scratch = Scratch::new();
    let file = scratch.write("sample.toml", &sample);
    let (code, _, log) = configured()
        .arg("--check-config")
        .arg("--config-file")
        .arg(&file)
        .run();
    assert_eq!(code, 0, "{log}");
    assert_eq!(
        printed(configured().arg("--config-file").arg(&file)),
        printed(configured())
    );
}

#[test]
fn every_default_of_the_sample_can_be_uncommented() {
    let (_, sample, _) = configured().arg("--sample-config").run();
    let option = |line: &str| line.starts_with('#') && line[1..].starts_with(char::is_alphabetic);
    let uncommented: String = sample
        .lines()
        .map(|line| if option(line) { &line[1..] } else { line })
        .flat_map(|line| [line, "\n"])
        .collect();
    let scratch = Scratch::new();
    let file = scratch.write("sample.toml", &uncommented);
    let (code, _, log) = configured()
        .arg("--check-config")
        .arg("--config-file")
        .arg(file)
        .run();
    assert_eq!(code, 0, "{log}");
}

#[test]
fn a_check_tells_right_from_wrong_without_starting_anything() {
    let (code, told, log) = configured().arg("--check-config").run();
    assert_eq!(
        (code, told.as_str()),
        (0, "the configuration is right\n"),
        "{log}"
    );
    let errors = wrong(
        configured()
            .arg("--check-config")
            .arg("--set=configured.pool-size=101"),
    );
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(errors[0].contains("[configured] pool-size"), "{errors:?}");
    assert!(errors[0].contains("100"), "{errors:?}");
}

#[test]
fn a_start_with_a_wrong_configuration_exits_78_before_anything_starts() {
    let errors = wrong(configured().config("[configured]\npatience = 5\n"));
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(
        errors[0].contains("config.toml:2: [configured] patience: expected a duration"),
        "{errors:?}"
    );
}

#[test]
fn an_unknown_key_is_told_with_its_line_and_the_near_miss() {
    let errors = wrong(configured().config("[configured]\n\npool-sise = 5\n"));
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(
        errors[0].contains("config.toml:3: [configured] pool-sise: "),
        "{errors:?}"
    );
    assert!(
        errors[0].contains("did you mean `pool-size`?"),
        "{errors:?}"
    );
    let errors = wrong(configured().config("[launch]\nworkrs = 2\n"));
    assert!(
        errors[0].contains("config.toml:2: [launch] workrs: "),
        "{errors:?}"
    );
    assert!(errors[0].contains("did you mean `workers`?"), "{errors:?}");
}

#[test]
fn a_wrong_key_among_a_thousand_lines_is_one_error() {
    let good = "# a line\n".repeat(499);
    let more = "  \n".repeat(499);
    let file = format!("{good}[configured]\n{more}pool-size = 'many'\n");
    let errors = wrong(configured().config(&file).arg("--check-config"));
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(
        errors[0].contains("config.toml:1000: [configured] pool-size: expected "),
        "{errors:?}"
    );
}

#[test]
fn every_mistake_is_told_at_once_each_in_a_line() {
    let errors = wrong(
        configured()
            .config("[configured]\npool-size = 0\npatience = 'soon'\n[launch]\nworkers = 0\n[confgured]\n")
            .env("CONFIGURED__CONFIGURED__TLS__VERIFY", "maybe"),
    );
    assert_eq!(errors.len(), 5, "{errors:?}");
    for text in [
        "pool-size",
        "patience",
        "workers",
        "confgured",
        "CONFIGURED__CONFIGURED__TLS__VERIFY",
    ] {
        assert!(
            errors.iter().any(|line| line.contains(text)),
            "{text}: {errors:?}"
        );
    }
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let errors = wrong(configured().args(["--config-file", "/nowhere/at.all"]));
    assert!(errors[0].contains("/nowhere/at.all"), "{errors:?}");
    assert!(errors[0].contains("No such file"), "{errors:?}");
    let errors = wrong(configured().config("[configured\n"));
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(errors[0].contains("config.toml:1:"), "{errors:?}");
}

#[test]
fn a_secret_is_in_no_output() {
    let secret = "open sesame";
    let config = format!("[configured.tls]\npassphrase = '{secret}'\n");
    let printed = printed(configured().config(&config));
    assert!(printed.contains("# passphrase = \"***\"  # "), "{printed}");
    assert!(!printed.contains(secret), "{printed}");

    let program = configured()
        .config(&config)
        .arg("--log-level=debug")
        .start();
    program.wait_for("option configured.tls.passphrase = ");
    program.wait_for("Some(11)");
    program.signal(Signal::SIGTERM);
    assert_eq!(program.exit_code(), 0);
    program.everybody_is_gone();
    assert!(program.lines().with(secret).is_empty());

    let errors = wrong(configured().config("[configured.tls]\npin = 31415\n"));
    assert!(errors[0].contains("[configured.tls] pin"), "{errors:?}");
    assert!(!errors[0].contains("31415"), "{errors:?}");
}

#[test]
fn a_table_of_a_periodic_task_changes_when_it_runs() {
    let program = configured()
        .config("[configured.periodic.often]\nenabled = false\n[configured.periodic.rarely]\nenabled = true\nevery = '1ms'\n")
        .start();
    program.wait_for("rarely");
    program.wait_for("rarely");
    program.signal(Signal::SIGTERM);
    assert_eq!(program.exit_code(), 0);
    program.everybody_is_gone();
    assert!(program.lines().with("often").is_empty());
}

#[test]
fn a_table_of_no_periodic_task_is_refused_with_the_near_miss() {
    let errors = wrong(configured().config("[configured.periodic.rarly]\nenabled = true\n"));
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(errors[0].contains("config.toml:1: [configured.periodic] rarly: no periodic task has this name: did you mean `rarely`?"), "{errors:?}");
    let errors = wrong(configured().config("[configured.periodic.rarely]\nenabld = true\n"));
    assert!(errors[0].contains("did you mean `enabled`?"), "{errors:?}");
}

#[test]
fn an_interval_of_nothing_is_refused() {
    let errors = wrong(configured().config("[configured.periodic.often]\nevery = '0s'\n"));
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(
        errors[0].contains("config.toml:2: [configured.periodic.often] every"),
        "{errors:?}"
    );
}

#[test]
fn the_schema_describes_every_option_with_its_words_range_and_default() {
    let secret = "configured.tls.passphrase=hunter2";
    let (code, printed, log) = configured()
        .args(["--config-schema", "--set", secret])
        .run();
    assert_eq!((code, &*log), (0, ""));
    assert!(!printed.contains("hunter2"), "{printed}");
    let schema: serde_json::Value = serde_json::from_str(&printed).unwrap();
    let own = &schema["properties"]["configured"]["properties"];
    let pool = &own["pool-size"];
    assert_eq!(pool["type"], "integer");
    assert_eq!(
        (&pool["minimum"], &pool["maximum"]),
        (&1.into(), &100.into())
    );
    assert_eq!(pool["default"], 10);
    let words = pool["description"].as_str().unwrap();
    assert!(words.starts_with("How many there are."), "{words}");
    assert!(
        words.contains("Can change while the program runs."),
        "{words}"
    );
    assert_eq!(own["hosts"]["items"]["type"], "string");
    assert_eq!(own["hosts"]["default"][0], "localhost");
    assert_eq!(own["patience"]["default"], "5s");
    assert_eq!(own["tls"]["properties"]["verify"]["type"], "boolean");
    let passphrase = &own["tls"]["properties"]["passphrase"];
    assert!(
        passphrase["description"]
            .as_str()
            .unwrap()
            .ends_with("Secret.")
    );
    // Whatever can be set is described.
    let (_, options, _) = configured().arg("--print-config").run();
    let mut table = String::new();
    let mut seen = 0;
    for line in options.lines() {
        if let Some(header) = line.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            table = header.0.to_owned();
        } else if let Some((name, _)) = line
            .split_once(" = ")
            .filter(|(name, _)| !name.starts_with('#'))
        {
            let mut place = &schema;
            for step in table
                .split('.')
                .chain([name])
                .map(|step| step.trim_matches('"'))
            {
                let inner = &place["properties"][step];
                place = if inner.is_null() {
                    &place["additionalProperties"]
                } else {
                    inner
                };
            }
            assert!(place.is_object(), "{table}.{name} is not described");
            seen += 1;
        }
    }
    assert!(seen > 30, "{options}");
}

#[test]
fn the_sample_unit_is_read_by_systemd_and_has_no_secret() {
    let scratch = Scratch::new();
    let (code, unit, log) = configured()
        .args(["--sample-unit", "--graceful-shutdown-timeout", "20s"])
        .args(["--set", "configured.tls.passphrase=hunter2"])
        .args(["--set", "configured.alias=a \"b\" 50% $HOME"])
        .run();
    assert_eq!((code, &*log), (0, ""));
    assert!(!unit.contains("hunter2"), "{unit}");
    assert!(unit.contains("\nTimeoutStopSec=35\n"), "{unit}");
    assert!(
        unit.contains("The secret `configured.tls.passphrase` is left out"),
        "{unit}"
    );
    assert!(!unit.contains("--sample-unit"), "{unit}");
    let command = std::process::Command::new("systemd-analyze")
        .arg("--version")
        .output();
    let Ok(version) = command else {
        eprintln!("skipped: there is no systemd-analyze");
        return;
    };
    let version = String::from_utf8_lossy(&version.stdout).into_owned();
    let version: u32 = version.split_whitespace().nth(1).unwrap().parse().unwrap();
    // A systemd of before knows no such type, as the unit itself says.
    let unit = if version < 253 {
        unit.replace("Type=notify-reload", "Type=notify")
    } else {
        unit
    };
    let path = scratch.write("configured.service", &unit);
    let verified = std::process::Command::new("systemd-analyze")
        .arg("verify")
        .arg(&path)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&verified.stderr).into_owned();
    // Of other units on this machine it may say what it likes.
    assert!(!said.contains("configured.service"), "{said}\n{unit}");
}
