//! Every way we know to change a signature, a key or a document: refused, by its own name.

use ecluse_sign::{Demands, PrivateKey, PublicKey, Refused, Signature, canonical};
use ed25519_dalek::Signer;
use sha2::{Digest, Sha256};

use crate::support::{Parts, armour, blob, openssh_is_here, path, public_key, ssh_keygen, string};

const NAMESPACE: &str = "ecluse-instruction-v1";
const CONTENT: &[u8] = b"what was signed";

fn signed() -> (PublicKey, String) {
    let key = PrivateKey::from_seed(&[3; 32]).unwrap();
    (key.public().unwrap(), key.sign(NAMESPACE, CONTENT).unwrap())
}

fn check(armoured: &[u8], key: &PublicKey) -> Result<(), Refused> {
    Signature::from_armour(armoured)?.verify(CONTENT, NAMESPACE, key, Demands::default()).map(|_| ())
}

#[test]
fn the_untouched_signature_verifies() {
    let (key, armoured) = signed();
    assert_eq!(check(armoured.as_bytes(), &key), Ok(()));
}

// Without the byte-for-byte comparison, dozens of these pass: the library ignores base64
// white space and OpenSSH ignores everything outside the armour.
#[test]
fn no_byte_of_the_signature_file_can_be_changed_dropped_or_doubled() {
    let (key, armoured) = signed();
    let bytes = armoured.as_bytes();
    for at in 0..bytes.len() {
        for replacement in [b'A', b'B', b'/', b'=', b'\n', b'\r', b' ', b'-', 0, 0xFF] {
            let mut changed = bytes.to_vec();
            changed[at] = replacement;
            assert!(changed == bytes || check(&changed, &key).is_err(), "byte {at} → {replacement:#x}");
        }
        let mut dropped = bytes.to_vec();
        dropped.remove(at);
        assert!(check(&dropped, &key).is_err(), "byte {at} dropped");
        for added in [b'A', b'\n', b'\r', b' ', b'\t'] {
            let mut longer = bytes.to_vec();
            longer.insert(at, added);
            assert!(check(&longer, &key).is_err(), "{added:#x} put in at {at}");
        }
    }
}

#[test]
fn other_forms_of_the_same_signature_are_refused_as_such() {
    let (key, armoured) = signed();
    let unwrapped = armour(&blob(&armoured)).replace('\n', "").replace("-----", "\n-----\n");
    for (what, text) in [
        ("text after", format!("{armoured}text")),
        ("a newline after", format!("{armoured}\n")),
        ("text before", format!("text\n{armoured}")),
        ("carriage returns", armoured.replace('\n', "\r\n")),
        ("no last newline", armoured.trim_end().to_owned()),
        ("two signatures", format!("{armoured}{armoured}")),
    ] {
        assert_eq!(check(text.as_bytes(), &key), Err(Refused::NotCanonical), "{what}");
        assert_eq!(canonical(text.as_bytes()).unwrap(), armoured, "{what}: rewritten");
    }
    assert!(check(unwrapped.as_bytes(), &key).is_err());
    assert!(check(b"", &key).is_err());
    assert!(check(&[0xFF; 400], &key).is_err());
}

#[test]
fn bytes_after_the_signature_inside_the_armour_are_refused() {
    let (key, armoured) = signed();
    let mut longer = blob(&armoured);
    longer.extend_from_slice(b"more");
    assert!(check(armour(&longer).as_bytes(), &key).is_err());
}

#[test]
fn another_document_namespace_or_key_is_refused() {
    let (key, armoured) = signed();
    let signature = Signature::from_armour(armoured.as_bytes()).unwrap();
    let other = PrivateKey::from_seed(&[4; 32]).unwrap().public().unwrap();
    let demands = Demands::default();
    assert_eq!(signature.verify(b"other".as_slice(), NAMESPACE, &key, demands), Err(Refused::False));
    assert_eq!(signature.verify(CONTENT, "ecluse-status-v1", &key, demands), Err(Refused::Namespace));
    assert_eq!(signature.verify(CONTENT, "ecluse-instruction-v", &key, demands), Err(Refused::Namespace));
    assert_eq!(signature.verify(CONTENT, NAMESPACE, &other, demands), Err(Refused::OtherKey));
}

fn ed25519_parts(hash: &'static str, reserved: &'static [u8], version: u32) -> (PublicKey, String) {
    let key = ed25519_dalek::SigningKey::from_bytes(&[5; 32]);
    let blob = [string(b"ssh-ed25519"), string(key.verifying_key().as_bytes())].concat();
    let mut parts =
        Parts { version, key: blob.clone(), namespace: NAMESPACE, reserved, hash, signature: Vec::new() };
    let made = key.sign(&parts.message(CONTENT)).to_bytes();
    parts.signature = [string(b"ssh-ed25519"), string(&made)].concat();
    let line = format!("ssh-ed25519 {}", data_encoding::BASE64.encode(&blob));
    (PublicKey::from_openssh(&line).unwrap(), parts.armoured())
}

#[test]
fn sha256_a_filled_reserved_field_and_another_version_are_refused() {
    let (key, armoured) = ed25519_parts("sha512", b"", 1);
    assert_eq!(check(armoured.as_bytes(), &key), Ok(()), "the parts are put together rightly");
    let (key, armoured) = ed25519_parts("sha256", b"", 1);
    assert_eq!(check(armoured.as_bytes(), &key), Err(Refused::Hash));
    let (key, armoured) = ed25519_parts("sha512", b"x", 1);
    assert_eq!(check(armoured.as_bytes(), &key), Err(Refused::Reserved));
    for version in [0, 2] {
        let (key, armoured) = ed25519_parts("sha512", b"", version);
        assert!(check(armoured.as_bytes(), &key).is_err());
    }
}

// With `verify` in place of `verify_strict` the identity point as a key signs everything.
#[test]
fn a_small_order_ed25519_key_signs_nothing() {
    let mut identity = [0u8; 32];
    identity[0] = 1;
    let blob = [string(b"ssh-ed25519"), string(&identity)].concat();
    let forged = [identity.as_slice(), &[0; 32]].concat();
    let signature = [string(b"ssh-ed25519"), string(&forged)].concat();
    let parts = Parts {
        version: 1,
        key: blob.clone(),
        namespace: NAMESPACE,
        reserved: b"",
        hash: "sha512",
        signature,
    };
    let armoured = parts.armoured();
    let loose = ssh_key::SshSig::from_pem(&armoured).unwrap();
    let loose_key = ssh_key::PublicKey::from_bytes(&blob).unwrap();
    assert!(
        loose_key.verify(NAMESPACE, CONTENT, &loose).is_ok(),
        "the loose check is content: the test bites"
    );
    let line = format!("ssh-ed25519 {}", data_encoding::BASE64.encode(&blob));
    let key = PublicKey::from_openssh(&line).unwrap();
    assert_eq!(check(armoured.as_bytes(), &key), Err(Refused::False));
}

fn sk_ed25519(flags: u8, counter: u32, application: &str) -> (PublicKey, String) {
    let key = ed25519_dalek::SigningKey::from_bytes(&[6; 32]);
    let kind = b"sk-ssh-ed25519@openssh.com";
    let blob =
        [string(kind), string(key.verifying_key().as_bytes()), string(application.as_bytes())].concat();
    let mut parts = Parts {
        version: 1,
        key: blob.clone(),
        namespace: NAMESPACE,
        reserved: b"",
        hash: "sha512",
        signature: Vec::new(),
    };
    let trailer = [[flags].as_slice(), &counter.to_be_bytes()].concat();
    let mut message = Sha256::digest(application).to_vec();
    message.extend_from_slice(&trailer);
    message.extend_from_slice(&Sha256::digest(parts.message(CONTENT)));
    let made = key.sign(&message).to_bytes();
    parts.signature = [string(kind), string(&made), trailer].concat();
    let line = format!("sk-ssh-ed25519@openssh.com {}", data_encoding::BASE64.encode(&blob));
    (PublicKey::from_openssh(&line).unwrap(), parts.armoured())
}

#[test]
fn a_hardware_key_must_have_been_touched_and_verified_when_asked() {
    let verified = Demands { user_verification: true, ..Demands::default() };
    let ask = |flags, demands| {
        let (key, armoured) = sk_ed25519(flags, 9, "ssh:");
        Signature::from_armour(armoured.as_bytes())
            .and_then(|s| s.verify(CONTENT, NAMESPACE, &key, demands))
            .map(|_| ())
    };
    assert_eq!(ask(0x01, Demands::default()), Ok(()));
    assert_eq!(ask(0x05, verified), Ok(()));
    // ssh-keygen -Y verify says "Good signature" to both of these
    assert_eq!(ask(0x00, Demands::default()), Err(Refused::NoUserPresence));
    assert_eq!(ask(0x04, Demands::default()), Err(Refused::NoUserPresence));
    assert_eq!(ask(0x01, verified), Err(Refused::NoUserVerification));
}

#[test]
fn a_hardware_signature_is_bound_to_flags_counter_and_application() {
    let (key, armoured) = sk_ed25519(0x01, 9, "ssh:");
    let mut changed = blob(&armoured);
    let flags = changed.len() - 5;
    changed[flags] = 0x05;
    assert_eq!(check(armour(&changed).as_bytes(), &key), Err(Refused::False));
    let mut changed = blob(&armoured);
    *changed.last_mut().unwrap() = 10;
    assert_eq!(check(armour(&changed).as_bytes(), &key), Err(Refused::False));
    let (elsewhere, _) = sk_ed25519(0x01, 9, "ssh:other");
    assert_eq!(check(armoured.as_bytes(), &elsewhere), Err(Refused::OtherKey));
}

// With the low-S rule off, the twin (r, n-s) that anybody can make verifies: ssh-keygen says Good.
#[test]
fn the_twin_of_an_ecdsa_signature_is_refused() {
    if !openssh_is_here() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    assert!(ssh_keygen(&["-q", "-N", "", "-t", "ecdsa", "-b", "256", "-f", &path(folder, "ec")], None));
    let key = public_key(folder.join("ec.pub"));
    let private = PrivateKey::from_openssh(&std::fs::read(folder.join("ec")).unwrap()).unwrap();
    let armoured = private.sign(NAMESPACE, CONTENT).unwrap();
    assert_eq!(check(armoured.as_bytes(), &key), Ok(()));

    let parsed = ssh_key::SshSig::from_pem(&armoured).unwrap();
    let low = p256::ecdsa::Signature::try_from(parsed.signature()).unwrap();
    let twin = p256::ecdsa::Signature::from_scalars(low.r(), -*low.s()).unwrap();
    let twin = ssh_key::SshSig::new(
        parsed.public_key().clone(),
        NAMESPACE,
        ssh_key::HashAlg::Sha512,
        ssh_key::Signature::try_from(twin).unwrap(),
    )
    .unwrap();
    let loose = ssh_key::PublicKey::new(parsed.public_key().clone(), "");
    assert!(loose.verify(NAMESPACE, CONTENT, &twin).is_ok(), "the loose check is content: the test bites");
    let twin = twin.to_pem(ssh_key::LineEnding::LF).unwrap();
    assert_eq!(check(twin.as_bytes(), &key), Err(Refused::HighS));
    assert_eq!(canonical(twin.as_bytes()).unwrap(), armoured, "rewriting gives the one form back");
}

#[test]
fn a_short_rsa_key_a_certificate_and_other_curves_are_refused() {
    if !openssh_is_here() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let make = |name: &str, kind: &[&str]| {
        let file = path(folder, name);
        let mut args = vec!["-q", "-N", "", "-f", &file];
        args.extend_from_slice(kind);
        assert!(ssh_keygen(&args, None));
        std::fs::read_to_string(folder.join(format!("{name}.pub"))).unwrap()
    };
    let read = |line: &str| PublicKey::from_openssh(line).unwrap_err();
    assert_eq!(read(&make("rsa", &["-t", "rsa", "-b", "2048"])), Refused::RsaTooShort);
    assert_eq!(read(&make("p384", &["-t", "ecdsa", "-b", "384"])), Refused::KeyKind);
    make("ca", &["-t", "ed25519"]);
    make("user", &["-t", "ed25519"]);
    let ca = path(folder, "ca");
    assert!(ssh_keygen(&["-q", "-s", &ca, "-I", "x", "-n", "x", &path(folder, "user.pub")], None));
    let certificate = std::fs::read_to_string(folder.join("user-cert.pub")).unwrap();
    assert!(matches!(read(&certificate), Refused::KeyKind | Refused::NotAPublicKey));
    assert_eq!(read("not a key"), Refused::NotAPublicKey);
}
