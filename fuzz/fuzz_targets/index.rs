//! Reads any bytes as the index of a chart repository.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = quarterdeck::registry::index(bytes);
});
