// SPDX-License-Identifier: Apache-2.0
//! Little-endian, length-prefixed fields over a byte slice; decoding borrows and never allocates.

use core::ffi::CStr;

/// Why a program could not be read. The bytes come from our own encoder through a sealed memfd,
/// so any of these is a defect, never bad input from a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// A tag or flag has no meaning here.
    BadTag,
    /// A string holds a NUL inside, or none at its end.
    BadString,
    /// The slice ends inside a field.
    Truncated,
    /// The protocol number is not ours.
    Version,
}

/// A cursor over encoded fields.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(rest: &'a [u8]) -> Self {
        Self { rest }
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], DecodeError> {
        let (head, tail) = self
            .rest
            .split_at_checked(length)
            .ok_or(DecodeError::Truncated)?;
        self.rest = tail;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let (head, tail) = self
            .rest
            .split_first_chunk()
            .ok_or(DecodeError::Truncated)?;
        self.rest = tail;
        Ok(*head)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, DecodeError> {
        Ok(u8::from_le_bytes(self.array()?))
    }

    pub(crate) fn u16(&mut self) -> Result<u16, DecodeError> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    pub(crate) fn u32(&mut self) -> Result<u32, DecodeError> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    pub(crate) fn u64(&mut self) -> Result<u64, DecodeError> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    pub(crate) fn bytes(&mut self) -> Result<&'a [u8], DecodeError> {
        let length = usize::try_from(self.u32()?)
            .ok()
            .ok_or(DecodeError::Truncated)?;
        self.take(length)
    }

    pub(crate) fn string(&mut self) -> Result<&'a CStr, DecodeError> {
        CStr::from_bytes_with_nul(self.bytes()?)
            .ok()
            .ok_or(DecodeError::BadString)
    }

    pub(crate) fn strings(&mut self) -> Result<Strings<'a>, DecodeError> {
        let count = self.u32()?;
        let fields = Reader::new(self.bytes()?);
        Ok(Strings { fields, count })
    }
}

/// A list of NUL-terminated strings.
#[derive(Clone, Copy, Debug)]
pub struct Strings<'a> {
    fields: Reader<'a>,
    count: u32,
}

impl<'a> Strings<'a> {
    /// Returns how many strings the list says it holds.
    pub const fn announced(&self) -> u32 {
        self.count
    }

    /// Reads the strings one by one; the first error ends them.
    pub fn iter(&self) -> impl Iterator<Item = Result<&'a CStr, DecodeError>> + use<'a> {
        records(self.fields, Reader::string)
    }
}

/// Reads records until the fields end; the first error is the last item.
pub(crate) fn records<'a, T>(
    mut fields: Reader<'a>,
    read: impl Fn(&mut Reader<'a>) -> Result<T, DecodeError>,
) -> impl Iterator<Item = Result<T, DecodeError>> {
    core::iter::from_fn(move || {
        if fields.is_empty() {
            return None;
        }
        let record = read(&mut fields);
        if record.is_err() {
            fields = Reader::new(&[]);
        }
        Some(record)
    })
}

/// Appends encoded fields to a buffer.
#[cfg(any(feature = "std", test))]
#[derive(Debug, Default)]
pub(crate) struct Writer {
    pub(crate) out: Vec<u8>,
}

#[cfg(any(feature = "std", test))]
impl Writer {
    pub(crate) fn u8(&mut self, value: u8) {
        self.out.push(value);
    }

    /// A tag and the strings that follow it.
    pub(crate) fn tagged(&mut self, tag: u8, strings: &[&CStr]) {
        self.u8(tag);
        for string in strings {
            self.string(string);
        }
    }

    pub(crate) fn u16(&mut self, value: u16) {
        self.out.extend_from_slice(&value.to_le_bytes());
    }

    pub(crate) fn u32(&mut self, value: u32) {
        self.out.extend_from_slice(&value.to_le_bytes());
    }

    pub(crate) fn u64(&mut self, value: u64) {
        self.out.extend_from_slice(&value.to_le_bytes());
    }

    /// A field longer than 4 GiB is cut by its length prefix and refused by the reader; the
    /// callers bound their input far below that.
    pub(crate) fn bytes(&mut self, value: &[u8]) {
        self.u32(u32::try_from(value.len()).unwrap_or(u32::MAX));
        self.out.extend_from_slice(value);
    }

    pub(crate) fn string(&mut self, value: &CStr) {
        self.bytes(value.to_bytes_with_nul());
    }

    pub(crate) fn strings<S: AsRef<CStr>>(&mut self, values: &[S]) {
        let mut inner = Self::default();
        for value in values {
            inner.string(value.as_ref());
        }
        self.u32(u32::try_from(values.len()).unwrap_or(u32::MAX));
        self.bytes(&inner.out);
    }
}
