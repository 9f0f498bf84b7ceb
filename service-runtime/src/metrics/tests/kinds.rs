//! Gauges, bounds and limits as settings tell them, also when those change at a reload.

use super::{inherit_with, lines, registry, settings, text, words};
use crate::metrics::layout::Kind;
use crate::metrics::place::Place;
use crate::metrics::reader::{Arena, Reading, read};
use crate::metrics::registry::Registry;
use crate::metrics::settings::{Merge, MetricSettings};
use ::metrics::{GaugeFn, HistogramFn};

#[test]
fn gauges_are_merged_as_they_are_told() {
    let told = settings(&["most=max", "least=min", "slots=each"], &[]);
    let arenas: Vec<Arena> = [3.0, 1.0, 2.0]
        .into_iter()
        .enumerate()
        .map(|(number, value)| {
            let pool = (number == 2).then(|| "mail\"er".to_owned());
            let place = Place::Slot(number, pool);
            let registry = Registry::open(words(), &place, told.clone());
            for name in ["most", "least", "slots", "all"] {
                registry
                    .cell(Kind::Gauge, name, &[])
                    .unwrap()
                    .handle
                    .set(value);
            }
            read(&registry.load()).unwrap()
        })
        .collect();
    assert_eq!(arenas[0].records[0].value, Reading::Gauge(3.0, Merge::Max));
    let text = text(&arenas);
    for line in [
        "most 3.0",
        "least 1.0",
        "all 6.0",
        "slots{slot=\"0\"} 3.0",
        "slots{slot=\"1\"} 1.0",
        "slots{pool=\"mail\\\"er\",slot=\"2\"} 2.0",
    ] {
        assert!(lines(&text).contains(&line), "{line} in {text}");
    }
}

#[test]
fn a_gauge_that_is_merged_in_another_way_after_a_reload_is() {
    let first = registry();
    first
        .cell(Kind::Gauge, "open", &[])
        .unwrap()
        .handle
        .set(1.0);
    let second = inherit_with(&first, settings(&["open=max"], &[]));
    second
        .cell(Kind::Gauge, "open", &[])
        .unwrap()
        .handle
        .set(2.0);
    let arena = read(&second.load()).unwrap();
    assert_eq!(arena.records.len(), 1);
    assert_eq!(arena.records[0].value, Reading::Gauge(2.0, Merge::Max));
}

#[test]
fn other_bounds_after_a_reload_lose_no_count_and_bounds_of_before_come_back() {
    let with = |bounds: &str| settings(&[], &[bounds]);
    let record = |registry: &Registry| {
        registry.histogram("sizes", &[]).unwrap().handle.record(3.0);
    };
    let first = Registry::open(words(), &Place::Alone, with("sizes=1,4"));
    record(&first);
    let second = inherit_with(&first, with("sizes=2,5,8"));
    record(&second);
    let text = text(&[read(&second.load()).unwrap()]);
    for line in [
        "sizes_bucket{le=\"2.0\"} 0",
        "sizes_bucket{le=\"5.0\"} 2",
        "sizes_bucket{le=\"8.0\"} 2",
        "sizes_count 2",
        "sizes_sum 6.0",
    ] {
        assert!(lines(&text).contains(&line), "{line} in {text}");
    }
    let (mut last, mut length) = (second, 0);
    for round in 0..10 {
        let bounds = if round % 2 == 0 {
            "sizes=1,4"
        } else {
            "sizes=2,5,8"
        };
        last = inherit_with(&last, with(bounds));
        record(&last);
        let now = last.load().len();
        assert!(round == 0 || now == length, "the arena grows");
        length = now;
    }
    let text = super::text(&[read(&last.load()).unwrap()]);
    assert!(text.contains("sizes_count 12\n"), "{text}");
}

#[test]
fn seconds_are_counted_in_nanoseconds_and_shown_as_seconds() {
    let registry = registry();
    for millis in [1500, 250] {
        let time = std::time::Duration::from_millis(millis);
        registry.add_time("process_cpu_seconds_total", &[("slot", "0")], time);
    }
    let text = text(&[read(&registry.load()).unwrap()]);
    assert!(
        text.contains("# TYPE process_cpu_seconds_total counter\n"),
        "{text}"
    );
    assert!(
        text.contains("process_cpu_seconds_total{slot=\"0\"} 1.75\n"),
        "{text}"
    );
}

#[test]
fn the_limit_on_series_is_the_one_that_was_told() {
    let told = MetricSettings {
        series: 3,
        ..MetricSettings::default()
    };
    let registry = Registry::open(words(), &Place::Alone, told);
    for number in 0..10 {
        let number = number.to_string();
        let labels = [("number", &*number)];
        let found = registry.cell(Kind::Counter, "hits", &labels).unwrap();
        found.handle.increment(1);
    }
    let text = text(&[read(&registry.load()).unwrap()]);
    assert_eq!(lines(&text).len(), 1 + 3 + 1);
    assert!(text.contains("hits_total{overflow=\"true\"} 7\n"), "{text}");
}
