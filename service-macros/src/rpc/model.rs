//! What an `#[rpc]` method is, once every rule holds.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::{
    Attribute, FnArg, Generics, Ident, LitStr, Meta, Pat, PatType, Path, ReturnType, Signature,
    Type, Visibility, ext::IdentExt,
};

use super::version::version;
use crate::{
    args::{self, Args, Key},
    place::Place,
    problem::{Problems, problem},
};

const KEYS: &[Key] = &[
    Key::new("since", r#"since = "1.2""#),
    Key::new("cast", "cast"),
    Key::new("namespace", r#"namespace = "admin""#),
    Key::new("idempotent", "idempotent"),
    Key::new("interface", "interface = ComputeApi"),
];

/// A method that other services can call.
pub(crate) struct Rpc {
    pub(super) method: Ident,
    pub(super) vis: Visibility,
    pub(super) docs: Vec<Attribute>,
    pub(super) cfgs: Vec<Attribute>,
    pub(super) is_async: bool,
    pub(super) params: Vec<Param>,
    pub(super) since: Option<(u32, u32)>,
    pub(super) namespace: Option<LitStr>,
    pub(super) cast: bool,
    /// Whether it may run twice, so that a client sends it again.
    pub(super) idempotent: bool,
    /// The interface that it belongs to, if the method says so.
    pub(super) interface: Option<Path>,
    pub(super) returns: Returns,
    /// What to blame for a wrong return type.
    pub(super) output: Place,
}

/// What a method takes behind `&self`.
pub(super) enum Param {
    /// `call: &Call`.
    Call(Place),
    /// `cx: &Context`.
    Context(Place),
    /// What the caller sends.
    Argument(Box<Argument>),
}

/// An argument that a caller sends.
pub(super) struct Argument {
    pub(super) name: Ident,
    pub(super) ty: Type,
    /// Whether it may be left out: `#[serde(default)]`.
    pub(super) optional: bool,
}

/// What a method returns, by how it is written.
pub(super) enum Returns {
    Nothing,
    Value(Type),
    /// A `Result` of anything.
    Result(Type),
}

impl Rpc {
    /// Checks a method with the marker; its receiver and its like have been checked.
    pub(crate) fn new(
        marker: &Meta,
        (vis, sig, attrs): (&Visibility, &Signature, &[Attribute]),
        cfgs: &[Attribute],
        problems: &mut Problems,
    ) -> Option<Self> {
        if !cfg!(feature = "rpc") {
            problems.push(problem(
                marker.path(),
                "`#[rpc]` needs the feature `rpc` of `service-runtime`",
                "write `service-runtime = { …, features = [\"rpc\"] }` in `Cargo.toml`",
            ));
            return None;
        }
        let written = problems.keep(arguments(marker)).unwrap_or_default();
        let written = args::parse(written, KEYS, problems);
        let mut args = Args::new("#[rpc]", KEYS, written, problems);
        let since = args.take("since");
        let since = since.and_then(|given| problems.keep(version(&given)));
        let namespace = args.take("namespace");
        let namespace = namespace.and_then(|given| problems.keep(given.filled_text()));
        let mut boolean = |name| {
            let given = args.take(name);
            let given = given.and_then(|given| problems.keep(given.boolean()));
            given.unwrap_or(false)
        };
        let (cast, idempotent) = (boolean("cast"), boolean("idempotent"));
        let interface = args.take("interface");
        let interface = interface.and_then(|given| {
            let path = given
                .path()
                .map_err(|_| given.wrong_kind("the path of an interface"));
            problems.keep(path)
        });
        let params = problems.keep(params(sig));
        let returns = problems.keep(returns(sig, cast));
        let named = problems.keep(public_name(sig));
        named?;
        Some(Self {
            method: sig.ident.clone(),
            vis: vis.clone(),
            docs: docs(attrs),
            cfgs: cfgs.to_vec(),
            is_async: sig.asyncness.is_some(),
            params: params?,
            since,
            namespace,
            cast,
            idempotent,
            interface,
            returns: returns?,
            output: Place::of_output(sig),
        })
    }

    /// The name on the wire.
    pub(super) fn name(&self) -> String {
        self.method.unraw().to_string()
    }

    pub(super) fn arguments(&self) -> impl Iterator<Item = &Argument> {
        self.params.iter().filter_map(|param| match param {
            Param::Argument(argument) => Some(&**argument),
            _ => None,
        })
    }
}

/// Refuses a block in which no client can stand for the service.
pub(crate) fn check_methods(methods: &[Rpc], generics: &Generics) -> syn::Result<()> {
    let Some(param) = generics.params.first().filter(|_| !methods.is_empty()) else {
        return Ok(());
    };
    Err(problem(
        param,
        "a service with `#[rpc]` cannot be generic: its client would not know the type",
        "remove the parameter, or keep what differs behind a `Box<dyn …>`",
    ))
}

fn arguments(marker: &Meta) -> syn::Result<TokenStream> {
    match marker {
        Meta::List(list) => Ok(list.tokens.clone()),
        Meta::Path(_) => Ok(TokenStream::new()),
        other => Err(problem(
            other,
            "the arguments of `#[rpc]` stand in parentheses",
            r#"write `#[rpc(since = "1.2")]`"#,
        )),
    }
}

fn docs(attrs: &[Attribute]) -> Vec<Attribute> {
    let docs = attrs.iter().filter(|attr| attr.path().is_ident("doc"));
    docs.cloned().collect()
}

/// Refuses names that the client has for itself, or that no peer would call.
fn public_name(sig: &Signature) -> syn::Result<()> {
    const OWN: [&str; 5] = ["new", "on", "timeout", "context", "everywhere"];
    let name = sig.ident.unraw().to_string();
    let wrong = if OWN.contains(&name.as_str()) {
        format!("the client of the service has a `{name}` of its own")
    } else if name.starts_with('_') {
        "a method whose name begins with `_` cannot be called by others".to_owned()
    } else {
        return Ok(());
    };
    Err(problem(&sig.ident, wrong, "give the method another name"))
}

fn params(sig: &Signature) -> syn::Result<Vec<Param>> {
    let mut problems = Problems::default();
    let typed = sig.inputs.iter().filter_map(|arg| match arg {
        FnArg::Typed(typed) => Some(typed),
        FnArg::Receiver(_) => None,
    });
    let params: Vec<_> = typed
        .filter_map(|typed| problems.keep(param(typed)))
        .collect();
    problems.result().map(|()| params)
}

fn param(typed: &PatType) -> syn::Result<Param> {
    if let Type::Reference(reference) = &*typed.ty {
        let last = match &*reference.elem {
            Type::Path(path) => path.path.segments.last(),
            _ => None,
        };
        let place = Place::of_type(&typed.ty);
        return match last.map(|last| last.ident.to_string()).as_deref() {
            Some("Call") => Ok(Param::Call(place)),
            Some("Context") => Ok(Param::Context(place)),
            _ => Err(problem(
                &typed.ty,
                "an argument of `#[rpc]` comes from another process: there is nothing to borrow it from",
                "take it by value; by reference a method takes `call: &Call` and `cx: &Context` alone",
            )),
        };
    }
    if let Type::ImplTrait(ty) = &*typed.ty {
        return Err(problem(
            ty,
            "an argument of `#[rpc]` has one type, not any",
            "name the type",
        ));
    }
    no_self(&typed.ty)?;
    let Pat::Ident(pat) = &*typed.pat else {
        return Err(problem(
            &typed.pat,
            "an argument of `#[rpc]` is sent by its name, and this is none",
            "name it, and take it apart in the body",
        ));
    };
    let optional = serde_default(&typed.attrs)?;
    Ok(Param::Argument(Box::new(Argument {
        name: pat.ident.clone(),
        ty: (*typed.ty).clone(),
        optional,
    })))
}

/// Reads `#[serde(default)]`, the one attribute that an argument may have.
fn serde_default(attrs: &[Attribute]) -> syn::Result<bool> {
    let mut optional = false;
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("serde")) {
        let word: Option<Ident> = attr.parse_args().ok();
        if word.is_none_or(|word| word != "default") {
            return Err(problem(
                attr,
                "an argument of `#[rpc]` knows no other word of serde than `default`",
                "write `#[serde(default)]`, or put the rest on the argument's type",
            ));
        }
        optional = true;
    }
    Ok(optional)
}

fn returns(sig: &Signature, cast: bool) -> syn::Result<Returns> {
    let ReturnType::Type(_, ty) = &sig.output else {
        return Ok(Returns::Nothing);
    };
    no_self(ty)?;
    let last = match &**ty {
        Type::Path(path) => path.path.segments.last(),
        _ => None,
    };
    let is_result = last.is_some_and(|last| last.ident == "Result");
    if cast && !is_result {
        return Err(problem(
            ty,
            "nobody waits for what a cast returns",
            "remove the return type, or `cast`; `Result<()>` is fine, and its error is logged",
        ));
    }
    let ty = (**ty).clone();
    Ok(if is_result {
        Returns::Result(ty)
    } else {
        Returns::Value(ty)
    })
}

/// Refuses `Self`, which is another type in the client.
fn no_self(ty: &Type) -> syn::Result<()> {
    fn find(tokens: TokenStream) -> Option<Ident> {
        tokens.into_iter().find_map(|token| match token {
            TokenTree::Ident(word) if word == "Self" => Some(word),
            TokenTree::Group(group) => find(group.stream()),
            _ => None,
        })
    }
    match find(ty.to_token_stream()) {
        None => Ok(()),
        Some(word) => Err(problem(
            word,
            "`Self` is the service here, and it does not cross to another process",
            "name the type that is meant",
        )),
    }
}
