//! One listening socket: TCP, or a path on this machine that only its owner may come through.
//!
//! An address or a path comes in; accepted sockets go out, each with who is at its other end.
//! Knows no limits and no turns: how many come in, and what to do when descriptors run out, is `listener`'s.
//! Left out: inherited sockets, and Unix sockets that others on this machine may open (put a proxy on TCP).

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use mio::net::{TcpListener, TcpStream, UnixListener};
use mio::{Interest, Registry, Token};
use socket2::{Domain, SockAddr, Socket, Type};

use super::Peer;

/// A listening socket.
#[derive(Debug)]
pub(super) enum Door {
    Tcp(TcpListener),
    /// Its path goes with it.
    Unix(UnixListener, PathBuf),
}

/// Somebody who came through a door.
pub(super) struct Visitor {
    /// Of a Unix-domain connection, too: its descriptor knows the same calls, and one kind of stream keeps the row small.
    pub(super) socket: TcpStream,
    pub(super) peer: Peer,
}

impl Door {
    /// Listens at a path: nobody but the process's own user (and root) may connect. A socket that was left there by a process
    /// that is no more is replaced; anything else is not.
    pub(super) fn at(path: &Path) -> io::Result<Self> {
        let address = SockAddr::unix(path)?;
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
        socket.set_nonblocking(true)?;
        match socket.bind(&address) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && is_left_over(path) => {
                fs::remove_file(path)?;
                socket.bind(&address)?;
            }
            bound => bound?,
        }
        // Nobody can connect before it listens.
        let listened = fs::set_permissions(path, fs::Permissions::from_mode(0o600))
            .and_then(|()| socket.listen(UNIX_BACKLOG));
        if let Err(error) = listened {
            let _ = fs::remove_file(path);
            return Err(error);
        }
        Ok(Self::Unix(
            UnixListener::from_std(socket.into()),
            path.to_owned(),
        ))
    }

    pub(super) fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        match self {
            Self::Tcp(socket) => registry.register(socket, token, Interest::READABLE),
            Self::Unix(socket, _) => registry.register(socket, token, Interest::READABLE),
        }
    }

    /// Who has come; nobody, if it is one who may not.
    pub(super) fn accept(&self) -> io::Result<Option<Visitor>> {
        match self {
            Self::Tcp(socket) => {
                let (socket, address) = socket.accept()?;
                let peer = Peer::Tcp(address);
                Ok(Some(Visitor { socket, peer }))
            }
            Self::Unix(socket, _) => {
                let (socket, _) = socket.accept()?;
                if !is_our_own(&socket) {
                    return Ok(None);
                }
                let socket = TcpStream::from(std::os::fd::OwnedFd::from(socket));
                let peer = Peer::Unix;
                Ok(Some(Visitor { socket, peer }))
            }
        }
    }

    pub(super) fn local_addr(&self) -> io::Result<SocketAddr> {
        match self {
            Self::Tcp(socket) => socket.local_addr(),
            Self::Unix(..) => Err(io::ErrorKind::Unsupported.into()),
        }
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        if let Self::Unix(_, path) = self {
            // Somebody may have removed it; whoever comes next replaces what is left.
            let _ = fs::remove_file(path);
        }
    }
}

/// Commands of one operator, not a crowd.
const UNIX_BACKLOG: i32 = 64;

/// Whether a path is a socket that nobody listens at any more.
fn is_left_over(path: &Path) -> bool {
    let is_socket = fs::symlink_metadata(path).is_ok_and(|there| there.file_type().is_socket());
    is_socket
        && UnixStream::connect(path)
            .is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
}

/// Whether the other end is a process of our own user, or of root. The file's mode says so already; a folder that was opened to
/// others, or a file system without modes, does not.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn is_our_own(socket: &mio::net::UnixStream) -> bool {
    rustix::net::sockopt::socket_peercred(socket)
        .is_ok_and(|peer| peer.uid.is_root() || peer.uid == rustix::process::geteuid())
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn is_our_own(_socket: &mio::net::UnixStream) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_opened_for_its_owner_and_is_gone_with_its_door() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("door");
        let door = Door::at(&path).unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let _client = UnixStream::connect(&path).unwrap();
        let visitor = door.accept().unwrap().unwrap();
        assert_eq!(visitor.peer, Peer::Unix);
        drop(door);
        assert!(!path.exists());
    }

    #[test]
    fn what_a_killed_process_left_is_replaced_and_nothing_else_is() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("door");
        // As a process leaves it that has no time to clean up.
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        assert!(path.exists());
        let door = Door::at(&path).unwrap();
        let taken = Door::at(&path).unwrap_err();
        assert_eq!(taken.kind(), io::ErrorKind::AddrInUse);
        drop(door);
        fs::write(&path, "a file of somebody's").unwrap();
        let taken = Door::at(&path).unwrap_err();
        assert_eq!(taken.kind(), io::ErrorKind::AddrInUse);
        assert_eq!(fs::read(&path).unwrap(), b"a file of somebody's");
    }
}
