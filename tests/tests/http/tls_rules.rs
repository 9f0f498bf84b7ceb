//! What is told of certificates and keys at the start and at a check, and what is spoken after ALPN.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::sync::Arc;

use tests::fixture;
use tests::harness::{LIMIT, Program, Scratch};
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, ClientConnection, StreamOwned};

use super::client::Client;
use super::{tls, web};

fn openssl(args: &[&str]) {
    let made = Command::new("openssl").args(args).output().unwrap();
    assert!(made.status.success(), "{args:?}: {made:?}");
}

fn program(cert: &str, key: &str) -> Program {
    fixture!("web")
        .args(["--workers", "2", "--set", "web.bind=127.0.0.1:0"])
        .args(["--set", &format!("web.tls.cert={cert}")])
        .args(["--set", &format!("web.tls.key={key}")])
}

/// Makes a certificate that is valid between two days, and returns its files.
fn dated(folder: &Scratch, start: &str, end: &str) -> (String, String) {
    let path = |end: &str| folder.path(format!("dated.{end}")).display().to_string();
    let text = "[ca]\ndefault_ca = own\n[own]\nnew_certs_dir = .\ndefault_md = sha256\npolicy = any\n\
                rand_serial = yes\nunique_subject = no\nx509_extensions = v3\n[v3]\n\
                subjectAltName = IP:127.0.0.1\n[any]\ncommonName = supplied\n";
    let database = folder.write("index", "").display().to_string();
    let dir = folder.path("").display().to_string();
    let text = text.replace(
        "new_certs_dir = .",
        &format!("new_certs_dir = {dir}\ndatabase = {database}"),
    );
    let config = folder.write("ca.conf", &text).display().to_string();
    let (request, cert, key) = (path("csr"), path("pem"), path("key"));
    let new = [
        "req",
        "-new",
        "-nodes",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
    ];
    let files = ["-subj", "/CN=dated", "-out", &request, "-keyout", &key];
    openssl(&[new.as_slice(), &files].concat());
    let sign = [
        "ca",
        "-batch",
        "-selfsign",
        "-notext",
        "-config",
        &config,
        "-keyfile",
        &key,
    ];
    let dates = [
        "-startdate",
        start,
        "-enddate",
        end,
        "-in",
        &request,
        "-out",
        &cert,
    ];
    openssl(&[sign.as_slice(), &dates].concat());
    (cert, key)
}

#[test]
fn a_pair_that_cannot_be_used_is_told_for_what_it_is_by_start_and_check() {
    let folder = Scratch::new();
    let (cert, key) = tls::pair(&folder, "one");
    let (_, other) = tls::pair(&folder, "two");
    let path = |name: &str| folder.path(name).display().to_string();
    let (encrypted, old, strange) = (path("encrypted.key"), path("old.key"), path("strange.key"));
    openssl(&[
        "pkey", "-in", &key, "-aes256", "-passout", "pass:x", "-out", &encrypted,
    ]);
    openssl(&[
        "ec", "-in", &key, "-aes256", "-passout", "pass:x", "-out", &old,
    ]);
    openssl(&[
        "ecparam",
        "-name",
        "secp256k1",
        "-genkey",
        "-noout",
        "-out",
        &strange,
    ]);
    let text = std::fs::read_to_string(&key).unwrap();
    let end = text.rfind("-----END").unwrap();
    let cut = folder.write("cut.key", &text[..end]).display().to_string();
    let garbled = text.replace("-----BEGIN PRIVATE KEY-----", "-----BEGIN PRIVATE KEY--");
    let garbled = folder.write("garbled.key", &garbled).display().to_string();
    let nothing = folder
        .write("nothing.key", "nothing\n")
        .display()
        .to_string();
    let noise = text.replacen("MI", "M*", 1);
    let noise = folder.write("noise.key", &noise).display().to_string();
    for (key, told) in [
        (other, "the key is not that of the certificate".to_owned()),
        (
            encrypted,
            "it is encrypted, and nobody is there to give the passphrase".to_owned(),
        ),
        (
            old,
            "it is encrypted, and nobody is there to give the passphrase".to_owned(),
        ),
        (
            strange.clone(),
            format!("the key {strange} is none that is supported"),
        ),
        (
            cut,
            "it is cut off: there is no line `-----END PRIVATE KEY-----`".to_owned(),
        ),
        (
            garbled,
            "is not of the form `-----BEGIN NAME-----`".to_owned(),
        ),
        (nothing, "there is no such section in it".to_owned()),
        (noise, "is not base64".to_owned()),
        (path("absent.key"), "No such file or directory".to_owned()),
    ] {
        let (code, _, log) = program(&cert, &key).arg("--check-config").run();
        assert_eq!(code, 78, "{log}");
        assert!(log.contains(&told) && log.contains(&key), "{told} in {log}");
        assert!(log.contains("--set web.tls.key"), "{log}");
        assert!(!log.contains("[80, 82"), "{log}");
        assert_eq!(log.lines().count(), 1, "{log}");
        let (code, _, log) = program(&cert, &key).run();
        assert_eq!(code, 78, "{log}");
        assert!(log.contains(&told) && log.contains(&key), "{told} in {log}");
    }
}

#[test]
fn a_certificate_out_of_its_time_is_warned_of_by_start_and_check() {
    for (start, end, told) in [
        ("20200101000000Z", "20200201000000Z", "has expired"),
        ("20980101000000Z", "20990101000000Z", "is not valid yet"),
    ] {
        let folder = Scratch::new();
        let (cert, key) = dated(&folder, start, end);
        let (code, out, log) = program(&cert, &key).arg("--check-config").run();
        assert_eq!(code, 0, "{out} {log}");
        assert_eq!(log.matches(told).count(), 1, "{log}");
        let web = program(&cert, &key).start();
        web.ready(2);
        assert!(!web.lines().with(told).is_empty());
    }
}

/// Connects, and agrees to speak one of these.
fn agreed(
    address: &str,
    config: &Arc<ClientConfig>,
    protocols: &[&[u8]],
) -> StreamOwned<ClientConnection, TcpStream> {
    let mut config = ClientConfig::clone(config);
    config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
    let name = ServerName::try_from("127.0.0.1").unwrap();
    let mut tls = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut socket = TcpStream::connect(address).unwrap();
    socket.set_read_timeout(Some(LIMIT)).unwrap();
    while tls.is_handshaking() {
        tls.complete_io(&mut socket).unwrap();
    }
    StreamOwned::new(tls, socket)
}

#[test]
fn what_is_spoken_is_what_was_agreed() {
    let folder = Scratch::new();
    let server = tls::server(&folder);
    let keys = [
        format!("tls.cert={}", server.cert),
        format!("tls.key={}", server.key),
    ];
    let (_web, address) = web(1, &[&keys[0], &keys[1]]);
    let config = server.client();
    let (h1, h2): (&[u8], &[u8]) = (
        b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0",
    );
    for (protocols, sent, served) in [
        (&[&b"http/1.1"[..]][..], h1, true),
        (&[], h1, true),
        (&[b"h2"], h1, false),
        (&[b"http/1.1"], h2, false),
        (&[], h2, false),
        (&[b"h2"], h2, true),
    ] {
        let mut stream = agreed(&address, &config, protocols);
        stream.write_all(sent).unwrap();
        let mut answer = [0; 12];
        // A connection may end without an answer, also without the farewell of TLS.
        let mut length = 0;
        while let Ok(read @ 1..) = stream.read(&mut answer[length..]) {
            length += read;
        }
        let answer = &answer[..length];
        let understood = match sent == h1 {
            true => answer == b"HTTP/1.1 200",
            // SETTINGS of the server.
            false => answer.get(3) == Some(&4) && answer.get(4) == Some(&0),
        };
        assert_eq!(understood, served, "{protocols:?} {answer:?}");
    }
}

#[test]
fn a_slow_reader_whose_connection_was_pending_is_not_cut_later() {
    let folder = Scratch::new();
    let server = tls::server(&folder);
    let keys = [
        format!("tls.cert={}", server.cert),
        format!("tls.key={}", server.key),
        "send_timeout=400ms".to_owned(),
    ];
    let keys: Vec<_> = keys.iter().map(String::as_str).collect();
    let (web, address) = web(
        1,
        &[&keys[..], &["access_log=<{path} {status} {length}>"]].concat(),
    );
    let mut client = Client::secure(&address, &server.client()).unwrap();
    // More than the sockets hold: the last of it waits in the buffer of TLS until it is read.
    assert_eq!(client.get("/big/20000000").unwrap().body.len(), 20_000_000);
    web.wait_for("access: </big/20000000 200 20000000>");
    // As long as three clients that take nothing may be kept.
    for _ in 0..2 {
        let answer = client.get("/slow/1200").unwrap();
        assert_eq!(answer.body, "slow");
    }
}
