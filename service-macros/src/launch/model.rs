//! What a launch is, once every rule holds.

use std::{num::NonZeroUsize, time::Duration};

use quote::ToTokens;
use syn::{
    Expr, FnArg, GenericArgument, Ident, LitStr, Path, PathArguments, ReturnType, Safety, Type,
};

use super::{
    keys::{Kind, ResourceLimit, SETTINGS, resource_limit, restart_limit, size, umask},
    parse::{Function, keys},
};
use crate::{
    args::{Args, Given, Variant, Written, bare},
    problem::{Problems, problem},
    runtime_path::RuntimePath,
};

/// A launch.
pub(super) struct Model {
    pub(super) launcher: Launcher,
    /// Settings by their names, in the order in which they were written.
    pub(super) settings: Vec<(Ident, Value)>,
    pub(super) crates: Vec<Ident>,
    /// What `main` returns, type by type, if that is a tuple.
    pub(super) parts: Vec<Type>,
    pub(super) runtime: RuntimePath,
}

/// Which launcher runs the services.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Launcher {
    /// This process: one worker.
    Service,
    /// Forked workers: more than one.
    Process,
    /// Whatever the number at start asks for.
    Any,
}

/// A value that is passed to a builder method.
pub(super) enum Value {
    Usize(NonZeroUsize),
    U64(u64),
    Bool(bool),
    /// In bytes.
    Size(u64),
    Mask(u32),
    Duration(Duration),
    RestartLimit(usize, Duration),
    ResourceLimit(ResourceLimit),
    Text(LitStr),
    Texts(Vec<LitStr>),
    Variant(Variant),
    Function(Path),
    Expr(Box<Expr>),
    /// A call without a value: the setting's name has said it.
    Nothing,
}

impl Model {
    /// Checks every rule; a setting that breaks one is left out. `None` if `main` cannot be called.
    pub(super) fn new(
        written: Vec<Written>,
        function: &Function,
        problems: &mut Problems,
    ) -> Option<Self> {
        let mut args = Args::new("#[launch]", &keys(), written, problems);
        let runtime = RuntimePath::new(args.take("crate").as_ref(), problems);
        let mut model = Self {
            launcher: Launcher::Any,
            settings: Vec::new(),
            crates: Vec::new(),
            parts: parts(function),
            runtime,
        };
        for given in args.rest() {
            problems.keep(model.set(&given));
        }
        problems.keep(check_main(function)).map(|()| model)
    }

    fn set(&mut self, given: &Given) -> syn::Result<()> {
        let mut settings = SETTINGS.iter();
        let Some(setting) = settings.find(|setting| setting.key.name == given.key.name) else {
            return Ok(());
        };
        let value = match setting.kind {
            Kind::Workers if is_auto(given) => {
                let name = Ident::new("workers_auto", given.name.span());
                self.settings.push((name, Value::Nothing));
                return Ok(());
            }
            Kind::Workers => self.workers(given)?,
            Kind::Count => Value::Usize(count(given)?),
            Kind::Number => {
                let number = given.number()?;
                Value::U64(number.ok_or_else(|| given.wrong_kind("a whole number"))?)
            }
            Kind::Bool => Value::Bool(given.boolean()?),
            Kind::Duration => Value::Duration(given.duration()?),
            Kind::Timeout(least) => Value::Duration(timeout(given, least)?),
            Kind::Text => Value::Text(given.filled_text()?),
            Kind::RestartLimit => {
                let limit = restart_limit(&given.text()?.value());
                let (deaths, window) = limit.map_err(|wrong| given.wrong_value(wrong))?;
                Value::RestartLimit(deaths, window)
            }
            Kind::Size => {
                let text = given.text()?;
                Value::Size(size(&text.value()).map_err(|wrong| given.wrong_value(wrong))?)
            }
            Kind::Mask => {
                let text = given.text()?;
                Value::Mask(umask(&text.value()).map_err(|wrong| given.wrong_value(wrong))?)
            }
            Kind::ResourceLimit => Value::ResourceLimit(limit_of_the_system(given)?),
            Kind::Texts => Value::Texts(texts(given)?),
            Kind::Choice(choices) => Value::Variant(given.choice(choices)?),
            Kind::Function => Value::Function(given.path()?),
            Kind::Crates => {
                self.crates = crates(given)?;
                return Ok(());
            }
        };
        self.settings.push((given.name.clone(), value));
        Ok(())
    }

    fn workers(&mut self, given: &Given) -> syn::Result<Value> {
        let Some(number) = given.number::<usize>()? else {
            let expr = given.expr().cloned().map(Box::new);
            return Ok(Value::Expr(
                expr.ok_or_else(|| given.wrong_kind("a whole number"))?,
            ));
        };
        let Some(number) = NonZeroUsize::new(number) else {
            return Err(given.problem(
                "`workers` must be at least 1",
                "leave `workers` out to serve from this process alone",
            ));
        };
        self.launcher = match number.get() {
            1 => Launcher::Service,
            _ => Launcher::Process,
        };
        Ok(Value::Usize(number))
    }
}

/// `"auto"`: as many as there are processors, which only the start knows.
fn is_auto(given: &Given) -> bool {
    given.text().is_ok_and(|text| text.value() == "auto")
}

fn timeout(given: &Given, least: Duration) -> syn::Result<Duration> {
    let duration = given.duration()?;
    if !duration.is_zero() && duration < least {
        let least = humantime::format_duration(least);
        return Err(given.problem(
            format_args!("`{}` must be at least `{least}`", given.key.name),
            format_args!(
                "write `{}`, or `{} = \"0s\"` for no limit",
                given.key.example, given.key.name
            ),
        ));
    }
    Ok(duration)
}

fn limit_of_the_system(given: &Given) -> syn::Result<ResourceLimit> {
    let Ok(text) = given.text() else {
        let number = given.number()?;
        let number = number.ok_or_else(|| given.wrong_kind("a whole number or a string"))?;
        return Ok((Some(number), Some(number)));
    };
    resource_limit(&text.value()).map_err(|wrong| given.wrong_value(wrong))
}

fn texts(given: &Given) -> syn::Result<Vec<LitStr>> {
    let texts = given.texts()?;
    let first = texts.first().map(LitStr::value).unwrap_or_default();
    if first.trim().is_empty() {
        return Err(given.wrong_value(format_args!("`{}` names no program", given.key.name)));
    }
    Ok(texts)
}

fn count(given: &Given) -> syn::Result<NonZeroUsize> {
    let number = given.number::<usize>()?;
    let number = number.ok_or_else(|| given.wrong_kind("a whole number"))?;
    let positive = NonZeroUsize::new(number);
    positive.ok_or_else(|| given.wrong_value(format_args!("`{}` must be at least 1", given.name)))
}

fn crates(given: &Given) -> syn::Result<Vec<Ident>> {
    let Some(Expr::Array(list)) = given.expr() else {
        return Err(given.wrong_kind("a list of crates"));
    };
    let mut problems = Problems::default();
    let mut crates = Vec::new();
    for element in &list.elems {
        let name = match bare(element) {
            Expr::Path(path) => path.path.get_ident(),
            _ => None,
        };
        match name {
            Some(name) => crates.push(name.clone()),
            None => problems.push(problem(
                element,
                "`crates` takes names of crates",
                format_args!("write them without quotes: `{}`", given.key.example),
            )),
        }
    }
    problems.result().map(|()| crates)
}

/// The elements of the tuple that `main` returns, also those inside a `Result` or a `Vec`.
///
/// The compiler calls the tuple as a whole no service, because it could be a service itself.
fn parts(function: &Function) -> Vec<Type> {
    fn elements(ty: &Type, all: &mut Vec<Type>) -> bool {
        match ty {
            Type::Group(group) => elements(&group.elem, all),
            Type::Paren(paren) => elements(&paren.elem, all),
            Type::Tuple(tuple) => {
                for ty in &tuple.elems {
                    if !elements(ty, all) {
                        all.push(ty.clone());
                    }
                }
                true
            }
            Type::Path(path) => match path
                .path
                .segments
                .last()
                .map(|last| (&last.ident, &last.arguments))
            {
                Some((name, PathArguments::AngleBracketed(args)))
                    if name == "Result" || name == "Vec" =>
                {
                    matches!(args.args.first(), Some(GenericArgument::Type(ty)) if elements(ty, all))
                }
                _ => false,
            },
            _ => false,
        }
    }
    let mut all = Vec::new();
    if let ReturnType::Type(_, ty) = &function.sig.output {
        elements(ty, &mut all);
    }
    all
}

fn check_main(function: &Function) -> syn::Result<()> {
    let sig = &function.sig;
    let mut problems = Problems::default();
    if sig.ident != "main" {
        problems.push(problem(
            &sig.ident,
            format_args!("`#[launch]` stands on `main`, and this is `{}`", sig.ident),
            "move it to `fn main`, or call `service_runtime::launch` by hand",
        ));
    }
    let mut refuse = |token: &dyn ToTokens, word: &str| {
        problems.push(problem(
            token.to_token_stream(),
            format_args!("`main` cannot be `{word}`"),
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
    if !sig.generics.params.is_empty() {
        problems.push(problem(
            &sig.generics,
            "`main` cannot be generic: nobody would choose the type",
            "write `fn main()`",
        ));
    }
    if let Some(where_clause) = &sig.generics.where_clause {
        problems.push(problem(
            where_clause,
            "`main` cannot have a `where` clause",
            "remove it",
        ));
    }
    let arguments = sig.inputs.iter();
    for argument in arguments
        .clone()
        .filter(|arg| matches!(arg, FnArg::Receiver(_)))
    {
        problems.push(problem(argument, "`main` has no `self`", "remove it"));
    }
    let takes_setup = arguments.clone().next().is_some_and(
        |first| matches!(first, FnArg::Typed(first) if matches!(&*first.ty, Type::Reference(_))),
    );
    for more in arguments.skip(1 + usize::from(takes_setup)) {
        problems.push(problem(
            more,
            "`main` takes two arguments: `&Setup`, and behind it the program's own flags",
            "put all flags into one struct that derives `clap::Args`",
        ));
    }
    problems.result()
}
