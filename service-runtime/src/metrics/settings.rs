//! What a configuration says of metrics: how gauges of several processes are merged, the bounds of
//! histograms, how many series a name may have.

use std::collections::BTreeMap;

/// The most bounds of a histogram.
pub(crate) const MOST_BOUNDS: usize = 64;

/// The most series that a name may be given.
const MOST_SERIES: usize = 100_000;

/// How the values of one gauge become one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Merge {
    /// Their sum.
    #[default]
    Sum,
    /// The largest.
    Max,
    /// The smallest.
    Min,
    /// Each on its own, with the label `slot`.
    Each,
}

/// What a configuration says of metrics.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct MetricSettings {
    /// By the name of the gauge.
    pub(crate) gauges: BTreeMap<String, Merge>,
    /// By the name of the histogram.
    pub(crate) buckets: BTreeMap<String, Vec<f64>>,
    /// How many series a name may have in one process.
    pub(crate) series: usize,
}

impl Default for MetricSettings {
    fn default() -> Self {
        Self {
            gauges: BTreeMap::new(),
            buckets: BTreeMap::new(),
            series: 1000,
        }
    }
}

impl MetricSettings {
    /// Reads `queue_depth = max` and its like.
    pub(crate) fn read_gauges(list: &[String]) -> Option<BTreeMap<String, Merge>> {
        let gauge = |text: &String| {
            let (name, merge) = text.split_once('=')?;
            let merge = match merge.trim() {
                "sum" => Merge::Sum,
                "max" => Merge::Max,
                "min" => Merge::Min,
                "each" => Merge::Each,
                _ => return None,
            };
            Some((name_of(name)?, merge))
        };
        list.iter().map(gauge).collect()
    }

    /// Reads `payload_bytes = 100, 1000, 1e6` and its like.
    pub(crate) fn read_buckets(list: &[String]) -> Option<BTreeMap<String, Vec<f64>>> {
        let histogram = |text: &String| {
            let (name, bounds) = text.split_once('=')?;
            let bounds = bounds.split(',').map(|bound| bound.trim().parse().ok());
            let bounds: Vec<f64> = bounds.collect::<Option<_>>()?;
            let is_right = !bounds.is_empty()
                && bounds.len() <= MOST_BOUNDS
                && bounds.iter().all(|bound| bound.is_finite())
                && bounds.is_sorted_by(|one, next| one < next);
            is_right.then_some((name_of(name)?, bounds))
        };
        list.iter().map(histogram).collect()
    }

    /// Reads how many series a name may have.
    pub(crate) fn read_series(text: &str) -> Option<usize> {
        text.parse().ok().filter(|n| (1..=MOST_SERIES).contains(n))
    }
}

fn name_of(name: &str) -> Option<String> {
    let name = name.trim();
    (!name.is_empty()).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str) -> Vec<String> {
        vec![text.to_owned()]
    }

    #[test]
    fn gauges_are_told_how_they_are_merged() {
        let read = MetricSettings::read_gauges(&list("queue = max")).unwrap();
        assert_eq!(read["queue"], Merge::Max);
        for wrong in ["queue", "queue=most", "=max", ""] {
            assert_eq!(MetricSettings::read_gauges(&list(wrong)), None, "{wrong}");
        }
    }

    #[test]
    fn bounds_rise_and_are_numbers() {
        let read = MetricSettings::read_buckets(&list("payload_bytes = 1, 2.5,1e6")).unwrap();
        assert_eq!(read["payload_bytes"], [1.0, 2.5, 1e6]);
        for wrong in ["x=", "x=1,1", "x=2,1", "x=1,inf", "x=1,NaN", "x=1,,2", "=1"] {
            assert_eq!(MetricSettings::read_buckets(&list(wrong)), None, "{wrong}");
        }
        let many: Vec<_> = (0..65).map(|bound| bound.to_string()).collect();
        let many = list(&format!("x={}", many.join(",")));
        assert_eq!(MetricSettings::read_buckets(&many), None);
    }
}
