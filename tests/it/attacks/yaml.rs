//! Attacks 36 to 44: YAML, JSON and schemas.

use quarterdeck::helm::ValueInput;
use quarterdeck::yaml;
use serde_json::{Value, json};

use super::{CHART, Repository, file, render_with, said, timed};

#[track_caller]
fn refuses(text: &str, wanted: &str) {
    let error = timed(|| yaml::parse(text.as_bytes())).map_err(said).expect_err(wanted);
    assert!(error.contains(wanted), "{error}\nsays nothing of {wanted:?}");
}

#[track_caller]
fn reads(text: &str, wanted: &Value) {
    assert_eq!(yaml::parse(text.as_bytes()).as_ref(), Ok(wanted), "{text}");
}

/// Renders a chart with a schema and values.
fn schema(schema: &str, values: &str) -> Result<(), String> {
    let files = vec![file("Chart.yaml", CHART), file("values.schema.json", schema), file("values.yaml", values)];
    render_with(files, &[]).map(drop)
}

#[test]
fn c36_aliases_that_multiply() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..10 {
        bomb += &format!("a{level}: &a{level} [{}]\n", format!("*a{}, ", level - 1).repeat(10));
    }
    refuses(&bomb, "excessive aliasing");
    let merged: String =
        (1..40).map(|at| format!("m{at}: &m{at} {{<<: [*m{0}, *m{0}], k{at}: *m{0}}}\n", at - 1)).collect();
    refuses(&format!("m0: &m0 {{a: 1}}\n{merged}"), "excessive aliasing");
    let error = render_with(vec![file("Chart.yaml", CHART), file("values.yaml", &bomb)], &[]);
    assert!(error.is_err_and(|error| error.contains("excessive aliasing")));
}

#[test]
fn c37_anchors_in_themselves() {
    refuses("&a [*a]", "contains itself");
    refuses("a: &x {b: *x}", "contains itself");
    refuses("a: &x {<<: *x}", "");
    refuses("&a [&b [*a, *b]]", "contains itself");
    refuses("[*none]", "unknown anchor");
}

#[test]
fn c38_nested_very_deep() {
    let small = std::thread::Builder::new().stack_size(2 << 20);
    let check = || {
        for text in [
            "[".repeat(200_000),
            "{a: ".repeat(200_000),
            "- ".repeat(200_000),
            "? ".repeat(200_000),
            (0..5_000).map(|at| format!("{}a:\n", " ".repeat(at))).collect(),
            format!("{}{}", "[".repeat(9_000), "]".repeat(9_000)),
        ] {
            let start = text.chars().take(20).collect::<String>();
            let error = timed(|| yaml::parse(text.as_bytes())).map(drop).map_err(said);
            assert!(error.is_err(), "{start:?} is read");
        }
        let deepest = format!("{}{}", "[".repeat(1_000), "]".repeat(1_000));
        let value = yaml::parse(deepest.as_bytes()).unwrap();
        assert!(!yaml::to_string(&value).is_empty());
    };
    small.spawn(check).unwrap().join().unwrap();
}

#[test]
fn c39_what_kubernetes_reads_in_its_own_way() {
    reads("{a: 1, a: 2}", &json!({"a": 2}));
    reads("d: &d {a: 1}\nx: {<<: *d, b: 2}", &json!({"d": {"a": 1}, "x": {"a": 1, "b": 2}}));
    reads("[y, n, yes, no, on, off, Y, N]", &json!([true, false, true, false, true, false, true, false]));
    reads("{yes: 1, no: 2, y: 3}", &json!({"true": 3, "false": 2}));
    reads("[010, 0o10, 0x10, 0b10, 1_000, 08]", &json!([8, 8, 16, 2, 1000, 8.0]));
    reads("[1:30, 190:20:30]", &json!(["1:30", "190:20:30"]));
    reads("[~, null, '', !!str 5, !!int '5']", &json!([null, null, "", "5", 5]));
    reads("[2001-01-01, .5, 1e3]", &json!(["2001-01-01", 0.5, 1000.0]));
    reads("!!binary aGk=", &json!("hi"));
    for tag in [
        "!!python/object/apply:os.system [id]",
        "!!java.net.URL [x]",
        "!<tag:x> a",
        "!ruby/object:A {}",
        "!!js/function 'x'",
    ] {
        // Whatever becomes of it, it is data or an error.
        if let Ok(value) = yaml::parse(format!("a: {tag}").as_bytes()) {
            assert!(value["a"].is_string() || value["a"].is_array() || value["a"].is_object(), "{tag}: {value}");
        }
    }
}

#[test]
fn c40_very_many_keys() {
    let keys: String = (0..300_000).map(|at| format!("k{at}: 1\n")).collect();
    let value = timed(|| yaml::parse(keys.as_bytes()));
    assert!(value.is_err() || value.is_ok_and(|value| value.as_object().unwrap().len() == 300_000));
    let twice: String = (0..100_000).map(|at| format!("k{}: 1\n", at % 99_999)).collect();
    assert_eq!(yaml::parse(twice.as_bytes()).unwrap().as_object().unwrap().len(), 99_999);
}

#[test]
fn c41_schemas_from_elsewhere() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = format!("http://{}/schema.json", listener.local_addr().unwrap());
    for name in [
        "file:///etc/passwd",
        "/etc/passwd",
        "../../etc/passwd",
        "file:///dev/zero",
        "https://example.org/s.json",
        &url,
    ] {
        for keyword in ["$ref", "$schema", "$dynamicRef"] {
            let given = json!({"$schema": "https://json-schema.org/draft/2020-12/schema", keyword: name}).to_string();
            let error = schema(&given, "a: 1").expect_err(name);
            assert!(!error.contains("root:"), "{error}");
        }
    }
    assert!(listener.accept().is_err(), "somebody called");
}

#[test]
fn c42_schemas_that_ask_for_too_much() {
    let chain: Vec<String> =
        (0..100_000).map(|at| format!("\"d{at}\": {{\"$ref\": \"#/$defs/d{}\"}}", at + 1)).collect();
    let chain = format!("{{\"$ref\": \"#/$defs/d0\", \"$defs\": {{{}, \"d100000\": {{}}}}}}", chain.join(","));
    assert!(schema(&chain, "a: 1").expect_err("too deep").contains("references"));
    let doubled: Vec<String> = (0..60)
        .map(|at| {
            format!(
                "\"d{at}\": {{\"anyOf\": [{{\"$ref\": \"#/$defs/d{0}\"}}, {{\"$ref\": \"#/$defs/d{0}\"}}]}}",
                at + 1
            )
        })
        .collect();
    let doubled = format!("{{\"$ref\": \"#/$defs/d0\", \"$defs\": {{{}, \"d60\": false}}}}", doubled.join(","));
    assert!(schema(&doubled, "a: 1").expect_err("too much").contains("too much work"));
    let patterns: Vec<String> =
        (0..2000).map(|at| format!("\"^(\\\\pL{{{}}}){{9}}$\": {{}}", at % 100 + 100)).collect();
    let patterns = format!("{{\"patternProperties\": {{{}}}}}", patterns.join(","));
    let _ = schema(&patterns, "a: 1");
    assert!(schema(r#"{"pattern": "((a{100}){100}){100}"}"#, "a: 1").expect_err("too large").contains("too large"));
    let items = r#"{"properties": {"a": {"minItems": 1000000000, "uniqueItems": true}}}"#;
    assert!(schema(items, &format!("a: [{}]", "1,".repeat(100_000))).expect_err("too few").contains("minItems"));
    for itself in [
        r##"{"$ref": "#"}"##,
        r##"{"allOf": [{"$ref": "#"}]}"##,
        "5",
        "[]",
        "{",
        r#"{"type": 5}"#,
        r#"{"pattern": "("}"#,
    ] {
        assert!(schema(itself, "a: 1").is_err(), "{itself}");
    }
    let deep = format!("{}true{}", "{\"not\":".repeat(100_000), "}".repeat(100_000));
    assert!(schema(&deep, "a: 1").is_err());
}

#[test]
fn c43_arguments_that_make_too_much() {
    let set = |value: ValueInput| render_with(vec![file("Chart.yaml", CHART)], &[value]).map(drop);
    for text in ["a[99999999999]=1", "a[99999999999999999999]=1", "a[-1]=1", "a[65537]=1"] {
        assert!(set(ValueInput::Set(text.into())).is_err(), "{text}");
    }
    for text in [
        "{".repeat(1_000_000),
        format!("a={}", "{".repeat(1_000_000)),
        format!("a{}=1", "[0]".repeat(300_000)),
        format!("{}=1", "a.".repeat(500_000)),
        format!("a={}", "x,".repeat(500_000)),
    ] {
        for value in
            [ValueInput::Set(text.clone()), ValueInput::SetString(text.clone()), ValueInput::SetJson(text.clone())]
        {
            assert!(set(value).is_err(), "{}", &text[..20]);
        }
    }
    // As many places as one argument can ask for, over and over.
    let many: Vec<String> = (0..2000).map(|at| format!("a[{at}][65536]=1")).collect();
    let error = set(ValueInput::Set(many.join(","))).expect_err("too many");
    assert!(error.contains("too many"), "{error}");
    let json = format!("a={}1{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(set(ValueInput::SetJson(json)).is_err());
}

#[test]
fn c44_lists_and_what_is_no_object() {
    let render = |text: &str| {
        let repository = Repository::new(&[("m/a.yaml", text)]);
        repository.render(&json!({"path": "m"})).map(|manifests| manifests.objects.len())
    };
    let config = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n";
    let list = |inner: &str| format!("{{apiVersion: v1, kind: List, metadata: {{}}, items: [{inner}]}}");
    let nested = |count: usize| {
        (0..count)
            .fold("{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}".into(), |inner: String, _| list(&inner))
    };
    assert_eq!(render(&nested(100)), Ok(1));
    assert!(render(&nested(1000)).is_err_and(|error| error.contains("max depth")));
    assert_eq!(render(&list("")), Ok(0));
    assert_eq!(render(&list("null, {}")), Ok(0));
    assert!(
        render(&format!("{config}---\napiVersion: v1\nmetadata: {{name: b}}\n"))
            .is_err_and(|error| error.contains("no kind"))
    );
    assert!(render(&format!("{config}---\nkind: Pod\n")).is_err_and(|error| error.contains("no apiVersion")));
    assert!(render(&format!("{config}---\n- a\n")).is_err_and(|error| error.contains("not an object")));
    assert!(render(&format!("{config}---\nkind: 5\napiVersion: [x]\n")).is_err());
    assert_eq!(render(&format!("{config}---\napiVersion: v1\nkind: Pod\nmetadata: {{generateName: b-}}\n")), Ok(2));
    assert_eq!(
        render(&format!("{config}---\napiVersion: v1\nkind: Pod\nmetadata: 5\n")),
        render(&format!("{config}---\napiVersion: v1\nkind: Pod\nmetadata: []\n"))
    );
}
