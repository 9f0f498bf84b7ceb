//! TLS, with clients of others: `openssl` makes the certificates, `curl` asks.

use std::process::Command;

use nix::sys::signal::Signal;
use tests::harness::Scratch;

use super::web;

/// Makes a certificate that signs itself, in files of this name.
fn pair(folder: &Scratch, name: &str) -> (String, String) {
    let path = |end: &str| folder.path(format!("{name}.{end}")).display().to_string();
    let (cert, key) = (path("pem"), path("key"));
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
        ])
        .args(["-days", "2", "-subj", &format!("/CN={name}")])
        .args(["-addext", "subjectAltName=IP:127.0.0.1"])
        .args(["-out", &cert, "-keyout", &key])
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    (cert, key)
}

/// Makes a certificate that another has signed, for a client.
fn signed(folder: &Scratch, ca: &(String, String)) -> (String, String) {
    let path = |end: &str| folder.path(format!("client.{end}")).display().to_string();
    let (cert, key) = (path("pem"), path("key"));
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
        ])
        .args([
            "-days",
            "2",
            "-subj",
            "/CN=client",
            "-CA",
            &ca.0,
            "-CAkey",
            &ca.1,
        ])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .args(["-out", &cert, "-keyout", &key])
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    (cert, key)
}

/// Runs curl and returns what it says of protocol, status and body.
fn curl(args: &[&str]) -> Result<String, String> {
    let asked = Command::new("curl")
        .args([
            "-sS",
            "--max-time",
            "20",
            "-w",
            " %{http_version} %{http_code}",
        ])
        .args(args)
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if asked.status.success() {
        Ok(text(&asked.stdout))
    } else {
        Err(text(&asked.stderr))
    }
}

#[test]
fn both_protocols_are_spoken_over_tls_and_a_new_pair_is_taken_over() {
    let folder = Scratch::new();
    let (cert, key) = pair(&folder, "first");
    let keys = [
        format!("tls.cert={cert}"),
        format!("tls.key={key}"),
        "launch.restart_method=mutate".to_owned(),
    ];
    let keys: Vec<_> = keys.iter().map(String::as_str).collect();
    let (web, address) = web(1, &keys);
    let url = format!("https://{address}/");
    assert_eq!(curl(&["--cacert", &cert, &url]).unwrap(), "hello 2 200");
    let plain = curl(&["--cacert", &cert, "--http1.1", &url]);
    assert_eq!(plain.unwrap(), "hello 1.1 200");

    // A bad pair is refused, and the old one serves on.
    let (second, second_key) = pair(&folder, "second");
    std::fs::copy(&second_key, &key).unwrap();
    web.signal(Signal::SIGHUP);
    let line = web.wait_for("the old TLS certificate stays");
    assert!(line.contains(&cert), "{line}");
    assert_eq!(curl(&["--cacert", &cert, &url]).unwrap(), "hello 2 200");

    let first = folder.path("kept.pem");
    std::fs::copy(&cert, &first).unwrap();
    std::fs::copy(&second, &cert).unwrap();
    web.signal(Signal::SIGHUP);
    web.wait_for("TLS certificate loaded");
    assert_eq!(curl(&["--cacert", &second, &url]).unwrap(), "hello 2 200");
    curl(&["--cacert", first.to_str().unwrap(), &url]).unwrap_err();
    web.signal(Signal::SIGTERM);
    assert_eq!(web.exit_code(), 0);
}

#[test]
fn a_client_without_a_certificate_is_turned_away_where_one_is_asked_for() {
    let folder = Scratch::new();
    let (cert, key) = pair(&folder, "server");
    let ca = pair(&folder, "ca");
    let (client, client_key) = signed(&folder, &ca);
    let keys = [
        format!("tls.cert={cert}"),
        format!("tls.key={key}"),
        format!("tls.client_ca={}", ca.0),
        "tls.min_version=1.3".to_owned(),
    ];
    let keys: Vec<_> = keys.iter().map(String::as_str).collect();
    let (_web, address) = web(1, &keys);
    let url = format!("https://{address}/");
    curl(&["--cacert", &cert, &url]).unwrap_err();
    let known = ["--cacert", &cert, "--cert", &client, "--key", &client_key];
    assert_eq!(
        curl(&[&known[..], &[&url]].concat()).unwrap(),
        "hello 2 200"
    );
    let old = [&known[..], &["--tls-max", "1.2", &url]].concat();
    curl(&old).unwrap_err();
}

#[test]
fn a_key_of_another_certificate_is_named() {
    let folder = Scratch::new();
    let ((cert, _), (_, key)) = (pair(&folder, "one"), pair(&folder, "two"));
    let (code, _, log) = tests::fixture!("web")
        .args(["--set", "web.bind=127.0.0.1:0"])
        .args(["--set", &format!("web.tls.cert={cert}")])
        .args(["--set", &format!("web.tls.key={key}")])
        .run();
    assert_eq!(code, 1);
    assert!(
        log.contains(&format!(
            "cannot use the certificate {cert} with the key {key}"
        )),
        "{log}"
    );
}
