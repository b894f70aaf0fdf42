//! Whose process is at the other end of a TCP connection on this machine, where the system tells (SEC-09).
//!
//! Linux tells it of one connection at a time (`sock_diag(7)`). A connection from another network namespace (a container)
//! is not known there: of that, nothing is told.

use std::net::SocketAddr;

/// What the system tells of the other end's user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeerUser {
    /// The user whom this process belongs to.
    Ours,
    /// Another one.
    Another,
    /// The system does not tell.
    Untold,
}

/// Asks whose the socket `peer` is that is connected to our `local`. Three system calls; ask once for each connection,
/// when it has just come in.
pub fn user_of(peer: SocketAddr, local: SocketAddr) -> PeerUser {
    system::user_of(peer, local)
}

/// Asks whether nobody holds the socket `peer` any more that was connected to our `local`: its process has closed it,
/// rather than said that it sends nothing more. Where the system does not tell, it counts as gone.
pub fn is_gone(peer: SocketAddr, local: SocketAddr) -> bool {
    !system::is_held(peer, local)
}

#[cfg(target_os = "linux")]
mod system {
    use std::net::{IpAddr, SocketAddr};

    use rustix::io::{Errno, Result};
    use rustix::net::netlink::{SOCK_DIAG, SocketAddrNetlink};
    use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, sendto, socket_with};

    use super::PeerUser;

    /// `SOCK_DIAG_BY_FAMILY`: the type of the question and of its answer.
    const BY_FAMILY: u16 = 20;
    const REQUEST: u16 = 1;
    const TCP: u8 = 6;
    /// Established, or closed by our side alone: a process is there to be named. Of others the user is not known.
    const LIVE: [u8; 2] = [1, 8];

    /// Lengths of `nlmsghdr`, and of `inet_diag_req_v2` behind it.
    const HEADER: usize = 16;
    const QUESTION: usize = 56;
    /// Where `inet_diag_msg` has its state, its user and its file.
    const STATE: usize = HEADER + 1;
    const UID: usize = HEADER + 64;
    const INODE: usize = UID + 4;

    /// What the system tells of a socket.
    #[derive(Debug, PartialEq, Eq)]
    struct Told {
        state: u8,
        uid: u32,
        /// Zero when its process has closed it.
        inode: u32,
    }

    pub(super) fn user_of(peer: SocketAddr, local: SocketAddr) -> PeerUser {
        match ask(peer, local) {
            Ok(Some(socket)) if !LIVE.contains(&socket.state) => PeerUser::Untold,
            Ok(Some(socket)) if socket.uid == rustix::process::getuid().as_raw() => PeerUser::Ours,
            Ok(Some(_)) => PeerUser::Another,
            Ok(None) | Err(_) => PeerUser::Untold,
        }
    }

    pub(super) fn is_held(peer: SocketAddr, local: SocketAddr) -> bool {
        matches!(ask(peer, local), Ok(Some(socket)) if socket.inode != 0)
    }

    fn ask(peer: SocketAddr, local: SocketAddr) -> Result<Option<Told>> {
        let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, Some(SOCK_DIAG))?;
        sendto(&socket, &question(peer, local), SendFlags::empty(), &SocketAddrNetlink::new(0, 0))?;
        let mut answer = [0; 1024];
        // The kernel has answered before `sendto` returned.
        let (length, _) = recv(&socket, &mut answer, RecvFlags::DONTWAIT)?;
        Ok(told(answer.get(..length).ok_or(Errno::INVAL)?))
    }

    /// The question for the socket whose own address is `peer` and which is connected to `local`.
    fn question(peer: SocketAddr, local: SocketAddr) -> Vec<u8> {
        let family = if peer.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
        let mut bytes = Vec::with_capacity(HEADER + QUESTION);
        bytes.extend((u32::try_from(HEADER + QUESTION).unwrap_or_default()).to_ne_bytes());
        bytes.extend(BY_FAMILY.to_ne_bytes());
        bytes.extend(REQUEST.to_ne_bytes());
        bytes.extend([0; 8]);
        bytes.extend([u8::try_from(family.as_raw()).unwrap_or_default(), TCP, 0, 0]);
        bytes.extend(u32::MAX.to_ne_bytes());
        bytes.extend(peer.port().to_be_bytes());
        bytes.extend(local.port().to_be_bytes());
        for address in [peer.ip(), local.ip()] {
            match address {
                IpAddr::V4(ip) => bytes.extend([ip.octets().as_slice(), &[0; 12]].concat()),
                IpAddr::V6(ip) => bytes.extend(ip.octets()),
            }
        }
        // Any interface, and no cookie: it is asked for by its addresses.
        bytes.extend([0; 4]);
        bytes.extend([0xff; 8]);
        bytes
    }

    fn told(answer: &[u8]) -> Option<Told> {
        let word = |at: usize| Some(u32::from_ne_bytes(answer.get(at..at + 4)?.try_into().ok()?));
        let kind = u16::from_ne_bytes(answer.get(4..6)?.try_into().ok()?);
        (kind == BY_FAMILY).then_some(Told { state: *answer.get(STATE)?, uid: word(UID)?, inode: word(INODE)? })
    }

    #[cfg(test)]
    mod tests {
        use std::net::{Ipv6Addr, Shutdown, TcpListener, TcpStream};

        use super::super::is_gone;
        use super::*;

        #[test]
        fn our_own_connection_is_ours() {
            for address in ["127.0.0.1:0", "[::1]:0"] {
                let Ok(listener) = TcpListener::bind(address) else { continue };
                let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
                let (server, peer) = listener.accept().unwrap();
                assert_eq!(user_of(peer, server.local_addr().unwrap()), PeerUser::Ours, "{address}");
                let strange = SocketAddr::new(peer.ip(), 1);
                assert_eq!(user_of(strange, server.local_addr().unwrap()), PeerUser::Untold);
                client.shutdown(Shutdown::Write).unwrap();
                assert!(!is_gone(peer, server.local_addr().unwrap()), "it still reads");
                drop(client);
                assert!(is_gone(peer, server.local_addr().unwrap()), "its process has closed it");
            }
        }

        #[test]
        fn an_ipv6_socket_over_ipv4_is_found() {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let port = listener.local_addr().unwrap().port();
            let client = TcpStream::connect((Ipv6Addr::from([0, 0, 0, 0, 0, 0xffff, 0x7f00, 1]), port)).unwrap();
            let (server, peer) = listener.accept().unwrap();
            assert_eq!(user_of(peer, server.local_addr().unwrap()), PeerUser::Ours);
            drop(client);
        }

        #[test]
        fn an_answer_that_is_none_tells_nothing() {
            for answer in [&[][..], &[0; 20], &[0xff; 200]] {
                assert_eq!(told(answer), None);
            }
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use std::net::SocketAddr;

    use super::PeerUser;

    pub(super) fn user_of(_peer: SocketAddr, _local: SocketAddr) -> PeerUser {
        PeerUser::Untold
    }

    pub(super) fn is_held(_peer: SocketAddr, _local: SocketAddr) -> bool {
        false
    }
}
