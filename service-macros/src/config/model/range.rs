//! The range of a field: from where to where, both ends included.

use std::cmp::Ordering;

use quote::quote;
use syn::{Expr, ExprRange, RangeLimits};

use super::{literal::Place, toml::Toml};
use crate::source::source;
use crate::{
    args::Given,
    problem::{Problems, problem},
};

/// What both ends can be.
pub(super) const ENDS: &str = "write two numbers, as in `1..=10`, two durations, as in `\"1s\"..=\"5m\"`, or two sizes, as in `\"1MiB\"..=\"1GiB\"`";

/// At least one end, and the low one not above the high one.
#[derive(Debug)]
pub(in super::super) struct Range {
    low: Option<Toml>,
    high: Option<Toml>,
}

impl Range {
    /// Reads a range that fits the field.
    pub(super) fn new(given: &Given, place: &Place<'_>, problems: &mut Problems) -> Option<Self> {
        let Some(Expr::Range(range)) = given.expr() else {
            problems.push(given.wrong_kind("a range"));
            return None;
        };
        if !place.kind.has_order() {
            problems.push(given.problem(
                format_args!("the field's type `{}` has no range", place.ty),
                "remove `range`: it is for numbers, durations and sizes",
            ));
            return None;
        }
        if matches!(range.limits, RangeLimits::HalfOpen(_)) && range.end.is_some() {
            problems.push(exclusive(range));
            return None;
        }
        let mut read = |end: &Option<Box<Expr>>| match end.as_deref() {
            Some(end) => problems.keep(place.read(end)).map(Some),
            None => Some(None),
        };
        let (low, high) = (read(&range.start), read(&range.end));
        let range = Self {
            low: low?,
            high: high?,
        };
        problems.keep(range.checked(given, place))
    }

    fn checked(self, given: &Given, place: &Place<'_>) -> syn::Result<Self> {
        let order = match (&self.low, &self.high) {
            (Some(low), Some(high)) => low.compare(high, place.kind),
            (Some(only), None) | (None, Some(only)) => only.compare(only, place.kind),
            (None, None) => {
                return Err(given.problem(
                    "`..` lets every value pass",
                    "write `range = 1..=10`, `range = 1..` or `range = ..=10`",
                ));
            }
        };
        match (order, &self.low, &self.high) {
            (None, _, _) => Err(given.problem("these ends cannot be compared", ENDS)),
            (Some(Ordering::Greater), Some(low), Some(high)) => Err(given.problem(
                format_args!("no value is in this range: `{low}` is more than `{high}`"),
                format_args!("write `range = {high}..={low}`"),
            )),
            _ => Ok(self),
        }
    }

    /// Demands that a default is in the range.
    pub(super) fn contains(
        &self,
        default: &Toml,
        given: &Given,
        place: &Place<'_>,
    ) -> syn::Result<()> {
        let below = |end: &Toml| default.compare(end, place.kind) == Some(Ordering::Less);
        let above = |end: &Toml| default.compare(end, place.kind) == Some(Ordering::Greater);
        let (low, high) = (self.low.as_ref(), self.high.as_ref());
        let help = match (low, high) {
            (Some(end), _) if below(end) => format!("write `{end}` or more, or widen the range"),
            (_, Some(end)) if above(end) => format!("write `{end}` or less, or widen the range"),
            _ => return Ok(()),
        };
        Err(given.problem(
            format_args!("the default `{default}` is out of the field's own range"),
            help,
        ))
    }

    /// The ends as TOML.
    pub(in super::super) fn ends(&self) -> (Option<String>, Option<String>) {
        let text = |end: &Option<Toml>| end.as_ref().map(Toml::to_string);
        (text(&self.low), text(&self.high))
    }
}

/// Refuses `1..10`, and says what it would be with both ends included.
fn exclusive(range: &ExprRange) -> syn::Error {
    let (start, end) = (&range.start, &range.end);
    let last = match end.as_deref() {
        Some(Expr::Lit(end)) => match &end.lit {
            syn::Lit::Int(end) => end.base10_parse().ok(),
            _ => None,
        },
        _ => None,
    };
    let last = last.and_then(|end: i64| end.checked_sub(1));
    let start = source(quote!(#start));
    let end = last.map_or_else(|| source(quote!(#end)), |last| last.to_string());
    problem(
        range.limits,
        "both ends belong to a range",
        format_args!("write `range = {start}..={end}`"),
    )
}
