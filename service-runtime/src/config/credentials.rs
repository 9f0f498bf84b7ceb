//! Users and passwords in URLs, which no error may repeat.

use super::MASK;

/// Returns a text with the part of each URL masked that stands in front of an `@`.
pub(super) fn without_credentials(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, behind) = rest.split_at(at + 3);
        shown.push_str(before);
        let ends = |c: char| c.is_whitespace() || matches!(c, '/' | '`' | '"' | '\'');
        let end = behind.find(ends).unwrap_or(behind.len());
        let (authority, behind) = behind.split_at(end);
        match authority.rsplit_once('@') {
            Some((_, host)) => {
                shown.push_str(MASK);
                shown.push('@');
                shown.push_str(host);
            }
            None => shown.push_str(authority),
        }
        rest = behind;
    }
    shown.push_str(rest);
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_before_the_host_is_masked() {
        for (text, shown) in [
            (
                "found `nats://me:pw@host:1/x`",
                "found `nats://***@host:1/x`",
            ),
            ("a://u@b c://d e@f", "a://***@b c://d e@f"),
            ("a://u:p@q@b,u:p@c", "a://***@c"),
            ("me@host and http://host/a@b", "me@host and http://host/a@b"),
            ("://", "://"),
        ] {
            assert_eq!(without_credentials(text), shown.replace("***", MASK));
        }
    }
}
