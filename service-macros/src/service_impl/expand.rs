//! The code that an impl block with `#[service]` stands for.
//!
//! Hooks are called by path: `self.start(cx)` would find `Service::start` before the author's
//! method of that name, and call itself for ever.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::ext::IdentExt;

use super::model::{Hook, Init, InitArg, Model, Periodic, Schedule};
use crate::{args::duration_tokens, markers::Kind, rpc};

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
    let periodics = periodic_names(model);
    let routes = model.hooks(Kind::Routes).map(|hook| {
        let cfgs = &hook.cfgs;
        quote!(#(#cfgs)* const ROUTES: bool = true;)
    });
    let start = start(model);
    let stops = model.hooks(Kind::Stop).map(|hook| single(hook, "stop"));
    let readies = model.hooks(Kind::Ready).map(|hook| single(hook, "ready"));
    let stoppeds = model
        .hooks(Kind::Stopped)
        .map(|hook| single(hook, "stopped"));
    let resets = model.hooks(Kind::Reset).map(|hook| single(hook, "reset"));
    let healths = model.hooks(Kind::Health).map(health);
    let client = rpc::own_client(self_ty, cfgs, &model.served);
    let fits = rpc::fits(&model.served, generics, self_ty, cfgs);
    quote! {
        #(#cfgs)*
        impl #impl_generics ::service_runtime::__rt::Hooks for #self_ty #where_clause {
            #(#inits)*
            #(#routes)*
            #periodics
        }
        #(#cfgs)*
        impl #impl_generics ::service_runtime::Service for #self_ty #where_clause {
            fn description(&self) -> ::service_runtime::Description {
                ::service_runtime::__rt::description::<Self>()
            }
            #start
            #(#readies)*
            #(#resets)*
            #(#stops)*
            #(#stoppeds)*
            #(#healths)*
        }
        #(#fits)*
        #client
    }
}

fn init(init: &Init) -> TokenStream {
    let cfgs = &init.cfgs;
    let args = init.args.iter().map(|arg| match arg {
        InitArg::Config(_) => quote!(config),
        InitArg::Context(place) => place.put(quote!(&cx)),
    });
    let call = call(&init.method, init.is_async, quote!(#(#args),*));
    let body = init.output.put(quote!(async move { #call }));
    let cx = init
        .args
        .iter()
        .any(|arg| matches!(arg, InitArg::Context(_)));
    let cx = if cx { quote!(cx) } else { quote!(_) };
    let (build, section) = match init.config() {
        None => {
            let build = quote!(::service_runtime::__rt::init(|#cx| #body));
            (init.output.put(build), None)
        }
        Some(ty) => (
            init.output
                .put(quote!(::service_runtime::__rt::init_from(|config: #ty, #cx| #body))),
            Some(quote! {
                #(#cfgs)*
                const SECTION: ::core::option::Option<::service_runtime::__rt::InitSection> =
                    ::core::option::Option::Some(::service_runtime::__rt::section::<#ty>());
            }),
        ),
    };
    quote! {
        #(#cfgs)*
        fn init() -> ::core::option::Option<::service_runtime::__rt::Init<Self>> {
            ::core::option::Option::Some(#build)
        }
        #section
    }
}

/// The names under which the configuration may change periodic tasks.
fn periodic_names(model: &Model) -> Option<TokenStream> {
    let names: Vec<_> = model
        .periodics
        .iter()
        .map(|periodic| {
            let (cfgs, name) = (&periodic.hook.cfgs, &periodic.name);
            quote!(#(#cfgs)* #name)
        })
        .collect();
    (!names.is_empty()).then(|| quote!(const PERIODICS: &'static [&'static str] = &[#(#names),*];))
}

fn start(model: &Model) -> Option<TokenStream> {
    let starts = model.hooks(Kind::Start).map(|hook| {
        let (cfgs, call) = (&hook.cfgs, borrowed(hook));
        quote!(#(#cfgs)* #call?;)
    });
    let routes = model.hooks(Kind::Routes).map(|hook| {
        let (cfgs, name) = (&hook.cfgs, name(hook));
        let cx = hook.cx.map(|place| place.put(quote!(cx)));
        let cx = cx.map(|cx| quote!(, #cx));
        let this = if hook.owns {
            quote!(this)
        } else {
            quote!(&this)
        };
        let body = call(&hook.method, false, quote!(#this #cx));
        let routes = quote!(::service_runtime::__rt::routes(cx, #name, self, |this| #body).await);
        let routes = hook.output.put(routes);
        quote!(#(#cfgs)* #routes?;)
    });
    let runs = model.hooks(Kind::Run).map(|hook| {
        let (cfgs, name, task) = (&hook.cfgs, name(hook), task(hook));
        let run = quote!(::service_runtime::__rt::run(cx, #name, self, #task));
        let run = hook.output.put(run);
        quote!(#(#cfgs)* #run?;)
    });
    let periodics = model.periodics.iter().map(periodic);
    let rpc = rpc::methods(&model.served);
    let calls: Vec<_> = starts
        .chain(routes)
        .chain(rpc)
        .chain(runs)
        .chain(periodics)
        .collect();
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
    let call = quote!(::service_runtime::__rt::health(cx, #name, #body).await);
    let call = hook.output.put(call);
    quote! {
        #(#cfgs)*
        async fn health(
            self: &::std::sync::Arc<Self>,
            cx: &::service_runtime::Context,
        ) -> ::service_runtime::Health {
            #call
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
    let call = hook.output.put(quote! {
        ::service_runtime::__rt::periodic(
            cx,
            ::service_runtime::__rt::PeriodicHook::#schedule
                #immediately #jitter #enabled #on_error #scope,
            #name,
            self,
            #task,
        )
    });
    quote!(#(#cfgs)* #call?;)
}

/// A hook that is called now, on what is borrowed.
fn borrowed(hook: &Hook) -> TokenStream {
    let (name, body) = (name(hook), borrowing(hook));
    let call = quote!(::service_runtime::__rt::hook(cx, #name, #body).await);
    hook.output.put(call)
}

fn borrowing(hook: &Hook) -> TokenStream {
    let cx = hook.cx.map(|place| place.put(quote!(cx)));
    let cx = cx.map(|cx| quote!(, #cx));
    let call = call(&hook.method, hook.is_async, quote!(self #cx));
    hook.output.put(quote!(async { #call }))
}

/// A hook that becomes a task, with a share of the service.
fn task(hook: &Hook) -> TokenStream {
    let param = if hook.cx.is_some() {
        quote!(cx)
    } else {
        quote!(_)
    };
    let cx = hook.cx.map(|place| place.put(quote!(&cx)));
    let cx = cx.map(|cx| quote!(, #cx));
    let call = call(&hook.method, hook.is_async, quote!(&this #cx));
    let body = hook.output.put(quote!(async move { #call }));
    quote!(|this, #param| #body)
}

fn call(method: &Ident, is_async: bool, args: TokenStream) -> TokenStream {
    let wait = is_async.then(|| quote!(.await));
    quote!(Self::#method(#args)#wait)
}

fn name(hook: &Hook) -> String {
    hook.method.unraw().to_string()
}
