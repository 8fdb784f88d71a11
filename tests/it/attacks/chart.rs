//! Attacks 1 to 19: charts, archives and repositories.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use quarterdeck::helm;
use quarterdeck::source::{Entry, EntryKind, Tree, TreeError};
use serde_json::json;
use tar::EntryType;
use tempfile::TempDir;

use super::{CHART, Repository, archive, file, from_tree, header, packed, render_with, said, template, timed, write};

const CONFIG: &str = "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}";

/// A folder with a chart in `c` and something secret beside it.
fn folder() -> TempDir {
    let folder = TempDir::new().unwrap();
    write(folder.path(), &[("c/Chart.yaml", CHART), ("c/templates/a.yaml", CONFIG), ("secret", "canary")]);
    folder
}

#[track_caller]
fn refuses_archive(bytes: &[u8], wanted: &str) {
    let error = timed(|| helm::load_archive(bytes)).map(drop).map_err(said).expect_err(wanted);
    assert!(error.contains(wanted), "{error}\nsays nothing of {wanted:?}");
}

#[test]
fn a01_links_out_of_the_chart() {
    for target in ["/etc/passwd", "../../secret"] {
        let folder = folder();
        symlink(target, folder.path().join("c/templates/x.yaml")).unwrap();
        template(folder.path(), &["c"]).refused("is a symlink that leads out of");
    }
    let repository = Repository::new(&[("c/Chart.yaml", CHART)]);
    fs::create_dir(repository.0.path().join("c/templates")).unwrap();
    symlink("/etc/passwd", repository.0.path().join("c/templates/x.yaml")).unwrap();
    repository.refuses(&json!({"path": "c"}), "leads out of the repository");
}

#[test]
fn a02_files_behind_links() {
    let folder = folder();
    write(folder.path(), &[("c/templates/b.yaml", r#"a: {{ .Files.Get "x" }}"#)]);
    symlink(folder.path().join("secret"), folder.path().join("c/x")).unwrap();
    template(folder.path(), &["c"]).refused("is a symlink that leads out of");
    // A chart that is all links into itself is fine.
    fs::remove_file(folder.path().join("c/x")).unwrap();
    symlink("templates/../values.txt", folder.path().join("c/x")).unwrap();
    write(folder.path(), &[("c/values.txt", "inside")]);
    assert!(template(folder.path(), &["c"]).out.contains("a: inside"));
}

#[test]
fn a03_links_that_leave_and_come_back() {
    let folder = folder();
    symlink("../c/Chart.yaml", folder.path().join("c/x")).unwrap();
    template(folder.path(), &["c"]).refused("is a symlink that leads out of");
    let repository = Repository::new(&[("c/Chart.yaml", CHART)]);
    let name = repository.0.path().file_name().unwrap().to_str().unwrap().to_owned();
    symlink(format!("../../{name}/c/Chart.yaml"), repository.0.path().join("c/x")).unwrap();
    repository.refuses(&json!({"path": "c"}), "leads out of the repository");
}

#[test]
fn a04_links_in_a_circle_and_in_a_chain() {
    let folder = folder();
    symlink("y", folder.path().join("c/x")).unwrap();
    symlink("x", folder.path().join("c/y")).unwrap();
    template(folder.path(), &["c"]).refused("leads nowhere");
    let folder = self::folder();
    symlink(".", folder.path().join("c/x")).unwrap();
    symlink(".", folder.path().join("c/y")).unwrap();
    template(folder.path(), &["c"]).refused("nested too deeply");
    let repository = Repository::new(&[("c/Chart.yaml", CHART)]);
    symlink(".", repository.0.path().join("c/x")).unwrap();
    symlink(".", repository.0.path().join("c/y")).unwrap();
    repository.refuses(&json!({"path": "c"}), "nested too deep");
    let repository = Repository::new(&[("c/Chart.yaml", CHART)]);
    for link in 0..500 {
        symlink(format!("l{}", link + 1), repository.0.path().join(format!("c/l{link}"))).unwrap();
    }
    repository.refuses(&json!({"path": "c"}), "more than 10 symlinks");
}

#[test]
fn a05_value_files_outside() {
    let repository = Repository::new(&[("c/Chart.yaml", CHART)]);
    for (name, wanted) in [
        ("../../../etc/shadow", "leads out of the repository"),
        ("/etc/shadow", "does not exist"),
        ("file:///etc/shadow", "file:///etc/shadow"),
        ("~/.ssh/id", "does not exist"),
        ("%2e%2e/%2e%2e/etc/shadow", "does not exist"),
        ("..\\..\\secret", "does not exist"),
    ] {
        repository.refuses(&json!({"path": "c", "helm": {"valueFiles": [name]}}), wanted);
    }
}

#[test]
fn a06_value_files_from_the_network() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = format!("http://{}/values.yaml", listener.local_addr().unwrap());
    let repository = Repository::new(&[("c/Chart.yaml", CHART)]);
    repository.refuses(&json!({"path": "c", "helm": {"valueFiles": [url]}}), &url);
    let folder = folder();
    template(folder.path(), &["c", "-f", &url]).refused("");
    assert!(listener.accept().is_err(), "somebody called");
}

#[test]
fn a07_files_that_become_links_while_they_are_read() {
    let folder = folder();
    let (inside, other) = (folder.path().join("c/templates/t.yaml"), folder.path().join("c/templates/.other"));
    write(folder.path(), &[("c/templates/t.yaml", "a: fine")]);
    let ends = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !ends.load(Ordering::Relaxed) {
                symlink(folder.path().join("secret"), &other).unwrap();
                fs::rename(&other, &inside).unwrap();
                fs::write(&other, "a: fine").unwrap();
                fs::rename(&other, &inside).unwrap();
            }
        });
        for _ in 0..30 {
            let done = template(folder.path(), &["c"]);
            assert!(!done.out.contains("canary") && !done.error.contains("canary"), "{}", done.out);
        }
        ends.store(true, Ordering::Relaxed);
    });
    // From a repository, only what was committed counts.
    let repository = Repository::new(&[("c/Chart.yaml", CHART), ("c/templates/a.yaml", CONFIG)]);
    let commit = crate::git::commit(repository.0.path(), "x", "");
    symlink("/etc/passwd", repository.0.path().join("c/templates/x.yaml")).unwrap();
    let tree = quarterdeck::git::Repository::open(repository.0.path()).unwrap().tree(&commit).unwrap();
    assert_eq!(from_tree(tree, &json!({"path": "c"})).unwrap().objects.len(), 1);
}

#[test]
fn a08_a_lock_that_is_a_link() {
    let folder = folder();
    symlink(folder.path().join("secret"), folder.path().join("c/Chart.lock")).unwrap();
    template(folder.path(), &["c"]).refused("is a symlink that leads out of");
    assert_eq!(fs::read_to_string(folder.path().join("secret")).unwrap(), "canary");
}

#[test]
fn a09_archive_names_that_lead_out() {
    for (name, wanted) in [
        ("../x", "parent directory"),
        ("c/../../x", "parent directory"),
        ("/abs", "absolute paths"),
        ("c//abs", "absolute paths"),
        ("C:\\x", "illegally named"),
        ("c/C:/x", "illegally named"),
        ("c\\..\\..\\x", "parent directory"),
        ("c/.", "outside the base directory"),
        ("x", "outside the base directory"),
    ] {
        refuses_archive(&archive(&[("c/Chart.yaml", CHART.as_bytes()), (name, b"")]), wanted);
    }
    let mut tar = tar::Builder::new(Vec::new());
    tar.append_pax_extensions([("path", &b"c/a\0b"[..])]).unwrap();
    tar.append(&header("c/x", EntryType::Regular, 0), &b""[..]).unwrap();
    refuses_archive(&packed(&tar.into_inner().unwrap()), "illegally named");
    for name in [".", "..", "a/b"] {
        let error =
            render_with(vec![file("Chart.yaml", format!("{{apiVersion: v2, name: {name}, version: 1.0.0}}"))], &[]);
        assert!(error.expect_err(name).contains("chart.metadata.name"));
    }
}

#[test]
fn a10_links_in_archives() {
    for kind in [EntryType::Symlink, EntryType::Link, EntryType::Fifo, EntryType::Block, EntryType::Char] {
        let mut tar = tar::Builder::new(Vec::new());
        let mut entry = header("c/templates", kind, 0);
        entry.set_link_name("/etc").unwrap();
        entry.set_cksum();
        tar.append(&entry, &b""[..]).unwrap();
        tar.append(&header("c/templates/passwd", EntryType::Regular, 0), &b""[..]).unwrap();
        refuses_archive(&packed(&tar.into_inner().unwrap()), "links and devices are refused");
    }
}

#[test]
fn a11_two_sizes_of_one_file() {
    let mut tar = tar::Builder::new(Vec::new());
    tar.append_pax_extensions([("size", &b"1024"[..])]).unwrap();
    tar.append(&header("c/Chart.yaml", EntryType::Regular, 512), &[b' '; 1024][..]).unwrap();
    refuses_archive(&packed(&tar.into_inner().unwrap()), "two different sizes");
}

/// Returns a `.tgz` that unpacks to very much of the same.
fn bomb(name: &str, kind: EntryType, size: u64, written: u64) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(header(name, kind, size).as_bytes()).unwrap();
    for _ in 0..written >> 20 {
        gzip.write_all(&[b' '; 1 << 20]).unwrap();
    }
    gzip.finish().unwrap()
}

#[test]
fn a12_archives_that_unpack_to_too_much() {
    let folder = folder();
    for (at, (kind, size, wanted)) in [
        (EntryType::Regular, 10 << 30, "larger than the maximum file size"),
        (EntryType::Directory, 10 << 30, "larger than the maximum size"),
        (EntryType::GNULongName, 10 << 30, "larger than the maximum size"),
        (EntryType::XHeader, 10 << 30, "larger than the maximum size"),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("{at}.tgz");
        fs::write(folder.path().join(&name), bomb("c/x", kind, size, 140 << 20)).unwrap();
        template(folder.path(), &[&name]).refused(wanted);
    }
    // Thirty archives of 4 MiB in an archive, and each in each ten times.
    let large = vec![b' '; 4 << 20];
    let inner = archive(&[("s/Chart.yaml", CHART.as_bytes()), ("s/x", &large)]);
    let names: Vec<String> = (0..30).map(|at| format!("c/charts/s{at}.tgz")).collect();
    let mut files: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), inner.as_slice())).collect();
    files.push(("c/Chart.yaml", CHART.as_bytes()));
    fs::write(folder.path().join("many.tgz"), archive(&files)).unwrap();
    template(folder.path(), &["many.tgz"]).refused("larger than the maximum size");
    let nested = (0..10).fold(inner, |inner, _| {
        archive(&[("c/Chart.yaml", CHART.as_bytes()), ("c/x", &large), ("c/charts/a.tgz", &inner)])
    });
    assert!(timed(|| helm::load_archive(&nested)).is_ok());
}

#[test]
fn a13_too_many_files_and_the_same_twice() {
    let mut tar = tar::Builder::new(Vec::new());
    for at in 0..30_000 {
        tar.append(&header(&format!("c/{at}"), EntryType::Regular, 0), &b""[..]).unwrap();
    }
    refuses_archive(&packed(&tar.into_inner().unwrap()), "more than 20000 files");
    let twice = archive(&[("c/Chart.yaml", CHART.as_bytes()), ("c/Chart.yaml", b"{name: other}")]);
    refuses_archive(&twice, "\"Chart.yaml\" twice");
    let twice = archive(&[("c/Chart.yaml", CHART.as_bytes()), ("c/./Chart.yaml", b"{name: other}")]);
    refuses_archive(&twice, "\"Chart.yaml\" twice");
    let mut tar = tar::Builder::new(Vec::new());
    let long = format!("c/{}", "x/".repeat(2500));
    tar.append_pax_extensions([("path", long.as_bytes())]).unwrap();
    tar.append(&header("c/x", EntryType::Regular, 0), &b""[..]).unwrap();
    refuses_archive(&packed(&tar.into_inner().unwrap()), "longer than 4096 bytes");
}

#[test]
fn a14_modes_are_never_applied() {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, kind, data) in
        [("c/", EntryType::Directory, ""), ("c/Chart.yaml", EntryType::Regular, CHART), ("c/x", EntryType::Regular, "")]
    {
        let mut entry = header(name, kind, data.len() as u64);
        entry.set_mode(0);
        entry.set_cksum();
        tar.append(&entry, data.as_bytes()).unwrap();
    }
    let chart = helm::load_archive(&packed(&tar.into_inner().unwrap())).unwrap();
    assert_eq!(chart.metadata().name, "c");
}

#[test]
fn a15_descriptions_that_are_none() {
    for (text, wanted) in [
        (&b""[..], "chart.metadata.name is required"),
        (b"{apiVersion: v2, na", "cannot load Chart.yaml"),
        (b"\xff\xfe\x00", "Chart.yaml"),
        (b"\xff", "Chart.yaml"),
        (b"[]", "cannot load Chart.yaml"),
        (b"name: [a]", "cannot load Chart.yaml"),
        (b"{apiVersion: v2, name: c, version: 1.0.0, dependencies: 5}", "cannot load Chart.yaml"),
        (
            b"{apiVersion: v2, name: c, version: 1.0.0, dependencies: [null]}",
            "dependencies must not contain empty or null",
        ),
        (b"{apiVersion: v2, name: c, version: 1.0.0, dependencies: [5]}", "cannot load Chart.yaml"),
        (
            b"{apiVersion: v2, name: c, version: 1.0.0, maintainers: [null]}",
            "maintainers must not contain empty or null",
        ),
    ] {
        let rendered = render_with(vec![file("Chart.yaml", text)], &[]);
        assert!(rendered.as_ref().is_err_and(|error| error.contains(wanted)), "{wanted}: {rendered:?}");
    }
    refuses_archive(&packed(b""), "no files in chart archive");
    refuses_archive(b"", "");
    refuses_archive(&archive(&[("c/Chart.yaml", CHART.as_bytes())])[..30], "");
}

#[test]
fn a16_what_would_block_is_never_opened() {
    let folder = folder();
    let fifo = |name: &str| {
        assert!(std::process::Command::new("mkfifo").arg(folder.path().join(name)).status().unwrap().success());
    };
    fifo("c/templates/pipe.yaml");
    template(folder.path(), &["c"]).refused("cannot load irregular file");
    fs::remove_file(folder.path().join("c/templates/pipe.yaml")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(folder.path().join("c/socket")).unwrap();
    template(folder.path(), &["c"]).refused("cannot load irregular file");
    fifo("pipe.tgz");
    template(folder.path(), &["pipe.tgz"]).refused("cannot load irregular file");
    template(folder.path(), &["/dev/zero"]).refused("cannot load irregular file");
}

/// A repository that says of itself that it is huge.
struct Huge;

impl Tree for Huge {
    fn entry(&self, path: &str) -> Result<Option<Entry>, TreeError> {
        if path.contains("argocd") {
            return Ok(None);
        }
        let kind = if path.contains('.') { EntryKind::Blob } else { EntryKind::Tree };
        Ok(Some(Entry { kind, id: path.into(), size: 5 << 30 }))
    }

    fn children(&self, _: &str) -> Result<Vec<(String, Entry)>, TreeError> {
        let name = |at: usize| if at == 0 { "Chart.yaml".into() } else { format!("{at}.yaml") };
        Ok((0..60_000).map(|at| (name(at), self.entry(&name(at)).unwrap().unwrap())).collect())
    }

    fn blob(&self, id: &str) -> Result<Arc<[u8]>, TreeError> {
        Ok(id.as_bytes().into())
    }
}

#[test]
fn a17_very_many_and_very_large_files() {
    for helm in [json!({"path": "c", "helm": {}}), json!({"path": "c", "directory": {"recurse": true}})] {
        let error = from_tree(Arc::new(Huge), &helm).expect_err("too many");
        assert!(error.contains("more than 50000 files"), "{error}");
    }
    let folder = folder();
    let mut large = fs::File::create(folder.path().join("c/large")).unwrap();
    large.write_all(&[0x1f, 0x8b, 8]).unwrap();
    large.set_len(5 << 30).unwrap();
    template(folder.path(), &["c"]).refused("larger than the maximum file size");
    fs::rename(folder.path().join("c/large"), folder.path().join("large.tgz")).unwrap();
    template(folder.path(), &["large.tgz"]).refused("larger than the maximum file size");
    for at in 0..21_000 {
        fs::write(folder.path().join(format!("c/{at}")), "").unwrap();
    }
    template(folder.path(), &["c"]).refused("holds more than 20000 files");
    let repository = Repository::new(&[("c/Chart.yaml", CHART), ("c/large", &"x".repeat(6 << 20))]);
    repository.refuses(&json!({"path": "c"}), "larger than the maximum file size");
    write(repository.0.path(), &[("c/large", &"x".repeat(70 << 20))]);
    repository.refuses(&json!({"path": "c"}), "larger than 64 MiB");
}

#[test]
fn a18_names_that_some_systems_take_for_one() {
    let names = ["a.yaml", "A.yaml", "\u{e9}.yaml", "e\u{301}.yaml", "CON.yaml", "aux"];
    let bodies: Vec<String> = (0..names.len()).map(|at| format!("v: {at}")).collect();
    let paths: Vec<String> = names.iter().map(|name| format!("c/templates/{name}")).collect();
    let mut files: Vec<(&str, &[u8])> =
        paths.iter().zip(&bodies).map(|(path, body)| (path.as_str(), body.as_bytes())).collect();
    files.push(("c/Chart.yaml", CHART.as_bytes()));
    let chart = helm::load_archive(&archive(&files)).unwrap();
    let text = helm::render(&chart, &helm::Options::default()).unwrap().text;
    for (path, body) in paths.iter().zip(&bodies) {
        assert!(text.contains(&format!("# Source: {path}\n{body}\n")), "{text}");
    }
}

#[test]
fn a19_charts_in_charts_without_end() {
    let deep = "charts/b/charts/a/".repeat(50);
    let files = vec![file("Chart.yaml", CHART), file(&format!("{deep}Chart.yaml"), CHART)];
    assert!(timed(|| helm::load(files)).is_err());
    let mut files: Vec<_> = (0..100).map(|at| file(&format!("{}Chart.yaml", "charts/a/".repeat(at)), CHART)).collect();
    files.reverse();
    assert!(render_with(files, &[]).is_err_and(|error| error.contains("more than 64 deep")));
    let aliases = |count: usize, name: &str| {
        let aliases = (0..count).map(|at| format!("- {{name: {name}, version: 1.0.0, alias: a{at}}}\n"));
        format!("apiVersion: v2\nname: {name}c\nversion: 1.0.0\ndependencies:\n{}", aliases.collect::<String>())
    };
    let one = [
        file("Chart.yaml", aliases(10_000, "s")),
        file("charts/s/Chart.yaml", "{apiVersion: v2, name: s, version: 1.0.0}"),
    ];
    let error = render_with(one.to_vec(), &[]).expect_err("too many");
    assert!(error.contains("too many charts"), "{error}");
    // A hundred of a hundred of a hundred.
    let cubed = vec![
        file("Chart.yaml", aliases(100, "tc")),
        file("charts/t/Chart.yaml", aliases(100, "uc").replace("name: ucc", "name: tc")),
        file("charts/t/charts/u/Chart.yaml", aliases(100, "s").replace("name: sc", "name: uc")),
        file("charts/t/charts/u/charts/s/Chart.yaml", "{apiVersion: v2, name: s, version: 1.0.0}"),
    ];
    let error = render_with(cubed, &[]).expect_err("too many");
    assert!(error.contains("too many charts"), "{error}");
    // Rules for ignored files take as long as they are, not as long as they could.
    let rules = format!("{}b\n", "*a".repeat(40));
    let rules = [file("Chart.yaml", CHART), file(".helmignore", rules), file(&"a".repeat(200), "")];
    assert!(render_with(rules.to_vec(), &[]).is_ok());
}
