//! Cron lines, checked while compiling by the crate that runs them.

use syn::LitStr;

use crate::{args::Given, problem::problem};

/// Checks the line of `cron = "…"`.
#[cfg(feature = "cron")]
pub(super) fn check_cron(given: &Given) -> syn::Result<LitStr> {
    use croner::{errors::CronError, parser::CronParser};

    let text = given.filled_text()?;
    let line = text.value();
    let why = match CronParser::new().parse(&line) {
        Ok(_) => return Ok(text),
        Err(
            CronError::InvalidPattern(why)
            | CronError::IllegalCharacters(why)
            | CronError::ComponentError(why),
        ) => why,
        Err(other) => other.to_string(),
    };
    let why = why.trim_end_matches('.');
    Err(problem(
        &text,
        format_args!("`{line}` is not a cron line: {why}"),
        "write minute, hour, day of month, month and day of week, as in `\"0 3 * * *\"`",
    ))
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
