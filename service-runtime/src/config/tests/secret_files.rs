//! Secrets that stand in files of their own.

use std::os::unix::fs::PermissionsExt;

use super::files::Scratch;
use super::*;

const SECRET: &str = "hunter2";

fn db() -> [Section; 1] {
    [Section::of::<Db>("db")]
}

fn password(snapshot: &Snapshot) -> (String, String) {
    let db: Db = snapshot.section("db").unwrap();
    let entry = snapshot.get("db.password").unwrap();
    (db.password, entry.origin().to_string())
}

#[test]
fn a_key_in_a_file_and_a_variable_name_the_file_of_a_secret() {
    let dir = Scratch::new("named");
    let file = dir.file("password", "hunter2\n");
    let toml = dir.file(
        "db.toml",
        &format!("[db]\nurl = \"u\"\npassword_file = {file:?}\n"),
    );
    let snapshot = layers().file(&toml).load(&db()).unwrap();
    let origin = format!("{}, named by {}:3", file.display(), toml.display());
    assert_eq!(password(&snapshot), (SECRET.to_owned(), origin));

    let env = [("HELLO__DB__PASSWORD_FILE", file.as_os_str())];
    let snapshot = layers().env(env).set("db.url=u").load(&db()).unwrap();
    let origin = "named by environment variable HELLO__DB__PASSWORD_FILE";
    let origin = format!("{}, {origin}", file.display());
    assert_eq!(password(&snapshot), (SECRET.to_owned(), origin));
    assert!(!format!("{snapshot:?} {snapshot}").contains(SECRET));
}

#[test]
fn a_credential_wins_over_files_and_yields_to_variables() {
    let dir = Scratch::new("credentials");
    let credential = dir.file("db.password", "hunter2\n");
    dir.file("web.token", "of another program");
    dir.file("certificate", "of another kind");
    let directory = ("CREDENTIALS_DIRECTORY", dir.0.as_os_str());
    let toml = dir.file("db.toml", "db = { url = \"u\", password = \"old\" }");
    let layers = layers().file(toml);
    let snapshot = layers.clone().env([directory]).load(&db()).unwrap();
    let origin = format!("credential {}", credential.display());
    assert_eq!(password(&snapshot), (SECRET.to_owned(), origin));
    let variable = ("HELLO__DB__PASSWORD", "new".as_ref());
    let snapshot = layers.env([directory, variable]).load(&db()).unwrap();
    assert_eq!(password(&snapshot).0, "new");
}

#[test]
fn a_credential_that_no_option_has_is_told_with_its_near_miss() {
    let dir = Scratch::new("near");
    dir.file("db.pasword", SECRET);
    let directory = ("CREDENTIALS_DIRECTORY", dir.0.as_os_str());
    let error = layers().env([directory]).set("db.url=u").load(&db());
    let error = error.unwrap_err().to_string();
    assert!(error.contains("did you mean `password`?"), "{error}");
    assert!(!error.contains(SECRET), "{error}");
}

#[test]
fn a_file_that_cannot_be_read_is_one_error_with_its_path_and_reason() {
    let dir = Scratch::new("unreadable");
    let absent = dir.0.join("absent");
    let empty = dir.file("empty", "\n");
    let binary = dir.0.join("binary");
    std::fs::write(&binary, b"hunter2\xff").unwrap();
    for (path, reason) in [
        (absent.display().to_string(), "No such file or directory"),
        (empty.display().to_string(), "it is empty"),
        (binary.display().to_string(), "expected UTF-8 text"),
        (dir.0.display().to_string(), "expected a regular file"),
    ] {
        let layers = layers()
            .set("db.url=u")
            .set(format!("db.password_file={path}"));
        let error = layers.load(&db()).unwrap_err().to_string();
        let prefix = format!("--set db.password_file: [db] password_file: cannot read {path}: ");
        assert!(error.starts_with(&prefix), "{error}");
        assert!(
            error.contains(reason) && error.lines().count() == 1,
            "{error}"
        );
    }
    let relative = layers().set("db.url=u").set("db.password_file=secret");
    let error = relative.load(&db()).unwrap_err().to_string();
    assert!(
        error.contains("expected the absolute path of a file"),
        "{error}"
    );
}

#[test]
fn a_value_that_is_given_in_two_ways_is_refused() {
    let dir = Scratch::new("twice");
    let file = dir.file("password", SECRET);
    let env = [
        ("HELLO__DB__PASSWORD", "x".as_ref()),
        ("HELLO__DB__PASSWORD_FILE", file.as_os_str()),
    ];
    let error = layers().env(env).set("db.url=u").load(&db()).unwrap_err();
    let error = error.to_string();
    assert!(error.contains("given by a variable too"), "{error}");
    let text = format!("db = {{ url = \"u\", password = \"x\", password_file = {file:?} }}");
    let toml = dir.file("db.toml", &text);
    let error = layers().file(toml).load(&db()).unwrap_err().to_string();
    assert!(error.contains("given twice"), "{error}");
}

#[test]
fn an_option_that_is_no_secret_has_no_file() {
    let error = layers()
        .set("db.url_file=/etc/hostname")
        .set("db.password=x");
    let error = error.load(&db()).unwrap_err().to_string();
    assert!(error.contains("[db] url_file: unknown key"), "{error}");
}

#[test]
fn another_process_builds_the_same_from_the_texts_alone() {
    let dir = Scratch::new("handed");
    let file = dir.file("password", SECRET);
    let layers = layers().set("db.url=u");
    let layers = layers.set(format!("db.password_file={}", file.display()));
    let mut sources = layers.read().unwrap();
    layers.read_secrets(&mut sources, &db()).unwrap();
    let sources = Sources::from_bytes(&sources.to_bytes()).unwrap();
    std::fs::write(&file, "changed since").unwrap();
    let first = layers.build(&sources, &db()).unwrap();
    assert_eq!(password(&first).0, SECRET);

    // The supervisor takes types over from the snapshot before, but not the text.
    let mut newer = layers.read().unwrap();
    layers.read_secrets(&mut newer, &db()).unwrap();
    let newer = layers.build_like(&newer, &db(), &first).unwrap();
    assert_eq!(password(&newer).0, "changed since");
}

#[test]
fn a_file_that_everybody_may_read_is_noticed() {
    let dir = Scratch::new("open");
    let file = dir.file("password", SECRET);
    let layers = layers().set(format!("db.password_file={}", file.display()));
    for (mode, is_open) in [(0o600, false), (0o640, false), (0o644, true), (0o602, true)] {
        std::fs::set_permissions(&file, PermissionsExt::from_mode(mode)).unwrap();
        let mut sources = layers.read().unwrap();
        layers.read_secrets(&mut sources, &db()).unwrap();
        assert_eq!(sources.secrets[0].is_open, is_open, "{mode:o}");
    }
}
