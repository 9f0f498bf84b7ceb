//! How the text of a setting is read.

use std::str::FromStr;
use std::time::Duration;

use crate::listen::Address;
use crate::quote::Quoted;
use crate::size::Size;

pub(super) fn set<T>(place: &mut T, value: Option<T>) -> Option<()> {
    *place = value?;
    Some(())
}

pub(super) fn duration(text: &str) -> Option<Duration> {
    crate::duration::read(text)
}

/// Reads a limit; nothing at all means none.
pub(super) fn limit(text: &str) -> Option<Option<Duration>> {
    let limit = if text == "0" {
        Duration::ZERO
    } else {
        duration(text)?
    };
    Some((!limit.is_zero()).then_some(limit))
}

/// The most deaths of a `restart_limit`: each is remembered.
const DEATHS_MOST: usize = 100_000;

/// Reads a count that has an upper bound.
pub(super) fn at_most<T: FromStr + PartialOrd>(most: T, text: &str) -> Option<T> {
    text.parse().ok().filter(|count| *count <= most)
}

/// Reads `5 in 60s`.
pub(super) fn deaths(text: &str) -> Option<Option<(usize, Duration)>> {
    if text == "none" {
        return Some(None);
    }
    let (count, window) = text.split_once(" in ")?;
    let (count, window) = (count.trim().parse().ok()?, duration(window.trim())?);
    ((1..=DEATHS_MOST).contains(&count) && !window.is_zero()).then_some(Some((count, window)))
}

/// Reads a size in bytes.
pub(super) fn size(text: &str) -> Option<u64> {
    Some(text.parse::<Size>().ok()?.bytes())
}

/// Reads a level or directives.
pub(super) fn level(text: &str) -> Option<String> {
    #[cfg(feature = "log")]
    let is_level = crate::log::is_level;
    // Without a subscriber of ours nobody reads them.
    #[cfg(not(feature = "log"))]
    let is_level = |text: &str| !text.is_empty();
    is_level(text).then(|| text.to_owned())
}

/// Reads a text with something in it.
pub(super) fn filled(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// Reads an address that needs no look-up, as the name of a host would; an empty text is none.
pub(super) fn known_address(text: &str) -> Option<Option<Address>> {
    if text.is_empty() {
        return Some(None);
    }
    let address: Address = text.parse().ok()?;
    let is_known = !matches!(address, Address::Host(..));
    is_known.then_some(Some(address))
}

/// Reads an octal mask.
pub(super) fn umask(text: &str) -> Option<u32> {
    let octal = !text.is_empty() && text.bytes().all(|byte| (b'0'..=b'7').contains(&byte));
    let mask = u32::from_str_radix(text, 8).ok().filter(|_| octal)?;
    (mask <= 0o777).then_some(mask)
}

/// Writes strings as [`strings`] reads them.
pub(crate) fn write_strings(strings: &[&str]) -> String {
    let quoted = strings.iter().map(|string| Quoted(string).to_string());
    format!("[{}]", quoted.collect::<Vec<_>>().join(", "))
}

/// Reads a list of strings, as TOML and JSON write it.
pub(super) fn strings(text: &str) -> Option<Vec<String>> {
    let mut rest = text.strip_prefix('[')?.strip_suffix(']')?.trim();
    let mut strings = Vec::new();
    while !rest.is_empty() {
        let (string, after) = string(rest)?;
        strings.push(string);
        let after = after.trim_start();
        rest = match after.strip_prefix(',') {
            Some(more) => more.trim_start(),
            None if after.is_empty() => after,
            None => return None,
        };
    }
    // A command that is there has a name.
    let named = strings.first().is_none_or(|first| !first.trim().is_empty());
    named.then_some(strings)
}

/// Reads one string in quotes, and returns what comes after it.
fn string(text: &str) -> Option<(String, &str)> {
    if let Some(literal) = text.strip_prefix('\'') {
        let (string, after) = literal.split_once('\'')?;
        return Some((string.to_owned(), after));
    }
    let mut string = String::new();
    let mut chars = text.strip_prefix('"')?.chars();
    loop {
        match chars.next()? {
            '"' => return Some((string, chars.as_str())),
            '\\' => string.push(match chars.next()? {
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'u' => code(&mut chars, 4)?,
                'U' => code(&mut chars, 8)?,
                c @ ('"' | '\\' | '/') => c,
                _ => return None,
            }),
            c => string.push(c),
        }
    }
}

fn code(chars: &mut std::str::Chars<'_>, digits: usize) -> Option<char> {
    let code: Option<String> = (0..digits).map(|_| chars.next()).collect();
    char::from_u32(u32::from_str_radix(&code?, 16).ok()?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_address_that_needs_no_look_up_is_read() {
        assert!(known_address("127.0.0.1:9100").unwrap().is_some());
        assert!(known_address("unix:/run/metrics.sock").unwrap().is_some());
        assert_eq!(known_address(""), Some(None));
        assert_eq!(known_address("localhost:9100"), None);
        assert_eq!(known_address("9"), None);
    }

    #[test]
    fn a_mask_is_octal() {
        assert_eq!(umask("027"), Some(0o027));
        assert_eq!(umask("777"), Some(0o777));
        for bad in ["", "8", "1000", "0o22", "+22", "-1"] {
            assert_eq!(umask(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_list_of_strings_is_read_as_people_write_it() {
        let read = |text| strings(text).map(|list| list.join("|"));
        assert_eq!(
            read(r#"["/bin/sh", '-c', "a\"b",]"#).unwrap(),
            "/bin/sh|-c|a\"b"
        );
        assert_eq!(read("[]").unwrap(), "");
        for bad in ["", "/bin/true", r#"["a" "b"]"#, r#"["a]"#, r#"[""]"#, "[a]"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn a_list_that_is_written_is_read_again(list in prop::collection::vec(".{1,10}", 0..4)) {
            prop_assume!(list.first().is_none_or(|first| !first.trim().is_empty()));
            let written: Vec<&str> = list.iter().map(String::as_str).collect();
            prop_assert_eq!(strings(&write_strings(&written)), Some(list));
        }
    }
}
