//! Leases over both engines.

use std::time::Duration;

use fastrand::Rng;

use super::row::{Claim, Model};
use crate::cluster::store::tests::Engines;

fn claim(holder: u32) -> Claim {
    Claim {
        name: "import".to_owned(),
        holder: holder.to_string(),
    }
}

/// A lease of no time runs out in the moment that it is granted, so that no test has to wait for one.
fn ttl(rng: &mut Rng) -> (Duration, i64) {
    match rng.bool() {
        true => (Duration::ZERO, 0),
        false => (Duration::from_secs(3600), 3_600_000),
    }
}

#[tokio::test]
async fn both_engines_keep_leases_by_the_rules_that_the_simulation_runs_on() {
    const NOW: i64 = 1;
    let engines = Engines::new();
    for store in engines.stores() {
        let mut rng = Rng::with_seed(11);
        let mut model = Model::default();
        let mut granted = 0;
        for step in 0..400 {
            let holder = rng.u32(1..4);
            let fence = model.fence - rng.i64(0..2);
            let (time, millis) = ttl(&mut rng);
            let claim = claim(holder);
            match rng.u32(0..5) {
                0 | 1 => {
                    let expected = model.acquire(holder, NOW, millis);
                    granted += usize::from(expected.is_some());
                    let got = claim.acquire(&store, time).await.unwrap();
                    assert_eq!(got, expected, "{store}: step {step}");
                }
                2 => {
                    let expected = model.renew(holder, fence, NOW, millis);
                    let got = claim.renew(&store, fence, time).await.unwrap();
                    assert_eq!(got, expected, "{store}: step {step}");
                }
                3 => {
                    model.release(holder, fence);
                    claim.release(&store, fence).await.unwrap();
                }
                _ => {
                    let expected = model.holds(holder, fence);
                    let got = claim.save(&store, fence, &step.to_string()).await.unwrap();
                    assert_eq!(got, expected, "{store}: step {step}");
                    if got {
                        let saved = claim.saved(&store).await.unwrap();
                        assert_eq!(saved, Some(step.to_string()));
                    }
                }
            }
        }
        assert!(granted > 20, "only {granted} leases were granted");
    }
}
