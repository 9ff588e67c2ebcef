//! `ssh-keygen` as a real process, both ways.

use std::path::Path;

use ecluse_sign::{Algorithm, Demands, PrivateKey, PublicKey, Refused, Signature, canonical};

use crate::support::{openssh_is_here, path, public_key, ssh_keygen};

const NAMESPACE: &str = "ecluse-instruction-v1";

fn make_key(folder: &Path, name: &str, kind: &[&str], passphrase: &str) -> PublicKey {
    let file = path(folder, name);
    let mut args = vec!["-q", "-N", passphrase, "-C", "test", "-f", &file];
    args.extend_from_slice(kind);
    assert!(ssh_keygen(&args, None), "ssh-keygen makes a key");
    public_key(folder.join(format!("{name}.pub")))
}

fn document(folder: &Path) -> Vec<u8> {
    let content = b"[document]\nformat = \"ecluse-instruction/1\"\n".to_vec();
    std::fs::write(folder.join("instruction.toml"), &content).unwrap();
    content
}

#[test]
fn what_ssh_keygen_signs_verifies_here() {
    if !openssh_is_here() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let content = document(folder);
    let file = path(folder, "instruction.toml");
    for (name, kind) in [
        ("ed", ["-t", "ed25519"].as_slice()),
        ("ec", ["-t", "ecdsa", "-b", "256"].as_slice()),
        ("rsa", ["-t", "rsa", "-b", "3072"].as_slice()),
    ] {
        let key = make_key(folder, name, kind, "");
        // OpenSSH's ECDSA is randomised: eight signatures meet both forms of s
        for _ in 0..8 {
            let _ = std::fs::remove_file(folder.join("instruction.toml.sig"));
            assert!(ssh_keygen(
                &["-q", "-Y", "sign", "-f", &path(folder, name), "-n", NAMESPACE, &file],
                None
            ));
            let armoured = std::fs::read(folder.join("instruction.toml.sig")).unwrap();
            let armoured = match Signature::from_armour(&armoured) {
                Ok(_) => armoured,
                Err(refused) => {
                    assert_eq!((refused, key.algorithm()), (Refused::HighS, Algorithm::EcdsaP256));
                    canonical(&armoured).unwrap().into_bytes()
                }
            };
            let demands = Demands { rsa: key.algorithm() == Algorithm::Rsa, ..Demands::default() };
            let verified = Signature::from_armour(&armoured)
                .unwrap()
                .verify(content.clone(), NAMESPACE, &key, demands)
                .unwrap();
            assert_eq!(*verified.content(), content);
        }
    }
}

#[test]
fn what_is_signed_here_verifies_with_ssh_keygen() {
    if !openssh_is_here() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let content = document(folder);
    make_key(folder, "ec", &["-t", "ecdsa", "-b", "256"], "");
    let seeded = PrivateKey::from_seed(&[7; 32]).unwrap();
    let from_file = PrivateKey::from_openssh(&std::fs::read(folder.join("ec")).unwrap()).unwrap();
    for key in [seeded, from_file] {
        let armoured = key.sign(NAMESPACE, &content).unwrap();
        Signature::from_armour(armoured.as_bytes()).unwrap();
        std::fs::write(folder.join("made.sig"), armoured).unwrap();
        let line = key.public().unwrap().to_openssh().unwrap();
        std::fs::write(
            folder.join("allowed"),
            format!("dpo@labo.example namespaces=\"{NAMESPACE}\" {line}\n"),
        )
        .unwrap();
        let verify = |namespace| {
            let (allowed, made) = (path(folder, "allowed"), path(folder, "made.sig"));
            let args =
                ["-Y", "verify", "-f", &allowed, "-I", "dpo@labo.example", "-n", namespace, "-s", &made];
            ssh_keygen(&args, Some(&folder.join("instruction.toml")))
        };
        assert!(verify(NAMESPACE));
        assert!(!verify("ecluse-status-v1"), "the other namespace is refused by ssh-keygen too");
    }
}

#[test]
fn a_key_made_here_is_a_key_file_for_ssh_keygen() {
    if !openssh_is_here() {
        return;
    }
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let key = PrivateKey::from_seed(&[9; 32]).unwrap();
    std::fs::write(folder.join("made"), key.to_openssh().unwrap().as_bytes()).unwrap();
    std::fs::set_permissions(folder.join("made"), std::fs::Permissions::from_mode(0o600)).unwrap();
    let content = document(folder);
    let file = path(folder, "instruction.toml");
    assert!(ssh_keygen(&["-q", "-Y", "sign", "-f", &path(folder, "made"), "-n", NAMESPACE, &file], None));
    let theirs = std::fs::read_to_string(folder.join("instruction.toml.sig")).unwrap();
    assert_eq!(theirs, key.sign(NAMESPACE, &content).unwrap(), "Ed25519 is deterministic: the same bytes");
}

#[test]
fn a_key_with_a_passphrase_and_an_rsa_key_are_left_to_ssh_keygen() {
    if !openssh_is_here() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    make_key(folder, "locked", &["-t", "ed25519"], "a passphrase");
    make_key(folder, "rsa", &["-t", "rsa", "-b", "3072"], "");

    let read = |name: &str| PrivateKey::from_openssh(&std::fs::read(folder.join(name)).unwrap()).err();
    assert_eq!(read("locked"), Some(Refused::EncryptedKey));
    assert_eq!(read("rsa"), Some(Refused::SignElsewhere));
}
