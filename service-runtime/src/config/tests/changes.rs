//! Taking mutable options from a newer snapshot.

use super::*;

fn snapshot(text: &str) -> Snapshot {
    build(&layers(), text, &greeter()).unwrap()
}

#[test]
fn mutable_options_are_taken_and_the_others_are_reported() {
    let old = snapshot("[greeter]\ngreeting = \"hello\"\ncount = 1\n");
    let new = snapshot("[greeter]\ncount = 2\n\ngreeting = \"hi\"\n");
    let (mixed, changes) = old.mutate(&new, &greeter());
    let read: Greeter = mixed.section("greeter").unwrap();
    assert_eq!((read.greeting.as_str(), read.count), ("hi", 1));
    assert_eq!(
        changes.to_string(),
        "[greeter] greeting: \"hello\" -> \"hi\" (hello.toml:4)\n\
         [greeter] count: 1 -> 2 (hello.toml:2): needs a restart"
    );
    assert_eq!(changes.refused()[0].key, "count");
}

#[test]
fn the_old_snapshot_stays_as_it_was() {
    let old = snapshot("greeter.greeting = \"hello\"");
    let before = old.to_string();
    old.mutate(&snapshot("greeter.greeting = \"hi\""), &greeter());
    assert_eq!(old.to_string(), before);
}

#[test]
fn an_option_that_is_no_longer_set_goes_back_to_its_default() {
    let old = snapshot("[greeter]\ngreeting = \"hi\"\nname = \"x\"");
    let (mixed, changes) = old.mutate(&snapshot(""), &greeter());
    assert_eq!(mixed.section::<Greeter>("greeter").unwrap(), defaults());
    assert_eq!(
        changes.to_string(),
        "[greeter] greeting: \"hi\" -> \"hello\" (default)\n[greeter] name: \"x\" -> not set"
    );
}

#[test]
fn the_same_value_written_otherwise_is_no_change() {
    let old = snapshot("[greeter]\ninterval = \"60s\"\nroom = \"1MiB\"\n");
    let new = snapshot("[greeter]\n\nroom = \"1024KiB\"\ninterval = \"1m\"\n");
    let (mixed, changes) = old.mutate(&new, &greeter());
    assert_eq!(changes.to_string(), "");
    assert_eq!(
        mixed.get("greeter.room").unwrap().origin().to_string(),
        "hello.toml:3"
    );
}

#[test]
fn the_same_number_from_another_layer_is_no_change() {
    let old = snapshot("greeter.count = 4");
    let new = build(&layers().set("greeter.count=4"), "", &greeter()).unwrap();
    assert_eq!(old.mutate(&new, &greeter()).1.to_string(), "");
}

#[test]
fn tables_inside_of_a_section_are_compared_option_by_option() {
    let old = snapshot("[greeter.limits]\nlow = 1\nhigh = 2");
    let (mixed, changes) = old.mutate(&snapshot("[greeter.limits]\nlow = 3\nhigh = 4"), &greeter());
    assert_eq!(
        mixed.section::<Greeter>("greeter").unwrap().limits,
        Limits { low: 3, high: 2 }
    );
    assert_eq!(
        changes.to_string(),
        "[greeter.limits] low: 1 -> 3 (hello.toml:2)\n\
         [greeter.limits] high: 2 -> 4 (hello.toml:3): needs a restart"
    );
}

#[test]
fn a_table_that_appears_is_refused_as_a_whole_unless_all_of_it_is_mutable() {
    let new = snapshot("[greeter.tls]\ncert = \"c\"\nkey = \"k\"");
    let (mixed, changes) = snapshot("").mutate(&new, &greeter());
    assert_eq!(mixed.section::<Greeter>("greeter").unwrap().tls, None);
    assert_eq!(changes.refused().len(), 1);
    assert_eq!(changes.refused()[0].key, "tls");
}

#[test]
fn reserved_tables_change_option_by_option_and_may_come_and_go() {
    let fields = vec![
        Field::new("enabled", "bool").optional().mutable(),
        Field::new("every", "Duration").optional(),
    ];
    let sections = [Section::of::<Greeter>("greeter").reserve("periodic", fields)];
    let old = build(&layers(), "", &sections).unwrap();
    let text = "[greeter.periodic.greet]\nenabled = false\nevery = \"1s\"";
    let new = build(&layers(), text, &sections).unwrap();
    let (mixed, changes) = old.mutate(&new, &sections);
    assert_eq!(
        mixed
            .option::<bool>("greeter.periodic.greet.enabled")
            .unwrap(),
        Some(false)
    );
    assert!(mixed.get("greeter.periodic.greet.every").is_none());
    assert_eq!(
        changes.to_string(),
        "[greeter.periodic.greet] enabled: not set -> false (hello.toml:2)\n\
         [greeter.periodic.greet] every: not set -> \"1s\" (hello.toml:3): needs a restart"
    );
    let (back, changes) = mixed.mutate(&old, &sections);
    assert_eq!(
        back.option::<bool>("greeter.periodic.greet.enabled")
            .unwrap(),
        None
    );
    assert_eq!(changes.applied().len(), 1);
    back.validate(&sections).unwrap();
}
