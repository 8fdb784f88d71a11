//! Health of real objects, against what Argo CD says of them.

use std::collections::BTreeMap;
use std::io::Read;

use quarterdeck::health::assess;
use quarterdeck::model::Object;
use quarterdeck::yaml;

use crate::corpus;

#[test]
fn built_in_kinds_are_judged_as_argo_cd_judges_them() {
    let (Some(table), Some(archive)) = (corpus::open("health.tsv"), corpus::open("health.tar.xz")) else { return };
    let mut files = BTreeMap::new();
    for entry in tar::Archive::new(xz2::read::XzDecoder::new(archive)).entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().to_string_lossy().into_owned();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        files.insert(name.trim_start_matches("./").trim_start_matches("health/").to_owned(), bytes);
    }
    let table = std::io::read_to_string(table).unwrap();
    let (mut custom, mut custom_right, mut built_in, mut wrong) = (0, 0, 0, Vec::new());
    for line in table.lines() {
        let (name, expected) = line.split_once('\t').unwrap();
        let bytes = files.get(name).unwrap_or_else(|| panic!("{name} is not in the archive"));
        let object = Object::new(yaml::parse(bytes).unwrap_or_else(|error| panic!("{name}: {error}"))).unwrap();
        let found = assess(&object).map_or("None", |health| health.status.as_str());
        let is_built_in = name.starts_with("builtin");
        if is_built_in {
            built_in += 1;
            if found != expected {
                wrong.push(format!("{name}: {found:?} instead of {expected}"));
            }
        } else {
            custom += 1;
            custom_right += i32::from(found == expected);
        }
    }
    println!("built-in: {} of {built_in}, custom: {custom_right} of {custom}", built_in - wrong.len());
    assert!(built_in == 31, "the table has only {built_in} built-in rows");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
