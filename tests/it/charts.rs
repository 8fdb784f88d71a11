//! Real charts against what real helm prints for them.

use std::collections::{BTreeMap, HashMap};
use std::io::{BufRead, BufReader, Read};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use quarterdeck::helm::{self, Capabilities, Chart, ChartFile, Options, Profile, ValueInput};

use crate::corpus;

type Files = BTreeMap<String, Arc<[u8]>>;

/// One render and what helm made of it.
struct Case {
    id: String,
    chart: String,
    values: Vec<String>,
    flags: Vec<String>,
    ok: bool,
    error: String,
    random_lines: Vec<usize>,
    unstable: bool,
}

fn unpack(name: &str) -> Option<Files> {
    let mut archive = tar::Archive::new(xz2::read::XzDecoder::new(corpus::open(name)?));
    let mut files = Files::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        if entry.header().entry_type().is_file() {
            let path = entry.path().unwrap().to_string_lossy().into_owned();
            let mut data = Vec::new();
            entry.read_to_end(&mut data).unwrap();
            files.insert(path, data.into());
        }
    }
    Some(files)
}

fn cases(profile: Profile) -> Option<Vec<Case>> {
    let texts = |value: &serde_json::Value| -> Vec<String> {
        value.as_array().unwrap().iter().map(|item| item.as_str().unwrap().to_owned()).collect()
    };
    let read = |line: Result<String, std::io::Error>| {
        let row: serde_json::Value = serde_json::from_str(&line.unwrap()).unwrap();
        let expect = &row["expect"][profile.name()];
        let random = expect["random_lines"].as_array().cloned().unwrap_or_default();
        Case {
            id: row["id"].as_str().unwrap().to_owned(),
            chart: row["chart"].as_str().unwrap().to_owned(),
            values: texts(&row["values"]),
            flags: texts(&row["flags"]),
            ok: expect["ok"].as_bool().unwrap(),
            error: expect["error"].as_str().unwrap_or_default().to_owned(),
            random_lines: random.iter().map(|line| line.as_u64().unwrap() as usize).collect(),
            unstable: expect["unstable"].as_bool().unwrap_or(false),
        }
    };
    Some(BufReader::new(corpus::open("charts.jsonl")?).lines().map(read).collect())
}

fn load(files: &Files, chart: &str) -> Result<Chart, helm::Error> {
    let below = format!("{chart}/");
    let inside = files.range(below.clone()..).take_while(|(path, _)| path.starts_with(&below));
    let chart_file = |(path, data): (&String, &Arc<[u8]>)| ChartFile {
        name: path[below.len()..].to_owned(),
        data: Arc::clone(data),
    };
    helm::load(inside.map(chart_file).collect())
}

fn options(case: &Case, profile: Profile, files: &Files) -> Options {
    let mut options = Options::new(profile, "rel", "ns");
    options.include_crds = true;
    let mut capabilities = Capabilities::default_for(profile);
    let mut flags = case.flags.iter();
    while let Some(flag) = flags.next() {
        match flag.as_str() {
            "--skip-schema-validation" => options.skip_schema_validation = true,
            "--kube-version" => capabilities.set_kube_version(flags.next().unwrap()).unwrap(),
            "--api-versions" => capabilities.api_versions.push(flags.next().unwrap().clone()),
            other => panic!("{}: unknown flag {other}", case.id),
        }
    }
    options.capabilities = Arc::new(capabilities);
    for name in &case.values {
        options.values.push(ValueInput::File { name: name.clone(), data: Arc::clone(&files[name]) });
    }
    options
}

/// Replaces the lines on which helm itself differs from run to run.
fn mask(text: &str, random: &[usize]) -> String {
    let lines = text.split('\n').enumerate();
    lines.map(|(at, line)| if random.contains(&(at + 1)) { "?" } else { line }).collect::<Vec<_>>().join("\n")
}

/// Returns what is wrong; nothing if all is as in helm.
fn compare(case: &Case, rendered: &Result<helm::Rendered, helm::Error>, golden: &str) -> Option<String> {
    match (rendered, case.ok) {
        (Ok(_), true) if case.unstable => None,
        (Ok(rendered), true) => {
            let (ours, helms) = (mask(&rendered.text, &case.random_lines), mask(golden, &case.random_lines));
            if ours == helms {
                return None;
            }
            let first = ours.lines().zip(helms.lines()).position(|(ours, helms)| ours != helms);
            let first = first.unwrap_or_else(|| ours.lines().count().min(helms.lines().count()));
            let at = |text: &str| text.lines().nth(first).unwrap_or("(end)").to_owned();
            Some(format!("line {}: {:?}, helm has {:?}", first + 1, at(&ours), at(&helms)))
        }
        (Ok(_), false) => Some(format!("renders, helm says {:?}", case.error)),
        (Err(error), true) => Some(format!("{error:?}")),
        (Err(error), false) => {
            let ours = format!("Error: {error}");
            (ours != case.error).then(|| format!("error {ours:?}, helm says {:?}", case.error))
        }
    }
}

/// Renders every case with a profile and checks how many are as in helm, of the renders and of the errors.
/// `QUARTERDECK_CASE` selects one case by its id, and has its text written to standard output.
fn check(profile: Profile, renders: f64, errors: f64) {
    let Some(cases) = cases(profile) else { return };
    let files = unpack("charts.tar.xz").unwrap();
    let goldens = unpack(&format!("golden-{}.tar.xz", profile.name())).unwrap();
    let wanted = std::env::var("QUARTERDECK_CASE").ok();
    let charts: Mutex<HashMap<String, Arc<Result<Chart, helm::Error>>>> = Mutex::default();
    let next = AtomicUsize::new(0);
    let wrong: Mutex<Vec<(String, bool, String)>> = Mutex::default();
    let work = || {
        while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
            if wanted.as_ref().is_some_and(|wanted| *wanted != case.id) {
                continue;
            }
            let known = charts.lock().unwrap().get(&case.chart).cloned();
            let chart = known.unwrap_or_else(|| Arc::new(load(&files, &case.chart)));
            charts.lock().unwrap().insert(case.chart.clone(), Arc::clone(&chart));
            let rendered = match &*chart {
                Ok(chart) => helm::render(chart, &options(case, profile, &files)),
                Err(error) => Err(error.clone()),
            };
            let golden = goldens.get(&format!("golden-{}/{}.yaml", profile.name(), case.id));
            let golden = golden.map(|data| String::from_utf8_lossy(data).into_owned()).unwrap_or_default();
            if let (Some(_), Ok(rendered)) = (&wanted, &rendered) {
                println!("{}", rendered.text);
            }
            if let Some(problem) = compare(case, &rendered, &golden) {
                wrong.lock().unwrap().push((
                    case.id.clone(),
                    case.ok,
                    format!("{} {}: {problem}", case.id, case.chart),
                ));
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
    let mut wrong = wrong.into_inner().unwrap();
    wrong.sort();
    for (_, _, problem) in &wrong {
        println!("{}", problem.chars().take(600).collect::<String>());
    }
    if wanted.is_some() {
        assert!(wrong.is_empty());
        return;
    }
    for (ok, name, target) in [(true, "renders", renders), (false, "errors", errors)] {
        let all = cases.iter().filter(|case| case.ok == ok).count();
        let right = all - wrong.iter().filter(|(_, case_ok, _)| *case_ok == ok).count();
        println!("helm {profile}: {right} of {all} {name} as in helm");
        assert!(right as f64 >= target * all as f64, "helm {profile}: only {right} of {all} {name}");
    }
}

#[test]
fn charts_render_as_in_helm_4_3() {
    check(Profile::V4_3, 0.95, 0.90);
}

#[test]
fn charts_render_as_in_helm_3_19() {
    check(Profile::V3_19, 0.95, 0.90);
}
