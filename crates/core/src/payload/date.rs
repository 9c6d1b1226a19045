//! JavaScript's `Date`: a point in time as its ISO text. Arithmetic of the civil calendar only; must
//! not know what time it is.

use std::fmt;
use std::str::FromStr;

use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::{Serialize, Serializer};
use thiserror::Error;

const MS_PER_DAY: i64 = 86_400_000;

/// How far from the epoch a `Date` can be, either way: a hundred million days.
const MAX_MS: i64 = 100_000_000 * MS_PER_DAY;

/// Days in 400 years, after which the calendar repeats.
const DAYS_PER_ERA: i64 = 146_097;

/// Days from the first of March of the year 0 to the epoch.
const DAYS_TO_EPOCH: i64 = 719_468;

/// A point in time, as JavaScript's `Date` holds it: milliseconds since the epoch.
///
/// Written as a `Date`, and reading it requires one. An invalid `Date` is refused. Other formats see
/// the ISO text.
///
/// # Examples
///
/// ```
/// use rewake_core::payload::{self, Date};
///
/// let date = Date::from_ms(1_763_281_896_123).expect("2025 is in range");
/// assert_eq!(date.to_string(), "2025-11-16T08:31:36.123Z");
/// let payload = payload::encode(&date)?;
/// assert_eq!(payload.as_bytes(), br#"devl[["Date",1],"2025-11-16T08:31:36.123Z"]"#);
/// # Ok::<(), payload::EncodeError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(i64);

/// A text is no date as JavaScript's `toISOString` writes it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{text}` is no date")]
pub struct ParseDateError {
    text: String,
}

impl Date {
    /// The last point that JavaScript has a date for.
    pub const MAX: Self = Self(MAX_MS);

    /// The point `ms` milliseconds after the epoch, unless JavaScript has no such date.
    pub fn from_ms(ms: i64) -> Option<Self> {
        (-MAX_MS..=MAX_MS).contains(&ms).then_some(Self(ms))
    }

    /// Milliseconds since the epoch.
    pub fn ms(self) -> i64 {
        self.0
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil_of(self.0.div_euclid(MS_PER_DAY));
        match year {
            0..=9999 => write!(f, "{year:04}")?,
            _ => write!(f, "{year:+07}")?,
        }
        let ms = self.0.rem_euclid(MS_PER_DAY);
        let (hour, minute, second) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1_000 % 60);
        let ms = ms % 1_000;
        write!(
            f,
            "-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}Z"
        )
    }
}

impl FromStr for Date {
    type Err = ParseDateError;

    fn from_str(text: &str) -> Result<Self, ParseDateError> {
        parse(text)
            .and_then(Self::from_ms)
            .ok_or_else(|| ParseDateError {
                text: text.to_owned(),
            })
    }
}

#[derive(serde::Serialize, serde::Deserialize)]
#[serde(rename = "$devl:Date")]
struct IsoText(String);

impl Serialize for Date {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        IsoText(self.to_string()).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let IsoText(text) = IsoText::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

/// The milliseconds of a text of exactly the form that `Display` writes.
fn parse(text: &str) -> Option<i64> {
    let (year_length, year_digits) = if text.starts_with(['+', '-']) {
        (7, 6)
    } else {
        (4, 4)
    };
    let (year, rest) = text.split_at_checked(year_length)?;
    if year == "-000000" {
        return None;
    }
    let sign = if year.starts_with('-') { -1 } else { 1 };
    let year = sign * digits(year.trim_start_matches(['+', '-']), year_digits)?;
    let (date, time) = rest.strip_prefix('-')?.strip_suffix('Z')?.split_once('T')?;
    let (month, day) = date.split_once('-')?;
    let (hour, rest) = time.split_once(':')?;
    let (minute, rest) = rest.split_once(':')?;
    let (second, ms) = rest.split_once('.')?;
    let day = days_of(year, within(month, 1, 12)?, within(day, 1, 31)?)?;
    let minutes = within(hour, 0, 23)? * 60 + within(minute, 0, 59)?;
    Some(day * MS_PER_DAY + (minutes * 60 + within(second, 0, 59)?) * 1_000 + digits(ms, 3)?)
}

fn within(text: &str, least: i64, most: i64) -> Option<i64> {
    digits(text, 2).filter(|value| (least..=most).contains(value))
}

fn digits(text: &str, count: usize) -> Option<i64> {
    let fits = text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    if fits { text.parse().ok() } else { None }
}

/// The days from the epoch to a date, unless its month has no such day.
fn days_of(year: i64, month: i64, day: i64) -> Option<i64> {
    // Years begin in March here, so that the leap day is the last of its year.
    let year_from_march = if month > 2 { year } else { year - 1 };
    let month_from_march = (month + 9) % 12;
    let (era, year_of_era) = (
        year_from_march.div_euclid(400),
        year_from_march.rem_euclid(400),
    );
    let day_of_year = days_before_month(month_from_march) + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    let days = era * DAYS_PER_ERA + day_of_era - DAYS_TO_EPOCH;
    (civil_of(days) == (year, month, day)).then_some(days)
}

/// The year, month and day that is `days` days after the epoch.
fn civil_of(days: i64) -> (i64, i64, i64) {
    let days = days + DAYS_TO_EPOCH;
    let (era, day_of_era) = (days.div_euclid(DAYS_PER_ERA), days.rem_euclid(DAYS_PER_ERA));
    // What is over 365 days a year are the leap days passed so far; the last day of four years and
    // of the era are leap days themselves.
    let leap_days = day_of_era / 1_460 - day_of_era / 36_524 + day_of_era / 146_096;
    let year_of_era = (day_of_era - leap_days) / 365;
    let day_of_year = day_of_era - (year_of_era * 365 + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - days_before_month(month_from_march) + 1;
    let month = (month_from_march + 2) % 12 + 1;
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, month, day)
}

/// The days of the months since March. From March on, each five months have 153 days.
fn days_before_month(month_from_march: i64) -> i64 {
    (153 * month_from_march + 2) / 5
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_of_a_thousand_years_follows_the_one_before() {
        let mut expected = (-1, 2, 27);
        let first = days_of(-1, 2, 28).unwrap();
        for days in first..first + 366_000 {
            let (year, month, day) = civil_of(days);
            let follows = match expected {
                (y, m, d) if (year, month) == (y, m) => day == d + 1,
                (y, m, _) if year == y => month == m + 1 && day == 1,
                (y, m, d) => (m, d) == (12, 31) && (year, month, day) == (y + 1, 1, 1),
            };
            assert!(
                follows,
                "{expected:?} is followed by {:?}",
                (year, month, day)
            );
            assert_eq!(days_of(year, month, day), Some(days));
            expected = (year, month, day);
        }
    }

    #[test]
    fn texts_are_those_of_javascript() {
        for (ms, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (-62_167_219_200_000, "0000-01-01T00:00:00.000Z"),
            (-62_167_219_200_001, "-000001-12-31T23:59:59.999Z"),
            (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
            (253_402_300_800_000, "+010000-01-01T00:00:00.000Z"),
            (MAX_MS, "+275760-09-13T00:00:00.000Z"),
            (-MAX_MS, "-271821-04-20T00:00:00.000Z"),
        ] {
            let date = Date::from_ms(ms).unwrap();
            assert_eq!(date.to_string(), text);
            assert_eq!(text.parse(), Ok(date));
        }
        assert_eq!(Date::from_ms(MAX_MS + 1), None);
        assert_eq!(Date::from_ms(i64::MIN), None);
    }

    #[test]
    fn texts_that_are_no_dates_are_refused() {
        for text in [
            "",
            ".",
            "2025-11-16",
            "2025-11-16T08:31:36Z",
            "2025-11-16T08:31:36.123",
            "2025-02-29T00:00:00.000Z",
            "2025-00-01T00:00:00.000Z",
            "2025-13-01T00:00:00.000Z",
            "2025-04-31T00:00:00.000Z",
            "2025-11-16T24:00:00.000Z",
            "2025-11-16T08:60:00.000Z",
            "2025-11-16T08:31:36.1234Z",
            "-000000-01-01T00:00:00.000Z",
            "+275760-09-13T00:00:00.001Z",
            "+99999-01-01T00:00:00.000Z",
            "++99999-01-01T00:00:00.000Z",
            "２025-11-16T08:31:36.123Z",
        ] {
            let error = text.parse::<Date>().unwrap_err();
            assert_eq!(error.to_string(), format!("`{text}` is no date"));
        }
    }
}
