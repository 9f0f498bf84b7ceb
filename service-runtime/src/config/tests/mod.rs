//! The whole module at work, on a section written by hand as `#[derive(Config)]` would write it.

mod changes;
mod errors;
mod files;
mod output;
mod precedence;
mod secret_files;
mod secrets;
mod texts;

use std::{collections::BTreeMap, path::Path, time::Duration};

use serde::Deserialize;

use super::{Config, ConfigErrors, Field, Layers, Section, Size, Snapshot, Sources};

#[derive(Clone, Debug, PartialEq, Deserialize)]
struct Greeter {
    greeting: String,
    interval: Duration,
    count: u16,
    ratio: f64,
    loud: bool,
    room: Size,
    hosts: Vec<String>,
    mode: Mode,
    name: Option<String>,
    #[serde(default)]
    labels: BTreeMap<String, i64>,
    limits: Limits,
    tls: Option<Tls>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Mode {
    Plain,
    Fancy { colour: String },
    Every(Duration),
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
struct Limits {
    low: u8,
    high: u8,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
struct Tls {
    cert: String,
    key: String,
}

impl Config for Greeter {
    const FIELDS: &'static [Field] = &[
        Field::new("greeting", "String")
            .doc("What to say.\nIn any language.")
            .default(r#""hello""#)
            .mutable(),
        Field::new("interval", "Duration")
            .default(r#""5s""#)
            .mutable()
            .range(Some(r#""1s""#), Some(r#""1h""#)),
        Field::new("count", "u16")
            .default("3")
            .range(Some("1"), Some("10"))
            .aliases(&["times"]),
        Field::new("ratio", "f64").default("0.5"),
        Field::new("loud", "bool").default("false").mutable(),
        Field::new("room", "Size")
            .default(r#""64MiB""#)
            .range(None, Some(r#""1GiB""#)),
        Field::new("hosts", "Vec<String>").default(r#"["a", "b"]"#),
        Field::new("mode", "Mode").default(r#""plain""#),
        Field::new("name", "Option<String>").optional().mutable(),
        Field::new("labels", "BTreeMap<String, i64>")
            .optional()
            .mutable(),
        Field::new("limits", "Limits")
            .doc("How far to go.")
            .nested(|| Limits::FIELDS),
        Field::new("tls", "Option<Tls>")
            .optional()
            .nested(|| Tls::FIELDS),
    ];
}

impl Config for Limits {
    const FIELDS: &'static [Field] = &[
        Field::new("low", "u8").default("1").mutable(),
        Field::new("high", "u8").default("9"),
    ];
}

impl Config for Tls {
    const FIELDS: &'static [Field] = &[
        Field::new("cert", "String"),
        Field::new("key", "String").secret(),
    ];
}

/// A section with a required option and a secret one.
#[derive(Clone, Debug, PartialEq, Deserialize)]
struct Db {
    url: String,
    password: String,
    #[serde(default)]
    pin: u16,
}

impl Config for Db {
    const FIELDS: &'static [Field] = &[
        Field::new("url", "String"),
        Field::new("password", "String").secret(),
        Field::new("pin", "u16")
            .default("0")
            .secret()
            .range(None, Some("9999"))
            .mutable(),
    ];
}

/// Every default of [`Greeter`].
fn defaults() -> Greeter {
    Greeter {
        greeting: "hello".into(),
        interval: Duration::from_secs(5),
        count: 3,
        ratio: 0.5,
        loud: false,
        room: Size::from_bytes(64 << 20),
        hosts: vec!["a".into(), "b".into()],
        mode: Mode::Plain,
        name: None,
        labels: BTreeMap::new(),
        limits: Limits { low: 1, high: 9 },
        tls: None,
    }
}

fn greeter() -> [Section; 1] {
    [Section::of::<Greeter>("greeter")]
}

fn layers() -> Layers {
    Layers::new("hello")
}

impl Layers {
    /// Reads all files and builds a snapshot of them.
    fn load(&self, sections: &[Section]) -> Result<Snapshot, ConfigErrors> {
        let mut sources = self.read()?;
        self.read_secrets(&mut sources, sections)?;
        self.build(&sources, sections)
    }
}

/// Builds from one file of this text.
fn build(layers: &Layers, text: &str, sections: &[Section]) -> Result<Snapshot, ConfigErrors> {
    let sources = Sources {
        files: vec![("hello.toml".into(), text.to_owned())],
        ..Sources::default()
    };
    layers.build(&sources, sections)
}

/// Builds the greeter from one file of this text.
fn read(text: &str) -> Result<Greeter, ConfigErrors> {
    build(&layers(), text, &greeter())?.section("greeter")
}

/// Returns the lines of everything wrong with a greeter's file of this text.
fn wrong(text: &str) -> Vec<String> {
    lines(build(&layers(), text, &greeter()))
}

fn lines(built: Result<Snapshot, ConfigErrors>) -> Vec<String> {
    built
        .expect_err("the configuration is wrong")
        .iter()
        .map(ToString::to_string)
        .collect()
}

fn write(path: &Path, text: &str) {
    std::fs::write(path, text).expect("the temporary directory can be written");
}
