//! A process whose wall clock somebody sets and whose disk fails, while it runs.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What is wrong with a disk. As `preload.c` has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i64)]
pub enum Disk {
    /// Nothing.
    Sound = 0,
    /// A sync does not return.
    Stalls,
    /// There is no room.
    NoSpace,
    /// No write succeeds.
    IoError,
    /// A half of each write is done, until nothing is left to halve.
    Half,
    /// Writes succeed, and no sync does.
    LostSync,
}

/// What a process is told instead of the truth.
#[derive(Debug)]
pub struct Preload {
    library: PathBuf,
    path: PathBuf,
    words: File,
}

impl Preload {
    /// Builds what is loaded before the C library, in a folder. The compiler is there: it links every Rust program.
    pub fn new(folder: &Path) -> Preload {
        let [library, path] = ["preload.so", "faults"].map(|name| folder.join(name));
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/preload.c");
        let mut compiler = Command::new("cc");
        let built = compiler.args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(source);
        assert!(built.status().expect("a C compiler").success());
        let words = File::options().read(true).write(true).create_new(true).open(&path);
        let words = words.expect("a file");
        words.set_len(24).expect("room");
        Preload { library, path, words }
    }

    /// Sets the wall clock so many nanoseconds before or behind the true one.
    pub fn set_wall(&self, off_ns: i64) {
        self.words.write_all_at(&off_ns.to_ne_bytes(), 0).expect("a write");
    }

    /// Lets the disk of the journal be so from now on.
    pub fn set_disk(&self, disk: Disk) {
        self.words.write_all_at(&(disk as i64).to_ne_bytes(), 8).expect("a write");
    }

    /// Lets the disk of the audit log be so from now on.
    pub fn set_audit_disk(&self, disk: Disk) {
        self.words.write_all_at(&(disk as i64).to_ne_bytes(), 16).expect("a write");
    }

    /// Has a program begin with it.
    pub fn beneath(&self, command: &mut Command) {
        command.env("LD_PRELOAD", &self.library).env("TICKGATE_TEST_FAULTS", &self.path);
    }
}
