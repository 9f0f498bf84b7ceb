//! What was written: the block, its methods and their markers.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{
    Attribute, Expr, FnArg, ImplItem, ItemImpl, Path, Signature, Visibility,
    parse::{ParseStream, Parser, discouraged::Speculative},
};

use crate::{
    args::{self, Args, Given, Key, Written},
    body::body,
    markers::{Kind, Marker},
    problem::{Problems, problem},
    runtime_path::RuntimePath,
};

/// An impl block; its tokens are those that were written, without the markers.
pub(super) struct Block {
    /// All in front of the braces, as it was written.
    written: TokenStream,
    /// The same, read; its items are in `members`.
    pub(super) header: ItemImpl,
    braces: Group,
    inner: TokenStream,
    pub(super) members: Vec<Member>,
}

/// An item of the block.
pub(super) struct Member {
    pub(super) markers: Vec<Marker>,
    /// Markers inside a `cfg_attr`, where they cannot be.
    pub(super) hidden: Vec<(Attribute, Kind)>,
    /// The attributes that are somebody else's.
    pub(super) attrs: Vec<Attribute>,
    pub(super) kind: MemberKind,
}

/// What an item is; only methods can be hooks.
pub(super) enum MemberKind {
    Method {
        vis: Visibility,
        sig: Box<Signature>,
        body: Group,
    },
    Other(TokenStream),
}

/// What the attribute of the block says.
pub(super) struct BlockArgs {
    /// The interfaces that the service serves.
    pub(super) serves: Vec<Path>,
    pub(super) runtime: RuntimePath,
}

impl BlockArgs {
    /// Reads the arguments of the block.
    pub(super) fn new(args: &TokenStream, problems: &mut Problems) -> Self {
        const KEYS: &[Key] = &[Key::new("serves", "serves = ComputeApi"), Key::CRATE];
        let mut unread = Problems::default();
        let written = args::parse(args.clone(), KEYS, &mut unread);
        let is_known = |written: &Written| KEYS.iter().any(|key| written.name == key.name);
        if unread.count() > 0 || !written.iter().all(is_known) {
            problems.push(problem(
                args,
                "`#[service]` on an impl block takes no arguments but `serves` and `crate`",
                "move the others to the `#[service]` of the struct",
            ));
        }
        let written = written.into_iter().filter(is_known).collect();
        let mut args = Args::new("#[service]", KEYS, written, problems);
        let runtime = RuntimePath::new(args.take("crate").as_ref(), problems);
        let serves = args.take("serves");
        let serves = serves.and_then(|given| problems.keep(paths(&given)));
        Self {
            serves: serves.unwrap_or_default(),
            runtime,
        }
    }
}

/// Reads a path or a list of paths.
fn paths(given: &Given) -> syn::Result<Vec<Path>> {
    let path = |expr: &Expr| match args::bare(expr) {
        Expr::Path(path) => Ok(path.path.clone()),
        _ => Err(given.wrong_kind("a trait with `#[interface]`, or a list of them")),
    };
    match given.expr() {
        Some(Expr::Array(list)) => list.elems.iter().map(path).collect(),
        Some(one) => Ok(vec![path(one)?]),
        None => Err(given.wrong_kind("a trait with `#[interface]`, or a list of them")),
    }
}

impl Block {
    /// Reads an impl block.
    pub(super) fn new(item: TokenStream, runtime: &RuntimePath) -> syn::Result<Self> {
        let mut written: Vec<TokenTree> = item.into_iter().collect();
        let braces = match written.pop() {
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => group,
            last => {
                let tokens = last.into_token_stream();
                return Err(syn::Error::new_spanned(tokens, "expected `{`"));
            }
        };
        let written: TokenStream = written.into_iter().collect();
        let header = syn::parse2(quote!(#written {}))?;
        let content = |input: ParseStream<'_>| {
            let inner = Attribute::parse_inner(input)?;
            let mut members = Vec::new();
            while !input.is_empty() {
                members.push(Member::read(input, runtime)?);
            }
            Ok((quote!(#(#inner)*), members))
        };
        let (inner, members) = content.parse2(braces.stream())?;
        Ok(Self {
            written,
            header,
            braces,
            inner,
            members,
        })
    }
}

impl Member {
    /// The signature as it is emitted: the words for serde on arguments of `#[rpc]` have been read.
    fn signature(&self, sig: &Signature) -> Signature {
        let mut sig = sig.clone();
        if self.markers.iter().any(|marker| marker.kind == Kind::Rpc) {
            for arg in &mut sig.inputs {
                if let FnArg::Typed(typed) = arg {
                    typed.attrs.retain(|attr| !attr.path().is_ident("serde"));
                }
            }
        }
        sig
    }
}

impl ToTokens for Block {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let mut content = self.inner.clone();
        for member in &self.members {
            let attrs = &member.attrs;
            content.extend(quote!(#(#attrs)*));
            match &member.kind {
                MemberKind::Method { vis, sig, body } => {
                    let sig = member.signature(sig);
                    content.extend(quote!(#vis #sig #body));
                }
                MemberKind::Other(item) => content.extend(item.clone()),
            }
        }
        let mut braces = Group::new(Delimiter::Brace, content);
        braces.set_span(self.braces.span());
        self.written.to_tokens(tokens);
        braces.to_tokens(tokens);
    }
}

impl Member {
    fn read(input: ParseStream<'_>, runtime: &RuntimePath) -> syn::Result<Self> {
        let (mut markers, mut hidden, mut attrs) = (Vec::new(), Vec::new(), Vec::new());
        for attr in Attribute::parse_outer(input)? {
            if let Some(marker) = Marker::read(&attr, runtime) {
                markers.push(marker);
            } else if let Some(kind) = Kind::hidden_in(&attr, runtime) {
                hidden.push((attr, kind));
            } else {
                attrs.push(attr);
            }
        }
        let ahead = input.fork();
        let kind = if let Ok(method) = method(&ahead) {
            input.advance_to(&ahead);
            method
        } else {
            MemberKind::Other(input.parse::<ImplItem>()?.into_token_stream())
        };
        Ok(Self {
            markers,
            hidden,
            attrs,
            kind,
        })
    }
}

fn method(input: ParseStream<'_>) -> syn::Result<MemberKind> {
    let vis = input.parse()?;
    let sig = input.parse()?;
    let body = body(input)?;
    Ok(MemberKind::Method { vis, sig, body })
}
