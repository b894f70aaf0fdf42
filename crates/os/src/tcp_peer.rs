//! Whose process is at the other end of a TCP connection on this machine, where the system tells (SEC-09).
//!
//! Linux tells it by its table of connections. A connection from another network namespace (a container) is not in it:
//! of that, nothing is known.

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

/// Asks whose the socket `peer` is that is connected to our `local`. Reads one or two small files of the system; ask
/// once for each connection, when it has just come in.
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
    use std::fs::File;
    use std::io::{BufRead as _, BufReader};
    use std::net::{IpAddr, Ipv6Addr, SocketAddr};

    use super::PeerUser;

    pub(super) fn user_of(peer: SocketAddr, local: SocketAddr) -> PeerUser {
        match told(peer, local, uid) {
            Some(uid) if uid == rustix::process::getuid().as_raw() => PeerUser::Ours,
            Some(_) => PeerUser::Another,
            None => PeerUser::Untold,
        }
    }

    pub(super) fn is_held(peer: SocketAddr, local: SocketAddr) -> bool {
        told(peer, local, inode).is_some_and(|inode| inode != 0)
    }

    /// What `read` finds in the line of the peer's socket.
    fn told<T>(peer: SocketAddr, local: SocketAddr, read: impl Fn(&str, &str) -> Option<T>) -> Option<T> {
        let in_four = || found_in("/proc/self/net/tcp", &four(peer, local)?, &read);
        // A program may have asked for an IPv6 socket and be connected over IPv4 all the same.
        in_four().or_else(|| found_in("/proc/self/net/tcp6", &six(peer, local), &read))
    }

    /// The two addresses as a line of the table begins with them, from the peer's point of view.
    fn four(peer: SocketAddr, local: SocketAddr) -> Option<String> {
        let end = |address: SocketAddr| match address.ip() {
            IpAddr::V4(ip) => Some(format!("{:08X}:{:04X}", u32::from_ne_bytes(ip.octets()), address.port())),
            IpAddr::V6(_) => None,
        };
        Some(format!("{} {}", end(peer)?, end(local)?))
    }

    fn six(peer: SocketAddr, local: SocketAddr) -> String {
        let end = |address: SocketAddr| {
            let ip: Ipv6Addr = match address.ip() {
                IpAddr::V4(ip) => ip.to_ipv6_mapped(),
                IpAddr::V6(ip) => ip,
            };
            let octets = ip.octets();
            let (words, _) = octets.as_chunks::<4>();
            let words: String = words.iter().map(|word| format!("{:08X}", u32::from_ne_bytes(*word))).collect();
            format!("{words}:{:04X}", address.port())
        };
        format!("{} {}", end(peer), end(local))
    }

    fn found_in<T>(table: &str, ends: &str, read: &impl Fn(&str, &str) -> Option<T>) -> Option<T> {
        let lines = BufReader::with_capacity(64 << 10, File::open(table).ok()?).lines();
        lines.map_while(Result::ok).find_map(|line| read(&line, ends))
    }

    /// The same line's file in the system's table of sockets; zero when its process has closed it.
    fn inode(line: &str, ends: &str) -> Option<u64> {
        let (_, rest) = line.split_once(": ")?;
        rest.strip_prefix(ends)?.split_ascii_whitespace().nth(6)?.parse().ok()
    }

    /// `sl local remote state tx:rx tr:when retransmits uid ...`. Only of a socket that a process still holds (established,
    /// or closed by our side alone) is the user known.
    fn uid(line: &str, ends: &str) -> Option<u32> {
        let (_, rest) = line.split_once(": ")?;
        let mut words = rest.strip_prefix(ends)?.split_ascii_whitespace();
        matches!(words.next()?, "01" | "08").then(|| words.nth(3)?.parse().ok()).flatten()
    }

    #[cfg(test)]
    mod tests {
        use std::net::{TcpListener, TcpStream};

        use super::*;

        #[test]
        fn lines_of_the_table_are_read() {
            let line = "   3: 0100007F:9C40 0100007F:1267 01 00000000:00000000 00:00000000 00000000  1000        0 123 1 0 20 4 30 10 -1";
            let (peer, local) = ("127.0.0.1:40000".parse().unwrap(), "127.0.0.1:4711".parse().unwrap());
            assert_eq!(uid(line, &four(peer, local).unwrap()), Some(1000));
            assert_eq!(uid(line, &four(local, peer).unwrap()), None);
            assert_eq!(
                uid(&line.replace(" 01 ", " 06 "), &four(peer, local).unwrap()),
                None,
                "nobody holds it any more"
            );
            assert_eq!(uid("  sl  local_address rem_address   st", "0100007F:9C40"), None);
        }

        #[test]
        fn our_own_connection_is_ours() {
            for address in ["127.0.0.1:0", "[::1]:0"] {
                let Ok(listener) = TcpListener::bind(address) else { continue };
                let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
                let (server, peer) = listener.accept().unwrap();
                assert_eq!(user_of(peer, server.local_addr().unwrap()), PeerUser::Ours, "{address}");
                let strange = SocketAddr::new(peer.ip(), 1);
                assert_eq!(user_of(strange, server.local_addr().unwrap()), PeerUser::Untold);
                drop(client);
            }
        }

        #[test]
        fn who_has_said_all_is_there_until_it_closes() {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let (server, peer) = listener.accept().unwrap();
            let local = server.local_addr().unwrap();
            assert!(is_held(peer, local));
            client.shutdown(std::net::Shutdown::Write).unwrap();
            assert!(is_held(peer, local));
            drop(client);
            assert!(!is_held(peer, local));
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
