//! Where the control socket is.

use std::path::PathBuf;
use std::str::FromStr;

/// Where a program with workers lets itself be looked into and steered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Admin {
    /// In the directory that the service manager made for the program, else in that of the user, else
    /// nowhere.
    #[default]
    Auto,
    /// At this path.
    Path(PathBuf),
    /// Nowhere.
    Off,
}

impl FromStr for Admin {
    type Err = ();

    /// An abstract name is none: it would be open to every user of the machine.
    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "auto" => Ok(Self::Auto),
            "off" => Ok(Self::Off),
            _ if text.contains('/') && !text.contains('\0') => Ok(Self::Path(text.into())),
            _ => Err(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_a_slash_and_all_else_is_a_mistake() {
        assert_eq!("auto".parse(), Ok(Admin::Auto));
        assert_eq!("off".parse(), Ok(Admin::Off));
        let path = "/run/hello/admin.sock";
        assert_eq!(path.parse(), Ok(Admin::Path(path.into())));
        for wrong in ["", "on", "admin.sock", "@hello", "/a\0b"] {
            assert_eq!(wrong.parse::<Admin>(), Err(()), "{wrong:?}");
        }
    }
}
