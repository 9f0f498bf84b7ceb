//! Where in the author's code generated code claims to stand.
//!
//! What the compiler finds wrong with generated code is then shown on what the author wrote. One
//! place is one token: an error that the compiler finds at several tokens of one place, it reports
//! once.

use proc_macro2::{Span, TokenStream};
use syn::{Ident, ReturnType, Signature, Type, spanned::Spanned};

/// A token that the author wrote.
#[derive(Clone, Copy)]
pub(crate) struct Place(Span);

impl Place {
    /// The place of a name.
    pub(crate) fn of_name(name: &Ident) -> Self {
        Self(name.span())
    }

    /// The place of a type: its own name, behind modules and references.
    pub(crate) fn of_type(ty: &Type) -> Self {
        match ty {
            Type::Reference(reference) => Self::of_type(&reference.elem),
            Type::Group(group) => Self::of_type(&group.elem),
            Type::Path(path) => match path.path.segments.last() {
                Some(last) => Self::of_name(&last.ident),
                None => Self(ty.span()),
            },
            other => Self(other.span()),
        }
    }

    /// The place of what a function returns, or of its name if that is nothing.
    pub(crate) fn of_output(sig: &Signature) -> Self {
        match &sig.output {
            ReturnType::Type(_, ty) => Self::of_type(ty),
            ReturnType::Default => Self::of_name(&sig.ident),
        }
    }

    /// Puts generated code here. Names in it are still the macro's, not the author's.
    pub(crate) fn put(self, generated: TokenStream) -> TokenStream {
        let span = Span::call_site().located_at(self.0);
        let tokens = generated.into_iter().map(|mut token| {
            token.set_span(span);
            token
        });
        tokens.collect()
    }
}
