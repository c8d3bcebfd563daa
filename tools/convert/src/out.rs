//! The file that is written, which is whole or not there.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::Failure;

/// A new file. Remembers what the operating system refused, whatever the writer of a format makes of it.
pub struct Out {
    to: BufWriter<File>,
    refused: Refused,
}

/// What the operating system refused first of a file, if anything.
#[derive(Clone)]
pub struct Refused {
    path: PathBuf,
    error: Arc<Mutex<Option<io::Error>>>,
}

impl Out {
    /// Creates it; one that is there is not written over.
    pub fn create(path: &Path) -> Result<Out, Failure> {
        let file = File::options().write(true).create_new(true).open(path);
        let to = BufWriter::new(file.map_err(crate::io(path))?);
        Ok(Out { to, refused: Refused { path: path.into(), error: Arc::default() } })
    }

    /// What is told of it later.
    pub fn refused(&self) -> Refused {
        self.refused.clone()
    }

    fn note<T>(&self, done: io::Result<T>) -> io::Result<T> {
        done.inspect_err(|error| {
            if error.kind() == io::ErrorKind::Interrupted {
                return;
            }
            let copy = error.raw_os_error().map(io::Error::from_raw_os_error);
            let copy = copy.unwrap_or_else(|| error.kind().into());
            let mut first = self.refused.error.lock().unwrap_or_else(PoisonError::into_inner);
            first.get_or_insert(copy);
        })
    }
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let done = self.to.write(bytes);
        self.note(done)
    }

    fn flush(&mut self) -> io::Result<()> {
        let done = self.to.flush();
        self.note(done)
    }
}

impl Refused {
    /// What a conversion came to. One that failed, or was refused anything, leaves no file.
    pub fn or_all<T>(self, done: Result<T, Failure>) -> Result<T, Failure> {
        let Refused { path, error } = self;
        let error = error.lock().unwrap_or_else(PoisonError::into_inner).take();
        let done = match error {
            Some(error) => Err(Failure::Io { path: path.clone(), error }),
            None => done,
        };
        done.inspect_err(|_| drop(std::fs::remove_file(&path)))
    }
}
