//! `#[periodic(…)]`: hooks that run again and again.

use std::time::Duration;

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{Ident, LitStr, Meta, ext::IdentExt};

use super::{cron::check_cron, hook::Hook, marked::Marked};
use crate::{
    args::{self, Args, Given, Key, Variant, check_name, given_name},
    problem::{Problems, problem},
};

const KEYS: &[Key] = &[
    Key::new("every", r#"every = "60s""#),
    Key::new("cron", r#"cron = "0 3 * * *""#),
    Key::new("tz", r#"tz = "Europe/Berlin""#),
    Key::new("immediately", "immediately"),
    Key::new("jitter", r#"jitter = "5s""#),
    Key::new("enabled", "enabled = false"),
    Key::new("name", r#"name = "sync_power_states""#),
    Key::new("on_error", r#"on_error = "stop""#),
    Key::new("scope", r#"scope = "program""#),
];

const ON_ERROR: &[(&str, Variant)] = &[
    (
        "continue",
        Variant(&["tasks", "PeriodicOnError", "Continue"]),
    ),
    ("stop", Variant(&["tasks", "PeriodicOnError", "Stop"])),
    ("fail", Variant(&["tasks", "PeriodicOnError", "Fail"])),
];

const SCOPE: &[(&str, Variant)] = &[
    ("worker", Variant(&["Scope", "Worker"])),
    ("program", Variant(&["Scope", "Program"])),
    #[cfg(feature = "cluster")]
    ("cluster", Variant(&["Scope", "Cluster"])),
];

/// A hook with its schedule.
pub(crate) struct Periodic {
    pub(crate) hook: Hook,
    pub(crate) name: String,
    pub(crate) schedule: Schedule,
    pub(crate) immediately: Option<bool>,
    pub(crate) jitter: Option<Duration>,
    pub(crate) enabled: Option<bool>,
    pub(crate) on_error: Option<Variant>,
    pub(crate) scope: Option<Variant>,
    /// What to blame for the name.
    named_at: TokenStream,
}

/// When a periodic hook runs.
pub(crate) enum Schedule {
    /// At an interval, never zero.
    Every(Duration),
    /// At the times of a cron line, in a time zone.
    Cron { line: LitStr, tz: Option<LitStr> },
}

impl Periodic {
    /// Checks a method with the marker.
    pub(super) fn new(marked: &Marked<'_>, problems: &mut Problems) -> Option<Self> {
        let hook = Hook::new(marked, problems);
        let marker = &marked.marker.meta;
        let written = problems.keep(arguments(marker)).unwrap_or_default();
        let before = problems.count();
        let written = args::parse(written, KEYS, problems);
        let mut args = Args::new("#[periodic]", KEYS, written, problems);
        let all_read = problems.count() == before;
        let (every, cron) = (args.take("every"), args.take("cron"));
        let (tz, jitter) = (args.take("tz"), args.take("jitter"));
        let (name, named_at) = own_name(&marked.sig.ident, args.take("name"), problems);
        if all_read && every.is_none() && cron.is_none() {
            problems.keep(no_schedule(marker));
        }
        let schedule = schedule(every.as_ref(), cron.as_ref(), tz.as_ref(), problems);
        let jitter = jitter.and_then(|given| {
            let below = match &schedule {
                Some(Schedule::Every(every)) => Some(*every),
                _ => None,
            };
            problems.keep(check_jitter(&given, below))
        });
        let mut boolean = |name| {
            let given = args.take(name)?;
            problems.keep(given.boolean())
        };
        let (immediately, enabled) = (boolean("immediately"), boolean("enabled"));
        let mut choice = |name, choices| {
            let given = args.take(name)?;
            problems.keep(given.choice(choices))
        };
        let (on_error, scope) = (choice("on_error", ON_ERROR), choice("scope", SCOPE));
        Some(Self {
            hook: hook?,
            name: name?,
            schedule: schedule?,
            immediately,
            jitter,
            enabled,
            on_error,
            scope,
            named_at,
        })
    }
}

/// Refuses two tasks of one name, unless each stands under a `#[cfg]`.
pub(super) fn check_names(periodics: &mut Vec<Periodic>, problems: &mut Problems) {
    let mut kept: Vec<Periodic> = Vec::new();
    for periodic in periodics.drain(..) {
        let twin = kept.iter().find(|other| other.name == periodic.name);
        let clash = twin.filter(|twin| twin.hook.cfgs.is_empty() || periodic.hook.cfgs.is_empty());
        match clash {
            Some(twin) => problems.push(problem(
                &periodic.named_at,
                format_args!("two periodic tasks are named `{}`", twin.name),
                "give one of them another name, as in `name = \"second\"`",
            )),
            None => kept.push(periodic),
        }
    }
    *periodics = kept;
}

fn arguments(marker: &Meta) -> syn::Result<TokenStream> {
    match marker {
        Meta::List(list) => Ok(list.tokens.clone()),
        Meta::Path(_) => Ok(TokenStream::new()),
        other => Err(problem(
            other,
            "the arguments of `#[periodic]` stand in parentheses",
            r#"write `#[periodic(every = "60s")]`"#,
        )),
    }
}

fn own_name(
    method: &Ident,
    given: Option<Given>,
    problems: &mut Problems,
) -> (Option<String>, TokenStream) {
    let Some(given) = given else {
        let name = method.unraw().to_string();
        let checked = check_name(&name);
        let checked = checked
            .map_err(|wrong| problem(method, wrong, r#"name the task: `#[periodic(name = "…")]`"#));
        return (
            problems.keep(checked.map(|()| name)),
            method.to_token_stream(),
        );
    };
    (problems.keep(given_name(&given)), given.blamed())
}

fn schedule(
    every: Option<&Given>,
    cron: Option<&Given>,
    tz: Option<&Given>,
    problems: &mut Problems,
) -> Option<Schedule> {
    if let (Some(tz), None) = (tz, cron) {
        problems.push(problem(
            &tz.name,
            "`tz` is the time zone of a `cron` line, and there is none",
            "remove `tz`, or write `cron = \"0 3 * * *\"` instead of `every`",
        ));
    }
    match (every, cron) {
        (Some(_), Some(cron)) => {
            problems.push(problem(
                &cron.name,
                "`every` and `cron` are two schedules",
                "keep one of the two",
            ));
            None
        }
        (Some(every), None) => problems
            .keep(every.positive_duration())
            .map(Schedule::Every),
        (None, Some(cron)) => {
            let line = problems.keep(check_cron(cron));
            let tz = tz.and_then(|tz| problems.keep(tz.filled_text()));
            line.map(|line| Schedule::Cron { line, tz })
        }
        (None, None) => None,
    }
}

fn no_schedule(marker: &Meta) -> syn::Result<()> {
    if matches!(marker, Meta::NameValue(_)) {
        return Ok(());
    }
    Err(problem(
        marker.path(),
        "`#[periodic]` needs `every` or `cron`",
        r#"write `#[periodic(every = "60s")]` or `#[periodic(cron = "0 3 * * *")]`"#,
    ))
}

fn check_jitter(given: &Given, below: Option<Duration>) -> syn::Result<Duration> {
    let jitter = given.duration()?;
    match below {
        Some(every) if jitter >= every => Err(given.problem(
            "`jitter` must be less than `every`",
            format_args!(
                "write less than `\"{}\"`",
                humantime::format_duration(every)
            ),
        )),
        _ => Ok(jitter),
    }
}
