//! Reads any text as an argument of `--set` and its family, over values that a file gave before.

#![no_main]

use libfuzzer_sys::fuzz_target;
use quarterdeck::helm::{self, ChartFile, Options, Profile, ValueInput};

fuzz_target!(|text: &str| {
    let file = |name: &str, data: &str| ChartFile { name: name.into(), data: data.as_bytes().into() };
    let chart = helm::load(vec![
        file("Chart.yaml", "{apiVersion: v2, name: c, version: 1.0.0}"),
        file("values.yaml", "{a: {b: 1}, c: [1, {d: 2}], e: x, f: null}"),
    ]);
    let chart = chart.expect("a chart that is always the same");
    let data = b"content";
    for value in [
        ValueInput::Set(text.into()),
        ValueInput::SetString(text.into()),
        ValueInput::SetJson(text.into()),
        ValueInput::SetLiteral(text.into()),
        ValueInput::SetFile { path: text.into(), data: data[..].into() },
    ] {
        let mut options = Options::new(Profile::default(), "rel", "ns");
        options.values.push(ValueInput::File { name: "u".into(), data: b"{a: {b: 2}, c: [3]}"[..].into() });
        options.values.push(value);
        let _ = helm::render(&chart, &options);
    }
});
