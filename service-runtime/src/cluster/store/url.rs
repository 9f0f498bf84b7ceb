//! Addresses of stores: `sqlite:` and `postgres://`.

use std::fmt;
use std::path::{Path, PathBuf};

use super::StoreError;

/// The file of `sqlite:` without a name.
const FILE: &str = "cluster.db";
const MASK: &str = "***";

/// Where the store is.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum StoreUrl {
    /// A file of this machine.
    Sqlite(PathBuf),
    /// A server; the whole address, with its password.
    Postgres(String),
}

impl StoreUrl {
    /// Reads an address; the path of a file is relative to `base`.
    ///
    /// # Errors
    ///
    /// Returns an error for an address of another kind; it shows no password.
    pub(crate) fn parse(text: &str, base: &Path) -> Result<Self, StoreError> {
        if let Some(path) = text.strip_prefix("sqlite:") {
            // `sqlite:///path` is how other libraries write an absolute path.
            let path = path.strip_prefix("//").unwrap_or(path);
            let path = if path.is_empty() { FILE } else { path };
            return Ok(Self::Sqlite(base.join(path)));
        }
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(Self::Postgres(text.to_owned()));
        }
        Err(StoreError::Url {
            url: masked(text),
            wrong: "write `sqlite:/path/to/file` or `postgres://user:password@host/database`"
                .to_owned(),
        })
    }
}

impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(url) => f.write_str(&masked(url)),
        }
    }
}

impl fmt::Debug for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoreUrl({self})")
    }
}

/// Returns an address without its password, wherever it stands in it.
fn masked(url: &str) -> String {
    let (head, query) = match url.split_once('?') {
        Some((head, query)) => (head, Some(query)),
        None => (url, None),
    };
    let mut text = match head.split_once("://") {
        // A password may hold an `@` that somebody forgot to escape: the last one ends it.
        Some((scheme, rest)) => match rest.rsplit_once('@') {
            Some((user, place)) => match user.split_once(':') {
                Some((user, _)) => format!("{scheme}://{user}:{MASK}@{place}"),
                None => head.to_owned(),
            },
            None => head.to_owned(),
        },
        None => head.to_owned(),
    };
    if let Some(query) = query {
        let pairs = query.split('&').map(|pair| match pair.split_once('=') {
            Some((key, _)) if key.eq_ignore_ascii_case("password") => format!("{key}={MASK}"),
            _ => pair.to_owned(),
        });
        text.push('?');
        text.push_str(&pairs.collect::<Vec<_>>().join("&"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_found_in_the_state_directory_unless_its_path_is_absolute() {
        let base = Path::new("/var/lib/fleet");
        let path = |text| match StoreUrl::parse(text, base).unwrap() {
            StoreUrl::Sqlite(path) => path,
            StoreUrl::Postgres(url) => panic!("{url}"),
        };
        assert_eq!(path("sqlite:"), Path::new("/var/lib/fleet/cluster.db"));
        assert_eq!(
            path("sqlite:state.db"),
            Path::new("/var/lib/fleet/state.db")
        );
        assert_eq!(path("sqlite:/srv/a.db"), Path::new("/srv/a.db"));
        assert_eq!(path("sqlite:///srv/a.db"), Path::new("/srv/a.db"));
    }

    #[test]
    fn no_password_is_shown() {
        let shown = |text: &str| StoreUrl::parse(text, Path::new("/")).unwrap().to_string();
        assert_eq!(shown("postgres://me:s3cret@db/x"), "postgres://me:***@db/x");
        assert_eq!(shown("postgres://me:a@b:c@db/x"), "postgres://me:***@db/x");
        assert_eq!(shown("postgres://me@db/x"), "postgres://me@db/x");
        assert_eq!(
            shown("postgres:///x?host=/tmp&user=me&password=s3cret"),
            "postgres:///x?host=/tmp&user=me&password=***"
        );
    }

    #[test]
    fn another_kind_of_store_is_refused_with_what_to_write() {
        let error = StoreUrl::parse("mysql://me:s3cret@db/x", Path::new("/")).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("mysql://me:***@db/x"), "{text}");
        assert!(text.contains("postgres://"), "{text}");
        assert!(error.is_permanent());
    }
}
