//! The choices that settings offer.

use std::fmt;
use std::str::FromStr;

/// The text is none of the choices that a setting offers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is none of `{}`", .choices.join("`, `"))]
pub struct ChoiceError {
    text: String,
    choices: &'static [&'static str],
}

macro_rules! choices {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)+
        }

        impl $name {
            /// Every choice, as it is written in a configuration file.
            pub const CHOICES: &'static [&'static str] = &[$($text),+];
        }

        impl FromStr for $name {
            type Err = ChoiceError;

            fn from_str(text: &str) -> Result<Self, ChoiceError> {
                match text {
                    $($text => Ok(Self::$variant),)+
                    _ => Err(ChoiceError {
                        text: text.to_owned(),
                        choices: Self::CHOICES,
                    }),
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self {
                    $(Self::$variant => $text,)+
                })
            }
        }
    };
}

choices! {
    /// What a reload does.
    RestartMethod {
        /// Every worker is replaced by one with the new configuration.
        #[default]
        Reload = "reload",
        /// Workers stay and take over the mutable options.
        Mutate = "mutate",
    }
}

choices! {
    /// The tokio runtime that services run on.
    RuntimeKind {
        /// One thread.
        #[default]
        CurrentThread = "current_thread",
        /// A pool of threads.
        MultiThread = "multi_thread",
    }
}

choices! {
    /// Where a periodic task runs.
    Scope {
        /// In every worker.
        #[default]
        Worker = "worker",
        /// In one worker of the program; another takes over when that one dies.
        Program = "program",
        /// In one worker of the cluster; another takes over when that one dies. Needs the feature `cluster`.
        Cluster = "cluster",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_is_no_choice_is_refused_with_those_that_there_are() {
        assert_eq!("mutate".parse(), Ok(RestartMethod::Mutate));
        let error = "restart".parse::<RestartMethod>().unwrap_err();
        assert_eq!(error.to_string(), "`restart` is none of `reload`, `mutate`");
    }
}
