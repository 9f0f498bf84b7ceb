//! Clients that others wrote. `.ci/run` installs them; one that is missing is told of, loudly.

use std::io::Write;
use std::process::{Command, Stdio};

use tests::harness::Scratch;

use super::{tls, web};

/// Runs a program and returns what it prints; nothing if it is not installed.
fn run(program: &str, args: &[&str]) -> Option<String> {
    let ran = Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .output();
    let output = match ran {
        Ok(output) => output,
        Err(error) => {
            // Not by a macro, whose output a test that passes does not show.
            let line = format!("NOT TESTED: {program} cannot be run: {error}\n");
            std::io::stderr().write_all(line.as_bytes()).unwrap();
            return None;
        }
    };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let both = text(&output.stdout) + &text(&output.stderr);
    assert!(output.status.success(), "{program} {args:?}: {both}");
    Some(both)
}

/// Asks by curl, and returns the answer with its version.
fn curl(args: &[&str]) -> Option<String> {
    let how = ["-sS", "--max-time", "20", "-w", " %{http_version}"];
    run("curl", &[&how[..], args].concat())
}

fn is(answer: Option<String>, expected: &str) {
    if let Some(answer) = answer {
        assert_eq!(answer, expected);
    }
}

#[test]
fn curl_is_answered_by_either_version_over_tcp_and_over_a_unix_socket() {
    let folder = Scratch::new();
    let socket = folder.path("web").display().to_string();
    let bind = format!("bind=[\"127.0.0.1:0\", \"unix:{socket}\"]");
    let (_web, address) = web(2, &[&bind]);
    let url = format!("http://{address}");
    let echo = format!("{url}/echo");
    is(curl(&[&url]), "hello 1.1");
    // Which version that is, curl writes as `1` or `1.0`.
    let old = curl(&["--http1.0", &url]);
    assert!(old.is_none_or(|old| old.starts_with("hello 1")));
    is(curl(&["--http2-prior-knowledge", &url]), "hello 2");
    let chunked = ["-H", "Transfer-Encoding: chunked", "-d", "body", &echo];
    is(curl(&chunked), "body 1.1");
    let expects = ["-H", "Expect: 100-continue", "-d", "body", &echo];
    is(curl(&expects), "body 1.1");
    is(
        curl(&["--http2-prior-knowledge", "-d", "body", &echo]),
        "body 2",
    );
    is(
        curl(&["--unix-socket", &socket, "http://web/"]),
        "hello 1.1",
    );
    let unix = [
        "--unix-socket",
        &socket,
        "--http2-prior-knowledge",
        "http://web/",
    ];
    is(curl(&unix), "hello 2");
}

#[test]
fn curl_and_openssl_are_answered_over_tls() {
    let folder = Scratch::new();
    let pair = tls::server(&folder);
    let keys = [
        format!("tls.cert={}", pair.cert),
        format!("tls.key={}", pair.key),
    ];
    let (_web, address) = web(2, &[&keys[0], &keys[1]]);
    let url = format!("https://{address}/");
    is(curl(&["--cacert", &pair.ca, &url]), "hello 2");
    is(
        curl(&["--cacert", &pair.ca, "--http1.1", &url]),
        "hello 1.1",
    );
    for (version, cipher) in [("-tls1_3", "TLSv1.3"), ("-tls1_2", "TLSv1.2")] {
        let args = [
            "s_client", "-connect", &address, "-CAfile", &pair.ca, version,
        ];
        let args = [&args[..], &["-alpn", "h2,http/1.1"]].concat();
        if let Some(text) = run("openssl", &args) {
            assert!(text.contains("Verify return code: 0 (ok)"), "{text}");
            assert!(text.contains("ALPN protocol: h2"), "{text}");
            assert!(text.contains(cipher), "{text}");
        }
    }
}

#[test]
fn a_session_is_resumed_by_whatever_worker_the_client_meets() {
    let folder = Scratch::new();
    let pair = tls::server(&folder);
    let keys = [
        format!("tls.cert={}", pair.cert),
        format!("tls.key={}", pair.key),
    ];
    let (_web, address) = web(4, &[&keys[0], &keys[1]]);
    let session = folder.path("session");
    let session = session.to_str().unwrap();
    let base = [
        "s_client", "-connect", &address, "-CAfile", &pair.ca, "-tls1_2",
    ];
    let Some(first) = run("openssl", &[&base[..], &["-sess_out", session]].concat()) else {
        return;
    };
    assert!(first.contains("New, TLSv1.2"), "{first}");
    // Of sixteen connections hardly all meet the first worker again.
    for _ in 0..16 {
        let again = run("openssl", &[&base[..], &["-sess_in", session]].concat()).unwrap();
        assert!(again.contains("Reused, TLSv1.2"), "{again}");
    }
}

#[test]
fn h2load_and_nghttp_get_every_answer() {
    let folder = Scratch::new();
    let pair = tls::server(&folder);
    let keys = [
        format!("tls.cert={}", pair.cert),
        format!("tls.key={}", pair.key),
    ];
    let (_plain, plain) = web(2, &[]);
    let (_secure, secure) = web(2, &[&keys[0], &keys[1]]);
    for url in [format!("http://{plain}/"), format!("https://{secure}/")] {
        let all = "2000 total, 2000 started, 2000 done, 2000 succeeded, 0 failed, 0 errored";
        let load = ["-n", "2000", "-c", "10", "-m", "20"];
        for version in [&["--h1"][..], &[]] {
            if let Some(text) = run("h2load", &[&load[..], version, &[&url]].concat()) {
                assert!(text.contains(all), "{version:?}: {text}");
            }
        }
        let asked = [&url[..], &format!("{url}pid"), &format!("{url}pieces/3/1")];
        let options = ["--no-verify-peer", "--stat", "--null-out"];
        if let Some(text) = run("nghttp", &[&options[..], &asked].concat()) {
            assert_eq!(text.matches(" 200 ").count(), 3, "{text}");
        }
    }
}

#[test]
fn wrk_sees_no_error() {
    let (_web, address) = web(2, &[]);
    let url = format!("http://{address}/");
    let load = ["-t", "2", "-c", "32", "-d", "1s"];
    for header in [&[][..], &["-H", "Connection: close"]] {
        if let Some(text) = run("wrk", &[&load[..], header, &[&url]].concat()) {
            assert!(!text.contains("Socket errors"), "{text}");
            assert!(!text.contains("Non-2xx"), "{text}");
            println!("{text}");
        }
    }
}
