//! The markers of hooks: `#[init]`, `#[start]` and their like.
//!
//! `#[service]` on an impl block takes them away. One that is left stands where nobody reads it.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{Attribute, Meta, Path, Token, parse::Parser, punctuated::Punctuated};

use crate::{args::near_miss, problem::problem, runtime_path::RuntimePath};

/// What a marked method is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Builds the service.
    Init,
    /// Runs before the service counts as ready.
    Start,
    /// Gives the routes that the service serves.
    Routes,
    /// Can be called by other services.
    Rpc,
    /// Runs once all of the service serves.
    Ready,
    /// Runs once after start, as a task.
    Run,
    /// Runs when a stop begins.
    Stop,
    /// Runs when all work of the service has ended.
    Stopped,
    /// Runs on SIGHUP.
    Reset,
    /// Runs when somebody asks how it goes.
    Health,
    /// Runs again and again.
    Periodic,
}

impl Kind {
    /// All of them, in the order of a service's life.
    pub(crate) const ALL: [Self; 11] = [
        Self::Init,
        Self::Start,
        Self::Routes,
        Self::Rpc,
        Self::Ready,
        Self::Run,
        Self::Periodic,
        Self::Reset,
        Self::Stop,
        Self::Stopped,
        Self::Health,
    ];

    /// The marker's name.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Init => "init",
            Self::Start => "start",
            Self::Routes => "routes",
            Self::Rpc => "rpc",
            Self::Ready => "ready",
            Self::Run => "run",
            Self::Stop => "stop",
            Self::Stopped => "stopped",
            Self::Reset => "reset",
            Self::Health => "health",
            Self::Periodic => "periodic",
        }
    }

    /// The marker that a `cfg_attr` hides.
    pub(crate) fn hidden_in(attr: &Attribute, runtime: &RuntimePath) -> Option<Self> {
        let Meta::List(list) = &attr.meta else {
            return None;
        };
        let metas = Punctuated::<Meta, Token![,]>::parse_terminated;
        let metas = metas.parse2(list.tokens.clone()).ok()?;
        let hidden = metas
            .iter()
            .skip(1)
            .filter_map(|meta| own_name(meta.path(), runtime));
        let mut kinds = hidden.filter_map(|name| Self::named(&name));
        kinds.next().filter(|_| attr.path().is_ident("cfg_attr"))
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    fn meant_by(name: &str) -> Option<Self> {
        let words = name.strip_prefix("on_").unwrap_or(name);
        let exact = Self::named(words);
        exact.or_else(|| near_miss(words, Self::ALL.map(Self::name)).and_then(Self::named))
    }
}

/// A marker as it was written.
#[derive(Debug, Clone)]
pub(crate) struct Marker {
    /// What it marks the method as.
    pub(crate) kind: Kind,
    /// Whether it was spelt so, and not just nearly.
    pub(crate) exact: bool,
    /// The whole of it, without `#[` and `]`.
    pub(crate) meta: Meta,
}

impl Marker {
    /// Reads an attribute; `None` if it is somebody else's.
    pub(crate) fn read(attribute: &Attribute, runtime: &RuntimePath) -> Option<Self> {
        let name = own_name(attribute.path(), runtime)?;
        let meta = attribute.meta.clone();
        if let Some(kind) = Kind::named(&name) {
            let exact = true;
            return Some(Self { kind, exact, meta });
        }
        if BUILT_IN.contains(&name.as_str()) {
            return None;
        }
        let kind = Kind::meant_by(&name)?;
        let exact = false;
        Some(Self { kind, exact, meta })
    }

    /// The marker's name as it was written.
    pub(crate) fn path(&self) -> &Path {
        self.meta.path()
    }
}

/// Attributes of the language that look like a slip of a marker's name.
const BUILT_IN: [&str; 3] = ["test", "cold", "inline"];

/// The last word of `marker`, `service_runtime::marker` or `service_macros::marker`.
fn own_name(path: &Path, runtime: &RuntimePath) -> Option<String> {
    let last = path.segments.last()?.ident.to_string();
    (path.segments.len() == 1 || runtime.holds(path)).then_some(last)
}

/// What a marker expands to where no impl block took it away: an error, and the item.
pub(crate) fn astray(kind: Kind, item: &TokenStream) -> TokenStream {
    let name = kind.name();
    let error = problem(
        Marked(Span::call_site()),
        format_args!("`#[{name}]` belongs on a method of an impl block with `#[service]`"),
        "write `#[service]` above the `impl` block that this method is in",
    );
    let error = error.to_compile_error();
    quote!(#item #error)
}

/// Stands for the whole attribute in an error.
struct Marked(Span);

impl quote::ToTokens for Marked {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        tokens.extend(quote::quote_spanned!(self.0=> marker));
    }
}
