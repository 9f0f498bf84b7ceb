//! The store in a file, by SQLite: many processes of one machine, one writer at a time.
//!
//! A file that was deleted or replaced under an open connection is noticed by its inode before the next
//! statement, and opened anew; so is one after any error that is not just a busy writer.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode, OpenFlags, ToSql, TransactionBehavior, params_from_iter};

use super::schema;
use super::{LIMIT, Row, StoreError, Value};

/// Says in the file's header whose it is.
const APPLICATION: i64 = 0x5356_4352;
const NOW: &str = "CAST(unixepoch('subsec') * 1000 AS INTEGER)";

/// The file and the connection to it.
pub(super) struct Engine {
    path: PathBuf,
    open: Mutex<Option<Open>>,
}

struct Open {
    connection: Connection,
    /// The device and the inode of the file when it was opened.
    file: (u64, u64),
}

impl Engine {
    pub(super) fn new(path: PathBuf) -> Self {
        Self {
            path,
            open: Mutex::new(None),
        }
    }

    /// Carries out a statement; blocks, for [`LIMIT`] when another writes.
    pub(super) fn query(&self, statement: &str, values: &[Value]) -> Result<Vec<Row>, StoreError> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open
            .as_ref()
            .is_some_and(|open| identity(&self.path) != Some(open.file))
        {
            tracing::warn!(store = %self.name(), "the file of the store was removed or replaced, it is opened anew");
            *open = None;
        }
        let connection = match &mut *open {
            Some(open) => open,
            None => open.insert(self.open()?),
        };
        let result = run(&connection.connection, statement, values);
        result.map_err(|error| {
            if !is_busy(&error) {
                *open = None;
            }
            self.unavailable(&error)
        })
    }

    fn open(&self) -> Result<Open, StoreError> {
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder).map_err(|error| StoreError::Unavailable {
                store: self.name(),
                cause: format!("cannot create {}: {error}", folder.display()),
            })?;
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(&self.path, flags)
            .map_err(|error| self.unavailable(&error))?;
        let prepared = connection
            .busy_timeout(LIMIT)
            .and_then(|()| patiently(|| settle(&connection)));
        prepared.map_err(|error| self.unavailable(&error))?;
        self.migrate(&mut connection)?;
        let file = identity(&self.path).ok_or_else(|| StoreError::Unavailable {
            store: self.name(),
            cause: "the file was removed while it was being opened".to_owned(),
        })?;
        Ok(Open { connection, file })
    }

    /// Brings the tables to the version that this program knows; one process at a time does.
    fn migrate(&self, connection: &mut Connection) -> Result<(), StoreError> {
        let failed = |error: rusqlite::Error| self.unavailable(&error);
        // Read first: all but the first of many programs need no lock to write.
        if self.version(connection)? == Some(schema::KNOWN) {
            return Ok(());
        }
        let change = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(failed)?;
        let found = self.version(&change)?.unwrap_or(0);
        if found > schema::KNOWN {
            return Err(StoreError::NewerSchema {
                store: self.name(),
                found,
                known: schema::KNOWN,
            });
        }
        change
            .execute_batch(schema::VERSION_TABLE)
            .map_err(failed)?;
        let from = usize::try_from(found).unwrap_or(0);
        for (step, text) in schema::STEPS.iter().enumerate().skip(from) {
            change.execute_batch(text).map_err(failed)?;
            change.execute_batch(&schema::stamp(step)).map_err(failed)?;
        }
        change
            .pragma_update(None, "application_id", APPLICATION)
            .map_err(failed)?;
        change.commit().map_err(failed)
    }

    /// Returns the version of the tables; none in an empty file.
    fn version(&self, connection: &Connection) -> Result<Option<i64>, StoreError> {
        let number = |query: &str| connection.query_row(query, [], |row| row.get::<_, i64>(0));
        let failed = |error: rusqlite::Error| self.unavailable(&error);
        let owner = number("PRAGMA application_id").map_err(failed)?;
        let tables = number("SELECT count(*) FROM sqlite_schema").map_err(failed)?;
        let ours = number("SELECT count(*) FROM sqlite_schema WHERE name = 'service_schema'");
        let has_version = ours.map_err(failed)? > 0;
        let foreign = |what: String| StoreError::Foreign {
            store: self.name(),
            what,
        };
        if owner != 0 && owner != APPLICATION {
            return Err(foreign(format!(
                "its file is marked with application id {owner}"
            )));
        }
        if tables > 0 && !has_version {
            return Err(foreign(
                "it has tables, and none of them is `service_schema`".to_owned(),
            ));
        }
        if !has_version {
            return Ok(None);
        }
        number(schema::VERSION).map(Some).map_err(failed)
    }

    fn unavailable(&self, error: &rusqlite::Error) -> StoreError {
        let code = error.sqlite_error_code();
        let cause = match code {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => format!(
                "another process has kept it locked for {}",
                humantime::format_duration(LIMIT)
            ),
            Some(ErrorCode::ReadOnly) => {
                format!(
                    "{error}: give the user of this program the right to write the file and its folder"
                )
            }
            Some(ErrorCode::DiskFull) => format!("{error}: free some space on its file system"),
            Some(ErrorCode::CannotOpen) => {
                format!("{error}: is its folder there, and may this user write it?")
            }
            Some(ErrorCode::NotADatabase) => {
                return StoreError::Foreign {
                    store: self.name(),
                    what: "the file is no database of SQLite".to_owned(),
                };
            }
            Some(ErrorCode::DatabaseCorrupt) => {
                format!("{error}: move the file away, and programs make a new one")
            }
            _ => error.to_string(),
        };
        StoreError::Unavailable {
            store: self.name(),
            cause,
        }
    }

    fn name(&self) -> String {
        format!("sqlite:{}", self.path.display())
    }
}

fn settle(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "journal_mode", "wal")?;
    // A crash of the machine may lose the last beats, and never breaks the file.
    connection.pragma_update(None, "synchronous", "normal")?;
    connection.set_prepared_statement_cache_capacity(32);
    Ok(())
}

/// Tries again while another process is busy: a change of the journal's mode does not wait by itself.
fn patiently<T>(mut attempt: impl FnMut() -> rusqlite::Result<T>) -> rusqlite::Result<T> {
    let begun = Instant::now();
    loop {
        match attempt() {
            Err(error) if is_busy(&error) && begun.elapsed() < LIMIT => {
                std::thread::sleep(Duration::from_millis(5));
            }
            result => return result,
        }
    }
}

fn run(connection: &Connection, statement: &str, values: &[Value]) -> rusqlite::Result<Vec<Row>> {
    let text = statement.replace("{now}", NOW).replace('$', "?");
    let mut statement = connection.prepare_cached(&text)?;
    let columns = statement.column_count();
    let mut rows = statement.query(params_from_iter(values))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let values: rusqlite::Result<Vec<_>> = (0..columns)
            .map(|column| Ok(value(row.get_ref(column)?)))
            .collect();
        found.push(Row(values?));
    }
    Ok(found)
}

fn value(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Integer(number) => Value::Int(number),
        ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
        // No column of ours holds anything else.
        ValueRef::Null | ValueRef::Real(_) | ValueRef::Blob(_) => Value::Null,
    }
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
        match self {
            Self::Null => Ok(rusqlite::types::Null.into()),
            Self::Int(number) => number.to_sql(),
            Self::Text(text) => text.to_sql(),
        }
    }
}

fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
    )
}

fn identity(path: &Path) -> Option<(u64, u64)> {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.dev(), metadata.ino()))
}
