// SPDX-License-Identifier: Apache-2.0
//! Backslash escapes of `$'…'`, `printf` and `echo -e`.

/// Whose escapes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// `$'…'` and the format of `printf`: `\nnn` is octal.
    AnsiC,
    /// `echo -e` and `%b`: `\0nnn` is octal.
    Echo,
}

/// The text that `body` means. What is no UTF-8 becomes U+FFFD.
pub(crate) fn unescape(body: &[u8], style: Style) -> String {
    let mut out = Vec::with_capacity(body.len());
    let mut rest = body;
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        if *first != b'\\' {
            out.push(*first);
            continue;
        }
        let Some((kind, tail)) = rest.split_first() else {
            out.push(b'\\');
            break;
        };
        rest = tail;
        match kind {
            b'n' => out.push(b'\n'),
            b't' => out.push(b'\t'),
            b'r' => out.push(b'\r'),
            b'a' => out.push(7),
            b'b' => out.push(8),
            b'e' | b'E' => out.push(27),
            b'f' => out.push(12),
            b'v' => out.push(11),
            b'\\' | b'\'' | b'"' | b'?' => out.push(*kind),
            b'x' => number(&mut out, &mut rest, 16, 2, false),
            b'u' => number(&mut out, &mut rest, 16, 4, true),
            b'U' => number(&mut out, &mut rest, 16, 8, true),
            b'c' => {
                if let Some((byte, tail)) = rest.split_first() {
                    rest = tail;
                    out.push(byte & 0x1F);
                }
            }
            b'0'..=b'7' => {
                let digits = if style == Style::Echo && *kind == b'0' {
                    3
                } else {
                    2
                };
                let mut value = u32::from(kind.wrapping_sub(b'0'));
                value = digits_of(&mut rest, 8, digits, value);
                out.push(u8::try_from(value & 0xFF).unwrap_or(0));
            }
            other => out.extend([b'\\', *other]),
        }
    }
    String::from_utf8(out)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

fn number(out: &mut Vec<u8>, rest: &mut &[u8], radix: u32, digits: usize, scalar: bool) {
    let value = digits_of(rest, radix, digits, 0);
    if scalar {
        let mut room = [0; 4];
        let character = char::from_u32(value).unwrap_or(char::REPLACEMENT_CHARACTER);
        out.extend(character.encode_utf8(&mut room).as_bytes());
    } else {
        out.push(u8::try_from(value & 0xFF).unwrap_or(0));
    }
}

fn digits_of(rest: &mut &[u8], radix: u32, most: usize, start: u32) -> u32 {
    let mut value = start;
    for _ in 0..most {
        let Some((first, tail)) = rest.split_first() else {
            break;
        };
        let Some(digit) = char::from(*first).to_digit(radix) else {
            break;
        };
        value = value.wrapping_mul(radix).wrapping_add(digit);
        *rest = tail;
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_taken_off() {
        for (body, want) in [
            (r"\x6e\x63", "nc"),
            (r"\156\143", "nc"),
            (r"a\tb\n", "a\tb\n"),
            (r"\u006e\U00000063", "nc"),
            (r"\'\\", "'\\"),
            (r"\q\", "\\q\\"),
            (r"\xff", "\u{FFFD}"),
        ] {
            assert_eq!(unescape(body.as_bytes(), Style::AnsiC), want, "{body}");
        }
        assert_eq!(unescape(br"\0156\0143", Style::Echo), "nc");
    }
}
