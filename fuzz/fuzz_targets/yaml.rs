//! Reads any bytes as YAML; what can be read and written is the same when it is read again, with all numbers as floats,
//! but for line breaks of Unicode, which helm does not write so that they are read as what they are.
//! What is written prettily cannot always be read again: a text that begins with a tab becomes a block that is none, in helm too.

#![no_main]

use libfuzzer_sys::fuzz_target;
use quarterdeck::yaml;
use serde_json::{Number, Value};

/// A float without a fraction is written as an integer, as Go does.
fn floats(value: &mut Value) {
    match value {
        Value::Number(number) => {
            if let Some(float) = number.as_f64().and_then(Number::from_f64) {
                *number = float;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(floats),
        Value::Object(entries) => entries.values_mut().for_each(floats),
        _ => {}
    }
}

/// Says whether a text holds a line break that is none in ASCII: helm writes it as it is, and reads it as a blank.
fn has_breaks(value: &Value) -> bool {
    let has = |text: &str| text.contains(['\u{85}', '\u{2028}', '\u{2029}', '\u{feff}']);
    match value {
        Value::String(text) => has(text),
        Value::Array(items) => items.iter().any(has_breaks),
        Value::Object(entries) => entries.iter().any(|(key, value)| has(key) || has_breaks(value)),
        _ => false,
    }
}

fuzz_target!(|bytes: &[u8]| {
    let _ = yaml::parse(bytes);
    for document in yaml::documents(bytes) {
        let Ok(mut value) = document.value else { continue };
        let _ = yaml::parse(yaml::to_string_pretty(&value).as_bytes());
        let text = yaml::to_string(&value);
        if !text.is_empty() && !has_breaks(&value) {
            let mut again = yaml::parse(text.as_bytes()).expect("what was written can be read");
            floats(&mut value);
            floats(&mut again);
            assert_eq!(again, value, "{text}");
        }
    }
});
