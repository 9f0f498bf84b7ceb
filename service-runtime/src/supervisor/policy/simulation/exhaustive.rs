//! Every order of six events, out of nine, that can happen to two slots.

use super::super::*;
use super::world::World;
use super::{end, policy};

/// Something that happens, to whomever it fits at that moment; to nobody, and it is left out.
#[derive(Debug, Clone, Copy)]
enum Happening {
    /// The oldest worker that is not ready gets ready.
    Ready,
    /// The newest worker of a slot dies.
    Death(usize),
    /// A reload is asked for.
    Hup,
    /// The configuration is read, and good.
    Good,
    /// The configuration is read, and wrong.
    Wrong,
    /// Forks are refused from now on, or no more.
    Short,
    /// Time goes on to what is due next.
    Due,
    /// A stop is asked for.
    Term,
}

const ALL: [Happening; 9] = [
    Happening::Ready,
    Happening::Death(0),
    Happening::Death(1),
    Happening::Hup,
    Happening::Good,
    Happening::Wrong,
    Happening::Short,
    Happening::Due,
    Happening::Term,
];

const LENGTH: usize = 6;

fn happens(world: &mut World, happening: Happening) {
    match happening {
        Happening::Ready => {
            let mut workers = world.system.live.iter();
            let oldest = workers.find(|(_, process)| !process.ready && !process.killed);
            if let Some(worker) = oldest.map(|(worker, _)| *worker) {
                world.get_ready(worker);
            }
        }
        Happening::Death(slot) => {
            let mut workers = world.system.live.iter().rev();
            let newest = workers.find(|(_, process)| process.slot == slot);
            if let Some(worker) = newest.map(|(worker, _)| *worker) {
                world.exit(worker, Some(1));
            }
        }
        Happening::Hup => world.feed(Event::Asked(Request::Reload)),
        Happening::Good => world.answer(Ok(policy(2))),
        Happening::Wrong => world.answer(Err(())),
        Happening::Short => world.system.refusing = !world.system.refusing,
        Happening::Due => world.pass_to_deadline(),
        Happening::Term => world.feed(Event::Asked(Request::Stop)),
    }
}

/// Plays the events in this order, to a program that has just been started or that serves.
fn play(order: &[Happening], serving: bool) {
    let mut world = World::of(policy(2), fastrand::Rng::with_seed(1));
    world.feed(Event::Start);
    if serving {
        happens(&mut world, Happening::Ready);
        happens(&mut world, Happening::Ready);
    }
    for happening in order {
        if world.system.exited.is_none() {
            happens(&mut world, *happening);
        }
    }
    end(&mut world);
}

/// Calls with every order of so many of these events.
fn orders(taken: &mut Vec<Happening>, left: &[Happening], seen: &mut impl FnMut(&[Happening])) {
    if taken.len() == LENGTH {
        return seen(taken);
    }
    for (index, happening) in left.iter().enumerate() {
        let mut left = left.to_vec();
        left.remove(index);
        taken.push(*happening);
        orders(taken, &left, seen);
        taken.pop();
    }
}

#[test]
fn every_order_of_six_events_at_two_slots_breaks_no_invariant() {
    let mut count = 0;
    orders(&mut Vec::new(), &ALL, &mut |order| {
        for serving in [false, true] {
            let played = std::panic::catch_unwind(|| play(order, serving));
            assert!(played.is_ok(), "serving: {serving}, {order:?}");
            count += 1;
        }
    });
    // 9 · 8 · 7 · 6 · 5 · 4, each twice.
    assert_eq!(count, 120_960);
}
