//! The tasks of a sync: what is written, in which phase, wave and order.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::model::{Application, Key, Object, ResourceSelector};

/// Phase of a sync.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SyncPhase {
    /// Before everything else.
    PreSync,
    /// The objects themselves.
    Sync,
    /// Once everything is healthy.
    PostSync,
    /// Only after a failure.
    SyncFail,
}

/// One thing to do with one object.
#[derive(Clone, Debug)]
pub struct Task {
    /// The object.
    pub key: Key,
    /// When.
    pub phase: SyncPhase,
    /// In which wave of the phase.
    pub wave: i64,
    /// What Git says; `None` means that it is to be deleted.
    pub target: Option<Object>,
    /// What was live when the tasks were made.
    pub live: Option<Object>,
    /// Whether it is a hook.
    pub is_hook: bool,
}

impl Task {
    /// Says whether this task deletes.
    pub fn is_prune(&self) -> bool {
        self.target.is_none()
    }
}

/// Kinds in the order in which they are written; all others come after these, by name.
const KINDS: [&str; 35] = [
    "Namespace",
    "NetworkPolicy",
    "ResourceQuota",
    "LimitRange",
    "PodSecurityPolicy",
    "PodDisruptionBudget",
    "ServiceAccount",
    "Secret",
    "SecretList",
    "ConfigMap",
    "StorageClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "CustomResourceDefinition",
    "ClusterRole",
    "ClusterRoleList",
    "ClusterRoleBinding",
    "ClusterRoleBindingList",
    "Role",
    "RoleList",
    "RoleBinding",
    "RoleBindingList",
    "Service",
    "DaemonSet",
    "Pod",
    "ReplicationController",
    "ReplicaSet",
    "Deployment",
    "HorizontalPodAutoscaler",
    "StatefulSet",
    "Job",
    "CronJob",
    "IngressClass",
    "Ingress",
    "APIService",
];

/// Returns a kind's place in the order.
pub fn kind_rank(kind: &str) -> usize {
    KINDS.iter().position(|known| *known == kind).unwrap_or(KINDS.len())
}

/// Returns an object's wave: its sync wave, else its helm hook weight, else 0.
pub fn wave_of(object: &Object) -> i64 {
    ["argocd.argoproj.io/sync-wave", "helm.sh/hook-weight"]
        .iter()
        .find_map(|name| object.annotation(name)?.trim().parse().ok())
        .unwrap_or(0)
}

/// What an object's hook annotations make of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HookKind {
    /// An ordinary object.
    None,
    /// Neither synced nor compared.
    Skip,
    /// A hook in these phases; none means that it never runs.
    Hook(Vec<SyncPhase>),
}

/// Reads an object's hook annotations; Argo CD's win over helm's.
pub fn hook_kind(object: &Object) -> HookKind {
    let words = |name: &str| -> Vec<String> {
        object
            .annotation(name)
            .map(|text| text.split(',').map(|word| word.trim().to_owned()).collect())
            .unwrap_or_default()
    };
    let own = words("argocd.argoproj.io/hook");
    if own == ["Skip"] {
        return HookKind::Skip;
    }
    if !own.is_empty() {
        let phases = own.iter().filter_map(|word| match word.as_str() {
            "PreSync" => Some(SyncPhase::PreSync),
            "Sync" => Some(SyncPhase::Sync),
            "PostSync" => Some(SyncPhase::PostSync),
            "SyncFail" => Some(SyncPhase::SyncFail),
            _ => None,
        });
        return HookKind::Hook(phases.collect());
    }
    let helm = words("helm.sh/hook");
    if helm.is_empty() || helm == ["crd-install"] {
        return HookKind::None;
    }
    let mut phases: Vec<SyncPhase> = helm
        .iter()
        .filter_map(|word| match word.as_str() {
            "pre-install" | "pre-upgrade" => Some(SyncPhase::PreSync),
            "post-install" | "post-upgrade" => Some(SyncPhase::PostSync),
            _ => None,
        })
        .collect();
    phases.sort_unstable();
    phases.dedup();
    HookKind::Hook(phases)
}

/// Says whether one of an object's comma-separated sync options is set.
pub fn has_object_option(object: &Object, option: &str) -> bool {
    object
        .annotation("argocd.argoproj.io/sync-options")
        .is_some_and(|text| text.split(',').any(|set| set.trim() == option))
}

/// One managed object: what Git says and what is live.
#[derive(Clone, Debug)]
pub struct Pair {
    /// The object.
    pub key: Key,
    /// What Git says.
    pub target: Option<Object>,
    /// What is live.
    pub live: Option<Object>,
}

/// Returns the tasks of a sync in the order in which they are done. `selected` keeps only some objects and leaves hooks out.
pub fn tasks(app: &Application, pairs: &[Pair], selected: &[ResourceSelector]) -> Vec<Task> {
    let mut tasks = Vec::new();
    for pair in pairs {
        if !selected.is_empty() && !selected.iter().any(|selector| selector.matches(&pair.key)) {
            continue;
        }
        let described = pair.target.as_ref().or(pair.live.as_ref());
        let Some(described) = described else { continue };
        let task = |phase, is_hook| Task {
            key: pair.key.clone(),
            phase,
            wave: wave_of(described),
            target: pair.target.clone(),
            live: pair.live.clone(),
            is_hook,
        };
        match hook_kind(described) {
            HookKind::None => tasks.push(task(SyncPhase::Sync, false)),
            HookKind::Skip => {}
            HookKind::Hook(phases) if selected.is_empty() && pair.target.is_some() => {
                tasks.extend(phases.into_iter().map(|phase| task(phase, true)));
            }
            HookKind::Hook(_) => {}
        }
    }
    reverse_prunes(&mut tasks);
    prune_last(app, &mut tasks);
    tasks.sort_by(|a, b| {
        (a.phase, a.wave, kind_rank(&a.key.kind), &a.key.name).cmp(&(
            b.phase,
            b.wave,
            kind_rank(&b.key.kind),
            &b.key.name,
        ))
    });
    move_before_first_user(&mut tasks, "Namespace", |namespace, task| *task.key.namespace == *namespace.key.name);
    move_before_first_user(&mut tasks, "CustomResourceDefinition", |definition, task| {
        let text = |pointer: &str| {
            definition.target.as_ref().map(|target| target.text(pointer).to_owned()).unwrap_or_default()
        };
        *task.key.group == *text("/spec/group") && *task.key.kind == *text("/spec/names/kind")
    });
    tasks
}

/// Deletes in the reverse of the order of creation: the first wave's prunes move to the last wave that has any, and so on.
fn reverse_prunes(tasks: &mut [Task]) {
    let mut waves: Vec<i64> = tasks.iter().filter(|task| task.is_prune()).map(|task| task.wave).collect();
    waves.sort_unstable();
    waves.dedup();
    let moved: BTreeMap<i64, i64> = waves.iter().copied().zip(waves.iter().rev().copied()).collect();
    for task in tasks.iter_mut().filter(|task| task.is_prune()) {
        task.wave = moved.get(&task.wave).copied().unwrap_or(task.wave);
    }
}

fn prune_last(app: &Application, tasks: &mut [Task]) {
    let all = app.has_option("PruneLast=true");
    let last =
        tasks.iter().filter(|task| task.phase == SyncPhase::Sync).map(|task| task.wave).max().unwrap_or(0).max(0) + 1;
    for task in tasks.iter_mut().filter(|task| task.is_prune()) {
        if all || task.live.as_ref().is_some_and(|live| has_object_option(live, "PruneLast=true")) {
            task.wave = last;
        }
    }
}

/// Moves namespaces and definitions that would come after something that needs them directly before it.
fn move_before_first_user(tasks: &mut Vec<Task>, kind: &str, uses: impl Fn(&Task, &Task) -> bool) {
    let mut place = 0;
    while place < tasks.len() {
        if *tasks[place].key.kind == *kind && !tasks[place].is_prune() {
            let user = tasks[..place].iter().position(|task| !task.is_prune() && uses(&tasks[place], task));
            if let Some(user) = user {
                let mut moved = tasks.remove(place);
                moved.phase = tasks[user].phase;
                moved.wave = tasks[user].wave;
                tasks.insert(user, moved);
            }
        }
        place += 1;
    }
}

/// Returns the namespace that `CreateNamespace=true` makes, if it is asked for and Git does not bring one of its own.
pub fn created_namespace(app: &Application, pairs: &[Pair]) -> Option<Object> {
    let name = &app.destination.namespace;
    if !app.has_option("CreateNamespace=true") || name.is_empty() {
        return None;
    }
    let in_git = pairs.iter().any(|pair| {
        pair.target.is_some() && &*pair.key.kind == "Namespace" && pair.key.group.is_empty() && *pair.key.name == **name
    });
    if in_git {
        return None;
    }
    let mut metadata = serde_json::json!({"name": name});
    if let Some(Value::Object(wanted)) = &app.sync_policy.managed_namespace_metadata {
        for field in ["labels", "annotations"] {
            if let Some(map) = wanted.get(field) {
                metadata[field] = map.clone();
            }
        }
    }
    Object::new(serde_json::json!({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{HookKind, Pair, SyncPhase, hook_kind, tasks};
    use crate::model::{Application, Object};

    fn object(kind: &str, name: &str, annotations: &[(&str, &str)]) -> Object {
        let annotations: serde_json::Map<String, serde_json::Value> =
            annotations.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        Object::new(json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "annotations": annotations}}))
            .unwrap()
    }

    fn order(pairs: Vec<Pair>, options: &[&str]) -> String {
        let mut app = Application::default();
        app.sync_policy.options = options.iter().map(|option| (*option).to_owned()).collect();
        let names = tasks(&app, &pairs, &[]);
        let names: Vec<String> = names
            .iter()
            .map(|task| format!("{}{}:{}", if task.is_prune() { "-" } else { "" }, task.wave, task.key.name))
            .collect();
        names.join(" ")
    }

    fn wanted(kind: &str, name: &str, wave: &str) -> Pair {
        let object = object(kind, name, &[("argocd.argoproj.io/sync-wave", wave)]);
        Pair { key: object.key(), target: Some(object), live: None }
    }

    fn left(kind: &str, name: &str, wave: &str) -> Pair {
        let object = object(kind, name, &[("argocd.argoproj.io/sync-wave", wave)]);
        Pair { key: object.key(), target: None, live: Some(object) }
    }

    #[test]
    fn waves_come_before_kinds_and_kinds_before_names() {
        let pairs = vec![
            wanted("Deployment", "d", "0"),
            wanted("ConfigMap", "b", "0"),
            wanted("ConfigMap", "a", "0"),
            wanted("Zebra", "z", "0"),
            wanted("Service", "first", "-1"),
            wanted("Namespace", "late", "2"),
        ];
        assert_eq!(order(pairs, &[]), "-1:first 0:a 0:b 0:d 0:z 2:late");
    }

    #[test]
    fn deleting_goes_backwards() {
        let pairs =
            || vec![left("ConfigMap", "one", "1"), left("ConfigMap", "two", "2"), wanted("ConfigMap", "kept", "3")];
        assert_eq!(order(pairs(), &[]), "-1:two -2:one 3:kept");
        assert_eq!(order(pairs(), &["PruneLast=true"]), "3:kept -4:one -4:two");
    }

    #[test]
    fn a_namespace_comes_before_what_lives_in_it() {
        let mut inside = wanted("ConfigMap", "c", "0");
        inside.key.namespace = "apps".into();
        assert_eq!(order(vec![inside, wanted("Namespace", "apps", "5")], &[]), "0:apps 0:c");
    }

    #[test]
    fn hooks_are_told_apart() {
        let hook = |name: &str, value: &str| hook_kind(&object("Job", "j", &[(name, value)]));
        assert_eq!(
            hook("argocd.argoproj.io/hook", "PreSync,PostSync"),
            HookKind::Hook(vec![SyncPhase::PreSync, SyncPhase::PostSync])
        );
        assert_eq!(hook("argocd.argoproj.io/hook", "Skip"), HookKind::Skip);
        assert_eq!(hook("helm.sh/hook", "pre-install,pre-upgrade"), HookKind::Hook(vec![SyncPhase::PreSync]));
        assert_eq!(hook("helm.sh/hook", "test"), HookKind::Hook(vec![]));
        assert_eq!(hook("helm.sh/hook", "crd-install"), HookKind::None);
        assert_eq!(hook("x", "y"), HookKind::None);
    }
}
