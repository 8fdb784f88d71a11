//! `health FILE` and `compare DESIRED LIVE`: the two questions that people ask when a screen shows red.

use std::io::{self, Read, Write};
use std::path::Path;

use serde::Serialize;

use super::args::{Compare, Health, Output};
use super::output::{self, Table};
use super::{DIFFERENT, FINE};
use crate::model::text::line;
use crate::model::{HealthStatus, Object, Problem};
use crate::{diff, health, yaml};

#[derive(Serialize)]
struct HealthRow {
    group: String,
    kind: String,
    namespace: String,
    name: String,
    health: Option<&'static str>,
    message: String,
}

#[derive(Serialize)]
struct Comparison {
    differs: bool,
    certain: bool,
    fields: Vec<FieldRow>,
}

#[derive(Serialize)]
struct FieldRow {
    path: String,
    live: Option<String>,
    git: Option<String>,
    manager: String,
}

/// Prints the health of each object in a file.
///
/// # Errors
/// When the file cannot be read, is not YAML or holds no object.
pub fn health(args: &Health, out: &mut dyn Write) -> Result<u8, Problem> {
    let objects = read(&args.file)?;
    let rows: Vec<(Object, Option<crate::model::Health>)> =
        objects.into_iter().map(|object| (object.clone(), health::assess(&object))).collect();
    let well = rows.iter().all(|(_, health)| {
        health.as_ref().is_none_or(|health| matches!(health.status, HealthStatus::Healthy | HealthStatus::Suspended))
    });
    write_health(args.output, &rows, out).map_err(|error| super::unwritable(&error))?;
    Ok(if well { FINE } else { DIFFERENT })
}

fn write_health(
    format: Output,
    rows: &[(Object, Option<crate::model::Health>)],
    out: &mut dyn Write,
) -> io::Result<()> {
    if format != Output::Table {
        let rows: Vec<HealthRow> = rows
            .iter()
            .map(|(object, health)| {
                let key = object.key();
                HealthRow {
                    group: key.group.to_string(),
                    kind: key.kind.to_string(),
                    namespace: key.namespace.to_string(),
                    name: key.name.to_string(),
                    health: health.as_ref().map(|health| health.status.as_str()),
                    message: health.as_ref().map_or_else(String::new, |health| health.message.clone()),
                }
            })
            .collect();
        return output::structured(out, format, &rows);
    }
    let mut table = Table::new(["OBJECT", "HEALTH", "MESSAGE"]);
    for (object, health) in rows {
        let (status, message) = match health {
            Some(health) => (health.status.as_str(), health.message.as_str()),
            None => ("-", "this kind has no health"),
        };
        table.row([&object.key().to_string(), status, message]);
    }
    table.write(out)
}

/// Prints why two objects differ.
///
/// # Errors
/// When a file cannot be read, is not YAML or does not hold exactly one object.
pub fn compare(args: &Compare, out: &mut dyn Write) -> Result<u8, Problem> {
    let (desired, live) = (read_one(&args.desired)?, read_one(&args.live)?);
    let result = diff::compare(&desired, &live, &diff::Options::default());
    write_comparison(args.output, &result, out).map_err(|error| super::unwritable(&error))?;
    Ok(if result.differs { DIFFERENT } else { FINE })
}

fn write_comparison(format: Output, result: &diff::Comparison, out: &mut dyn Write) -> io::Result<()> {
    if format != Output::Table {
        let fields = result
            .fields
            .iter()
            .map(|field| FieldRow {
                path: field.path.clone(),
                live: field.live.clone(),
                git: field.git.clone(),
                manager: field.manager.clone(),
            })
            .collect();
        return output::structured(
            out,
            format,
            &Comparison { differs: result.differs, certain: result.certain, fields },
        );
    }
    if !result.differs {
        return writeln!(out, "Synced: applying would change nothing");
    }
    writeln!(out, "OutOfSync: {} fields differ", result.fields.len())?;
    for field in &result.fields {
        write!(out, "{}: ", line(&field.path))?;
        let show = |value: &Option<String>| {
            value.as_deref().map_or_else(|| "(absent)".to_owned(), |text| line(text).into_owned())
        };
        write!(out, "{} -> {}", show(&field.live), show(&field.git))?;
        if !field.manager.is_empty() {
            write!(out, "  (live value by {})", line(&field.manager))?;
        }
        writeln!(out)?;
    }
    Ok(())
}

fn read_one(path: &Path) -> Result<Object, Problem> {
    let mut objects = read(path)?;
    if objects.len() > 1 {
        return Err(Problem::new(format!("{} holds {} objects", path.display(), objects.len()))
            .hint("give one object per file"));
    }
    objects.pop().ok_or_else(|| none_in(path))
}

fn none_in(path: &Path) -> Problem {
    Problem::new(format!("{} holds no Kubernetes object", path.display()))
        .hint("it needs apiVersion, kind and metadata.name")
}

fn read(path: &Path) -> Result<Vec<Object>, Problem> {
    let mut bytes = Vec::new();
    let result = if path == Path::new("-") {
        io::stdin().lock().read_to_end(&mut bytes).map(|_| ())
    } else {
        std::fs::read(path).map(|read| bytes = read)
    };
    result.map_err(|error| Problem::new(format!("{} cannot be read: {error}", path.display())))?;
    let mut objects = Vec::new();
    for document in yaml::documents(&bytes) {
        let value = document.value.map_err(|error| Problem::new(format!("{} is not YAML: {error}", path.display())))?;
        let items = match value.get("items").and_then(serde_json::Value::as_array) {
            Some(items)
                if value.get("kind").and_then(|kind| kind.as_str()).is_some_and(|kind| kind.ends_with("List")) =>
            {
                items.clone()
            }
            _ => vec![value],
        };
        objects.extend(items.into_iter().filter_map(Object::new).filter(|object| !object.kind().is_empty()));
    }
    if objects.is_empty() { Err(none_in(path)) } else { Ok(objects) }
}
