// SPDX-License-Identifier: Apache-2.0
//! When a key was good: its window and its revocation.

use crate::time::Instant;

/// The times between which a key's signatures count, as whoever vouches for the key gave them.
///
/// Each is an RFC 3339 time with its zone. The window is half open: a receipt of exactly
/// `valid_until` is outside. A bound that is no such time, or a window without extent, cannot be
/// applied, and makes receipts of the key undecidable: it is not ignored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyWindow {
    /// The first moment at which the key was good.
    pub valid_from: Option<String>,
    /// The first moment at which it no longer was.
    pub valid_until: Option<String>,
    /// The moment from which nothing that it signed is to be believed.
    pub revoked_at: Option<String>,
}

/// What the trusted keys say about when a receipt was issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyStatus {
    /// The receipt is dated within the key's window.
    Inside,
    /// No window was given for the key, so that nothing is known of when it was good.
    NotEstablished,
    /// The receipt is dated outside of the key's window.
    Outside,
    /// The receipt is dated at or after the key's revocation.
    Revoked,
    /// The window cannot be applied: a bound, or the receipt's own time, cannot be read.
    Undecidable,
}

impl KeyStatus {
    /// Returns `inside`, `not_established`, `outside`, `revoked` or `undecidable`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Inside => "inside",
            Self::NotEstablished => "not_established",
            Self::Outside => "outside",
            Self::Revoked => "revoked",
            Self::Undecidable => "undecidable",
        }
    }
}

/// A window, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    from: Bound,
    until: Bound,
    revoked: Bound,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Bound {
    At(Instant),
    None,
    Unreadable,
}

impl Window {
    pub(crate) fn new(window: &KeyWindow) -> Self {
        Self {
            from: Bound::read(window.valid_from.as_deref()),
            until: Bound::read(window.valid_until.as_deref()),
            revoked: Bound::read(window.revoked_at.as_deref()),
        }
    }

    /// Whether there is anything to apply.
    pub(crate) fn is_bounded(&self) -> bool {
        [&self.from, &self.until, &self.revoked]
            .into_iter()
            .any(|bound| *bound != Bound::None)
    }

    /// Whether the key was revoked at some time.
    pub(crate) fn has_revocation(&self) -> bool {
        self.revoked != Bound::None
    }

    /// Says what the revocation, if there is one, makes of a receipt issued at `issued`; nothing, if
    /// the receipt is dated before it.
    pub(crate) fn revocation(&self, issued: Option<&Instant>) -> Option<KeyStatus> {
        match (&self.revoked, issued) {
            (Bound::None, _) => None,
            (Bound::Unreadable, _) | (Bound::At(_), None) => Some(KeyStatus::Undecidable),
            (Bound::At(revoked), Some(issued)) => (issued >= revoked).then_some(KeyStatus::Revoked),
        }
    }

    /// Says where a receipt issued at `issued` stands; `None` is a time that could not be read.
    pub(crate) fn place(&self, issued: Option<&Instant>) -> KeyStatus {
        if !self.is_bounded() {
            return KeyStatus::NotEstablished;
        }
        let Some(issued) = issued else {
            return KeyStatus::Undecidable;
        };
        if let Some(status) = self.revocation(Some(issued)) {
            return status;
        }
        if self.from == Bound::Unreadable || self.until == Bound::Unreadable {
            return KeyStatus::Undecidable;
        }
        match (&self.from, &self.until) {
            (Bound::At(from), Bound::At(until)) if from >= until => KeyStatus::Undecidable,
            (Bound::At(from), _) if issued < from => KeyStatus::Outside,
            (_, Bound::At(until)) if issued >= until => KeyStatus::Outside,
            (Bound::None, Bound::None) => KeyStatus::NotEstablished,
            _ => KeyStatus::Inside,
        }
    }
}

impl Bound {
    fn read(text: Option<&str>) -> Self {
        match text {
            None => Self::None,
            Some(text) => Instant::parse(text).map_or(Self::Unreadable, Self::At),
        }
    }
}
