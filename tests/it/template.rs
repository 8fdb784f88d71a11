//! Go's templates against what Go itself makes of them.

use std::io::{BufRead, BufReader};

use quarterdeck::template::{Budget, Executor, Function, Map, Parameter, Templates, Value};

use crate::corpus;

fn value(json: &serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::Nil,
        serde_json::Value::Bool(truth) => Value::Bool(*truth),
        serde_json::Value::Number(number) => number.as_i64().map_or(Value::Float(number.as_f64().unwrap()), Value::Int),
        serde_json::Value::String(text) => text.as_str().into(),
        serde_json::Value::Array(items) => Value::list(items.iter().map(value).collect()),
        serde_json::Value::Object(entries) => {
            let map = Map::new();
            for (key, item) in entries {
                map.insert(key.as_str(), value(item));
            }
            map.into()
        }
    }
}

const FUNCTIONS: [Function; 5] = [
    Function {
        name: "include",
        parameters: &[Parameter::String, Parameter::Any],
        is_variadic: false,
        run: |host, args| host.include(&text(&args[0]), &args[1]).map(Into::into),
    },
    Function {
        name: "tpl",
        parameters: &[Parameter::String, Parameter::Any],
        is_variadic: false,
        run: |host, args| {
            let Value::String(text) = &args[0] else { return Err("no string".into()) };
            host.evaluate(text, &args[1]).map(Into::into)
        },
    },
    Function {
        name: "trunc",
        parameters: &[Parameter::Int, Parameter::String],
        is_variadic: false,
        run: |_, args| {
            let Value::Int(length) = args[0] else { return Err("no number".into()) };
            Ok(text(&args[1]).chars().take(length as usize).collect::<String>().into())
        },
    },
    Function { name: "fail", parameters: &[Parameter::String], is_variadic: false, run: |_, args| Err(text(&args[0])) },
    Function {
        name: "has",
        parameters: &[Parameter::Any, Parameter::List],
        is_variadic: false,
        run: |_, args| Ok(Value::Bool(!args[0].is_nil())),
    },
];

fn text(value: &Value) -> String {
    let Value::String(text) = value else { panic!("not a string: {value:?}") };
    text.text().into_owned()
}

fn function(name: &str) -> Option<Function> {
    FUNCTIONS.into_iter().find(|function| function.name == name)
}

fn run_with(name: &str, template: &str, data: &Value, budget: Budget) -> Result<String, String> {
    let mut templates = Templates::new();
    templates.parse(name, template.as_bytes(), &|name| function(name).is_some()).map_err(|error| error.to_string())?;
    let mut state = ();
    let mut executor = Executor::new(&templates, &function, &mut state, budget);
    let out = executor.execute(name, data).map_err(|error| error.to_string())?;
    Ok(String::from_utf8_lossy(&out).into_owned())
}

fn run(template: &str, data: &str) -> Result<String, String> {
    run_with("t0", template, &value(&serde_json::from_str(data).unwrap()), Budget::default())
}

const DATA: &str = r#"{"i":3,"f":2.5,"big":8080000.0,"s":"str","t":true,"l":["x","y","z"],"m":{"a":1.0,"b":"q"},
    "nilv":null,"e":{},"a":{"b":{"c":"deep"}},"u":"é","n":[null]}"#;

#[test]
fn templates_do_what_go_does() {
    let Some(file) = corpus::open("go-templates.jsonl") else { return };
    let data = DATA.replace(r#","n":[null]"#, "");
    let (mut count, mut wrong) = (0, vec![]);
    for line in BufReader::new(file).lines() {
        let case: serde_json::Value = serde_json::from_str(&line.unwrap()).unwrap();
        let template = case["template"].as_str().unwrap();
        let expected = case["text"].as_str().unwrap();
        let (Ok(got) | Err(got)) = run(template, &data);
        count += 1;
        if got != expected {
            wrong.push(format!("{template:?}\n  expected {expected:?}\n  got      {got:?}"));
        }
    }
    println!("{} of {count} templates as Go", count - wrong.len());
    assert!(count > 100 && wrong.len() * 50 <= count, "{} of {count} differ:\n{}", wrong.len(), wrong.join("\n"));
}
