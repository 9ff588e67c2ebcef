//! Dates and times between text and the counts that columns carry, strictly.
//!
//! Calendar arithmetic after Howard Hinnant, "chrono-Compatible Low-Level Date
//! Algorithms" (2013): proleptic Gregorian, exact over the whole range used here. Only
//! the years 0001 to 9999 exist: what SQL texts can write with four digits.

/// Microseconds in a day.
pub(crate) const DAY: i64 = 86_400_000_000;

/// Days since 1970-01-01 of a date; `None` where there is no such date.
pub(crate) fn days(year: i32, month: u32, day: u32) -> Option<i32> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return None,
    };
    if !(1..=9999).contains(&year) || !(1..=last).contains(&day) {
        return None;
    }
    let (month, day) = (i32::try_from(month).ok()?, i32::try_from(day).ok()?);
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
}

/// Year, month and day of a count of days; `None` outside the years 0001 to 9999.
pub(crate) fn date(days: i32) -> Option<(i32, u32, u32)> {
    let shifted = days.checked_add(719_468)?;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = u32::try_from(of_year - (153 * shifted_month + 2) / 5 + 1).ok()?;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i32::from(month <= 2);
    (1..=9999).contains(&year).then_some((year, u32::try_from(month).ok()?, day))
}

/// `YYYY-MM-DD` as days since 1970-01-01.
pub(crate) fn parse_date(text: &str) -> Option<i32> {
    let [a, b, c, d, b'-', m, n, b'-', x, y] = *text.as_bytes() else { return None };
    let year = i32::try_from(digits(&[a, b, c, d])?).ok()?;
    days(year, u32::try_from(digits(&[m, n])?).ok()?, u32::try_from(digits(&[x, y])?).ok()?)
}

/// `HH:MM:SS` with up to six digits after a point, as microseconds since midnight.
pub(crate) fn parse_time(text: &str) -> Option<i64> {
    let (whole, fraction) = match text.split_once('.') {
        Some((whole, fraction)) => (whole, micros(fraction)?),
        None => (text, 0),
    };
    let [h, i, b':', m, n, b':', s, t] = *whole.as_bytes() else { return None };
    let (hours, minutes, seconds) = (digits(&[h, i])?, digits(&[m, n])?, digits(&[s, t])?);
    (hours < 24 && minutes < 60 && seconds < 60)
        .then_some(((hours * 60 + minutes) * 60 + seconds) * 1_000_000 + fraction)
}

/// `YYYY-MM-DD HH:MM:SS[.ffffff]` (or `T` between them) as microseconds since 1970-01-01 00:00.
pub(crate) fn parse_timestamp(text: &str) -> Option<i64> {
    let (day, time) = text.split_once([' ', 'T'])?;
    Some(i64::from(parse_date(day)?) * DAY + parse_time(time)?)
}

/// `YYYY-MM-DD`; `None` outside the years 0001 to 9999.
pub(crate) fn format_date(days: i32) -> Option<String> {
    let (year, month, day) = date(days)?;
    Some(format!("{year:04}-{month:02}-{day:02}"))
}

/// `HH:MM:SS`, then a point and the shortest fraction where there is one: the form in
/// which the order of texts is the order of times. `None` outside one day.
pub(crate) fn format_time(time: i64) -> Option<String> {
    if !(0..DAY).contains(&time) {
        return None;
    }
    let (seconds, fraction) = (time / 1_000_000, time % 1_000_000);
    let mut text = format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    if fraction != 0 {
        let digits = format!(".{fraction:06}");
        text.push_str(digits.trim_end_matches('0'));
    }
    Some(text)
}

/// [`format_date`], a blank, [`format_time`].
pub(crate) fn format_timestamp(micros: i64) -> Option<String> {
    let day = format_date(i32::try_from(micros.div_euclid(DAY)).ok()?)?;
    Some(format!("{day} {}", format_time(micros.rem_euclid(DAY))?))
}

/// One to six digits after the point, in microseconds.
fn micros(fraction: &str) -> Option<i64> {
    let scale = u32::try_from(6_usize.checked_sub(fraction.len())?).ok()?;
    Some(digits(fraction.as_bytes())? * 10_i64.pow(scale))
}

/// Up to six ASCII digits as a number.
fn digits(text: &[u8]) -> Option<i64> {
    if text.is_empty() || text.len() > 6 {
        return None;
    }
    text.iter().try_fold(0_i64, |n, d| d.is_ascii_digit().then(|| n * 10 + i64::from(d - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_of_ten_thousand_years_is_counted_once_and_found_again() {
        let mut expected = days(1, 1, 1).unwrap();
        assert_eq!(expected, -719_162);
        for year in 1..=9999 {
            for month in 1..=12 {
                for day in 1..=31 {
                    let Some(count) = days(year, month, day) else { continue };
                    assert_eq!(count, expected, "{year}-{month}-{day}");
                    assert_eq!(date(count), Some((year, month, day)));
                    expected += 1;
                }
            }
        }
        assert_eq!(expected, 2_932_897, "the day after 9999-12-31");
        assert_eq!((date(expected), date(-719_163)), (None, None));
    }

    #[test]
    fn only_the_strict_forms_are_read() {
        assert_eq!(parse_date("1970-01-02"), Some(1));
        assert_eq!(parse_timestamp("1969-12-31 23:59:59.5"), Some(-500_000));
        assert_eq!(parse_timestamp("1969-12-31T23:59:59.500000"), Some(-500_000));
        for bad in
            ["0000-00-00", "2024-02-30", "2023-02-29", "24-1-1", "2024-1-01", "2024-01-01 ", "+024-01-01"]
        {
            assert_eq!(parse_date(bad), None, "{bad}");
        }
        for bad in ["24:00:00", "12:60:00", "12:00:60", "12:00", "12:00:00.", "12:00:00.1234567", "-1:00:00"]
        {
            assert_eq!(parse_time(bad), None, "{bad}");
        }
        for bad in ["2024-01-01", "2024-01-01  00:00:00", "2024-01-01 00:00:00Z", "2024-01-01 00:00:00+01:00"]
        {
            assert_eq!(parse_timestamp(bad), None, "{bad}");
        }
    }

    #[test]
    fn written_texts_sort_as_times_do() {
        let times = [-1_500_000, -1_000_000, -999_999, 0, 1, 10, 450_000, 500_000, 550_000, 1_000_000, DAY];
        let texts: Vec<String> = times.iter().map(|t| format_timestamp(*t).unwrap()).collect();
        assert!(texts.is_sorted(), "{texts:?}");
        for (time, text) in times.iter().zip(&texts) {
            assert_eq!(parse_timestamp(text), Some(*time));
        }
    }
}
