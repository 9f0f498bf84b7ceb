//! One mistake, one error; all mistakes, all errors.

use super::*;

#[test]
fn one_wrong_key_among_a_thousand_lines_is_one_error_with_its_line() {
    let mut text = String::from("[greeter]\n[greeter.labels]\n");
    for n in 0..1000 {
        text.push_str(&format!("label{n} = {n}\n"));
    }
    text.push_str("[greeter.limits]\nlow = 2\nhgih = 3\n");
    assert_eq!(
        wrong(&text),
        [
            "hello.toml:1005: [greeter.limits] hgih: unknown key, did you mean `high`? (known: `high`, `low`)"
        ]
    );
}

#[test]
fn one_wrong_type_is_one_error_that_says_what_was_expected() {
    assert_eq!(
        wrong("[greeter]\ncount = \"many\"\n"),
        ["hello.toml:2: [greeter] count: expected an integer from 0 to 65535, found string `many`"]
    );
    assert_eq!(
        wrong("[greeter]\nhosts = [\"a\", 5]\n"),
        ["hello.toml:2: [greeter] hosts[1]: expected a string, found integer `5`"]
    );
    assert_eq!(
        wrong("[greeter.labels]\nx = 1\ny = \"z\"\n"),
        ["hello.toml:3: [greeter.labels] y: expected an integer, found string `z`"]
    );
    assert_eq!(
        wrong("[greeter]\nlimits = 5\n"),
        ["hello.toml:2: [greeter] limits: expected a table, found integer"]
    );
    assert_eq!(
        wrong("greeter = 5\n"),
        ["hello.toml:1: [greeter]: expected a table, found integer"]
    );
}

#[test]
fn all_errors_are_collected_in_the_order_of_their_lines() {
    let text = "\
[greeter]
count = 11
loud = 1
interval = \"soon\"
mode = \"fncy\"
hosts = [1, \"x\", 2]
colour = \"red\"
[greeter.limits]
low = 300
[grter]
x = 1
";
    assert_eq!(
        wrong(text),
        [
            "hello.toml:2: [greeter] count: expected 1 to 10, found integer `11`",
            "hello.toml:3: [greeter] loud: expected `true` or `false`, found integer `1`",
            "hello.toml:4: [greeter] interval: \
             expected a duration such as `5s` or `1m 30s`, found string `soon`",
            "hello.toml:5: [greeter] mode: unknown value `fncy`, did you mean `fancy`? \
             (known: `every`, `fancy`, `plain`)",
            "hello.toml:6: [greeter] hosts[0]: expected a string, found integer `1`",
            "hello.toml:6: [greeter] hosts[2]: expected a string, found integer `2`",
            "hello.toml:7: [greeter] colour: unknown key (known: `count`, `greeting`, `hosts`, \
             `interval`, `labels`, `limits`, `loud`, `mode`, `name`, `ratio`, `room`, `tls`)",
            "hello.toml:9: [greeter.limits] low: \
             expected an integer from 0 to 255, found integer `300`",
            "hello.toml:10: [grter]: unknown table, did you mean `greeter`? (known: `greeter`)",
        ]
    );
}

#[test]
fn broken_toml_is_one_error_and_nothing_else_is_said_to_be_missing() {
    let errors = lines(build(
        &layers(),
        "[db]\nurl = \n",
        &[Section::of::<Db>("db")],
    ));
    assert_eq!(errors.len(), 1);
    assert!(
        errors[0].starts_with("hello.toml:2:7: broken TOML: "),
        "{errors:?}"
    );
}

#[test]
fn a_required_option_that_nobody_set_names_the_three_ways_to_set_it() {
    assert_eq!(
        lines(build(
            &layers(),
            "[db]\npassword = \"x\"\n",
            &[Section::of::<Db>("db")]
        )),
        [
            "[db] url: required and not set: give it as `url = …` under `[db]` in a configuration file, \
          as `HELLO__DB__URL=…` in the environment, or as `--set db.url=…`"
        ]
    );
}

#[test]
fn a_required_option_that_was_misspelled_is_not_missing_as_well() {
    let text = "[db]\nulr = \"x\"\npassword = \"x\"\n";
    assert_eq!(
        lines(build(&layers(), text, &[Section::of::<Db>("db")])),
        [
            "hello.toml:2: [db] ulr: unknown key, did you mean `url`? (known: `password`, `pin`, `url`)"
        ]
    );
}

#[test]
fn a_table_that_may_be_absent_must_be_whole_when_it_is_there() {
    let errors = wrong("[greeter.tls]\ncert = \"c\"\n");
    assert_eq!(errors.len(), 1);
    assert!(
        errors[0].starts_with("[greeter.tls] key: required and not set"),
        "{errors:?}"
    );
    assert!(errors[0].contains("HELLO__GREETER__TLS__KEY"), "{errors:?}");
}

#[test]
fn an_option_outside_of_any_table_is_told_where_options_stand() {
    assert_eq!(
        wrong("workers = 2\n"),
        [
            "hello.toml:1: [workers]: expected a table, since options stand in tables (known: `greeter`)"
        ]
    );
}

#[test]
fn ranges_hold_for_numbers_durations_and_sizes_from_every_layer() {
    let layers = layers().set("greeter.count=0").set("greeter.room=2GiB");
    assert_eq!(
        lines(build(&layers, "[greeter]\ninterval = \"10ms\"", &greeter())),
        [
            "hello.toml:2: [greeter] interval: expected 1s to 1h, found string `10ms`",
            "--set greeter.count: [greeter] count: expected 1 to 10, found text `0`",
            "--set greeter.room: [greeter] room: expected at most 1GiB, found text `2GiB`",
        ]
    );
}

#[test]
fn bad_defaults_are_errors_of_the_program_with_their_origin() {
    let fields = vec![
        Field::new("a", "u16").default("= 5"),
        Field::new("b", "u16").default("\"x\""),
        Field::new("c", "u16").default("5").range(None, Some("3")),
        Field::new("d", "u16")
            .default("5")
            .range(Some("\"1s\""), None),
    ];
    let errors = lines(layers().load(&[Section::dynamic("launch", fields)]));
    assert_eq!(errors.len(), 4, "{errors:?}");
    assert!(
        errors[0].starts_with("default: [launch] a: the default is no TOML value: "),
        "{errors:?}"
    );
    assert_eq!(
        errors[1],
        "default: [launch] b: expected an integer from 0 to 65535, found string `x`"
    );
    assert_eq!(
        errors[2],
        "default: [launch] c: expected at most 3, found integer `5`"
    );
    assert!(
        errors[3].starts_with("default: [launch] d: the bound"),
        "{errors:?}"
    );
}

#[test]
fn keys_that_only_a_types_own_serde_knows_are_checked_too() {
    assert_eq!(
        wrong("[greeter]\nmode = { fancy = { colour = \"red\", color = \"red\" } }\n"),
        [
            "hello.toml:2: [greeter.mode.fancy] color: unknown key, did you mean `colour`? (known: `colour`)"
        ]
    );
    let missing = wrong("[greeter]\nmode = { fancy = {} }\n");
    assert_eq!(missing.len(), 1, "{missing:?}");
    assert!(
        missing[0].starts_with("[greeter.mode.fancy] colour: required and not set"),
        "{missing:?}"
    );
    assert_eq!(
        wrong("[greeter]\nmode = {}\n"),
        ["hello.toml:2: [greeter] mode: expected one of `plain`, `fancy`, `every`, found table"]
    );
}

#[test]
fn the_words_of_the_authors_own_check_come_with_the_place() {
    #[derive(Debug, Deserialize)]
    #[serde(try_from = "u16")]
    struct Even;
    impl TryFrom<u16> for Even {
        type Error = String;
        fn try_from(number: u16) -> Result<Self, String> {
            if number.is_multiple_of(2) {
                Ok(Self)
            } else {
                Err("expected an even number".into())
            }
        }
    }
    #[derive(Debug, Deserialize)]
    struct Numbers {
        #[serde(rename = "even")]
        _even: Even,
    }
    impl Config for Numbers {
        const FIELDS: &'static [Field] = &[Field::new("even", "Even")];
    }
    assert_eq!(
        lines(build(
            &layers(),
            "[n]\neven = 3",
            &[Section::of::<Numbers>("n")]
        )),
        ["hello.toml:2: [n] even: expected an even number, found integer `3`"]
    );
}

#[test]
fn run_time_fields_are_checked_by_kind_and_choice() {
    let fields = vec![
        Field::new("workers", "NonZeroUsize").optional(),
        Field::new("log_format", "String")
            .optional()
            .one_of(&["text", "json"]),
    ];
    let every = vec![Field::new("every", "Duration").optional()];
    let sections = [
        Section::dynamic("launch", fields),
        Section::of::<Greeter>("greeter").reserve("periodic", every),
    ];
    let text = "[launch]\nworkers = 0\nlog_format = \"jsn\"\n[greeter.periodic.greet]\nevery = 5\nevry = 1\n";
    assert_eq!(
        lines(build(&layers(), text, &sections)),
        [
            "hello.toml:2: [launch] workers: expected an integer, at least 1, found integer `0`",
            "hello.toml:3: [launch] log_format: unknown value `jsn`, did you mean `json`? \
             (known: `json`, `text`)",
            "hello.toml:5: [greeter.periodic.greet] every: \
             expected a duration such as `5s` or `1m 30s`, found integer `5`",
            "hello.toml:6: [greeter.periodic.greet] evry: unknown key, did you mean `every`? \
             (known: `every`)",
        ]
    );
}

#[test]
fn an_option_that_takes_the_frameworks_name_is_refused() {
    let section = Section::dynamic("x", vec![Field::new("periodic", "u8").optional()]);
    let errors = lines(layers().load(&[section.reserve("periodic", Vec::new())]));
    assert_eq!(
        errors,
        ["default: [x] periodic: the name is the framework's; give the option another"]
    );
}

#[test]
fn a_set_without_a_key_or_a_value_is_told_the_form() {
    for text in ["greeter.count", "=5", "greeter.=5"] {
        let errors = lines(layers().set(text).load(&greeter()));
        assert!(
            errors[0].ends_with("expected `--set section.key=value`"),
            "{errors:?}"
        );
    }
}

#[test]
fn an_undeclared_section_is_an_error_with_the_near_miss() {
    let snapshot = layers().load(&greeter()).unwrap();
    assert_eq!(
        snapshot
            .section::<Greeter>("greter")
            .unwrap_err()
            .to_string(),
        "[greter]: no such section was declared, did you mean `greeter`? (known: `greeter`)"
    );
}

#[test]
fn errors_of_many_places_are_ordered_without_a_panic() {
    let mut text = String::from("[greeter]\n");
    let mut layers = layers();
    for n in 0..60 {
        text.push_str(&format!("unknown{n} = {n}\n"));
        layers = layers.set(format!("greeter.set{n}={n}"));
    }
    let errors = lines(build(&layers, &text, &greeter()));
    assert_eq!(errors.len(), 120);
    assert!(errors[0].starts_with("hello.toml:2: "), "{errors:?}");
    assert!(
        errors[119].starts_with("--set greeter.set59: "),
        "{errors:?}"
    );
}
