//! Decimals as exact text, in one place: two spellings would be two values.

/// `unscaled × 10^-scale` with exactly `scale` digits after the point.
pub(crate) fn text(unscaled: i128, scale: u8) -> String {
    let sign = if unscaled < 0 { "-" } else { "" };
    let power = 10_u128.pow(u32::from(scale));
    let (whole, fraction) = (unscaled.unsigned_abs() / power, unscaled.unsigned_abs() % power);
    if scale == 0 {
        format!("{sign}{whole}")
    } else {
        format!("{sign}{whole}.{fraction:0w$}", w = usize::from(scale))
    }
}
