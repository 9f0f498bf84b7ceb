//! Near misses: the known name that an unknown one was probably meant to be.

use std::fmt::Write;

pub(crate) use crate::near::nearest;

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
