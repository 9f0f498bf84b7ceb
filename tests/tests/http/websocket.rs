//! WebSockets, with a client of others.

use nix::sys::signal::Signal;
use tungstenite::{Message, connect};

use super::web;

#[test]
fn a_websocket_talks_and_is_told_of_a_stop() {
    let (web, address) = web(1, &["linger=50ms"]);
    let (mut socket, answer) = connect(format!("ws://{address}/ws")).unwrap();
    assert_eq!(answer.status().as_u16(), 101);
    for text in ["one", "two"] {
        socket.send(Message::text(text)).unwrap();
        assert_eq!(socket.read().unwrap(), Message::text(text));
    }
    web.signal(Signal::SIGTERM);
    // It is open still, and says farewell by itself.
    assert!(matches!(socket.read().unwrap(), Message::Close(_)));
    drop(socket);
    assert_eq!(web.exit_code(), 0);
}

#[test]
fn a_websocket_outlives_a_reload_in_the_old_worker_until_its_handler_ends() {
    let (web, address) = web(1, &["linger=50ms"]);
    let (mut socket, _) = connect(format!("ws://{address}/ws")).unwrap();
    socket.send(Message::text("pid")).unwrap();
    assert_eq!(socket.read().unwrap(), Message::text("pid"));
    web.signal(Signal::SIGHUP);
    web.ready_worker();
    assert!(matches!(socket.read().unwrap(), Message::Close(_)));
    let (mut socket, _) = connect(format!("ws://{address}/ws")).unwrap();
    socket.send(Message::text("new")).unwrap();
    assert_eq!(socket.read().unwrap(), Message::text("new"));
}
