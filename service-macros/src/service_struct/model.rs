//! What a struct with `#[service]` is, once every rule holds.

use quote::ToTokens;
use syn::{Attribute, GenericParam, Generics, Ident, LitStr, Type, ext::IdentExt};

use super::parse::{KEYS, Parsed};
use crate::{
    args::{Args, Given, Variant, check_name, given_name},
    problem::{Problems, no_lifetime, problem},
    runtime_path::RuntimePath,
};

/// The name of the launcher's own table, which no service can have.
const RESERVED: &str = "launch";

const ON_ERROR: &[(&str, Variant)] = &[
    ("exit", Variant(&["OnError", "Exit"])),
    ("restart", Variant(&["OnError", "Restart"])),
    ("ignore", Variant(&["OnError", "Ignore"])),
];

/// A service's static description.
pub(super) struct Model {
    pub(super) ident: Ident,
    pub(super) generics: Generics,
    /// Conditions that hold for the struct and so for all that is generated.
    pub(super) cfgs: Vec<Attribute>,
    pub(super) name: String,
    pub(super) after: Vec<LitStr>,
    pub(super) config: Option<Type>,
    pub(super) on_error: Option<Variant>,
    pub(super) registered: bool,
    pub(super) runtime: RuntimePath,
}

impl Model {
    /// Checks every rule; what breaks one is left out.
    pub(super) fn new(parsed: Parsed, problems: &mut Problems) -> Self {
        let Parsed { args, item } = parsed;
        let mut args = Args::new("#[service]", KEYS, args, problems);
        for param in item.generics.lifetimes() {
            problems.push(no_lifetime(param));
        }
        let runtime = RuntimePath::new(args.take("crate").as_ref(), problems);
        let name = match args.take("name") {
            Some(given) => problems.keep(service_name(&given)),
            None => problems.keep(name_of(&item.ident)),
        };
        let name = name.unwrap_or_else(|| snake_case(&item.ident));
        let after = args.take("after");
        let after = after.map(|given| after_names(&given, &name, problems));
        let mut take = |name| args.take(name);
        let config = take("config").and_then(|given| problems.keep(given.ty()));
        let on_error = take("on_error").and_then(|given| problems.keep(given.choice(ON_ERROR)));
        let register = take("register").and_then(|given| problems.keep(given.boolean()));
        let mut params = item.generics.params.iter();
        let generic = params.any(|param| !matches!(param, GenericParam::Lifetime(_)));
        let cfgs = item
            .attrs
            .into_iter()
            .filter(|attr| attr.path().is_ident("cfg"));
        Self {
            ident: item.ident,
            cfgs: cfgs.collect(),
            name,
            after: after.unwrap_or_default(),
            config,
            on_error,
            registered: register.unwrap_or(true) && !generic && item.generics.params.is_empty(),
            generics: item.generics,
            runtime,
        }
    }
}

fn service_name(given: &Given) -> syn::Result<String> {
    let name = given_name(given)?;
    if name == RESERVED {
        return Err(given.wrong_value("`launch` is the launcher's own name"));
    }
    Ok(name)
}

fn name_of(ident: &Ident) -> syn::Result<String> {
    let name = snake_case(ident);
    let help = r#"name the service: `#[service(name = "…")]`"#;
    check_name(&name).map_err(|wrong| problem(ident, wrong, help))?;
    if name == RESERVED {
        return Err(problem(ident, "`launch` is the launcher's own name", help));
    }
    Ok(name)
}

fn after_names(given: &Given, own: &str, problems: &mut Problems) -> Vec<LitStr> {
    let mut names: Vec<LitStr> = Vec::new();
    for literal in problems.keep(given.texts()).unwrap_or_default() {
        let name = literal.value();
        let checked = if name == own {
            Err((format!("`{own}` cannot start after itself"), "remove it"))
        } else if names.iter().any(|known| known.value() == name) {
            Err((format!("`{name}` is given twice"), "keep one of the two"))
        } else if let Err(wrong) = check_name(&name) {
            let help = "write the name of a service, in lower-case letters, digits, `_` and `-`";
            Err((wrong, help))
        } else {
            Ok(())
        };
        match checked {
            Ok(()) => names.push(literal),
            Err((wrong, help)) => problems.push(problem(literal.into_token_stream(), wrong, help)),
        }
    }
    names
}

/// `HttpServer` as `http_server`, `HTTPServer` too.
fn snake_case(ident: &Ident) -> String {
    let ident = ident.unraw().to_string();
    let letters: Vec<char> = ident.trim_matches('_').chars().collect();
    let mut name = String::new();
    for (place, &letter) in letters.iter().enumerate() {
        let before = place.checked_sub(1).map(|place| letters[place]);
        let after = letters.get(place + 1);
        let starts_word = letter.is_uppercase()
            && before.is_some_and(|before| {
                let ends_acronym = after.is_some_and(|after| after.is_lowercase());
                before != '_' && (!before.is_uppercase() || ends_acronym)
            });
        if starts_word {
            name.push('_');
        }
        name.extend(letter.to_lowercase());
    }
    name
}

#[cfg(test)]
mod tests {
    use quote::format_ident;

    use super::snake_case;

    #[test]
    fn a_struct_names_its_service() {
        for (ident, name) in [
            ("Greeter", "greeter"),
            ("HttpServer", "http_server"),
            ("HTTPServer", "http_server"),
            ("Db2Mirror", "db2_mirror"),
            ("_Hidden", "hidden"),
            ("Rate_Limiter", "rate_limiter"),
            ("r#type", "type"),
        ] {
            assert_eq!(snake_case(&format_ident!("{ident}")), name);
        }
    }
}
