//! What must stay true of the machine, whatever happens: the list, and what checks it.
//!
//! Of every action, before it is carried out:
//!
//! 1. Nothing is done after the exit.
//! 2. Nothing is forked once a stop has begun; no worker is forked twice.
//! 3. A slot that has a worker on its way out gets no second one beside its holder.
//! 4. A fork that was refused is not tried again at the same moment, over and over.
//! 5. A worker is asked to stop at most once, killed at most once, and not asked after it was killed;
//!    none of that once its end was reported.
//! 6. A worker is aborted only if its heart stands still: not for a suspension of everybody.
//! 7. One configuration is read at a time, and not during an upgrade; one upgrade at a time, and not
//!    during a reload.
//! 8. However many reloads are asked for while one is under way, one more begins, when no more were
//!    asked for for a quarter of a second or two seconds have passed.
//! 9. A generation whose reload failed is never kept.
//! 10. Who leads is ready and not on its way out.
//! 11. What is announced is so, and nothing is announced after the stop.
//! 17. Outside a reload a worker gets a successor when it has been ready for a second, not before.
//!
//! 18. An order is answered once.
//!
//! After every step:
//!
//! 12. A slot has one worker that stays, and a second one only while that is being replaced.
//! 13. While a reload is under way it is announced.
//! 14. No deadline has passed without being acted on.
//! 19. A slot that is held empty has no worker that stays.
//!
//! When all trouble is over:
//!
//! 15. It comes to rest: every slot has a ready worker of the current generation, there is no other
//!     process, the configuration kept is the generation's, and every pool has a living leader.
//! 20. Every order has been answered.
//! 16. A stop ends, within its limit and a moment, whatever the workers do.

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::*;
use super::fake_system::{FakeSystem, Process};
use super::world::World;

/// Checks 1 to 11, 17 and 18.
pub(super) fn allows(world: &FakeSystem, machine: &Machine, action: &Action) {
    assert!(world.exited.is_none(), "{action:?} after the exit");
    let live = |worker: &WorkerId| -> &Process {
        let process = world.live.get(worker);
        process.unwrap_or_else(|| panic!("{action:?}, but it is no live worker"))
    };
    match action {
        Action::Fork { worker, slot, .. } => may_fork(world, machine, *worker, slot.index),
        Action::Stop(worker, _) => {
            assert!(!live(worker).asked, "{worker:?} asked to stop twice");
            assert!(
                !live(worker).killed,
                "{worker:?} asked to stop after it was killed"
            );
        }
        Action::Abort(worker) => {
            assert!(
                live(worker).hung,
                "{worker:?} aborted while its runtime runs"
            );
            assert!(!live(worker).leaving(), "{worker:?} aborted on its way out");
        }
        Action::Kill(worker) => assert!(!live(worker).killed, "{worker:?} killed twice"),
        Action::Load(_) => {
            assert!(
                !world.loading,
                "two readings of the configuration at a time"
            );
            assert!(!world.upgrading, "a reload during an upgrade");
            if let (Some(first), Some(last)) =
                (world.reload_burst.first(), world.reload_burst.last())
            {
                let calm = world.now >= *last + Duration::from_millis(250);
                let long = world.now >= *first + Duration::from_secs(2);
                assert!(calm || long, "a reload in the middle of a burst");
            }
        }
        Action::Mutate(workers) => workers.iter().for_each(|worker| {
            live(worker);
        }),
        Action::Keep(generation) => {
            assert!(
                !world.bad.contains(generation),
                "a failed generation was kept"
            );
        }
        Action::Lead(_, Some(worker)) => {
            let leader = live(worker);
            assert!(leader.ready && !leader.leaving(), "a leader on its way out");
        }
        Action::Announce(Announcement::Stopping) => {}
        Action::Announce(announcement) => {
            assert!(!world.stopping, "announced after the stop");
            let reloading = *announcement == Announcement::Reloading;
            let is_so = reloading == machine.is_reloading();
            assert!(is_so, "announced something else");
        }
        Action::Upgrade => {
            assert!(!world.upgrading, "two upgrades at a time");
            assert!(!machine.is_reloading(), "an upgrade during a reload");
        }
        Action::Answer(order, _) => {
            assert!(world.orders.contains(order), "{order:?} answered twice");
        }
        Action::CancelUpgrade => assert!(world.upgrading, "no upgrade to be given up"),
        Action::CancelLoad
        | Action::Lead(_, None)
        | Action::Log(_)
        | Action::Exit(_)
        | Action::HandOver { .. } => {}
    }
}

fn may_fork(world: &FakeSystem, machine: &Machine, worker: WorkerId, slot: usize) {
    assert!(!world.stopping, "a fork after the stop began");
    assert!(!world.seen.contains_key(&worker), "{worker:?} forked twice");
    let others = || world.live.values().filter(|other| other.slot == slot);
    let replaced = others().any(|other| !other.leaving());
    let draining = others().any(Process::leaving);
    assert!(
        !(replaced && draining),
        "slot {slot} has one draining already"
    );
    let old_enough = |other: &Process| {
        let ready_at = other.ready_at.map(|at| at + Duration::from_secs(1));
        ready_at.is_some_and(|at| at <= world.now)
    };
    let mut staying = others().filter(|other| !other.leaving());
    assert!(
        machine.rollout.is_some() || staying.all(old_enough),
        "a worker in slot {slot} is replaced as soon as it is ready"
    );
    if let Some((count, at)) = world.refused.get(&slot) {
        // Another order may ask for the same slot at the same moment, but no loop may.
        assert!(*at < world.now || *count < 20, "no pause after a refusal");
    }
}

/// Checks 12 to 14, and 19.
pub(super) fn holds(world: &FakeSystem, machine: &Machine) {
    if world.exited.is_some() {
        return;
    }
    let mut staying: BTreeMap<usize, usize> = BTreeMap::new();
    for process in world.live.values().filter(|process| !process.leaving()) {
        *staying.entry(process.slot).or_default() += 1;
    }
    for (slot, count) in staying {
        let successors = machine.under_way(machine.slots[slot].pool);
        let replacing = machine.rollout.is_some() || successors == 1;
        let allowed = if replacing { 2 } else { 1 };
        assert!(
            count <= allowed,
            "{count} live workers in slot {slot}, reload: {replacing}"
        );
    }
    for (index, slot) in machine
        .slots
        .iter()
        .enumerate()
        .filter(|(_, slot)| slot.held)
    {
        let mut workers = world.live.values().filter(|process| process.slot == index);
        assert!(
            !slot.active && workers.all(Process::leaving),
            "slot {index} is not held empty"
        );
    }
    if machine.is_reloading() && machine.announced.is_some() {
        assert_eq!(machine.announced, Some(Announcement::Reloading));
    }
    if let Some(deadline) = machine.deadline() {
        assert!(
            deadline > world.now,
            "a deadline that has passed is not acted on"
        );
    }
}

/// Checks 15 and 20.
pub(super) fn serves(world: &World) {
    let machine = world.machine();
    let world = &world.system;
    let (active, ready) = machine.counts();
    let draining = machine.draining();
    assert_eq!((active, draining), (ready, 0), "not all slots are ready");
    assert_eq!(world.live.len(), active, "as many processes as slots");
    let generation = machine.generation();
    assert_eq!(
        world.last_kept, generation,
        "the configuration kept is the generation's"
    );
    assert!(
        world.orders.is_empty(),
        "never answered: {:?}",
        world.orders
    );
    let newest = |process: &Process| process.generation == generation;
    assert!(world.live.values().all(newest));
    assert_eq!(machine.phase, Phase::Serving);
    assert_eq!(machine.announced, Some(Announcement::Ready));
    for pool in machine.pools().keys() {
        let leader = machine.leaders.get(pool);
        assert!(leader.is_some_and(|leader| world.live.contains_key(leader)));
    }
}

/// Checks 16, with workers of which some end when asked, some only when killed, and some never.
pub(super) fn stops(world: &mut World) {
    let asked_at = world.system.now;
    world.feed(Event::Asked(Request::Stop));
    while world.system.exited.is_none() {
        let obedient: Vec<WorkerId> = world
            .system
            .live
            .iter()
            .filter(|(worker, process)| process.killed && worker.0 % 5 != 0 || worker.0 % 3 == 0)
            .map(|(worker, _)| *worker)
            .collect();
        for worker in obedient {
            world.exit(worker, None);
        }
        if world.system.exited.is_none() {
            let before = world.system.now;
            world.pass_to_deadline();
            assert!(world.system.now > before, "a stop without a bound");
        }
    }
    let took = world.system.now - asked_at;
    assert!(took <= Duration::from_secs(61), "the stop took too long");
}
