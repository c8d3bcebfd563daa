//! Finding an engine, and the commands that need no desk.

use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, socket_with};

use crate::error::{AttachError, Doing};
use crate::folder::Folder;
use crate::greeting::{HALT, OK, hear, say};

/// Longest wait for each answer of the attach socket.
const PATIENCE: Duration = Duration::from_secs(2);

/// Names of the engines of this user that are running, sorted.
pub fn list_engines() -> Vec<String> {
    engines(&Folder::search()).into_iter().map(|(_, name)| name).collect()
}

/// Asks an engine to halt everything; without a name, the only one running. `Ok` means that it
/// will: the control page shows when it has.
///
/// # Errors
///
/// As [`crate::Client::attach`].
pub fn halt(name: Option<&str>, reason: &str) -> Result<(), AttachError> {
    halt_in(&Folder::search(), name, reason)
}

/// The same, looking in these folders.
///
/// # Errors
///
/// As [`crate::Client::attach`].
pub fn halt_in(folders: &[Folder], name: Option<&str>, reason: &str) -> Result<(), AttachError> {
    let (folder, name) = find(folders, name)?;
    let socket = connect(&folder, &name)?;
    let reason: String = reason.chars().take(64).collect();
    say(&socket, &format!("{HALT} {reason}")).doing("send a halt to the engine")?;
    match hear(&socket).doing("hear the engine's answer to a halt")?.as_str() {
        OK => Ok(()),
        _ => Err(AttachError::Protocol("it does not take a halt")),
    }
}

/// Every engine that listens, sorted by name; of equal names the one in the earlier folder first.
fn engines(folders: &[Folder]) -> Vec<(Folder, String)> {
    let found = folders
        .iter()
        .flat_map(|folder| folder.engines().into_iter().map(|name| (folder.clone(), name)));
    let mut engines: Vec<(Folder, String)> = found.collect();
    engines.sort_by(|(_, a), (_, b)| a.cmp(b));
    engines
}

/// Folder and name of the engine `name` of this user, or without a name of the only one that runs.
///
/// # Errors
///
/// [`AttachError::NoEngine`], [`AttachError::SeveralEngines`] or [`AttachError::Folder`].
pub fn find_engine(name: Option<&str>) -> Result<(Folder, String), AttachError> {
    find(&Folder::search(), name)
}

/// The engine `name`, or without a name the only one that runs.
pub(crate) fn find(
    folders: &[Folder],
    name: Option<&str>,
) -> Result<(Folder, String), AttachError> {
    let engines = engines(folders);
    let mut matching = engines.iter().filter(|(_, engine)| name.is_none_or(|name| name == engine));
    match (matching.next(), matching.next()) {
        (Some(_), Some(_)) if name.is_none() => {
            Err(AttachError::SeveralEngines(engines.into_iter().map(|(_, name)| name).collect()))
        }
        (Some(engine), _) => Ok(engine.clone()),
        (None, _) => match folders.iter().find(|folder| folder.is_private() == Ok(Some(false))) {
            Some(folder) => Err(AttachError::Folder(folder.path().to_owned())),
            None => Err(AttachError::NoEngine(name.map(str::to_owned))),
        },
    }
}

/// Connects with a deadline for everything that is said.
pub(crate) fn connect(folder: &Folder, name: &str) -> Result<OwnedFd, AttachError> {
    let path = folder.socket_path(name);
    let address = SocketAddrUnix::new(&path).doing("name the attach socket")?;
    let flags = SocketFlags::CLOEXEC;
    let socket = socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)
        .doing("make a socket")?;
    for timeout in [Timeout::Send, Timeout::Recv] {
        set_socket_timeout(&socket, timeout, Some(PATIENCE)).doing("set a deadline")?;
    }
    rustix::net::connect(&socket, &address).doing("connect to the attach socket")?;
    Ok(socket)
}
