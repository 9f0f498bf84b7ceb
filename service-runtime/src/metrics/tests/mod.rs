//! From a count to the text, through memory.
#![expect(clippy::unwrap_used, reason = "what fails here fails a test")]

mod kinds;

use std::num::NonZeroUsize;

use ::metrics::{GaugeFn, HistogramFn, Key, Label, Level, Metadata, Recorder as _};
use proptest::prelude::*;

use crate::metrics::families::merge;
use crate::metrics::layout::{ARENA_WORDS, HEADER, Kind, at};
use crate::metrics::place::Place;
use crate::metrics::reader::{Arena, Garbled, Reading, read};
use crate::metrics::recorder::Recorder;
use crate::metrics::registry::Registry;
use crate::metrics::settings::MetricSettings;
use crate::metrics::text::{Format, write};
use crate::os::process::arena::Words;

fn words() -> Words {
    Words::anonymous(NonZeroUsize::new(ARENA_WORDS).unwrap()).unwrap()
}

fn open(words: Words) -> Registry {
    Registry::open(words, &Place::Alone, MetricSettings::default())
}

fn registry() -> Registry {
    open(words())
}

fn settings(gauges: &[&str], buckets: &[&str]) -> MetricSettings {
    let list = |texts: &[&str]| {
        texts
            .iter()
            .map(|text| (*text).to_owned())
            .collect::<Vec<_>>()
    };
    MetricSettings {
        gauges: MetricSettings::read_gauges(&list(gauges)).unwrap(),
        buckets: MetricSettings::read_buckets(&list(buckets)).unwrap(),
        ..MetricSettings::default()
    }
}

fn text(arenas: &[Arena]) -> String {
    write(&merge(arenas), Format::Prometheus)
}

fn lines(text: &str) -> Vec<&str> {
    text.lines().collect()
}

#[test]
fn what_is_counted_is_read() {
    let registry = registry();
    let labels = [("path", "/a"), ("method", "GET")];
    let counter = registry.cell(Kind::Counter, "hits", &labels).unwrap();
    counter.handle.increment(3);
    let turned = [("method", "GET"), ("path", "/a")];
    let same = registry.cell(Kind::Counter, "hits", &turned).unwrap();
    same.handle.increment(4);
    let gauge = registry.cell(Kind::Gauge, "open", &[]).unwrap().handle;
    gauge.set(2.5);
    gauge.decrement(1.0);
    registry.describe("hits", "How often.");
    registry.describe("hits", "Said too late.");
    let arena = read(&registry.load()).unwrap();
    assert_eq!(arena.owner.unwrap().pid(), std::process::id());
    assert_eq!(
        lines(&text(&[arena])),
        [
            "# HELP hits_total How often.",
            "# TYPE hits_total counter",
            "hits_total{method=\"GET\",path=\"/a\"} 7",
            "# TYPE open gauge",
            "open 1.5",
        ]
    );
}

#[test]
fn the_buckets_of_a_histogram_add_up_to_its_count() {
    let registry = registry();
    let histogram = registry.histogram("took_seconds", &[]).unwrap().handle;
    for value in [0.001, 0.002, 0.3, 1e9, f64::NAN] {
        histogram.record(value);
    }
    histogram.record_many(0.3, 2);
    let text = text(&[read(&registry.load()).unwrap()]);
    for line in [
        "took_seconds_bucket{le=\"0.001\"} 1",
        "took_seconds_bucket{le=\"0.0025\"} 2",
        "took_seconds_bucket{le=\"0.5\"} 5",
        "took_seconds_bucket{le=\"+Inf\"} 6",
        "took_seconds_count 6",
    ] {
        assert!(lines(&text).contains(&line), "{line} in {text}");
    }
}

/// Copies the words of one process's arena to the next one.
fn inherit(from: &Registry) -> Registry {
    inherit_with(from, MetricSettings::default())
}

fn inherit_with(from: &Registry, settings: MetricSettings) -> Registry {
    let words = words();
    for (word, value) in words.iter().zip(from.load()) {
        word.store(value, std::sync::atomic::Ordering::Relaxed);
    }
    Registry::open(words, &Place::Alone, settings)
}

#[test]
fn the_next_worker_counts_on_and_its_gauges_are_its_own() {
    let first = registry();
    first
        .cell(Kind::Counter, "hits", &[])
        .unwrap()
        .handle
        .increment(5);
    first
        .cell(Kind::Gauge, "open", &[])
        .unwrap()
        .handle
        .set(9.0);
    first
        .histogram("took_seconds", &[])
        .unwrap()
        .handle
        .record(0.2);
    let mut length = 0;
    let mut last = first;
    for _ in 0..1000 {
        last = inherit(&last);
        last.cell(Kind::Counter, "hits", &[])
            .unwrap()
            .handle
            .increment(1);
        last.histogram("took_seconds", &[])
            .unwrap()
            .handle
            .record(0.2);
        let now = last.load().len();
        assert!(length == 0 || now == length, "the arena grows");
        length = now;
    }
    let text = text(&[read(&last.load()).unwrap()]);
    for line in ["hits_total 1005", "took_seconds_count 1001"] {
        assert!(lines(&text).contains(&line), "{line} in {text}");
    }
    // A gauge that this worker has not set is not shown, and one that it holds is 0.
    assert!(!text.contains("open"), "{text}");
    last.cell(Kind::Gauge, "open", &[]).unwrap();
    let text = self::text(&[read(&last.load()).unwrap()]);
    assert!(lines(&text).contains(&"open 0.0"), "{text}");
}

#[test]
fn a_record_that_its_writer_did_not_finish_is_not_there() {
    let registry = registry();
    registry.cell(Kind::Counter, "hits", &[]).unwrap();
    let mut words = registry.load();
    let used = words.len();
    registry.cell(Kind::Counter, "half", &[]).unwrap();
    // As a writer that was killed leaves it: some words written, and not counted as used.
    words.extend_from_slice(&registry.load()[used..]);
    assert_eq!(read(&words).unwrap().records.len(), 1);
}

#[test]
fn processes_are_added_up_and_the_gauges_of_the_ended_are_gone() {
    let arenas: Vec<Arena> = (1..=3_u64)
        .map(|number| {
            let registry = registry();
            registry
                .cell(Kind::Counter, "hits", &[])
                .unwrap()
                .handle
                .increment(number);
            registry
                .cell(Kind::Gauge, "open", &[])
                .unwrap()
                .handle
                .set(10.0);
            let mut arena = read(&registry.load()).unwrap();
            arena.owner = arena.owner.filter(|_| number > 1);
            arena
        })
        .collect();
    let text = text(&arenas);
    assert!(lines(&text).contains(&"hits_total 6"), "{text}");
    assert!(lines(&text).contains(&"open 20.0"), "{text}");
}

#[test]
fn counts_of_other_bounds_go_to_the_next_larger_one() {
    let with = |bounds: &[f64], counts: &[u64]| {
        let registry = registry();
        registry.histogram("sizes", &[]).unwrap();
        let mut arena = read(&registry.load()).unwrap();
        arena.records[0].value = Reading::Histogram(bounds.to_vec(), counts.to_vec(), 1.0);
        arena
    };
    let text = text(&[with(&[1.0, 5.0], &[1, 0, 0]), with(&[2.0, 9.0], &[3, 4, 5])]);
    for line in [
        "sizes_bucket{le=\"1.0\"} 1",
        "sizes_bucket{le=\"5.0\"} 4",
        "sizes_bucket{le=\"+Inf\"} 13",
        "sizes_count 13",
        "sizes_sum 2.0",
    ] {
        assert!(lines(&text).contains(&line), "{line} in {text}");
    }
}

#[test]
fn a_hundred_thousand_label_values_end_in_one_series() {
    let recorder = Recorder::new(Some(registry()));
    let metadata = Metadata::new("test", Level::INFO, None);
    for number in 0..100_000 {
        let labels = vec![Label::new("path", format!("/{number}"))];
        let key = Key::from_parts("hits", labels);
        recorder.register_counter(&key, &metadata).increment(1);
    }
    let words = recorder.load();
    let text = text(&[read(&words).unwrap()]);
    assert_eq!(lines(&text).len(), 1 + 1000 + 1);
    let rest = 100_000 - 1000;
    let over = format!("hits_total{{overflow=\"true\"}} {rest}");
    assert!(lines(&text).contains(&&*over), "{over}");
}

#[test]
fn a_full_arena_counts_on_what_it_has() {
    let registry = registry();
    let first = registry.cell(Kind::Counter, "first", &[]).unwrap().handle;
    let long = "x".repeat(10_000);
    let added = (0..1000)
        .filter(|number| {
            let name = format!("name_{number}");
            let labels = [("long", &*long)];
            registry.cell(Kind::Counter, &name, &labels).is_some()
        })
        .count();
    assert!(added > 50 && added < 1000, "{added}");
    first.increment(2);
    let text = text(&[read(&registry.load()).unwrap()]);
    assert!(
        text.contains("\nfirst_total 2\n") || text.starts_with("# TYPE first"),
        "{text}"
    );
}

#[test]
fn a_name_that_is_used_as_two_kinds_keeps_the_first() {
    let registry = registry();
    registry.cell(Kind::Counter, "hits", &[]).unwrap();
    assert!(registry.cell(Kind::Gauge, "hits", &[]).is_none());
    assert!(registry.histogram("hits", &[]).is_none());
}

#[test]
fn labels_are_escaped_and_names_have_the_letters_they_may() {
    let registry = registry();
    let labels = [("le", "a\"b\\c\nd"), ("__x", "é"), ("0-b", "")];
    let counter = registry
        .cell(Kind::Counter, "my.hits_total", &labels)
        .unwrap();
    counter.handle.increment(1);
    registry.describe("my.hits_total", "one\ntwo \\");
    let arenas = [read(&registry.load()).unwrap()];
    let series = r#"my_hits_total{_0_b="",label___x="é",label_le="a\"b\\c\nd"} 1"#;
    assert_eq!(
        lines(&text(&arenas)),
        [
            "# HELP my_hits_total one\\ntwo \\\\",
            "# TYPE my_hits_total counter",
            series
        ]
    );
    assert_eq!(
        lines(&write(&merge(&arenas), Format::OpenMetrics)),
        [
            "# HELP my_hits one\\ntwo \\\\",
            "# TYPE my_hits counter",
            series,
            "# EOF"
        ]
    );
}

#[test]
fn openmetrics_is_written_for_those_who_ask_for_it() {
    let asked = Some("application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.2");
    assert_eq!(Format::accepted(asked), Format::OpenMetrics);
    for other in [None, Some("*/*"), Some("text/plain"), Some("")] {
        assert_eq!(Format::accepted(other), Format::Prometheus);
    }
}

#[test]
fn a_garbled_arena_begins_anew() {
    let words = words();
    words[at::MAGIC].store(7, std::sync::atomic::Ordering::Relaxed);
    let registry = open(words);
    registry
        .cell(Kind::Counter, "hits", &[])
        .unwrap()
        .handle
        .increment(1);
    assert_eq!(read(&registry.load()).unwrap().records.len(), 1);
}

fn filled() -> Vec<u64> {
    let registry = registry();
    for number in 0..4 {
        let value = number.to_string();
        let labels = [("number", &*value)];
        registry
            .cell(Kind::Counter, "hits", &labels)
            .unwrap()
            .handle
            .increment(number);
        registry
            .histogram("took_seconds", &labels)
            .unwrap()
            .handle
            .record(1.0);
    }
    registry.describe("hits", "How often.");
    registry.load()
}

#[test]
fn an_arena_that_ends_too_early_is_garbled() {
    let words = filled();
    for length in 0..words.len() {
        let garbled = read(&words[..length]);
        assert_eq!(garbled, Err(Garbled::Header), "{length} words");
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        rng_seed: proptest::test_runner::RngSeed::Fixed(13),
        failure_persistence: None,
        cases: 2000,
        ..ProptestConfig::default()
    })]

    #[test]
    fn whatever_is_in_an_arena_is_read_or_named(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u64>(), 0..64_u32), 1..6),
    ) {
        let mut words = filled();
        for (index, value, shift) in changes {
            // Behind the header's first words, of which the test above knows all that can be wrong.
            let place = HEADER + index.index(words.len() - HEADER);
            words[place] ^= value >> shift;
        }
        if let Ok(arena) = read(&words) {
            let text = write(&merge(&[arena]), Format::OpenMetrics);
            prop_assert!(text.ends_with("# EOF\n"));
        }
    }
}
