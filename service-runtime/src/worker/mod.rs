//! A worker: what a process does from the fork to its exit.

mod heartbeat;
mod leader;
mod outbox;
pub(crate) mod supervisor_client;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::SystemTime;

use nix::unistd::Pid;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;

use self::leader::Leads;
use self::supervisor_client::{Inherited, SupervisorClient};
use crate::exit::Exit;
use crate::ipc::WorkerSlot;
use crate::ipc::protocol::ToSupervisor;
use crate::listen::Listeners;
use crate::metrics::{ArenaClaim, Place, ProgramMetrics, RequestCounters};
use crate::os::process::channel::Channel;
use crate::os::process::counter_memory::CounterMemory;
use crate::os::process::cpus;
use crate::os::process::process_lock::ProcessLocks;
use crate::os::process::shared_page::{CellRef, Page};
use crate::os::signal::Signals;
use crate::privileges::Privileges;
use crate::runner::RunningServices;
use crate::runner::build::{SetupError, build_services};
use crate::runner::commands::{CommandReceiver, ReportRequest, WorkerCommand};
use crate::runner::host::ProcessHost;
use crate::runner::main_fn::Main;
use crate::runner::metrics_listener;
use crate::runner::runtime::build_runtime;
use crate::runner::selection;
use crate::runner::serve::{LifecycleObserver, Serving, lines, restarts};
use crate::runner::setup::Setup;
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
pub(crate) fn work<M>(mut setup: WorkerSetup, main: impl Main<M, Output: IntoServices>) -> Exit {
    Logging::identify(ProcessRole::Worker(setup.slot.number));
    reseed();
    if let Some(service) = &setup.pool {
        Logging::identify_pool(service);
        setup.loaded.belong_to(service);
    }
    let scoped = setup.logging.scoped();
    // Both belong to a thread, and this is the only one yet.
    let taken = setup
        .privileges
        .apply_in_worker(PARENT_DEATH_SIGNAL, Pid::from_raw(setup.supervisor));
    if let Err(error) = taken.and_then(|()| pin(&setup)) {
        tracing::error!("cannot set the worker up: {error}");
        return Exit::Failed;
    }
    let runtime = match build_runtime(&setup.loaded, RuntimeKind::CurrentThread) {
        Ok(runtime) => runtime,
        Err(error) => {
            report_shortage(&setup.channel, &error);
            return Exit::Failed;
        }
    };
    let exit = {
        let _inside = runtime.enter();
        match prepare(setup, &runtime, main, scoped) {
            Ok(serving) => runtime.block_on(serve(serving)),
            Err(SetupFailure::Failed(failure, client)) => {
                lines("", &failure.text);
                runtime.block_on(tell_and_end(failure, client))
            }
            Err(SetupFailure::OutOfResources) => Exit::Failed,
            Err(SetupFailure::NoServices(client)) => runtime.block_on(async {
                client.send(ToSupervisor::Done);
                client.flushed().await;
                Exit::Done
            }),
        }
    };
    metrics_listener::stop_listening();
    // What still blocks a thread ends with the process.
    runtime.shutdown_background();
    exit
}

/// Pins the worker to its slot's processor, if it is to be.
fn pin(setup: &WorkerSetup) -> Result<(), String> {
    if !setup.loaded.settings.cpu_affinity {
        return Ok(());
    }
    cpus::pin(setup.slot.index).map_err(|error| format!("cannot pin it to a processor: {error}"))
}

/// Why there is nothing to serve, and by which client the supervisor can be told.
enum SetupFailure {
    /// Something is wrong.
    Failed(SetupError, SupervisorClient),
    /// The machine is short of something; the supervisor knows, if it can be told.
    OutOfResources,
    /// Every service has workers of its own, and this is none of them.
    NoServices(SupervisorClient),
}

fn prepare<M>(
    setup: WorkerSetup,
    runtime: &Runtime,
    main: impl Main<M, Output: IntoServices>,
    scoped: Scoped,
) -> Result<Serving<SupervisorObserver>, SetupFailure> {
    let out_of_resources = |error: std::io::Error| {
        report_shortage(&setup.channel, &error);
        SetupFailure::OutOfResources
    };
    let watched = WatchedSupervisor {
        channel: setup.channel.try_clone().map_err(out_of_resources)?,
        pid: Pid::from_raw(setup.supervisor),
    };
    let signals = Signals::open().map_err(out_of_resources)?;
    let (words, told) = mpsc::unbounded_channel();
    let graceful = setup.loaded.settings.graceful_shutdown_timeout;
    let orphaned = words.clone();
    let watchdog = Watchdog::start(graceful, Some(watched), move || {
        let _ = orphaned.send(WorkerCommand::Orphaned);
    })
    .map_err(out_of_resources)?;
    let unable = |error: &dyn std::fmt::Display| {
        tracing::error!("cannot set the worker up: {error}");
        SetupFailure::OutOfResources
    };
    let group = TaskGroup::new("client");
    let client = {
        let limit = heartbeat::request_limit(&setup.loaded.settings.recycling);
        let memory = CounterMemory::Cell(setup.cell.clone());
        let counted = (RequestCounters::new(memory, limit), setup.cell.clone());
        let inherited = Inherited::new(setup.listeners, setup.slot.index);
        let leads = Leads {
            page: setup.page,
            pool: setup.slot.pool.0,
            locks: setup.locks,
        };
        SupervisorClient::open(setup.channel, (leads, inherited), counted, &group, words)
    }
    .map_err(|error| unable(&error))?;
    let settings = &setup.loaded.settings;
    let heartbeats = heartbeat::write_heartbeats(setup.cell.clone());
    let recycling = heartbeat::request_recycling(client.clone(), settings.recycling);
    for (name, task) in [
        ("heartbeat", boxed(heartbeats)),
        ("recycling", boxed(recycling)),
    ] {
        let spawned = group.try_spawn(name, task);
        drop(spawned.map_err(|error| unable(&error))?);
    }
    let failed = |failure| SetupFailure::Failed(failure, client.clone());

    // The filter came along with the fork; a reload may have changed the level since.
    setup.logging.set_level(&setup.loaded.settings.log_level);
    setup.logging.log_panics();
    let place = Place::Slot(setup.slot.number, setup.pool.as_deref().map(str::to_owned));
    let metrics = &setup.loaded.settings.metrics;
    let counting = setup.metrics.start(setup.arena, &place, metrics);
    let asked = Setup::new(
        &setup.program,
        Some(setup.slot.number),
        setup.generation,
        setup.flags,
        &setup.loaded,
    );
    let services = build_services(&asked, runtime, &setup.only, main);
    scoped.end();
    setup.logging.install();
    counting.install();
    let services = services.map_err(failed)?;
    let own = setup.loaded.pools.iter().map(|pool| pool.service.as_str());
    let services = selection::share(services, setup.pool.as_deref(), &own.collect::<Vec<_>>());
    let services = services.map_err(|text| {
        failed(SetupError {
            exit: Exit::Failed,
            text,
        })
    })?;
    if services.is_empty() {
        return Err(SetupFailure::NoServices(client));
    }

    let identity = Identity {
        program: setup.program,
        slot: Some(setup.slot.number),
        generation: setup.generation,
    };
    let backend = Arc::new(client.clone());
    if let Some(address) = setup.loaded.settings.metrics_bind.clone() {
        let listening = metrics_listener::listen(address, Arc::clone(&backend) as _);
        drop(group.try_spawn("metrics listener", listening));
    }
    let host = Arc::new(ProcessHost::new(
        identity,
        &setup.loaded,
        setup.logging,
        backend,
    ));
    let restarts = restarts(&setup.loaded.settings);
    let running =
        RunningServices::new(services, Arc::clone(&host) as _, restarts).map_err(|text| {
            failed(SetupError {
                exit: Exit::Failed,
                text,
            })
        })?;
    #[cfg(feature = "metrics")]
    {
        let sampling = crate::runner::process_metrics::sample(place, running.contexts());
        drop(group.try_spawn("process metrics", sampling));
    }
    Ok(Serving {
        configuration: setup.configuration,
        loaded: setup.loaded,
        host,
        running,
        commands: CommandReceiver::new(signals, told, Some(setup.supervisor)),
        watchdog,
        observer: SupervisorObserver { client },
        reload_wanted: false,
        mutation: None,
        is_alone: false,
    })
}

/// Serves, and does not end before the supervisor is told what there is to tell.
async fn serve(mut serving: Serving<SupervisorObserver>) -> Exit {
    let exit = serving.serve().await;
    serving.observer.client.flushed().await;
    exit
}

/// Tells the supervisor why this worker ends, and waits until it is told.
async fn tell_and_end(failure: SetupError, client: SupervisorClient) -> Exit {
    let SetupError { exit, text } = failure;
    client.send(ToSupervisor::Failed {
        code: exit.code(),
        hopeless: true,
        text,
    });
    client.flushed().await;
    exit
}

/// Tells the supervisor that this process cannot become a worker now; what it needs for that is here
/// before the fork.
fn report_shortage(channel: &Channel, error: &std::io::Error) {
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
    client: SupervisorClient,
}

impl LifecycleObserver for SupervisorObserver {
    fn ready(&mut self) {
        self.client.close_inherited();
        self.client.ready();
    }

    fn reloading(&mut self) {}

    fn stopping(&mut self) {
        self.client.stopping();
    }

    fn failed(&mut self, exit: Exit, error: &str) {
        let (code, text) = (exit.code(), error.to_owned());
        let hopeless = exit == Exit::Config;
        self.client.send(ToSupervisor::Failed {
            code,
            hopeless,
            text,
        });
    }

    fn done(&mut self) {
        self.client.send(ToSupervisor::Done);
    }

    fn report(&mut self, asked: ReportRequest, part: ProcessPart, loaded: &Loaded) {
        match asked {
            ReportRequest::Signal => status::log_part(&part, loaded.settings.report.format),
            ReportRequest::Supervisor { id, format } => {
                let part = part.write_below(format);
                self.client
                    .send_with(ToSupervisor::Reported { id }, part.as_bytes());
            }
        }
    }

    fn mutated(&mut self, result: Result<(), String>) {
        self.client
            .send(ToSupervisor::Mutated(result.err().unwrap_or_default()));
    }
}
