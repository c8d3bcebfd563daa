//! The Ed25519 key that signs checkpoints, and its file.

use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};

use crate::error::AuditError;
use crate::hex;

/// Bytes of a key file at most: 64 digits and a line's end.
const FILE_MAX: u64 = 80;

/// Signs. Its bytes are wiped when it is dropped.
pub struct SecretKey(SigningKey);

/// Tells whether a signature is that of its secret key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

impl SecretKey {
    /// The key of a seed.
    pub fn from_seed(seed: &[u8; 32]) -> SecretKey {
        SecretKey(SigningKey::from_bytes(seed))
    }

    /// Makes a key from the kernel's randomness and writes its file, which only its owner can read. An existing file is
    /// left alone.
    ///
    /// # Errors
    ///
    /// [`AuditError::Io`], also if the file exists.
    pub fn generate(path: &Path) -> Result<SecretKey, AuditError> {
        let random = Path::new("/dev/urandom");
        let mut seed = [0; 32];
        let drawn = File::open(random).and_then(|mut file| file.read_exact(&mut seed));
        drawn.map_err(AuditError::io(random))?;
        let mut file = File::options()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
            .map_err(AuditError::io(path))?;
        let line = format!("{}\n", hex::encode(&seed));
        file.write_all(line.as_bytes())
            .and_then(|()| file.sync_all())
            .map_err(AuditError::io(path))?;
        Ok(SecretKey::from_seed(&seed))
    }

    /// Reads a key file.
    ///
    /// # Errors
    ///
    /// [`AuditError::Io`]; [`AuditError::Key`] if others than its owner may read or change it, or it holds no key.
    pub fn read(path: &Path) -> Result<SecretKey, AuditError> {
        let bad = |why| AuditError::Key { path: path.to_path_buf(), why };
        let file = File::open(path).map_err(AuditError::io(path))?;
        if file.metadata().map_err(AuditError::io(path))?.mode() & 0o077 != 0 {
            return Err(bad("the secret key is open to others than its owner: chmod 600"));
        }
        let mut text = String::new();
        file.take(FILE_MAX).read_to_string(&mut text).map_err(AuditError::io(path))?;
        let seed = hex::decode::<32>(text.trim_end_matches('\n'));
        seed.map(|seed| SecretKey::from_seed(&seed))
            .ok_or_else(|| bad("holds no secret key: 64 hexadecimal digits"))
    }

    /// The key that others may know.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    /// Signs `message`.
    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }
}

impl std::fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SecretKey of {:016x}", self.public().id())
    }
}

impl PublicKey {
    /// Reads 64 hexadecimal digits; `None` if they are no key, or one under which signatures mean nothing.
    pub fn parse(text: &str) -> Option<PublicKey> {
        let key = VerifyingKey::from_bytes(&hex::decode(text)?).ok()?;
        (!key.is_weak()).then_some(PublicKey(key))
    }

    /// The key as 64 hexadecimal digits.
    pub fn to_hex(&self) -> String {
        hex::encode(self.0.as_bytes())
    }

    /// Its number in checkpoints: the first eight bytes of its BLAKE3.
    pub fn id(&self) -> u64 {
        let hash = blake3::hash(self.0.as_bytes());
        hash.as_bytes().first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
    }

    /// Whether a signature is good, by the strict rules: no second signature of the same message passes for another.
    pub(crate) fn is_signed(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        self.0.verify_strict(message, &Signature::from_bytes(signature)).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: a key survives its file, nobody else may read it, none is overwritten. Method: write, read, open it to
    /// others.
    #[test]
    fn key_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.key");
        let key = SecretKey::generate(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        let again = SecretKey::read(&path).unwrap();
        assert_eq!(again.public(), key.public());
        assert_eq!(PublicKey::parse(&key.public().to_hex()), Some(key.public()));
        assert!(matches!(SecretKey::generate(&path), Err(AuditError::Io { .. })));
        let other = SecretKey::generate(&folder.path().join("other.key")).unwrap();
        assert_ne!(other.public(), key.public());
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o640);
        std::fs::set_permissions(&path, open).unwrap();
        assert!(matches!(SecretKey::read(&path), Err(AuditError::Key { .. })));
        std::fs::write(folder.path().join("other.key"), "beef\n").unwrap();
        assert!(matches!(
            SecretKey::read(&folder.path().join("other.key")),
            Err(AuditError::Key { .. })
        ));
    }

    /// Goal: only the signed message under the signer's key passes. Method: change each.
    #[test]
    fn signatures() {
        let key = SecretKey::from_seed(&[7; 32]);
        let mut signature = key.sign(b"message");
        assert!(key.public().is_signed(b"message", &signature));
        assert!(!key.public().is_signed(b"massage", &signature));
        assert!(!SecretKey::from_seed(&[8; 32]).public().is_signed(b"message", &signature));
        signature[40] ^= 1;
        assert!(!key.public().is_signed(b"message", &signature));
        assert_eq!(PublicKey::parse(&"00".repeat(32)), None, "a key of small order");
    }
}
