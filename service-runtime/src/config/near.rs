//! Near misses: the known name that an unknown one was probably meant to be.

use std::fmt::Write;

/// Returns the known name that is nearest to `name`, if one is near enough to be a slip.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |text: &str| text.to_lowercase().replace('-', "_");
    let wanted = plain(name);
    let room = |known: &str| (wanted.len().max(known.len()) / 3).clamp(1, 3);
    known
        .into_iter()
        .map(|known| (strsim::damerau_levenshtein(&wanted, &plain(known)), known))
        .filter(|(distance, known)| *distance <= room(known))
        .min()
        .map(|(_, known)| known)
}

/// Adds to a message the nearest of the known names and the list of them all.
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
    let list: Vec<_> = names
        .iter()
        .take(SHOWN)
        .map(|name| format!("`{name}`"))
        .collect();
    let more = if names.len() > SHOWN { ", …" } else { "" };
    let _ = write!(message, " (known: {}{more})", list.join(", "));
    message
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
