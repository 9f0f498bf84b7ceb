//! What an impl block with `#[service]` is, once every rule holds.

mod cron;
mod hook;
mod init;
mod marked;
mod periodic;

use syn::{Attribute, Generics, Path, Type};

pub(super) use self::{
    hook::Hook,
    init::{Init, InitArg},
    periodic::{Periodic, Schedule},
};
use self::{
    hook::{callable, receiver},
    marked::Marked,
};
use super::parse::Block;
use crate::{
    markers::Kind,
    problem::{Problems, no_lifetime, problem},
    rpc::{self, Rpc, Served, check_methods},
};

/// The hooks of a service.
///
/// Of each kind but `periodic` there is one, or several of which each stands under a `#[cfg]`.
pub(super) struct Model {
    pub(super) generics: Generics,
    pub(super) self_ty: Type,
    /// Conditions that hold for the block and so for all that is generated.
    pub(super) cfgs: Vec<Attribute>,
    pub(super) inits: Vec<Init>,
    pub(super) hooks: Vec<Hook>,
    pub(super) periodics: Vec<Periodic>,
    /// The methods that can be called, by the topic that they are served under.
    pub(super) served: Vec<Served>,
}

impl Model {
    /// Checks every rule; a hook that breaks one is left out. `None` if no service can come of it.
    pub(super) fn new(block: &Block, serves: Vec<Path>, problems: &mut Problems) -> Option<Self> {
        let header = &block.header;
        let mut possible = true;
        if let Some((path, _)) = &header.trait_ {
            problems.push(problem(
                path,
                "`#[service]` cannot stand on the impl block of a trait",
                "put the hooks into an impl block of their own: `#[service] impl Greeter { … }`",
            ));
            possible = false;
        }
        for param in header.generics.lifetimes() {
            problems.push(no_lifetime(param));
            possible = false;
        }
        let mut model = Self {
            generics: header.generics.clone(),
            self_ty: (*header.self_ty).clone(),
            cfgs: cfgs(&header.attrs),
            inits: Vec::new(),
            hooks: Vec::new(),
            periodics: Vec::new(),
            served: Vec::new(),
        };
        let mut rpcs = Vec::new();
        for marked in marked::all(&block.members, problems) {
            match marked.marker.kind {
                Kind::Rpc => rpcs.extend(rpc(&marked, problems)),
                _ => model.add(&marked, problems),
            }
        }
        periodic::check_names(&mut model.periodics, problems);
        if problems
            .keep(check_methods(&rpcs, &model.generics))
            .is_some()
        {
            model.served = rpc::sort(rpcs, serves, problems);
        }
        possible.then_some(model)
    }

    /// The hooks of one kind.
    pub(super) fn hooks(&self, kind: Kind) -> impl Iterator<Item = &Hook> {
        self.hooks.iter().filter(move |hook| hook.kind == kind)
    }

    fn add(&mut self, marked: &Marked<'_>, problems: &mut Problems) {
        match marked.marker.kind {
            Kind::Init => self
                .inits
                .extend(Init::new(marked, &self.self_ty, problems)),
            Kind::Periodic => self.periodics.extend(Periodic::new(marked, problems)),
            _ => self.hooks.extend(Hook::new(marked, problems)),
        }
    }
}

/// Checks a method with `#[rpc]`.
fn rpc(marked: &Marked<'_>, problems: &mut Problems) -> Option<Rpc> {
    let Marked { sig, cfgs, .. } = marked;
    let receiver = problems.keep(receiver(sig, Kind::Rpc));
    let callable = problems.keep(callable(sig, Kind::Rpc));
    let method = (marked.vis, *sig, marked.attrs);
    let rpc = Rpc::new(&marked.marker.meta, method, cfgs, problems);
    receiver.and(callable).and(rpc)
}

/// The conditions among `attrs`.
fn cfgs(attrs: &[Attribute]) -> Vec<Attribute> {
    let cfgs = attrs.iter().filter(|attr| attr.path().is_ident("cfg"));
    cfgs.cloned().collect()
}
