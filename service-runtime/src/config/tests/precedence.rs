//! What wins over what, and where it says it comes from.

use super::*;
use crate::config::Value;

fn variables(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

/// A layer as the test adds it, the greeting it gives, and the origin that must be reported.
type Layer = (fn(Layers) -> Layers, &'static str, &'static str);

const LAYERS: [Layer; 4] = [
    (
        |layers| layers.attribute("greeter.greeting", "by attribute"),
        "by attribute",
        "attribute greeting",
    ),
    (
        |layers| layers.env(variables(&[("HELLO__GREETER__GREETING", "by env")])),
        "by env",
        "environment variable HELLO__GREETER__GREETING",
    ),
    (
        |layers| layers.set("greeter.greeting=by set"),
        "by set",
        "--set greeter.greeting",
    ),
    (
        |layers| layers.flag("greeter.greeting", Value::text("by flag"), "--greeting"),
        "by flag",
        "--greeting",
    ),
];

fn greeting(layers: &Layers, text: &str) -> (String, String) {
    let snapshot = build(layers, text, &greeter()).unwrap();
    let entry = snapshot.get("greeter.greeting").unwrap();
    (
        entry.value().as_str().unwrap().to_owned(),
        entry.origin().to_string(),
    )
}

#[test]
fn an_empty_configuration_is_all_defaults() {
    assert_eq!(read("").unwrap(), defaults());
    assert_eq!(greeting(&layers(), ""), ("hello".into(), "default".into()));
}

#[test]
fn no_sections_and_no_layers_make_an_empty_snapshot() {
    let snapshot = layers().load(&[]).unwrap();
    assert_eq!(snapshot.to_string(), "");
    assert_eq!(snapshot.entries("launch").count(), 0);
}

#[test]
fn a_file_wins_over_the_attribute_and_names_its_line() {
    let layers = LAYERS[0].0(layers());
    let file = "\n[greeter]\ngreeting = \"by file\"\n";
    assert_eq!(
        greeting(&layers, file),
        ("by file".into(), "hello.toml:3".into())
    );
    assert_eq!(
        greeting(&layers, ""),
        ("by attribute".into(), "attribute greeting".into())
    );
}

#[test]
fn the_later_layer_wins_whatever_the_order_of_the_calls() {
    for (low, (lower, ..)) in LAYERS.iter().enumerate() {
        for (upper, value, origin) in &LAYERS[low + 1..] {
            let file = "greeter.greeting = \"by file\"";
            let wanted = ((*value).to_owned(), (*origin).to_owned());
            assert_eq!(greeting(&upper(lower(layers())), file), wanted);
            assert_eq!(greeting(&lower(upper(layers())), file), wanted);
        }
    }
}

#[test]
fn the_last_of_several_files_and_sets_wins() {
    let files = [("a.toml", "one"), ("b.toml", "two")];
    let text = |value: &str| format!("greeter.greeting = {value:?}");
    let sources = Sources {
        files: files.map(|(path, value)| (path.into(), text(value))).into(),
        ..Sources::default()
    };
    let snapshot = layers().build(&sources, &greeter()).unwrap();
    assert_eq!(
        snapshot
            .get("greeter.greeting")
            .unwrap()
            .origin()
            .to_string(),
        "b.toml:1"
    );
    let layers = layers().set("greeter.greeting=x").set("greeter.greeting=y");
    assert_eq!(greeting(&layers, "").0, "y");
}

#[test]
fn tables_are_joined_key_by_key_and_arrays_replaced() {
    let text = "[greeter]\nhosts = [\"c\"]\nlabels = { x = 1 }\n[greeter.limits]\nlow = 4\n";
    let layers = layers().env(variables(&[
        ("HELLO__GREETER__LIMITS__HIGH", "7"),
        ("HELLO__GREETER__LABELS__Y", "2"),
    ]));
    let greeter: Greeter = build(&layers, text, &greeter())
        .unwrap()
        .section("greeter")
        .unwrap();
    assert_eq!(greeter.limits, Limits { low: 4, high: 7 });
    assert_eq!(greeter.hosts, ["c"]);
    assert_eq!(
        greeter.labels,
        BTreeMap::from([("x".into(), 1), ("y".into(), 2)])
    );
}

#[test]
fn an_alias_sets_the_option_it_stands_for() {
    assert_eq!(read("[greeter]\ntimes = 7").unwrap().count, 7);
    let twice = wrong("[greeter]\ncount = 1\ntimes = 7");
    assert_eq!(
        twice,
        [
            "hello.toml:3: [greeter] times: given twice, under another name too: it is called `count`"
        ]
    );
}

#[test]
fn variables_of_other_programs_are_left_alone() {
    let layers = layers().env(variables(&[
        ("HELLO_GREETER_X", "1"),
        ("OTHER__GREETER__X", "1"),
    ]));
    assert_eq!(greeting(&layers, "").0, "hello");
}

#[test]
fn sources_sent_to_another_process_build_the_same_snapshot() {
    let sources = Sources {
        files: vec![("a.toml".into(), "greeter.count = 4".into())],
        ..Sources::default()
    };
    let sent = Sources::from_bytes(&sources.to_bytes()).unwrap();
    let one = layers().build(&sources, &greeter()).unwrap();
    assert_eq!(
        one.to_string(),
        layers().build(&sent, &greeter()).unwrap().to_string()
    );
}

#[test]
fn a_launch_table_of_run_time_fields_is_typed_by_its_kinds() {
    let fields = vec![
        Field::new("workers", "NonZeroUsize").optional(),
        Field::new("respawn_delay", "Duration").default("\"100ms\""),
        Field::new("log_format", "String")
            .default("\"text\"")
            .one_of(&["text", "json"]),
    ];
    let sections = [Section::dynamic("launch", fields)];
    let layers = layers().env(variables(&[("HELLO__LAUNCH__WORKERS", "4")]));
    let snapshot = layers.load(&sections).unwrap();
    let entries: Vec<_> = snapshot.entries("launch").map(|(key, ..)| key).collect();
    assert_eq!(entries, ["log_format", "respawn_delay", "workers"]);
    assert_eq!(
        snapshot.get("launch.workers").unwrap().value(),
        &Value::Integer(4)
    );
    assert_eq!(snapshot.option::<u64>("launch.workers").unwrap(), Some(4));
    assert_eq!(
        snapshot.option::<Duration>("launch.respawn_delay").unwrap(),
        Some(Duration::from_millis(100))
    );
    assert_eq!(snapshot.option::<u64>("launch.absent").unwrap(), None);
}

#[test]
fn reserved_tables_are_the_frameworks_and_not_the_types() {
    let fields = vec![
        Field::new("every", "Duration").optional(),
        Field::new("enabled", "bool").optional(),
    ];
    let sections = [Section::of::<Greeter>("greeter").reserve("periodic", fields)];
    let text = "[greeter.periodic.greet]\nevery = \"2s\"\n";
    let layers = layers().set("greeter.periodic.greet.enabled=no");
    let snapshot = build(&layers, text, &sections).unwrap();
    assert_eq!(snapshot.section::<Greeter>("greeter").unwrap(), defaults());
    let every = snapshot
        .option::<Duration>("greeter.periodic.greet.every")
        .unwrap();
    assert_eq!(every, Some(Duration::from_secs(2)));
    assert_eq!(
        snapshot
            .get("greeter.periodic.greet.enabled")
            .unwrap()
            .value(),
        &Value::Bool(false)
    );
}

#[test]
fn types_that_share_a_table_each_see_their_own_options() {
    #[derive(Debug, PartialEq, serde::Deserialize)]
    struct Door {
        count: u8,
        open: bool,
    }
    impl Config for Door {
        const FIELDS: &'static [Field] = &[
            Field::new("count", "u8").default("7"),
            Field::new("open", "bool").default("true"),
        ];
    }
    let sections = [Section::of::<Greeter>("greeter").with::<Door>()];
    let snapshot = build(&layers(), "[greeter]\nopen = false\n", &sections).unwrap();
    // What the first type says of an option that both know counts.
    let greeter = snapshot.section::<Greeter>("greeter").unwrap();
    assert_eq!(greeter, defaults());
    let count = u8::try_from(greeter.count).unwrap();
    let door = snapshot.section::<Door>("greeter").unwrap();
    assert_eq!(door, Door { count, open: false });
    for wrong in ["[greeter]\nopen = 3\n", "[greeter]\noqen = true\n"] {
        let error = build(&layers(), wrong, &sections).unwrap_err().to_string();
        assert!(error.contains("open"), "{error}");
        assert_eq!(error.lines().count(), 1, "{error}");
    }
}

#[test]
fn a_section_can_be_declared_in_a_constant_and_named_later() {
    const SECTION: Section = Section::of::<Greeter>("").doc("Greets.");
    let sections = [SECTION.named("other".to_owned())];
    let snapshot = layers().set("other.count=2").load(&sections).unwrap();
    assert_eq!(snapshot.section::<Greeter>("other").unwrap().count, 2);
}

#[test]
fn a_snapshot_can_be_shared_between_threads() {
    fn shared<T: Send + Sync + Clone + 'static>() {}
    shared::<Snapshot>();
    shared::<Section>();
    shared::<Layers>();
}
