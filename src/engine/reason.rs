//! Why an application does not render, in one sentence: the cause first, without the chain of calls that led to it.

/// Returns the sentence for lists; the whole message stays in the condition.
pub(super) fn short(message: &str) -> String {
    let message = message.strip_prefix("failed to generate manifest for source 1 of 1: ").unwrap_or(message);
    let message = match message.strip_prefix("helm template ") {
        Some(command) => command.split_once(": ").map_or(message, |(_, error)| error),
        None => message,
    };
    let message = message.trim_end_matches("\n\nUse --debug flag to render out invalid YAML");
    failed(message).or_else(|| refused(message)).or_else(|| schema(message)).or_else(|| traced(message)).unwrap_or_else(
        || {
            let lines: Vec<&str> = message.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
            lines.join(" ")
        },
    )
}

/// `execution error at (web/templates/a.yaml:3:4): words` of `fail` and `required`.
fn failed(message: &str) -> Option<String> {
    let (place, words) = message.strip_prefix("execution error at (")?.split_once("): ")?;
    Some(format!("{} ({})", words.replace('\n', " "), without_column(place)))
}

/// A field that an API server would refuse.
fn refused(message: &str) -> Option<String> {
    let (_, rest) = message.strip_prefix("Application.argoproj.io ")?.split_once("is invalid: ")?;
    Some(rest.to_owned())
}

/// Values that a chart's schema refuses: the first of them, and how many there are.
fn schema(message: &str) -> Option<String> {
    let rest =
        message.strip_prefix("values don't meet the specifications of the schema(s) in the following chart(s):\n")?;
    let mut lines = rest.lines();
    let chart = lines.next()?.trim_end_matches(':');
    let first = lines.next()?.trim_start_matches("- at ");
    let (place, words) = first.split_once(": ")?;
    let place = place.trim_matches('\'').trim_start_matches('/').replace('/', ".");
    let place = if place.is_empty() { chart.to_owned() } else { format!("{chart}.{place}") };
    let more = lines.filter(|line| line.starts_with("- at ")).count();
    Some(format!("values: {place}: {words}{}", if more > 0 { format!(" (and {more} more)") } else { String::new() }))
}

/// A chain of calls, a paragraph each: where it ends, and what is wrong there.
fn traced(message: &str) -> Option<String> {
    let lines: Vec<&str> = message.lines().collect();
    let last = lines.iter().rposition(|line| line.starts_with("  executing "))?;
    let place = last.checked_sub(1).and_then(|at| lines.get(at))?;
    let (_, at) = lines[last].split_once(" at <")?;
    let words = lines.get(last + 1)?.trim();
    Some(format!("{}: {words} ({})", at.trim_end_matches(">:"), without_column(place)))
}

fn without_column(place: &str) -> &str {
    match place.rsplit_once(':') {
        Some((rest, column)) if rest.contains(':') && column.bytes().all(|byte| byte.is_ascii_digit()) => rest,
        _ => place,
    }
}

#[cfg(test)]
mod tests {
    use super::short;

    #[test]
    fn the_cause_comes_first() {
        let check = |message: &str, wanted: &str| assert_eq!(short(message), wanted);
        let begin = "failed to generate manifest for source 1 of 1: helm template charts/a --namespace b: ";
        let end = "\n\nUse --debug flag to render out invalid YAML";
        check(
            &format!("{begin}execution error at (a/templates/b.yaml:3:4): say who: you{end}"),
            "say who: you (a/templates/b.yaml:3)",
        );
        check(
            &format!(
                "{begin}values don't meet the specifications of the schema(s) in the following chart(s):\na:\n- at '/b/c': got null, want string\n- at '': missing property 'd'"
            ),
            "values: a.b.c: got null, want string (and 1 more)",
        );
        check(
            &format!(
                "{begin}a/templates/b.yaml:1:2\n  executing \"a/templates/b.yaml\" at <include \"x\" .>:\n    error calling include:\na/templates/_x.tpl:7:8\n  executing \"x\" at <.Values.y.z>:\n    nil pointer evaluating interface {{}}.z{end}"
            ),
            ".Values.y.z: nil pointer evaluating interface {}.z (a/templates/_x.tpl:7)",
        );
        check(
            "failed to generate manifest for source 2 of 2: x\n y",
            "failed to generate manifest for source 2 of 2: x y",
        );
        check("value file \"a\" does not exist", "value file \"a\" does not exist");
    }
}
