//! A program's own flags, beside the launcher's.
//!
//! Run with
//!
//! ```text
//! cargo run --example args -- --name Ada --name Grace --shout
//! ```
//!
//! What to try:
//!
//! - `--help`: one page with both kinds of flags, under the first line of the doc of `Flags`. The
//!   launcher's are settings, with a key in `[launch]` and a variable each; the program's own are
//!   only flags.
//! - `--nmae Ada`: the near miss, and exit code 2, before anything is started.
//! - `--workers 2`: the answer names what to change, for `workers = 1` runs in this process.

use service_runtime::prelude::*;

/// Greets people once a second.
#[derive(clap::Args)]
struct Flags {
    /// Whom to greet; may be given many times.
    #[arg(long, default_value = "world")]
    name: Vec<String>,
    /// Greets loudly.
    #[arg(long)]
    shout: bool,
}

#[service]
struct Greeter {
    greeting: String,
}

#[service]
impl Greeter {
    #[periodic(every = "1s", immediately)]
    fn greet(&self) {
        tracing::info!("{}", self.greeting);
    }
}

#[launch(workers = 1)]
fn main(flags: Flags) -> Greeter {
    let greeting = format!("hello {}", flags.name.join(" and "));
    Greeter {
        greeting: if flags.shout {
            greeting.to_uppercase()
        } else {
            greeting
        },
    }
}
