//! The comparison against real objects and what Argo CD said of them.

use std::collections::BTreeMap;
use std::io::Read;

use quarterdeck::diff::{Options, Ownership, compare};
use quarterdeck::model::Object;
use serde_json::Value;

use crate::corpus;

#[test]
fn real_objects_get_the_verdicts_that_a_running_argo_cd_gave() {
    let Some(file) = corpus::open("compare.jsonl.xz") else { return };
    let mut text = String::new();
    xz2::read::XzDecoder::new(file).read_to_string(&mut text).unwrap();
    let (mut right, mut all, mut false_drift, mut wrong) =
        (0_u32, 0_u32, Vec::new(), BTreeMap::<String, Vec<String>>::new());
    for line in text.lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        let object = |name: &str| Object::new(case[name].clone()).unwrap();
        let ownership =
            if case["applied_with"] == "server-side" { Ownership::ServerSide } else { Ownership::TakenOver };
        let result = compare(&object("desired"), &object("live"), &Options { ownership, ..Options::default() });
        let Some(verdict) = case["verdict"].as_str() else { continue };
        all += 1;
        if result.differs == (verdict == "OutOfSync") {
            right += 1;
            continue;
        }
        let id = case["id"].as_str().unwrap();
        if case["change"] == "none" && verdict == "Synced" {
            false_drift.push(id.to_owned());
        }
        let paths: Vec<&str> = result.fields.iter().map(|field| field.path.as_str()).collect();
        let sort = format!("{} {} {}", case["change"].as_str().unwrap(), case["kind"].as_str().unwrap(), verdict);
        wrong.entry(sort).or_default().push(format!("{id} {paths:?} {}", case["differs_at"]));
    }
    for (sort, cases) in &wrong {
        println!("{sort}: {}", cases.join(", "));
    }
    println!("{right} of {all} verdicts are the same");
    assert_eq!(all, 1718);
    assert!(false_drift.is_empty(), "untouched objects that look drifted: {false_drift:?}");
    assert!(f64::from(right) >= 0.97 * f64::from(all), "{right} of {all}");
}
