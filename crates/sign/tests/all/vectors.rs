//! OpenSSH's own test vectors (regress/unittests/sshsig), made by nobody here.

use std::path::Path;

use ecluse_sign::{Algorithm, Demands, PublicKey, Refused, Signature, canonical};

use crate::support::{outside_data, public_key};

fn verify(folder: &Path, name: &str, armoured: &[u8], demands: Demands) -> Result<Algorithm, Refused> {
    let content = std::fs::read(folder.join("signed-data")).unwrap();
    let namespace = std::fs::read_to_string(folder.join("namespace")).unwrap();
    let key = public_key(folder.join(format!("{name}.pub")));
    let verified = Signature::from_armour(armoured)?.verify(content.clone(), &namespace, &key, demands)?;
    assert_eq!(*verified.content(), content);
    assert_eq!(verified.namespace(), namespace);
    assert_eq!(*verified.signer(), key);
    Ok(key.algorithm())
}

#[test]
fn the_vectors_of_accepted_kinds_verify() {
    let Some(folder) = outside_data("sshsig") else { return };
    let plain = Demands::default();
    for (name, demands, kind) in [
        ("ed25519", plain, Algorithm::Ed25519),
        ("ed25519_sk", plain, Algorithm::SkEd25519),
        ("ecdsa_sk", plain, Algorithm::SkEcdsaP256),
        ("rsa", Demands { rsa: true, ..plain }, Algorithm::Rsa),
    ] {
        let armoured = std::fs::read(folder.join(format!("{name}.sig"))).unwrap();
        assert_eq!(verify(&folder, name, &armoured, demands), Ok(kind), "{name}");
    }
}

#[test]
fn the_ecdsa_vector_is_high_s_and_verifies_once_rewritten() {
    let Some(folder) = outside_data("sshsig") else { return };
    let armoured = std::fs::read(folder.join("ecdsa.sig")).unwrap();
    assert_eq!(verify(&folder, "ecdsa", &armoured, Demands::default()), Err(Refused::HighS));
    let low = canonical(&armoured).unwrap();
    assert_eq!(verify(&folder, "ecdsa", low.as_bytes(), Demands::default()), Ok(Algorithm::EcdsaP256));
    assert_eq!(canonical(low.as_bytes()).unwrap(), low, "rewriting twice changes nothing");
}

#[test]
fn the_rsa_vector_is_refused_where_the_contract_does_not_list_rsa() {
    let Some(folder) = outside_data("sshsig") else { return };
    let armoured = std::fs::read(folder.join("rsa.sig")).unwrap();
    assert_eq!(verify(&folder, "rsa", &armoured, Demands::default()), Err(Refused::RsaNotAllowed));
}

#[test]
fn the_touch_only_vectors_are_refused_where_user_verification_is_demanded() {
    let Some(folder) = outside_data("sshsig") else { return };
    for name in ["ed25519_sk", "ecdsa_sk"] {
        let armoured = std::fs::read(folder.join(format!("{name}.sig"))).unwrap();
        let demands = Demands { user_verification: true, ..Demands::default() };
        assert_eq!(verify(&folder, name, &armoured, demands), Err(Refused::NoUserVerification), "{name}");
    }
}

#[test]
fn the_webauthn_vector_is_refused_by_name() {
    let Some(folder) = outside_data("sshsig") else { return };
    let armoured = std::fs::read(folder.join("ecdsa_sk_webauthn.sig")).unwrap();
    assert_eq!(Signature::from_armour(&armoured).unwrap_err(), Refused::Webauthn);
}

#[test]
fn a_kind_of_key_outside_the_profile_is_refused() {
    let Some(folder) = outside_data("sshsig") else { return };
    let line = std::fs::read_to_string(folder.join("mldsa44-ed25519.pub")).unwrap();
    assert_eq!(PublicKey::from_openssh(&line).unwrap_err(), Refused::KeyKind);
    let armoured = std::fs::read(folder.join("mldsa44-ed25519.sig")).unwrap();
    assert!(Signature::from_armour(&armoured).is_err());
}
