//! The name of the runtime in the manifest of the crate that is compiled.

use std::{
    env, fs,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use super::toml::{Entry, entries};

/// The name of the package, as manifests have it.
const PACKAGE: &str = "service-runtime";

/// The manifest that was read last, and the name in it: an editor's server expands for many crates.
static LATEST: Mutex<Option<(PathBuf, Option<String>)>> = Mutex::new(None);

/// Returns the runtime's name as a word of Rust, if the manifest gives it another than its own.
///
/// Without a manifest, as under another build tool than cargo, it has its own.
pub(super) fn name_of_runtime() -> Option<String> {
    let dir = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR")?);
    let mut latest = LATEST.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((known, name)) = &*latest
        && *known == dir
    {
        return name.clone();
    }
    let name = renamed(&dir);
    *latest = Some((dir, name.clone()));
    name
}

/// Reads the name from the manifest in `dir`, and from that of its workspace if it is inherited.
fn renamed(dir: &Path) -> Option<String> {
    let manifest = read(dir);
    let keys: Vec<&str> = dependencies(&manifest).collect();
    if keys.contains(&PACKAGE) {
        return None;
    }
    let inherited = keys.iter().any(|key| is_inherited(&manifest, key));
    let workspace = inherited.then(|| workspace(dir, &manifest)).flatten();
    let named_by = |entries: &[Entry], key: &str| {
        let mut entries = entries.iter();
        entries.any(|entry| {
            matches!(&entry.path[..], [.., table, name, word]
                if is_dependencies(table) && name == key && word == "package")
                && entry.value == PACKAGE
        })
    };
    let renamed = keys.into_iter().find(|key| {
        named_by(&manifest, key)
            || is_inherited(&manifest, key)
                && workspace.as_deref().is_some_and(|all| named_by(all, key))
    })?;
    Some(renamed.replace('-', "_"))
}

/// The entries of the manifest in `dir`; none if it cannot be read.
fn read(dir: &Path) -> Vec<Entry> {
    let text = fs::read_to_string(dir.join("Cargo.toml"));
    text.map_or_else(|_| Vec::new(), |text| entries(&text))
}

/// The dependencies of a package, also those of one platform, by the names that the package has for them.
fn dependencies(manifest: &[Entry]) -> impl Iterator<Item = &str> {
    manifest.iter().filter_map(|entry| {
        let path = match &entry.path[..] {
            [target, _, path @ ..] if target == "target" => path,
            path => path,
        };
        match path {
            [table, key, ..] if is_dependencies(table) => Some(key.as_str()),
            _ => None,
        }
    })
}

/// Whether a table holds what the services of a package may use.
fn is_dependencies(table: &str) -> bool {
    table == "dependencies" || table == "dev-dependencies"
}

/// Whether a dependency is that of the workspace: `key.workspace = true`.
fn is_inherited(manifest: &[Entry], key: &str) -> bool {
    let mut entries = manifest.iter();
    entries.any(|entry| {
        matches!(&entry.path[..], [.., name, word] if name == key && word == "workspace")
            && entry.value == "true"
    })
}

/// The manifest of the workspace that the package in `dir` belongs to.
fn workspace(dir: &Path, manifest: &[Entry]) -> Option<Vec<Entry>> {
    let named = manifest
        .iter()
        .find(|entry| entry.path == ["package", "workspace"]);
    if let Some(named) = named {
        return Some(read(&dir.join(&named.value)));
    }
    let all = dir.ancestors().map(read);
    let is_root = |entries: &Vec<Entry>| {
        let mut entries = entries.iter();
        entries.any(|entry| entry.path.first().is_some_and(|table| table == "workspace"))
    };
    all.into_iter().find(is_root)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes manifests into a folder of the build, and asks for the name in the last of them.
    fn name(test: &str, manifests: &[(&str, &str)]) -> Option<String> {
        let root = env::temp_dir().join(format!("service-macros-{}-{test}", std::process::id()));
        for (dir, text) in manifests {
            fs::create_dir_all(root.join(dir)).unwrap();
            fs::write(root.join(dir).join("Cargo.toml"), text).unwrap();
        }
        let name = renamed(&root.join(manifests.last().unwrap().0));
        fs::remove_dir_all(root).unwrap();
        name
    }

    #[test]
    fn a_renamed_dependency_is_found_however_it_is_written() {
        for (case, text) in [
            r#"[dependencies]
               sr = { package = "service-runtime", version = "0.1" }"#,
            "[dependencies.sr] # renamed\nversion = '0.1'\npackage = 'service-runtime'",
            "[dependencies]\nsr.version = \"0.1\"\nsr.package = \"service-runtime\"",
            "dependencies.sr = { version = '0.1', features = [\n'http', # web\n'rpc'], package = 'service-runtime' }",
            "[target.'cfg(unix)'.dependencies]\nsr = { package = \"service-runtime\", path = \"..\" }",
            "[dev-dependencies]\n\"sr\" = { package = \"service-runtime\" }",
            "[package]\ndescription = \"\"\"\n[dependencies]\nx = \\\"\"\"\"\n[dependencies]\nsr = {package='service-runtime'}",
        ]
        .iter()
        .enumerate()
        {
            let found = name(&format!("written-{case}"), &[("", text)]);
            assert_eq!(found.as_deref(), Some("sr"), "{text}");
        }
    }

    #[test]
    fn a_dash_of_the_name_is_an_underscore() {
        let text = "[dependencies]\nmy-services = { package = \"service-runtime\" }";
        assert_eq!(name("dash", &[("", text)]).as_deref(), Some("my_services"));
    }

    #[test]
    fn its_own_name_needs_no_other() {
        for (case, text) in [
            "[dependencies]\nservice-runtime = \"0.1\"",
            "[dependencies]\nservice-runtime.workspace = true",
            "[dependencies]\nservice-runtime = \"0.1\"\nold = { package = \"service-runtime\", version = \"0.0\" }",
            "[package]\nname = \"other\"",
            "[dependencies]\nother = { package = \"service-runtime-http\" }",
            "not a manifest [[",
        ]
        .iter()
        .enumerate()
        {
            assert_eq!(name(&format!("own-{case}"), &[("", text)]), None, "{text}");
        }
    }

    #[test]
    fn a_name_is_inherited_from_the_workspace() {
        let root = "[workspace]\n[workspace.dependencies]\nsr = { package = \"service-runtime\", path = \"x\" }";
        let member = "[dependencies]\nsr = { workspace = true }";
        let found = name("inherited", &[("", root), ("a/b", member)]);
        assert_eq!(found.as_deref(), Some("sr"));
        let member = "[package]\nworkspace = \"../root\"\n[dependencies]\nsr.workspace = true";
        let found = name("told", &[("root", root), ("member", member)]);
        assert_eq!(found.as_deref(), Some("sr"));
    }
}
