//! Bundles of entries: each entry behind its length, a big-endian 16 bit number (C2SP tlog-tiles).

/// The longest entry that a bundle can hold, in bytes.
pub const LONGEST: usize = u16::MAX as usize;

/// Puts an entry at the end of a bundle. False, and nothing done, where it is longer than [`LONGEST`].
#[must_use]
pub fn push(bundle: &mut Vec<u8>, entry: &[u8]) -> bool {
    let Ok(length) = u16::try_from(entry.len()) else { return false };
    bundle.extend_from_slice(&length.to_be_bytes());
    bundle.extend_from_slice(entry);
    true
}

/// The entries of a bundle, in their order; `None` where it is cut, or there are more or fewer than `width`.
#[must_use]
pub fn entries(bundle: &[u8], width: u64) -> Option<Vec<&[u8]>> {
    let mut entries = Vec::with_capacity(usize::try_from(width.min(crate::tile::FULL)).ok()?);
    let mut rest = bundle;
    while let Some((length, after)) = rest.split_first_chunk::<2>() {
        let (entry, after) = after.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        entries.push(entry);
        rest = after;
    }
    (rest.is_empty() && u64::try_from(entries.len()) == Ok(width)).then_some(entries)
}
