//! Tasks, timers and periodic tasks, in groups that can be stopped and waited for.
//!
//! A [`TaskGroup`] owns every task of a service. It can be stopped as a whole, gracefully or not,
//! and waited for until nothing of it runs any more. On top of plain tasks it runs:
//!
//! | what | when the next run begins |
//! | --- | --- |
//! | [`Timer`] | at fixed times that do not drift |
//! | [`SelfPaced`] | when the run itself says |
//! | [`Backoff`] | later and later while runs fail |
//! | [`Periodic`] | at fixed times or by a cron expression, for the periodic tasks of a service |
//!
//! What must stay true:
//!
//! - This is the only module that spawns: every task has a name and belongs to a group.
//! - A task that has ended leaves nothing behind, whether its handle was kept, waited for or dropped.
//! - A loop never overlaps itself, and never makes up for missed ticks by running more often.
//! - Time is tokio's, so that all of it can be tested with paused time. Only cron asks the wall
//!   clock, and only for when the next run is due.
//! - A user's callback that panics takes nothing else down.
//!
//! # Examples
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(async {
//! use service_runtime::tasks::{TaskGroup, Timer};
//! use std::time::Duration;
//!
//! let group = TaskGroup::new("greeter");
//! let greet = group.timer("greet", Timer::every(Duration::from_secs(1)), || async {
//!     println!("hello");
//! })?;
//! let answer = group.spawn("answer", async { 42 }).await?;
//! assert_eq!(answer.wait().await?, 42);
//!
//! group.stop(true);
//! group.wait().await;
//! assert!(greet.is_done());
//! # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
//! ```

mod group;
mod handle;
mod looping;
mod periodic;

#[cfg(feature = "retry")]
pub mod retry;

#[cfg(feature = "cluster")]
mod blocking;
mod end;
mod failure;
mod info;
mod kind;
mod panic;
mod registry;
mod run_view;
mod sharing;
mod stamp;
#[cfg(test)]
mod testing;
mod tracked;

#[cfg(feature = "cluster")]
pub(crate) use blocking::blocking;
pub use end::{TaskEnd, TaskError};
pub use failure::{FailureCause, SpawnError, TaskFailure};
pub use group::{Permit, TaskGroup};
pub use handle::TaskHandle;
pub use info::TaskInfo;
pub use kind::TaskKind;
pub use looping::{
    Backoff, ChosenInterval, FixedInterval, Gate, GrowingInterval, Loop, LoopEnd, LoopError,
    LoopHandle, LoopResult, PeriodicOnError, SelfPaced, Step, Timer,
};
pub use panic::catch_panic;
pub(crate) use panic::message as panic_message;
pub use periodic::{Periodic, PeriodicError};
pub use sharing::Sharing;
