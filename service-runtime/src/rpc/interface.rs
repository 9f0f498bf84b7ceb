//! The surface of a topic: what its methods are on the wire.

use std::fmt;
use std::marker::PhantomData;

use super::client::Client;
use super::error::CallError;
use super::version::Version;
use crate::service::Context;

/// The methods of a topic, as callers and servers have to agree on them.
///
/// `#[interface]` and `#[rpc]` make one, for [`TypedClient::interface`]. `Display` writes it as
/// [`check_surface`](super::check_surface) keeps it in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interface {
    topic: &'static str,
    methods: &'static [MethodShape],
}

/// A method on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MethodShape {
    name: &'static str,
    namespace: Option<&'static str>,
    since: Version,
    cast: bool,
    idempotent: bool,
    arguments: &'static [ArgumentShape],
    returns: &'static str,
}

/// An argument on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArgumentShape {
    name: &'static str,
    ty: &'static str,
    optional: bool,
}

/// The types of a method, which the compiler compares between an interface and a service.
///
/// `F` is the function's type, as in `fn(String, u32) -> bool`.
pub struct Signature<F>(PhantomData<fn() -> F>);

/// A client that `#[rpc]` or `#[interface]` has written.
pub trait TypedClient: Sized {
    /// Returns what the client can call.
    fn interface() -> Interface;

    /// Makes it of a client of the same topic.
    fn from_untyped(client: Client) -> Self;

    /// Returns the client behind it, which calls methods by their names.
    fn untyped(&self) -> &Client;

    /// Asks whether a server of the topic has a method of this client: an older one may not have it yet.
    ///
    /// # Errors
    ///
    /// Returns what became of the question instead; `NotSent` for a name that this client does not have.
    fn can_send(&self, method: &str) -> impl Future<Output = Result<bool, CallError>> + Send
    where
        Self: Sync,
    {
        let shape = Self::interface()
            .methods
            .iter()
            .find(|shape| shape.name == method);
        async move {
            match shape {
                Some(shape) => {
                    let MethodShape {
                        name,
                        namespace,
                        since,
                        ..
                    } = *shape;
                    self.untyped().supports(namespace, name, since).await
                }
                None => Err(CallError::NotSent {
                    method: method.to_owned(),
                    source: "the client has no such method".into(),
                }),
            }
        }
    }

    /// Makes a client that calls any one server of its topic.
    fn connect(cx: &Context) -> Self {
        Self::from_untyped(Client::new(cx, Self::interface().topic()))
    }
}

impl Interface {
    /// Makes the interface of a topic.
    #[must_use]
    pub const fn new(topic: &'static str, methods: &'static [MethodShape]) -> Self {
        Self { topic, methods }
    }

    /// Returns the topic.
    #[must_use]
    pub const fn topic(&self) -> &'static str {
        self.topic
    }

    /// Returns the methods, in the order in which they were written.
    #[must_use]
    pub const fn methods(&self) -> &'static [MethodShape] {
        self.methods
    }
}

impl MethodShape {
    /// Makes a method of version 1.0; `returns` is empty if that is nothing.
    #[must_use]
    pub const fn new(
        name: &'static str,
        arguments: &'static [ArgumentShape],
        returns: &'static str,
    ) -> Self {
        Self {
            name,
            namespace: None,
            since: Version::new(1, 0),
            cast: false,
            idempotent: false,
            arguments,
            returns,
        }
    }

    /// Sets the version of the interface in which the method came.
    #[must_use]
    pub const fn since(mut self, version: Version) -> Self {
        self.since = version;
        self
    }

    /// Puts the method into a namespace.
    #[must_use]
    pub const fn namespace(mut self, namespace: &'static str) -> Self {
        self.namespace = Some(namespace);
        self
    }

    /// Says that nobody waits for a value.
    #[must_use]
    pub const fn cast(mut self) -> Self {
        self.cast = true;
        self
    }

    /// Says that it may run twice.
    #[must_use]
    pub const fn idempotent(mut self) -> Self {
        self.idempotent = true;
        self
    }

    /// Returns the name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Returns what of `other` differs on the wire, if anything does. Types are compared by the compiler.
    pub(crate) const fn difference(&self, other: &Self) -> Option<Difference> {
        if self.since.major != other.since.major || self.since.minor != other.since.minor {
            return Some(Difference::Since);
        }
        let same_namespace = match (self.namespace, other.namespace) {
            (None, None) => true,
            (Some(one), Some(other)) => same(one, other),
            _ => false,
        };
        if !same_namespace {
            return Some(Difference::Namespace);
        }
        if self.cast != other.cast {
            return Some(Difference::Cast);
        }
        if self.idempotent != other.idempotent {
            return Some(Difference::Idempotent);
        }
        let mut place = 0;
        while place < self.arguments.len() && place < other.arguments.len() {
            let (one, other) = (self.arguments[place], other.arguments[place]);
            if !same(one.name, other.name) || one.optional != other.optional {
                return Some(Difference::Arguments);
            }
            place += 1;
        }
        None
    }
}

/// In what two methods of one name differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Difference {
    Since,
    Namespace,
    Cast,
    Idempotent,
    Arguments,
}

impl ArgumentShape {
    /// Makes an argument; an `optional` one may be left out.
    #[must_use]
    pub const fn new(name: &'static str, ty: &'static str, optional: bool) -> Self {
        Self { name, ty, optional }
    }
}

impl<F> Signature<F> {
    /// Makes the only value.
    #[must_use]
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<F> Default for Signature<F> {
    fn default() -> Self {
        Self::new()
    }
}

impl<F> fmt::Debug for Signature<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::any::type_name::<F>())
    }
}

/// Compares texts in a constant.
pub(crate) const fn same(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let mut place = 0;
    while place < one.len() && place < other.len() {
        if one[place] != other[place] {
            return false;
        }
        place += 1;
    }
    one.len() == other.len()
}

impl fmt::Display for Interface {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "topic {}", self.topic)?;
        let mut methods: Vec<_> = self.methods.iter().collect();
        methods.sort_by_key(|method| (method.namespace, method.since.major, method.name));
        methods
            .iter()
            .try_for_each(|method| writeln!(f, "{method}"))
    }
}

impl fmt::Display for MethodShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(namespace) = self.namespace {
            write!(f, "{namespace}.")?;
        }
        write!(f, "{}(", self.name)?;
        for (place, argument) in self.arguments.iter().enumerate() {
            let comma = if place == 0 { "" } else { ", " };
            let default = if argument.optional { " = default" } else { "" };
            write!(f, "{comma}{}: {}{default}", argument.name, argument.ty)?;
        }
        f.write_str(")")?;
        if !self.returns.is_empty() {
            write!(f, " -> {}", self.returns)?;
        }
        write!(f, " since {}", self.since)?;
        let words = [(self.cast, " cast"), (self.idempotent, " idempotent")];
        let mut words = words.iter().filter(|(is_so, _)| *is_so);
        words.try_for_each(|(_, word)| f.write_str(word))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUILD: MethodShape = MethodShape::new(
        "build",
        &[
            ArgumentShape::new("image", "String", false),
            ArgumentShape::new("cores", "u32", true),
        ],
        "Result<u8, NoRoom>",
    );

    #[test]
    fn a_surface_has_a_line_for_each_method_whatever_their_order() {
        const FORGET: MethodShape = MethodShape::new("forget", &[], "").cast();
        let text = "topic compute\n\
                    build(image: String, cores: u32 = default) -> Result<u8, NoRoom> since 1.0\n\
                    forget() since 1.0 cast\n";
        assert_eq!(
            Interface::new("compute", &[BUILD, FORGET]).to_string(),
            text
        );
        assert_eq!(
            Interface::new("compute", &[FORGET, BUILD]).to_string(),
            text
        );
        let admin = BUILD
            .namespace("admin")
            .since(Version::new(2, 1))
            .idempotent();
        assert!(admin.to_string().starts_with("admin.build("), "{admin}");
        assert!(
            admin.to_string().ends_with("since 2.1 idempotent"),
            "{admin}"
        );
    }

    #[test]
    fn what_differs_on_the_wire_is_found() {
        const OTHER: &[ArgumentShape] = &[
            ArgumentShape::new("picture", "String", false),
            ArgumentShape::new("cores", "u32", true),
        ];
        const NEEDED: &[ArgumentShape] = &[
            ArgumentShape::new("image", "String", false),
            ArgumentShape::new("cores", "u32", false),
        ];
        let returns = BUILD.returns;
        let cases = [
            (BUILD, None),
            (BUILD.since(Version::new(1, 1)), Some(Difference::Since)),
            (BUILD.namespace("ns"), Some(Difference::Namespace)),
            (BUILD.cast(), Some(Difference::Cast)),
            (BUILD.idempotent(), Some(Difference::Idempotent)),
            (
                MethodShape::new("build", OTHER, returns),
                Some(Difference::Arguments),
            ),
            (
                MethodShape::new("build", NEEDED, returns),
                Some(Difference::Arguments),
            ),
        ];
        for (other, expected) in cases {
            assert_eq!(BUILD.difference(&other), expected, "{other}");
        }
    }
}
