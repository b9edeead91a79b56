// SPDX-License-Identifier: Apache-2.0
//! RFC 3339 times, checked and compared.

/// Returns whether `text` is an RFC 3339 date and time with a zone.
///
/// Seconds may be 60 (a leap second); `t` and `z` may be lowercase (section 5.6).
pub(crate) fn is_date_time(text: &str) -> bool {
    read(text).is_some()
}

/// A point in time, exact to whatever digit it was given.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Instant {
    /// Seconds since 1970-01-01T00:00:00Z, without leap seconds.
    seconds: i64,
    /// Decimals of a second without trailing zeros, so that they compare as text.
    fraction: String,
}

impl Instant {
    /// Reads an RFC 3339 time. A leap second is a time, but none that can be placed among others.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let fields = read(text)?;
        if fields.second == 60 {
            return None;
        }
        let minutes = days_before(fields.year, fields.month)
            .checked_add(i64::from(fields.day))?
            .checked_mul(24)?
            .checked_add(i64::from(fields.hour))?
            .checked_mul(60)?
            .checked_add(i64::from(fields.minute))?
            .checked_sub(fields.offset_minutes)?;
        Some(Self {
            seconds: minutes
                .checked_mul(60)?
                .checked_add(i64::from(fields.second))?,
            fraction: fields.fraction.trim_end_matches('0').to_owned(),
        })
    }

    /// Returns microseconds since 1970-01-01T00:00:00Z, rounded down.
    pub(crate) fn micros(&self) -> Option<i64> {
        let digits = self.fraction.bytes().chain(std::iter::repeat(b'0')).take(6);
        let micros = digits.fold(0_i64, |sum, digit| {
            let digit = i64::from(digit.saturating_sub(b'0'));
            sum.saturating_mul(10).saturating_add(digit)
        });
        self.seconds.checked_mul(1_000_000)?.checked_add(micros)
    }
}

/// The parts of a time, each within its bounds.
struct Fields<'a> {
    year: u16,
    month: u16,
    day: u16,
    hour: u16,
    minute: u16,
    second: u16,
    fraction: &'a str,
    /// Minutes that the zone is ahead of UTC.
    offset_minutes: i64,
}

fn read(text: &str) -> Option<Fields<'_>> {
    let mut reader = Reader(text.as_bytes());
    let fields = reader.date_time()?;
    reader.0.is_empty().then_some(fields)
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn date_time(&mut self) -> Option<Fields<'a>> {
        let year = self.number(4, 0, 9999)?;
        self.byte(b'-')?;
        let month = self.number(2, 1, 12)?;
        self.byte(b'-')?;
        let day = self.number(2, 1, days(year, month))?;
        self.byte(b'T').or_else(|| self.byte(b't'))?;
        let hour = self.number(2, 0, 23)?;
        self.byte(b':')?;
        let minute = self.number(2, 0, 59)?;
        self.byte(b':')?;
        let second = self.number(2, 0, 60)?;
        Some(Fields {
            year,
            month,
            day,
            hour,
            minute,
            second,
            fraction: self.fraction()?,
            offset_minutes: self.offset()?,
        })
    }

    /// Reads the decimals after a point; none without one.
    fn fraction(&mut self) -> Option<&'a str> {
        if self.byte(b'.').is_none() {
            return Some("");
        }
        let count = self.0.iter().take_while(|it| it.is_ascii_digit()).count();
        let (digits, rest) = self.0.split_at_checked(count.max(1))?;
        self.0 = rest;
        std::str::from_utf8(digits)
            .ok()
            .filter(|digits| digits.bytes().all(|it| it.is_ascii_digit()))
    }

    /// Reads the zone: minutes ahead of UTC.
    fn offset(&mut self) -> Option<i64> {
        if self.byte(b'Z').or_else(|| self.byte(b'z')).is_some() {
            return Some(0);
        }
        let ahead = self.byte(b'+').is_some();
        if !ahead {
            self.byte(b'-')?;
        }
        let hours = i64::from(self.number(2, 0, 23)?);
        self.byte(b':')?;
        let minutes = hours
            .checked_mul(60)?
            .checked_add(i64::from(self.number(2, 0, 59)?))?;
        if ahead {
            Some(minutes)
        } else {
            minutes.checked_neg()
        }
    }

    fn byte(&mut self, expected: u8) -> Option<()> {
        self.0 = self.0.strip_prefix(&[expected])?;
        Some(())
    }

    /// Reads `digits` digits whose value is within the bounds.
    fn number(&mut self, digits: usize, min: u16, max: u16) -> Option<u16> {
        let (head, tail) = self.0.split_at_checked(digits)?;
        if !head.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let value = std::str::from_utf8(head).ok()?.parse().ok()?;
        self.0 = tail;
        (min..=max).contains(&value).then_some(value)
    }
}

/// Days from 1970-01-01 to the day before the month's first (proleptic Gregorian calendar).
fn days_before(year: u16, month: u16) -> i64 {
    let leap_days = |year: i64| {
        let every = |years| year.div_euclid(years);
        every(4)
            .saturating_sub(every(100))
            .saturating_add(every(400))
    };
    let before = i64::from(year).saturating_sub(1);
    let years = before
        .saturating_mul(365)
        .saturating_add(leap_days(before))
        // As many days come before 1970-01-01.
        .saturating_sub(719_162);
    (1..month)
        .fold(years, |sum, month| {
            sum.saturating_add(i64::from(days(year, month)))
        })
        .saturating_sub(1)
}

const fn days(year: u16, month: u16) -> u16 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => {
            29
        }
        2 => 28,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_times_with_a_zone() {
        for text in [
            "2026-11-20T09:50:44.836621+00:00",
            "2026-01-01T00:00:00Z",
            "2024-02-29T23:59:60.0-23:59",
            "2000-02-29T00:00:00Z",
            "0000-12-31T00:00:00.123456789012Z",
            "2026-01-01t00:00:00z",
        ] {
            assert!(is_date_time(text), "{text}");
        }
    }

    #[test]
    fn refuses_everything_else() {
        for text in [
            "",
            "2026-01-01",
            "2026-01-01T00:00:00",
            "2026-01-01 00:00:00Z",
            "2026-01-01_00:00:00Z",
            "2026-1-01T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-00-01T00:00:00Z",
            "2026-04-31T00:00:00Z",
            "2026-02-29T00:00:00Z",
            "1900-02-29T00:00:00Z",
            "2026-01-00T00:00:00Z",
            "2026-01-01T24:00:00Z",
            "2026-01-01T00:60:00Z",
            "2026-01-01T00:00:61Z",
            "2026-01-01T00:00:00.Z",
            "2026-01-01T00:00:00+0000",
            "2026-01-01T00:00:00+24:00",
            "2026-01-01T00:00:00+00:60",
            "2026-01-01T00:00:00ZZ",
            "2026-01-01T00:00:00Z\n",
            "+026-01-01T00:00:00Z",
            "２026-01-01T00:00:00Z",
        ] {
            assert!(!is_date_time(text), "{text}");
        }
    }

    #[test]
    fn instants_are_compared_across_zones_and_exactly() {
        for (earlier, later) in [
            ("2026-05-31T23:59:59.9999999999999Z", "2026-06-01T00:00:00Z"),
            ("2026-06-01T00:00:00.1Z", "2026-06-01T00:00:00.10000000001Z"),
            ("2026-06-01T01:59:59+02:00", "2026-06-01T00:00:00Z"),
            ("2026-06-01T00:00:00Z", "2026-05-31T22:00:01-02:00"),
            ("1999-12-31T23:59:59Z", "2000-01-01T00:00:00Z"),
            ("2000-02-29T23:59:59Z", "2000-03-01T00:00:00Z"),
            ("0000-01-01T00:00:00+23:59", "0000-01-01T00:00:00Z"),
        ] {
            assert!(Instant::parse(earlier) < Instant::parse(later), "{earlier}");
        }
        for (one, same) in [
            ("2026-06-01T02:00:00+02:00", "2026-06-01T00:00:00.000Z"),
            ("2026-03-15t00:00:00z", "2026-03-15T00:00:00-00:00"),
        ] {
            assert_eq!(Instant::parse(one), Instant::parse(same), "{one}");
        }
        let seconds = |text| Instant::parse(text).unwrap().seconds;
        assert_eq!(seconds("1970-01-01T00:00:00Z"), 0);
        assert_eq!(seconds("2026-11-20T14:30:00Z"), 1_795_185_000);
        assert_eq!(seconds("0000-01-01T00:00:00Z"), -62_167_219_200);
        let micros = |text| Instant::parse(text).unwrap().micros();
        assert_eq!(micros("1970-01-01T00:00:01.0500009Z"), Some(1_050_000));
        assert_eq!(micros("1969-12-31T23:59:59.9Z"), Some(-100_000));
        assert_eq!(Instant::parse("2026-05-31T23:59:60Z"), None);
        assert_eq!(Instant::parse("yesterday"), None);
    }
}
