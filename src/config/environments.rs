//! Environments from a policy, or inferred from the roots.

use super::{Policy, Stage};
use crate::model::{Application, GatePolicy, Reference};

/// Returns the environments in the order of promotion: the policy's, else what the roots' labels and revisions say.
/// `is_tag` says whether a revision names a tag and no branch.
pub fn environments(policy: Option<&Policy>, roots: &[&Application], is_tag: impl Fn(&str) -> bool) -> Vec<Stage> {
    if let Some(policy) = policy.filter(|policy| !policy.environments.is_empty()) {
        return policy.environments.clone();
    }
    let mut stages: Vec<Stage> = Vec::new();
    for root in roots {
        let revision = root.sources.first().map_or("", |source| source.target_revision.as_str());
        let cluster = root.label("cluster").unwrap_or(&root.destination.name);
        let name = root.label("env").filter(|name| !name.is_empty()).unwrap_or(revision);
        let name = if name.is_empty() { "HEAD" } else { name };
        let stage = match stages.iter_mut().find(|stage| stage.name == name) {
            Some(stage) => stage,
            None => {
                stages.push(Stage {
                    name: name.to_owned(),
                    reference: reference(revision, &is_tag),
                    clusters: Vec::new(),
                    policy: GatePolicy { protected: rank(name) >= 3, ..GatePolicy::default() },
                    freezes: Vec::new(),
                    inferred: true,
                });
                stages.last_mut().expect("pushed just above")
            }
        };
        if !cluster.is_empty() && !stage.clusters.iter().any(|known| known == cluster) {
            stage.clusters.push(cluster.to_owned());
        }
    }
    stages.iter_mut().for_each(|stage| stage.clusters.sort());
    stages.sort_by(|a, b| (rank(&a.name), &a.name).cmp(&(rank(&b.name), &b.name)));
    stages
}

fn reference(revision: &str, is_tag: impl Fn(&str) -> bool) -> Reference {
    let fixed = revision.len() == 40 && revision.bytes().all(|byte| byte.is_ascii_hexdigit());
    match revision {
        "" | "HEAD" => Reference::Head,
        _ if fixed || revision.contains(['*', '<', '>', '~', '^', ' ', ',']) => Reference::Fixed(revision.to_owned()),
        _ => match (revision.strip_prefix("refs/heads/"), revision.strip_prefix("refs/tags/")) {
            (Some(branch), _) => Reference::Branch(branch.to_owned()),
            (_, Some(tag)) => Reference::Tag(tag.to_owned()),
            _ if is_tag(revision) => Reference::Tag(revision.to_owned()),
            _ => Reference::Branch(revision.to_owned()),
        },
    }
}

/// Orders the usual names: dev, test, staging, then ops and production.
fn rank(name: &str) -> u8 {
    let name = name.to_ascii_lowercase();
    let is = |words: &[&str]| words.iter().any(|word| name.starts_with(word));
    match () {
        () if is(&["dev", "head", "main", "master", "sandbox"]) => 0,
        () if is(&["test", "qa", "int"]) => 1,
        () if is(&["stag", "uat", "pre"]) => 2,
        () if is(&["prod", "live", "ops", "stable"]) => 4,
        () => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::environments;
    use crate::model::{Application, Reference, Source};

    #[test]
    fn roots_tell_the_environments() {
        let root = |cluster: &str, env: &str, revision: &str| Application {
            labels: vec![("cluster".into(), cluster.into()), ("env".into(), env.into())],
            sources: vec![Source { target_revision: revision.into(), ..Source::default() }],
            ..Application::default()
        };
        let roots = [
            root("prod-02", "prod", "stable"),
            root("prod-01", "prod", "stable"),
            root("stag-01", "staging", "staging"),
            root("dev-01", "dev", "HEAD"),
        ];
        let roots: Vec<_> = roots.iter().collect();
        let found = environments(None, &roots, |name| name == "stable");
        let short: Vec<_> =
            found.iter().map(|stage| (stage.name.as_str(), &stage.reference, stage.clusters.len())).collect();
        assert_eq!(
            short,
            [
                ("dev", &Reference::Head, 1),
                ("staging", &Reference::Branch("staging".into()), 1),
                ("prod", &Reference::Tag("stable".into()), 2),
            ]
        );
        assert!(found[2].policy.protected && !found[1].policy.protected);
    }
}
