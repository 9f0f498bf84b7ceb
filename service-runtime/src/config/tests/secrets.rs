//! A secret is in no output of the module.

use super::*;
use crate::config::{log_options, print_config};

const SECRET: &str = "hunter2";

fn db() -> [Section; 1] {
    [Section::of::<Db>("db")]
}

/// Every way in which the text of a secret could get out of something.
fn assert_silent(outputs: &[String]) {
    for output in outputs {
        assert!(!output.contains(SECRET), "{output}");
    }
}

#[test]
fn a_secret_is_masked_wherever_a_snapshot_is_shown() {
    let text = format!(
        "[db]\nurl = \"u\"\npassword = {SECRET:?}\n[greeter.tls]\ncert = \"c\"\nkey = {SECRET:?}\n"
    );
    let sections = [Section::of::<Db>("db"), Section::of::<Greeter>("greeter")];
    let snapshot = build(&layers(), &text, &sections).unwrap();
    assert_eq!(snapshot.section::<Db>("db").unwrap().password, SECRET);
    assert_silent(&[
        snapshot.to_string(),
        format!("{snapshot:?}"),
        format!("{snapshot:#?}"),
        format!("{:?}", snapshot.get("greeter.tls").unwrap()),
        format!("{:?}", snapshot.table("db").unwrap()),
        print_config(&snapshot, &sections),
        log_options(&snapshot, &sections).join("\n"),
    ]);
    assert!(
        snapshot
            .to_string()
            .contains("db.password = \"***\" (hello.toml:3)"),
        "{snapshot}"
    );
}

#[test]
fn a_secret_is_masked_in_changes() {
    let text = |pin: &str| format!("[db]\nurl = \"u\"\npassword = {SECRET:?}\npin = {pin}\n");
    let old = build(&layers(), &text("1234"), &db()).unwrap();
    let new = build(
        &layers(),
        &text("5678").replace(SECRET, "other-hunter2"),
        &db(),
    )
    .unwrap();
    let (_, changes) = old.mutate(&new, &db());
    assert_eq!(
        changes.to_string(),
        "[db] pin: \"***\" -> \"***\" (hello.toml:4)\n\
         [db] password: \"***\" -> \"***\" (hello.toml:3): needs a restart"
    );
    let debug = format!("{changes:?}");
    assert!(
        !debug.contains("1234") && !debug.contains("5678"),
        "{debug}"
    );
    assert_silent(&[debug]);
}

#[test]
fn an_error_about_a_secret_shows_stars() {
    let wrong = |pin: &str| {
        lines(build(
            &layers(),
            &format!("[db]\nurl = \"u\"\npassword = \"p\"\npin = {pin}\n"),
            &db(),
        ))
    };
    assert_eq!(
        wrong(&format!("{SECRET:?}")),
        ["hello.toml:4: [db] pin: expected an integer from 0 to 65535, found ***"]
    );
    assert_eq!(
        wrong("12345"),
        ["hello.toml:4: [db] pin: expected at most 9999, found ***"]
    );
    assert_eq!(
        lines(build(
            &layers().set(format!("db.pin={SECRET}")),
            "db.url = \"u\"\ndb.password = \"p\"",
            &db()
        )),
        ["--set db.pin: [db] pin: expected an integer from 0 to 65535, found ***"]
    );
}

#[test]
fn the_authors_own_words_cannot_carry_a_secret_out() {
    #[derive(Debug, Deserialize)]
    #[serde(try_from = "Db")]
    struct Strict;
    impl TryFrom<Db> for Strict {
        type Error = String;
        fn try_from(db: Db) -> Result<Self, String> {
            let (password, url) = (db.password, db.url);
            Err(format!(
                "the password {password} or {password:?} is too short for {url}"
            ))
        }
    }
    impl Config for Strict {
        const FIELDS: &'static [Field] = Db::FIELDS;
    }
    let secret = format!("\"{SECRET}\\0");
    let text = format!("[db]\nurl = \"u\"\npassword = '{secret}'\n");
    assert_eq!(
        lines(build(&layers(), &text, &[Section::of::<Strict>("db")])),
        ["hello.toml:1: [db]: the password *** or \"***\" is too short for u"]
    );
}

#[test]
fn layers_show_names_and_no_values() {
    let layers = layers()
        .set(format!("db.password={SECRET}"))
        .flag("db.password", SECRET, "--password")
        .attribute("db.password", SECRET)
        .env([("HELLO__DB__PASSWORD".to_owned(), SECRET.to_owned())]);
    assert_silent(&[format!("{layers:?}"), format!("{layers:#?}")]);
}

#[test]
fn a_slip_in_a_set_does_not_show_what_was_set() {
    assert_silent(&lines(
        layers().set(format!("db.password {SECRET}")).load(&[]),
    ));
}
