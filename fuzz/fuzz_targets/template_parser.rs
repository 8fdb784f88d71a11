//! Parses any bytes as a template, with every function known and with none.

#![no_main]

use libfuzzer_sys::fuzz_target;
use quarterdeck::template::Templates;

fuzz_target!(|text: &[u8]| {
    for knows in [true, false] {
        let mut templates = Templates::new();
        if let Err(error) = templates.parse("t", text, &|_| knows) {
            assert!(!error.to_string().is_empty());
        }
    }
});
