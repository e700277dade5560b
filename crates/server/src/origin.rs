//! `Origin`: how a client came: through which door, and from where.

use std::net::IpAddr;

use ipnet::IpNet;
use nix::sys::socket::SockaddrStorage;

use crate::Proof;

/// How a client came.
#[derive(Clone, Copy, Debug)]
pub enum Origin {
    /// Over streams, from somebody who knows what it must prove.
    Stream(Proof),
    /// Over a unix socket, and who started it, where the kernel says so.
    Local(Option<u32>),
    /// Over TCP, from there.
    Host(IpAddr),
}

impl Origin {
    /// Whether it is the operating-system user that runs the server, or root.
    pub fn is_owner(&self) -> bool {
        let own = rustix::process::geteuid().as_raw();
        matches!(*self, Origin::Local(Some(uid)) if uid == own || uid == 0)
    }

    /// The name of the operating-system user at the other end of a unix socket.
    pub fn system_user(&self) -> Option<String> {
        let Origin::Local(Some(uid)) = *self else { return None };
        nix::unistd::User::from_uid(uid.into()).ok().flatten().map(|user| user.name)
    }
}

/// As messages name it.
impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Origin::Host(address) => address.fmt(f),
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
