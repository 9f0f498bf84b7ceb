//! The store in PostgreSQL: one connection, made anew with growing delay when it is lost.

use std::collections::HashMap;
use std::error::Error;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};
use tokio_postgres::types::{IsNull, ToSql, Type, private::BytesMut, to_sql_checked};
use tokio_postgres::{Client, Config, NoTls, Statement};

use super::{LIMIT, Row, StoreError, Value, schema};
use crate::backoff::Backoff;
use crate::error_chain::chain;
use crate::tasks::TaskGroup;

const NOW: &str = "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)";
/// Keeps programs that start together from changing the tables together.
const MIGRATION_LOCK: &str = "SELECT pg_advisory_xact_lock(6004213701)";
const RECONNECT: Backoff = Backoff::doubling(Duration::from_millis(100), Duration::from_secs(10));

/// The server and the connection to it.
pub(super) struct Engine {
    config: Config,
    name: String,
    tasks: TaskGroup,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    session: Option<Session>,
    failures: u32,
    /// The last error, and until when it is the answer to everything.
    refused: Option<(StoreError, Instant)>,
}

struct Session {
    client: Client,
    prepared: HashMap<&'static str, Statement>,
}

impl Engine {
    /// Takes a server by its address and the name that logs may show.
    pub(super) fn new(url: &str, name: String, tasks: TaskGroup) -> Result<Self, StoreError> {
        let mut config: Config = url.parse().map_err(|error: tokio_postgres::Error| {
            let wrong = chain(&error);
            StoreError::Url {
                url: name.clone(),
                wrong,
            }
        })?;
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(LIMIT);
        }
        if config.get_application_name().is_none() {
            config.application_name("service-runtime");
        }
        Ok(Self {
            config,
            name,
            tasks,
            state: Mutex::default(),
        })
    }

    /// Carries out a statement.
    pub(super) async fn query(
        &self,
        statement: &'static str,
        values: &[Value],
    ) -> Result<Vec<Row>, StoreError> {
        match timeout(LIMIT, self.try_query(statement, values)).await {
            Ok(result) => result,
            Err(_) => {
                let error = self.unavailable(format!(
                    "no answer within {}",
                    humantime::format_duration(LIMIT)
                ));
                // Who waits for the lock hangs no longer than the one that has it.
                if let Ok(mut state) = self.state.try_lock() {
                    state.fails(&error);
                }
                Err(error)
            }
        }
    }

    async fn try_query(
        &self,
        statement: &'static str,
        values: &[Value],
    ) -> Result<Vec<Row>, StoreError> {
        let mut state = self.state.lock().await;
        let session = match state.session.take() {
            Some(session) if !session.client.is_closed() => session,
            _ => self.reconnect(&mut state).await?,
        };
        let session = state.session.insert(session);
        let result = session.run(statement, values).await;
        let lost = session.client.is_closed();
        result.map_err(|error| {
            let error = self.unavailable(chain(&error));
            if lost {
                state.fails(&error);
            }
            error
        })
    }

    async fn reconnect(&self, state: &mut State) -> Result<Session, StoreError> {
        if let Some((error, until)) = &state.refused
            && Instant::now() < *until
        {
            return Err(error.clone());
        }
        match self.connect().await {
            Ok(session) => {
                (state.failures, state.refused) = (0, None);
                Ok(session)
            }
            Err(error) => {
                state.fails(&error);
                Err(error)
            }
        }
    }

    async fn connect(&self) -> Result<Session, StoreError> {
        let failed = |error: tokio_postgres::Error| self.unavailable(chain(&error));
        let (mut client, connection) = self.config.connect(NoTls).await.map_err(failed)?;
        self.tasks.background("store connection", async move {
            // Why it ended is told by the statement that fails.
            let _ = connection.await;
        });
        self.migrate(&mut client).await?;
        Ok(Session {
            client,
            prepared: HashMap::new(),
        })
    }

    async fn migrate(&self, client: &mut Client) -> Result<(), StoreError> {
        let failed = |error: tokio_postgres::Error| self.unavailable(chain(&error));
        let change = client.transaction().await.map_err(failed)?;
        change.batch_execute(MIGRATION_LOCK).await.map_err(failed)?;
        change
            .batch_execute(schema::VERSION_TABLE)
            .await
            .map_err(failed)?;
        let rows = change.query(schema::VERSION, &[]).await.map_err(failed)?;
        let found: i64 = match rows.first() {
            Some(row) => row.try_get(0).map_err(failed)?,
            None => 0,
        };
        if found > schema::KNOWN {
            return Err(StoreError::NewerSchema {
                store: self.name.clone(),
                found,
                known: schema::KNOWN,
            });
        }
        let from = usize::try_from(found).unwrap_or(0);
        for (step, text) in schema::STEPS.iter().enumerate().skip(from) {
            change.batch_execute(text).await.map_err(failed)?;
            let stamp = schema::stamp(step);
            change.batch_execute(&stamp).await.map_err(failed)?;
        }
        change.commit().await.map_err(failed)
    }

    fn unavailable(&self, cause: String) -> StoreError {
        StoreError::Unavailable {
            store: self.name.clone(),
            cause,
        }
    }
}

impl State {
    /// Gives the connection up, and lets the next attempt wait.
    fn fails(&mut self, error: &StoreError) {
        self.session = None;
        self.failures = self.failures.saturating_add(1);
        let until = Instant::now() + RECONNECT.after(self.failures.into());
        self.refused = Some((error.clone(), until));
    }
}

impl Session {
    async fn run(
        &mut self,
        statement: &'static str,
        values: &[Value],
    ) -> Result<Vec<Row>, tokio_postgres::Error> {
        let prepared = match self.prepared.get(statement) {
            Some(prepared) => prepared.clone(),
            None => {
                let text = statement.replace("{now}", NOW);
                let prepared = self.client.prepare(&text).await?;
                self.prepared.insert(statement, prepared.clone());
                prepared
            }
        };
        let values: Vec<&(dyn ToSql + Sync)> = values.iter().map(|value| value as _).collect();
        let rows = self.client.query(&prepared, &values).await?;
        rows.iter().map(row).collect()
    }
}

fn row(row: &tokio_postgres::Row) -> Result<Row, tokio_postgres::Error> {
    let columns = row.columns().iter().enumerate();
    let values = columns.map(|(place, column)| {
        Ok(match *column.type_() {
            Type::INT8 => row.try_get::<_, Option<i64>>(place)?.into(),
            Type::INT4 => row.try_get::<_, Option<i32>>(place)?.map(i64::from).into(),
            _ => row.try_get::<_, Option<&str>>(place)?.into(),
        })
    });
    values.collect::<Result<Vec<_>, _>>().map(Row)
}

impl ToSql for Value {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Int(number) if *ty == Type::INT4 => i32::try_from(*number)?.to_sql(ty, out),
            Self::Int(number) => number.to_sql(ty, out),
            Self::Text(text) => text.to_sql(ty, out),
        }
    }

    fn accepts(ty: &Type) -> bool {
        matches!(*ty, Type::INT8 | Type::INT4 | Type::TEXT | Type::VARCHAR)
    }

    to_sql_checked!();
}
