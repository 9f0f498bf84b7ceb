//! Reads the two headers, as strictly as the recommendation of the W3C asks for.

use super::id::read;

/// The most members of a `tracestate`.
const MOST_MEMBERS: usize = 32;

/// The longest `tracestate` that is given on: what the recommendation asks for at least.
const LONGEST_STATE: usize = 512;

/// Reads `00-<trace>-<parent>-<flags>`.
///
/// A later version may have more behind that, and is read as this one.
pub(super) fn traceparent(text: &str) -> Option<([u8; 16], [u8; 8], u8)> {
    let text = text.trim_matches([' ', '\t']);
    let mut parts = text.splitn(5, '-');
    let [version] = read(parts.next()?)?;
    let trace: [u8; 16] = read(parts.next()?)?;
    let span: [u8; 8] = read(parts.next()?)?;
    let [flags] = read(parts.next()?)?;
    let has_more = parts.next().is_some();
    let is_known = match version {
        0 => !has_more,
        255 => false,
        _ => true,
    };
    let is_set = trace != [0; 16] && span != [0; 8];
    (is_known && is_set).then_some((trace, span, flags))
}

/// Reads a list of `key=value`; returns it as it is given on, or `None` if any of it is broken.
pub(super) fn tracestate(text: &str) -> Option<String> {
    let members = text
        .split(',')
        .map(|member| member.trim_matches([' ', '\t']));
    let members: Vec<&str> = members.filter(|member| !member.is_empty()).collect();
    let mut keys = Vec::new();
    for member in &members {
        let (key, value) = member.split_once('=')?;
        if !is_key(key) || !is_value(value) || keys.contains(&key) {
            return None;
        }
        keys.push(key);
    }
    let state = members.join(",");
    let is_right = !members.is_empty() && members.len() <= MOST_MEMBERS;
    (is_right && state.len() <= LONGEST_STATE).then_some(state)
}

fn is_key(key: &str) -> bool {
    let letters = |part: &str, first: fn(u8) -> bool, longest: usize| {
        let rest = |byte: u8| is_low(byte) || byte.is_ascii_digit() || b"_-*/".contains(&byte);
        let mut bytes = part.bytes();
        bytes.next().is_some_and(first) && bytes.all(rest) && part.len() <= longest
    };
    let low_or_digit = |byte: u8| is_low(byte) || byte.is_ascii_digit();
    match key.split_once('@') {
        None => letters(key, is_low, 256),
        Some((tenant, system)) => letters(tenant, low_or_digit, 241) && letters(system, is_low, 14),
    }
}

fn is_low(byte: u8) -> bool {
    byte.is_ascii_lowercase()
}

fn is_value(value: &str) -> bool {
    let is_letter = |byte: u8| matches!(byte, b' '..=b'~') && byte != b',' && byte != b'=';
    (1..=256).contains(&value.len()) && value.bytes().all(is_letter) && !value.ends_with(' ')
}
