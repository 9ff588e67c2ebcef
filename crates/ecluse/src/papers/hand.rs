//! Signing: a key, a document, a file in `FILE.sigs/`.
//!
//! Plain ed25519 and ECDSA keys sign here; keys with a passphrase, in hardware or of another
//! kind sign through `ssh-keygen -Y sign`, which asks its user itself.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use ecluse_core::count::a;
use ecluse_core::document::Kind;
use ecluse_core::fault::{Code, Result};
use ecluse_core::keys::Key;
use ecluse_core::signatures::{self, SignatureFile};
use ecluse_sign::{Demands, PrivateKey, PublicKey, Refused, Signature};
use jiff::Timestamp;

use crate::chance;
use crate::folder;
use crate::papers::{Paper, signatures_of};

static LOOSE: Code = Code::refused("ECL-CLI-013", "a private key that others can read");
static KEY: Code = Code::usage("ECL-CLI-014", "this key cannot sign");
static ELSEWHERE: Code = Code::outside("ECL-CLI-015", "ssh-keygen did not sign");
static NOT_LISTED: Code = Code::refused("ECL-CLI-016", "this key may not sign this paper");

/// Signs a document's bytes, as they were read, with a key that the contract lists in a role that may; returns
/// the signature's path.
///
/// # Errors
///
/// [`LOOSE`], [`KEY`] (the public half, too), [`ELSEWHERE`], [`NOT_LISTED`].
pub(crate) fn sign(
    kind: Kind,
    document: &Paper,
    key: &Path,
    listed: &[Key],
    name: Option<&str>,
) -> Result<PathBuf> {
    let (armoured, public) = armour(kind, key, &document.bytes)?;
    put(kind, &document.path, &armoured, &public, listed, name)
}

/// Takes a signature that `ssh-keygen -Y sign` made elsewhere: brings it to its one exact form, and puts it
/// beside the document when it is one, by a key that the contract lists in a role that may.
///
/// # Errors
///
/// [`NOT_LISTED`]; every fault of the signature, as of a signature that lay there already.
pub(crate) fn adopt(
    kind: Kind,
    document: &Paper,
    signature: &Path,
    listed: (&[Key], Demands),
    name: Option<&str>,
    now: Timestamp,
) -> Result<PathBuf> {
    let help = "sign first: ssh-keygen -Y sign -n NAMESPACE -f KEY FILE";
    let armoured = signatures::adopt(&folder::read(signature, help)?)?;
    let file = SignatureFile {
        name: signature.display().to_string(),
        armoured: armoured.clone().into_bytes(),
        paper: None,
    };
    // as version 1: who else has to sign is not asked here
    let checked = signatures::check(kind, 1, &document.bytes, &[file], listed.0, listed.1, now);
    let faults: Vec<_> =
        checked.err().into_iter().flatten().filter(|f| f.code.id != signatures::ABSENT.id).collect();
    if !faults.is_empty() {
        document.judge(Err(faults))?;
    }
    let key = Signature::from_armour(armoured.as_bytes())
        .map(|s| s.claimed_key().clone())
        .map_err(|r| KEY.fault(r.to_string()))?;
    put(kind, &document.path, &armoured, &key, listed.0, name)
}

/// The public half of a private key that the contract lists in a role that may sign this kind: known before
/// there is anything to sign.
///
/// # Errors
///
/// As [`sign`]; where a key that signs elsewhere has no public half beside it.
pub(crate) fn signer(kind: Kind, key: &Path, listed: &[Key]) -> Result<PublicKey> {
    private_half(key)?;
    private(key)?;
    let file = zeroize::Zeroizing::new(folder::read(key, "give your private key: --key FILE")?);
    let wrong = |r: Refused| {
        KEY.fault(format!("{}: {r}", key.display())).help("give your OpenSSH private key: --key FILE")
    };
    let public = match PrivateKey::from_openssh(&file) {
        Ok(private) => private.public().map_err(wrong)?,
        Err(Refused::EncryptedKey | Refused::SignElsewhere) => {
            let mut beside = key.as_os_str().to_owned();
            beside.push(".pub");
            let line = folder::read(Path::new(&beside), "put the public half beside the key: ssh-keygen -y")?;
            PublicKey::from_openssh(&String::from_utf8_lossy(&line)).map_err(wrong)?
        }
        Err(refused) => return Err(wrong(refused)),
    };
    owner(kind, &public, listed)?;
    Ok(public)
}

/// Whose key it is, of those who may sign this kind.
fn owner<'a>(kind: Kind, public: &PublicKey, listed: &'a [Key]) -> Result<&'a Key> {
    let may = |key: &&Key| key.public.as_ref() == Some(public) && signatures::may_sign(kind, key, listed);
    listed.iter().find(may).ok_or_else(|| {
        let names: Vec<_> = kind.signers().iter().map(|(role, _)| role.name()).collect();
        NOT_LISTED
            .fault(format!("{} for {}", public.fingerprint(), a(kind.name())))
            .help(format!("sign with a key that contract.toml lists as {}", names.join(" or ")))
    })
}

/// Puts a signature beside its document, under its owner's name.
fn put(
    kind: Kind,
    document: &Path,
    armoured: &str,
    public: &PublicKey,
    listed: &[Key],
    name: Option<&str>,
) -> Result<PathBuf> {
    let owner = owner(kind, public, listed)?;
    let name = name.map_or_else(|| slug(&owner.email), str::to_owned);
    let path = signatures_of(document).join(format!("{name}.sig"));
    folder::replace(&path, armoured.as_bytes())?;
    Ok(path)
}

pub(crate) fn armour(kind: Kind, key: &Path, bytes: &[u8]) -> Result<(String, PublicKey)> {
    private_half(key)?;
    private(key)?;
    let file = zeroize::Zeroizing::new(folder::read(key, "give your private key: --key FILE")?);
    let wrong = |r: Refused| {
        KEY.fault(format!("{}: {r}", key.display())).help("give your OpenSSH private key: --key FILE")
    };
    match PrivateKey::from_openssh(&file) {
        Ok(private) => {
            let public = private.public().map_err(wrong)?;
            Ok((private.sign(kind.namespace(), bytes).map_err(wrong)?, public))
        }
        Err(Refused::EncryptedKey | Refused::SignElsewhere) => by_openssh(kind, key, bytes),
        Err(refused) => Err(wrong(refused)),
    }
}

/// `ssh-keygen` reads the document from its standard input and asks for passphrase or touch on
/// the terminal.
fn by_openssh(kind: Kind, key: &Path, bytes: &[u8]) -> Result<(String, PublicKey)> {
    let failed = |what: &str| {
        ELSEWHERE.fault(what.to_owned()).help(format!(
            "ssh-keygen -Y sign -n {} -f {} FILE",
            kind.namespace(),
            key.display()
        ))
    };
    let mut child = Command::new("ssh-keygen")
        .args(["-Y", "sign", "-n", kind.namespace(), "-f"])
        .arg(key)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|_| failed("it could not be started"))?;
    child
        .stdin
        .take()
        .and_then(|mut pipe| pipe.write_all(bytes).ok())
        .ok_or_else(|| failed("it did not read the document"))?;
    let done = child.wait_with_output().map_err(|_| failed("it was lost"))?;
    if !done.status.success() {
        return Err(failed("it ended with an error"));
    }
    // OpenSSH's ECDSA comes in either of its two forms; a signature has one here
    let armoured = signatures::adopt(&done.stdout)?;
    let signature = Signature::from_armour(armoured.as_bytes()).map_err(|r| failed(&r.to_string()))?;
    Ok((armoured, signature.claimed_key().clone()))
}

/// The public half lies beside the private one and bears nearly its name: whoever gives it is told which
/// file is meant, and not how to close it to others.
fn private_half(path: &Path) -> Result<()> {
    let public =
        |bytes: &[u8]| std::str::from_utf8(bytes).is_ok_and(|line| PublicKey::from_openssh(line).is_ok());
    if !folder::read(path, "").is_ok_and(|bytes| public(&bytes)) {
        return Ok(());
    }
    let private = path.with_extension("");
    let help = if path.extension().is_some_and(|end| end == "pub") {
        format!("give the private half: --key {}", private.display())
    } else {
        "give the private half, the file that ssh-keygen made beside it: --key FILE".to_owned()
    };
    Err(KEY.fault(format!("{} is the public half of a key pair", path.display())).help(help))
}

/// A private key file must be its owner's alone, as ssh itself demands.
pub(crate) fn private(path: &Path) -> Result<()> {
    match fs::metadata(path) {
        Ok(meta) if meta.permissions().mode() & 0o077 != 0 => {
            Err(LOOSE.fault(path.display().to_string()).help(format!("chmod 600 {}", path.display())))
        }
        _ => Ok(()),
    }
}

/// Makes an ed25519 key pair as two OpenSSH files, `PATH` (0600) and `PATH.pub`; returns the public line.
///
/// # Errors
///
/// The random generator's; files that exist.
pub(crate) fn make_key(path: &Path) -> Result<String> {
    let wrong = |r: Refused| KEY.fault(r.to_string());
    let seed = zeroize::Zeroizing::new(chance::bytes::<32>()?);
    let key = PrivateKey::from_seed(&seed).map_err(wrong)?;
    write_private(path, key.to_openssh().map_err(wrong)?.as_bytes())?;
    let line = key.public().and_then(|p| p.to_openssh()).map_err(wrong)?;
    folder::create(&path.with_extension("pub"), format!("{line}\n").as_bytes())?;
    Ok(line)
}

/// Writes a file that is its owner's alone from its first byte.
///
/// # Errors
///
/// Where it exists, or cannot be written.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> Result<()> {
    folder::create_with(path, bytes, 0o600)
}

/// A file name from an address: what stands before the `@`.
pub(super) fn slug(email: &str) -> String {
    let local = email.split('@').next().unwrap_or_default();
    local.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect()
}
