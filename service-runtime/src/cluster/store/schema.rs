//! The tables, and how a store gets from each version to the next.
//!
//! A step only adds: programs of the version before go on with what they know. A store whose version is
//! above [`KNOWN`] is refused, because its steps may have done more.

/// The version of the tables that this program knows.
pub(crate) const KNOWN: i64 = STEPS.len() as i64;

/// Reads the version; the table has one row, or is not there.
pub(super) const VERSION: &str = "SELECT version FROM service_schema";

/// Makes the table that the version stands in.
pub(super) const VERSION_TABLE: &str =
    "CREATE TABLE IF NOT EXISTS service_schema (version BIGINT NOT NULL)";

/// The steps from no tables at all to the newest: the first makes version 1.
pub(super) const STEPS: &[&str] = &["
CREATE TABLE service_record (
    id TEXT NOT NULL PRIMARY KEY,
    host TEXT NOT NULL,
    service TEXT NOT NULL,
    topic TEXT NOT NULL,
    version BIGINT NOT NULL,
    report_count BIGINT NOT NULL,
    last_seen BIGINT,
    disabled BIGINT NOT NULL,
    disabled_reason TEXT,
    forced_down BIGINT NOT NULL,
    created BIGINT NOT NULL,
    updated BIGINT,
    UNIQUE (host, service),
    UNIQUE (host, topic)
);
CREATE TABLE service_member (
    id TEXT NOT NULL PRIMARY KEY,
    service TEXT NOT NULL,
    host TEXT NOT NULL,
    slot BIGINT,
    generation BIGINT NOT NULL,
    pid BIGINT NOT NULL,
    started BIGINT NOT NULL,
    boot TEXT NOT NULL,
    version BIGINT NOT NULL,
    state TEXT NOT NULL,
    seen BIGINT,
    created BIGINT NOT NULL
);
CREATE INDEX service_member_of ON service_member (service, host);
CREATE TABLE service_lease (
    name TEXT NOT NULL PRIMARY KEY,
    holder TEXT NOT NULL,
    fence BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    state TEXT
);
"];

/// Writes the version of a step, from 0.
pub(super) fn stamp(step: usize) -> String {
    if step == 0 {
        "INSERT INTO service_schema (version) VALUES (1)".to_owned()
    } else {
        format!("UPDATE service_schema SET version = {}", step + 1)
    }
}
