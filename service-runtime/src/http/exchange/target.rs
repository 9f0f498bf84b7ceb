//! Whom and what a request names: `Host`, the authority, and the form of the target (RFC 9112, section 3.2).

use std::net::Ipv6Addr;

use axum::http::header::{HOST, HeaderValue};
use axum::http::request::Parts;
use axum::http::uri::Authority;
use axum::http::{Method, Version};

/// Tells whether a request says in one voice which host it is for, and its target has a form that its
/// method allows.
pub(super) fn is_clear(head: &Parts) -> bool {
    form_is_allowed(head) && host_is_clear(head)
}

/// Replaces the header by the host of an absolute target, which alone counts.
pub(super) fn take_host_of_target(head: &mut Parts) {
    if head.version == Version::HTTP_2 || head.method == Method::CONNECT {
        return;
    }
    let host = head.uri.authority().map(Authority::as_str);
    if let Some(host) = host.and_then(|host| HeaderValue::from_str(host).ok()) {
        head.headers.insert(HOST, host);
    }
}

fn form_is_allowed(head: &Parts) -> bool {
    let uri = &head.uri;
    if head.method == Method::CONNECT {
        // An extended one, as a WebSocket over HTTP/2 is begun with, has a path too.
        let extended = head.version == Version::HTTP_2;
        return uri
            .authority()
            .is_some_and(|it| it.port().is_some() || extended)
            && (uri.path_and_query().is_none() || extended);
    }
    if uri.path() == "*" {
        return head.method == Method::OPTIONS;
    }
    // An authority alone is what CONNECT asks for.
    uri.path().starts_with('/') && (uri.authority().is_none() || uri.scheme().is_some())
}

fn host_is_clear(head: &Parts) -> bool {
    let authority = head.uri.authority().map(Authority::as_str);
    if authority.is_some_and(|authority| authority.is_empty() || !is_host(authority.as_bytes())) {
        return false;
    }
    let mut hosts = head.headers.get_all(HOST).iter();
    let (host, second) = (hosts.next(), hosts.next());
    match host {
        _ if second.is_some() => false,
        None => head.version != Version::HTTP_11,
        Some(host) if !is_host(host.as_bytes()) => false,
        Some(host) => match authority {
            Some(authority) if head.version == Version::HTTP_2 => {
                host.as_bytes().eq_ignore_ascii_case(authority.as_bytes())
            }
            _ => true,
        },
    }
}

/// Reads a host with or without a port; nothing at all is what a target without one stands for.
fn is_host(text: &[u8]) -> bool {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
    // Most are a name of plain letters and digits, with or without a port.
    let name = text.iter().take_while(|byte| plain(byte)).count();
    match &text[name..] {
        [] => return true,
        [b':', digits @ ..] if name > 0 && digits.len() <= 4 => {
            return digits.iter().all(u8::is_ascii_digit);
        }
        _ => {}
    }
    let Ok(text) = std::str::from_utf8(text) else {
        return false;
    };
    if text.is_empty() {
        return true;
    }
    let (host, port) = match text.strip_prefix('[').map(|text| text.split_once(']')) {
        Some(Some((address, port))) if address.parse::<Ipv6Addr>().is_ok() => ("v6", port),
        Some(_) => return false,
        None => text.find(':').map_or((text, ""), |at| text.split_at(at)),
    };
    is_name(host.as_bytes()) && (port.is_empty() || is_port(port))
}

fn is_port(text: &str) -> bool {
    text.strip_prefix(':').is_some_and(|digits| {
        let digital = digits.bytes().all(|byte| byte.is_ascii_digit());
        digital && (digits.is_empty() || digits.parse::<u16>().is_ok())
    })
}

/// Reads a registered name or an IPv4 address.
fn is_name(mut text: &[u8]) -> bool {
    if text.is_empty() {
        return false;
    }
    while let [first, rest @ ..] = text {
        text = match (first, rest) {
            (b'%', [high, low, rest @ ..])
                if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
            {
                rest
            }
            (b'%', _) => return false,
            (byte, rest) if byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=".contains(byte) => {
                rest
            }
            _ => return false,
        };
    }
    true
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn head(method: &str, target: &str, version: Version, hosts: &[&str]) -> Parts {
        let request = Request::builder().method(method).uri(target);
        let request = request.version(version);
        let request = hosts
            .iter()
            .fold(request, |it, host| it.header(HOST, *host));
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn a_host_is_a_name_or_an_address_with_or_without_a_port() {
        for host in [
            "",
            "x",
            "a.b:80",
            "x:",
            "[::1]",
            "[::1]:8080",
            "192.0.2.1:1",
            "a%20b",
            "a_b",
        ] {
            assert!(is_host(host.as_bytes()), "{host}");
        }
        for host in [
            "a b", "a/b", "u@x", "[::1", "::1", "<script>", "x:y", "x:70000", ":80", "[::1]x",
            "[x]", "a%2", "a?b", "a#b", "a,b c", "\u{e9}",
        ] {
            assert!(!is_host(host.as_bytes()), "{host}");
        }
    }

    #[test]
    fn one_host_is_named_and_the_authority_of_http2_is_the_same() {
        let (one, two, old) = (Version::HTTP_11, Version::HTTP_2, Version::HTTP_10);
        let clear =
            |target: &str, version, hosts: &[&str]| is_clear(&head("GET", target, version, hosts));
        assert!(clear("/", one, &["x"]));
        assert!(!clear("/", one, &[]));
        assert!(!clear("/", one, &["x", "x"]));
        assert!(!clear("http://x/", one, &[]));
        assert!(!clear("http://u@x/", one, &["x"]));
        assert!(clear("/", old, &[]));
        assert!(!clear("/", old, &["x", "y"]));
        assert!(clear("http://x/", two, &[]));
        assert!(clear("http://x/", two, &["X"]));
        assert!(!clear("http://x/", two, &["y"]));
    }

    #[test]
    fn a_target_has_a_form_that_its_method_allows() {
        let clear = |method: &str, target: &str| {
            is_clear(&head(method, target, Version::HTTP_11, &["x:1"]))
        };
        assert!(clear("OPTIONS", "*") && !clear("GET", "*"));
        assert!(clear("CONNECT", "x:1") && !clear("CONNECT", "/") && !clear("CONNECT", "x"));
        assert!(!clear("GET", "x:1"));
        assert!(clear("GET", "http://x:1/a"));
    }

    #[test]
    fn the_host_of_an_absolute_target_replaces_the_header() {
        let mut absolute = head("GET", "http://right/", Version::HTTP_11, &["wrong"]);
        take_host_of_target(&mut absolute);
        assert_eq!(absolute.headers[HOST], "right");
        let mut origin = head("GET", "/", Version::HTTP_11, &["x"]);
        take_host_of_target(&mut origin);
        assert_eq!(origin.headers[HOST], "x");
    }
}
