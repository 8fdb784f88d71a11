//! Dependencies that a chart lists and does not carry: which they are, and the chart with them put in.

use std::sync::Arc;

use serde_json::Value;

use super::archive;
use super::chart::Chart;
use super::error::Error;
use super::failure;
use super::ignore::Ignore;
use super::load::{self, ChartFile};
use crate::model::version::{Constraint, Version};
use crate::yaml;

/// A dependency that has to be had from elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lacking {
    /// Its name.
    pub name: String,
    /// The locked version, if there is one that fits, else what is listed.
    pub version: String,
    /// Where it comes from: `https://`, `oci://`, `file://`, `@name` or nothing.
    pub repository: String,
}

impl Lacking {
    /// Returns the file name that helm would give it in `charts/`.
    pub fn file_name(&self, version: &str) -> String {
        format!("charts/{}-{version}.tgz", self.name)
    }
}

/// Returns the dependencies that a chart's files list and do not hold.
///
/// # Errors
/// When the files are no chart.
pub fn lacking(files: &[ChartFile]) -> Result<Vec<Lacking>, Error> {
    let lists = |file: &ChartFile| match file.name.as_str() {
        "requirements.yaml" => true,
        "Chart.yaml" => file.data.windows(12).any(|window| window == b"dependencies"),
        _ => false,
    };
    if !files.iter().any(lists) {
        return Ok(Vec::new());
    }
    let chart = load::load(files.to_vec())?;
    let locks: Vec<Value> = files
        .iter()
        .filter(|file| matches!(file.name.as_str(), "Chart.lock" | "requirements.lock"))
        .filter_map(|file| yaml::parse(&file.data).ok())
        .collect();
    Ok(of(&chart, &locks))
}

fn of(chart: &Chart, locks: &[Value]) -> Vec<Lacking> {
    let listed = chart.metadata.dependencies.iter().flatten();
    let missing = listed.filter(|listed| !chart.dependencies.iter().any(|found| found.metadata.name == listed.name));
    let mut found: Vec<Lacking> = Vec::new();
    for dependency in missing {
        let locked = locks.iter().filter_map(|lock| lock.get("dependencies")?.as_array()).flatten().find_map(|entry| {
            let is = |key: &str, text: &str| entry.get(key).and_then(Value::as_str) == Some(text);
            let version = entry.get("version")?.as_str()?;
            let fits = Constraint::parse(&dependency.version)?.matches(&Version::parse(version)?);
            (is("name", &dependency.name) && is("repository", &dependency.repository) && fits).then_some(version)
        });
        let lacking = Lacking {
            name: dependency.name.clone(),
            version: locked.unwrap_or(&dependency.version).to_owned(),
            repository: dependency.repository.clone(),
        };
        // One chart may be listed under several aliases.
        if !found.contains(&lacking) {
            found.push(lacking);
        }
    }
    found
}

/// Returns a folder's chart with more files put in, to which its `.helmignore` does not apply.
///
/// # Errors
/// When the files are no chart.
pub fn load_with(files: Vec<ChartFile>, supplied: Vec<ChartFile>) -> Result<Chart, Error> {
    let mut files = kept(files)?;
    files.extend(supplied);
    let mut left = archive::LARGEST_ARCHIVE;
    load::finished(load::chart(files, 0, &mut left))
}

/// Returns the files that `.helmignore` leaves in.
///
/// # Errors
/// When `.helmignore` cannot be read.
pub fn kept(files: Vec<ChartFile>) -> Result<Vec<ChartFile>, Error> {
    let rules = files.iter().find(|file| file.name == ".helmignore");
    let rules = rules.map(|file| String::from_utf8_lossy(&file.data).into_owned()).unwrap_or_default();
    let mut ignore = Ignore::parse(&rules).map_err(Error::Load)?;
    Ok(files.into_iter().filter(|file| !ignore.ignores(&file.name)).collect())
}

/// Returns the files of a chart as they are put into the `charts/` of another one.
///
/// # Errors
/// When `.helmignore` cannot be read, or the chart's version is not the one that is wanted.
pub fn nested(lacking: &Lacking, files: Vec<ChartFile>) -> Result<Vec<ChartFile>, Error> {
    let about = files.iter().find(|file| file.name == "Chart.yaml").and_then(|file| yaml::parse(&file.data).ok());
    let version = about.as_ref().and_then(|about| Version::parse(about.get("version")?.as_str()?));
    let fits = Constraint::parse(&lacking.version).zip(version).is_some_and(|(wanted, found)| wanted.matches(&found));
    if !fits {
        return Err(Error::Load(format!(
            "can't get a valid version for 1 subchart(s): {:?} (repository {:?}, version {:?}). Make sure a matching chart version exists in the repo, \
             or change the version constraint in Chart.yaml",
            lacking.name, lacking.repository, lacking.version
        )));
    }
    let below = |file: ChartFile| ChartFile { name: format!("charts/{}/{}", lacking.name, file.name), data: file.data };
    Ok(kept(files)?.into_iter().map(below).collect())
}

/// Returns the files in a `.tgz`, without its first folder.
///
/// # Errors
/// When it is no archive, too large, or names files outside of it.
pub fn unpack(bytes: &[u8]) -> Result<Vec<ChartFile>, Error> {
    let mut left = archive::LARGEST_ARCHIVE;
    archive::unpack(bytes, &mut left).map_err(|error| Error::Load(failure::bounded(error)))
}

/// Returns an archive as the file that it is in the `charts/` of another chart.
pub fn packed(lacking: &Lacking, version: &str, bytes: &Arc<[u8]>) -> ChartFile {
    ChartFile { name: lacking.file_name(version), data: Arc::clone(bytes) }
}

#[cfg(test)]
mod tests {
    use super::{ChartFile, Lacking, lacking, nested};

    fn file(name: &str, text: &str) -> ChartFile {
        ChartFile { name: name.into(), data: text.as_bytes().into() }
    }

    #[test]
    fn a_near_chart_has_to_be_the_one_that_is_wanted() {
        let lacking = |version: &str| Lacking {
            name: "near".into(),
            version: version.into(),
            repository: "file://../near".into(),
        };
        let files = [file("Chart.yaml", "{name: near, version: 0.2.0}"), file("a.txt", "a")];
        let names: Vec<String> =
            nested(&lacking("~0.2"), files.to_vec()).unwrap().into_iter().map(|file| file.name).collect();
        assert_eq!(names, ["charts/near/Chart.yaml", "charts/near/a.txt"]);
        let error = nested(&lacking("9.0.0"), files.to_vec()).unwrap_err().to_string();
        assert!(error.contains("can't get a valid version for 1 subchart(s): \"near\""), "{error}");
    }

    #[test]
    fn what_is_listed_and_not_there_is_lacking() {
        let files = [
            file(
                "Chart.yaml",
                "{apiVersion: v2, name: a, version: 1.0.0, dependencies: [{name: here, version: 1.0.0}, {name: db, version: ^1, \
                 repository: 'https://h'}, {name: db, version: ^1, repository: 'https://h', alias: other}, {name: q, version: ^2, repository: '@q'}]}",
            ),
            file("charts/here/Chart.yaml", "{apiVersion: v2, name: here, version: 1.0.0}"),
            file(
                "Chart.lock",
                "dependencies: [{name: db, version: 1.4.2, repository: 'https://h'}, {name: q, version: 1.0.0, repository: '@q'}]",
            ),
        ];
        let found = |name: &str, version: &str, repository: &str| Lacking {
            name: name.into(),
            version: version.into(),
            repository: repository.into(),
        };
        assert_eq!(lacking(&files).unwrap(), [found("db", "1.4.2", "https://h"), found("q", "^2", "@q")]);
        assert_eq!(lacking(&[file("Chart.yaml", "{name: a, version: 1.0.0}")]).unwrap(), []);
    }
}
