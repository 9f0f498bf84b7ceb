//! The code that an impl block with `#[service]` stands for.
//!
//! Hooks are called by path: `self.start(cx)` would find `Service::start` before the author's
//! method of that name, and call itself for ever.

use proc_macro2::{Group, Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;

use super::model::{Hook, Init, InitArg, Model, Output, Periodic, Schedule};
use crate::{args::duration_tokens, markers::Kind};

/// Writes `impl Hooks` and `impl Service`.
pub(super) fn expand(model: &Model) -> TokenStream {
    let Model {
        generics,
        self_ty,
        cfgs,
        inits,
        ..
    } = model;
    let (impl_generics, _, where_clause) = generics.split_for_impl();
    let inits = inits.iter().map(init);
    let start = start(model);
    let stops = model.hooks(Kind::Stop).map(|hook| single(hook, "stop"));
    let resets = model.hooks(Kind::Reset).map(|hook| single(hook, "reset"));
    let healths = model.hooks(Kind::Health).map(health);
    quote! {
        #(#cfgs)*
        impl #impl_generics ::service_runtime::__rt::Hooks for #self_ty #where_clause {
            #(#inits)*
        }
        #(#cfgs)*
        impl #impl_generics ::service_runtime::Service for #self_ty #where_clause {
            fn description(&self) -> ::service_runtime::Description {
                ::service_runtime::__rt::description::<Self>()
            }
            #start
            #(#resets)*
            #(#stops)*
            #(#healths)*
        }
    }
}

fn init(init: &Init) -> TokenStream {
    let cfgs = &init.cfgs;
    let args = init.args.iter().map(|arg| match arg {
        InitArg::Config(_) => quote!(config),
        InitArg::Context(place) => {
            let cx = cx(*place);
            quote!(&#cx)
        }
    });
    let call = call(&init.method, init.is_async, quote!(#(#args),*));
    let body = block(init.output, call);
    let cx = init
        .args
        .iter()
        .any(|arg| matches!(arg, InitArg::Context(_)));
    let cx = if cx { quote!(cx) } else { quote!(_) };
    let (build, section) = match init.config() {
        None => (quote!(::service_runtime::__rt::init(|#cx| #body)), None),
        Some(ty) => (
            quote!(::service_runtime::__rt::init_from(|config: #ty, #cx| #body)),
            Some(quote! {
                #(#cfgs)*
                const SECTION: ::core::option::Option<::service_runtime::__rt::Section> =
                    ::core::option::Option::Some(::service_runtime::__rt::section::<#ty>());
            }),
        ),
    };
    quote! {
        #(#cfgs)*
        const INIT: ::core::option::Option<::service_runtime::__rt::Init<Self>> =
            ::core::option::Option::Some(#build);
        #section
    }
}

fn start(model: &Model) -> Option<TokenStream> {
    let starts = model.hooks(Kind::Start).map(|hook| {
        let (cfgs, call) = (&hook.cfgs, borrowed(hook));
        quote!(#(#cfgs)* #call?;)
    });
    let runs = model.hooks(Kind::Run).map(|hook| {
        let (cfgs, name, task) = (&hook.cfgs, name(hook), task(hook));
        quote!(#(#cfgs)* ::service_runtime::__rt::run(cx, #name, self, #task)?;)
    });
    let periodics = model.periodics.iter().map(periodic);
    let calls: Vec<_> = starts.chain(runs).chain(periodics).collect();
    (!calls.is_empty()).then(|| {
        quote! {
            async fn start(
                self: &::std::sync::Arc<Self>,
                cx: &::service_runtime::Context,
            ) -> ::service_runtime::__rt::Result {
                #(#calls)*
                ::core::result::Result::Ok(())
            }
        }
    })
}

fn single(hook: &Hook, method: &str) -> TokenStream {
    let cfgs = &hook.cfgs;
    let method = Ident::new(method, Span::call_site());
    let call = borrowed(hook);
    quote! {
        #(#cfgs)*
        async fn #method(
            self: &::std::sync::Arc<Self>,
            cx: &::service_runtime::Context,
        ) -> ::service_runtime::__rt::Result {
            #call
        }
    }
}

fn health(hook: &Hook) -> TokenStream {
    let (cfgs, name) = (&hook.cfgs, name(hook));
    let body = borrowing(hook);
    quote! {
        #(#cfgs)*
        async fn health(
            self: &::std::sync::Arc<Self>,
            cx: &::service_runtime::Context,
        ) -> ::service_runtime::Health {
            ::service_runtime::__rt::health(cx, #name, #body).await
        }
    }
}

fn periodic(periodic: &Periodic) -> TokenStream {
    let Periodic { hook, name, .. } = periodic;
    let (cfgs, task) = (&hook.cfgs, task(hook));
    let schedule = match &periodic.schedule {
        Schedule::Every(every) => {
            let every = duration_tokens(*every);
            quote!(every(#every))
        }
        Schedule::Cron { line, tz: None } => quote!(cron(#line, ::core::option::Option::None)),
        Schedule::Cron { line, tz } => quote!(cron(#line, ::core::option::Option::Some(#tz))),
    };
    let immediately = &periodic.immediately;
    let immediately = immediately.map(|immediately| quote!(.immediately(#immediately)));
    let jitter = periodic.jitter.map(duration_tokens);
    let jitter = jitter.map(|jitter| quote!(.jitter(#jitter)));
    let enabled = periodic.enabled.map(|enabled| quote!(.enabled(#enabled)));
    let on_error = &periodic.on_error;
    let on_error = on_error.map(|on_error| quote!(.on_error(#on_error)));
    let scope = periodic.scope.map(|scope| quote!(.scope(#scope)));
    quote! {
        #(#cfgs)*
        ::service_runtime::__rt::periodic(
            cx,
            ::service_runtime::__rt::Periodic::#schedule
                #immediately #jitter #enabled #on_error #scope,
            #name,
            self,
            #task,
        )?;
    }
}

/// A hook that is called now, on what is borrowed.
fn borrowed(hook: &Hook) -> TokenStream {
    let (name, body) = (name(hook), borrowing(hook));
    quote!(::service_runtime::__rt::hook(cx, #name, #body).await)
}

fn borrowing(hook: &Hook) -> TokenStream {
    let cx = hook.cx.map(cx).map(|cx| quote!(, #cx));
    let call = call(&hook.method, hook.is_async, quote!(self #cx));
    without_move(hook.output, call)
}

/// A hook that becomes a task, with a share of the service.
fn task(hook: &Hook) -> TokenStream {
    let param = if hook.cx.is_some() {
        quote!(cx)
    } else {
        quote!(_)
    };
    let cx = hook.cx.map(cx).map(|cx| quote!(, &#cx));
    let body = block(
        hook.output,
        call(&hook.method, hook.is_async, quote!(&this #cx)),
    );
    quote!(|this, #param| #body)
}

fn call(method: &Ident, is_async: bool, args: TokenStream) -> TokenStream {
    let wait = is_async.then(|| quote!(.await));
    quote!(Self::#method(#args)#wait)
}

fn name(hook: &Hook) -> String {
    hook.method.unraw().to_string()
}

/// The generated `cx`, blamed on the type of the author's argument.
fn cx(place: Span) -> Ident {
    Ident::new("cx", at(place))
}

/// `async move { … }`, blamed on a return type.
fn block(output: Output, call: TokenStream) -> TokenStream {
    let keywords = quote_spanned!(at(output.first)=> async move);
    let braces = braces(output, call);
    quote!(#keywords #braces)
}

/// `async { … }`, blamed on a return type.
fn without_move(output: Output, call: TokenStream) -> TokenStream {
    let keyword = quote_spanned!(at(output.first)=> async);
    let braces = braces(output, call);
    quote!(#keyword #braces)
}

fn braces(output: Output, call: TokenStream) -> Group {
    let mut braces = Group::new(proc_macro2::Delimiter::Brace, call);
    braces.set_span(at(output.last));
    braces
}

/// Generated code that an error message places at `place`. Names in it are still the macro's.
fn at(place: Span) -> Span {
    Span::call_site().located_at(place)
}
