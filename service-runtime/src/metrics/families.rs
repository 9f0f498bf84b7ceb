//! The arenas of all processes as one: what each metric comes to in the program.

use std::collections::BTreeMap;

use super::layout::{Kind, UNSET};
use super::reader::{Arena, Reading, Record};
use super::settings::Merge;

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
    Gauge(f64, Merge),
    /// Nanoseconds.
    Seconds(u64),
    /// Bounds, counts of which there is one more, and the sum.
    Histogram(Vec<f64>, Vec<u64>, f64),
}

/// Merges arenas: counters and histograms of all, and the gauges of the processes that live.
///
/// A name is of one kind, and has bounds of one kind; in doubt of that which a living process uses, and
/// which it has used last.
pub(crate) fn merge(arenas: &[Arena]) -> BTreeMap<String, Family> {
    let mut families = BTreeMap::new();
    let (living, ended): (Vec<_>, Vec<_>) = arenas.iter().partition(|arena| arena.owner.is_some());
    for arena in living.into_iter().chain(ended) {
        for record in arena.records.iter().rev() {
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
    let mut labels = record.labels.clone();
    let total = match &record.value {
        Reading::Help(_) => return,
        Reading::Counter(count) => Total::Counter(*count),
        Reading::Gauge(value, _) if arena.owner.is_none() || value.to_bits() == UNSET => return,
        Reading::Gauge(value, merge) => {
            if *merge == Merge::Each {
                let place = arena.place.labels();
                labels.retain(|(key, _)| place.iter().all(|(other, _)| other != key));
                labels.extend(place);
                labels.sort();
            }
            Total::Gauge(*value, *merge)
        }
        Reading::Seconds(nanos) => Total::Seconds(*nanos),
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
    match family.series.get_mut(&labels) {
        Some(known) => known.take(total),
        None => {
            family.series.insert(labels, total);
        }
    }
}

impl Total {
    /// Takes in what another process has.
    fn take(&mut self, other: Self) {
        match (self, other) {
            (Self::Counter(all), Self::Counter(more)) => *all = all.saturating_add(more),
            (Self::Seconds(all), Self::Seconds(more)) => *all = all.saturating_add(more),
            (Self::Gauge(all, merge), Self::Gauge(more, _)) => {
                *all = match merge {
                    Merge::Sum | Merge::Each => *all + more,
                    Merge::Max => all.max(more),
                    Merge::Min => all.min(more),
                }
            }
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
