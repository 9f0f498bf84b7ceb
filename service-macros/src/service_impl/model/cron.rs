//! Cron lines, checked while compiling by the crate that runs them.

use syn::LitStr;

use crate::{args::Given, problem::problem};

/// Checks the line of `cron = "…"`.
#[cfg(feature = "cron")]
pub(super) fn check_cron(given: &Given) -> syn::Result<LitStr> {
    use croner::parser::CronParser;

    let text = given.filled_text()?;
    let line = text.value();
    match CronParser::new().parse(&line) {
        Ok(_) => Ok(text),
        Err(why) => Err(problem(
            &text,
            format_args!("`{line}` is not a cron line: {why}"),
            "write minute, hour, day of month, month and day of week, as in `\"0 3 * * *\"`",
        )),
    }
}

/// Refuses `cron = "…"`, which the runtime could not run.
#[cfg(not(feature = "cron"))]
pub(super) fn check_cron(given: &Given) -> syn::Result<LitStr> {
    Err(problem(
        &given.name,
        "`cron` needs the feature `cron` of `service-runtime`",
        "run `cargo add service-runtime --features cron`, or write `every = \"60s\"`",
    ))
}
