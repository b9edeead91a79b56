// SPDX-License-Identifier: Apache-2.0
//! The stored form of a csc receipt.

use ambit_canon::{Value, write};

/// Returns what Python's `json.dumps(value, indent=2, sort_keys=True)` and a line feed give.
///
/// Recurses once per level; called on receipts that keep the schema, which are flat.
pub(super) fn pretty(value: &Value) -> String {
    let mut out = String::new();
    print(value, 0, &mut out);
    out.push('\n');
    out
}

fn print(value: &Value, level: usize, out: &mut String) {
    let inner = level.saturating_add(1);
    match value {
        Value::Array(elements) if !elements.is_empty() => {
            let mut separator = '[';
            for element in elements {
                out.push(separator);
                indent(inner, out);
                print(element, inner, out);
                separator = ',';
            }
            indent(level, out);
            out.push(']');
        }
        Value::Object(object) if !object.is_empty() => {
            let mut separator = '{';
            for (name, member) in object.iter() {
                out.push(separator);
                indent(inner, out);
                print_scalar(&Value::from(name), out);
                out.push_str(": ");
                print(member, inner, out);
                separator = ',';
            }
            indent(level, out);
            out.push('}');
        }
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)
        | Value::Object(_) => print_scalar(value, out),
    }
}

fn indent(level: usize, out: &mut String) {
    out.push('\n');
    out.push_str(&"  ".repeat(level));
}

/// Prints the RFC 8785 text with everything beyond `~` escaped as UTF-16.
fn print_scalar(value: &Value, out: &mut String) {
    for character in write(value).chars() {
        if character <= '~' {
            out.push(character);
            continue;
        }
        for unit in character.encode_utf16(&mut [0; 2]) {
            let [high, low] = unit.to_be_bytes();
            out.push_str("\\u");
            out.push_str(&crate::encoding::hex(&[high, low]));
        }
    }
}

#[cfg(test)]
mod tests {
    use ambit_canon::{Limits, parse};

    use super::*;

    #[test]
    fn prints_as_python_does() {
        let text = r#"{"b":[1,[],{},[null,true]],"a":{"é\u007f😀\u0001\n\"":"~\u0080\uffff"}}"#;
        let want = r#"{
  "a": {
    "\u00e9\u007f\ud83d\ude00\u0001\n\"": "~\u0080\uffff"
  },
  "b": [
    1,
    [],
    {},
    [
      null,
      true
    ]
  ]
}
"#;
        assert_eq!(
            pretty(&parse(text.as_bytes(), &Limits::default()).unwrap()),
            want
        );
    }
}
