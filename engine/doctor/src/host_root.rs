//! A host as a folder: `/`, or a tree that looks like it.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::CpuSet;

/// Most bytes that are read of a file. `/proc/interrupts` of a host of 512 processors has about two million.
const BYTES_MAX: u64 = 4 << 20;
/// Most entries of a folder that are looked at.
const ENTRIES_MAX: usize = 65_536;

/// Where a host's files are read. Nothing is ever written there.
#[derive(Clone, Debug)]
pub struct Host {
    root: PathBuf,
}

impl Host {
    /// The host whose `proc` and `sys` lie in `root`.
    pub fn at(root: &Path) -> Host {
        Host { root: root.to_path_buf() }
    }

    /// This host.
    pub fn this() -> Host {
        Host::at(Path::new("/"))
    }

    /// Whether it is the host that this program runs on, so that something can be measured.
    pub fn is_this(&self) -> bool {
        self.root == Path::new("/")
    }

    fn path(&self, path: &str) -> PathBuf {
        self.root.join(path.trim_start_matches('/'))
    }

    /// Text of a file, without the white space around it. `None`: absent, not a plain file, not readable, or not text. Of a huge
    /// file only the first megabytes are read.
    pub fn text(&self, path: &str) -> Option<String> {
        let path = self.path(path);
        // A pipe or a device could be waited for without end.
        if !std::fs::metadata(&path).ok()?.is_file() {
            return None;
        }
        let mut bytes = Vec::new();
        File::open(path).ok()?.take(BYTES_MAX).read_to_end(&mut bytes).ok()?;
        let text = match String::from_utf8(bytes) {
            Ok(text) => text,
            // The cut may have gone through a character.
            Err(error) if error.utf8_error().error_len().is_none() => {
                let good = error.utf8_error().valid_up_to();
                String::from_utf8_lossy(error.as_bytes().get(..good)?).into_owned()
            }
            Err(_) => return None,
        };
        let control = |c: char| c.is_control() && !c.is_ascii_whitespace();
        if text.contains(control) {
            return None;
        }
        Some(text.trim().to_owned())
    }

    /// A file that holds one whole number.
    pub fn number(&self, path: &str) -> Option<i64> {
        self.text(path)?.parse().ok()
    }

    /// A file that holds a list of processors such as `2-5,7`. An empty one is the empty set, as is the kernel's `(null)`.
    pub fn cpus(&self, path: &str) -> Option<CpuSet> {
        CpuSet::parse_list(&self.text(path)?)
    }

    /// A file that holds a mask of processors such as `ff,00000003`.
    pub fn mask(&self, path: &str) -> Option<CpuSet> {
        CpuSet::parse_mask(&self.text(path)?)
    }

    /// The choice in brackets of a file such as `always [madvise] never`.
    pub fn chosen(&self, path: &str) -> Option<String> {
        let text = self.text(path)?;
        let (_, rest) = text.split_once('[')?;
        let (word, _) = rest.split_once(']')?;
        Some(word.to_owned())
    }

    /// Names in a folder, sorted, numbers by their value; none if it is absent.
    pub fn names(&self, path: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.path(path)).into_iter().flatten().flatten();
        let names =
            entries.take(ENTRIES_MAX).filter_map(|entry| entry.file_name().into_string().ok());
        let mut names: Vec<String> = names.collect();
        names.sort_by_key(|name| (name.parse::<u64>().unwrap_or(u64::MAX), name.clone()));
        names
    }

    /// Whether there is such a file or folder.
    pub fn has(&self, path: &str) -> bool {
        self.path(path).exists()
    }

    /// A word of the kernel's command line: the value of `key=value`, or nothing for a bare `key`. The last one counts.
    pub fn boot(&self, key: &str) -> Option<String> {
        let line = self.text("proc/cmdline")?;
        let ours = line.split_ascii_whitespace().take_while(|word| *word != "--");
        let value = |word: &str| match word.split_once('=') {
            Some((name, value)) => (name == key).then(|| value.to_owned()),
            None => (word == key).then(String::new),
        };
        ours.filter_map(value).last()
    }

    /// A number of kibibytes of a file such as `/proc/meminfo`, in bytes.
    pub fn kib(&self, path: &str, key: &str) -> Option<u64> {
        self.field(path, key)?.strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
    }

    /// What stands behind `key:` in a file of such lines.
    pub fn field(&self, path: &str, key: &str) -> Option<String> {
        let text = self.text(path)?;
        let of = |line: &str| {
            let (name, value) = line.split_once(':')?;
            (name.trim() == key).then(|| value.trim().to_owned())
        };
        text.lines().find_map(of)
    }

    /// Processes by their short name: number and name of those that `wanted` takes.
    pub fn processes(&self, wanted: impl Fn(&str) -> bool) -> Vec<(u32, String)> {
        let numbers = self.names("proc").into_iter().filter_map(|name| name.parse::<u32>().ok());
        let named = numbers.filter_map(|pid| Some((pid, self.text(&format!("proc/{pid}/comm"))?)));
        named.filter(|(_, name)| wanted(name)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: whatever lies where a file is expected, reading it ends and says nothing wrong. Method: absent, folder, huge,
    /// binary, empty, a character that is cut.
    #[test]
    fn hostile_files() {
        let folder = tempfile::tempdir().unwrap();
        let write =
            |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
        let host = Host::at(folder.path());
        assert_eq!(host.text("absent"), None);
        std::fs::create_dir(folder.path().join("folder")).unwrap();
        assert_eq!(host.text("folder"), None);
        write("binary", &[0x7f, b'E', 0, 255, 254]);
        assert_eq!(host.text("binary"), None);
        write("nul", b"1\0");
        assert_eq!(host.number("nul"), None);
        write("escape", b"\x1b[2Jgood");
        assert_eq!(host.text("escape"), None, "it would be printed");
        write("empty", b"");
        assert_eq!(host.text("empty").as_deref(), Some(""));
        assert_eq!(host.number("empty"), None);
        write("number", b" 17\n");
        assert_eq!(host.number("number"), Some(17));
        write("large", b"99999999999999999999999");
        assert_eq!(host.number("large"), None);
        let huge = "é".repeat(BYTES_MAX as usize);
        write("huge", format!("x{huge}").as_bytes());
        assert_eq!(host.text("huge").unwrap().len() as u64, BYTES_MAX - 1);
        assert_eq!(host.cpus("huge"), None);
    }

    /// Goal: the shapes of the kernel's files are read. Method: one of each.
    #[test]
    fn shapes() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("proc/12")).unwrap();
        let write =
            |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        let host = Host::at(folder.path());
        write("proc/cmdline", "quiet a=1 isolcpus=2-3 a=2 flag -- a=3 after\n");
        assert_eq!(host.boot("a").as_deref(), Some("2"));
        assert_eq!(host.boot("flag").as_deref(), Some(""));
        assert_eq!(host.boot("after"), None, "that is for the first process");
        write("proc/thp", "always [madvise] never\n");
        assert_eq!(host.chosen("proc/thp").as_deref(), Some("madvise"));
        write("proc/meminfo", "MemTotal:  100 kB\nMemAvailable:   50 kB\n");
        assert_eq!(host.kib("proc/meminfo", "MemAvailable"), Some(51_200));
        assert_eq!(host.kib("proc/meminfo", "Absent"), None);
        write("proc/12/comm", "irqbalance\n");
        assert_eq!(host.processes(|name| name == "irqbalance"), [(12, "irqbalance".to_owned())]);
        std::fs::create_dir_all(folder.path().join("list")).unwrap();
        ["10", "9", "x"].iter().for_each(|name| write(&format!("list/{name}"), ""));
        assert_eq!(host.names("list"), ["9", "10", "x"]);
    }
}
