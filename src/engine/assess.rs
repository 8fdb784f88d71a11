//! One application against what is live: its objects' states, its sync and its health.

use std::collections::HashMap;
use std::sync::Arc;

use crate::diff::{self, Ignore, Ownership};
use crate::health;
use crate::model::{
    Application, Condition, ConditionKind, FieldChange, Health, HealthStatus, Key, Object, ObjectStatus, Sync,
};

use super::desired::{Desired, is_application};
use super::task::{HookKind, has_object_option, hook_kind, wave_of};

/// Live objects of a cluster by identity.
pub type Live = HashMap<Key, Arc<Object>>;

/// What is said of an object that may or may not be there.
pub const NOT_READ: &str = "not read yet";

/// What a comparison found, and for which pair of objects it holds.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// Of the desired object.
    pub hash: u64,
    /// Of the live object.
    pub resource_version: String,
    /// What differs.
    pub fields: Vec<FieldChange>,
    /// Whether the server was asked, or need not be.
    pub is_certain: bool,
}

impl Verdict {
    /// Says whether the verdict still holds.
    pub fn holds_for(&self, desired: &Desired, live: &Object) -> bool {
        self.hash == desired.hash && self.resource_version == live.resource_version()
    }
}

/// Verdicts of one application's objects.
pub type Verdicts = HashMap<Key, Verdict>;

/// An application's state.
#[derive(Clone, Debug, Default)]
pub struct Assessment {
    /// Its objects: desired ones, then those to prune.
    pub objects: Vec<ObjectStatus>,
    /// All of them together.
    pub sync: Sync,
    /// All of them together.
    pub health: Health,
    /// Objects whose difference the server has to confirm.
    pub doubts: Vec<Key>,
    /// Warnings found on the way.
    pub conditions: Vec<Condition>,
}

/// Where comparing can fall back on.
pub struct Scene<'a> {
    /// The application.
    pub app: &'a Application,
    /// What Git wants.
    pub desired: &'a [Desired],
    /// What is live.
    pub live: &'a Live,
    /// Tracked objects that Git does not want.
    pub extra: &'a [Key],
    /// Says whether it is known that an object is there or not.
    pub is_known: &'a dyn Fn(&Key) -> bool,
    /// Says why objects of that kind cannot be read, if they cannot.
    pub unreadable: &'a dyn Fn(&Key) -> Option<String>,
    /// State of the child Application of that name.
    pub child: &'a dyn Fn(&Key) -> Option<(Sync, Health)>,
}

/// Says whose applies are continued.
pub fn ownership(app: &Application) -> Ownership {
    if app.has_option("ServerSideApply=true") { Ownership::ServerSide } else { Ownership::TakenOver }
}

/// Compares and judges; verdicts that no longer hold are made anew.
pub fn assess(scene: &Scene<'_>, verdicts: &mut Verdicts) -> Assessment {
    let mut result = Assessment { sync: Sync::Synced, ..Assessment::default() };
    let mut parts: Vec<(ObjectStatus, Option<Arc<Object>>, bool)> = Vec::new();
    let mut is_unknown = false;
    for desired in scene.desired {
        if is_application(&desired.key.gk()) {
            parts.push((child(scene, desired), None, false));
            continue;
        }
        let live = scene.live.get(&desired.key);
        let hook = hook_kind(&desired.object);
        let is_hook = hook != HookKind::None;
        let health = live.and_then(|live| health::assess(live));
        let mut status = row(desired, live.is_some(), is_hook, health);
        if !is_hook {
            let (sync, message) = match live {
                Some(live) => compared(scene.app, desired, live, verdicts, &mut result),
                None if (scene.is_known)(&desired.key) => (Sync::OutOfSync, "not in the cluster".to_owned()),
                None => {
                    is_unknown = true;
                    let reason = (scene.unreadable)(&desired.key);
                    (Sync::Unknown, reason.unwrap_or_else(|| NOT_READ.to_owned()))
                }
            };
            status.sync = Some(sync);
            status.message = message;
            if live.is_none() && sync == Sync::OutOfSync {
                status.health = Some(Health::new(HealthStatus::Missing, ""));
            }
        }
        parts.push((status, live.cloned(), is_hook));
    }
    for key in scene.extra {
        let Some(live) = scene.live.get(key) else { continue };
        if hook_kind(live) != HookKind::None {
            continue;
        }
        let ignored = live
            .annotation("argocd.argoproj.io/compare-options")
            .is_some_and(|text| text.split(',').any(|option| option.trim() == "IgnoreExtraneous"));
        parts.push((
            ObjectStatus {
                key: key.clone(),
                version: live.api_version().to_owned(),
                sync: Some(if ignored { Sync::Synced } else { Sync::OutOfSync }),
                health: health::assess(live),
                message: extra_message(live, ignored),
                wave: wave_of(live),
                hook: false,
                prune: true,
                live: true,
            },
            Some(Arc::clone(live)),
            false,
        ));
    }
    for (status, _, _) in &parts {
        if status.sync == Some(Sync::OutOfSync) {
            result.sync = Sync::OutOfSync;
        }
    }
    if is_unknown && result.sync == Sync::Synced {
        result.sync = Sync::Unknown;
    }
    result.health = application_health(&parts, is_unknown);
    result.objects = parts.into_iter().map(|(status, _, _)| status).collect();
    result
}

fn row(desired: &Desired, live: bool, hook: bool, health: Option<Health>) -> ObjectStatus {
    ObjectStatus {
        key: desired.key.clone(),
        version: desired.object.api_version().to_owned(),
        sync: None,
        health,
        message: String::new(),
        wave: wave_of(&desired.object),
        hook,
        prune: false,
        live,
    }
}

/// A child Application is read from Git, so it is always as Git says; how it does is its own matter.
fn child(scene: &Scene<'_>, desired: &Desired) -> ObjectStatus {
    let mut status = row(desired, true, false, None);
    status.sync = Some(Sync::Synced);
    match (scene.child)(&desired.key) {
        Some((sync, health)) => {
            status.message = format!("{} and {}", sync.as_str(), health.status.as_str());
            status.health = Some(health);
        }
        None => {
            status.live = false;
            status.health = Some(Health::new(HealthStatus::Unknown, ""));
        }
    }
    status
}

fn compared(
    app: &Application,
    desired: &Desired,
    live: &Object,
    verdicts: &mut Verdicts,
    result: &mut Assessment,
) -> (Sync, String) {
    let holds = verdicts.get(&desired.key).is_some_and(|verdict| verdict.holds_for(desired, live));
    if !holds {
        compare_one(app, desired, live, verdicts);
    }
    let (_, errors) = Ignore::for_object(&app.ignore_differences, &desired.object);
    for error in errors {
        let text = format!("ignoreDifferences of {}: {error}", desired.key);
        result.conditions.push(Condition::new(ConditionKind::ComparisonError, text));
    }
    let Some(verdict) = verdicts.get(&desired.key) else { return (Sync::Unknown, String::new()) };
    if !verdict.is_certain {
        result.doubts.push(desired.key.clone());
    }
    if verdict.fields.is_empty() {
        return (Sync::Synced, String::new());
    }
    (Sync::OutOfSync, summary(&verdict.fields))
}

/// Compares one object without asking the server, keeps the verdict and returns what differs.
pub fn compare_one(app: &Application, desired: &Desired, live: &Object, verdicts: &mut Verdicts) -> Vec<FieldChange> {
    let (ignore, _) = Ignore::for_object(&app.ignore_differences, &desired.object);
    let options = diff::Options { ignore: (!ignore.is_empty()).then_some(&ignore), ownership: ownership(app) };
    let comparison = diff::compare(&desired.object, live, &options);
    let verdict = Verdict {
        hash: desired.hash,
        resource_version: live.resource_version().to_owned(),
        fields: comparison.fields.clone(),
        is_certain: comparison.certain || !comparison.differs,
    };
    verdicts.insert(desired.key.clone(), verdict);
    comparison.fields
}

/// Returns the first fields in a few words: `spec.replicas 1 → 2, and 2 more`.
pub fn summary(fields: &[FieldChange]) -> String {
    let Some(first) = fields.first() else { return String::new() };
    let show = |value: &Option<String>| {
        value.as_deref().map_or("nothing".to_owned(), |text| crate::model::text::line(text).into_owned())
    };
    let short =
        |text: String| if text.chars().count() > 24 { text.chars().take(23).chain(['…']).collect() } else { text };
    let mut text =
        format!("{}: {} is live, Git says {}", first.path, short(show(&first.live)), short(show(&first.git)));
    if fields.len() > 1 {
        text.push_str(&format!(", and {} more", fields.len() - 1));
    }
    text
}

fn extra_message(live: &Object, ignored: bool) -> String {
    if live.is_being_deleted() {
        "is being deleted".to_owned()
    } else if ignored {
        "not in Git; left alone as its annotation asks".to_owned()
    } else if has_object_option(live, "Prune=false") {
        "not in Git; its annotation forbids to delete it".to_owned()
    } else {
        "not in Git".to_owned()
    }
}

fn application_health(parts: &[(ObjectStatus, Option<Arc<Object>>, bool)], is_unknown: bool) -> Health {
    if is_unknown && parts.iter().all(|(_, live, _)| live.is_none()) {
        return Health::new(HealthStatus::Unknown, "");
    }
    // The children's health is shown on their own rows; here the worst of them counts.
    let children: Vec<&ObjectStatus> =
        parts.iter().filter(|(status, _, _)| is_application(&status.key.gk())).map(|(status, _, _)| status).collect();
    let rest: Vec<health::Part<'_>> = parts
        .iter()
        .filter(|(status, _, _)| !is_application(&status.key.gk()))
        .map(|(status, live, is_hook)| health::Part {
            name: format!("{} {}", status.key.kind, status.key.name),
            live: live.as_deref(),
            health: status.health.as_ref().filter(|_| live.is_some()),
            is_left_out: *is_hook,
        })
        .collect();
    let mut worst = if rest.is_empty() && !children.is_empty() {
        Health::new(HealthStatus::Healthy, "")
    } else {
        health::application(&rest)
    };
    for child in children {
        if let Some(health) = &child.health
            && health.status > worst.status
        {
            worst = Health::new(health.status, format!("{} is {}", child.key.name, health.status.as_str()));
        }
    }
    worst
}
