//! The near miss of a name that nobody knows.

/// Returns the end of an error message about `unknown`: what was meant, or what there is.
pub(crate) fn hint<'a>(unknown: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    let nearest = known
        .iter()
        .map(|name| (strsim::damerau_levenshtein(unknown, name), *name))
        .min()
        .filter(|(distance, _)| *distance <= 1 + unknown.len() / 4);
    match (nearest, known.is_empty()) {
        (Some((_, name)), _) => format!(": did you mean `{name}`?"),
        (None, true) => String::new(),
        (None, false) => format!(": there are {}", list(&known)),
    }
}

fn list(names: &[&str]) -> String {
    names
        .iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_miss_is_named_and_else_all_that_there_is() {
        assert_eq!(
            hint("wokers", ["workers", "threads"]),
            ": did you mean `workers`?"
        );
        assert_eq!(
            hint("xyz", ["workers", "threads"]),
            ": there are `workers`, `threads`"
        );
        assert_eq!(hint("xyz", []), "");
    }
}
