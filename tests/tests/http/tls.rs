//! TLS, with clients of others: `openssl` makes the certificates, `curl` asks.

use std::process::Command;
use std::sync::Arc;

use nix::sys::signal::Signal;
use tests::harness::Scratch;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::web;

/// Makes a certificate for `127.0.0.1` that signs itself, in files of this name.
pub(crate) fn pair(folder: &Scratch, name: &str) -> (String, String) {
    made(folder, name, &["-addext", "subjectAltName=IP:127.0.0.1"])
}

/// Makes a certificate that another has signed, for a client.
pub(crate) fn signed(folder: &Scratch, ca: &(String, String)) -> (String, String) {
    let by = ["-CA", &ca.0, "-CAkey", &ca.1];
    let not_a_ca = ["-addext", "basicConstraints=critical,CA:FALSE"];
    made(folder, "client", &[&by[..], &not_a_ca[..]].concat())
}

/// A certificate that a client can check, with its key and who has signed it.
pub(crate) struct Server {
    pub(crate) ca: String,
    pub(crate) cert: String,
    pub(crate) key: String,
}

/// Makes a certificate for `127.0.0.1` that another has signed.
pub(crate) fn server(folder: &Scratch) -> Server {
    let ca = pair(folder, "authority");
    let by = ["-CA", &ca.0, "-CAkey", &ca.1];
    let not_a_ca = ["-addext", "basicConstraints=critical,CA:FALSE"];
    let address = ["-addext", "subjectAltName=IP:127.0.0.1"];
    let (cert, key) = made(
        folder,
        "server",
        &[by.as_slice(), &not_a_ca, &address].concat(),
    );
    Server {
        ca: ca.0,
        cert,
        key,
    }
}

impl Server {
    /// Returns how a client speaks to it.
    pub(crate) fn client(&self) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots
            .add(CertificateDer::from_pem_file(&self.ca).unwrap())
            .unwrap();
        let provider = Arc::new(ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap();
        let config = config.with_root_certificates(roots).with_no_client_auth();
        Arc::new(config)
    }
}

fn made(folder: &Scratch, name: &str, more: &[&str]) -> (String, String) {
    let path = |end: &str| folder.path(format!("{name}.{end}")).display().to_string();
    let (cert, key) = (path("pem"), path("key"));
    let kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
    let made = Command::new("openssl")
        .args(["req", "-x509", "-nodes", "-days", "2"])
        .args(kind)
        .args(["-subj", &format!("/CN={name}"), "-out", &cert])
        .args(["-keyout", &key])
        .args(more)
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

/// Starts the fixture program with one worker, this pair, and one more key.
fn web_with_pair(cert: &str, key: &str, more: &str) -> (tests::harness::Fixture, String) {
    let (cert, key) = (format!("tls.cert={cert}"), format!("tls.key={key}"));
    web(1, &[&cert, &key, more])
}

#[test]
fn both_protocols_are_spoken_over_tls_and_a_new_pair_is_taken_over() {
    let folder = Scratch::new();
    let (cert, key) = pair(&folder, "first");
    let (web, address) = web_with_pair(&cert, &key, "launch.restart_method=mutate");
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

/// Returns who a server says it is to a client that asks for a name.
fn shown(address: &str, name: &str) -> String {
    let asked = Command::new("openssl")
        .args(["s_client", "-connect", address, "-servername", name])
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&asked.stdout).into_owned();
    let mut lines = text.lines();
    let subject = lines.find_map(|line| line.strip_prefix("subject=CN"));
    subject.map_or(text.clone(), |name| {
        name.trim_matches([' ', '=']).to_owned()
    })
}

#[test]
fn a_client_gets_the_certificate_of_the_name_that_it_asks_for() {
    let folder = Scratch::new();
    let first = pair(&folder, "first");
    let names = |name, names: &str| {
        let names = format!("subjectAltName={names}");
        made(&folder, name, &["-addext", &names])
    };
    let one = names("one", "DNS:one.test");
    let two = names("two", "DNS:*.two.test,DNS:two.test");
    let table = |(cert, key): &(String, String)| format!("{{cert=\"{cert}\",key=\"{key}\"}}");
    let keys = [
        format!("tls.cert={}", first.0),
        format!("tls.key={}", first.1),
        format!("tls.more=[{},{}]", table(&one), table(&two)),
    ];
    let keys: Vec<_> = keys.iter().map(String::as_str).collect();
    let (_web, address) = web(1, &keys);
    for (name, subject) in [
        ("one.test", "one"),
        ("two.test", "two"),
        ("a.two.test", "two"),
        ("a.b.two.test", "first"),
        ("other.test", "first"),
    ] {
        assert_eq!(shown(&address, name), subject, "{name}");
    }
}

#[test]
fn a_pair_is_loaded_when_its_files_have_changed_and_a_connection_keeps_the_old_one() {
    let folder = Scratch::new();
    let (cert, key) = pair(&folder, "first");
    let second = pair(&folder, "second");
    let (web, address) = web_with_pair(&cert, &key, "tls.watch=50ms");
    assert_eq!(shown(&address, "x.test"), "first");
    let (mut kept, connection) = super::secure::connect(&address, &cert);

    // A key alone is refused, and the old pair serves on.
    let install = |from: &str, to: &str| {
        let new = format!("{to}.new");
        std::fs::copy(from, &new).unwrap();
        std::fs::rename(&new, to).unwrap();
    };
    install(&second.1, &key);
    let line = web.wait_for("the old TLS certificate stays");
    assert!(
        line.contains(&format!("{cert} with the key {key}")),
        "{line}"
    );
    assert_eq!(shown(&address, "x.test"), "first");

    install(&second.0, &cert);
    web.wait_for("TLS certificate loaded");
    assert_eq!(shown(&address, "x.test"), "second");
    let answer = super::secure::get(&mut kept, connection, "/");
    assert!(answer.ends_with("hello"), "{answer}");
}

#[test]
fn a_file_system_that_hangs_under_a_certificate_stops_no_request() {
    let folder = Scratch::new();
    let (cert, key) = pair(&folder, "first");
    let (web, address) = web_with_pair(&cert, &key, "tls.watch=50ms");
    let new = format!("{cert}.new");
    nix::unistd::mkfifo(new.as_str(), nix::sys::stat::Mode::S_IRWXU).unwrap();
    std::fs::rename(&new, &cert).unwrap();
    // Opened once the program has opened it to read, which gets nothing for as long as this is open.
    let hanging = std::fs::OpenOptions::new().write(true).open(&cert).unwrap();
    assert_eq!(shown(&address, "x.test"), "first");
    drop(hanging);
    web.wait_for("the old TLS certificate stays");
    assert_eq!(shown(&address, "x.test"), "first");
}

#[test]
fn a_key_that_everybody_may_read_is_warned_of() {
    let folder = Scratch::new();
    let (cert, key) = pair(&folder, "first");
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    std::fs::set_permissions(&key, open).unwrap();
    let keys = [format!("tls.cert={cert}"), format!("tls.key={key}")];
    let (web, _) = web(1, &[&keys[0], &keys[1]]);
    let lines = web.lines().with("everybody may read the key");
    assert!(lines[0].contains(&key), "{lines:?}");
}

#[test]
fn a_reload_with_a_pair_that_cannot_be_used_is_undone() {
    let folder = Scratch::new();
    let (cert, key) = pair(&folder, "first");
    let keys = [
        format!("tls.cert={cert}"),
        format!("tls.key={key}"),
        "tls.watch=0s".to_owned(),
    ];
    let keys: Vec<_> = keys.iter().map(String::as_str).collect();
    let (web, address) = web(2, &keys);
    std::fs::write(&cert, "nothing").unwrap();
    web.signal(Signal::SIGHUP);
    let line = web.wait_for("reload failed, it is undone");
    assert!(
        line.contains(&format!("{cert} holds no certificate")),
        "{line}"
    );
    assert_eq!(shown(&address, "x.test"), "first");
}
