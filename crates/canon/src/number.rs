// SPDX-License-Identifier: Apache-2.0
//! Numbers: IEEE 754 doubles whose integers are exact.

/// The largest integer that every JSON implementation reads exactly, 2^53 − 1 (RFC 7493 section
/// 2.2).
pub const MAX_SAFE_INTEGER: i64 = 9_007_199_254_740_991;

/// A JSON number.
///
/// A value that RFC 8785 writes as a run of digits is an integer within ±(2^53 − 1), whatever its
/// spelling was (`1`, `1.0` and `10e-1` are one number, `-0` is `0`). Every other value is a finite
/// double; those of 10^21 and more are written with an exponent and stay doubles.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Number(Repr);

// INVARIANT: `Integer` is within ±MAX_SAFE_INTEGER; `Double` is finite and its RFC 8785 text is not
// a run of digits. So each number has one representation, and equality is reflexive.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Repr {
    Double(f64),
    Integer(i64),
}

impl Eq for Number {}

impl Number {
    /// Returns the number as an integer, within ±(2^53 − 1), if it is one.
    pub const fn as_i64(self) -> Option<i64> {
        match self.0 {
            Repr::Integer(value) => Some(value),
            Repr::Double(_) => None,
        }
    }

    /// Appends the RFC 8785 text of the number.
    pub(crate) fn write_to(self, out: &mut String) {
        match self.0 {
            Repr::Integer(value) => out.push_str(&value.to_string()),
            Repr::Double(value) => out.push_str(ryu_js::Buffer::new().format_finite(value)),
        }
    }
}

impl TryFrom<i64> for Number {
    type Error = NumberError;

    /// Takes an integer within ±(2^53 − 1).
    fn try_from(value: i64) -> Result<Self, NumberError> {
        if value.unsigned_abs() > MAX_SAFE_INTEGER.unsigned_abs() {
            return Err(NumberError::IntegerOutOfRange);
        }
        Ok(Self(Repr::Integer(value)))
    }
}

impl TryFrom<f64> for Number {
    type Error = NumberError;

    /// Takes a finite double. One that RFC 8785 writes as a run of digits must be within
    /// ±(2^53 − 1).
    fn try_from(value: f64) -> Result<Self, NumberError> {
        if !value.is_finite() {
            return Err(NumberError::NotFinite);
        }
        let mut buffer = ryu_js::Buffer::new();
        let text = buffer.format_finite(value);
        if text.bytes().any(|byte| matches!(byte, b'.' | b'e')) {
            return Ok(Self(Repr::Double(value)));
        }
        // At most 21 digits: it fits i64 unless it is far out of the safe range anyway.
        match text.parse::<i64>() {
            Ok(integer) => Self::try_from(integer),
            Err(_beyond_i64) => Err(NumberError::IntegerOutOfRange),
        }
    }
}

impl From<i32> for Number {
    fn from(value: i32) -> Self {
        Self(Repr::Integer(i64::from(value)))
    }
}

impl From<u32> for Number {
    fn from(value: u32) -> Self {
        Self(Repr::Integer(i64::from(value)))
    }
}

/// Why a value is no JSON number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    /// An integer beyond ±(2^53 − 1).
    #[error("integer out of range; expected at most 9007199254740991 in magnitude")]
    IntegerOutOfRange,
    /// An infinity or not-a-number.
    #[error("number is not finite")]
    NotFinite,
}

impl NumberError {
    /// Returns the stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::IntegerOutOfRange => "INTEGER_OUT_OF_RANGE",
            Self::NotFinite => "NUMBER_OUT_OF_RANGE",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(number: Number) -> String {
        let mut out = String::new();
        number.write_to(&mut out);
        out
    }

    #[test]
    fn integers_are_exact_up_to_the_safe_limit() {
        for value in [0, 1, -1, 42, MAX_SAFE_INTEGER, -MAX_SAFE_INTEGER] {
            let number = Number::try_from(value).unwrap();
            assert_eq!(
                (number.as_i64(), text(number)),
                (Some(value), value.to_string())
            );
        }
        for value in [
            MAX_SAFE_INTEGER + 1,
            -MAX_SAFE_INTEGER - 1,
            i64::MAX,
            i64::MIN,
        ] {
            assert_eq!(
                Number::try_from(value),
                Err(NumberError::IntegerOutOfRange),
                "{value}"
            );
        }
        assert_eq!(
            Number::from(i32::MIN),
            Number::try_from(i64::from(i32::MIN)).unwrap()
        );
        assert_eq!(
            Number::from(u32::MAX),
            Number::try_from(i64::from(u32::MAX)).unwrap()
        );
    }

    #[test]
    fn doubles_with_an_integer_text_are_integers() {
        for (value, want) in [
            (0.0, 0),
            (-0.0, 0),
            (1.0, 1),
            (1e15, 1_000_000_000_000_000_i64),
        ] {
            assert_eq!(Number::try_from(value), Number::try_from(want), "{value}");
        }
        for value in [
            9_007_199_254_740_992.0,
            -9_007_199_254_740_992.0,
            1e18,
            1e20,
        ] {
            assert_eq!(
                Number::try_from(value),
                Err(NumberError::IntegerOutOfRange),
                "{value}"
            );
        }
    }

    #[test]
    fn other_doubles_keep_their_value() {
        for (value, want) in [(0.1, "0.1"), (1e21, "1e+21"), (-5e-324, "-5e-324")] {
            let number = Number::try_from(value).unwrap();
            assert_eq!((number.as_i64(), text(number).as_str()), (None, want));
        }
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let error = Number::try_from(value).unwrap_err();
            assert_eq!(
                (error, error.code()),
                (NumberError::NotFinite, "NUMBER_OUT_OF_RANGE")
            );
        }
        assert_eq!(
            NumberError::IntegerOutOfRange.code(),
            "INTEGER_OUT_OF_RANGE"
        );
    }
}
