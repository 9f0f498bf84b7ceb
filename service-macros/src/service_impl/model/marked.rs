//! Marked methods: which markers stand where they may.

use syn::{Attribute, Meta, Signature, Visibility};

use super::{
    super::parse::{Member, MemberKind},
    cfgs,
};
use crate::{
    markers::{Kind, Marker},
    problem::{Problems, problem},
};

/// A method with one of its markers.
pub(super) struct Marked<'a> {
    pub(super) vis: &'a Visibility,
    /// The attributes that are somebody else's.
    pub(super) attrs: &'a [Attribute],
    pub(super) sig: &'a Signature,
    pub(super) marker: &'a Marker,
    /// Conditions that hold for the method, and so for the call of it.
    pub(super) cfgs: Vec<Attribute>,
}

/// Finds all marked methods, and refuses markers that are misspelt, misplaced or there twice.
pub(super) fn all<'a>(members: &'a [Member], problems: &mut Problems) -> Vec<Marked<'a>> {
    let mut all: Vec<Marked<'a>> = Vec::new();
    for member in members {
        for (attr, kind) in &member.hidden {
            problems.push(hidden(attr, *kind));
        }
        for marker in &member.markers {
            problems.keep(spelling(marker));
            problems.keep(no_arguments(marker));
            let MemberKind::Method { vis, sig, .. } = &member.kind else {
                let name = marker.kind.name();
                problems.push(problem(
                    marker.path(),
                    format_args!("`#[{name}]` belongs on a method"),
                    "move it to a method that has a body",
                ));
                continue;
            };
            let cfgs = cfgs(&member.attrs);
            let marked = Marked {
                vis,
                attrs: &member.attrs,
                sig,
                marker,
                cfgs,
            };
            match all.iter().find(|other| other.is_twin_of(&marked)) {
                Some(twin) => problems.push(two_of_a_kind(twin, &marked)),
                None => all.push(marked),
            }
        }
    }
    all
}

impl Marked<'_> {
    /// Whether only one of the two can be. Methods under a `#[cfg]` are never both there.
    fn is_twin_of(&self, other: &Self) -> bool {
        let one_only = !matches!(self.marker.kind, Kind::Periodic | Kind::Rpc);
        let apart = !self.cfgs.is_empty() && !other.cfgs.is_empty();
        one_only && self.marker.kind == other.marker.kind && !apart
    }
}

fn two_of_a_kind(first: &Marked<'_>, second: &Marked<'_>) -> syn::Error {
    let name = second.marker.kind.name();
    let method = &first.sig.ident;
    problem(
        second.marker.path(),
        format_args!("a service has one `#[{name}]`, and `{method}` is it"),
        format_args!("remove this marker and call the method from `{method}`"),
    )
}

fn spelling(marker: &Marker) -> syn::Result<()> {
    if marker.exact {
        return Ok(());
    }
    let path = marker.path();
    let written = path.segments.last().map(|last| last.ident.to_string());
    let wrong = format!("there is no marker `#[{}]`", written.unwrap_or_default());
    let known = Kind::ALL.map(|kind| format!("`#[{}]`", kind.name()));
    let help = format!(
        "write `#[{}]`; known are {}",
        marker.kind.name(),
        known.join(", ")
    );
    Err(problem(path, wrong, help))
}

fn no_arguments(marker: &Marker) -> syn::Result<()> {
    if matches!(marker.kind, Kind::Periodic | Kind::Rpc) || matches!(marker.meta, Meta::Path(_)) {
        return Ok(());
    }
    let name = marker.kind.name();
    Err(problem(
        &marker.meta,
        format_args!("`#[{name}]` takes no arguments"),
        format_args!("write `#[{name}]`"),
    ))
}

/// Refuses a marker inside `#[cfg_attr]`, which is resolved only after the markers are gathered.
fn hidden(attr: &Attribute, kind: Kind) -> syn::Error {
    let name = kind.name();
    problem(
        attr.path(),
        format_args!("`#[{name}]` cannot stand in a `cfg_attr`"),
        format_args!("put the method under `#[cfg(…)]` and write `#[{name}]` beside it"),
    )
}
