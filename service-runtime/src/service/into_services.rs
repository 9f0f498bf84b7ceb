//! What `main` may return.

use super::erased::Definition;
use super::{Service, registry};

/// The services that a launch runs.
#[derive(Default)]
pub struct Services(pub(crate) Vec<Definition>);

/// Every registered service that has an `#[init]`.
///
/// What a `main` without a return value stands for; to be returned beside others.
#[derive(Debug, Clone, Copy, Default)]
pub struct Registered;

/// What can be launched: a service, a tuple, a `Vec`, a `Result` of them, or nothing, which stands
/// for every registered service that has an `#[init]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be launched",
    label = "neither a service nor something made of services",
    note = "return one service, a tuple or `Vec` of services, or a `Result<…>` of the prelude of \
            these; return nothing to run every registered service that has an `#[init]`",
    note = "a struct becomes a service by `#[service]` on it and on its impl block"
)]
pub trait IntoServices {
    /// Turns the value into services.
    ///
    /// # Errors
    ///
    /// Returns the error of a `Result`.
    fn into_services(self) -> anyhow::Result<Services>;
}

#[diagnostic::do_not_recommend]
impl<S: Service> IntoServices for S {
    fn into_services(self) -> anyhow::Result<Services> {
        Ok(Services(vec![Definition::of_value(self)]))
    }
}

impl IntoServices for () {
    fn into_services(self) -> anyhow::Result<Services> {
        Registered.into_services()
    }
}

impl IntoServices for Registered {
    fn into_services(self) -> anyhow::Result<Services> {
        Ok(Services(registry::buildable()))
    }
}

impl IntoServices for Services {
    fn into_services(self) -> anyhow::Result<Services> {
        Ok(self)
    }
}

#[diagnostic::do_not_recommend]
impl<S: IntoServices> IntoServices for Vec<S> {
    fn into_services(self) -> anyhow::Result<Services> {
        let mut all = Services::default();
        for services in self {
            all.add(services)?;
        }
        Ok(all)
    }
}

#[diagnostic::do_not_recommend]
impl<S: IntoServices, E: Into<anyhow::Error>> IntoServices for Result<S, E> {
    fn into_services(self) -> anyhow::Result<Services> {
        self.map_err(Into::into)?.into_services()
    }
}

impl Services {
    /// Makes an empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one service or several.
    ///
    /// # Errors
    ///
    /// Returns the error of a `Result`.
    pub fn add(&mut self, services: impl IntoServices) -> anyhow::Result<&mut Self> {
        self.0.extend(services.into_services()?.0);
        Ok(self)
    }
}

macro_rules! tuples {
    ($($name:ident)+) => {
        #[diagnostic::do_not_recommend]
        impl<$($name: IntoServices),+> IntoServices for ($($name,)+) {
            fn into_services(self) -> anyhow::Result<Services> {
                #[expect(non_snake_case, reason = "a type and its value share a name")]
                let ($($name,)+) = self;
                let mut all = Services::default();
                $(all.add($name)?;)+
                Ok(all)
            }
        }
    };
}

tuples!(A);
tuples!(A B);
tuples!(A B C);
tuples!(A B C D);
tuples!(A B C D E);
tuples!(A B C D E F);
tuples!(A B C D E F G);
tuples!(A B C D E F G H);

impl std::fmt::Debug for Services {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|service| service.description.name()))
            .finish()
    }
}
