//! Reads any bytes as a chart's archive: as they are, and as the tar inside of a `.tgz`.

#![no_main]

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use libfuzzer_sys::fuzz_target;
use quarterdeck::helm::{self, Options};

fuzz_target!(|bytes: &[u8]| {
    let _ = helm::load_archive(bytes);
    let mut packed = GzEncoder::new(Vec::new(), Compression::none());
    let Ok(()) = packed.write_all(bytes) else { return };
    let Ok(packed) = packed.finish() else { return };
    if let Ok(chart) = helm::load_archive(&packed) {
        let _ = helm::render(&chart, &Options::default());
    }
});
