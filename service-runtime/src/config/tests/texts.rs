//! Text from the environment, `--set` and flags becomes what its field asks for.

use proptest::prelude::*;

use super::*;

fn set(text: &str) -> Result<Greeter, ConfigErrors> {
    build(&layers().set(text), "", &greeter())?.section("greeter")
}

#[test]
fn text_becomes_every_type_that_a_field_asks_for() {
    assert_eq!(set("greeter.count=0x7").unwrap().count, 7);
    assert_eq!(set("greeter.ratio=2").unwrap().ratio, 2.0);
    assert!(set("greeter.loud=on").unwrap().loud);
    assert_eq!(
        set("greeter.interval=1m 30s").unwrap().interval,
        Duration::from_secs(90)
    );
    assert_eq!(
        set("greeter.room=1.5KiB").unwrap().room,
        Size::from_bytes(1536)
    );
    assert_eq!(
        set("greeter.hosts=[\"x\", \"y\"]").unwrap().hosts,
        ["x", "y"]
    );
    assert_eq!(
        set("greeter.labels={ a = 1 }").unwrap().labels,
        BTreeMap::from([("a".into(), 1)])
    );
    assert_eq!(
        set("greeter.limits={ high = 5 }").unwrap().limits,
        Limits { low: 1, high: 5 }
    );
    let tls = Tls {
        cert: "c".into(),
        key: "k".into(),
    };
    assert_eq!(
        set("greeter.tls={ cert = 'c', key = 'k' }").unwrap().tls,
        Some(tls)
    );
}

#[test]
fn text_becomes_every_shape_of_enum() {
    assert_eq!(set("greeter.mode=plain").unwrap().mode, Mode::Plain);
    let fancy = Mode::Fancy {
        colour: "red".into(),
    };
    assert_eq!(
        set("greeter.mode={ fancy = { colour = 'red' } }")
            .unwrap()
            .mode,
        fancy
    );
    assert_eq!(
        set("greeter.mode={ every = '2s' }").unwrap().mode,
        Mode::Every(Duration::from_secs(2))
    );
}

#[test]
fn text_stays_a_string_where_a_string_is_asked_for() {
    for text in ["5", "true", "[1]", "{ a = 1 }", "", "1s"] {
        assert_eq!(
            set(&format!("greeter.greeting={text}")).unwrap().greeting,
            text
        );
        assert_eq!(
            set(&format!("greeter.name={text}")).unwrap().name.unwrap(),
            text
        );
    }
}

#[test]
fn a_typed_value_of_a_file_is_not_bent() {
    assert_eq!(
        wrong("[greeter]\nloud = \"true\"\n"),
        ["hello.toml:2: [greeter] loud: expected `true` or `false`, found string `true`"]
    );
    assert_eq!(
        wrong("[greeter]\ngreeting = 5\n"),
        ["hello.toml:2: [greeter] greeting: expected a string, found integer `5`"]
    );
    assert_eq!(read("[greeter]\nratio = 1\n").unwrap().ratio, 1.0);
}

#[test]
fn text_of_a_wrong_kind_is_an_error_that_names_the_variable() {
    let variable = ("HELLO__GREETER__HOSTS".to_owned(), "a,b".to_owned());
    assert_eq!(
        lines(build(&layers().env([variable]), "", &greeter())),
        [
            "environment variable HELLO__GREETER__HOSTS: [greeter] hosts: \
          expected an array such as `[\"a\", \"b\"]`, found text `a,b`"
        ]
    );
}

#[test]
fn zero_is_a_duration_without_a_unit_and_nothing_else_is() {
    let field = Field::new("timeout", "Duration").default("0");
    let sections = [Section::dynamic("launch", vec![field])];
    let timeout = |text| {
        build(&layers(), text, &sections)?
            .option::<Duration>("launch.timeout")
            .map(Option::unwrap)
    };
    assert_eq!(timeout("").unwrap(), Duration::ZERO);
    assert_eq!(timeout("launch.timeout = \"0\"").unwrap(), Duration::ZERO);
    assert_eq!(
        timeout("launch.timeout = 60").unwrap_err().to_string(),
        "hello.toml:1: [launch] timeout: expected a duration such as `5s` or `1m 30s`, found integer `60`"
    );
}

proptest! {
    #[test]
    fn any_number_given_as_text_is_that_number(count in 1u16..=10, ratio: f64, low: u8) {
        prop_assume!(!ratio.is_nan());
        let layers = layers()
            .set(format!("greeter.count={count}"))
            .set(format!("greeter.ratio={ratio}"))
            .set(format!("greeter.limits.low={low}"));
        let greeter: Greeter = build(&layers, "", &greeter()).unwrap().section("greeter").unwrap();
        prop_assert_eq!((greeter.count, greeter.ratio, greeter.limits.low), (count, ratio, low));
    }

    #[test]
    fn any_string_given_as_text_is_that_string(text: String) {
        let variable = ("HELLO__GREETER__GREETING".to_owned(), text.clone());
        let snapshot = build(&layers().env([variable]), "", &greeter()).unwrap();
        prop_assert_eq!(snapshot.section::<Greeter>("greeter").unwrap().greeting, text);
    }

    #[test]
    fn no_text_makes_a_build_panic(key in "[a-z]{0,8}(\\.[a-z]{0,8}){0,3}", text: String) {
        let layers = layers().set(format!("{key}={text}")).set(format!("greeter.{key}={text}"));
        let built = build(&layers, &text, &greeter());
        prop_assert!(built.map_err(|errors| errors.to_string()).map_or_else(|text| !text.is_empty(), |_| true));
    }
}
