//! The trait of every service.

use std::sync::Arc;

use super::{Context, Description, Health};

/// Something with a lifecycle: it is started, may be reset, is stopped and waited for.
///
/// `#[service]` writes an implementation from marked methods; by hand it is as short as what it
/// does. No method has to be written: each has a default that does nothing, and `wait`
/// waits for the service's tasks.
///
/// | when | what a launcher calls |
/// | --- | --- |
/// | once the services named in `after` are ready | [`start`](Self::start) |
/// | once all of the service serves | [`ready`](Self::ready) |
/// | from then on | [`wait`](Self::wait): its end is the service's end |
/// | a reload that keeps the process | [`reset`](Self::reset) |
/// | a stop: the stop signal of the [`Context`] fires, then | [`stop`](Self::stop), and on with `wait` |
/// | when the last work has ended | [`stopped`](Self::stopped) |
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
///
/// use service_runtime::tasks::Timer;
/// use service_runtime::{Context, Service};
///
/// struct Ticker;
///
/// impl Service for Ticker {
///     async fn start(self: &Arc<Self>, cx: &Context) -> anyhow::Result<()> {
///         let every_second = Timer::every(Duration::from_secs(1));
///         cx.tasks().timer("tick", every_second, || async { tracing::info!("tick") })?;
///         Ok(())
///     }
/// }
/// ```
pub trait Service: Sized + Send + Sync + 'static {
    /// Returns the service's name and what else is known before it runs.
    ///
    /// The default names it after its type, in snake case.
    fn description(&self) -> Description {
        Description::of::<Self>()
    }

    /// Does what has to be done before the service counts as ready.
    ///
    /// # Errors
    ///
    /// An error ends the start of the whole launch: what was started before is stopped again.
    ///
    /// # Cancel safety
    ///
    /// A stop that is asked for meanwhile drops the future at an await; tasks that were spawned in
    /// the service's group are aborted.
    fn start(self: &Arc<Self>, cx: &Context) -> impl Future<Output = anyhow::Result<()>> + Send {
        let _ = cx;
        async { Ok(()) }
    }

    /// Does what has to be done once all of the service serves.
    ///
    /// # Errors
    ///
    /// As an error of [`start`](Self::start).
    fn ready(self: &Arc<Self>, cx: &Context) -> impl Future<Output = anyhow::Result<()>> + Send {
        let _ = cx;
        async { Ok(()) }
    }

    /// Refuses new work and lets what runs finish.
    ///
    /// The stop signal of the context has fired: timers and loops end, and no connection is accepted any
    /// more. What is in progress may still spawn tasks in the group.
    ///
    /// # Errors
    ///
    /// An error is logged and makes the launch end with code 1; the stop goes on.
    fn stop(self: &Arc<Self>, cx: &Context) -> impl Future<Output = anyhow::Result<()>> + Send {
        let _ = cx;
        async { Ok(()) }
    }

    /// Cleans up when all work of the service has ended.
    ///
    /// The background tasks of the group still run; they are dropped right after this. It is called
    /// once for each start that succeeded, unless the time for the stop has run out.
    ///
    /// # Errors
    ///
    /// An error is logged and makes the launch end with code 1.
    fn stopped(self: &Arc<Self>, cx: &Context) -> impl Future<Output = anyhow::Result<()>> + Send {
        let _ = cx;
        async { Ok(()) }
    }

    /// Takes over a new configuration without a restart.
    ///
    /// # Errors
    ///
    /// An error is logged; the service goes on.
    fn reset(self: &Arc<Self>, cx: &Context) -> impl Future<Output = anyhow::Result<()>> + Send {
        let _ = cx;
        async { Ok(()) }
    }

    /// Waits for the end of the service's work.
    ///
    /// The default waits until the service's task group is stopped and empty.
    ///
    /// # Errors
    ///
    /// An error before a stop was asked for is a failure of the service, see
    /// [`OnError`](super::OnError).
    fn wait(self: &Arc<Self>, cx: &Context) -> impl Future<Output = anyhow::Result<()>> + Send {
        async {
            cx.tasks().wait().await;
            Ok(())
        }
    }

    /// Tells how it goes.
    fn health(self: &Arc<Self>, cx: &Context) -> impl Future<Output = Health> + Send {
        let _ = cx;
        async { Health::pass() }
    }
}
