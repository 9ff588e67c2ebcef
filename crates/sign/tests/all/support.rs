//! Keys, files and processes for the tests.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use ecluse_sign::PublicKey;

/// The folder of outside data `name`, or `None` (said loudly) where it is absent.
#[expect(clippy::disallowed_methods, reason = "where a test finds the outside data is the runner's to say")]
pub(crate) fn outside_data(name: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("ECLUSE_TEST_DATA").map(|root| Path::new(&root).join(name));
    match folder {
        Some(folder) if folder.is_dir() => Some(folder),
        _ => {
            skipped(&format!("no {name}/ under ECLUSE_TEST_DATA"));
            None
        }
    }
}

/// Says past the harness's capture that the running test is skipped: `cargo xtask trace` then counts it as no proof.
fn skipped(why: &str) {
    let name = std::thread::current().name().unwrap_or("a test").to_owned();
    let line = format!("SKIPPED (run cargo xtask test): {name}: {why}\n");
    let _ = std::io::stderr().write_all(line.as_bytes());
}

/// Whether OpenSSH is here; says so loudly where it is not.
pub(crate) fn openssh_is_here() -> bool {
    let here =
        Command::new("ssh-keygen").arg("-?").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    if !here {
        skipped("no ssh-keygen on this machine");
    }
    here
}

/// Runs `ssh-keygen` and returns whether it was content.
pub(crate) fn ssh_keygen(args: &[&str], stdin: Option<&Path>) -> bool {
    let stdin = stdin.map_or(Stdio::null(), |path| std::fs::File::open(path).unwrap().into());
    Command::new("ssh-keygen").args(args).stdin(stdin).output().unwrap().status.success()
}

pub(crate) fn path(folder: &Path, name: &str) -> String {
    folder.join(name).to_str().unwrap().to_owned()
}

pub(crate) fn public_key(path: impl AsRef<Path>) -> PublicKey {
    PublicKey::from_openssh(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// A string of RFC 4251.
pub(crate) fn string(bytes: &[u8]) -> Vec<u8> {
    let mut out = u32::try_from(bytes.len()).unwrap().to_be_bytes().to_vec();
    out.extend_from_slice(bytes);
    out
}

/// The armour as OpenSSH writes it.
pub(crate) fn armour(blob: &[u8]) -> String {
    let text = data_encoding::BASE64.encode(blob);
    let lines: Vec<&str> = text.as_bytes().chunks(70).map(|l| std::str::from_utf8(l).unwrap()).collect();
    format!("-----BEGIN SSH SIGNATURE-----\n{}\n-----END SSH SIGNATURE-----\n", lines.join("\n"))
}

/// What the armour holds.
pub(crate) fn blob(armoured: &str) -> Vec<u8> {
    let body: String = armoured.lines().filter(|line| !line.starts_with("-----")).collect();
    data_encoding::BASE64.decode(body.as_bytes()).unwrap()
}

/// A signature blob of PROTOCOL.sshsig from its parts.
pub(crate) struct Parts {
    pub version: u32,
    pub key: Vec<u8>,
    pub namespace: &'static str,
    pub reserved: &'static [u8],
    pub hash: &'static str,
    pub signature: Vec<u8>,
}

impl Parts {
    pub(crate) fn armoured(&self) -> String {
        let mut out = b"SSHSIG".to_vec();
        out.extend_from_slice(&self.version.to_be_bytes());
        out.extend_from_slice(&string(&self.key));
        out.extend_from_slice(&string(self.namespace.as_bytes()));
        out.extend_from_slice(&string(self.reserved));
        out.extend_from_slice(&string(self.hash.as_bytes()));
        out.extend_from_slice(&string(&self.signature));
        armour(&out)
    }

    /// What a key signs for these parts.
    pub(crate) fn message(&self, content: &[u8]) -> Vec<u8> {
        use sha2::{Digest, Sha256, Sha512};
        let digest = match self.hash {
            "sha256" => Sha256::digest(content).to_vec(),
            _ => Sha512::digest(content).to_vec(),
        };
        let mut out = b"SSHSIG".to_vec();
        out.extend_from_slice(&string(self.namespace.as_bytes()));
        out.extend_from_slice(&string(self.reserved));
        out.extend_from_slice(&string(self.hash.as_bytes()));
        out.extend_from_slice(&string(&digest));
        out
    }
}
