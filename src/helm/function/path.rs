//! Paths with `/`.

use super::argument::{function, text};
use crate::template::{Function, Host, Parameter, Value};

use Parameter::String as Text;

pub(super) static FUNCTIONS: &[Function] = &[
    function("base", &[Text], base),
    function("clean", &[Text], clean),
    function("dir", &[Text], dir),
    function("ext", &[Text], ext),
    function("isAbs", &[Text], is_absolute),
    function("osBase", &[Text], base),
    function("osClean", &[Text], clean),
    function("osDir", &[Text], dir),
    function("osExt", &[Text], ext),
    function("osIsAbs", &[Text], is_absolute),
];

fn base(_: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    let path = text(&args[0]);
    let trimmed = path.trim_end_matches('/');
    Ok(match trimmed.rsplit('/').next() {
        _ if path.is_empty() => ".",
        _ if trimmed.is_empty() => "/",
        name => name.unwrap_or_default(),
    }
    .into())
}

fn clean(_: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    Ok(cleaned(&text(&args[0])).into())
}

fn dir(_: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    let path = text(&args[0]);
    Ok(cleaned(&path[..path.rfind('/').map_or(0, |at| at + 1)]).into())
}

fn ext(_: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    let path = text(&args[0]);
    let name = path.rsplit('/').next().unwrap_or_default();
    Ok(name.rfind('.').map_or("", |at| &name[at..]).into())
}

fn is_absolute(_: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    Ok(text(&args[0]).starts_with('/').into())
}

/// Returns the shortest path that names the same.
fn cleaned(path: &str) -> String {
    let is_rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => drop(parts.pop()),
            ".." if is_rooted => {}
            part => parts.push(part),
        }
    }
    let joined = parts.join("/");
    match (is_rooted, joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".into(),
        (false, false) => joined,
    }
}

#[cfg(test)]
mod tests {
    use crate::helm::function::tests::check;

    #[test]
    fn paths() {
        check(r#"{{ base "" }} {{ base "a/" }} {{ base "//" }} {{ osBase "a/b" }}"#, ". a / b");
        check(r#"{{ dir "a" }} {{ dir "" }} {{ dir "/a/b" }}"#, ". . /a");
        check(r#"{{ clean "a/../b//c/." }} {{ clean "" }} {{ clean "/../a" }} {{ clean "../.." }}"#, "b/c . /a ../..");
        check(r#"{{ ext "a" }}|{{ ext "a/.b" }}|{{ ext "a.tar.gz" }}|{{ isAbs "/a" }}"#, "|.b|.gz|true");
    }
}
