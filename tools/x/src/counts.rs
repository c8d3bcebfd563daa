//! Instructions of each stage, against those that were committed. They do not depend on how busy a machine is.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use program::{eprintln, println};

/// Where the committed figures stand: `stage`, tab, instructions a unit.
const COMMITTED: &str = "benches/counts.tsv";
/// How far a figure may be from the committed one, in hundredths. Fewer instructions are a fault too: the next to lose them
/// again would not hear of it.
const BAND: u64 = 3;

/// Counts every stage and compares; `write`: makes the figures the committed ones. Whether nothing is beyond the band.
pub fn check(root: &Path, write: bool) -> bool {
    match count_all(root) {
        Ok(counts) if write => {
            let lines = counts.iter().map(|(stage, _, count)| format!("{stage}\t{count}\n"));
            std::fs::write(root.join(COMMITTED), lines.collect::<String>()).is_ok()
        }
        Ok(counts) => compare(&counts, &committed(root)),
        Err(fault) => {
            eprintln!("counts: {fault}");
            false
        }
    }
}

/// Of each stage its name, its unit and its instructions.
type Counts = Vec<(String, String, u64)>;

fn count_all(root: &Path) -> Result<Counts, String> {
    let found =
        Command::new("valgrind").arg("--version").output().is_ok_and(|o| o.status.success());
    if !found {
        return Err("needs valgrind; on Debian: apt-get install valgrind".into());
    }
    let program = build(root)?;
    let list = output(Command::new(&program))?.0;
    list.lines()
        .map(|line| {
            let [stage, unit, few, many] = line.split('\t').collect::<Vec<_>>()[..] else {
                return Err(format!("`{line}` is no stage"));
            };
            let units = |text: &str| text.parse().map_err(|_| format!("`{line}` is no stage"));
            let (few, many): (u64, u64) = (units(few)?, units(many)?);
            let more = instructions(&program, stage, many)?
                .checked_sub(instructions(&program, stage, few)?)
                .ok_or_else(|| format!("{stage}: more units took fewer instructions"))?;
            Ok((stage.into(), unit.into(), more / (many - few)))
        })
        .collect()
}

/// Builds the stages as the benches are built.
fn build(root: &Path) -> Result<PathBuf, String> {
    let mut cargo = Command::new(crate::cargo_path());
    cargo
        .args(["bench", "--package", "benches", "--bench", "counts", "--no-run"])
        .current_dir(root);
    let (_, said) = output(cargo)?;
    let program = said.lines().find_map(|line| {
        line.trim_start().strip_prefix("Executable")?.rsplit_once('(')?.1.strip_suffix(')')
    });
    Ok(root.join(program.ok_or("cargo did not say where it built the stages")?))
}

fn instructions(program: &Path, stage: &str, units: u64) -> Result<u64, String> {
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
    valgrind.arg(program).args([stage, &units.to_string()]);
    let (_, said) = output(valgrind)?;
    let collected = said.lines().find_map(|line| line.split_once("Collected :"));
    let count = collected.and_then(|(_, count)| count.trim().parse().ok());
    count.ok_or_else(|| format!("{stage}: valgrind counted nothing"))
}

/// What a program that succeeds writes to both outputs.
fn output(mut command: Command) -> Result<(String, String), String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    let [out, err] =
        [output.stdout, output.stderr].map(|b| String::from_utf8_lossy(&b).into_owned());
    if output.status.success() { Ok((out, err)) } else { Err(format!("{command:?}: {err}")) }
}

fn committed(root: &Path) -> BTreeMap<String, u64> {
    let text = std::fs::read_to_string(root.join(COMMITTED)).unwrap_or_default();
    let figures = text.lines().filter_map(|line| line.split_once('\t'));
    figures.filter_map(|(stage, count)| Some((stage.into(), count.parse().ok()?))).collect()
}

fn compare(counts: &Counts, committed: &BTreeMap<String, u64>) -> bool {
    println!("{:<10} {:>12} {:>12} {:>8}", "stage", "instructions", "committed", "change");
    let mut holds = counts.len() == committed.len();
    for (stage, unit, count) in counts {
        let before = committed.get(stage).copied().unwrap_or(0);
        let within = count.abs_diff(before) * 100 <= BAND * before;
        let change = (*count as f64 / before as f64 - 1.0) * 100.0;
        let fault = if within { "" } else { "  beyond the band" };
        println!("{stage:<10} {count:>12} {before:>12} {change:>+7.1}% a {unit}{fault}");
        holds &= within;
    }
    if !holds {
        eprintln!("counts: {COMMITTED} says otherwise; if that is meant: cargo x counts --write");
    }
    holds
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: the band holds both ways, and a stage too many or too few is a fault. Method: figures on its edges.
    #[test]
    fn band() {
        let counts = |count| vec![("book".to_owned(), "event".to_owned(), count)];
        let committed = |count| BTreeMap::from([("book".to_owned(), count)]);
        assert!(
            [970, 1_000, 1_030].iter().all(|count| compare(&counts(*count), &committed(1_000)))
        );
        assert!(![969, 1_031].iter().any(|count| compare(&counts(*count), &committed(1_000))));
        assert!(!compare(&counts(1_000), &BTreeMap::new()));
        assert!(!compare(&Vec::new(), &committed(1_000)));
    }
}
