//! Services in this process, without a supervisor.

use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use tokio::runtime::Runtime;
use tokio::sync::mpsc;

use crate::exit::Exit;
use crate::launch::preparation::{Prepared, prepare};
use crate::metrics::{Counting, set};
use crate::notify::{MORE_TIME_EVERY, Notifier};
use crate::os::process::mask;
use crate::os::signal::Signals;
use crate::privileges::pid_file::PidFile;
use crate::runner::RunningServices;
use crate::runner::build::{SetupError, build_services};
use crate::runner::commands::{CommandReceiver, ReportRequest};
use crate::runner::host::ProcessHost;
use crate::runner::host_backend::{HostBackend, SingleProcess};
use crate::runner::main_fn::Main;
use crate::runner::metrics_listener;
use crate::runner::runtime::build_runtime;
use crate::runner::serve::{LifecycleObserver, Serving, lines, restarts};
use crate::runner::setup::Setup;
use crate::runner::watchdog::Watchdog;
use crate::service::host::Identity;
use crate::service::{IntoServices, RuntimeKind};
use crate::settings::Workers;
use crate::settings::configuration::Loaded;
use crate::settings::logging::{Logging, ProcessRole};
use crate::settings::options::LaunchOptions;
use crate::status::{
    self, ListenerStatus, ProcessPart, ProcessStatus, ProcessUsage, ProgramInfo, ProgramStatus,
    RequestStatus,
};
use crate::tasks::{TaskGroup, Timer};
use crate::upgrade::takeover::{ProgramState, Takeover};

/// Runs services in this process.
///
/// `#[launch(workers = 1)]` expands to it.
#[derive(Clone)]
pub struct ServiceLauncher {
    options: LaunchOptions,
}

impl ServiceLauncher {
    /// Makes a launcher; nothing happens before [`run`](Self::run).
    pub fn new(options: LaunchOptions) -> Self {
        Self { options }
    }

    /// Runs the services that `main` builds until they end or the program is told to stop.
    ///
    /// Returns the code for the program to exit with: 0 stopped as asked, 1 a service failed or the
    /// stop ran out of time, 2 wrong command line, 78 wrong configuration. The log says why.
    pub fn run<M>(self, main: impl Main<M, Output: IntoServices>) -> ExitCode {
        run(self.options, main).into()
    }
}

fn run<M, F: Main<M, Output: IntoServices>>(options: LaunchOptions, main: F) -> Exit {
    let prepared = match prepare::<M, F>(&options, |_| false) {
        Ok(prepared) => prepared,
        Err(exit) => return exit,
    };
    let workers = prepared.loaded.settings.workers;
    if let Some(pool) = prepared.loaded.pools.first() {
        let error = format!(
            "workers of its own are asked for for `{}`, but this program runs its services in one \
             process: leave `workers = 1` out of `#[launch]`",
            pool.service
        );
        return Exit::Usage.say(&options.program, error);
    }
    if workers != Workers::default() {
        let error = format!(
            "{workers} workers are asked for, but this program runs its services in one process: \
             write `#[launch(workers = {workers})]`, or leave `workers` out of the attribute to \
             choose at start"
        );
        return Exit::Usage.say(&options.program, error);
    }
    serve(prepared, main)
}

/// Serves in this process.
pub(crate) fn serve<M>(prepared: Prepared, main: impl Main<M, Output: IntoServices>) -> Exit {
    Logging::identify(ProcessRole::Alone);
    let scoped = prepared.logging.scoped();
    if let Err(exit) = prepared.run_preload() {
        return exit;
    }
    if let Err(error) = prepared.privileges.change_directory() {
        tracing::error!("{error}");
        return Exit::Failed;
    }
    // Blocked until the handlers stand: what comes meanwhile is handled then.
    let runtime = mask::block_handled()
        .map_err(std::io::Error::from)
        .and_then(|_| build_runtime(&prepared.loaded, RuntimeKind::MultiThread));
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!("cannot build the runtime: {error}");
            return Exit::Failed;
        }
    };
    let exit = {
        let _inside = runtime.enter();
        match set_up(prepared, &runtime, main, scoped) {
            Ok((mut serving, listeners)) => {
                let exit = runtime.block_on(serving.serve());
                if !serving.observer.keeps_sockets() {
                    listeners
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .remove_socket_files();
                }
                if exit == Exit::Done {
                    tracing::info!("stopped");
                }
                exit
            }
            Err(SetupError { exit, text }) => {
                lines("", &text);
                exit
            }
        }
    };
    metrics_listener::stop_listening();
    // What still blocks a thread ends with the process.
    runtime.shutdown_background();
    exit
}

type SharedListeners = Arc<Mutex<crate::listen::Listeners>>;

fn set_up<M>(
    prepared: Prepared,
    runtime: &Runtime,
    main: impl Main<M, Output: IntoServices>,
    scoped: crate::settings::logging::Scoped,
) -> Result<(Serving<ServiceManagerObserver>, SharedListeners), SetupError> {
    let os = |error: std::io::Error| SetupError {
        exit: Exit::Failed,
        text: format!("cannot set the process up: {error}"),
    };
    let Prepared {
        info,
        configuration,
        loaded,
        flags,
        only,
        logging,
        listeners,
        notifier,
        takeover,
        pid_file,
        metrics,
        ..
    } = prepared;
    let signals = Signals::open().map_err(os)?;
    let graceful = loaded.settings.graceful_shutdown_timeout;
    let watchdog = Watchdog::start(graceful, None, || {}).map_err(os)?;
    logging.log_panics();
    let counting = Counting::start_alone(metrics, &loaded.settings.metrics);
    let asked = Setup::new(&info.program, None, 1, flags, &loaded);
    let services = build_services(&asked, runtime, &only, main);
    scoped.end();
    logging.install();
    counting.install();
    let services = services?;

    let notifier = Arc::new(notifier);
    feed_watchdog(&notifier);
    let listeners = Arc::new(Mutex::new(listeners));
    let identity = Identity {
        program: info.program.clone(),
        slot: None,
        generation: 1,
    };
    let (notify, sockets) = (Arc::clone(&notifier), Arc::clone(&listeners));
    let backend = Arc::new(SingleProcess::new(sockets, notify));
    let requests = Arc::clone(&backend);
    let listener = loaded.settings.metrics_bind.clone();
    let listening =
        listener.map(|address| metrics_listener::listen(address, Arc::clone(&backend) as _));
    let host = Arc::new(ProcessHost::new(
        identity,
        &loaded,
        logging.clone(),
        backend,
    ));
    let running =
        RunningServices::new(services, Arc::clone(&host) as _, restarts(&loaded.settings))
            .map_err(|text| SetupError {
                exit: Exit::Failed,
                text,
            })?;
    set("service_start_time_seconds", &[], since_1970());
    let group = TaskGroup::new("launcher");
    #[cfg(feature = "metrics")]
    {
        use crate::metrics::Place;
        let sampling = crate::runner::process_metrics::sample(Place::Alone, running.contexts());
        drop(group.try_spawn("process metrics", sampling));
    }
    if let Some(listening) = listening {
        drop(group.try_spawn("metrics listener", listening));
    }
    // There is no supervisor to send commands: the channel stays open and empty.
    let (command_sender, command_receiver) = mpsc::unbounded_channel();
    let serving = Serving {
        configuration,
        loaded,
        host,
        running,
        commands: CommandReceiver::new(signals, command_receiver, None),
        watchdog,
        observer: ServiceManagerObserver {
            notifier,
            takeover,
            pid_file,
            info,
            logging,
            listeners: Arc::clone(&listeners),
            backend: requests,
            _command_sender: command_sender,
        },
        reload_wanted: false,
        mutation: None,
        is_alone: true,
    };
    Ok((serving, listeners))
}

/// Returns the time in seconds since 1970.
fn since_1970() -> f64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.unwrap_or_default().as_secs_f64()
}

/// Tells the service manager that the runtime turns, twice in each interval that it asked for.
fn feed_watchdog(notifier: &Arc<Notifier>) {
    let Some(interval) = notifier.watchdog_interval() else {
        return;
    };
    let notifier = Arc::clone(notifier);
    let fed = TaskGroup::new("launcher").timer("watchdog", Timer::every(interval / 2), move || {
        notifier.watchdog();
        std::future::ready(())
    });
    if let Err(error) = fed {
        tracing::error!("the watchdog of the service manager cannot be fed: {error}");
    }
}

/// Tells the service manager how the services go.
struct ServiceManagerObserver {
    notifier: Arc<Notifier>,
    takeover: Takeover,
    /// Removed with this.
    pid_file: Option<PidFile>,
    info: ProgramInfo,
    logging: Logging,
    listeners: SharedListeners,
    backend: Arc<SingleProcess>,
    _command_sender: mpsc::UnboundedSender<crate::runner::commands::WorkerCommand>,
}

impl ServiceManagerObserver {
    /// Returns whether the files of unix sockets outlive this process: the service manager keeps those, or
    /// they are still the process's that this one was to replace.
    fn keeps_sockets(&self) -> bool {
        self.notifier.keeps_sockets() || self.takeover.has_predecessor()
    }
}

impl LifecycleObserver for ServiceManagerObserver {
    fn ready(&mut self) {
        tracing::info!("ready");
        {
            let listeners = self.listeners.lock();
            let state = ProgramState {
                notifier: &self.notifier,
                listeners: &listeners.unwrap_or_else(PoisonError::into_inner),
                forgotten: &[],
                pid_file: self.pid_file.as_ref(),
            };
            self.takeover.wait_and_complete(&state);
        }
        self.notifier.ready("ready");
    }

    fn reloading(&mut self) {
        self.notifier.reloading();
    }

    fn stopping(&mut self) {
        self.notifier.stopping();
        let notifier = Arc::clone(&self.notifier);
        notifier.extend_timeout();
        let every = Timer::every(MORE_TIME_EVERY);
        let asked = TaskGroup::new("launcher").timer("more time", every, move || {
            notifier.extend_timeout();
            std::future::ready(())
        });
        if let Err(error) = asked {
            tracing::debug!("the service manager cannot be asked for more time: {error}");
        }
    }

    fn failed(&mut self, _exit: Exit, error: &str) {
        self.takeover.failed(error);
        self.notifier.status(error);
    }

    fn mutated(&mut self, _result: Result<(), String>) {}

    fn report(&mut self, _asked: ReportRequest, part: ProcessPart, loaded: &Loaded) {
        let requests = self.backend.requests();
        #[cfg(feature = "http")]
        let http = requests.figures().map(Into::into);
        #[cfg(not(feature = "http"))]
        let http = None;
        let process = ProcessStatus {
            is_supervisor: false,
            pid: std::process::id(),
            usage: ProcessUsage::of_this_process(),
            requests: Some(RequestStatus {
                total: requests.total(),
                http,
            }),
        };
        let listeners = self.listeners.lock();
        let status = ProgramStatus {
            lost_lines: self.logging.lost(),
            listeners: ListenerStatus::all(&listeners.unwrap_or_else(PoisonError::into_inner)),
            part,
            ..ProgramStatus::new("one process".to_owned(), &self.info, Some(loaded), process)
        };
        status::write_report(&status, &loaded.settings.report);
    }
}
