//! Where engines are found: a folder of the user's own, with a socket and a lock file for each
//! name.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, FileType, FlockOperation, Mode, OFlags};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with};

use crate::error::{Doing, ShmError};

/// Longest name of an engine.
const NAME_MAX: usize = 32;

/// An engine's name, held: no other engine of it can start.
#[derive(Debug)]
pub struct NameLock(#[expect(dead_code, reason = "held, not read")] OwnedFd);

/// Names the one folder where engines bind and clients look, whatever else there is: what runs in a test must neither find
/// the engines of the machine nor be found.
const ONLY: &str = "TICKGATE_RUNTIME_DIR";

/// A folder of attach sockets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder(PathBuf);

impl Folder {
    /// Any folder; made with mode 0700 by the first engine that binds there.
    pub fn at(path: impl Into<PathBuf>) -> Folder {
        Folder(path.into())
    }

    /// Where an engine of this user binds: `$TICKGATE_RUNTIME_DIR`, else `$XDG_RUNTIME_DIR/tickgate`,
    /// else `tickgate-UID` in the temporary directory.
    pub fn standard() -> Folder {
        if let Some(only) = Folder::only() {
            return only;
        }
        Folder::runtime().unwrap_or_else(|| Folder::temporary(&std::env::temp_dir()))
    }

    /// Where a client of this user looks. More places than [`Folder::standard`], because whoever
    /// starts a client may have cleared the environment that the engine saw; but
    /// `$TICKGATE_RUNTIME_DIR` alone where it is set.
    pub fn search() -> Vec<Folder> {
        if let Some(only) = Folder::only() {
            return vec![only];
        }
        let mut folders: Vec<Folder> = Folder::runtime().into_iter().collect();
        let uid = rustix::process::geteuid().as_raw();
        folders.push(Folder(format!("/run/user/{uid}/tickgate").into()));
        folders.push(Folder::temporary(&std::env::temp_dir()));
        folders.push(Folder::temporary(Path::new("/tmp")));
        let mut seen = Vec::new();
        folders.retain(|folder| {
            let new = !seen.contains(folder);
            seen.push(folder.clone());
            new
        });
        folders
    }

    /// The folder's path.
    pub fn path(&self) -> &Path {
        &self.0
    }

    fn only() -> Option<Folder> {
        let path = PathBuf::from(std::env::var_os(ONLY)?);
        std::path::absolute(path).ok().map(Folder) // Not one that is empty.
    }

    fn runtime() -> Option<Folder> {
        let base = PathBuf::from(std::env::var_os("XDG_RUNTIME_DIR")?);
        (base.is_absolute() && base.is_dir()).then(|| Folder(base.join("tickgate")))
    }

    fn temporary(base: &Path) -> Folder {
        let uid = rustix::process::geteuid().as_raw();
        Folder(base.join(format!("tickgate-{uid}")))
    }

    /// Whether it is a folder, no link, of this user and closed to everyone else. `None`: there is
    /// none.
    pub(crate) fn is_private(&self) -> Result<Option<bool>, Errno> {
        let stat = match rustix::fs::statat(CWD, &self.0, AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::NOENT) => return Ok(None),
            stat => stat?,
        };
        let folder = FileType::from_raw_mode(stat.st_mode) == FileType::Directory;
        let owned = stat.st_uid == rustix::process::geteuid().as_raw();
        Ok(Some(folder && owned && stat.st_mode & 0o077 == 0))
    }

    /// Makes the folder if there is none, and refuses one that is not private.
    ///
    /// # Errors
    ///
    /// [`ShmError::Folder`] or [`ShmError::Os`].
    pub fn prepare(&self) -> Result<(), ShmError> {
        match rustix::fs::mkdir(&self.0, Mode::RWXU) {
            Err(Errno::EXIST) => {}
            made => made.doing("make the folder of the attach sockets")?,
        }
        match self.is_private().doing("look at the folder of the attach sockets")? {
            Some(true) => Ok(()),
            _ => Err(ShmError::Folder(self.0.clone())),
        }
    }

    /// Takes the name for as long as the result lives; the kernel lets go of it when the process
    /// dies.
    ///
    /// # Errors
    ///
    /// [`ShmError::NameTaken`] while an engine of this name lives; [`ShmError::Name`],
    /// [`ShmError::Os`].
    pub fn lock(&self, name: &str) -> Result<NameLock, ShmError> {
        if !is_name(name) {
            return Err(ShmError::Name(name.to_owned()));
        }
        let path = self.0.join(format!("{name}.lock"));
        let flags = OFlags::CREATE | OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let mode = Mode::RUSR | Mode::WUSR;
        let lock = rustix::fs::open(path, flags, mode).doing("open the engine's lock file")?;
        match rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Err(Errno::WOULDBLOCK) => Err(ShmError::NameTaken(name.to_owned())),
            taken => {
                taken.doing("lock the engine's name").map(|()| NameLock(lock)).map_err(Into::into)
            }
        }
    }

    /// Where an engine hears its operator.
    pub fn operator_path(&self, name: &str) -> PathBuf {
        self.0.join(format!("{name}.operator.sock"))
    }

    pub(crate) fn socket_path(&self, name: &str) -> PathBuf {
        self.0.join(format!("{name}.sock"))
    }

    /// Names of the engines that listen here, sorted. None if the folder is not private.
    pub(crate) fn engines(&self) -> Vec<String> {
        let Ok(Some(true)) = self.is_private() else { return Vec::new() };
        let Ok(entries) = std::fs::read_dir(&self.0) else { return Vec::new() };
        let mut names: Vec<String> = entries
            .flatten()
            .filter_map(|entry| {
                let name = entry.file_name().into_string().ok()?;
                name.strip_suffix(".sock").map(str::to_owned)
            })
            .filter(|name| is_name(name) && self.listens(name))
            .collect();
        names.sort();
        names
    }

    /// Whether somebody listens on the socket of a name. A stopped engine still does.
    fn listens(&self, name: &str) -> bool {
        let Ok(address) = SocketAddrUnix::new(self.socket_path(name)) else { return false };
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None);
        // A full backlog says AGAIN: it belongs to somebody, too.
        socket.is_ok_and(|socket| matches!(connect(&socket, &address), Ok(()) | Err(Errno::AGAIN)))
    }
}

/// Whether an engine may be called so. The name becomes part of a path, so nothing but these
/// characters.
pub(crate) fn is_name(name: &str) -> bool {
    let legal = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    !name.is_empty() && name.len() <= NAME_MAX && name.bytes().all(legal)
}

#[cfg(test)]
mod tests;
