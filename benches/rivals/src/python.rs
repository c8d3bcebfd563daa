//! Rivals in Python: a script that stays, and does a round when it is told to.
//!
//! The script is given a file, and reads names of contenders from its standard input, a line each. For each it answers
//! with a line: `{"ns": time of the round, "sum": what it found or null}`, or `{"error": why not}`.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde::Deserialize;
use tempfile::NamedTempFile;

use crate::contest::Round;
use crate::setting::Setting;

/// Folder of the scripts.
pub const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/python");

struct Running {
    child: Child,
    ask: ChildStdin,
    answers: BufReader<ChildStdout>,
    _input: NamedTempFile,
}

/// A script, once it runs; else why it does not.
pub struct Python(Result<Running, String>);

#[derive(Deserialize)]
#[serde(untagged)]
enum Answer {
    Done { ns: f64, sum: Option<u64> },
    Failed { error: String },
}

impl Python {
    /// Starts a script on an input.
    pub fn new(setting: &Setting, script: &str, input: &str) -> Python {
        let Some(python) = &setting.python else {
            return Python(Err("not run: no --python".into()));
        };
        Python(start(python, script, input).map_err(|error| format!("not run: {error}")))
    }

    /// One round of a contender: nanoseconds an operation.
    pub fn round(&mut self, name: &str, operations: usize) -> Result<Round, String> {
        let Running { ask, answers, .. } = self.0.as_mut().map_err(|why| why.clone())?;
        writeln!(ask, "{name}").map_err(|error| format!("not run: {error}"))?;
        let mut line = String::new();
        answers.read_line(&mut line).map_err(|error| format!("not run: {error}"))?;
        match serde_json::from_str(&line) {
            Ok(Answer::Done { ns, sum }) => Ok(Round { each: ns / operations as f64, sum }),
            Ok(Answer::Failed { error }) => Err(format!("not run: {error}")),
            Err(_) => Err("not run: the script ended".into()),
        }
    }
}

fn start(python: &Path, script: &str, input: &str) -> std::io::Result<Running> {
    let mut file = NamedTempFile::new()?;
    file.write_all(input.as_bytes())?;
    let mut child = Command::new(python)
        .arg(Path::new(FOLDER).join(script))
        .arg(file.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let (ask, answers) = (child.stdin.take(), child.stdout.take());
    let (Some(ask), Some(answers)) = (ask, answers.map(BufReader::new)) else {
        return Err(std::io::Error::other("no pipes"));
    };
    Ok(Running { child, ask, answers, _input: file })
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
