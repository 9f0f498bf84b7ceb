//! What the macros accept, and what they and the compiler say about the rest.
//!
//! `UI=overwrite cargo test -p tests --test ui` writes the expectations anew, and `UI_CASES=launch/` takes
//! the cases alone whose path holds `launch/`.
//!
//! Each case is one call of the compiler, with the dependencies that this test itself was built with;
//! there are as many at the same time as there are processors.

mod case;
mod expected;
mod normal;

use std::num::NonZeroUsize;
use std::sync::Mutex;
use std::{env, thread};

use self::case::Case;

#[test]
fn mistakes_are_explained_and_programs_compile() {
    let filter = env::var("UI_CASES").unwrap_or_default();
    let mut cases = Case::all();
    cases.retain(|case| case.path.contains(&filter));
    assert!(!cases.is_empty(), "there is no case {filter:?}");
    let (count, cases) = (cases.len(), Mutex::new(cases));
    let failed = Mutex::new(Vec::new());
    let next = || cases.lock().unwrap().pop();
    let work = || {
        while let Some(case) = next() {
            if let Err(why) = case.check() {
                failed.lock().unwrap().push(format!("{}: {why}", case.path));
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, NonZeroUsize::get) {
            scope.spawn(work);
        }
    });
    let failed = failed.into_inner().unwrap();
    assert!(
        failed.is_empty(),
        "{} of {count} cases are not as they were:\n\n{}",
        failed.len(),
        failed.join("\n\n")
    );
}
