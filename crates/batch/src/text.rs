//! Values as text and back, in one spelling: ISO 8601 dates, plain decimals, hyphened UUIDs.

use jiff::civil::{Date, DateTime, Time};
use jiff::{SignedDuration, Span};

const DAY: i64 = 86_400_000_000;
const EPOCH: Date = Date::constant(1970, 1, 1);

/// `-12.50` of unscaled −1250 and scale 2.
pub(crate) fn decimal(unscaled: i128, scale: u8) -> String {
    let sign = if unscaled < 0 { "-" } else { "" };
    let digits = unscaled.unsigned_abs().to_string();
    let scale = usize::from(scale);
    if scale == 0 {
        return format!("{sign}{digits}");
    }
    let padded = format!("{digits:0>width$}", width = scale + 1);
    match padded.split_at_checked(padded.len() - scale) {
        Some((whole, fraction)) => format!("{sign}{whole}.{fraction}"),
        None => format!("{sign}{padded}"),
    }
}

/// `-?[0-9]+(\.[0-9]+)?` as unscaled value and scale; `None` past 38 digits.
pub(crate) fn parse_decimal(text: &str) -> Option<(i128, u8)> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = match digits.split_once('.') {
        Some((_, "")) => return None,
        Some((whole, fraction)) => (whole, fraction),
        None => (digits, ""),
    };
    if whole.is_empty() || !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit()) {
        return None;
    }
    let scale = u8::try_from(fraction.len()).ok().filter(|s| *s <= 38)?;
    let mut unscaled = 0i128;
    for digit in whole.bytes().chain(fraction.bytes()) {
        unscaled = unscaled.checked_mul(10)?.checked_add(i128::from(digit - b'0'))?;
    }
    Some((if negative { -unscaled } else { unscaled }, scale))
}

/// The fewest digits that read back as the same number, never an exponent (`12.5`, `4`, `-0`); what is
/// no number by PostgreSQL's names: `NaN`, `Infinity`, `-Infinity`.
pub(crate) fn float(value: f64) -> String {
    if value.is_infinite() {
        return if value.is_sign_negative() { "-Infinity" } else { "Infinity" }.to_owned();
    }
    // Rust's own print is the shortest, and says NaN too
    value.to_string()
}

/// A binary32 that travels as a binary64: the fewest digits that read back as the same binary32, else as
/// [`float`] has it.
pub(crate) fn single(value: f64) -> String {
    if value.is_infinite() { float(value) } else { narrow(value).to_string() }
}

/// The nearest binary32.
#[expect(
    clippy::cast_possible_truncation,
    reason = "callers hold a binary32, or compare it with what went in"
)]
pub(crate) fn narrow(value: f64) -> f32 {
    value as f32
}

/// `2019-01-31`; `None` outside the years −9999 to 9999.
pub(crate) fn date(days: i32) -> Option<String> {
    civil(days).map(|d| d.to_string())
}

/// `2019-01-31`, that spelling only, year 0000 to 9999.
pub(crate) fn parse_date(text: &str) -> Option<i32> {
    if text.len() != 10 {
        return None;
    }
    let date: Date = text.parse().ok()?;
    (date.to_string() == text).then(|| days(date)).flatten()
}

/// `2019-01-31 12:34:56` or with `.` and up to six digits.
pub(crate) fn timestamp(micros: i64) -> Option<String> {
    let day = date(i32::try_from(micros.div_euclid(DAY)).ok()?)?;
    Some(format!("{day} {}", time(micros.rem_euclid(DAY))?))
}

/// `2019-01-31 12:34:56[.789]`, with a space or a `T`.
pub(crate) fn parse_timestamp(text: &str) -> Option<i64> {
    let (day, rest) = text.split_at_checked(10)?;
    let clock = rest.strip_prefix([' ', 'T'])?;
    i64::from(parse_date(day)?).checked_mul(DAY)?.checked_add(parse_time(clock)?)
}

/// `12:34:56` or with `.` and up to six digits, trailing zeros left out.
pub(crate) fn time(micros: i64) -> Option<String> {
    if !(0..=DAY).contains(&micros) {
        return None;
    }
    let (seconds, fraction) = (micros / 1_000_000, micros % 1_000_000);
    let clock = format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    Some(if fraction == 0 {
        clock
    } else {
        format!("{clock}.{}", format!("{fraction:06}").trim_end_matches('0'))
    })
}

/// `12:34:56[.789]`, hours 00 to 23, no leap second.
pub(crate) fn parse_time(text: &str) -> Option<i64> {
    let (clock, fraction) = match text.split_once('.') {
        Some((clock, fraction)) => (clock, Some(fraction)),
        None => (text, None),
    };
    let two = |s: &str, limit: i64| {
        (s.len() == 2 && s.bytes().all(|b| b.is_ascii_digit()))
            .then(|| s.parse::<i64>().ok())
            .flatten()
            .filter(|n| *n < limit)
    };
    let mut parts = clock.split(':');
    let (hour, minute, second) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let seconds = two(hour, 24)? * 3600 + two(minute, 60)? * 60 + two(second, 60)?;
    let micros = match fraction {
        None => 0,
        Some(f) if (1..=6).contains(&f.len()) && f.bytes().all(|b| b.is_ascii_digit()) => {
            format!("{f:0<6}").parse::<i64>().ok()?
        }
        Some(_) => return None,
    };
    Some(seconds * 1_000_000 + micros)
}

/// Lower case, groups 8-4-4-4-12.
pub(crate) fn uuid(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(36);
    for (i, byte) in bytes.iter().enumerate() {
        if matches!(i, 4 | 6 | 8 | 10) {
            out.push('-');
        }
        out.push_str(&format!("{byte:02x}"));
    }
    out
}

/// 32 hexadecimal digits in groups 8-4-4-4-12.
pub(crate) fn parse_uuid(text: &str) -> Option<[u8; 16]> {
    let groups = [8usize, 4, 4, 4, 12];
    let mut parts = text.split('-');
    let mut digits = String::with_capacity(32);
    for length in groups {
        let part = parts.next().filter(|p| p.len() == length)?;
        digits.push_str(part);
    }
    if parts.next().is_some() || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    u128::from_str_radix(&digits, 16).ok().map(u128::to_be_bytes)
}

fn civil(days: i32) -> Option<Date> {
    EPOCH.checked_add(Span::new().try_days(days).ok()?).ok()
}

fn days(date: Date) -> Option<i32> {
    let since = DateTime::from_parts(date, Time::midnight())
        .duration_since(DateTime::from_parts(EPOCH, Time::midnight()));
    let day = SignedDuration::from_hours(24).as_secs();
    i32::try_from(since.as_secs() / day).ok()
}
