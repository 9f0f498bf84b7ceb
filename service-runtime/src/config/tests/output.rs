//! What is printed reads back.

use proptest::prelude::*;

use super::*;
use crate::config::{log_options, print_config, sample_config};

#[test]
fn the_printed_configuration_shows_every_value_with_its_origin() {
    let layers = layers().set("greeter.count=4");
    let text = "[greeter]\ngreeting = \"hi\"\n[greeter.tls]\ncert = \"c\"\nkey = \"k\"\n";
    let snapshot = build(&layers, text, &greeter()).unwrap();
    assert_eq!(
        print_config(&snapshot, &greeter()),
        "\
[greeter]
greeting = \"hi\"  # hello.toml:2
interval = \"5s\"  # default
count = 4  # --set greeter.count
ratio = 0.5  # default
loud = false  # default
room = \"64MiB\"  # default
hosts = [\"a\", \"b\"]  # default
mode = \"plain\"  # default
# name is not set
# labels is not set

[greeter.limits]
low = 1  # default
high = 9  # default

[greeter.tls]
cert = \"c\"  # hello.toml:4
# key = \"***\"  # hello.toml:5
"
    );
}

#[test]
fn the_sample_tells_what_each_option_is() {
    let periodic = vec![Field::new("every", "Duration").optional()];
    let sections = [
        Section::of::<Db>("db").doc("Where the greetings are kept."),
        Section::dynamic("x", vec![]).reserve("periodic", periodic),
    ];
    assert_eq!(
        sample_config(&sections),
        "\
# Where the greetings are kept.
[db]
# Type String, required.
# url = …

# Type String, required, secret.
# password = …

# Type u16, at most 9999, can change while the program runs, secret.
# pin = \"***\"

[x]

# [x.periodic.NAME]
# Type Duration, not set by default.
# every = …
"
    );
}

/// Takes the `#` off the options of a sample that have a default.
fn uncommented(sample: &str) -> String {
    let option = |line: &str| {
        line.strip_prefix('#')
            .filter(|rest| !rest.starts_with([' ', '#']))
            .map(str::to_owned)
    };
    sample
        .lines()
        .map(|line| option(line).unwrap_or_else(|| line.to_owned()) + "\n")
        .collect()
}

#[test]
fn the_sample_as_it_is_sets_nothing() {
    let sample = sample_config(&greeter());
    assert_eq!(read(&sample).unwrap(), defaults());
    let snapshot = build(&layers(), &sample, &greeter()).unwrap();
    assert_eq!(
        snapshot.get("greeter.count").unwrap().origin().to_string(),
        "default"
    );
}

#[test]
fn the_sample_uncommented_sets_every_default() {
    let sample = uncommented(&sample_config(&greeter()));
    assert_eq!(read(&sample).unwrap(), defaults(), "{sample}");
    let snapshot = build(&layers(), &sample, &greeter()).unwrap();
    let origin = snapshot
        .get("greeter.limits.high")
        .unwrap()
        .origin()
        .to_string();
    assert!(origin.starts_with("hello.toml:"), "{origin}");
}

fn leak(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_sample_of_any_default_reads_back_as_that_default(text: String, doc: String, key: String, number: i64) {
        prop_assume!(key != "number");
        let value = crate::config::Value::from(text.as_str());
        let fields = vec![
            Field::new(leak(key.clone()), "String").doc(leak(doc)).default(leak(value.to_string())),
            Field::new("number", "i64").default(leak(number.to_string())),
        ];
        let sections = [Section::dynamic("x", fields)];
        let sample = sample_config(&sections);
        for text in [&sample, &uncommented(&sample)] {
            let snapshot = build(&layers(), text, &sections).unwrap();
            prop_assert_eq!(snapshot.table("x").unwrap()[&key].value(), &value);
            prop_assert_eq!(snapshot.option::<i64>("x.number").unwrap(), Some(number));
        }
    }

    #[test]
    fn what_is_printed_reads_back_as_the_same_values(
        greeting: String,
        count in 1u16..=10,
        seconds in 1u64..=3600,
        ratio in prop::num::f64::NORMAL,
        hosts in prop::collection::vec(any::<String>(), 0..4),
        labels in prop::collection::btree_map("[a-z. \"]{0,4}", any::<i64>(), 0..4),
        name: Option<String>,
    ) {
        let quoted = |text: &str| crate::config::Value::from(text).to_string();
        let hosts: Vec<_> = hosts.iter().map(|host| quoted(host)).collect();
        let mut text = format!(
            "[greeter]\ngreeting = {}\nratio = {ratio:?}\nhosts = [{}]\n",
            quoted(&greeting), hosts.join(", "),
        );
        if let Some(name) = &name {
            text.push_str(&format!("name = {}\n", quoted(name)));
        }
        text.push_str("[greeter.labels]\n");
        for (key, value) in &labels {
            text.push_str(&format!("{} = {value}\n", quoted(key)));
        }
        let layers = layers()
            .set(format!("greeter.count={count}"))
            .set(format!("greeter.interval={seconds}s"));
        let snapshot = build(&layers, &text, &greeter()).unwrap();
        let printed = print_config(&snapshot, &greeter());
        let wanted: Greeter = snapshot.section("greeter").unwrap();
        prop_assert_eq!(read(&printed).unwrap(), wanted, "{}", printed);
    }
}

#[test]
fn the_log_has_a_line_for_each_option_of_the_sections() {
    let snapshot = build(&layers(), "", &greeter()).unwrap();
    let lines = log_options(&snapshot, &greeter());
    assert!(
        lines.contains(&"greeter.limits.low = 1 (default)".to_owned()),
        "{lines:?}"
    );
    assert!(
        lines.iter().all(|line| line.starts_with("greeter.")),
        "{lines:?}"
    );
}
