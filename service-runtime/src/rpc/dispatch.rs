//! Which method answers a request: by namespace, version and name.

use super::message::{Failure, Request};
use super::method::Method;
use super::version::Version;

/// The methods of a topic.
///
/// Those of one namespace and one major version are one endpoint, whose version is the highest `since`
/// of them.
#[derive(Debug, Clone)]
pub(super) struct Dispatch(Vec<Method>);

impl Dispatch {
    /// Takes the methods of a topic.
    ///
    /// # Errors
    ///
    /// Returns an error if two of them would answer the same request.
    pub(super) fn new(methods: Vec<Method>) -> anyhow::Result<Self> {
        for (place, method) in methods.iter().enumerate() {
            let (namespace, since) = method.place();
            let twin = methods[..place].iter().any(|other| {
                let (others, version) = other.place();
                other.name() == method.name() && others == namespace && version.major == since.major
            });
            anyhow::ensure!(
                !twin,
                "two methods of a topic are called `{}`",
                method.name()
            );
        }
        Ok(Self(methods))
    }

    /// Finds the method that a request asks for.
    pub(super) fn find(&self, request: &Request) -> Result<&Method, Box<Failure>> {
        let (namespace, version) = (request.namespace.as_deref(), request.version.as_deref());
        self.look_up(&request.method, namespace, version)
    }

    /// Finds a method by its name, namespace and version.
    pub(super) fn look_up(
        &self,
        name: &str,
        wanted_namespace: Option<&str>,
        version: Option<&str>,
    ) -> Result<&Method, Box<Failure>> {
        let wanted = version.map_or(Ok(Version::default()), str::parse);
        let wanted = wanted
            .map_err(|error| Box::new(Failure::new("ValueError", "builtins", error.to_string())))?;
        let mut is_served = false;
        for method in &self.0 {
            let (namespace, since) = method.place();
            if namespace != wanted_namespace || since.major != wanted.major {
                continue;
            }
            is_served |= self.version(namespace, since.major).answers(wanted);
            if is_served && method.name() == name && !name.starts_with('_') {
                return Ok(method);
            }
        }
        Err(Box::new(if is_served {
            Failure::no_such_method(name)
        } else {
            Failure::unsupported_version(&wanted.to_string(), name)
        }))
    }

    /// Returns the methods.
    #[cfg(feature = "nats")]
    pub(super) fn methods(&self) -> impl Iterator<Item = &Method> {
        self.0.iter()
    }

    /// Returns the highest version of all endpoints.
    #[cfg(feature = "nats")]
    pub(super) fn highest_version(&self) -> Version {
        let versions = self.0.iter().map(|method| method.place().1);
        versions.max().unwrap_or_default()
    }

    /// Returns the version of an endpoint that has a method.
    fn version(&self, namespace: Option<&str>, major: u32) -> Version {
        let places = self.0.iter().map(Method::place);
        let of_it = places.filter(|(other, since)| *other == namespace && since.major == major);
        of_it.map(|(_, since)| since).max().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn method(name: &'static str, namespace: Option<&'static str>, since: (u32, u32)) -> Method {
        let method = Method::new(name, |_| Ok(()), |_, ()| async { anyhow::Ok(()) });
        let method = method.since(Version::new(since.0, since.1));
        match namespace {
            Some(namespace) => method.namespace(namespace),
            None => method,
        }
    }

    fn request(method: &str, namespace: Option<&str>, version: Option<&str>) -> Request {
        Request {
            method: method.to_owned(),
            args: Default::default(),
            namespace: namespace.map(str::to_owned),
            version: version.map(str::to_owned),
            context: Default::default(),
            id: "1".to_owned(),
            timeout_ms: None,
            cast: false,
        }
    }

    #[test]
    fn requests_find_their_methods_by_namespace_version_and_name() {
        let dispatch = Dispatch::new(vec![
            method("build", None, (1, 0)),
            method("resize", None, (1, 3)),
            method("build", None, (2, 1)),
            method("test", Some("ns"), (7, 5)),
            method("_hidden", None, (1, 0)),
        ])
        .unwrap();
        let cases = [
            // method, namespace, version, the `since` of what is found or the class of the failure
            ("build", None, None, Ok("1.0")),
            ("build", None, Some("1.0"), Ok("1.0")),
            ("build", None, Some("1.3"), Ok("1.0")),
            ("build", None, Some("1.4"), Err("UnsupportedVersion")),
            ("build", None, Some("2.0"), Ok("2.1")),
            ("build", None, Some("2.1"), Ok("2.1")),
            ("build", None, Some("2.2"), Err("UnsupportedVersion")),
            ("build", None, Some("3.0"), Err("UnsupportedVersion")),
            ("resize", None, Some("1.0"), Ok("1.3")),
            ("resize", None, Some("2.0"), Err("NoSuchMethod")),
            ("resiz", None, None, Err("NoSuchMethod")),
            ("test", Some("ns"), Some("7.5"), Ok("7.5")),
            ("test", Some("ns"), Some("7.6"), Err("UnsupportedVersion")),
            ("test", Some("ns"), None, Err("UnsupportedVersion")),
            ("test", None, None, Err("NoSuchMethod")),
            (
                "test",
                Some("other"),
                Some("7.5"),
                Err("UnsupportedVersion"),
            ),
            ("build", Some(""), None, Err("UnsupportedVersion")),
            ("_hidden", None, None, Err("NoSuchMethod")),
            ("build", None, Some("one"), Err("ValueError")),
            ("build", None, Some(""), Err("ValueError")),
        ];
        for (name, namespace, version, expected) in cases {
            let request = request(name, namespace, version);
            let found = dispatch.find(&request);
            let found = found.map(|method| method.place().1.to_string());
            let found = found.map_err(|failure| failure.class);
            let expected = expected.map(str::to_owned).map_err(str::to_owned);
            assert_eq!(found, expected, "{name} {namespace:?} {version:?}");
        }
    }

    #[test]
    fn two_methods_for_one_request_are_refused() {
        let twins = vec![method("a", None, (1, 0)), method("a", None, (1, 2))];
        let error = Dispatch::new(twins).unwrap_err().to_string();
        assert_eq!(error, "two methods of a topic are called `a`");
    }
}
