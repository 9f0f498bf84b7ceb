//! Near misses: what somebody probably meant.

/// The one of `known` that `written` is probably a slip of.
pub(crate) fn near_miss<'a>(
    written: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let slips = if written.len() < 5 { 1 } else { 2 };
    known
        .into_iter()
        .map(|known| (strsim::osa_distance(written, known), known))
        .filter(|&(distance, known)| distance > 0 && distance <= slips && distance < known.len())
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::near_miss;

    #[test]
    fn a_slip_is_recognised_and_a_stranger_is_not() {
        let known = ["start", "stop", "run"];
        assert_eq!(near_miss("strat", known), Some("start"));
        assert_eq!(near_miss("stp", known), Some("stop"));
        assert_eq!(near_miss("inline", known), None);
    }

    #[test]
    fn the_nearest_of_several_wins() {
        assert_eq!(near_miss("threds", ["thread", "threads"]), Some("threads"));
    }
}
