//! What a struct with `#[service]` says of itself, and its registration.

use crate::service::registry::Registration;
use crate::service::{Description, OnError, Service};

use super::init::Init;
#[cfg(feature = "config")]
use super::init::InitSection;

/// Written by `#[service]` on a struct.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has an impl block with `#[service]`, but the struct has no `#[service]`",
    note = "write `#[service]` on the struct too"
)]
pub trait Describe {
    /// What the attribute says.
    const DESCRIPTION: Static;
}

/// Written by `#[service]` on an impl block.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has `#[service]` on the struct, but no impl block with `#[service]`",
    note = "add the block, with its hooks:\n\
            #[service]\n\
            impl {Self} {{\n\
            \x20   #[start]\n\
            \x20   async fn start(&self, cx: &Context) -> Result<()> {{ … }}\n\
            }}"
)]
pub trait Hooks: Service {
    /// The configuration table that `#[init]` takes.
    #[cfg(feature = "config")]
    const SECTION: Option<InitSection> = None;

    /// Whether the service has routes, and so the keys of HTTP in its table.
    const ROUTES: bool = false;

    /// The names of the periodic tasks.
    const PERIODICS: &'static [&'static str] = &[];

    /// How the service is built, if it has an `#[init]`.
    fn init() -> Option<Init<Self>> {
        None
    }
}

/// A description that can be a constant.
pub struct Static {
    name: &'static str,
    after: &'static [&'static str],
    on_error: OnError,
    #[cfg(feature = "config")]
    section: Option<InitSection>,
}

impl Static {
    /// Begins with the name.
    pub const fn new(name: &'static str) -> Self {
        Self {
            name,
            after: &[],
            on_error: OnError::Exit,
            #[cfg(feature = "config")]
            section: None,
        }
    }

    /// Returns the name.
    #[cfg(feature = "rpc")]
    pub(super) const fn name(&self) -> &'static str {
        self.name
    }

    /// Adds what the service needs.
    pub const fn after(mut self, names: &'static [&'static str]) -> Self {
        self.after = names;
        self
    }

    /// Sets what its failure means.
    pub const fn on_error(mut self, on_error: OnError) -> Self {
        self.on_error = on_error;
        self
    }
}

#[cfg(feature = "config")]
impl Static {
    /// Adds its configuration table.
    pub const fn section(mut self, section: InitSection) -> Self {
        self.section = Some(section);
        self
    }
}

/// Returns the description of a service with `#[service]`.
pub fn description<S: Describe>() -> Description {
    let Static {
        name,
        after,
        on_error,
        ..
    } = S::DESCRIPTION;
    Description::new(name)
        .after(after.iter().copied())
        .on_error(on_error)
}

/// Returns the registration of a service with `#[service]`.
pub const fn registration<S: Describe + Hooks>() -> Registration {
    Registration {
        describe: description::<S>,
        type_name: std::any::type_name::<S>,
        init: || S::init().map(Init::erase),
        #[cfg(feature = "config")]
        section: || {
            let section = S::SECTION.or(S::DESCRIPTION.section);
            let section = section.map(|section| section.of(S::DESCRIPTION.name));
            #[cfg(feature = "http")]
            if S::ROUTES {
                let section = match section {
                    Some(section) => section.with::<crate::http::HttpConfig>(),
                    None => {
                        crate::config::Section::of::<crate::http::HttpConfig>(S::DESCRIPTION.name)
                            .of_framework()
                    }
                };
                return Some(
                    section
                        .listens_on(crate::http::ADDRESSES)
                        .opens(crate::http::open_files),
                );
            }
            section
        },
        periodics: S::PERIODICS,
    }
}

/// Registers a service at link time.
#[doc(hidden)]
#[macro_export]
macro_rules! __rt_register {
    ($service:ty) => {
        $crate::__rt::inventory::submit! { $crate::__rt::registration::<$service>() }
    };
}

/// Makes the options of the program that is compiled: its name is its crate's.
#[doc(hidden)]
#[macro_export]
macro_rules! __rt_options {
    () => {
        $crate::LaunchOptions::new(::core::module_path!())
            .version(::core::option_env!("CARGO_PKG_VERSION"))
    };
}
