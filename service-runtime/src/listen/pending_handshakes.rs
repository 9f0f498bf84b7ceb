//! Whether clients are half let in: their first segment was answered, and theirs to that is on its way.
//!
//! The kernel tells it by netlink (`sock_diag(7)`), for every socket of the port in this network
//! namespace.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsRawFd;

use nix::libc;
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, recv, send, socket,
};

/// The length of a netlink message's header.
const HEADER: usize = 16;
/// The length of `struct inet_diag_req_v2`.
const REQUEST: usize = 56;
const SOCK_DIAG_BY_FAMILY: u16 = 20;
const TCP_SYN_RECV: u32 = 3;

/// Tells whether any connection to a port is half open.
///
/// # Errors
///
/// Returns an error if the kernel does not answer such questions.
pub(super) fn exist(address: SocketAddr) -> io::Result<bool> {
    // A socket of IPv6 may let in clients of IPv4, and those are listed with their own family.
    let families = match address.ip() {
        IpAddr::V4(_) => &[libc::AF_INET][..],
        IpAddr::V6(_) => &[libc::AF_INET6, libc::AF_INET],
    };
    for family in families {
        if any(*family, address.port())? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn any(family: i32, port: u16) -> io::Result<bool> {
    let socket = socket(
        AddressFamily::Netlink,
        SockType::Datagram,
        SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK,
        SockProtocol::NetlinkSockDiag,
    )?;
    send(
        socket.as_raw_fd(),
        &request(family, port),
        MsgFlags::empty(),
    )?;
    let mut answer = [0; 8192];
    loop {
        // The kernel has answered a dump, or its first part, before `send` returns.
        let length = recv(socket.as_raw_fd(), &mut answer, MsgFlags::empty())?;
        if let Some(found) = read(&answer[..length])? {
            return Ok(found);
        }
    }
}

/// Asks for all connections of a local port in one state.
fn request(family: i32, port: u16) -> [u8; HEADER + REQUEST] {
    let mut message = [0; HEADER + REQUEST];
    let length = u32::try_from(message.len()).unwrap_or(0);
    let flags = u16::try_from(libc::NLM_F_REQUEST | libc::NLM_F_DUMP).unwrap_or(0);
    message[0..4].copy_from_slice(&length.to_ne_bytes());
    message[4..6].copy_from_slice(&SOCK_DIAG_BY_FAMILY.to_ne_bytes());
    message[6..8].copy_from_slice(&flags.to_ne_bytes());
    message[HEADER] = u8::try_from(family).unwrap_or(0);
    message[HEADER + 1] = u8::try_from(libc::IPPROTO_TCP).unwrap_or(0);
    message[HEADER + 4..HEADER + 8].copy_from_slice(&(1_u32 << TCP_SYN_RECV).to_ne_bytes());
    message[HEADER + 8..HEADER + 10].copy_from_slice(&port.to_be_bytes());
    message
}

/// Reads one part of the answer: whether there are any, or nothing if a further part has to tell.
fn read(mut answer: &[u8]) -> io::Result<Option<bool>> {
    while let Some((header, _)) = answer.split_first_chunk::<HEADER>() {
        let length = u32::from_ne_bytes([header[0], header[1], header[2], header[3]]);
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let kind = i32::from(u16::from_ne_bytes([header[4], header[5]]));
        if kind == i32::from(SOCK_DIAG_BY_FAMILY) {
            return Ok(Some(true));
        }
        if kind == libc::NLMSG_DONE {
            return Ok(Some(false));
        }
        if kind == libc::NLMSG_ERROR {
            let code = answer.get(HEADER..HEADER + 4).unwrap_or(&[0; 4]);
            let code = i32::from_ne_bytes([code[0], code[1], code[2], code[3]]);
            return Err(io::Error::from_raw_os_error(-code));
        }
        let aligned = length.max(HEADER).next_multiple_of(4);
        answer = answer.get(aligned..).unwrap_or(&[]);
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn nobody_is_half_let_in_where_all_have_come_in() {
        for address in ["127.0.0.1:0", "[::]:0"] {
            let listener = TcpListener::bind(address).unwrap();
            let bound = listener.local_addr().unwrap();
            let _client = TcpStream::connect(("127.0.0.1", bound.port())).unwrap();
            let _accepted = listener.accept().unwrap();
            assert!(!exist(bound).unwrap(), "{address}");
        }
    }

    #[test]
    fn an_answer_is_read_by_the_kinds_of_its_messages() {
        let message = |kind: u16, payload: &[u8]| {
            let length = u32::try_from(HEADER + payload.len()).unwrap();
            let mut message = length.to_ne_bytes().to_vec();
            message.extend(kind.to_ne_bytes());
            message.resize(HEADER, 0);
            message.extend(payload);
            message
        };
        assert_eq!(read(&message(20, &[0; 72])).unwrap(), Some(true));
        assert_eq!(read(&message(3, &[0; 4])).unwrap(), Some(false));
        assert_eq!(read(&message(1, &[])).unwrap(), None);
        let refused = message(2, &(-2_i32).to_ne_bytes());
        assert_eq!(read(&refused).unwrap_err().raw_os_error(), Some(2));
    }
}
