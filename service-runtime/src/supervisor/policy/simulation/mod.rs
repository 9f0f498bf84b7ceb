//! The machine in worlds where everything goes wrong: at random, and in every order.
//!
//! | file | what is in it |
//! | --- | --- |
//! | `invariants` | what must stay true, in words and as checks |
//! | `world` | operators, what happens to processes, and time, driven by chance |
//! | `fake_system` | the operating system that the decisions are carried out by |
//! | `exhaustive` | every order of a few events |
//!
//! A failure prints the seed of its world; `one_world(seed)` plays it again. `SIMULATION_STEPS=10000000`
//! makes the run longer.

mod exhaustive;
mod fake_system;
mod invariants;
mod world;

use std::time::Duration;

use super::*;
use world::World;

/// How many random steps a test run takes.
const STEPS: usize = 1_000_000;
const STEPS_OF_A_WORLD: usize = 400;

/// How many worlds, the first ones, have signals alone.
const WORLDS_WITHOUT_ORDERS: u64 = 500;

/// Worlds that have broken an invariant once, and how.
const FOUND: [(u64, &str); 2] = [
    (
        0,
        "healthy workers were aborted after everybody was suspended",
    ),
    (1, "a burst of reloads was one reload after the other"),
];

/// Settings with short numbers, for a launch with one pool.
pub(in crate::supervisor) fn policy(workers: usize) -> Policy {
    Policy {
        method: RestartMethod::Reload,
        graceful: Some(Duration::from_secs(60)),
        restart_limit: None,
        upgrade: Some(Duration::from_secs(15)),
        shared: pool(PoolId::SHARED, workers),
        own: Vec::new(),
    }
}

/// A pool of so many workers.
pub(in crate::supervisor) fn pool(id: PoolId, workers: usize) -> Pool {
    Pool {
        id,
        workers,
        drain: Some(Duration::from_secs(20)),
        start: Some(Duration::from_secs(30)),
        respawn_delay: Duration::from_millis(100),
        respawn_delay_max: Duration::from_secs(30),
        healthy_after: Duration::from_secs(1),
        surge: 1,
        heartbeat: Some(Duration::from_secs(10)),
    }
}

/// Settings with one to three pools.
fn any_policy(random: &mut fastrand::Rng) -> Policy {
    let mut policy = policy(random.usize(1..6));
    policy.shared.surge = random.usize(1..4);
    for id in 1..3 {
        if random.u8(0..3) == 0 {
            let mut own = pool(PoolId(id), random.usize(1..4));
            own.surge = random.usize(1..3);
            policy.own.push(own);
        }
    }
    policy
}

/// Plays one world: trouble, calm, stop. Returns how many random steps it took.
fn one_world(seed: u64) -> usize {
    let mut world = World::new(seed);
    // The worlds of old had no orders, and stay as they were.
    let mut orders = (seed >= WORLDS_WITHOUT_ORDERS).then(|| fastrand::Rng::with_seed(!seed));
    world.feed(Event::Start);
    for step in 0..STEPS_OF_A_WORLD {
        if world.system.exited.is_some() {
            return step;
        }
        world.random_step();
        if let Some(random) = &mut orders
            && random.u8(0..8) == 0
        {
            world.random_order(random);
        }
    }
    end(&mut world);
    STEPS_OF_A_WORLD
}

/// Lets all trouble end, and then the world.
fn end(world: &mut World) {
    world.calm_down();
    if world.system.exited.is_none() && !world.system.stopping {
        invariants::serves(world);
        invariants::stops(world);
    }
}

#[test]
fn a_million_random_steps_break_no_invariant() {
    let wanted = std::env::var("SIMULATION_STEPS").ok();
    let wanted = wanted.and_then(|steps| steps.parse().ok()).unwrap_or(STEPS);
    let (mut steps, mut seed) = (0, 0);
    while steps < wanted {
        let played = std::panic::catch_unwind(|| one_world(seed));
        match played {
            Ok(played) => steps += played,
            Err(_) => panic!("world {seed} broke an invariant: play it again with `one_world`"),
        }
        seed += 1;
    }
    assert!(steps >= wanted);
}

#[test]
fn worlds_that_have_broken_an_invariant_once_break_none_any_more() {
    for (seed, what) in FOUND {
        let played = std::panic::catch_unwind(|| one_world(seed));
        assert!(played.is_ok(), "world {seed}, once more: {what}");
    }
}
