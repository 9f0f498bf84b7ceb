//! The holder with real sockets, on ports that the system chooses.

use std::fs::File;
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::AsRawFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::process::Command;

use super::*;

impl Listeners {
    fn bind_fd(
        &mut self,
        options: &ListenOptions,
        slot: Option<usize>,
    ) -> Result<BorrowedFd<'_>, BindError> {
        self.bind(options, slot).map(Held::fd)
    }
}

fn options(text: &str) -> ListenOptions {
    ListenOptions::try_from(text).unwrap()
}

fn bound(listeners: &mut Listeners, text: &str) -> i32 {
    listeners.bind_fd(&options(text), None).unwrap().as_raw_fd()
}

fn refused(listeners: &mut Listeners, text: &str) -> String {
    listeners
        .bind_fd(&options(text), None)
        .unwrap_err()
        .to_string()
}

fn local(fd: BorrowedFd<'_>) -> SocketAddr {
    socket::local_address(&fd).unwrap().tcp().unwrap()
}

/// A listening socket as systemd would pass it.
fn passed(listeners: &mut Listeners, name: &str, address: &str) -> SocketAddr {
    let listener = TcpListener::bind(address).unwrap();
    let at = listener.local_addr().unwrap();
    listeners.keep_passed(name.to_owned(), listener.into());
    at
}

fn socket_path(test: &str) -> PathBuf {
    std::env::temp_dir().join(format!("listeners-{test}-{}.sock", std::process::id()))
}

#[test]
fn an_address_is_bound_once() {
    let mut listeners = Listeners::default();
    let first = bound(&mut listeners, "127.0.0.1:0");
    assert_eq!(bound(&mut listeners, "127.0.0.1:0"), first);
    assert_ne!(bound(&mut listeners, "*:0"), first);
    let held: Vec<String> = listeners
        .iter()
        .map(|held| held.address().to_string())
        .collect();
    assert_eq!(held, ["127.0.0.1:0", "*:0"]);
    let at = local(listeners.iter().next().unwrap().fd());
    TcpStream::connect(at).unwrap();
}

#[test]
fn any_address_takes_ipv4_clients() {
    let mut listeners = Listeners::default();
    let port = local(listeners.bind_fd(&options(":0"), None).unwrap()).port();
    TcpStream::connect(("127.0.0.1", port)).unwrap();
}

#[test]
fn each_slot_has_its_own_socket_on_the_same_port_with_reuse_port() {
    let mut listeners = Listeners::default();
    let options = options("127.0.0.1:0").reuse_port(true);
    let mut bind = |slot| {
        let fd = listeners.bind_fd(&options, slot).unwrap();
        (fd.as_raw_fd(), local(fd))
    };
    let (zero, one) = (bind(Some(0)), bind(Some(1)));
    assert_ne!(zero.0, one.0);
    assert_eq!(zero.1, one.1);
    assert_eq!(bind(Some(0)), zero);

    listeners.close_slots(|slot| slot >= 1);
    let slots: Vec<_> = listeners.iter().map(Held::slot).collect();
    assert_eq!(slots, [Some(0)]);
}

#[test]
fn only_a_socket_that_is_bound_already_and_may_be_used_by_the_slot_is_held_for_it() {
    let mut listeners = Listeners::default();
    let (shared, own) = (options("127.0.0.1:0"), options("*:0").reuse_port(true));
    assert!(listeners.held(&shared, Some(1)).is_none());
    let first = bound(&mut listeners, "127.0.0.1:0");
    let of_one = listeners.bind_fd(&own, Some(1)).unwrap().as_raw_fd();

    let held = |options, slot| {
        listeners
            .held(options, slot)
            .map(|held| held.fd().as_raw_fd())
    };
    assert_eq!(held(&shared, Some(1)), Some(first));
    assert_eq!(held(&own, Some(1)), Some(of_one));
    assert_eq!(held(&own, Some(0)), None);
}

#[test]
fn without_reuse_port_all_slots_share_one_socket() {
    let mut listeners = Listeners::default();
    let options = options("127.0.0.1:0");
    let zero = listeners.bind_fd(&options, Some(0)).unwrap().as_raw_fd();
    assert_eq!(
        listeners.bind_fd(&options, Some(1)).unwrap().as_raw_fd(),
        zero
    );
}

#[test]
fn an_address_in_use_is_an_error_that_names_it_and_who_to_ask() {
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = other.local_addr().unwrap().to_string();
    let error = Listeners::default()
        .bind_fd(&options(&address), None)
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("cannot listen on {address}: another process listens there, `ss -ltnp` shows it")
    );
    let source = std::error::Error::source(&error).unwrap();
    assert!(source.to_string().contains("Address already in use"));
}

#[test]
fn a_socket_of_our_own_that_is_in_the_way_is_named() {
    let mut listeners = Listeners::default();
    let port = local(listeners.bind_fd(&options("127.0.0.1:0"), None).unwrap()).port();
    let error = refused(&mut listeners, &format!("*:{port}"));
    assert!(
        error.ends_with("this program already listens on 127.0.0.1:0"),
        "{error}"
    );
}

#[test]
fn a_socket_that_is_shared_cannot_be_had_for_a_slot_alone() {
    let at = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let mut listeners = Listeners::default();
    listeners.bind_fd(&at.into(), None).unwrap();
    let own = ListenOptions::from(at).reuse_port(true);
    let error = listeners.bind_fd(&own, Some(0)).unwrap_err().to_string();
    assert!(
        error.ends_with("only its restart changes `reuse_port`"),
        "{error}"
    );
}

#[test]
fn a_socket_of_our_own_on_another_address_is_not_blamed() {
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = other.local_addr().unwrap().port();
    let mut listeners = Listeners::default();
    bound(&mut listeners, &format!("127.0.0.2:{port}"));
    let error = refused(&mut listeners, &format!("127.0.0.1:{port}"));
    assert!(error.contains("another process listens there"), "{error}");
}

#[test]
fn an_address_of_another_machine_is_refused() {
    let error = refused(&mut Listeners::default(), "192.0.2.1:0");
    assert!(error.contains("`ip address` shows them"), "{error}");
}

#[test]
fn a_host_name_is_not_resolved_here() {
    let error = refused(&mut Listeners::default(), "localhost:0");
    assert!(error.contains("the host name was not resolved"), "{error}");
}

#[test]
fn the_socket_file_goes_when_asked_and_not_on_drop() {
    let path = socket_path("file");
    let text = format!("unix:{}", path.display());
    let mut listeners = Listeners::default();
    bound(&mut listeners, &text);
    drop(listeners);
    assert!(path.exists());

    let mut next = Listeners::default();
    bound(&mut next, &text);
    UnixStream::connect(&path).unwrap();
    next.remove_socket_files();
    assert!(!path.exists());
}

#[test]
fn a_passed_socket_is_found_by_its_name_and_by_its_address() {
    let mut listeners = Listeners::default();
    let at = passed(&mut listeners, "web", "127.0.0.1:0");
    let named = bound(&mut listeners, "systemd:web");
    assert_eq!(bound(&mut listeners, &at.to_string()), named);
    let held: Vec<_> = listeners
        .iter()
        .map(|held| (held.name(), held.address()))
        .collect();
    assert_eq!(held, [(Some("web"), &Address::Tcp(at))]);
}

#[test]
fn a_passed_socket_is_shared_even_with_reuse_port() {
    let mut listeners = Listeners::default();
    let at = passed(&mut listeners, "web", "127.0.0.1:0");
    let options = options(&at.to_string()).reuse_port(true);
    let one = listeners.bind_fd(&options, Some(1)).unwrap().as_raw_fd();
    assert_eq!(bound(&mut listeners, "systemd:web"), one);
}

#[test]
fn a_passed_socket_of_every_address_serves_however_that_is_written() {
    let mut listeners = Listeners::default();
    let port = passed(&mut listeners, "web", "0.0.0.0:0").port();
    let fd = bound(&mut listeners, "systemd:web");
    for text in [
        format!(":{port}"),
        format!("0.0.0.0:{port}"),
        format!("[::]:{port}"),
    ] {
        assert_eq!(bound(&mut listeners, &text), fd, "{text}");
    }
}

#[test]
fn the_file_of_a_passed_socket_is_left_to_systemd() {
    let path = socket_path("passed");
    let socket = UnixListener::bind(&path).unwrap();
    let mut listeners = Listeners::default();
    listeners.keep_passed("app".to_owned(), socket.into());
    assert_eq!(
        bound(&mut listeners, &format!("unix:{}", path.display())),
        { bound(&mut listeners, "systemd:app") }
    );
    listeners.remove_socket_files();
    assert!(path.exists());
    std::fs::remove_file(&path).unwrap();
}

#[test]
fn a_name_that_was_not_passed_or_is_ambiguous_is_refused() {
    let mut listeners = Listeners::default();
    assert!(refused(&mut listeners, "systemd:web").contains("started by its .socket unit?"));
    let one = passed(&mut listeners, "web", "127.0.0.1:0");
    let error = refused(&mut listeners, "systemd:admin");
    assert!(
        error.contains("systemd passed no socket of this name, but web"),
        "{error}"
    );
    let two = passed(&mut listeners, "web", "127.0.0.1:0");
    let error = refused(&mut listeners, "systemd:web");
    assert!(error.contains(&format!("({one}, {two})")), "{error}");
}

#[test]
fn what_was_passed_and_does_not_listen_is_refused_when_asked_for() {
    let mut listeners = Listeners::default();
    let datagrams = UdpSocket::bind("127.0.0.1:0").unwrap();
    listeners.keep_passed("syslog".to_owned(), datagrams.into());
    listeners.keep_passed("null".to_owned(), File::open("/dev/null").unwrap().into());
    for name in ["systemd:syslog", "systemd:null"] {
        assert!(refused(&mut listeners, name).contains("no listening stream socket"));
    }
}

#[test]
fn what_another_process_held_is_adopted_under_the_same_address() {
    let mut before = Listeners::default();
    bound(&mut before, "127.0.0.1:0");
    let at = local(before.iter().next().unwrap().fd());
    let mut after = Listeners::default();
    for held in before.iter() {
        let fd = held.fd().try_clone_to_owned().unwrap();
        after
            .adopt(held.name(), held.address().clone(), held.slot(), fd)
            .unwrap();
    }
    let again = after.bind(&options("127.0.0.1:0"), None).unwrap();
    assert_eq!(local(again.fd()), at);
    let file = File::open("/dev/null").unwrap();
    assert!(
        after
            .adopt(None, Address::Any(80), None, file.into())
            .is_err()
    );
}

/// Starts this test again in a process that gets a socket as descriptor 3, as systemd passes it.
///
/// `pid` is what the shell that becomes that process says about itself.
fn activated(test: &str, pid: &str, socket: TcpListener) -> String {
    let script = format!(
        "exec env LISTEN_PID={pid} LISTEN_FDS=1 LISTEN_FDNAMES=web \"$0\" --exact --nocapture \
         listen::listeners::tests::{test} 3<&0 </dev/null"
    );
    let mut shell = Command::new("/bin/sh");
    shell
        .arg("-c")
        .arg(script)
        .arg(std::env::current_exe().unwrap());
    let output = shell.stdin(OwnedFd::from(socket)).output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success() && told.contains("1 passed"),
        "{told}"
    );
    told
}

#[test]
fn sockets_in_the_environment_are_taken_once() {
    if std::env::var_os("LISTEN_FDS").is_some() {
        let mut listeners = Listeners::from_env().unwrap();
        assert_eq!(Listeners::from_env().unwrap().iter().count(), 0);
        let fd = listeners.bind_fd(&options("systemd:web"), None).unwrap();
        assert_eq!(fd.as_raw_fd(), 3);
        return println!("\nat {}", local(fd));
    }
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = socket.local_addr().unwrap();
    let told = activated("sockets_in_the_environment_are_taken_once", "$$", socket);
    assert!(
        told.lines().any(|line| line == format!("at {at}")),
        "{told}"
    );
}

#[test]
fn sockets_of_another_process_are_ignored() {
    if std::env::var_os("LISTEN_FDS").is_some() {
        assert_eq!(Listeners::from_env().unwrap().iter().count(), 0);
        return println!("\nnone");
    }
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let told = activated("sockets_of_another_process_are_ignored", "1", socket);
    assert!(told.contains("\nnone\n"), "{told}");
}
