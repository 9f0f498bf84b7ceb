//! The arenas of all processes as one: what each metric comes to in the program.

use std::collections::BTreeMap;

use super::layout::Kind;
use super::reader::{Arena, Reading, Record};

/// A metric: its series, and what is said of it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Family {
    pub(crate) kind: Kind,
    pub(crate) help: Option<String>,
    pub(crate) series: BTreeMap<Labels, Total>,
}

/// The labels of a series, in the order of their names.
pub(crate) type Labels = Vec<(String, String)>;

/// What a series comes to.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Total {
    Counter(u64),
    Gauge(f64),
    /// Bounds, counts of which there is one more, and the sum.
    Histogram(Vec<f64>, Vec<u64>, f64),
}

/// Merges arenas: counters and histograms of all, and the sum of the gauges of the processes
/// that live.
///
/// A name is of one kind; in doubt of that which a living process uses.
pub(crate) fn merge(arenas: &[Arena]) -> BTreeMap<String, Family> {
    let mut families = BTreeMap::new();
    let (living, ended): (Vec<_>, Vec<_>) = arenas.iter().partition(|arena| arena.owner.is_some());
    for arena in living.into_iter().chain(ended) {
        for record in &arena.records {
            add(&mut families, arena, record);
        }
    }
    for arena in arenas {
        for record in &arena.records {
            if let Reading::Help(help) = &record.value
                && let Some(family) = families.get_mut(&record.name)
            {
                family.help.get_or_insert_with(|| help.clone());
            }
        }
    }
    families
}

fn add(families: &mut BTreeMap<String, Family>, arena: &Arena, record: &Record) {
    let kind = record.value.kind();
    let total = match &record.value {
        Reading::Help(_) => return,
        Reading::Counter(count) => Total::Counter(*count),
        Reading::Gauge(_) if arena.owner.is_none() => return,
        Reading::Gauge(value) => Total::Gauge(*value),
        Reading::Histogram(bounds, counts, sum) => {
            Total::Histogram(bounds.clone(), counts.clone(), *sum)
        }
    };
    let family = families
        .entry(record.name.clone())
        .or_insert_with(|| Family {
            kind,
            help: None,
            series: BTreeMap::new(),
        });
    if family.kind != kind {
        return;
    }
    match family.series.get_mut(&record.labels) {
        Some(known) => known.take(total),
        None => {
            family.series.insert(record.labels.clone(), total);
        }
    }
}

impl Total {
    /// Takes in what another process has.
    fn take(&mut self, other: Self) {
        match (self, other) {
            (Self::Counter(all), Self::Counter(more)) => *all = all.saturating_add(more),
            (Self::Gauge(all), Self::Gauge(more)) => *all += more,
            (Self::Histogram(bounds, counts, sum), Self::Histogram(of, more, and)) => {
                // Counts below a bound that is not known here go to the next larger one, or above all.
                for (index, count) in more.into_iter().enumerate() {
                    let bucket = of
                        .get(index)
                        .map_or(bounds.len(), |bound| bounds.partition_point(|b| b < bound));
                    counts[bucket] = counts[bucket].saturating_add(count);
                }
                *sum += and;
            }
            // The caller has compared the kinds.
            _ => {}
        }
    }
}
