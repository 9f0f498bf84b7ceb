//! A worker: what a process does from the fork to its exit.

mod heartbeat;
mod leads;
mod outbox;
pub(crate) mod supervisor_client;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::SystemTime;

use nix::unistd::Pid;
use tokio::sync::mpsc;

use self::leads::Leads;
use self::supervisor_client::{Inherited, SupervisorClient};
use crate::exit::Exit;
use crate::ipc::WorkerSlot;
use crate::ipc::protocol::ToSupervisor;
use crate::listen::Listeners;
use crate::metrics::{ArenaClaim, ProgramMetrics, RequestCounters};
use crate::os::process::channel::Channel;
use crate::os::process::counter_memory::CounterMemory;
use crate::os::process::cpus;
use crate::os::process::page::{CellRef, Page};
use crate::os::process::process_lock::ProcessLocks;
use crate::os::signal::Signals;
use crate::privileges::Privileges;
use crate::runner::RunningServices;
use crate::runner::build::{SetupError, build_services};
use crate::runner::commands::{CommandReceiver, ReportRequest, WorkerCommand};
use crate::runner::host::ProcessHost;
use crate::runner::main_fn::Main;
use crate::runner::runtime::build_runtime;
use crate::runner::selection;
use crate::runner::serve::{LifecycleObserver, Serving, lines, restarts};
use crate::runner::watchdog::{PARENT_DEATH_SIGNAL, Watchdog, WatchedSupervisor};
use crate::service::BoxFuture;
use crate::service::host::Identity;
use crate::service::{IntoServices, RuntimeKind};
use crate::settings::Flags;
use crate::settings::configuration::{Configuration, Loaded};
use crate::settings::logging::{Logging, ProcessRole, Scoped};
use crate::status::{self, ProcessPart};
use crate::tasks::TaskGroup;

/// What a worker inherits from its supervisor.
pub(crate) struct WorkerSetup {
    pub(crate) program: String,
    /// The supervisor's pid.
    pub(crate) supervisor: i32,
    pub(crate) slot: WorkerSlot,
    /// The service that it is to run, if it is for one alone.
    pub(crate) pool: Option<Arc<str>>,
    pub(crate) generation: u64,
    pub(crate) channel: Channel,
    pub(crate) page: Page,
    pub(crate) cell: CellRef,
    pub(crate) locks: ProcessLocks,
    pub(crate) metrics: ProgramMetrics,
    /// Where it counts.
    pub(crate) arena: ArenaClaim,
    /// What the supervisor listens on already.
    pub(crate) listeners: Listeners,
    pub(crate) configuration: Arc<Configuration>,
    pub(crate) loaded: Loaded,
    pub(crate) flags: Flags,
    pub(crate) only: Vec<String>,
    pub(crate) logging: Logging,
    pub(crate) privileges: Privileges,
}

/// Runs the services of a worker until its end.
///
/// The signals are still blocked, as they were across the fork.
pub(crate) fn work<M>(mut seed: WorkerSetup, main: impl Main<M, Output: IntoServices>) -> Exit {
    Logging::identify(ProcessRole::Worker(seed.slot.number));
    reseed();
    if let Some(service) = &seed.pool {
        Logging::identify_pool(service);
        seed.loaded.belong_to(service);
    }
    let scoped = seed.logging.scoped();
    // Both belong to a thread, and this is the only one yet.
    let taken = seed
        .privileges
        .apply_in_worker(PARENT_DEATH_SIGNAL, Pid::from_raw(seed.supervisor));
    if let Err(error) = taken.and_then(|()| pin(&seed)) {
        tracing::error!("cannot set the worker up: {error}");
        return Exit::Failed;
    }
    let runtime = match build_runtime(&seed.loaded, RuntimeKind::CurrentThread) {
        Ok(runtime) => runtime,
        Err(error) => {
            lacks(&seed.channel, &error);
            return Exit::Failed;
        }
    };
    let exit = {
        let _inside = runtime.enter();
        match prepare(seed, main, scoped) {
            Ok(serving) => runtime.block_on(serve(serving)),
            Err(Unprepared::Failed(failure, link)) => {
                lines("", &failure.text);
                runtime.block_on(tell_and_end(failure, link))
            }
            Err(Unprepared::Lacking) => Exit::Failed,
            Err(Unprepared::Vacant(link)) => runtime.block_on(async {
                link.send(ToSupervisor::Done);
                link.flushed().await;
                Exit::Done
            }),
        }
    };
    // What still blocks a thread ends with the process.
    runtime.shutdown_background();
    exit
}

/// Pins the worker to its slot's processor, if it is to be.
fn pin(seed: &WorkerSetup) -> Result<(), String> {
    if !seed.loaded.settings.cpu_affinity {
        return Ok(());
    }
    cpus::pin(seed.slot.index).map_err(|error| format!("cannot pin it to a processor: {error}"))
}

/// Why there is nothing to serve, and by which link the supervisor can be told.
enum Unprepared {
    /// Something is wrong.
    Failed(SetupError, SupervisorClient),
    /// The machine is short of something; the supervisor knows, if it can be told.
    Lacking,
    /// Every service has workers of its own, and this is none of them.
    Vacant(SupervisorClient),
}

fn prepare<M>(
    seed: WorkerSetup,
    main: impl Main<M, Output: IntoServices>,
    scoped: Scoped,
) -> Result<Serving<SupervisorObserver>, Unprepared> {
    let lacking = |error: std::io::Error| {
        lacks(&seed.channel, &error);
        Unprepared::Lacking
    };
    let watched = WatchedSupervisor {
        channel: seed.channel.try_clone().map_err(lacking)?,
        pid: Pid::from_raw(seed.supervisor),
    };
    let signals = Signals::open().map_err(lacking)?;
    let (words, told) = mpsc::unbounded_channel();
    let graceful = seed.loaded.settings.graceful_shutdown_timeout;
    let orphaned = words.clone();
    let watchdog = Watchdog::start(graceful, Some(watched), move || {
        let _ = orphaned.send(WorkerCommand::Orphaned);
    })
    .map_err(lacking)?;
    let unable = |error: &dyn std::fmt::Display| {
        tracing::error!("cannot set the worker up: {error}");
        Unprepared::Lacking
    };
    let group = TaskGroup::new("link");
    let link = {
        let limit = heartbeat::request_limit(&seed.loaded.settings.wear);
        let memory = CounterMemory::Cell(seed.cell.clone());
        let counted = (RequestCounters::new(memory, limit), seed.cell.clone());
        let inherited = Inherited::new(seed.listeners, seed.slot.index);
        let leads = Leads {
            page: seed.page,
            pool: seed.slot.pool.0,
            locks: seed.locks,
        };
        SupervisorClient::open(seed.channel, (leads, inherited), counted, &group, words)
    }
    .map_err(|error| unable(&error))?;
    let settings = &seed.loaded.settings;
    let heartbeats = heartbeat::write_heartbeats(seed.cell.clone());
    let recycling = heartbeat::request_recycling(link.clone(), settings.wear);
    for (name, task) in [
        ("heartbeat", boxed(heartbeats)),
        ("recycling", boxed(recycling)),
    ] {
        let spawned = group.try_spawn(name, task);
        drop(spawned.map_err(|error| unable(&error))?);
    }
    let failed = |failure| Unprepared::Failed(failure, link.clone());

    // The filter came along with the fork; a reload may have changed the level since.
    seed.logging.set_level(&seed.loaded.settings.log_level);
    seed.logging.log_panics();
    let counting = seed.metrics.start(seed.arena);
    let services = build_services(&seed.loaded, &seed.flags, &seed.only, main);
    scoped.end();
    seed.logging.install();
    counting.install();
    let services = services.map_err(failed)?;
    let own = seed.loaded.pools.iter().map(|pool| pool.service.as_str());
    let services = selection::share(services, seed.pool.as_deref(), &own.collect::<Vec<_>>());
    let services = services.map_err(|text| {
        failed(SetupError {
            exit: Exit::Failed,
            text,
        })
    })?;
    if services.is_empty() {
        return Err(Unprepared::Vacant(link));
    }

    let identity = Identity {
        program: seed.program,
        slot: Some(seed.slot.number),
        generation: seed.generation,
    };
    let backend = Arc::new(link.clone());
    let host = Arc::new(ProcessHost::new(
        identity,
        &seed.loaded,
        seed.logging,
        backend,
    ));
    let restarts = restarts(&seed.loaded.settings);
    let running =
        RunningServices::new(services, Arc::clone(&host) as _, restarts).map_err(|text| {
            failed(SetupError {
                exit: Exit::Failed,
                text,
            })
        })?;
    Ok(Serving {
        configuration: seed.configuration,
        loaded: seed.loaded,
        host,
        running,
        commands: CommandReceiver::new(signals, told, Some(seed.supervisor)),
        watchdog,
        observer: SupervisorObserver { link },
        reload_wanted: false,
        mutation: None,
        is_alone: false,
    })
}

/// Serves, and does not end before the supervisor is told what there is to tell.
async fn serve(mut serving: Serving<SupervisorObserver>) -> Exit {
    let exit = serving.serve().await;
    serving.observer.link.flushed().await;
    exit
}

/// Tells the supervisor why this worker ends, and waits until it is told.
async fn tell_and_end(failure: SetupError, link: SupervisorClient) -> Exit {
    let SetupError { exit, text } = failure;
    link.send(ToSupervisor::Failed {
        code: exit.code(),
        hopeless: true,
        text,
    });
    link.flushed().await;
    exit
}

/// Tells the supervisor that this process cannot become a worker now; what it needs for that is here
/// before the fork.
fn lacks(channel: &Channel, error: &std::io::Error) {
    let message = ToSupervisor::SetupFailed(error.to_string());
    if channel.send(&message.encode(), &[]).is_err() {
        tracing::error!("cannot set the worker up: {error}");
    }
}

fn boxed(task: impl Future<Output = ()> + Send + 'static) -> BoxFuture<'static, ()> {
    Box::pin(task)
}

/// Gives this process random numbers of its own: those of its parent came along with the fork.
///
/// No two processes have the same pid at the same time, and none of these numbers is a secret.
fn reseed() {
    let mut hasher = DefaultHasher::new();
    (std::process::id(), SystemTime::now()).hash(&mut hasher);
    fastrand::seed(hasher.finish());
}

/// Tells the supervisor how the services go.
struct SupervisorObserver {
    link: SupervisorClient,
}

impl LifecycleObserver for SupervisorObserver {
    fn ready(&mut self) {
        self.link.close_inherited();
        self.link.ready();
    }

    fn reloading(&mut self) {}

    fn stopping(&mut self) {
        self.link.stopping();
    }

    fn failed(&mut self, exit: Exit, error: &str) {
        let (code, text) = (exit.code(), error.to_owned());
        let hopeless = exit == Exit::Config;
        self.link.send(ToSupervisor::Failed {
            code,
            hopeless,
            text,
        });
    }

    fn done(&mut self) {
        self.link.send(ToSupervisor::Done);
    }

    fn report(&mut self, asked: ReportRequest, part: ProcessPart, loaded: &Loaded) {
        match asked {
            ReportRequest::Signal => status::log_part(&part, loaded.settings.report.format),
            ReportRequest::Supervisor { id, format } => {
                let part = part.write_below(format);
                self.link
                    .send_with(ToSupervisor::Reported { id }, part.as_bytes());
            }
        }
    }

    fn mutated(&mut self, result: Result<(), String>) {
        self.link
            .send(ToSupervisor::Mutated(result.err().unwrap_or_default()));
    }
}
