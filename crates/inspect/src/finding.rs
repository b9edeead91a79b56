// SPDX-License-Identifier: Apache-2.0
//! What inspectors find, and what follows from it.

use std::borrow::Cow;

/// How grave a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// May go on, but must be seen or approved by somebody.
    Warn,
    /// Must not be done.
    Deny,
}

impl Severity {
    /// `warn` or `deny`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Warn => "warn",
            Self::Deny => "deny",
        }
    }
}

/// What the chain says of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// Nothing was found.
    Allow,
    /// Something was found that somebody should see.
    Warn,
    /// The call must not be made.
    Deny,
}

impl Verdict {
    /// `allow`, `warn` or `deny`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Warn => "warn",
            Self::Deny => "deny",
        }
    }
}

/// The bytes that a finding is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Span {
    /// Which string of the parameters: a JSON Pointer (RFC 6901); empty where the parameters are
    /// themselves a string.
    pub pointer: String,
    /// First byte in that string.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
}

/// One thing that an inspector found.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Finding {
    /// The inspector's name.
    pub inspector: Cow<'static, str>,
    /// A stable code, like `EGRESS_UPLOAD`.
    pub code: Cow<'static, str>,
    /// How grave it is.
    pub severity: Severity,
    /// For people. Never holds a secret's value.
    pub message: String,
    /// Where in the input, if it is about a place.
    pub span: Option<Span>,
}

impl Finding {
    /// A finding without a place.
    pub fn new(
        inspector: impl Into<Cow<'static, str>>,
        code: impl Into<Cow<'static, str>>,
        severity: Severity,
        message: impl Into<String>,
    ) -> Self {
        Self {
            inspector: inspector.into(),
            code: code.into(),
            severity,
            message: message.into(),
            span: None,
        }
    }

    /// The same finding, about the bytes of `span`.
    #[must_use]
    pub fn at(mut self, span: Span) -> Self {
        self.span = Some(span);
        self
    }
}

/// All that was found in one call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// In the order of the chain.
    pub findings: Vec<Finding>,
}

impl Report {
    /// The gravest finding decides.
    pub fn verdict(&self) -> Verdict {
        match self.findings.iter().map(|finding| finding.severity).max() {
            None => Verdict::Allow,
            Some(Severity::Warn) => Verdict::Warn,
            Some(Severity::Deny) => Verdict::Deny,
        }
    }

    /// The first finding that denies.
    pub fn denial(&self) -> Option<&Finding> {
        self.findings
            .iter()
            .find(|finding| finding.severity == Severity::Deny)
    }

    /// The report as a result.
    pub fn into_result(mut self) -> InspectionResult {
        match self
            .findings
            .iter()
            .position(|finding| finding.severity == Severity::Deny)
        {
            Some(at) => InspectionResult::Deny(self.findings.swap_remove(at)),
            None if self.findings.is_empty() => InspectionResult::Allow,
            None => InspectionResult::Warn(self.findings),
        }
    }
}

/// A report, boiled down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InspectionResult {
    /// Nothing was found.
    Allow,
    /// Reasons to look before it is done.
    Warn(Vec<Finding>),
    /// The first reason not to do it.
    Deny(Finding),
}
