// SPDX-License-Identifier: Apache-2.0
//! Checks a JSON value against a shape that is written as data.

use ambit_canon::{Object, Value};

use crate::encoding::quoted;

/// Where a document breaks its format's rules.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: expected {expected}")]
pub struct SchemaError {
    /// The member at fault, as in `commands[0].id`.
    pub path: String,
    /// What would be accepted.
    pub expected: String,
}

impl SchemaError {
    pub(crate) fn new(path: impl Into<String>, expected: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            expected: expected.into(),
        }
    }
}

/// An object's members.
#[derive(Debug)]
pub(crate) struct Shape {
    pub(crate) members: &'static [Member],
    pub(crate) others: Others,
}

/// What becomes of members that a shape does not name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Others {
    Allowed,
    Refused,
    /// As whoever checks says: refused in what we write, allowed in what we read.
    AsAsked,
}

/// A named member.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) name: &'static str,
    pub(crate) required: Required,
    pub(crate) check: Check,
}

/// Whether a member must be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Required {
    No,
    Yes,
}

/// What a value must be.
#[derive(Debug)]
pub(crate) enum Check {
    Boolean,
    /// An integer of at least this much.
    Integer(i64),
    List(&'static Self),
    /// The inner check or `null`.
    Nullable(&'static Self),
    Object(&'static Shape),
    OneOf(&'static [&'static str]),
    /// A string that passes, and the words for it.
    String(fn(&str) -> bool, &'static str),
}

/// A string of at least one character.
pub(crate) const TEXT: Check = Check::String(|text| !text.is_empty(), "a string that is not empty");
/// Any string.
pub(crate) const STRING: Check = Check::String(|_| true, "a string");
/// An RFC 3339 time with its zone.
pub(crate) const TIME: Check =
    Check::String(crate::time::is_date_time, "an RFC 3339 time with its zone");

/// Names a required member.
pub(crate) const fn must(name: &'static str, check: Check) -> Member {
    Member {
        name,
        required: Required::Yes,
        check,
    }
}

/// Names an optional member.
pub(crate) const fn may(name: &'static str, check: Check) -> Member {
    Member {
        name,
        required: Required::No,
        check,
    }
}

/// Checks `object`. The shapes decide how deep the recursion goes, not the document.
pub(crate) fn check_object(
    object: &Object,
    shape: &Shape,
    path: &str,
    others: Others,
) -> Result<(), SchemaError> {
    for member in shape.members {
        let path = join(path, member.name);
        match (object.get(member.name), member.required) {
            (Some(value), _) => check(value, &member.check, &path, others)?,
            (None, Required::Yes) => return Err(SchemaError::new(path, "a required member")),
            (None, Required::No) => {}
        }
    }
    let refused = match shape.others {
        Others::Allowed => false,
        Others::Refused => true,
        Others::AsAsked => others == Others::Refused,
    };
    let unknown = |name: &&str| !shape.members.iter().any(|member| member.name == *name);
    match object.names().find(unknown) {
        Some(name) if refused => Err(SchemaError::new(
            join(path, &quoted(name)),
            "no member of that name",
        )),
        _ => Ok(()),
    }
}

fn check(value: &Value, check: &Check, path: &str, others: Others) -> Result<(), SchemaError> {
    let fault = |expected: String| Err(SchemaError::new(path, expected));
    match check {
        Check::Boolean if value.as_bool().is_none() => fault("true or false".to_owned()),
        Check::Integer(min) if value.as_i64().is_none_or(|it| it < *min) => {
            fault(format!("an integer of at least {min}"))
        }
        Check::OneOf(words) if !value.as_str().is_some_and(|it| words.contains(&it)) => {
            fault(format!("one of `{}`", words.join("`, `")))
        }
        Check::String(passes, expected) if !value.as_str().is_some_and(passes) => {
            fault((*expected).to_owned())
        }
        Check::Nullable(inner) if !value.is_null() => self::check(value, inner, path, others),
        Check::Boolean
        | Check::Integer(_)
        | Check::Nullable(_)
        | Check::OneOf(_)
        | Check::String(..) => Ok(()),
        Check::List(inner) => match value.as_array() {
            Some(elements) => elements
                .iter()
                .enumerate()
                .try_for_each(|(index, element)| {
                    self::check(element, inner, &format!("{path}[{index}]"), others)
                }),
            None => fault("an array".to_owned()),
        },
        Check::Object(shape) => match value.as_object() {
            Some(object) => check_object(object, shape, path, others),
            None => fault("an object".to_owned()),
        },
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}
