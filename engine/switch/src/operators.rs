//! `operators.toml`: who may resume, and by which passphrase. It stands beside engine.toml, is read anew at each attempt,
//! and never enters the journal.

use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use argon2::password_hash::phc::{PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier};
use model::OperatorName;
use serde::{Deserialize, Serialize};

use crate::passphrase::Passphrase;

/// Longest file.
const BYTES_MAX: u64 = 1 << 16;
/// Most memory and passes that a check may take, and the least memory: KiB, passes, KiB.
const COSTS: (u32, u32, u32) = (1 << 18, 16, 7 << 10);
/// What stands at the head of a file that `tickgate operator passwd` wrote.
const HEAD: &str = "\
# Who may resume trading. Written by `tickgate operator passwd NAME`; passphrases are kept as argon2id hashes only.
# Nobody but its owner may be able to write this file.
";

/// The operators of an engine.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Operators {
    #[serde(default)]
    operator: Vec<Operator>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Operator {
    name: String,
    passphrase: String,
}

/// Why the file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OperatorsError {
    /// There is none.
    #[error("{}: there is none; `tickgate operator passwd NAME --config FILE` makes it", .0.display())]
    Absent(PathBuf),
    /// Others could write it.
    #[error("{}: must belong to the engine's user or root, and nobody else may be able to write it", .0.display())]
    Exposed(PathBuf),
    /// It is not what it should be.
    #[error("{}: {reason}", path.display())]
    Bad {
        /// Which.
        path: PathBuf,
        /// What is wrong; nothing of the file's content.
        reason: String,
    },
    /// The operating system refused.
    #[error("{}: {error}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// What it said.
        error: std::io::Error,
    },
}

impl Operators {
    /// The file's name.
    pub const FILE: &str = "operators.toml";

    /// Reads the file.
    ///
    /// # Errors
    ///
    /// [`OperatorsError`]; then nobody may resume.
    pub fn load(path: &Path) -> Result<Operators, OperatorsError> {
        let io = |error: std::io::Error| match error.kind() {
            std::io::ErrorKind::NotFound => OperatorsError::Absent(path.into()),
            _ => OperatorsError::Io { path: path.into(), error },
        };
        let file = std::fs::File::open(path).map_err(io)?;
        let about = file.metadata().map_err(io)?;
        let ours = [0, rustix::process::geteuid().as_raw()].contains(&about.uid());
        if !ours || about.mode() & 0o022 != 0 {
            return Err(OperatorsError::Exposed(path.into()));
        }
        let bad = |reason: String| OperatorsError::Bad { path: path.into(), reason };
        let mut text = String::new();
        file.take(BYTES_MAX + 1).read_to_string(&mut text).map_err(io)?;
        if text.len() as u64 > BYTES_MAX {
            return Err(bad(format!("longer than {BYTES_MAX} bytes")));
        }
        let operators: Operators =
            toml::from_str(&text).map_err(|error| bad(error.message().to_owned()))?;
        operators.check().map_err(bad)?;
        Ok(operators)
    }

    /// Whether this is the operator's passphrase. A name that is not there takes as long as one that is.
    pub fn verify(&self, name: &str, passphrase: &Passphrase) -> bool {
        let known = self.operator.iter().find(|operator| operator.name == name);
        let hash = known.and_then(|known| PasswordHash::new(&known.passphrase).ok());
        match hash {
            Some(hash) => Argon2::default().verify_password(passphrase.bytes(), &hash).is_ok(),
            None => {
                let _ = Argon2::default().hash_password(passphrase.bytes());
                false
            }
        }
    }

    /// Adds an operator, or gives one another passphrase.
    ///
    /// # Errors
    ///
    /// What is wrong with the name.
    pub fn set(&mut self, name: &str, passphrase: &Passphrase) -> Result<(), String> {
        is_name(name)?;
        let hash = Argon2::new(Algorithm::Argon2id, argon2::Version::V0x13, Params::DEFAULT)
            .hash_password_with_salt(passphrase.bytes(), &Salt::generate())
            .map_err(|error| format!("cannot hash the passphrase: {error}"))?;
        let passphrase = hash.to_string();
        match self.operator.iter_mut().find(|operator| operator.name == name) {
            Some(operator) => operator.passphrase = passphrase,
            None => self.operator.push(Operator { name: name.to_owned(), passphrase }),
        }
        Ok(())
    }

    /// The file's text.
    pub fn to_text(&self) -> String {
        let lines = self.operator.iter().map(|Operator { name, passphrase }| {
            format!("\n[[operator]]\nname = \"{name}\"\npassphrase = \"{passphrase}\"\n")
        });
        core::iter::once(HEAD.to_owned()).chain(lines).collect()
    }

    fn check(&self) -> Result<(), String> {
        for (place, operator) in self.operator.iter().enumerate() {
            let name = &operator.name;
            is_name(name)?;
            if self.operator.iter().take(place).any(|other| other.name == *name) {
                return Err(format!("operator `{name}` stands there twice"));
            }
            let hash = PasswordHash::new(&operator.passphrase).ok();
            let hash = hash.filter(|hash| hash.algorithm.as_str() == "argon2id");
            let params = hash.and_then(|hash| Params::try_from(&hash).ok());
            let (most, passes, least) = COSTS;
            let is_good = |params: &Params| {
                (least..=most).contains(&params.m_cost())
                    && params.t_cost() <= passes
                    && params.p_cost() <= passes
            };
            if !params.is_some_and(|params| is_good(&params)) {
                return Err(format!(
                    "operator `{name}`: `passphrase` is no argon2id hash of a cost that is taken"
                ));
            }
        }
        Ok(())
    }
}

/// An operator's name is written into files and logs as it is.
fn is_name(name: &str) -> Result<(), String> {
    let legal = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-' || b == b'.';
    let good = OperatorName::new(name).is_ok() && name.bytes().all(legal);
    good.then_some(()).ok_or_else(|| "an operator is 1 to 16 of a-z A-Z 0-9 _ - .".to_owned())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn phrase(text: &str) -> Passphrase {
        Passphrase::new(text.to_owned())
    }

    /// Goal: the right passphrase of a known name alone opens, and the file reads back. Method: write, load, try others.
    #[test]
    fn only_the_right_one_opens() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(Operators::FILE);
        assert!(matches!(Operators::load(&path), Err(OperatorsError::Absent(_))));
        let mut written = Operators::default();
        written.set("ann", &phrase("correct horse battery")).unwrap();
        written.set("bob", &phrase("another one of them")).unwrap();
        written.set("bob", &phrase("the newer one of bob")).unwrap();
        assert!(written.set("eve\"", &phrase("x")).is_err());
        std::fs::write(&path, written.to_text()).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        let read = Operators::load(&path).unwrap();
        assert!(read.verify("ann", &phrase("correct horse battery")));
        assert!(read.verify("bob", &phrase("the newer one of bob")));
        for (name, text) in [
            ("ann", "correct horse batter"),
            ("ann", ""),
            ("bob", "another one of them"),
            ("bob", "correct horse battery"),
            ("eve", "correct horse battery"),
            ("", ""),
        ] {
            assert!(!read.verify(name, &phrase(text)), "{name} {text}");
        }

        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o620)).unwrap();
        assert!(matches!(Operators::load(&path), Err(OperatorsError::Exposed(_))));
    }

    /// Goal: no text of a broken file opens anything or is told. Method: hashes that are none, cheap, dear, of another
    /// kind; unknown keys; a name twice.
    #[test]
    fn broken_files_open_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(Operators::FILE);
        let mut good = Operators::default();
        good.set("ann", &phrase("correct horse battery")).unwrap();
        let good = good.to_text();
        let bad = [
            good.replace("argon2id", "argon2i"),
            good.replace("m=19456", "m=8"),
            good.replace("m=19456", "m=4000000"),
            good.replace("name =", "nam ="),
            good.replace("$argon2id", "plain"),
            good.clone() + &good,
            "[[operator]]\nname = \"ann\"\npassphrase = \"secret word\"\n".to_owned(),
        ];
        for text in bad {
            assert_ne!(text, good);
            std::fs::write(&path, &text).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
            let error = Operators::load(&path).unwrap_err();
            assert!(matches!(error, OperatorsError::Bad { .. }), "{error}");
            assert!(!error.to_string().contains("secret word"), "{error}");
        }
    }
}
