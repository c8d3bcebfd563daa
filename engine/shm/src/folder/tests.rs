use super::*;
use std::os::unix::fs::{PermissionsExt, symlink};

/// Goal: only characters that are safe in a path make a name. Method: edges of length and content.
#[test]
fn names() {
    for good in ["a", "tickgate", "A-1_b", &"x".repeat(32)] {
        assert!(is_name(good), "{good}");
    }
    for bad in ["", "..", "a/b", "a b", "ä", "a.sock", &"x".repeat(33)] {
        assert!(!is_name(bad), "{bad}");
    }
}

/// Goal: a folder that others may open, a link, or a file is refused; a missing one is made with
/// mode 0700. Method: one of each.
#[test]
fn only_a_private_folder_is_trusted() {
    let base = tempfile::tempdir().unwrap();
    let folder = Folder::at(base.path().join("made"));
    assert_eq!(folder.is_private(), Ok(None));
    folder.prepare().unwrap();
    let mode = std::fs::metadata(folder.path()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    folder.prepare().unwrap();

    for open in [0o755, 0o770, 0o701] {
        std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(open)).unwrap();
        assert!(matches!(folder.prepare(), Err(ShmError::Folder(_))), "{open:o}");
    }
    std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o700)).unwrap();
    let link = Folder::at(base.path().join("link"));
    symlink(folder.path(), link.path()).unwrap();
    assert!(matches!(link.prepare(), Err(ShmError::Folder(_))));
    let file = Folder::at(base.path().join("file"));
    std::fs::write(file.path(), "").unwrap();
    assert!(matches!(file.prepare(), Err(ShmError::Folder(_))));
}

/// Goal: a folder of somebody else is refused. Method: give it away, which only the superuser may.
#[test]
fn foreign_folder_is_refused() {
    let base = tempfile::tempdir().unwrap();
    let folder = Folder::at(base.path().join("foreign"));
    folder.prepare().unwrap();
    if std::os::unix::fs::chown(folder.path(), Some(12_345), None).is_err() {
        println!("skipped: only the superuser can give a folder away");
        return;
    }
    assert!(matches!(folder.prepare(), Err(ShmError::Folder(_))));
    assert_eq!(folder.is_private(), Ok(Some(false)));
    assert!(folder.engines().is_empty());
}

/// Goal: a name is taken once at a time, and free again when its holder lets go. Method: lock
/// twice, drop, lock again.
#[test]
fn lock_is_exclusive() {
    let base = tempfile::tempdir().unwrap();
    let folder = Folder::at(base.path().join("f"));
    folder.prepare().unwrap();
    let held = folder.lock("a").unwrap();
    assert!(matches!(folder.lock("a"), Err(ShmError::NameTaken(_))));
    folder.lock("b").unwrap();
    drop(held);
    folder.lock("a").unwrap();
}
