//! The functions that charts can call: sprig's and helm's.

mod abbreviate;
mod argument;
mod cert;
mod crypto;
mod date;
mod decimal;
mod dict;
mod duration;
mod encode;
mod hash;
mod json;
mod json_decode;
mod layout;
mod layout_parse;
mod list;
mod logic;
mod merge;
mod method;
mod number;
mod path;
mod random;
mod reflect;
mod regex;
mod regex_syntax;
mod rsa;
mod scope;
mod semver;
mod text;
mod toml;
mod url;
mod words;
mod yaml;

use std::collections::HashMap;
use std::sync::LazyLock;

use super::profile::Profile;
use crate::template::Function;

/// Finds a function by the name that templates call it by; Go's own built-in ones are not here.
pub(super) fn find(profile: Profile, name: &str) -> Option<Function> {
    static BY_NAME: LazyLock<HashMap<&str, Function>> = LazyLock::new(|| by_name(TABLES));
    static SINCE_V4: LazyLock<HashMap<&str, Function>> = LazyLock::new(|| by_name(&[yaml::SINCE_V4]));
    static SINCE_V4_3: LazyLock<HashMap<&str, Function>> = LazyLock::new(|| by_name(&[duration::SINCE_V4_3]));
    let v4 = || SINCE_V4.get(name).filter(|_| profile.is_v4());
    let v4_3 = || SINCE_V4_3.get(name).filter(|_| profile >= Profile::V4_3);
    BY_NAME.get(name).or_else(v4).or_else(v4_3).copied()
}

fn by_name(tables: &[&'static [Function]]) -> HashMap<&'static str, Function> {
    tables.iter().flat_map(|table| table.iter()).map(|function| (function.name, *function)).collect()
}

/// One table for each kind of function.
static TABLES: &[&[Function]] = &[
    abbreviate::FUNCTIONS,
    cert::FUNCTIONS,
    crypto::FUNCTIONS,
    date::FUNCTIONS,
    dict::FUNCTIONS,
    duration::FUNCTIONS,
    encode::FUNCTIONS,
    hash::FUNCTIONS,
    json::FUNCTIONS,
    list::FUNCTIONS,
    logic::FUNCTIONS,
    merge::FUNCTIONS,
    number::FUNCTIONS,
    path::FUNCTIONS,
    random::FUNCTIONS,
    reflect::FUNCTIONS,
    regex::FUNCTIONS,
    scope::FUNCTIONS,
    semver::FUNCTIONS,
    text::FUNCTIONS,
    toml::FUNCTIONS,
    url::FUNCTIONS,
    words::FUNCTIONS,
    yaml::FUNCTIONS,
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::helm::state::State;
    use crate::template::{Budget, Executor, Map, Parameter, Templates};

    /// Runs a template with the functions of charts.
    pub(super) fn run(template: &str) -> Result<String, String> {
        run_as(Profile::default(), template)
    }

    /// Runs a template with the functions of charts, as a certain helm does. Functions may need more stack than tests have.
    pub(super) fn run_as(profile: Profile, template: &str) -> Result<String, String> {
        std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().stack_size(16 << 20);
            let thread = thread.spawn_scoped(scope, || execute(profile, template)).expect("threads can be started");
            thread.join().expect("functions do not panic")
        })
    }

    fn execute(profile: Profile, template: &str) -> Result<String, String> {
        let mut templates = Templates::new();
        templates
            .parse("t", template.as_bytes(), &|name| find(profile, name).is_some())
            .map_err(|error| error.to_string())?;
        let mut state = State::new(profile);
        let find = |name: &str| find(profile, name);
        let budget = Budget { depth: 200, steps: 1 << 24, ..Budget::default() };
        let mut executor = Executor::new(&templates, &find, &mut state, budget);
        let out = executor.execute("t", &Map::new().into()).map_err(|error| error.to_string())?;
        Ok(String::from_utf8_lossy(&out).into_owned())
    }

    /// Checks what a template prints.
    #[track_caller]
    pub(super) fn check(template: &str, expected: &str) {
        assert_eq!(run(template).as_deref(), Ok(expected), "{template}");
    }

    /// Checks how the error of a template ends.
    #[track_caller]
    pub(super) fn check_error(template: &str, expected: &str) {
        let error = run(template).expect_err("an error");
        assert!(error.ends_with(expected), "{template}\n  expected {expected}\n  got      {error}");
    }

    #[test]
    fn tables_are_sorted_and_say_nothing_twice() {
        for table in TABLES {
            assert!(table.is_sorted_by(|a, b| a.name < b.name), "{:?}", table[0].name);
        }
        let mut names: Vec<&str> = TABLES.iter().flat_map(|table| table.iter()).map(|function| function.name).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn values_that_contain_themselves_end_somewhere() {
        let cycle = r#"{{ $a := dict }}{{ $b := dict "a" $a }}{{ $_ := set $a "a" $b }}"#;
        for use_it in ["$a | toString | len", "deepEqual $a $b", "kindOf $a", "toJson $a", "printf \"%v\" $a | len"] {
            assert!(run(&format!("{cycle}{{{{ {use_it} }}}}")).is_ok(), "{use_it}");
        }
        for use_it in ["deepCopy $a", "mustToJson $a", "mustToYaml $a", "merge $a (deepCopy $b)"] {
            assert!(run(&format!("{cycle}{{{{ {use_it} }}}}")).is_err(), "{use_it}");
        }
    }

    #[test]
    fn values_that_hold_others_many_times_over_end_the_run() {
        let doubled = "{{ $a := list 1 }}{{ $b := list 1 }}{{ range until 60 }}{{ $a = list $a $a }}{{ $b = list $b $b }}{{ end }}";
        for use_it in ["deepEqual $a $b", "has $a (list $b)", "toYaml $a", "deepCopy $a"] {
            check_error(&format!("{doubled}{{{{ {use_it} }}}}"), "steps allows");
        }
        for use_it in ["print $a", "toJson $a", "quote $a", "$a"] {
            check_error(&format!("{doubled}{{{{ {use_it} }}}}"), "steps allows");
        }
        check_error("{{ $a := list 1 }}{{ range until 60 }}{{ $a = concat $a $a }}{{ end }}", "steps allows");
        check_error(r#"{{ $a := "a" }}{{ range until 60 }}{{ $a = cat $a $a }}{{ end }}"#, "steps allows");
    }

    #[test]
    fn deeply_nested_values_go_away_quietly() {
        check("{{ $a := list }}{{ range until 100000 }}{{ $a = list $a }}{{ end }}", "");
        check("{{ $a := dict }}{{ range until 100000 }}{{ $a = dict 1 (list $a) }}{{ end }}", "");
    }

    /// Arguments of a type that are likely to be too much.
    fn extremes(parameter: Parameter) -> &'static [&'static str] {
        match parameter {
            Parameter::Int | Parameter::Int64 => &["9223372036854775807", "-9223372036854775808", "0", "-1", "3"],
            Parameter::Float => &["1.7976931348623157e308", "-5e-324", "0.0", "-1.5"],
            Parameter::String => &[r#""""#, r#""\xff\xc3""#, r#""é\u2028 -a.9_""#, r#"(repeat 9 "日b,")"#],
            Parameter::Bool => &["true"],
            Parameter::Map => &["nil", "dict", r#"(dict "a" (dict "b" nil) "b" (list 1))"#],
            Parameter::List | Parameter::Strings => &["nil"],
            Parameter::Any | Parameter::Reflect | Parameter::Named(_) => &[
                "nil",
                "9223372036854775807",
                "-9223372036854775808",
                "(float64 \"-inf\")",
                "(float64 \"nan\")",
                "1e300",
                r#""\xff""#,
                "(list nil (list) 1.5)",
                r#"(dict "a" (until 2))"#,
                r#"(splitList "," "a,b")"#,
            ],
        }
    }

    #[test]
    fn no_argument_is_too_much() {
        let is_slow = |name: &str| name.starts_with("gen") || matches!(name, "bcrypt" | "htpasswd" | "derivePassword");
        for function in TABLES.iter().flat_map(|table| table.iter()).filter(|function| !is_slow(function.name)) {
            let mut parameters = function.parameters.to_vec();
            if function.is_variadic {
                parameters.extend(parameters.last().copied());
            }
            let counts: Vec<usize> = parameters.iter().map(|parameter| extremes(*parameter).len()).collect();
            let all: usize = counts.iter().product();
            let calls = (0..all).step_by(all.div_ceil(60) | 1).map(|mut index| {
                let mut call = format!("{{{{ {}", function.name);
                for (parameter, count) in parameters.iter().zip(&counts) {
                    call = format!("{call} {}", extremes(*parameter)[index % count]);
                    index /= count;
                }
                format!("{call} }}}}")
            });
            // What comes back does not matter, only that something does.
            for call in calls {
                let _ = run(&call);
            }
        }
    }
}
