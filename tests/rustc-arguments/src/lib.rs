//! Tells a test how it was compiled, so that it can compile more of the same.
//!
//! A procedural macro runs inside the compiler, and the compiler's arguments are those of its process.
//! Nothing else knows which build of a dependency a test is linked with: there can be several in the
//! target folder, one for each set of features.

use std::env;

use proc_macro::{Delimiter, Group, Literal, Punct, Spacing, TokenStream, TokenTree};

/// The arguments of the compiler that say where dependencies are, as a list of strings.
#[proc_macro]
pub fn dependencies(_input: TokenStream) -> TokenStream {
    let mut list = TokenStream::new();
    let mut args = env::args();
    while let Some(arg) = args.next() {
        if !matches!(&arg[..], "--extern" | "-L") {
            continue;
        }
        for word in [Some(arg), args.next()].into_iter().flatten() {
            list.extend([
                TokenTree::from(Literal::string(&word)),
                Punct::new(',', Spacing::Alone).into(),
            ]);
        }
    }
    TokenTree::from(Group::new(Delimiter::Bracket, list)).into()
}
