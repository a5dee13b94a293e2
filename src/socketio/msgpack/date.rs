//! Dates as JavaScript writes them into JSON (ECMA-262, `Date.prototype.toISOString`).
//! Left out: zones; a date is milliseconds since 1970 in UTC.

/// The last moment a JavaScript date can say, in milliseconds: a hundred million days (ECMA-262 §21.4.1.1).
const MILLIS_MAX: i64 = 8_640_000_000_000_000;

/// The text of a date; none for one that JavaScript calls invalid.
pub(super) fn text(millis: i64) -> Option<String> {
    if millis.unsigned_abs() > MILLIS_MAX.unsigned_abs() {
        return None;
    }
    let (days, rest) = (millis.div_euclid(86_400_000), millis.rem_euclid(86_400_000));
    let (year, month, day) = civil(days);
    let year = match year {
        0..=9999 => format!("{year:04}"),
        _ => format!("{year:+07}"),
    };
    let (hours, minutes) = (rest / 3_600_000, rest / 60_000 % 60);
    let (seconds, millis) = (rest / 1000 % 60, rest % 1000);
    Some(format!(
        "{year}-{month:02}-{day:02}T{hours:02}:{minutes:02}:{seconds:02}.{millis:03}Z"
    ))
}

/// Year, month and day of a day that is counted from 1970-01-01. Years begin in March here, so that the leap day is the
/// last of its year, and 400 of them are always 146,097 days.
const fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 {
        march_month + 3
    } else {
        march_month - 9
    };
    let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_written_as_javascript_writes_them() {
        for (millis, expected) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (951_868_800_000, "2000-03-01T00:00:00.000Z"),
            (1_700_000_000_123, "2023-11-14T22:13:20.123Z"),
            (253_402_300_800_000, "+010000-01-01T00:00:00.000Z"),
            (-62_198_755_200_000, "-000001-01-01T00:00:00.000Z"),
            (MILLIS_MAX, "+275760-09-13T00:00:00.000Z"),
            (-MILLIS_MAX, "-271821-04-20T00:00:00.000Z"),
        ] {
            assert_eq!(text(millis).as_deref(), Some(expected));
        }
        assert_eq!(text(MILLIS_MAX + 1), None);
        assert_eq!(text(i64::MIN), None);
    }
}
