//! Reads any bytes as YAML; what can be read and written is the same when it is read again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use quarterdeck::yaml;

fuzz_target!(|bytes: &[u8]| {
    let _ = yaml::parse(bytes);
    for document in yaml::documents(bytes) {
        let Ok(value) = document.value else { continue };
        for text in [yaml::to_string(&value), yaml::to_string_pretty(&value)] {
            if !text.is_empty() {
                assert_eq!(yaml::parse(text.as_bytes()).as_ref(), Ok(&value), "{text}");
            }
        }
    }
});
