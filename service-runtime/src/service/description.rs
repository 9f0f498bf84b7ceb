//! What is known of a service before it runs.

use std::any::type_name;
use std::borrow::Cow;

/// The name of a service, what it needs and what its failure means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    name: Cow<'static, str>,
    after: Vec<Cow<'static, str>>,
    on_error: OnError,
}

/// What the failure of a running service means: an error or panic of one of its tasks or hooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum OnError {
    /// Everything is stopped, and the program exits with code 1.
    #[default]
    Exit,
    /// The service is stopped and started again, with growing delay; when it keeps failing, as
    /// `Exit`.
    Restart,
    /// The service is stopped, the others go on.
    Ignore,
}

impl Description {
    /// Describes a service by its name alone.
    pub fn new(name: impl Into<Cow<'static, str>>) -> Self {
        Self {
            name: name.into(),
            after: Vec::new(),
            on_error: OnError::default(),
        }
    }

    /// Describes a service by the name of its type, in snake case, without its module.
    pub fn of<S>() -> Self {
        Self::new(snake_case(type_name::<S>()))
    }

    /// Starts the service after these, and stops it before them.
    #[must_use]
    pub fn after<N: Into<Cow<'static, str>>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.after.extend(names.into_iter().map(Into::into));
        self
    }

    /// Sets what a failure of the service means.
    #[must_use]
    pub fn on_error(mut self, on_error: OnError) -> Self {
        self.on_error = on_error;
        self
    }

    /// Starts the service without waiting for another.
    pub(crate) fn forget(&mut self, other: &str) {
        self.after.retain(|name| name != other);
    }

    /// Returns the name, which is also that of the service's configuration table.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the names of the services that have to be ready first.
    pub fn needs(&self) -> impl Iterator<Item = &str> {
        self.after.iter().map(AsRef::as_ref)
    }

    /// Returns what a failure of the service means.
    pub fn policy(&self) -> OnError {
        self.on_error
    }
}

/// `a::b::HttpApi<c::D>` becomes `http_api`.
fn snake_case(path: &str) -> String {
    let plain = path.split('<').next().unwrap_or(path);
    let ident = plain.rsplit("::").next().unwrap_or(plain);
    let mut name = String::with_capacity(ident.len() + 4);
    let mut previous = '_';
    let mut chars = ident.chars().peekable();
    while let Some(letter) = chars.next() {
        let begins_word = letter.is_uppercase()
            && previous != '_'
            && (!previous.is_uppercase() || chars.peek().is_some_and(|next| next.is_lowercase()));
        if begins_word {
            name.push('_');
        }
        name.extend(letter.to_lowercase());
        previous = letter;
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    struct HttpAPIServer<T>(T);

    #[test]
    fn a_service_is_named_after_its_type_in_snake_case() {
        assert_eq!(
            Description::of::<HttpAPIServer<String>>().name(),
            "http_api_server"
        );
        assert_eq!(snake_case("Greeter"), "greeter");
        assert_eq!(snake_case("a::DbV2"), "db_v2");
    }
}
