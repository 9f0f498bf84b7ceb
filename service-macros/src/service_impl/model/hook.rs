//! Hooks: methods that the lifecycle calls.

use quote::ToTokens;
use syn::{
    Attribute, FnArg, GenericParam, Ident, PatType, Receiver, ReceiverKind, Safety, Signature, Type,
};

use super::marked::Marked;
use crate::{
    markers::Kind,
    place::Place,
    problem::{Problems, problem},
};

/// A method that can be called as `Self::method(self)` or `Self::method(self, cx)`.
pub(crate) struct Hook {
    pub(crate) kind: Kind,
    pub(crate) method: Ident,
    pub(crate) is_async: bool,
    /// Whether the method takes `self: Arc<Self>`, as `#[routes]` may.
    pub(crate) owns: bool,
    /// The place of the argument's type, if the method takes the context.
    pub(crate) cx: Option<Place>,
    pub(crate) cfgs: Vec<Attribute>,
    /// The place to blame for a wrong return type.
    pub(crate) output: Place,
}

impl Hook {
    /// Checks a method with a marker.
    pub(super) fn new(marked: &Marked<'_>, problems: &mut Problems) -> Option<Self> {
        let (sig, kind) = (marked.sig, marked.marker.kind);
        let receiver = problems.keep(receiver(sig, kind));
        let callable = problems.keep(callable(sig, kind));
        let fits = match kind {
            Kind::Routes => problems.keep(routes(sig, marked.marker.path())),
            _ => Some(()),
        };
        let cx = problems.keep(context(sig, kind));
        let (Some(()), Some(()), Some(()), Some(cx)) = (receiver, callable, fits, cx) else {
            return None;
        };
        Some(Self {
            kind,
            method: sig.ident.clone(),
            is_async: sig.asyncness.is_some(),
            owns: sig.receiver().is_some_and(is_owned),
            cx,
            cfgs: marked.cfgs.clone(),
            output: Place::of_output(sig),
        })
    }
}

/// Refuses what no generated call can do justice to.
pub(super) fn callable(sig: &Signature, kind: Kind) -> syn::Result<()> {
    let name = kind.name();
    let mut problems = Problems::default();
    let mut refuse = |token: &dyn ToTokens, word: &str| {
        problems.push(problem(
            token.to_token_stream(),
            format_args!("`#[{name}]` cannot be `{word}`"),
            format_args!("remove `{word}`"),
        ));
    };
    if let Some(token) = &sig.constness {
        refuse(token, "const");
    }
    if let Safety::Unsafe(token) = &sig.safety {
        refuse(token, "unsafe");
    }
    if let Some(abi) = &sig.abi {
        refuse(abi, "extern");
    }
    for param in &sig.generics.params {
        if !matches!(param, GenericParam::Lifetime(_)) {
            problems.push(problem(
                param,
                format_args!("`#[{name}]` cannot be generic: nobody would choose the type"),
                "remove the parameter, or put it on the struct",
            ));
        }
    }
    problems.result()
}

pub(super) fn receiver(sig: &Signature, kind: Kind) -> syn::Result<()> {
    let name = kind.name();
    let Some(receiver) = sig.receiver() else {
        let method = &sig.ident;
        return Err(problem(
            method,
            format_args!("`#[{name}]` is called on the service, and `{method}` has no `&self`"),
            format_args!("write `fn {method}(&self)` or `fn {method}(&self, cx: &Context)`"),
        ));
    };
    if is_shared(receiver) || (kind == Kind::Routes && is_owned(receiver)) {
        return Ok(());
    }
    if kind == Kind::Routes {
        return Err(problem(
            receiver,
            "`#[routes]` shares the service with its handlers",
            "write `self: Arc<Self>`, or `&self` if no handler needs the service",
        ));
    }
    Err(problem(
        receiver,
        format_args!("`#[{name}]` borrows the service, which others use at the same time"),
        "write `&self`; keep what changes in a `Mutex` or an atomic",
    ))
}

/// `&self`, `self: &Self` or `self: &Arc<Self>`.
fn is_shared(receiver: &Receiver) -> bool {
    match &receiver.kind {
        ReceiverKind::Reference(_, _, None) => true,
        ReceiverKind::Typed(_, ty) => is_shared_reference(ty),
        _ => false,
    }
}

/// `self: Arc<Self>`, by whatever path.
fn is_owned(receiver: &Receiver) -> bool {
    let ReceiverKind::Typed(_, ty) = &receiver.kind else {
        return false;
    };
    let Type::Path(path) = &**ty else {
        return false;
    };
    let last = path.path.segments.last();
    last.is_some_and(|last| last.ident == "Arc")
}

/// What is true of `#[routes]` alone.
fn routes(sig: &Signature, marker: &syn::Path) -> syn::Result<()> {
    if !cfg!(feature = "http") {
        return Err(problem(
            marker,
            "`#[routes]` needs the feature `http` of `service-runtime`",
            "write `service-runtime = { …, features = [\"http\"] }` in `Cargo.toml`",
        ));
    }
    match &sig.asyncness {
        None => Ok(()),
        Some(token) => Err(problem(
            token,
            "`#[routes]` cannot be `async`",
            "do what has to be waited for in `#[start]`, and remove `async`",
        )),
    }
}

fn context(sig: &Signature, kind: Kind) -> syn::Result<Option<Place>> {
    let name = kind.name();
    let mut args = sig.inputs.iter().filter_map(typed);
    let mut problems = Problems::default();
    let cx = args.next();
    let place = cx.map(|cx| Place::of_type(&cx.ty));
    if let Some(cx) = cx.filter(|cx| !is_shared_reference(&cx.ty)) {
        problems.push(problem(
            cx,
            format_args!("`#[{name}]` takes nothing but the context, by reference"),
            "write `cx: &Context`",
        ));
    }
    for more in args {
        problems.push(problem(
            more,
            format_args!("`#[{name}]` takes nothing but the context"),
            "remove this argument; what a hook needs is in `self`",
        ));
    }
    problems.result().map(|()| place)
}

/// Whether `ty` is `&Something`.
pub(super) fn is_shared_reference(ty: &Type) -> bool {
    match ty {
        Type::Reference(reference) => reference.mutability.is_none(),
        Type::Group(group) => is_shared_reference(&group.elem),
        Type::Paren(paren) => is_shared_reference(&paren.elem),
        _ => false,
    }
}

/// An argument other than `self`.
pub(super) fn typed(arg: &FnArg) -> Option<&PatType> {
    match arg {
        FnArg::Typed(typed) => Some(typed),
        FnArg::Receiver(_) => None,
    }
}
