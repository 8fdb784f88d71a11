//! Keys that nobody knows: where they stand and what was probably meant.

/// Says that a key is unknown, naming the closest one that is known.
pub(super) fn message(key: &str, known: &[&str]) -> String {
    let closest = known.iter().map(|name| (distance(key, name), *name)).min();
    match closest {
        Some((steps, name)) if steps <= 1 + name.len() / 3 => format!("unknown key {key:?}; did you mean {name:?}?"),
        _ => format!("unknown key {key:?}; known are {}", known.join(", ")),
    }
}

/// Returns the line, from 1, of the first line that sets that key.
pub(super) fn line_of(text: &str, key: &str) -> Option<usize> {
    let sets = |line: &str| {
        let line = line.trim_start_matches(['-', ' ', '\t', '[', '{', '"', '\'']);
        line.strip_prefix(key)
            .is_some_and(|rest| rest.trim_start_matches(['"', '\'', ' ']).starts_with(['=', ':', ']', '.']))
    };
    text.lines().position(sets).map(|at| at + 1)
}

fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, y) in b.chars().enumerate() {
            let next = (corner + usize::from(x != y)).min(row[j] + 1).min(row[j + 1] + 1);
            corner = row[j + 1];
            row[j + 1] = next;
        }
    }
    row.last().copied().unwrap_or_default()
}
