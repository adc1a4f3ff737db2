//! A port that refuses connections, until somebody listens on it.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use socket2::{Domain, Socket, Type};

/// A port on loopback that is taken and refuses connections: nobody else gets it meanwhile, not
/// as the near end of a connection either.
pub struct ClosedPort {
    socket: Socket,
    pub address: SocketAddr,
}

impl Default for ClosedPort {
    fn default() -> Self {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        socket
            .bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())
            .expect("a loopback port");
        let address = socket.local_addr().expect("the port's address");
        let address = address.as_socket().expect("an IPv4 address");
        Self { socket, address }
    }
}

impl ClosedPort {
    /// The base URL of who would listen.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Takes connections from now on.
    pub fn listen(self) -> TcpListener {
        self.socket.listen(128).expect("the port is ours");
        self.socket.into()
    }
}
