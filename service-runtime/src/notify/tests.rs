//! The notifier against a real datagram socket, which plays the manager.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;

use super::*;

/// A manager that listens in a directory of its own.
struct Manager {
    folder: PathBuf,
    socket: UnixDatagram,
}

impl Manager {
    fn new(test: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("notify-{test}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let socket = UnixDatagram::bind(folder.join("notify")).unwrap();
        socket.set_nonblocking(true).unwrap();
        Self { folder, socket }
    }

    fn notifier(&self) -> Notifier {
        notifier(&[(
            "NOTIFY_SOCKET",
            self.folder.join("notify").to_str().unwrap(),
        )])
    }

    /// Takes the next message out of the queue; a datagram is there as soon as it is sent.
    fn heard(&self) -> Option<String> {
        let mut buffer = [0; 512];
        let length = self.socket.recv(&mut buffer).ok()?;
        Some(String::from_utf8(buffer[..length].to_vec()).unwrap())
    }
}

impl Drop for Manager {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn notifier(vars: &[(&str, &str)]) -> Notifier {
    let find = |name: &str| vars.iter().find(|(known, _)| *known == name);
    Notifier::from_vars(|name| find(name).map(|(_, value)| value.into()), 42)
}

#[test]
fn each_call_is_one_message_of_the_protocol() {
    let manager = Manager::new("messages");
    let notifier = manager.notifier();
    notifier.ready("2 workers");
    notifier.stopping();
    notifier.status("draining\nREADY=1");
    notifier.watchdog();
    for message in [
        "READY=1\nSTATUS=2 workers\n",
        "STOPPING=1\n",
        "STATUS=draining READY=1\n",
        "WATCHDOG=1\n",
    ] {
        assert_eq!(manager.heard().as_deref(), Some(message));
    }
    assert_eq!(manager.heard(), None);
}

#[test]
fn a_reload_carries_the_monotonic_clock_in_the_same_message() {
    let manager = Manager::new("reloading");
    let clock = || match NotifyState::monotonic_usec_now().unwrap() {
        NotifyState::MonotonicUsec(now) => now,
        other => panic!("not a clock: {other}"),
    };
    let before = clock();
    manager.notifier().reloading();
    let message = manager.heard().unwrap();
    let stamp = message
        .strip_prefix("RELOADING=1\nMONOTONIC_USEC=")
        .unwrap();
    let stamp: i128 = stamp.trim_end().parse().unwrap();
    assert!((before..=clock()).contains(&stamp));
}

#[cfg(workers)]
#[test]
fn an_abstract_socket_is_understood() {
    use std::os::linux::net::SocketAddrExt;
    let name = format!("notify-abstract-{}", std::process::id());
    let address = std::os::unix::net::SocketAddr::from_abstract_name(&name).unwrap();
    let socket = UnixDatagram::bind_addr(&address).unwrap();
    notifier(&[("NOTIFY_SOCKET", &format!("@{name}"))]).stopping();
    let mut buffer = [0; 64];
    let length = socket.recv(&mut buffer).unwrap();
    assert_eq!(&buffer[..length], b"STOPPING=1\n");
}

#[test]
fn a_missing_dead_or_unsupported_socket_is_no_failure() {
    let manager = Manager::new("gone");
    let dead = manager.notifier();
    drop(manager);
    let silent = [
        dead,
        notifier(&[]),
        notifier(&[("NOTIFY_SOCKET", "")]),
        notifier(&[("NOTIFY_SOCKET", "/nowhere/notify")]),
        notifier(&[("NOTIFY_SOCKET", "vsock:2:1234")]),
        notifier(&[("NOTIFY_SOCKET", "relative/path")]),
    ];
    for notifier in silent {
        notifier.ready("");
        notifier.watchdog();
        assert!(
            notifier.flush(),
            "nothing is kept for a manager that is not there"
        );
    }
}

#[test]
fn an_unwritable_socket_is_no_failure() {
    let manager = Manager::new("unwritable");
    let path = manager.folder.join("notify");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    let notifier = manager.notifier();
    notifier.ready("");
    assert!(notifier.flush());
}

#[test]
fn a_busy_manager_gets_the_states_later_and_in_order() {
    let manager = Manager::new("busy");
    let notifier = manager.notifier();
    while notifier.target.as_ref().unwrap().send(b"noise").is_ok() {}
    notifier.ready("late");
    notifier.status("lost");
    notifier.stopping();
    assert!(!notifier.flush());
    while manager.heard().is_some() {}
    assert!(notifier.flush());
    assert_eq!(manager.heard().as_deref(), Some("READY=1\nSTATUS=late\n"));
    assert_eq!(manager.heard().as_deref(), Some("STOPPING=1\n"));
    assert_eq!(manager.heard(), None);
}

#[test]
fn more_messages_than_are_kept_push_the_oldest_out() {
    let manager = Manager::new("overflow");
    let notifier = manager.notifier();
    while notifier.target.as_ref().unwrap().send(b"noise").is_ok() {}
    for workers in 0..=KEPT {
        notifier.ready(&workers.to_string());
    }
    while manager.heard().is_some() {}
    assert!(notifier.flush());
    assert_eq!(manager.heard().as_deref(), Some("READY=1\nSTATUS=1\n"));
}

#[test]
fn the_watchdog_counts_for_this_process_or_for_whoever_reads_it() {
    let interval = |vars: &[(&str, &str)]| notifier(vars).watchdog_interval();
    let second = Some(Duration::from_secs(1));
    assert_eq!(interval(&[("WATCHDOG_USEC", "1000000")]), second);
    assert_eq!(
        interval(&[("WATCHDOG_USEC", "1000000"), ("WATCHDOG_PID", "42")]),
        second
    );
    assert_eq!(
        interval(&[("WATCHDOG_USEC", "1000000"), ("WATCHDOG_PID", "43")]),
        None
    );
    assert_eq!(
        interval(&[("WATCHDOG_USEC", "1000000"), ("WATCHDOG_PID", "x")]),
        None
    );
    assert_eq!(interval(&[("WATCHDOG_USEC", "0")]), None);
    assert_eq!(interval(&[("WATCHDOG_USEC", "soon")]), None);
    assert_eq!(interval(&[]), None);
}
