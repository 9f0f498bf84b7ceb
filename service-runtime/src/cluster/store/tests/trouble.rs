//! A file of SQLite that is locked, full, deleted, truncated, replaced, or somebody else's.

use std::fs;

use rusqlite::Connection;

use super::engines::{Engines, open};
use crate::cluster::record::{RecordError, RecordKey};
use crate::cluster::store::{Store, StoreError};

fn key() -> RecordKey {
    RecordKey {
        host: "h1".to_owned(),
        service: "agent".to_owned(),
    }
}

async fn error(store: &Store) -> StoreError {
    match key().get_or_create(store, 1).await {
        Err(RecordError::Store(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_file_that_another_has_locked_is_told_and_used_when_it_is_free() {
    let engines = Engines::sqlite();
    let store = open(&engines.urls()[0]);
    key().get_or_create(&store, 1).await.unwrap();
    let other = Connection::open(engines.file()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let RecordError::Store(error) = key().get_or_create(&store, 2).await.unwrap_err() else {
        panic!("not an error of the store");
    };
    assert!(error.to_string().contains("locked for 5s"), "{error}");
    assert!(!error.is_permanent());
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(key().get_or_create(&store, 2).await.unwrap().version, 2);
}

#[tokio::test]
async fn a_file_that_was_deleted_is_made_anew() {
    let engines = Engines::sqlite();
    let store = open(&engines.urls()[0]);
    let first = key().get_or_create(&store, 1).await.unwrap();
    for suffix in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(format!("{}{suffix}", engines.file().display()));
    }
    let second = key().get_or_create(&store, 1).await.unwrap();
    assert_ne!(first.id, second.id);
    // What was confirmed is in the file that others see.
    let other = open(&engines.urls()[0]);
    assert_eq!(key().get(&other).await.unwrap(), Some(second));
}

#[tokio::test]
async fn a_file_that_was_truncated_is_told_and_a_new_one_taken() {
    let engines = Engines::sqlite();
    let store = open(&engines.urls()[0]);
    key().get_or_create(&store, 1).await.unwrap();
    drop(store);
    // Closed: all of it is in the file, and a half of it is left.
    let length = fs::metadata(engines.file()).unwrap().len();
    let file = fs::OpenOptions::new().write(true).open(engines.file());
    file.unwrap().set_len(length / 2).unwrap();
    let store = open(&engines.urls()[0]);
    let told = error(&store).await;
    assert!(told.to_string().contains("move the file away"), "{told}");
    fs::remove_file(engines.file()).unwrap();
    key().get_or_create(&store, 1).await.unwrap();
}

#[tokio::test]
async fn a_database_of_another_program_is_refused_and_stays_as_it_was() {
    let engines = Engines::sqlite();
    let other = Connection::open(engines.file()).unwrap();
    other
        .execute_batch("CREATE TABLE books (title TEXT)")
        .unwrap();
    drop(other);
    let before = fs::read(engines.file()).unwrap();
    let told = error(&open(&engines.urls()[0])).await;
    assert!(matches!(told, StoreError::Foreign { .. }), "{told}");
    assert!(told.is_permanent());
    assert!(told.to_string().contains("service_schema"), "{told}");
    // The journal's mode is in the header; the rest is untouched.
    let after = fs::read(engines.file()).unwrap();
    assert_eq!(before[100..], after[100..]);
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_and_stays_as_it_was() {
    let engines = Engines::sqlite();
    let text = "a diary, and no database at all\n".repeat(100);
    fs::write(engines.file(), &text).unwrap();
    let told = error(&open(&engines.urls()[0])).await;
    assert!(matches!(told, StoreError::Foreign { .. }), "{told}");
    assert_eq!(fs::read_to_string(engines.file()).unwrap(), text);
}

#[tokio::test]
async fn a_full_disk_is_told_loses_nothing_that_was_confirmed_and_is_used_when_there_is_room() {
    if !nix::unistd::geteuid().is_root() {
        eprintln!("skipped, because only root mounts file systems: a full disk");
        return;
    }
    let engines = Engines::sqlite();
    let dir = engines.file().parent().unwrap().join("small");
    fs::create_dir(&dir).unwrap();
    let mount = |arguments: &[&str]| {
        let done = std::process::Command::new(arguments[0])
            .args(&arguments[1..])
            .status();
        done.is_ok_and(|status| status.success())
    };
    let place = dir.to_str().unwrap();
    if !mount(&["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", place]) {
        eprintln!("skipped, because nothing can be mounted here: a full disk");
        return;
    }
    let store = open(&format!("sqlite:{place}/store.db"));
    let record = key().get_or_create(&store, 1).await.unwrap();
    // What is left is taken by somebody else.
    let _ = fs::write(dir.join("ballast"), vec![1; 512 * 1024]);
    let mut told = None;
    for version in 2..200 {
        if let Err(error) = key().get_or_create(&store, version).await {
            told = Some((version, error.to_string()));
            break;
        }
    }
    fs::remove_file(dir.join("ballast")).unwrap();
    let (failed, text) = told.expect("the disk is full");
    let confirmed = key().get_or_create(&store, failed).await.unwrap();
    drop(store);
    assert!(mount(&["umount", place]));
    assert!(text.contains("free some space"), "{text}");
    assert_eq!(confirmed.id, record.id);
}
