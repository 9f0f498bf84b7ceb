//! What the servers of others share: an address, and a certificate if there is to be TLS.

use std::net::TcpListener;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use socket2::{Domain, Socket, Type};

/// Listens on the address that the first argument says, with the queue that ours has.
pub fn listen() -> TcpListener {
    let address: std::net::SocketAddr = argument(1).expect("an address").parse().expect("an address");
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    socket.set_reuse_address(true).expect("an option");
    socket.set_nonblocking(true).expect("an option");
    socket.set_tcp_nodelay(true).expect("an option");
    socket.bind(&address.into()).expect("a free address");
    socket.listen(1024).expect("a bound socket");
    socket.into()
}

/// Returns TLS if the second and the third argument name certificate and key.
pub fn tls() -> Option<ServerConfig> {
    let (cert, key) = (argument(2)?, argument(3)?);
    let chain = CertificateDer::pem_file_iter(cert).expect("a certificate");
    let chain = chain.collect::<Result<Vec<_>, _>>().expect("a certificate");
    let key = PrivateKeyDer::from_pem_file(key).expect("a key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider has them")
        .with_no_client_auth();
    Some(config.with_single_cert(chain, key).expect("a pair"))
}

fn argument(number: usize) -> Option<String> {
    std::env::args().nth(number)
}
