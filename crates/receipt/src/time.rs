// SPDX-License-Identifier: Apache-2.0
//! RFC 3339 times, checked but not converted.

/// Returns whether `text` is an RFC 3339 date and time with a zone.
///
/// Seconds may be 60 (a leap second); `T` and `Z` are uppercase.
pub(crate) fn is_date_time(text: &str) -> bool {
    let mut reader = Reader(text.as_bytes());
    reader.date_time().is_some() && reader.0.is_empty()
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn date_time(&mut self) -> Option<()> {
        let year = self.number(4, 0, 9999)?;
        self.byte(b'-')?;
        let month = self.number(2, 1, 12)?;
        self.byte(b'-')?;
        self.number(2, 1, days(year, month))?;
        self.byte(b'T')?;
        self.number(2, 0, 23)?;
        self.byte(b':')?;
        self.number(2, 0, 59)?;
        self.byte(b':')?;
        self.number(2, 0, 60)?;
        if self.byte(b'.').is_some() {
            self.number(1, 0, 9)?;
            while self.number(1, 0, 9).is_some() {}
        }
        if self.byte(b'Z').is_some() {
            return Some(());
        }
        self.byte(b'+').or_else(|| self.byte(b'-'))?;
        self.number(2, 0, 23)?;
        self.byte(b':')?;
        self.number(2, 0, 59).map(|_| ())
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
            "2026-01-01t00:00:00z",
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
}
