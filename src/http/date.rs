//! Dates as HTTP writes them: `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 §5.6.7).
//!
//! A moment on the wall clock comes in, 29 characters go out.
//! Never reads a clock.
//! Left out: reading dates. We compare entity tags, never times.

use std::cell::Cell;

use crate::time::UnixMillis;

const DIGITS: &[u8; 10] = b"0123456789";
const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

thread_local! {
    /// The last second that was written, and how: all answers of a second have the same.
    static LAST: Cell<(u64, Text)> = const { Cell::new((0, *FIRST)) };
}

type Text = [u8; FIRST.len()];

/// The date of second 0.
const FIRST: &[u8; 29] = b"Thu, 01 Jan 1970 00:00:00 GMT";

/// The date for a header; what lies beyond the year 9999 is written as its last second.
#[must_use]
pub fn date(wall: UnixMillis) -> String {
    String::from_utf8(text(wall).to_vec()).expect("it is ASCII")
}

/// Appends what [`date`] says.
pub(super) fn push_date(out: &mut Vec<u8>, wall: UnixMillis) {
    out.extend_from_slice(&text(wall));
}

fn text(wall: UnixMillis) -> Text {
    const LAST_SECOND_OF_9999: u64 = 253_402_300_799;
    let second = (wall.0 / 1000).min(LAST_SECOND_OF_9999);
    let (last, text) = LAST.get();
    if second == last {
        return text;
    }
    let text = text_of(second);
    LAST.set((second, text));
    text
}

fn text_of(second: u64) -> Text {
    let (days, second) = (second / 86_400, second % 86_400);
    let (year, month, day) = civil(days);
    let mut text = *FIRST;
    text[..3].copy_from_slice(DAYS[(days % 7) as usize].as_bytes());
    text[8..11].copy_from_slice(MONTHS[month].as_bytes());
    let pairs = [
        (5, day),
        (12, year / 100),
        (14, year % 100),
        (17, second / 3600),
        (20, second / 60 % 60),
        (23, second % 60),
    ];
    for (at, number) in pairs {
        text[at] = DIGITS[(number / 10 % 10) as usize];
        text[at + 1] = DIGITS[(number % 10) as usize];
    }
    text
}

/// Year, month from 0, and day from 1 of a day since 1970-01-01, by the count of days since 0000-03-01: a year that starts
/// in March has its leap day last, and the lengths of its months follow a straight line.
const fn civil(days: u64) -> (u64, usize, u64) {
    const FROM_MARCH_0000_TO_1970: u64 = 719_468;
    let days = days + FROM_MARCH_0000_TO_1970;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = (from_march + 2) % 12;
    let year = era * 400 + year_of_era + if month < 2 { 1 } else { 0 };
    (year, month as usize, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_written_as_the_rfc_has_them() {
        let rows = [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (951_782_399, "Mon, 28 Feb 2000 23:59:59 GMT"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
            (1_709_251_199, "Thu, 29 Feb 2024 23:59:59 GMT"),
            (1_735_689_599, "Tue, 31 Dec 2024 23:59:59 GMT"),
            (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"),
            (253_402_300_799, "Fri, 31 Dec 9999 23:59:59 GMT"),
            (u64::MAX / 1000, "Fri, 31 Dec 9999 23:59:59 GMT"),
        ];
        for (seconds, text) in rows {
            assert_eq!(date(UnixMillis(seconds * 1000)), text);
        }
    }

    #[test]
    fn the_calendar_counts_every_day_of_four_centuries_once() {
        let (mut year, mut month, mut day) = (1970, 0, 1);
        for days in 0..146_097 {
            assert_eq!(civil(days), (year, month, day));
            let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
            let length = [
                31,
                if leap { 29 } else { 28 },
                31,
                30,
                31,
                30,
                31,
                31,
                30,
                31,
                30,
                31,
            ];
            day += 1;
            if day > length[month] {
                (month, day) = (month + 1, 1);
            }
            if month == 12 {
                (year, month) = (year + 1, 0);
            }
        }
    }
}
