//! The state of the whole in one line, for the service manager, the log and reports.

use super::policy::Machine;
use super::pools::Pools;

/// Describes the whole in one line, for the service manager.
pub(super) fn status_line(machine: &Machine, pools: &Pools) -> String {
    let (workers, ready) = machine.counts();
    let plural = if workers == 1 { "" } else { "s" };
    let mut line = format!("{workers} worker{plural}");
    let own = machine.pools().into_iter();
    let mut own: Vec<_> = own
        .filter_map(|(id, (workers, _))| Some((pools.name(id)?, workers)))
        .collect();
    own.sort();
    let own: Vec<String> = own
        .into_iter()
        .map(|(service, workers)| format!("{workers} of {service}"))
        .collect();
    if !own.is_empty() {
        line.push_str(&format!(" ({})", own.join(", ")));
    }
    line.push_str(&format!(", generation {}", machine.generation()));
    if ready < workers {
        line.push_str(&format!(", {ready} ready"));
    }
    let draining = machine.draining();
    if draining > 0 {
        line.push_str(&format!(", {draining} draining"));
    }
    if machine.is_reloading() {
        line.push_str(", reloading");
    } else if machine.last_reload_failed() {
        line.push_str(", last reload failed");
    }
    line
}
