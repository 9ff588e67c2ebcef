//! Decimals and UUIDs as every engine's text spells them.

/// The number with exactly `scale` digits after the point; without a point where there are none.
pub(crate) fn decimal(unscaled: i128, scale: u8) -> String {
    let sign = if unscaled < 0 { "-" } else { "" };
    let scale = usize::from(scale);
    let digits = format!("{:0>width$}", unscaled.unsigned_abs(), width = scale + 1);
    match digits.split_at_checked(digits.len() - scale) {
        Some((whole, fraction)) if scale > 0 => format!("{sign}{whole}.{fraction}"),
        _ => format!("{sign}{digits}"),
    }
}

/// RFC 9562's text, in lower case.
pub(crate) fn uuid(bytes: &[u8]) -> String {
    let mut text = data_encoding::HEXLOWER.encode(bytes);
    for hyphen in [20, 16, 12, 8] {
        text.insert(hyphen.min(text.len()), '-');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_keeps_its_scale_and_its_sign() {
        for (unscaled, scale, text) in [
            (0, 0, "0"),
            (0, 3, "0.000"),
            (-5, 2, "-0.05"),
            (-1_500, 3, "-1.500"),
            (12, 0, "12"),
            (i128::MIN, 38, "-1.70141183460469231731687303715884105728"),
        ] {
            assert_eq!(decimal(unscaled, scale), text);
        }
    }

    #[test]
    fn a_uuid_has_its_four_hyphens() {
        assert_eq!(uuid(&[0xab; 16]), "abababab-abab-abab-abab-abababababab");
    }
}
