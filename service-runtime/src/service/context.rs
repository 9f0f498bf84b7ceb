//! What a service is given.

use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Phase;
use super::host::Host;
use crate::listen::{Address, ListenOptions, Listener};
use crate::tasks::{FailureCause, TaskFailure, TaskGroup};

/// A service's view of the program it runs in. Cheap to clone; every clone is the same.
#[derive(Clone)]
pub struct Context(Arc<Inner>);

struct Inner {
    name: String,
    host: Arc<dyn Host>,
    tasks: TaskGroup,
    end: ServiceEnd,
    hook: Mutex<Option<(&'static str, Instant)>>,
    #[cfg(any(feature = "cluster", feature = "rpc"))]
    extensions: super::extensions::Extensions,
    #[cfg(feature = "config")]
    on_change: Mutex<Vec<OnChange>>,
}

#[cfg(feature = "config")]
type OnChange = Arc<
    dyn Fn(&crate::config::Snapshot, &crate::config::Snapshot) -> anyhow::Result<()> + Send + Sync,
>;

/// The end that a service came to by itself; the first one told counts.
#[derive(Default)]
struct ServiceEnd {
    state: Mutex<ServiceEndState>,
    told: Notify,
}

#[derive(Default)]
enum ServiceEndState {
    #[default]
    Open,
    Told(anyhow::Result<()>),
    Taken,
}

/// A hook that runs.
pub(crate) struct InHook(Context);

impl Drop for InHook {
    fn drop(&mut self) {
        *self.0.0.hook.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// Why a service cannot listen.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ListenError {
    /// The address cannot be read.
    #[error("cannot listen")]
    Address(#[from] crate::listen::AddressError),
    /// The host name cannot be resolved.
    #[error("cannot listen")]
    Resolve(#[from] crate::listen::ResolveError),
    /// The process that holds the sockets cannot bind it.
    #[error("{0}")]
    Bind(String),
    /// The socket cannot be used.
    #[error("cannot accept connections")]
    Socket(#[from] std::io::Error),
}

impl Context {
    pub(crate) fn new(name: impl Into<String>, host: Arc<dyn Host>) -> Self {
        let name = name.into();
        let cx = Self(Arc::new(Inner {
            tasks: TaskGroup::of_service(name.clone()),
            name,
            host,
            end: ServiceEnd::default(),
            hook: Mutex::default(),
            #[cfg(any(feature = "cluster", feature = "rpc"))]
            extensions: super::extensions::Extensions::default(),
            #[cfg(feature = "config")]
            on_change: Mutex::default(),
        }));
        let weak = Arc::downgrade(&cx.0);
        cx.0.tasks.on_failure(move |failure| {
            if let Some(inner) = weak.upgrade() {
                inner.end.tell(Err(failed(failure)));
            }
        });
        cx
    }

    /// Returns the service's name, which is also that of its configuration table.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Returns the program's name.
    pub fn program(&self) -> &str {
        &self.0.host.identity().program
    }

    /// Returns the worker's slot, from 0; `None` in a process without a supervisor.
    pub fn slot(&self) -> Option<usize> {
        self.0.host.identity().slot
    }

    /// Returns the generation of this process: 1 at first, one more with each reload.
    pub fn generation(&self) -> u64 {
        self.0.host.identity().generation
    }

    /// Returns the service's task group: what runs in it is stopped and waited for with the service.
    pub fn tasks(&self) -> &TaskGroup {
        &self.0.tasks
    }

    /// Waits until the service is to stop.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a stop is seen by every later call too.
    pub async fn stopping(&self) {
        self.0.tasks.stopping().await;
    }

    /// Returns whether the service is to stop.
    pub fn is_stopping(&self) -> bool {
        self.0.tasks.is_stopping()
    }

    /// Returns how long the stop may take that has begun, or would begin now; `None` for no limit.
    ///
    /// That is `graceful_shutdown_timeout`, or `drain_timeout` for a worker that is replaced while the
    /// others go on.
    pub fn stop_limit(&self) -> Option<Duration> {
        self.0.host.stop_limit()
    }

    /// Returns whether it is the whole program that stops, and its sockets with it; not this worker alone,
    /// nor a program whose sockets outlive it.
    pub fn program_ends(&self) -> bool {
        self.0.host.program_ends()
    }

    /// Returns a token that is cancelled when the service is to stop.
    pub fn stop_token(&self) -> CancellationToken {
        self.0.tasks.stop_token()
    }

    /// Ends the service: its work is done.
    ///
    /// The launcher stops it as always. When all services of a process have ended, it exits.
    pub fn finish(&self) {
        self.0.end.tell(Ok(()));
    }

    /// Fails the service, as an error of one of its hooks would.
    pub fn fail(&self, error: impl Into<anyhow::Error>) {
        self.0.end.tell(Err(error.into()));
    }

    /// Tells operators how the service goes, in a line of the state report and of the service manager.
    pub fn status(&self, text: impl AsRef<str>) {
        self.0.host.status(self.name(), text.as_ref());
    }

    /// Counts a request that was served, towards `max_requests` and for the reports.
    pub fn count_request(&self) {
        self.0.host.requests().count();
    }

    /// Watches the phase of a service of this process, this one or another.
    ///
    /// A name that no service has stays at [`Phase::Waiting`].
    pub fn phase_of(&self, service: &str) -> watch::Receiver<Phase> {
        self.0.host.states().watch(service)
    }

    /// Listens on an address: `127.0.0.1:80`, `[::1]:80`, `:80`, `localhost:80`, `unix:/path` or
    /// `systemd:name`.
    ///
    /// Under a supervisor the socket is the supervisor's, shared by all workers, and outlives them.
    /// Otherwise the process keeps it, so that a restart in place loses no connection.
    ///
    /// # Errors
    ///
    /// Returns an error if the address cannot be read, resolved or bound; it says whom to ask.
    pub async fn listen(&self, address: &str) -> Result<Listener, ListenError> {
        self.listen_with(ListenOptions::new(Address::from_str(address)?))
            .await
    }

    /// Listens with options, such as a backlog or a socket for each worker.
    ///
    /// # Errors
    ///
    /// As [`listen`](Self::listen).
    pub async fn listen_with(&self, options: ListenOptions) -> Result<Listener, ListenError> {
        let address = options.address().clone().resolve().await?;
        let fd = self
            .0
            .host
            .listen(options.at(address))
            .await
            .map_err(ListenError::Bind)?;
        Ok(Listener::from_fd(fd)?)
    }

    /// Returns every service of this process with its phase, and how to ask it how it goes.
    #[cfg(feature = "http")]
    pub(crate) fn services(&self) -> Vec<(String, Phase, Option<super::phase::HealthCheck>)> {
        let states = self.0.host.states();
        let all = states.all().into_iter();
        all.map(|(name, phase)| {
            let check = states.health_check(&name);
            (name, phase, check)
        })
        .collect()
    }

    /// Waits for the end that the service comes to by itself.
    pub(crate) async fn ended(&self) -> anyhow::Result<()> {
        self.0.end.wait().await
    }

    /// Returns a failure that was told while the service was already stopping.
    pub(crate) fn late_failure(&self) -> Option<anyhow::Error> {
        self.0.end.take().and_then(Result::err)
    }

    /// Notes that a hook runs, until the guard is dropped.
    pub(crate) fn enter_hook(&self, name: &'static str) -> InHook {
        *self.0.hook.lock().unwrap_or_else(PoisonError::into_inner) = Some((name, Instant::now()));
        InHook(self.clone())
    }

    /// Returns the hook that runs, and since when.
    pub(crate) fn current_hook(&self) -> Option<(&'static str, Instant)> {
        *self.0.hook.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn host(&self) -> &Arc<dyn Host> {
        &self.0.host
    }

    /// Returns what another module keeps with the service, one value of each type; the first who asks makes it.
    #[cfg(any(feature = "cluster", feature = "rpc"))]
    pub(crate) fn extension<T: Send + Sync + 'static, E>(
        &self,
        make: impl FnOnce() -> Result<T, E>,
    ) -> Result<Arc<T>, E> {
        self.0.extensions.get_or_make(make)
    }
}

#[cfg(feature = "config")]
impl Context {
    /// Returns the configuration of the moment.
    pub fn snapshot(&self) -> crate::config::Snapshot {
        self.0.host.snapshots().borrow().clone()
    }

    /// Returns the service's own table of the configuration of the moment.
    ///
    /// # Errors
    ///
    /// Returns what is wrong with it: file, line, key and what was expected. A launcher has checked
    /// the registered sections before, so this fails only for a type that is not registered.
    pub fn config<T: crate::config::Config>(&self) -> anyhow::Result<T> {
        Ok(self.snapshot().section(self.name())?)
    }

    /// Follows the service's own table: [`load`](crate::config::Live::load) gives it as it is now, and is cheap
    /// enough for each request.
    ///
    /// After a mutation it gives the new mutable options, before `on_change` and `reset` are called.
    ///
    /// # Errors
    ///
    /// Returns an error if the service has no table, or if its table is of another type than `T`.
    pub fn live<T: crate::config::Config>(
        &self,
    ) -> Result<crate::config::Live<T>, crate::config::LiveError> {
        crate::config::Live::follow(self.0.host.snapshots(), self.name())
    }

    /// Calls `changed` with the old and the new table when a mutation changed something in it.
    ///
    /// It is called before `reset`, with the mutable options of the new configuration in place.
    pub fn on_change<T: crate::config::Config + PartialEq>(
        &self,
        changed: impl Fn(&T, &T) + Send + Sync + 'static,
    ) {
        let name = self.0.name.clone();
        let hook: OnChange = Arc::new(move |old, new| {
            let (old, new) = (old.section::<T>(&name)?, new.section::<T>(&name)?);
            if old != new {
                changed(&old, &new);
            }
            Ok(())
        });
        self.0
            .on_change
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(hook);
    }

    pub(crate) fn changed(
        &self,
        old: &crate::config::Snapshot,
        new: &crate::config::Snapshot,
    ) -> anyhow::Result<()> {
        let hooks = self
            .0
            .on_change
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        hooks.iter().try_for_each(|hook| hook(old, new))
    }
}

/// Keeps the text of a failure, which itself is only lent.
fn failed(failure: &TaskFailure) -> anyhow::Error {
    match &failure.cause {
        FailureCause::Failed(error) => anyhow::anyhow!("{error:#}").context(failure.to_string()),
        _ => anyhow::anyhow!("{failure}"),
    }
}

impl ServiceEnd {
    fn tell(&self, result: anyhow::Result<()>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(*state, ServiceEndState::Open) {
            *state = ServiceEndState::Told(result);
            self.told.notify_one();
        }
    }

    /// Has one waiter: the launcher's.
    async fn wait(&self) -> anyhow::Result<()> {
        loop {
            if let Some(result) = self.take() {
                return result;
            }
            self.told.notified().await;
        }
    }

    fn take(&self) -> Option<anyhow::Result<()>> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match std::mem::replace(&mut *state, ServiceEndState::Taken) {
            ServiceEndState::Told(result) => Some(result),
            ServiceEndState::Open => {
                *state = ServiceEndState::Open;
                None
            }
            ServiceEndState::Taken => None,
        }
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("service", &self.name())
            .field("host", &self.0.host)
            .finish_non_exhaustive()
    }
}
