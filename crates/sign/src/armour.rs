//! The one exact form of an armoured signature.
//!
//! `ssh-keygen` reads many forms of one signature: text after the END line, carriage
//! returns, the other of ECDSA's two equivalent values of `s`. We accept one, so that a
//! changed byte always shows.

use data_encoding::BASE64;
use ssh_key::public::KeyData;
use ssh_key::{Algorithm, EcdsaCurve, HashAlg, PublicKey, Signature, SshSig};

use crate::Refused;

/// As OpenSSH wraps it (sshsig.c).
const LINE: usize = 70;
const BEGIN: &str = "-----BEGIN SSH SIGNATURE-----\n";
const END: &str = "-----END SSH SIGNATURE-----\n";

/// Flags (u8) and counter (u32) after a hardware key's signature (PROTOCOL.u2f).
pub(crate) const SK_TRAILER: usize = 5;

/// Rewrites a signature made elsewhere to its one exact form, without any key:
/// line ends, line lengths, text around it, and ECDSA's low `s`.
///
/// Nothing is verified: the result is what [`crate::Signature::from_armour`] will read.
///
/// # Errors
/// [`Refused::NotASignature`], [`Refused::Webauthn`].
pub fn canonical(armoured: &[u8]) -> Result<String, Refused> {
    let text = std::str::from_utf8(armoured).map_err(|_| Refused::NotASignature)?;
    let begin = text.find(BEGIN.trim_end()).ok_or(Refused::NotASignature)?;
    let text = text.get(begin..).ok_or(Refused::NotASignature)?;
    let end = text.find(END.trim_end()).ok_or(Refused::NotASignature)?;
    let body = text.get(BEGIN.len() - 1..end).ok_or(Refused::NotASignature)?;
    let body: String = body.split_ascii_whitespace().collect();
    let blob = BASE64.decode(body.as_bytes()).map_err(|_| Refused::NotASignature)?;

    let signature = parse(wrapped(&blob).as_bytes())?;
    let Some(low) = low_s(signature.signature())? else { return Form::of(&signature)?.armoured() };
    let signature =
        SshSig::new(signature.public_key().clone(), signature.namespace(), signature.hash_alg(), low)
            .map_err(|_| Refused::NotASignature)?;
    Form::of(&signature)?.armoured()
}

/// Reads an armoured signature, in whatever form the library takes.
pub(crate) fn parse(armoured: &[u8]) -> Result<SshSig, Refused> {
    SshSig::from_pem(armoured).map_err(|_| {
        // a webauthn signature ends in data the library does not know: say what it is
        let body: Vec<u8> =
            armoured.split(|b| *b == b'\n').filter(|l| !l.starts_with(b"-----")).flatten().copied().collect();
        let blob = BASE64.decode(&body).unwrap_or_default();
        let name = b"webauthn-sk-ecdsa-sha2-nistp256@openssh.com";
        if blob.windows(name.len()).any(|w| w == name) { Refused::Webauthn } else { Refused::NotASignature }
    })
}

/// The low-S twin of a high-S ECDSA signature; `None` for every other signature.
pub(crate) fn low_s(signature: &Signature) -> Result<Option<Signature>, Refused> {
    let (ecdsa, trailer) = match signature.algorithm() {
        Algorithm::Ecdsa { curve: EcdsaCurve::NistP256 } => (signature.as_bytes(), [].as_slice()),
        Algorithm::SkEcdsaSha2NistP256 => split_sk(signature)?,
        _ => return Ok(None),
    };
    let p256 = Algorithm::Ecdsa { curve: EcdsaCurve::NistP256 };
    let plain = Signature::new(p256, ecdsa).map_err(|_| Refused::NotASignature)?;
    let scalars = p256::ecdsa::Signature::try_from(&plain).map_err(|_| Refused::NotASignature)?;
    let Some(low) = scalars.normalize_s() else { return Ok(None) };
    let low = Signature::try_from(&low).map_err(|_| Refused::NotASignature)?;
    let mut data = low.as_bytes().to_vec();
    data.extend_from_slice(trailer);
    Signature::new(signature.algorithm(), data).map(Some).map_err(|_| Refused::NotASignature)
}

/// A hardware key's signature: (the signature proper, flags and counter).
pub(crate) fn split_sk(signature: &Signature) -> Result<(&[u8], &[u8]), Refused> {
    let bytes = signature.as_bytes();
    bytes
        .len()
        .checked_sub(SK_TRAILER)
        .and_then(|at| bytes.split_at_checked(at))
        .ok_or(Refused::NotASignature)
}

/// A signature's bytes as PROTOCOL.sshsig lays them out, written anew.
///
/// The library's own encoder is not used: for sk-ecdsa it puts flags and counter
/// inside the signature's string (ssh-key 0.6.7), where OpenSSH has them behind it.
pub(crate) struct Form(Vec<u8>);

impl Form {
    pub(crate) fn of(signature: &SshSig) -> Result<Self, Refused> {
        let key = key_blob(signature.public_key())?;
        let algorithm = signature.algorithm();
        let (proper, trailer) = match algorithm {
            Algorithm::SkEd25519 | Algorithm::SkEcdsaSha2NistP256 => split_sk(signature.signature())?,
            _ => (signature.signature_bytes(), [].as_slice()),
        };
        let mut inner = Vec::new();
        string(&mut inner, algorithm.as_str().as_bytes())?;
        string(&mut inner, proper)?;
        inner.extend_from_slice(trailer);

        let hash = match signature.hash_alg() {
            HashAlg::Sha256 => "sha256",
            HashAlg::Sha512 => "sha512",
            _ => return Err(Refused::Hash),
        };
        let mut blob = b"SSHSIG".to_vec();
        blob.extend_from_slice(&signature.version().to_be_bytes());
        string(&mut blob, &key)?;
        string(&mut blob, signature.namespace().as_bytes())?;
        string(&mut blob, signature.reserved())?;
        string(&mut blob, hash.as_bytes())?;
        string(&mut blob, &inner)?;
        Ok(Self(blob))
    }

    /// The armoured text, ending in one newline.
    pub(crate) fn armoured(&self) -> Result<String, Refused> {
        Ok(wrapped(&self.0))
    }
}

fn key_blob(key: &KeyData) -> Result<Vec<u8>, Refused> {
    PublicKey::new(key.clone(), "").to_bytes().map_err(|_| Refused::NotASignature)
}

/// A string of RFC 4251: length (u32, big-endian), bytes.
fn string(out: &mut Vec<u8>, bytes: &[u8]) -> Result<(), Refused> {
    let length = u32::try_from(bytes.len()).map_err(|_| Refused::NotASignature)?;
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(bytes);
    Ok(())
}

fn wrapped(blob: &[u8]) -> String {
    let mut text = BEGIN.to_owned();
    for (at, symbol) in BASE64.encode(blob).chars().enumerate() {
        if at > 0 && at % LINE == 0 {
            text.push('\n');
        }
        text.push(symbol);
    }
    text.push('\n');
    text.push_str(END);
    text
}
