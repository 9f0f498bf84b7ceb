//! Near misses: the known name that an unknown one was probably meant to be.

#[cfg(feature = "config")]
use std::fmt::Write;

/// Returns the known name that is nearest to `name`, if one is near enough to be a slip.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |text: &str| text.to_lowercase().replace('-', "_");
    let wanted = plain(name);
    let allowed = |known: &str| (wanted.len().max(known.len()) / 3).clamp(1, 3);
    known
        .into_iter()
        .map(|known| (strsim::damerau_levenshtein(&wanted, &plain(known)), known))
        .filter(|(distance, known)| *distance <= allowed(known))
        .min()
        .map(|(_, known)| known)
}

/// Returns the end of an error message about `unknown`: what was meant, or what there is.
pub(crate) fn hint<'a>(unknown: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    match (nearest(unknown, known.iter().copied()), known.is_empty()) {
        (Some(name), _) => format!(": did you mean `{name}`?"),
        (None, true) => String::new(),
        (None, false) => format!(": there are {}", list(&known)),
    }
}

/// Adds to a message the nearest of the known names and the list of them all.
#[cfg(feature = "config")]
pub(crate) fn with_known(mut message: String, name: &str, known: &[&str]) -> String {
    const SHOWN: usize = 12;
    if let Some(near) = nearest(name, known.iter().copied()) {
        let _ = write!(message, ", did you mean `{near}`?");
    }
    if known.is_empty() {
        message.push_str(" (there are none)");
        return message;
    }
    let mut names: Vec<_> = known.to_vec();
    names.sort_unstable();
    names.dedup();
    let shown = &names[..names.len().min(SHOWN)];
    let more = if names.len() > SHOWN { ", …" } else { "" };
    let _ = write!(message, " (known: {}{more})", list(shown));
    message
}

/// Writes names one after the other, each in quotes.
pub(crate) fn list(names: &[&str]) -> String {
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

    #[cfg(feature = "config")]
    #[test]
    fn the_message_lists_what_is_known_and_says_so_when_nothing_is() {
        assert_eq!(
            with_known("unknown key `b`".into(), "b", &["x", "a"]),
            "unknown key `b`, did you mean `a`? (known: `a`, `x`)"
        );
        assert_eq!(
            with_known("unknown".into(), "b", &[]),
            "unknown (there are none)"
        );
    }

    #[test]
    fn a_slip_finds_the_name_that_was_meant() {
        assert_eq!(
            nearest("greting", ["greeting", "interval"]),
            Some("greeting")
        );
        assert_eq!(
            nearest("max-size", ["max_size", "interval"]),
            Some("max_size")
        );
    }

    #[test]
    fn a_name_far_from_all_finds_none() {
        assert_eq!(nearest("colour", ["greeting", "interval"]), None);
    }
}
