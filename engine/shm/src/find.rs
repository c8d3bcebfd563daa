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

/// Folders and names of all that is meant by `name`: the engine of that name, or the shards NAME-0, NAME-1 … that run under it.
/// Without a name: the only engine that runs, or all shards of the only run.
///
/// # Errors
///
/// As [`find_engine`].
pub fn find_engines(name: Option<&str>) -> Result<Vec<(Folder, String)>, AttachError> {
    find_all(&Folder::search(), name)
}

/// The name of which an engine is a shard by its own, and its number.
fn shard_of(engine: &str) -> Option<(&str, u16)> {
    let (name, number) = engine.rsplit_once('-')?;
    let plain = number == "0" || number.starts_with(|first: char| ('1'..='9').contains(&first));
    Some((name, number.parse().ok().filter(|_| plain && !name.is_empty())?))
}

/// Shards of a name, by their numbers.
fn shards(engines: &[(Folder, String)], name: &str) -> Vec<(Folder, String)> {
    let number = |engine: &str| Some(shard_of(engine).filter(|(of, _)| *of == name)?.1);
    let mut shards: Vec<_> =
        engines.iter().filter(|(_, engine)| number(engine).is_some()).cloned().collect();
    shards.sort_by_key(|(_, engine)| number(engine));
    shards.dedup_by(|(_, a), (_, b)| a == b);
    shards
}

/// [`find_engines`], looking in these folders.
pub(crate) fn find_all(
    folders: &[Folder],
    name: Option<&str>,
) -> Result<Vec<(Folder, String)>, AttachError> {
    let found = match find(folders, name) {
        Err(AttachError::SeveralEngines(_)) => engines(folders),
        one => return one.map(|one| vec![one]),
    };
    let first = found.first().and_then(|(_, engine)| Some(shard_of(engine)?.0));
    let shards = name.or(first).map_or_else(Vec::new, |name| shards(&found, name));
    // Without a name they must be all that runs: a halt of half of what runs would look like one of everything.
    if name.is_none() && found.iter().any(|engine| !shards.contains(engine)) {
        return Err(AttachError::SeveralEngines(found.into_iter().map(|(_, name)| name).collect()));
    }
    Ok(shards)
}

/// The engine `name`, or without a name the only one that runs.
pub(crate) fn find(
    folders: &[Folder],
    name: Option<&str>,
) -> Result<(Folder, String), AttachError> {
    let engines = engines(folders);
    let names =
        |engines: Vec<(Folder, String)>| engines.into_iter().map(|(_, name)| name).collect();
    let mut matching = engines.iter().filter(|(_, engine)| name.is_none_or(|name| name == engine));
    match (matching.next(), matching.next()) {
        (Some(_), Some(_)) if name.is_none() => Err(AttachError::SeveralEngines(names(engines))),
        (Some(engine), _) => Ok(engine.clone()),
        (None, _) if name.is_some_and(|name| !shards(&engines, name).is_empty()) => {
            Err(AttachError::SeveralEngines(names(shards(&engines, name.unwrap_or_default()))))
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: the shards of a name are those with a number behind it, in the order of the numbers, each once; nothing else is
    /// taken for one. Method: names that nearly are.
    #[test]
    fn shards_have_numbers() {
        let names =
            ["p", "p-0", "p-1", "p-1", "p-10", "p-2", "p-02", "p-x", "p-", "-3", "q-0", "p-0-1"];
        let engines = names.map(|name| (Folder::at("/somewhere"), name.to_owned()));
        let found =
            |name| shards(&engines, name).into_iter().map(|(_, name)| name).collect::<Vec<_>>();
        assert_eq!(found("p"), ["p-0", "p-1", "p-2", "p-10"]);
        assert_eq!(found("p-0"), ["p-0-1"]);
        assert_eq!(found("q"), ["q-0"]);
        assert!(found("r").is_empty() && found("").is_empty());
    }
}
