//! age v1 with X25519 recipients, around any bytes.

use std::io::{Read, Write};

use zeroize::Zeroizing;

use crate::keys::{Identity, Recipient};

/// Why an envelope stays shut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Closed {
    /// None of the identities is among its recipients.
    Stranger,
    /// A byte was changed, added or removed.
    Damaged,
}

/// Seals to every recipient; `None` where there is none.
pub(crate) fn seal(plain: &[u8], recipients: &[Recipient]) -> Option<Vec<u8>> {
    seal_pieces(&[plain], recipients)
}

/// As [`seal`], of pieces one behind the other.
pub(crate) fn seal_pieces(plain: &[&[u8]], recipients: &[Recipient]) -> Option<Vec<u8>> {
    let encryptor = age::Encryptor::with_recipients(recipients.iter().map(Recipient::age)).ok()?;
    let length: usize = plain.iter().map(|piece| piece.len()).sum();
    let mut sealed = Vec::with_capacity(length + length / 1024 + 512);
    let mut writer = encryptor.wrap_output(&mut sealed).ok()?;
    for piece in plain {
        writer.write_all(piece).ok()?;
    }
    writer.finish().ok()?;
    Some(sealed)
}

/// Opens with the first identity that fits.
pub(crate) fn open(sealed: &[u8], identities: &[&Identity]) -> Result<Zeroizing<Vec<u8>>, Closed> {
    let decryptor = age::Decryptor::new_buffered(sealed).map_err(|_| Closed::Damaged)?;
    let mut reader = decryptor.decrypt(identities.iter().map(|one| one.age())).map_err(|e| match e {
        age::DecryptError::NoMatchingKeys => Closed::Stranger,
        _ => Closed::Damaged,
    })?;
    let mut plain = Zeroizing::new(Vec::with_capacity(sealed.len()));
    reader.read_to_end(&mut plain).map_err(|_| Closed::Damaged)?;
    Ok(plain)
}
