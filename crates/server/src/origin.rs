//! `Origin`: how a client came: through which door, and from where.

use std::net::{IpAddr, SocketAddr};
use std::os::fd::BorrowedFd;

use ipnet::IpNet;
use nix::sys::socket::SockaddrStorage;
use rustix::net::sockopt;
use session::Peer;

use crate::Proof;

/// How a client came.
#[derive(Clone, Copy, Debug)]
pub enum Origin {
    /// Over streams, from somebody who knows what it must prove.
    Stream(Proof),
    /// Over a unix socket.
    Local,
    /// Over TCP, from there.
    Host(SocketAddr),
}

impl Origin {
    /// Who is at the other end of a unix socket, where the kernel says so.
    fn uid(&self, socket: Option<BorrowedFd<'_>>) -> Option<u32> {
        let socket = socket.filter(|_| matches!(self, Origin::Local))?;
        sockopt::socket_peercred(socket).ok().map(|peer| peer.uid.as_raw())
    }

    /// Whether it is the operating-system user that runs the server, or root.
    pub fn is_owner(&self, socket: Option<BorrowedFd<'_>>) -> bool {
        let own = rustix::process::geteuid().as_raw();
        self.uid(socket).is_some_and(|uid| uid == own || uid == 0)
    }

    /// The name of the operating-system user at the other end of a unix socket.
    pub fn system_user(&self, socket: Option<BorrowedFd<'_>>) -> Option<String> {
        let uid = self.uid(socket)?;
        nix::unistd::User::from_uid(uid.into()).ok().flatten().map(|user| user.name)
    }

    /// As views show it.
    pub fn peer(&self) -> Peer {
        match *self {
            Origin::Stream(_) => Peer::Program,
            Origin::Local => Peer::Local,
            Origin::Host(address) => Peer::Network(address),
        }
    }
}

/// As messages name it.
impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Origin::Host(address) => address.ip().fmt(f),
            _ => f.write_str("[local]"),
        }
    }
}

fn ip(address: &SockaddrStorage) -> Option<IpAddr> {
    let four = address.as_sockaddr_in().map(|a| IpAddr::V4(a.ip()));
    four.or_else(|| address.as_sockaddr_in6().map(|a| IpAddr::V6(a.ip())))
}

/// The networks of this machine's interfaces, with its own address in each.
pub fn own_networks() -> Vec<IpNet> {
    let network = |interface: nix::ifaddrs::InterfaceAddress| {
        let (address, mask) = (ip(interface.address.as_ref()?)?, ip(interface.netmask.as_ref()?)?);
        IpNet::with_netmask(address, mask).ok()
    };
    nix::ifaddrs::getifaddrs().map_or_else(|_| Vec::new(), |all| all.filter_map(network).collect())
}
