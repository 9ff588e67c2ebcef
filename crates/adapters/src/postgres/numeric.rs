//! `numeric` in binary: digits in base 10,000 (`numeric.c`, `numeric_send`).
//!
//! | bytes | meaning |
//! |---|---|
//! | i16 | number of digit groups |
//! | i16 | weight of the first group, as a power of 10,000 |
//! | u16 | sign: 0x0000, 0x4000, or NaN 0xC000, infinities 0xD000, 0xF000 |
//! | u16 | digits shown after the point |
//! | i16 each | groups, 0..=9999 |

const NEGATIVE: u16 = 0x4000;
const BASE: i128 = 10_000;

/// The unscaled value at `scale`; `None` for NaN, infinities, digits beyond `scale` that
/// are not zero, and what needs more than 38 digits.
pub(super) fn read(bytes: &[u8], scale: u8) -> Option<i128> {
    let (head, mut groups) = bytes.split_first_chunk::<8>()?;
    let [n0, n1, w0, w1, s0, s1, _, _] = *head;
    let count = i32::from(i16::from_be_bytes([n0, n1]));
    let weight = i32::from(i16::from_be_bytes([w0, w1]));
    let sign = u16::from_be_bytes([s0, s1]);
    if sign & !NEGATIVE != 0 {
        return None;
    }
    let mut value: i128 = 0;
    // power of ten of the group just read, relative to the unscaled value
    let mut power = 4 * weight + i32::from(scale);
    for _ in 0..count {
        let (group, rest) = groups.split_first_chunk::<2>()?;
        groups = rest;
        let group = i128::from(i16::from_be_bytes(*group));
        if power >= 0 {
            value = value.checked_mul(BASE)?.checked_add(group)?;
        } else {
            // the group reaches beyond the scale: what is beyond must be zero
            let cut = ten(u32::try_from(-power).ok()?).unwrap_or(i128::MAX);
            if group % cut != 0 {
                return None;
            }
            if let Some(kept) = 4_u32.checked_sub(u32::try_from(-power).ok()?) {
                value = value.checked_mul(ten(kept)?)?.checked_add(group / cut)?;
            }
        }
        power -= 4;
    }
    // the last group's own power, if positive, is what is missing at the right
    let missing = power + 4;
    if missing > 0 && value != 0 {
        value = value.checked_mul(ten(u32::try_from(missing).ok()?)?)?;
    }
    Some(if sign == NEGATIVE { -value } else { value })
}

/// Appends the value with its scale kept: 1.0 stays 1.0, and does not become 1.00.
pub(super) fn write(out: &mut Vec<u8>, unscaled: i128, scale: u8) {
    let negative = unscaled < 0;
    let digits = unscaled.unsigned_abs();
    let unit = 10_u128.checked_pow(u32::from(scale)).unwrap_or(u128::MAX);
    let (mut whole, mut part) = (digits / unit, digits % unit);
    // 38 digits make at most 10 groups on each side of the point
    let mut groups = [0_u16; 24];
    let mut count = 0_usize;
    let mut push = |group: u128| {
        if let (Some(slot), Ok(group)) = (groups.get_mut(count), u16::try_from(group)) {
            *slot = group;
            count += 1;
        }
    };
    let mut wholes = [0_u128; 12];
    let mut n = 0_usize;
    while whole > 0 {
        if let Some(slot) = wholes.get_mut(n) {
            *slot = whole % 10_000;
        }
        n += 1;
        whole /= 10_000;
    }
    for group in wholes.iter().take(n).rev() {
        push(*group);
    }
    let mut weight = i16::try_from(n).unwrap_or_default() - 1;
    let mut left = u32::from(scale);
    while part > 0 {
        let group = if left >= 4 {
            let unit = 10_u128.pow(left - 4);
            left -= 4;
            let group = part / unit;
            part %= unit;
            group
        } else {
            let group = part * 10_u128.pow(4 - left);
            part = 0;
            group
        };
        push(group);
    }
    // leading zero groups of a fraction move into the weight; so do none for a whole part
    let lead = groups.iter().take(count).take_while(|g| **g == 0).count();
    weight -= i16::try_from(lead).unwrap_or_default();
    let mut end = count;
    while end > lead && groups.get(end - 1) == Some(&0) {
        end -= 1;
    }
    let shown = groups.get(lead..end).unwrap_or_default();
    let shown_count = i16::try_from(shown.len()).unwrap_or_default();
    out.extend_from_slice(&shown_count.to_be_bytes());
    out.extend_from_slice(&(if shown.is_empty() { 0 } else { weight }).to_be_bytes());
    out.extend_from_slice(&(if negative { NEGATIVE } else { 0 }).to_be_bytes());
    out.extend_from_slice(&u16::from(scale).to_be_bytes());
    for group in shown {
        out.extend_from_slice(&group.to_be_bytes());
    }
}

/// Appends a number of any length from its text, `-12.50` as the engine prints it; `None` where the
/// engine would print it otherwise, so that what is read back is what was sent.
pub(super) fn write_text(out: &mut Vec<u8>, text: &str) -> Option<()> {
    let special = match text {
        "NaN" => Some(0xc000_u16),
        "Infinity" => Some(0xd000),
        "-Infinity" => Some(0xf000),
        _ => None,
    };
    if let Some(sign) = special {
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(&sign.to_be_bytes());
        out.extend_from_slice(&[0; 2]);
        return Some(());
    }
    let (sign, digits) = text.strip_prefix('-').map_or((0, text), |rest| (NEGATIVE, rest));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let plain = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    let one_form = (whole == "0" || !whole.starts_with('0'))
        && !whole.is_empty()
        && digits.ends_with(|c: char| c.is_ascii_digit())
        && plain(whole)
        && plain(fraction);
    let zero = digits.bytes().all(|b| matches!(b, b'0' | b'.'));
    // the engine's own limits: 131,072 digits before the point, 16,383 after it
    if !one_form || (zero && sign == NEGATIVE) || whole.len() > 131_072 || fraction.len() > 16_383 {
        return None;
    }
    let lead = whole.len().next_multiple_of(4);
    let zeros = |text: &str| "0".repeat(text.len().next_multiple_of(4) - text.len());
    let padded = format!("{}{whole}{fraction}{}", zeros(whole), zeros(fraction));
    let groups: Vec<i16> = padded
        .as_bytes()
        .chunks(4)
        .map(|four| four.iter().fold(0_i16, |n, d| n * 10 + i16::from(*d - b'0')))
        .collect();
    let from = groups.iter().take_while(|g| **g == 0).count();
    let end = groups.iter().rposition(|g| *g != 0).map_or(from, |last| last + 1);
    let shown = groups.get(from..end).unwrap_or_default();
    let weight = i32::try_from(lead / 4).ok()? - 1 - i32::try_from(from).ok()?;
    out.extend_from_slice(&i16::try_from(shown.len()).ok()?.to_be_bytes());
    out.extend_from_slice(&(if shown.is_empty() { 0 } else { i16::try_from(weight).ok()? }).to_be_bytes());
    out.extend_from_slice(&sign.to_be_bytes());
    out.extend_from_slice(&u16::try_from(fraction.len()).ok()?.to_be_bytes());
    for group in shown {
        out.extend_from_slice(&group.to_be_bytes());
    }
    Some(())
}

fn ten(power: u32) -> Option<i128> {
    10_i128.checked_pow(power)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn there_and_back(unscaled: i128, scale: u8) {
        let mut out = Vec::new();
        write(&mut out, unscaled, scale);
        assert_eq!(read(&out, scale), Some(unscaled), "{unscaled} at {scale}");
    }

    #[test]
    fn every_scale_and_length_comes_back() {
        for scale in 0..=38 {
            for digits in 0..=38_u32 {
                let nines = 10_i128.pow(digits) - 1;
                for value in
                    [0, 1, 5, 10_i128.pow(digits.min(37)), nines, nines / 7, 12_340_000 % (nines + 1)]
                {
                    there_and_back(value, scale);
                    there_and_back(-value, scale);
                }
            }
        }
    }

    #[test]
    fn a_text_is_written_as_its_number_is() {
        for scale in [0, 1, 2, 4, 7, 38] {
            for unscaled in [0, 1, -1, 10, 9_999, 10_000, -123_456_789, 10_i128.pow(37), 5_000_000_000] {
                let (mut number, mut text) = (Vec::new(), Vec::new());
                write(&mut number, unscaled, scale);
                write_text(&mut text, &crate::spelling::decimal(unscaled, scale)).unwrap();
                assert_eq!(number, text, "{unscaled} at {scale}");
            }
        }
        for other in
            ["", "-", "+1", "01", "-0", "-0.00", "1.", ".5", "1e3", "1,5", " 1", "nan", "--1", "1.5.5"]
        {
            assert_eq!(write_text(&mut Vec::new(), other), None, "{other}");
        }
    }

    #[test]
    fn known_bytes() {
        // 12345.678 as the server sends it: groups 1 2345 6780, weight 1, scale 3
        let mut out = Vec::new();
        write(&mut out, 12_345_678, 3);
        assert_eq!(out, [0, 3, 0, 1, 0, 0, 0, 3, 0, 1, 0x09, 0x29, 0x1a, 0x7c]);
        let mut out = Vec::new();
        write(&mut out, -5, 6); // -0.000005: one group 0500, weight -2
        assert_eq!(out, [0, 1, 0xff, 0xfe, 0x40, 0, 0, 6, 0x01, 0xf4]);
    }

    #[test]
    fn what_has_no_exact_value_is_refused() {
        for sign in [0xc0, 0xd0, 0xf0] {
            assert_eq!(read(&[0, 0, 0, 0, sign, 0, 0, 0], 2), None);
        }
        let mut out = Vec::new();
        write(&mut out, 1234, 3);
        assert_eq!(read(&out, 2), None, "1.234 does not fit two digits after the point");
        assert_eq!(read(&out, 5), Some(123_400));
        let mut out = Vec::new();
        write(&mut out, 10_i128.pow(37), 0);
        assert_eq!(read(&out, 5), None, "42 digits");
        assert_eq!(read(&[0, 1, 0, 0], 2), None, "cut short");
    }
}
