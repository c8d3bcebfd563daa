//! The rules of style that no compiler checks.

use std::path::{Path, PathBuf};
use std::process::Command;

use program::{eprintln, println};

/// Longest line, in characters, and longest file, in lines.
const COLUMNS_MAX: usize = 130;
const LINES_MAX: usize = 500;
/// Words that say nothing about what a thing is.
const EMPTY_NAMES: [&str; 10] = [
    "Manager",
    "Processor",
    "Service",
    "Handler",
    "Helper",
    "Util",
    "Common",
    "Impl",
    "Ultra",
    "Blazing",
];
/// Marks of unfinished work. Split, so that this file does not hold them.
const UNFINISHED: [&str; 4] = [
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("todo", "!("),
    concat!("unimple", "mented!("),
];
/// Where nothing may be in floating point: everything between a venue's bytes and a verdict.
const EXACT: [&str; 10] = [
    "engine/model/src",
    "engine/shm/src",
    "engine/src/book",
    "engine/src/indicator",
    "engine/src/level_book",
    "engine/src/step",
    "engine/src/strategy",
    "engine/src/paper",
    "feeds/src",
    "risk/src",
];
/// Programs, which answer and tell through `program`.
const PROGRAMS: [&str; 2] = ["tools/", "engine/cli/"];
const PRINTS: [&str; 4] = ["println", "print", "eprintln", "eprint"];
/// The only packages with `unsafe` in their sources.
const UNSAFE: [&str; 2] = ["engine/shm/", "engine/host/"];

/// Says what is wrong; whether nothing is.
pub fn check(root: &Path) -> bool {
    let files = tracked(root);
    let mut faults = Vec::new();
    for file in &files {
        let Ok(text) = std::fs::read_to_string(root.join(file)) else { continue };
        match file.extension().and_then(|extension| extension.to_str()) {
            Some("rs") => check_rust(root, file, &text, &mut faults),
            Some("md") => check_paths(root, file, &text, &mut faults),
            _ => {}
        }
    }
    for fault in &faults {
        eprintln!("{fault}");
    }
    println!("tidy: {} files, {} faults", files.len(), faults.len());
    faults.is_empty() && !files.is_empty()
}

/// Files that belong to the repository, new ones included.
fn tracked(root: &Path) -> Vec<PathBuf> {
    let list = ["ls-files", "--cached", "--others", "--exclude-standard"];
    let output = Command::new("git").args(list).current_dir(root).output();
    let text = output
        .map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
        .unwrap_or_default();
    text.lines().map(PathBuf::from).collect()
}

fn check_rust(root: &Path, file: &Path, text: &str, faults: &mut Vec<String>) {
    let name = file.display();
    let mut fault = |line: usize, what: &str| faults.push(format!("{name}:{line}: {what}"));
    let lines = text.lines().count();
    if lines > LINES_MAX {
        fault(lines, "the file is too long to be one thing");
    }
    let path = file.to_string_lossy();
    let exact = EXACT.iter().any(|folder| path.starts_with(folder)) && !is_test(file);
    for (number, line) in text.lines().enumerate() {
        let number = number + 1;
        if line.chars().count() > COLUMNS_MAX {
            fault(number, "the line is too long");
        }
        if UNFINISHED.iter().any(|mark| line.contains(mark)) {
            fault(number, "unfinished");
        }
        let defined = ["struct ", "enum ", "trait ", "type "].iter().find_map(|word| {
            let (_, name) = line.split_once(word)?;
            name.split(|c: char| !c.is_alphanumeric()).next()
        });
        if defined.is_some_and(|name| EMPTY_NAMES.iter().any(|empty| name.contains(empty)))
            && !path.starts_with("tools/x")
        {
            fault(number, "a name that says nothing");
        }
        let code = line.split("//").next().unwrap_or("");
        if exact
            && (has_word(code, "f64") || has_word(code, "f32"))
            && !text.contains("mod tests {")
        {
            fault(number, "a float where everything is exact");
        }
        let allowed = UNSAFE.iter().any(|folder| path.starts_with(folder)) || is_test(file);
        if has_word(code, concat!("un", "safe")) && !code.contains("forbid(") && !allowed {
            fault(number, concat!("un", "safe code outside engine/shm and engine/host"));
        }
    }
    if PROGRAMS.iter().any(|folder| path.starts_with(folder)) && !is_test(file) {
        for (number, name) in foreign_prints(text) {
            fault(number, &format!("{name} of the standard library panics: use that of `program`"));
        }
    }
    if !is_listed(root, file) {
        fault(1, "no `mod` line names this file: it is not compiled");
    }
}

/// Lines before the tests that print by a macro that is not imported from `program`.
fn foreign_prints(text: &str) -> impl Iterator<Item = (usize, &'static str)> {
    let ours = text.lines().find(|line| line.starts_with("use program::")).unwrap_or("");
    let code = text.lines().take_while(|line| !line.starts_with("mod tests {")).enumerate();
    code.flat_map(move |(number, line)| {
        let code = line.split("//").next().unwrap_or("");
        let used = move |name: &&str| code.contains(&format!("{name}!(")) && has_word(code, name);
        let foreign = PRINTS.into_iter().filter(used).filter(|name| !has_word(ours, name));
        foreign.map(move |name| (number + 1, name))
    })
}

fn is_test(file: &Path) -> bool {
    let text = file.to_string_lossy();
    text.contains("/tests/")
        || text.ends_with("tests.rs")
        || text.starts_with("tests/")
        || text.starts_with("benches/")
}

fn has_word(code: &str, word: &str) -> bool {
    code.split(|c: char| !c.is_alphanumeric() && c != '_').any(|part| part == word)
}

/// Whether the file is a root of a crate, or the file above it names it.
fn is_listed(root: &Path, file: &Path) -> bool {
    let (Some(stem), Some(folder)) = (file.file_stem().and_then(|s| s.to_str()), file.parent())
    else {
        return false;
    };
    let in_sources = file.components().any(|part| part.as_os_str() == "src");
    if !in_sources || ["main", "lib"].contains(&stem) || folder.ends_with("bin") {
        return true;
    }
    let above = if folder.ends_with("src") {
        vec![folder.join("lib.rs"), folder.join("main.rs")]
    } else {
        vec![folder.with_extension("rs")]
    };
    let names =
        |text: &str| text.lines().any(|line| line.trim_end().ends_with(&format!("mod {stem};")));
    above
        .iter()
        .filter_map(|path| std::fs::read_to_string(root.join(path)).ok())
        .any(|text| names(&text))
}

/// Every path in code marks that looks like one of ours must exist.
fn check_paths(root: &Path, file: &Path, text: &str, faults: &mut Vec<String>) {
    const TOPS: [&str; 8] =
        ["engine/", "feeds/", "risk/", "sidecar/", "benches/", "tests/", "tools/", "deploy/"];
    for (number, line) in text.lines().enumerate() {
        for word in line.split('`').skip(1).step_by(2) {
            let path = word.split([' ', ':', '#']).next().unwrap_or("");
            let ours =
                TOPS.iter().any(|top| path.starts_with(top)) && !path.contains(['<', '*', '{']);
            if ours && !root.join(path).exists() {
                faults.push(format!("{}:{}: `{path}` does not exist", file.display(), number + 1));
            }
        }
    }
}
