//! What the pages of this repository say, held to what is in it.
//!
//! Their Rust blocks are compiled by `tests/docs.rs`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Returns the folder of the whole workspace.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the crate is a folder of the workspace")
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Returns the pages, relative to the workspace.
fn pages() -> Vec<PathBuf> {
    let mut pages: Vec<PathBuf> = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md"]
        .map(PathBuf::from)
        .into();
    for folder in ["docs", "docs/guide"] {
        let files = fs::read_dir(root().join(folder))
            .expect("the folder is there")
            .map(|file| file.expect("the folder can be read").path());
        let files = files.filter(|file| file.extension().is_some_and(|end| end == "md"));
        pages.extend(files.map(|file| {
            file.strip_prefix(root())
                .expect("it is under the root")
                .to_owned()
        }));
    }
    pages
}

/// Returns the text of every block of a page with its language.
fn blocks(page: &str) -> Vec<(String, String)> {
    let mut blocks = Vec::new();
    let mut open: Option<(String, String)> = None;
    for line in page.lines() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(language), None) => open = Some((language.to_owned(), String::new())),
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (None, Some((_, text))) => text.extend([line, "\n"]),
            (None, None) => {}
        }
    }
    blocks
}

#[test]
fn the_program_of_the_readme_is_the_example_hello() {
    let blocks = blocks(&read("README.md"));
    let (language, program) = &blocks[0];
    assert_eq!(language, "rust,no_run");
    assert_eq!(*program, read("examples/hello.rs"));
    assert!(program.lines().count() < 20, "a whole program, at a glance");
}

#[test]
fn every_rust_block_of_every_page_is_compiled() {
    let compiled = read("tests/docs.rs");
    for page in pages() {
        let has_rust = blocks(&read(&page))
            .iter()
            .any(|(language, _)| language.starts_with("rust"));
        let listed = compiled.contains(&format!("\"../{}\"", page.display()));
        assert!(
            listed || !has_rust,
            "{} is not in tests/docs.rs",
            page.display()
        );
        let skipped = |(language, _): &(String, String)| language.contains("ignore");
        assert!(
            !blocks(&read(&page)).iter().any(skipped),
            "{} skips a block",
            page.display()
        );
    }
}

#[test]
fn every_link_leads_somewhere() {
    let mut broken = Vec::new();
    for page in pages() {
        let text = read(&page);
        let folder = root().join(&page).parent().unwrap().to_owned();
        for link in text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
        {
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            if link.contains("://") {
                continue;
            }
            let target = if file.is_empty() {
                root().join(&page)
            } else {
                folder.join(file)
            };
            let has_anchor = || {
                let text = fs::read_to_string(&target).unwrap_or_default();
                text.lines()
                    .any(|line| line.starts_with('#') && slug(line) == anchor)
            };
            if !target.exists() || !anchor.is_empty() && !has_anchor() {
                broken.push(format!("{}: {link}", page.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

/// Returns the anchor of a heading.
fn slug(heading: &str) -> String {
    let heading = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
    heading
        .chars()
        .filter(kept)
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

#[test]
fn every_example_is_told_of_and_every_example_told_of_is_there() {
    let (readme, guide) = (read("README.md"), read("docs/guide/first-service.md"));
    let mut examples = 0;
    for file in fs::read_dir(root().join("examples")).unwrap() {
        let file = file.unwrap().path();
        let name = file.file_stem().unwrap().to_str().unwrap().to_owned();
        if file.extension().is_some_and(|end| end == "rs") && name != "lib" {
            examples += 1;
            for page in [&readme, &guide] {
                assert!(
                    page.contains(&format!("| `{name}` |")),
                    "{name} is not told of"
                );
            }
        }
    }
    let told = |page: &str| {
        page.split("| `cargo run --example …` |")
            .nth(1)
            .unwrap()
            .lines()
            .take_while(|line| !line.is_empty() || line.starts_with('|'))
            .filter(|line| line.starts_with("| `"))
            .count()
    };
    assert_eq!((told(&readme), told(&guide)), (examples, examples));
}

#[test]
fn every_setting_of_the_launcher_is_in_the_guide() {
    let guide: String = pages()
        .iter()
        .filter(|page| page.starts_with("docs"))
        .map(read)
        .collect();
    let keys = read("service-macros/src/launch/keys.rs");
    let names: Vec<&str> = keys
        .lines()
        .filter_map(|line| line.trim().strip_prefix("setting(\"")?.split('"').next())
        .collect();
    assert!(names.len() > 10, "{names:?}");
    let missing: Vec<_> = names
        .iter()
        .filter(|name| {
            !guide.contains(&format!("`{name}")) && !guide.contains(&format!("{name} = "))
        })
        .collect();
    assert!(missing.is_empty(), "the guide does not tell of {missing:?}");
}

#[test]
fn systemd_accepts_the_units_of_the_guide() {
    let folder = tempdir();
    let units = blocks(&read("docs/guide/deploying.md"));
    let units = units.iter().filter(|(language, _)| language == "ini");
    let paths: Vec<PathBuf> = ["hello.service", "hello.socket"]
        .iter()
        .zip(units)
        .map(|(name, (_, text))| {
            let path = folder.join(name);
            // A program that is there, whatever is installed.
            fs::write(&path, text.replace("/usr/local/bin/hello", "/bin/sh")).unwrap();
            path
        })
        .collect();
    assert_eq!(paths.len(), 2);
    let Ok(output) = Command::new("systemd-analyze")
        .args(["verify", "--man=no"])
        .args(&paths)
        .output()
    else {
        eprintln!("skipped: systemd-analyze is not installed");
        return;
    };
    fs::remove_dir_all(&folder).unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    // Before systemd 253 there was no such type.
    let complaints: Vec<&str> = said
        .lines()
        .filter(|line| line.contains("hello.") && !line.ends_with("ignoring: notify-reload"))
        .collect();
    assert!(output.status.success() && complaints.is_empty(), "{said}");
}

fn tempdir() -> PathBuf {
    let folder = std::env::temp_dir().join(format!("service-runtime-units-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("the temporary folder can be written");
    folder
}

#[test]
fn every_test_that_the_page_on_reliability_names_is_there() {
    let page = read("docs/reliability.md");
    let promises = page
        .lines()
        .filter(|line| line.starts_with("| ") && !line.contains("---"));
    let tests = promises.filter_map(|line| line.trim_end_matches(" |").rsplit(" | ").next());
    let named: Vec<&str> = tests
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .filter(|name| {
            name.chars()
                .all(|c| c.is_alphanumeric() || "_:…".contains(c))
        })
        .collect();
    assert!(named.len() > 30, "{named:?}");
    for name in named {
        let parts: Vec<&str> = name.split("::").collect();
        let target = Path::new("tests/tests").join(parts[0]);
        let folder = root().join(&target).is_dir();
        let (file, test) = match (folder, &parts[1..]) {
            (true, []) => (target.join("main.rs"), None),
            (true, [module, test @ ..]) => (target.join(format!("{module}.rs")), test.first()),
            (false, test) => (target.with_extension("rs"), test.first()),
        };
        let begin = test.map(|test| format!("fn {}", test.trim_end_matches('…')));
        let text = read(&file);
        assert!(begin.is_none_or(|begin| text.contains(&begin)), "{name}");
    }
}
