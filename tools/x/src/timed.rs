//! The timed suite: everything that measures this host, one step after another, each with what it said in a file of its own.
//! Nothing is held against a figure: times of one machine are not those of another. What must not change, `cargo x counts` says.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use program::eprintln;

/// The day that the report of latency is made of: of many symbols, and short enough to be played often.
const DAY: [&str; 6] = ["--seed", "7", "--symbols", "500", "--messages", "5000000"];

/// What is measured, the file that keeps what it said, and what is run for it.
type Step = (&'static str, &'static str, fn(&Suite) -> Command);

/// In this order; one that fails does not stop the next.
const STEPS: [Step; 5] = [
    ("doctor", "doctor.json", Suite::doctor),
    ("counts", "counts.txt", Suite::counts),
    ("benches", "benches.txt", Suite::benches),
    ("latency", "latency.json", Suite::latency),
    ("rivals", "rivals.txt", Suite::rivals),
];

/// Where it runs, and where its files go.
struct Suite {
    root: PathBuf,
    folder: PathBuf,
}

/// Runs the steps that are named, or all, into `target/timed`. Whether all succeeded.
pub fn run(root: &Path, named: &[String]) -> bool {
    let known = STEPS.map(|(name, ..)| name);
    if let Some(other) = named.iter().find(|name| !known.contains(&name.as_str())) {
        eprintln!("timed: no step `{other}`; there are {}", known.join(", "));
        return false;
    }
    let suite = match Suite::new(root) {
        Ok(suite) => suite,
        Err(fault) => {
            eprintln!("timed: {fault}");
            return false;
        }
    };
    let asked =
        STEPS.iter().filter(|(name, ..)| named.is_empty() || named.iter().any(|n| n == name));
    let failed: Vec<&str> =
        asked.filter(|step| !suite.step(step)).map(|(name, ..)| *name).collect();
    eprintln!("timed: all of it is in {}", suite.folder.display());
    if !failed.is_empty() {
        eprintln!("timed: failed: {}", failed.join(", "));
    }
    failed.is_empty()
}

impl Suite {
    /// Builds the operator's programs, and makes the folder and the day in it.
    fn new(root: &Path) -> Result<Suite, String> {
        let suite = Suite { root: root.into(), folder: root.join("target/timed") };
        std::fs::create_dir_all(&suite.folder)
            .map_err(|error| format!("{}: {error}", suite.folder.display()))?;
        let built = task("build").current_dir(root).status().is_ok_and(|status| status.success());
        let day = suite.folder.join("day.itch");
        let made = built
            && suite
                .tickgate(&["synth"])
                .args(DAY)
                .arg("--out")
                .arg(day)
                .status()
                .is_ok_and(|s| s.success());
        if made { Ok(suite) } else { Err("the programs, or the day, could not be made".into()) }
    }

    /// One step; its standard output goes to its file, everything else to the terminal.
    fn step(&self, (name, file, command): &Step) -> bool {
        let begun = Instant::now();
        eprintln!("\n▶ {name}");
        let out = File::create(self.folder.join(file));
        let done = out.and_then(|out| command(self).current_dir(&self.root).stdout(out).status());
        let ended = match &done {
            Ok(status) => status.to_string(),
            Err(error) => error.to_string(),
        };
        eprintln!("  {name}: {ended}, {:.0} s", begun.elapsed().as_secs_f64());
        // A host that is not as it should be is a finding of the doctor's, not a failure.
        done.is_ok_and(|status| status.success() || (*name == "doctor" && status.code() == Some(1)))
    }

    fn tickgate(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.root.join("target/release/tickgate"));
        command.args(arguments);
        command
    }

    fn doctor(&self) -> Command {
        self.tickgate(&["doctor", "--json"])
    }

    fn counts(&self) -> Command {
        task("counts")
    }

    fn benches(&self) -> Command {
        task("bench")
    }

    fn latency(&self) -> Command {
        let mut command =
            self.tickgate(&["latency", "--json", "--speed", "1,2,5,10,max", "--html"]);
        command.arg(self.folder.join("latency.html")).arg(self.folder.join("day.itch"));
        command
    }

    /// All rivals; those of Python where there is an environment for them.
    fn rivals(&self) -> Command {
        let mut command = Command::new(crate::cargo_path());
        let rivals = self.root.join("benches/rivals");
        command.args(["run", "--release", "--features", "all", "--manifest-path"]);
        command.arg(rivals.join("Cargo.toml")).env("RUSTFLAGS", "-C target-cpu=native").arg("--");
        command.arg("--programs").arg(self.root.join("target/release"));
        command.arg("--json").arg(self.folder.join("rivals.json"));
        let python = rivals.join(".venv/bin/python");
        if python.exists() {
            command.arg("--python").arg(python);
        }
        command
    }
}

/// Another of the repository's own tasks.
fn task(name: &str) -> Command {
    let mut command = Command::new(crate::cargo_path());
    command.args(["x", name]);
    command
}
