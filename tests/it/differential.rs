//! Charts of our own through `quarterdeck template` and through every helm whose output it reproduces, side by side.
//!
//! A file in `tests/helm/cases` holds arguments, a line each behind `$ `, and then files, each below `-- path --`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use quarterdeck::helm::Profile;
use tempfile::TempDir;

/// The release that stands for a profile.
fn release(profile: Profile) -> &'static str {
    match profile {
        Profile::V3_19 => "3.19.0",
        Profile::V4_2 => "4.2.3",
        Profile::V4_3 => "4.3.1",
    }
}

/// The folder with `VERSION/helm`; `None` where there is none.
fn helms() -> Option<PathBuf> {
    let Some(folder) = std::env::var_os("QUARTERDECK_HELM").map(PathBuf::from) else {
        assert!(std::env::var_os("CI").is_none(), "QUARTERDECK_HELM is not set, and CI must not skip this");
        println!(
            "skipped: QUARTERDECK_HELM is not set; `export QUARTERDECK_HELM=$(tests/helm/fetch)` fetches the helms"
        );
        return None;
    };
    Some(folder)
}

/// Arguments and files of a test.
struct Case {
    name: String,
    commands: Vec<String>,
    files: Vec<(String, String)>,
}

impl Case {
    fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap();
        let mut case = Self {
            name: path.file_stem().unwrap().to_string_lossy().into_owned(),
            commands: Vec::new(),
            files: Vec::new(),
        };
        for line in text.split_inclusive('\n') {
            let header = line.trim_end().strip_prefix("-- ").and_then(|line| line.strip_suffix(" --"));
            match (header, case.files.last_mut()) {
                (Some(path), _) => case.files.push((path.to_owned(), String::new())),
                (None, Some((_, text))) => text.push_str(line),
                (None, None) => case.commands.extend(line.strip_prefix("$ ").map(|line| line.trim_end().to_owned())),
            }
        }
        case
    }

    fn unpack(&self) -> TempDir {
        let folder = TempDir::new().unwrap();
        for (path, text) in &self.files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }
}

/// Splits a line at blanks, outside of single quotes.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut is_quoted = false;
    for c in line.chars() {
        match c {
            '\'' => {
                is_quoted = !is_quoted;
                word.get_or_insert_default();
            }
            ' ' if !is_quoted => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

/// What a program made of its arguments.
#[derive(PartialEq, Eq)]
struct Outcome {
    code: Option<i32>,
    out: String,
    error: String,
}

fn run(program: &Path, folder: &Path, command: &str, more: &[&str]) -> Outcome {
    let (args, input) = command.split_once(" < ").unwrap_or((command, ""));
    let stdin = match input.trim() {
        "" => Stdio::null(),
        name => fs::File::open(folder.join(name)).unwrap().into(),
    };
    let output = Command::new(program)
        .arg("template")
        .args(more)
        .args(words(args))
        .current_dir(folder)
        .env_clear()
        .env("HOME", folder)
        .env("TZ", "UTC")
        .stdin(stdin)
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace(&*folder.to_string_lossy(), "$FOLDER");
    Outcome { code: output.status.code(), out: text(&output.stdout), error: said(&text(&output.stderr)) }
}

/// Returns the error without what is logged around it, and without our hint below it.
fn said(text: &str) -> String {
    let Some(start) = format!("\n{text}").find("\nError: ") else { return String::new() };
    let text = text[start..].trim_end();
    let text = text.split("\n\nUse --debug").next().unwrap_or_default();
    let is_hint = |line: &str| {
        line.starts_with("  ")
            && ["`quarterdeck ", "write a version", "Usage:", "a chart from a repository", "add it with"]
                .iter()
                .any(|hint| line[2..].starts_with(hint))
    };
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !is_hint(line) && !line.starts_with("Usage:") && !line.contains(" [debug] "))
        .collect();
    lines.join("\n").trim_end().to_owned()
}

/// Tells whether an error is a longer one without its middle, as errors are beyond 4 KiB.
fn is_shortened(error: &str, whole: &str) -> bool {
    let ends = error.split_once(" [...] ");
    whole.len() > 4096
        && error.len() <= 4096
        && ends.is_some_and(|(start, end)| !end.is_empty() && whole.starts_with(start) && whole.ends_with(end))
}

fn compare(case: &Case, command: &str, helms: &Path, profile: Profile) -> Option<String> {
    let (theirs, ours) = (case.unpack(), case.unpack());
    let helm = helms.join(release(profile)).join("helm");
    let mut helm = run(&helm, theirs.path(), command, &[]);
    let program = Path::new(env!("CARGO_BIN_EXE_quarterdeck"));
    let quarterdeck = run(program, ours.path(), command, &["--helm-compat", profile.name()]);
    if is_shortened(&quarterdeck.error, &helm.error) {
        helm.error.clone_from(&quarterdeck.error);
    }
    if helm == quarterdeck {
        return None;
    }
    let mut text = format!("{}: helm {profile}: template {command}\n", case.name);
    if helm.code != quarterdeck.code {
        text += &format!("  exit code {:?}, helm has {:?}\n", quarterdeck.code, helm.code);
    }
    if helm.error != quarterdeck.error {
        text += &format!("  says {:?}\n  helm {:?}\n", quarterdeck.error, helm.error);
    }
    if helm.out != quarterdeck.out {
        let differs = |one: &str, other: &str| one.lines().zip(other.lines()).position(|(one, other)| one != other);
        let shorter = helm.out.lines().count().min(quarterdeck.out.lines().count());
        let at = differs(&helm.out, &quarterdeck.out).unwrap_or(shorter);
        let line = |text: &str| text.lines().nth(at).unwrap_or("(end)").to_owned();
        text += &format!("  line {}: {:?}\n  helm {:?}\n", at + 1, line(&quarterdeck.out), line(&helm.out));
    }
    Some(text)
}

#[test]
fn charts_of_our_own_are_printed_as_by_every_helm() {
    let Some(helms) = helms() else { return };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/helm/cases");
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let cases: Vec<Case> = paths.iter().map(|path| Case::read(path)).collect();
    let mut tasks = Vec::new();
    for case in &cases {
        for command in &case.commands {
            tasks.extend(Profile::ALL.map(|profile| (case, command, profile)));
        }
    }
    assert!(tasks.len() > 500, "only {} comparisons", tasks.len());
    let next = AtomicUsize::new(0);
    let wrong = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some((case, command, profile)) = tasks.get(next.fetch_add(1, Ordering::Relaxed)) {
                    wrong.lock().unwrap().extend(compare(case, command, &helms, *profile));
                }
            });
        }
    });
    let mut wrong = wrong.into_inner().unwrap();
    wrong.sort();
    println!("{} of {} as in helm", tasks.len() - wrong.len(), tasks.len());
    assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), tasks.len(), wrong.join("\n"));
}

/// Functions that give the same every time.
const FUNCTIONS: &str = "\
    abbrev abbrevboth add1 add1f adler32sum and append atoi b32dec b32enc b64dec b64enc base call camelcase ceil chunk clean compact \
    contains dateModify date_modify decryptAES deepCopy deepEqual dir div duration durationDays durationHours durationMicroseconds \
    durationMilliseconds durationMinutes durationNanoseconds durationRound durationRoundTo durationSeconds durationTruncateTo \
    durationWeeks empty eq ext first float64 floor fromJson fromJsonArray fromToml fromYaml fromYamlArray ge get gt has hasKey \
    hasPrefix hasSuffix html indent index initial initials int int64 isAbs join js kebabcase kindIs kindOf last le len lower lt mod \
    mustAppend mustChunk mustCompact mustDateModify mustDeepCopy mustFirst mustFromJson mustHas mustInitial mustLast mustPrepend \
    mustPush mustRegexFind mustRegexFindAll mustRegexMatch mustRegexReplaceAll mustRegexReplaceAllLiteral mustRegexSplit mustRest \
    mustReverse mustToDate mustToDuration mustToJson mustToPrettyJson mustToRawJson mustToYaml mustUniq must_date_modify ne nindent \
    nospace not or osBase osClean osDir osExt osIsAbs plural prepend print printf println push regexFind regexFindAll regexMatch \
    regexQuoteMeta regexReplaceAll regexReplaceAllLiteral regexSplit repeat replace rest reverse semver semverCompare set sha1sum \
    sha256sum sha512sum slice snakecase sortAlpha split splitList splitn sub substr swapcase ternary title toDate toDecimal toJson \
    toPrettyJson toRawJson toString toStrings toYaml toYamlPretty trim trimAll trimPrefix trimSuffix trimall trunc typeIs typeIsLike \
    typeOf uniq unset until untilStep untitle upper urlJoin urlParse urlquery wrap wrapWith";

/// Arguments, odd ones among them.
const ARGUMENTS: [&str; 93] = [
    r#""""#,
    r#""a""#,
    r#""Hello World""#,
    r#""12""#,
    r#""-3""#,
    r#""0x1F""#,
    r#""1.5""#,
    r#""true""#,
    r#""a,b,c""#,
    r#""foo bar-baz_Qux""#,
    r#""héllo ☃ 😀""#,
    r#""a: 1\nb: [2]""#,
    r#""{\"a\":1}""#,
    r#""[1,2""#,
    r#""%d %s %v""#,
    r#""1.2.3""#,
    r#"">=1.0.0""#,
    r#""v1.2""#,
    r#""http://u:p@h:80/a?b=c#d""#,
    r#""aGVsbG8=""#,
    r#""^a.*b$""#,
    r#""(a+)(b)?""#,
    r#""\t\n \\""#,
    r#""/a/../b/c.txt""#,
    r#""5m30s""#,
    r#""2006-01-02""#,
    r#""null""#,
    r#"" x ""#,
    r#"`a"b`"#,
    "0",
    "1",
    "-1",
    "3",
    "63",
    "100",
    "1.5",
    "-0.5",
    "1e6",
    "1e21",
    "9007199254740993",
    "true",
    "false",
    "nil",
    "(list)",
    "(list 1 2 3)",
    r#"(list "b" "a" "c")"#,
    r#"(list 1 "a" nil true 1.5)"#,
    r#"(list (list 1) (dict "a" 1))"#,
    "(dict)",
    r#"(dict "a" 1 "b" "x")"#,
    r#"(dict "a" (dict "b" (list 1 2)) "c" nil)"#,
    ".Values",
    ".Values.num",
    ".Values.flt",
    ".Values.str",
    ".Values.list",
    ".Values.map",
    ".Values.nul",
    ".Values.nope",
    ".Values.map.deep",
    ".Values.big",
    ".Chart.Name",
    ".Release",
    ".Release.Name",
    ".Files",
    ".Capabilities.KubeVersion",
    ".Capabilities.APIVersions",
    ".Template",
    "(int 5)",
    "(int64 7)",
    "(float64 2)",
    "(until 3)",
    r#"(split "," "a,b")"#,
    r#"(splitList "," "a,b")"#,
    r#"(semver "1.2.3-rc.1+b")"#,
    r#"(toDate "2006-01-02" "2020-02-03")"#,
    r#"(b64dec "//79")"#,
    "'a'",
    "0x1F",
    "1_000",
    "(tuple 1 2)",
    "(toString 5)",
    r#"(fromYaml "a: [1, 2.0, x]")"#,
    r#"(fromJson "{\"n\": 1}")"#,
    r#"(printf "%v" 1.0)"#,
    r#"(duration "95")"#,
    r#"(urlParse "https://a.b/c?d=e")"#,
    r#"(regexFindAll "a" "banana" -1)"#,
    "(seq 3)",
    "(list nil)",
    r#"(dict "a" nil)"#,
    "(quote 1)",
    "(toStrings (list 1 2))",
];

/// Numbers that are the same for the same seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, count: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % count as u64) as usize
    }

    fn argument(&mut self, depth: usize) -> String {
        match self.below(10) {
            0..3 if depth > 0 => format!("({})", self.call(depth - 1)),
            _ => ARGUMENTS[self.below(ARGUMENTS.len())].to_owned(),
        }
    }

    fn call(&mut self, depth: usize) -> String {
        let names: Vec<&str> = FUNCTIONS.split_whitespace().collect();
        let name = names[self.below(names.len())];
        let count = [0, 1, 1, 1, 2, 2, 2, 3, 3, 4][self.below(10)];
        (0..count).fold(name.to_owned(), |call, _| call + " " + &self.argument(depth))
    }

    fn template(&mut self) -> String {
        let mut pipe = self.call(2);
        for _ in 0..self.below(3) {
            pipe += &format!(" | {}", self.call(1));
        }
        match self.below(8) {
            0 => format!("{{{{ $x := {pipe} }}}}{{{{ $x }}}}|{{{{ kindOf $x }}}}|{{{{ typeOf $x }}}}"),
            1 => format!("{{{{ range $k, $v := {pipe} }}}}{{{{ $k }}}}={{{{ $v }}}};{{{{ else }}}}none{{{{ end }}}}"),
            2 => format!("{{{{ with {pipe} }}}}{{{{ . }}}}{{{{ else }}}}none{{{{ end }}}}"),
            3 => format!("{{{{ {pipe} | toYaml }}}}"),
            4 => format!("{{{{ {pipe} | toJson }}}}"),
            _ => format!("{{{{ {pipe} }}}}"),
        }
    }
}

/// Runs templates made by chance; `QUARTERDECK_SEED` says which, `QUARTERDECK_ROUNDS` how many.
#[test]
#[ignore = "takes as long as it is told to"]
fn templates_made_by_chance_give_what_helm_gives() {
    let Some(helms) = helms() else { return };
    let number = |name: &str, or: u64| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(or);
    let mut dice = Dice(number("QUARTERDECK_SEED", 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let file = |name: &str, text: &str| (format!("c/{name}"), text.to_owned());
    let mut wrong = Vec::new();
    for _ in 0..number("QUARTERDECK_ROUNDS", 100) {
        let template = dice.template();
        let case = Case {
            name: template.clone(),
            commands: Vec::new(),
            files: vec![
                file("Chart.yaml", "{apiVersion: v2, name: c, version: 1.2.3, appVersion: \"4.5\"}"),
                file(
                    "values.yaml",
                    "{num: 1000000, flt: 2.5, str: str, list: [z, 1, null], map: {k: v, deep: {a: [1]}}, nul: null}",
                ),
                file("f.txt", "l1\nl2\n"),
                file("templates/a.yaml", &format!("x: {{{{ tpl {} . | toJson }}}}\n", serde_json::json!(template))),
            ],
        };
        wrong.extend(Profile::ALL.into_iter().filter_map(|profile| compare(&case, "rel c -n ns", &helms, profile)));
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}
