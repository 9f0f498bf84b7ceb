//! Files and directories on a disk.

use super::*;

/// A directory that is removed when the test is over.
pub(super) struct Scratch(pub(super) std::path::PathBuf);

impl Scratch {
    pub(super) fn new(name: &str) -> Self {
        let path =
            std::env::temp_dir().join(format!("service-config-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).expect("the temporary directory can be written");
        Self(path)
    }

    pub(super) fn file(&self, name: &str, text: &str) -> std::path::PathBuf {
        let path = self.0.join(name);
        write(&path, text);
        path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_directory_is_read_in_the_order_of_its_names() {
    let dir = Scratch::new("order");
    dir.file("20-b.toml", "greeter.greeting = \"b\"");
    dir.file("10-a.toml", "greeter.greeting = \"a\"\ngreeter.count = 2");
    dir.file("30-c.toml.bak", "broken =");
    dir.file(".40-d.toml", "broken =");
    std::fs::create_dir_all(dir.0.join("50-e.toml")).unwrap();
    let snapshot = layers().dir(&dir.0).load(&greeter()).unwrap();
    assert_eq!(
        snapshot.section::<Greeter>("greeter").unwrap().greeting,
        "b"
    );
    let origin = snapshot.get("greeter.count").unwrap().origin().to_string();
    assert_eq!(origin, format!("{}:2", dir.0.join("10-a.toml").display()));
}

#[test]
fn files_and_directories_win_in_the_order_they_are_named() {
    let dir = Scratch::new("named");
    dir.file("a.toml", "greeter.greeting = \"directory\"");
    let other = Scratch::new("named-other");
    let file = other.file("b.toml", "greeter.greeting = \"file\"");
    let greeting = |layers: Layers| {
        layers
            .load(&greeter())
            .unwrap()
            .section::<Greeter>("greeter")
            .unwrap()
            .greeting
    };
    assert_eq!(greeting(layers().dir(&dir.0).file(&file)), "file");
    assert_eq!(greeting(layers().file(&file).dir(&dir.0)), "directory");
}

#[test]
fn every_file_that_cannot_be_read_is_named_with_its_errno() {
    let dir = Scratch::new("missing");
    let (file, nothing) = (dir.0.join("no.toml"), dir.0.join("no.d"));
    let errors = layers()
        .file(&file)
        .dir(&nothing)
        .file(&dir.0)
        .read()
        .unwrap_err()
        .to_string();
    assert_eq!(
        errors,
        format!(
            "cannot read {}: No such file or directory (os error 2)\n\
             cannot read {}: No such file or directory (os error 2)\n\
             cannot read {}: it is a directory; expected a regular file",
            file.display(),
            nothing.display(),
            dir.0.display()
        )
    );
}

#[test]
fn only_an_optional_file_may_be_absent() {
    let dir = Scratch::new("optional");
    let sources = layers()
        .optional_file(dir.0.join("no.toml"))
        .read()
        .unwrap();
    assert_eq!(sources.paths().count(), 0);
    assert!(layers().optional_file(&dir.0).read().is_err());
}

#[test]
fn a_file_that_is_not_text_is_an_error_with_its_line() {
    let dir = Scratch::new("binary");
    let path = dir.0.join("a.toml");
    std::fs::write(&path, b"[greeter]\n\xff\xfe").unwrap();
    let error = layers().file(&path).read().unwrap_err().to_string();
    assert_eq!(error, format!("{}:2: expected UTF-8 text", path.display()));
}
