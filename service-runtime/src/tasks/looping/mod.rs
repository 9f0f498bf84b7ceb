//! Loops: runs again and again, with a pace.
//!
//! One future turns them all; a pace only decides when. A run never begins before the one before it
//! has ended.

mod backoff;
mod gate;
mod on_error;
mod options;
mod outcome;
mod pace;
mod plan;
mod run_loop;
mod self_paced;
mod start;
mod state;
mod step;
#[cfg(test)]
mod tests;
mod timer;

pub use self::backoff::{Backoff, GrowingInterval};
pub use self::gate::Gate;
pub use self::on_error::PeriodicOnError;
pub use self::options::Loop;
pub use self::outcome::{LoopEnd, LoopError, LoopHandle, LoopResult};
pub use self::self_paced::{ChosenInterval, SelfPaced};
pub use self::step::Step;
pub use self::timer::{FixedInterval, Timer};

pub(super) use self::options::LoopOptions;
pub(super) use self::pace::{Due, Next, Pace, Run, Woken, later};
pub(super) use self::plan::Plan;
pub(super) use self::state::LoopState;
pub(super) use self::timer::Grid;
