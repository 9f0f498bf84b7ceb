//! What an option's type says of options of its own.

use std::marker::PhantomData;

use crate::config::{Config, Field};

/// Asks a type whether it is that of a section: its own constant is found before the trait's.
pub struct Probe<T: ?Sized>(PhantomData<T>);

impl<T: Config> Probe<T> {
    /// The options of a type that has some.
    pub const OPTIONS: Option<fn() -> &'static [Field]> = Some(|| T::FIELDS);
}

/// The answer for all other types.
pub trait NoOptions {
    /// None.
    const OPTIONS: Option<fn() -> &'static [Field]> = None;
}

impl<T: ?Sized> NoOptions for Probe<T> {}

/// The options of a type, if it has some.
#[doc(hidden)]
#[macro_export]
macro_rules! __rt_options_of {
    ($type:ty) => {{
        #[expect(
            clippy::allow_attributes,
            reason = "it is needed for types without options alone"
        )]
        #[allow(unused_imports)]
        use $crate::__rt::NoOptions as _;
        $crate::__rt::Probe::<$type>::OPTIONS
    }};
}

/// Registers the names of a struct's secrets at link time.
#[doc(hidden)]
#[macro_export]
macro_rules! __rt_secrets {
    ($section:ty) => {
        $crate::__rt::inventory::submit! {
            $crate::config::Secrets(|| <$section as $crate::config::Config>::FIELDS)
        }
    };
}

#[cfg(test)]
mod tests {
    use super::NoOptions as _;
    use super::*;

    #[test]
    fn a_type_tells_whether_it_has_options() {
        #[derive(serde::Deserialize)]
        struct Section {}
        impl Config for Section {
            const FIELDS: &'static [Field] = &[];
        }
        let options = Probe::<Section>::OPTIONS;
        assert!(options.is_some_and(|fields| fields().is_empty()));
        assert!(Probe::<String>::OPTIONS.is_none());
    }
}
