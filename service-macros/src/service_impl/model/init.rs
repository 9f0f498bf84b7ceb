//! `#[init]`: the function that builds a service.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Attribute, GenericArgument, Ident, PathArguments, ReturnType, Signature, Type};

use super::{
    hook::{callable, is_shared_reference, typed},
    marked::Marked,
};
use crate::{
    markers::Kind,
    place::Place,
    problem::{Problems, problem},
};

const SHAPE: &str = "write `fn new(config: GreeterConfig, cx: &Context) -> Result<Self>`, \
                     or leave out what it does not need";

/// A function that can be called as `Self::method(config, cx)`.
pub(crate) struct Init {
    pub(crate) method: Ident,
    pub(crate) is_async: bool,
    pub(crate) args: Vec<InitArg>,
    pub(crate) cfgs: Vec<Attribute>,
    pub(crate) output: Place,
}

/// What `#[init]` can be given; each at most once.
pub(crate) enum InitArg {
    /// The service's section of the configuration.
    Config(Box<Type>),
    /// The context, and where its type stands.
    Context(Place),
}

impl Init {
    /// Checks the function with the marker.
    pub(super) fn new(
        marked: &Marked<'_>,
        self_ty: &Type,
        problems: &mut Problems,
    ) -> Option<Self> {
        let sig = marked.sig;
        let receiver = problems.keep(no_receiver(sig));
        let callable = problems.keep(callable(sig, Kind::Init));
        let args = problems.keep(args(sig));
        let output = problems.keep(output(sig, self_ty));
        let (Some(()), Some(()), Some(args), Some(())) = (receiver, callable, args, output) else {
            return None;
        };
        Some(Self {
            method: sig.ident.clone(),
            is_async: sig.asyncness.is_some(),
            args,
            cfgs: marked.cfgs.clone(),
            output: Place::of_output(sig),
        })
    }

    /// The type of the configuration, if it is wanted.
    pub(crate) fn config(&self) -> Option<&Type> {
        self.args.iter().find_map(|arg| match arg {
            InitArg::Config(ty) => Some(&**ty),
            InitArg::Context(_) => None,
        })
    }
}

fn no_receiver(sig: &Signature) -> syn::Result<()> {
    match sig.receiver() {
        None => Ok(()),
        Some(receiver) => Err(problem(
            receiver,
            "`#[init]` builds the service: there is no `self` yet",
            SHAPE,
        )),
    }
}

fn args(sig: &Signature) -> syn::Result<Vec<InitArg>> {
    let mut problems = Problems::default();
    let (mut config, mut context) = (false, false);
    let mut args = Vec::new();
    for arg in sig.inputs.iter().filter_map(typed) {
        if let Type::ImplTrait(ty) = &*arg.ty {
            problems.push(problem(ty, "`#[init]` is given one type, not any", SHAPE));
            continue;
        }
        let is_context = is_shared_reference(&arg.ty);
        let seen = if is_context {
            &mut context
        } else {
            &mut config
        };
        if *seen {
            let what = if is_context {
                "the context, by reference,"
            } else {
                "its configuration, by value,"
            };
            let wrong = format!("`#[init]` is given {what} once");
            problems.push(problem(arg, wrong, SHAPE));
            continue;
        }
        *seen = true;
        args.push(if is_context {
            InitArg::Context(Place::of_type(&arg.ty))
        } else {
            InitArg::Config(arg.ty.clone())
        });
    }
    problems.result().map(|()| args)
}

/// Refuses a return type in which the service cannot be; an alias is left to the compiler.
fn output(sig: &Signature, self_ty: &Type) -> syn::Result<()> {
    let ReturnType::Type(_, ty) = &sig.output else {
        return Err(problem(
            &sig.ident,
            format_args!(
                "`#[init]` builds the service, and `{}` returns nothing",
                sig.ident
            ),
            "write `-> Self` or `-> Result<Self>`",
        ));
    };
    if names_service(ty.to_token_stream(), self_ty) || may_be_alias(ty) {
        return Ok(());
    }
    Err(problem(
        ty,
        "`#[init]` builds the service, and this is another type",
        "write `-> Self` or `-> Result<Self>`",
    ))
}

fn names_service(output: TokenStream, self_ty: &Type) -> bool {
    let service = match self_ty {
        Type::Path(path) => path.path.segments.last().map(|last| &last.ident),
        _ => None,
    };
    output.into_iter().any(|token| match token {
        TokenTree::Ident(word) => word == "Self" || Some(&word) == service,
        TokenTree::Group(group) => names_service(group.stream(), self_ty),
        _ => false,
    })
}

fn may_be_alias(ty: &Type) -> bool {
    const PLAIN: [&str; 17] = [
        "bool", "char", "f32", "f64", "i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16",
        "u32", "u64", "u128", "usize", "String",
    ];
    let Type::Path(path) = ty else {
        return false;
    };
    let Some(last) = path.path.segments.last() else {
        return false;
    };
    match &last.arguments {
        PathArguments::None => !PLAIN.iter().any(|plain| last.ident == plain),
        PathArguments::AngleBracketed(args) => args.args.iter().any(|arg| match arg {
            GenericArgument::Type(ty) => may_be_alias(ty),
            _ => false,
        }),
        PathArguments::Parenthesized(_) => false,
    }
}
