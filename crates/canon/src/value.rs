// SPDX-License-Identifier: Apache-2.0
//! JSON values.

use crate::number::Number;
use crate::object::Object;

/// A JSON value.
///
/// Comparing, cloning and dropping recurse once per level of nesting.
// INVARIANT: a parsed value is at most MAX_DEPTH levels deep, whatever the limits say, so that
// recursion is bounded however hostile its text was. Values built by code are as deep as the code
// makes them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Value {
    /// `null`
    #[default]
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A finite number.
    Number(Number),
    /// A string of Unicode scalar values.
    String(String),
    /// An ordered list.
    Array(Vec<Self>),
    /// Members in canonical order.
    Object(Object),
}

impl Value {
    /// Returns the member `name` if this is an object that has it.
    pub fn get(&self, name: &str) -> Option<&Self> {
        self.as_object()?.get(name)
    }

    /// Returns the boolean if this is one.
    pub const fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(value) = self {
            Some(*value)
        } else {
            None
        }
    }

    /// Returns the integer, within ±(2^53 − 1), if this is one.
    pub const fn as_i64(&self) -> Option<i64> {
        if let Self::Number(value) = self {
            value.as_i64()
        } else {
            None
        }
    }

    /// Returns the text if this is a string.
    pub const fn as_str(&self) -> Option<&str> {
        if let Self::String(value) = self {
            Some(value.as_str())
        } else {
            None
        }
    }

    /// Returns the elements if this is an array.
    pub const fn as_array(&self) -> Option<&[Self]> {
        if let Self::Array(value) = self {
            Some(value.as_slice())
        } else {
            None
        }
    }

    /// Returns the members if this is an object.
    pub const fn as_object(&self) -> Option<&Object> {
        if let Self::Object(value) = self {
            Some(value)
        } else {
            None
        }
    }

    /// Returns whether this is `null`.
    pub const fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i32> for Value {
    fn from(value: i32) -> Self {
        Self::Number(Number::from(value))
    }
}

impl From<u32> for Value {
    fn from(value: u32) -> Self {
        Self::Number(Number::from(value))
    }
}

impl From<Number> for Value {
    fn from(value: Number) -> Self {
        Self::Number(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::String(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::String(value)
    }
}

impl From<Vec<Self>> for Value {
    fn from(value: Vec<Self>) -> Self {
        Self::Array(value)
    }
}

impl From<Object> for Value {
    fn from(value: Object) -> Self {
        Self::Object(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accessors_answer_for_their_own_kind_only() {
        let object: Object = [("a", 1)].into_iter().collect();
        let values = [
            Value::default(),
            Value::from(true),
            Value::from(7),
            Value::from("x"),
            Value::from(vec![Value::Null]),
            Value::from(object),
        ];
        let answers = |value: &Value| {
            [
                value.is_null(),
                value.as_bool().is_some(),
                value.as_i64().is_some(),
                value.as_str().is_some(),
                value.as_array().is_some(),
                value.as_object().is_some(),
            ]
        };
        for (index, value) in values.iter().enumerate() {
            let want: Vec<bool> = (0..6).map(|at| at == index).collect();
            assert_eq!(answers(value).to_vec(), want, "{value:?}");
        }
        assert_eq!(values[5].get("a").and_then(Value::as_i64), Some(1));
        assert_eq!((values[5].get("b"), values[4].get("a")), (None, None));
    }
}
