//! What both engines do alike.

use std::time::Duration;

use tokio::task::JoinSet;

use super::engines::{Engines, open};
use crate::cluster::liveness::{MemberState, ReportedState};
use crate::cluster::member::{self, Entry};
use crate::cluster::process_identity::ProcessIdentity;
use crate::cluster::record::{RecordError, RecordKey, lowest_version};
use crate::cluster::store::{StoreError, schema};

const MINUTE: Duration = Duration::from_secs(60);

fn key(host: &str) -> RecordKey {
    RecordKey {
        host: host.to_owned(),
        service: "agent".to_owned(),
    }
}

fn entry(host: &str, slot: usize) -> Entry {
    Entry {
        service: "agent".to_owned(),
        host: host.to_owned(),
        slot: Some(slot),
        generation: 1,
        process: ProcessIdentity {
            pid: 100 + i64::try_from(slot).unwrap(),
            started: 1,
            boot: "another boot".to_owned(),
        },
        version: 3,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ten_programs_that_start_at_once_make_the_tables_once_and_share_one_record() {
    let engines = Engines::new();
    for url in engines.urls() {
        let mut programs = JoinSet::new();
        for _ in 0..10 {
            let url = url.clone();
            programs.spawn(async move { key("h1").get_or_create(&open(&url), 1).await });
        }
        let records = programs.join_all().await;
        let ids: Vec<_> = records
            .into_iter()
            .map(|record| record.unwrap().id)
            .collect();
        assert!(ids.iter().all(|id| *id == ids[0]), "{url}: {ids:?}");
    }
}

#[tokio::test]
async fn tables_of_a_newer_program_are_refused_with_both_versions() {
    for store in Engines::new().stores() {
        store.query("SELECT 1", vec![]).await.unwrap();
    }
    let engines = Engines::new();
    for url in engines.urls() {
        let store = open(url);
        store
            .query("UPDATE service_schema SET version = 99", vec![])
            .await
            .unwrap();
        let error = open(url).query("SELECT 1", vec![]).await.unwrap_err();
        assert!(error.is_permanent());
        let StoreError::NewerSchema { found, known, .. } = &error else {
            panic!("{error}");
        };
        assert_eq!((*found, *known), (99, schema::KNOWN));
        let text = error.to_string();
        assert!(text.contains("schema 99"), "{text}");
    }
}

#[tokio::test]
async fn a_program_below_the_lowest_recorded_version_gets_no_record() {
    let engines = Engines::new();
    for store in engines.stores() {
        let record = key("h1").get_or_create(&store, 2).await.unwrap();
        assert_eq!((record.version, record.report_count), (2, 0));
        let error = key("h2").get_or_create(&store, 1).await.unwrap_err();
        assert!(
            matches!(
                error,
                RecordError::TooOld {
                    own: 1,
                    lowest: 2,
                    ..
                }
            ),
            "{error}"
        );
        // A newer one on the same host takes the record over, and the lowest version follows.
        let newer = key("h1").get_or_create(&store, 3).await.unwrap();
        assert_eq!((newer.version, &newer.id), (3, &record.id));
        key("h2").get_or_create(&store, 4).await.unwrap();
        assert_eq!(lowest_version(&store, "agent").await.unwrap(), Some(3));
        // Who is forced down does not count.
        assert!(key("h1").force_down(&store, true).await.unwrap());
        assert_eq!(lowest_version(&store, "agent").await.unwrap(), Some(4));
        assert_eq!(lowest_version(&store, "api").await.unwrap(), None);
    }
}

#[tokio::test]
async fn operators_disable_force_down_and_delete_and_beats_change_none_of_it() {
    let engines = Engines::new();
    for store in engines.stores() {
        let key = key("h1");
        key.get_or_create(&store, 1).await.unwrap();
        assert!(key.set_disabled(&store, true, Some("disk")).await.unwrap());
        assert!(key.report(&store).await.unwrap());
        let record = key.get(&store).await.unwrap().unwrap();
        assert_eq!(record.report_count, 1);
        assert!(record.disabled && record.last_seen.is_some());
        assert_eq!(record.disabled_reason.as_deref(), Some("disk"));
        let again = key.get_or_create(&store, 1).await.unwrap();
        assert_eq!(again, record);
        assert!(key.set_disabled(&store, false, Some("disk")).await.unwrap());
        let record = key.get(&store).await.unwrap().unwrap();
        assert_eq!((record.disabled, record.disabled_reason), (false, None));
        assert!(key.delete(&store).await.unwrap());
        assert!(!key.delete(&store).await.unwrap());
        assert!(!key.report(&store).await.unwrap());
    }
}

#[tokio::test]
async fn members_are_what_they_say_what_operators_say_and_what_the_clock_says() {
    let engines = Engines::new();
    for store in engines.stores() {
        let own = ProcessIdentity::own();
        let states = async |down_after| {
            let members = member::list(&store, "agent", down_after, &own)
                .await
                .unwrap();
            let state = |member: member::Member| (member.host, member.slot.unwrap(), member.state);
            members.into_iter().map(state).collect::<Vec<_>>()
        };
        use MemberState::{Busy, Disabled, Down, Draining, Up};
        key("h1").get_or_create(&store, 1).await.unwrap();
        entry("h1", 0)
            .beat(&store, ReportedState::Up)
            .await
            .unwrap();
        entry("h1", 1)
            .beat(&store, ReportedState::Busy)
            .await
            .unwrap();
        entry("h2", 0)
            .beat(&store, ReportedState::Draining)
            .await
            .unwrap();
        let at = |host: &str, slot, state| (host.to_owned(), slot, state);
        assert_eq!(
            states(MINUTE).await,
            [at("h1", 0, Up), at("h1", 1, Busy), at("h2", 0, Draining)]
        );
        key("h1").set_disabled(&store, true, None).await.unwrap();
        assert_eq!(states(MINUTE).await[0], at("h1", 0, Disabled));
        key("h1").force_down(&store, true).await.unwrap();
        assert_eq!(states(MINUTE).await[1], at("h1", 1, Down));
        // A process of this boot that is gone is down whatever its stamp says.
        let mut dead = entry("h3", 0);
        dead.process = ProcessIdentity {
            started: own.started - 1,
            ..own.clone()
        };
        dead.beat(&store, ReportedState::Up).await.unwrap();
        assert_eq!(states(MINUTE).await[3], at("h3", 0, Down));
        // A clean end leaves nothing, and silence is forgotten at last.
        entry("h2", 0).leave(&store).await.unwrap();
        entry("h1", 0).forget(&store, MINUTE).await.unwrap();
        assert_eq!(states(MINUTE).await.len(), 3);
        store
            .query("UPDATE service_member SET seen = {now} - 100000", vec![])
            .await
            .unwrap();
        entry("h1", 0).forget(&store, MINUTE).await.unwrap();
        assert_eq!(states(MINUTE).await, [at("h3", 0, Down)]);
    }
}

#[tokio::test]
async fn a_beat_revives_who_was_silent_and_an_operators_change_does_not() {
    let engines = Engines::new();
    for store in engines.stores() {
        let own = ProcessIdentity::own();
        let state = async || {
            let members = member::list(&store, "agent", MINUTE, &own).await.unwrap();
            members[0].state
        };
        key("h1").get_or_create(&store, 1).await.unwrap();
        entry("h1", 0)
            .beat(&store, ReportedState::Up)
            .await
            .unwrap();
        for stamp in [
            "UPDATE service_member SET seen = {now} - 60500",
            // A clock that was ahead: the future is no better than the past.
            "UPDATE service_member SET seen = {now} + 90000",
        ] {
            store.query(stamp, vec![]).await.unwrap();
            assert_eq!(state().await, MemberState::Down, "{stamp}");
            key("h1").set_disabled(&store, false, None).await.unwrap();
            assert_eq!(state().await, MemberState::Down, "{stamp}");
            entry("h1", 0)
                .beat(&store, ReportedState::Up)
                .await
                .unwrap();
            assert_eq!(state().await, MemberState::Up, "{stamp}");
        }
    }
}
