//! Attacks 20 to 35: templates.

use std::fs;

use quarterdeck::helm::{self, Options, Profile, ValueInput};
use tempfile::TempDir;

use super::{CHART, file, prints, refuses, render, render_with, template, timed, write};

/// Runs the program on one template and checks that it refuses it in little memory.
#[track_caller]
fn program_refuses(text: &str, values: &str, wanted: &str) {
    let folder = TempDir::new().unwrap();
    write(folder.path(), &[("c/Chart.yaml", CHART), ("c/templates/a.yaml", text), ("c/values.yaml", values)]);
    template(folder.path(), &["c"]).refused(wanted);
}

#[test]
fn b20_includes_without_end() {
    let itself = r#"{{ define "a" }}{{ include "a" . }}{{ end }}{{ include "a" . }}"#;
    program_refuses(itself, "", "rendering template has a nested reference name: a");
    let in_turn = r#"{{ define "a" }}{{ if true }}{{ range until 1 }}{{ include "b" $ }}{{ end }}{{ end }}{{ end }}{{ define "b" }}{{ with . }}{{ (include "a" .) | quote | indent 2 }}{{ end }}{{ end }}{{ include "a" . }}"#;
    program_refuses(in_turn, "", "nested reference name");
    refuses(r#"{{ define "a" }}{{ template "a" . }}{{ end }}{{ template "a" . }}"#, "exceeded maximum template depth");
    // A thousand names, each with the next in it, is as deep as helm goes too.
    let chain: String = (0..900)
        .map(|at| format!("{{{{ define \"t{at}\" }}}}{{{{ include \"t{}\" . }}}}{{{{ end }}}}", at + 1))
        .collect();
    prints(&format!("{chain}{{{{ define \"t900\" }}}}end{{{{ end }}}}a: {{{{ include \"t0\" . }}}}"), "a: end");
}

#[test]
fn b21_tpl_without_end() {
    program_refuses("{{ tpl .Values.t . }}", "t: '{{ tpl .Values.t . }}'", "nested deeper than 1000 levels");
    let growing = "t: '{{ $_ := set .Values \"t\" (print .Values.t .Values.t) }}{{ tpl .Values.t . }}'";
    program_refuses("{{ tpl .Values.t . }}", growing, "");
}

#[test]
fn b22_texts_that_double() {
    let doubled = |count: usize| {
        format!(
            "{{{{ $a := \"x\" }}}}{{{{ range until {count} }}}}{{{{ $a = print $a $a }}}}{{{{ end }}}}a: {{{{ len $a }}}}"
        )
    };
    program_refuses(&doubled(28), "", "steps allows");
    program_refuses(&doubled(40), "", "steps allows");
    prints(&doubled(20), "a: 1048576");
}

#[test]
fn b23_huge_counts() {
    for call in [
        "until 100000000",
        "untilStep 0 2000000000 1",
        "seq 100000000",
        r#"repeat 2000000000 "a""#,
        "randBytes 2000000000",
    ] {
        program_refuses(&format!("{{{{ {call} }}}}"), "", "steps allows");
    }
    for call in [
        r#"printf "%*d" 2000000000 1"#,
        r#"printf "%2000000000d" 1"#,
        r#"printf "%.2000000000f" 1.0"#,
        r#"indent 2000000000 "a\nb""#,
    ] {
        let _ = render(&format!("a: {{{{ {call} | len }}}}"), "");
    }
}

#[test]
fn b24_loops_in_loops() {
    let loops = r"{{ range until 1000 }}{{ range until 1000 }}{{ range until 1000 }}{{ range until 100 }}{{ end }}{{ end }}{{ end }}{{ end }}";
    program_refuses(loops, "", "steps allows");
    let _ = render("a: {{ range 100000000000 }}{{ break }}{{ end }}", "").unwrap();
}

#[test]
fn b25_very_many_documents() {
    let documents = "{{ range until 300000 }}{{ range until 60 }}---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n{{ end }}{{ end }}";
    program_refuses(documents, "", "steps allows");
}

#[test]
fn b26_slow_cryptography() {
    program_refuses("{{ range until 100000 }}{{ $_ := bcrypt `a` }}{{ end }}", "", "");
    for call in [
        r#"genPrivateKey "rsa""#,
        r#"genCA "a" 1"#,
        r#"genSelfSignedCert "a" nil nil 1"#,
        r#"htpasswd "a" "b""#,
        r#"derivePassword 1 "long" "a" "b" "c""#,
    ] {
        let text = format!("{{{{ range until 100000 }}}}{{{{ $_ := {call} }}}}{{{{ end }}}}");
        let chart = helm::load(vec![file("Chart.yaml", CHART), file("templates/a.yaml", text)]).unwrap();
        let mut options = Options::default();
        options.budget.steps = 1 << 22;
        let error = timed(|| helm::render(&chart, &options)).expect_err(call).to_string();
        assert!(error.contains("steps allows"), "{error}");
    }
    for call in [r#"bcrypt "a""#, r#"(genCA "a" 1).Cert"#, "randAlphaNum 5", "uuidv4", "now", "shuffle \"abc\""] {
        let files = vec![file("Chart.yaml", CHART), file("templates/a.yaml", format!("a: {{{{ {call} | quote }}}}"))];
        assert!(!render_with(files, &[]).unwrap().nondeterministic.is_empty(), "{call}");
    }
}

#[test]
fn b27_values_that_hold_themselves() {
    for use_it in [
        "toYaml",
        "toJson",
        "deepCopy",
        "toToml",
        "toPrettyJson",
        "mustToJson",
        "quote",
        "toString",
        "mergeOverwrite (dict)",
    ] {
        let _ =
            render(&format!("{{{{ $m := dict }}}}{{{{ $_ := set $m \"x\" $m }}}}a: {{{{ $m | {use_it} | len }}}}"), "");
    }
    refuses(r#"{{ $m := dict }}{{ $_ := set $m "x" $m }}{{ mustToJson $m }}"#, "mustToJson");
    let _ = render(r#"{{ $_ := set .Values "x" .Values }}{{ .Values | toYaml }}{{ tpl "{{ .Values }}" . }}"#, "a: 1");
    refuses(r#"{{ $m := dict }}{{ $_ := set $m "x" $m }}{{ fail (toString $m) }}"#, "execution error");
}

#[test]
fn b28_texts_nested_very_deep() {
    let nested = |open: &str, middle: &str, close: &str, count: usize| {
        format!("{}{middle}{}", open.repeat(count), close.repeat(count))
    };
    for count in [100_000, 1_000_000] {
        refuses(&nested("{{ if true }}", "", "{{ end }}", count), "nested deeper than");
        refuses(&nested("{{ with . }}", "", "{{ end }}", count), "nested deeper than");
        refuses(&format!("{{{{ {} }}}}", nested("(", "1", ")", count)), "nested deeper than");
    }
    refuses(&nested("{{ if true }}{{ else }}", "", "{{ end }}", 100_000), "nested deeper than");
    refuses(&format!("{{{{ if true }}}}{}{{{{ end }}}}", "{{ else if true }}".repeat(100_000)), "nested deeper than");
    prints(&format!("a: {{{{ 1{} }}}}", " | print".repeat(20_000)), "a: 1");
    refuses(&format!("a: {{{{ .Values{} }}}}", ".a".repeat(20_000)), "nil pointer");
    refuses(&"{{".repeat(1_000_000), "");
    refuses(&"{{ define \"a\" }}".repeat(100_000), "");
}

#[test]
fn b29_huge_expressions() {
    for expression in [r"(\\pL{1000}){900}", "((a{100}){100}){100}", "(?:(?:a+)+)+$", "((((a*)*)*)*)*b"] {
        let _ = render(&format!("a: {{{{ regexMatch \"{expression}\" (repeat 100000 \"a\") }}}}"), "");
    }
    refuses(r#"{{ mustRegexMatch "(\\pL{1000}){900}" "a" }}"#, "error parsing regexp");
    let many = "{{ $e := list }}{{ range until 100000 }}{{ $e = append $e (toString .) }}{{ end }}{{ regexMatch (join \"|\" $e) \"x\" }}";
    let _ = render(many, "");
    let _ = render(&format!("{{{{ regexMatch \"{}\" \"x\" }}}}", "(".repeat(100_000)), "");
    // Many that are large, and matches that each look at all of the text.
    let many =
        r#"{{ range until 800 }}{{ $_ := regexMatch (printf "(\\pL{%d}){2}" (add 100 (div . 2))) "a" }}{{ end }}"#;
    let folder = TempDir::new().unwrap();
    write(folder.path(), &[("c/Chart.yaml", CHART), ("c/templates/a.yaml", many)]);
    let done = template(folder.path(), &["c"]);
    assert!(done.memory < super::MOST_MEMORY && done.code.is_some(), "{} KiB", done.memory);
    program_refuses(r#"{{ regexFindAll ".*[^A-Z]|[A-Z]" (repeat 200000 "A") -1 | len }}"#, "", "");
    program_refuses(r#"{{ regexFindAll "" (repeat 10000000 "A") -1 | len }}"#, "", "steps allows");
}

#[test]
fn b30_nothing_from_outside() {
    refuses(r#"{{ env "CANARY" }}"#, "function \"env\" not defined");
    refuses(r#"{{ expandenv "$CANARY" }}"#, "function \"expandenv\" not defined");
    prints(r#"a: "{{ getHostByName "localhost" }}""#, r#"a: """#);
    prints(r#"a: {{ lookup "v1" "Secret" "" "" | toJson }}"#, "a: {}");
    let folder = TempDir::new().unwrap();
    let text = r#"a: {{ tpl "$CANARY ${CANARY} {{ .Values }}" . | quote }}"#;
    write(folder.path(), &[("c/Chart.yaml", CHART), ("c/templates/a.yaml", text), ("c/values.yaml", "b: ${CANARY}")]);
    let done = template(folder.path(), &["c"]);
    assert!(done.code == Some(0) && !done.out.contains("from-the-environment"), "{}", done.out);
    // Files are asked for by name, and only those of the chart are there.
    for name in ["/etc/passwd", "../../etc/passwd", "templates/a.yaml", "Chart.yaml"] {
        prints(&format!(r#"a: "{{{{ .Files.Get "{name}" }}}}""#), r#"a: """#);
    }
    prints(r#"a: {{ len (.Files.Glob "/**") }} {{ len (.Files.Glob "../**") }}"#, "a: 0 0");
}

#[test]
fn b31_errors_without_secrets() {
    let values =
        "password: canary1\nauth: {apiKey: canary2, tokens: [canary3]}\nurl: postgres://me:canary4@db/x\nnumber: 5\n";
    for text in [
        "{{ fail (toString .Values) }}",
        "{{ fail (toYaml .Values) }}",
        "{{ fail (toJson .Values.auth) }}",
        "{{ required .Values.password .Values.none }}",
        "{{ range .Values.password }}{{ end }}",
        "{{ .Values.password.a.b }}",
        "{{ add1 .Values.password | int64 | until }}{{ index .Values.password \"a\" }}",
        "{{ template \"none\" .Values }}{{ fail .Values.url }}",
        "{{ fail (cat .Values.url .Values.auth.tokens) }}",
        "{{ tpl (print \"{{ fail `\" .Values.password \"` }}\") . }}",
        "{{ tpl .Values.password . }}{{ index .Values.auth.tokens 7 }}",
        "{{ mustToDate \"2006\" .Values.password }}",
        "{{ .Values.password | mustFromJson }}",
        "{{ toYaml .Values }}\n\t- bad: [{{ .Values }}",
        "{{ .Values.number.a }}{{ fail (print .Values .Values .Values) }}",
    ] {
        let error = render(text, values).expect_err(text);
        assert!(!error.contains("canary"), "{text}: {error}");
    }
    let schema =
        r#"{"properties": {"password": {"pattern": "^x$"}, "auth": {"additionalProperties": {"enum": ["y"]}}}}"#;
    let files = vec![file("Chart.yaml", CHART), file("values.yaml", values), file("values.schema.json", schema)];
    let error = render_with(files, &[]).expect_err("no x");
    assert!(error.contains("does not match pattern '^x$'") && !error.contains("canary"), "{error}");
    // Errors of any length are short, and keep where and why.
    let error = render(&format!("{{{{ fail `{}why` }}}}", "x".repeat(1 << 20)), "").expect_err("it fails");
    assert!(error.starts_with("execution error at (c/templates/a.yaml:1:3)") && error.contains("why"), "{error}");
}

#[test]
fn b32_bytes_that_are_no_text() {
    let check = |template: &[u8], values: &[u8], wanted: Option<&str>| {
        let files = vec![file("Chart.yaml", CHART), file("values.yaml", values), file("templates/a.yaml", template)];
        let rendered = render_with(files, &[]);
        match wanted {
            Some(wanted) => {
                assert!(rendered.as_ref().is_ok_and(|rendered| rendered.text.contains(wanted)), "{rendered:?}")
            }
            None => assert!(rendered.is_err(), "{rendered:?}"),
        }
    };
    check(b"a: \xff", b"", None);
    check(b"{{/* \xff */}}a: 1", b"", Some("a: 1"));
    check(b"\xef\xbb\xbfa: {{ .Values.a }}", b"\xef\xbb\xbfa: 1", Some("\na: 1"));
    check(b"a: {{ .Values.a }}\r\nb: 2\r\n", b"a: 1\r\n", Some("a: 1\r\nb: 2"));
    check(b"a: '\x00'", b"", None);
    check(b"{{ \x00 }}", b"", None);
    check(b"{{ \xff }}", b"", None);
    check(b"a: {{ .Values.a | quote }}", br#"a: "\uD800""#, None);
    check(b"a: b", b"a: \xff", None);
    check(b"a: b", b"a: \x00", None);
    check(br#"a: {{ "\ud800" }}"#, b"", None);
    check(br#"a: {{ fromJson "{\"a\": \"\\ud800\"}" | toJson }}"#, b"", Some("a: {\"a\":\"\u{fffd}\"}"));
}

#[test]
fn b33_large_inputs_and_odd_numbers() {
    let large = "{{ $l := list }}{{ $t := repeat 100000 \"a_b: 1234567890\\n\" }}";
    let _ = render(&format!("{large}a: {{{{ len (fromYaml $t) }}}}"), "");
    let _ = render(&format!("{large}a: {{{{ len (toToml (dict \"a\" $t)) }}}}"), "");
    let _ = render(&format!("{large}a: {{{{ len (fromYamlArray $t) }}}}{{{{ len (fromJson $t) }}}}"), "");
    for number in [
        "1e400",
        "-1e400",
        "-0",
        "-0.0",
        "9223372036854775808",
        "-9223372036854775809",
        "1e-400",
        "0x1p-2",
        ".inf",
        "-.inf",
        ".nan",
    ] {
        for use_it in ["toToml", "toYaml", "toJson", "toString", "quote"] {
            let _ = render(&format!("a: {{{{ dict \"a\" .Values.n | {use_it} | len }}}}"), &format!("n: {number}"));
            let _ = render(&format!("a: {{{{ fromYaml \"n: {number}\" | {use_it} | len }}}}"), "");
        }
        for use_it in [
            "int",
            "int64",
            "float64",
            "add 1",
            "mul 2",
            "div 5",
            "mod 3",
            "round 3",
            "floor",
            "ceil",
            "toDecimal",
            "until",
            "biggest 1",
        ] {
            let _ = render(&format!("a: {{{{ .Values.n | {use_it} | quote | len }}}}"), &format!("n: {number}"));
        }
    }
    for division in ["div 1 0", "mod 1 0", "div -9223372036854775808 -1", "mod -9223372036854775808 -1", "divf 1 0"] {
        let _ = render(&format!("a: {{{{ {division} }}}}"), "");
    }
}

#[test]
fn b34_absurd_dates_durations_and_versions() {
    let long = "9".repeat(10_000);
    for call in [
        r#"toDate "2006-01-02" "0000-00-00""#.to_owned(),
        r#"toDate "2006-01-02T15:04:05Z07:00" "99999-99-99T99:99:99+99:99" | date "2006""#.to_owned(),
        r#"dateModify "-99999999999999999h" (now)"#.to_owned(),
        r#"dateModify "9223372036854775807ns" (toDate "2006" "9999") | date "2006""#.to_owned(),
        r#"date "2006" 9223372036854775807"#.to_owned(),
        r#"date "2006" -9223372036854775808"#.to_owned(),
        r#"dateInZone "2006" (now) "../../etc/passwd""#.to_owned(),
        r#"dateInZone "2006" (now) "/etc/localtime""#.to_owned(),
        r#"unixEpoch (toDate "2006" "9999")"#.to_owned(),
        r#"duration 9223372036854775807 | durationRound"#.to_owned(),
        r#"ago (toDate "2006" "0001")"#.to_owned(),
        format!("semver \"{long}.{long}.{long}\""),
        format!("semverCompare \">={long}\" \"1.0.0\""),
        format!("semverCompare \"{}\" \"1.0.0\"", ">1 ||".repeat(10_000)),
        format!("semverCompare \"^1\" \"1.0.0-{}\"", "a.".repeat(10_000)),
        format!("duration \"{long}\""),
        format!("toDate \"{}\" \"{long}\"", "2006".repeat(1000)),
    ] {
        let _ = render(&format!("a: {{{{ {call} | toString | len }}}}"), "");
    }
}

#[test]
fn b35_templates_that_take_over_others() {
    let files = |own: &str| {
        vec![
            file("Chart.yaml", CHART),
            file("templates/_a.tpl", own),
            file("templates/a.yaml", "own: {{ include \"name\" . }}"),
            file("charts/s/Chart.yaml", "{apiVersion: v2, name: s, version: 1.0.0}"),
            file("charts/s/templates/_a.tpl", r#"{{ define "name" }}sub{{ end }}"#),
            file("charts/s/templates/a.yaml", "sub: {{ include \"name\" . }}"),
        ]
    };
    // As in helm: names are one for all charts, and the parent's are read last.
    let text = render_with(files(r#"{{ define "name" }}own{{ end }}"#), &[]).unwrap().text;
    assert!(text.contains("own: own") && text.contains("sub: own"), "{text}");
    let text = render_with(files(""), &[]).unwrap().text;
    assert!(text.contains("own: sub") && text.contains("sub: sub"), "{text}");
    let hijack = r#"{{ define "c/charts/s/templates/a.yaml" }}hijacked: true{{ end }}"#;
    let text = render_with(files(&format!("{hijack}{{{{ define \"name\" }}}}own{{{{ end }}}}")), &[]).unwrap().text;
    assert!(text.contains("hijacked: true") && !text.contains("sub: "), "{text}");
}

#[test]
fn names_of_releases_are_small_templates() {
    for text in
        ["{{ range until 100000000 }}{{ end }}", "{{ repeat 2000000000 \"a\" }}", "{{ fail (repeat 100000 \"a\") }}"]
    {
        let error = timed(|| helm::release_name(text)).expect_err(text).to_string();
        assert!(error.len() <= 4096, "{} bytes", error.len());
    }
}

#[test]
fn both_helms_are_as_safe() {
    for profile in [Profile::V3_19, Profile::V4_3] {
        let chart = helm::load(vec![
            file("Chart.yaml", CHART),
            file("templates/a.yaml", r#"{{ define "a" }}{{ include "a" . }}{{ end }}{{ include "a" . }}"#),
        ]);
        let mut options = Options::new(profile, "rel", "ns");
        options.values.push(ValueInput::Set("password=canary".into()));
        let error = timed(|| helm::render(&chart.unwrap(), &options)).expect_err("no end").to_string();
        assert!(error.len() <= 4096 && error.contains("nested reference name"), "{error}");
    }
    assert!(fs::metadata("/proc/self/status").is_err() || super::peak(std::process::id()) > 0);
}
