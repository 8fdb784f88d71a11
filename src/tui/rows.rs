//! What the lists show, worked out once per snapshot and filter, never while drawing.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;

use super::filter::Filter;
use super::sign::Sign;
use crate::model::{App, AppId, ClusterName, ConditionKind, EnvironmentName, Fleet, HealthStatus, Sync};

/// How applications are sorted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// Worst first.
    #[default]
    Worst,
    /// By name.
    Name,
    /// By cluster, then name.
    Cluster,
    /// What changed last comes first.
    Newest,
}

impl Order {
    /// Returns the next one.
    pub fn next(self) -> Self {
        match self {
            Self::Worst => Self::Name,
            Self::Name => Self::Cluster,
            Self::Cluster => Self::Newest,
            Self::Newest => Self::Worst,
        }
    }

    /// Returns the words for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Worst => "worst first",
            Self::Name => "by name",
            Self::Cluster => "by cluster",
            Self::Newest => "newest first",
        }
    }
}

/// Returns how bad an application stands; more is worse.
pub fn badness(app: &App) -> u8 {
    if app.operation.is_some() {
        return 5;
    }
    let is_unreachable = || app.blocked().is_some_and(|condition| condition.kind == ConditionKind::Unreachable);
    let blocked = match super::sign::broken(app) {
        Some(_) => 6,
        None if is_unreachable() => 5,
        None => 0,
    };
    let health = match app.health.status {
        HealthStatus::Degraded => 7,
        HealthStatus::Missing => 3,
        HealthStatus::Progressing => 2,
        HealthStatus::Unknown | HealthStatus::Suspended => 1,
        HealthStatus::Healthy => 0,
    };
    let sync = match app.sync {
        Sync::OutOfSync => 4,
        Sync::Unknown => 1,
        Sync::Synced => 0,
    };
    blocked.max(health).max(sync)
}

/// Returns which applications pass, in the order of the snapshot.
pub fn passing(fleet: &Fleet, filter: &Filter) -> Vec<bool> {
    fleet.apps.iter().map(|app| filter.passes(app)).collect()
}

/// Returns the applications that pass, sorted, as places in the snapshot.
pub fn sorted(fleet: &Fleet, passing: &[bool], order: Order) -> Vec<usize> {
    let mut rows: Vec<usize> = (0..fleet.apps.len()).filter(|&at| passing[at]).collect();
    let app = |at: &usize| &fleet.apps[*at];
    match order {
        Order::Worst => rows.sort_by_cached_key(|at| Reverse(badness(app(at)))),
        Order::Name => {}
        Order::Cluster => {
            let places: HashMap<&ClusterName, usize> =
                fleet.clusters.iter().enumerate().map(|(place, cluster)| (&cluster.name, place)).collect();
            rows.sort_by_cached_key(|at| places.get(&app(at).cluster).copied().unwrap_or(usize::MAX));
        }
        Order::Newest => rows.sort_by_cached_key(|at| Reverse(app(at).since)),
    }
    rows
}

/// Keeps the rows where they are: those that went away are dropped, new ones come last.
pub fn kept(fleet: &Fleet, passing: &[bool], before: &Fleet, rows: &[usize]) -> (Vec<usize>, usize) {
    let are_the_same = fleet.apps.len() == before.apps.len()
        && fleet.apps.iter().zip(&before.apps).all(|(now, before)| now.id == before.id);
    let place = |id: &AppId| fleet.apps.binary_search_by(|app| app.id.cmp(id)).ok();
    let mut kept: Vec<usize> = if are_the_same {
        rows.to_vec()
    } else {
        rows.iter().filter_map(|&at| place(&before.apps.get(at)?.id)).collect()
    };
    let mut known = vec![false; fleet.apps.len()];
    kept.iter().for_each(|&at| known[at] = true);
    let old = kept.len();
    kept.extend((0..fleet.apps.len()).filter(|&at| passing[at] && !known[at]));
    let new = kept.len() - old;
    (kept, new)
}

/// A row of the Fleet screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MatrixRow {
    /// A group's heading: its name, how many components are in it, whether they are folded away.
    Group {
        /// The name; empty for what is in no group.
        name: String,
        /// Components in it.
        count: usize,
        /// Whether they are hidden.
        folded: bool,
    },
    /// A component: its name and, per cluster, its application's place in the snapshot.
    Component {
        /// The name.
        name: String,
        /// One per column.
        cells: Vec<Option<usize>>,
    },
}

/// The Fleet screen: components × clusters.
#[derive(Clone, Debug, Default)]
pub struct Matrix {
    /// Rows, folded ones left out.
    pub rows: Vec<MatrixRow>,
    /// Widest component name.
    pub name_width: usize,
}

/// Components of a group by name: their wave, and per column their application's place in the snapshot.
type Components<'a> = BTreeMap<&'a str, (i64, Vec<Option<usize>>)>;

impl Matrix {
    /// Works the matrix out of a snapshot.
    pub fn new(fleet: &Fleet, passing: &[bool], folded: &BTreeSet<String>) -> Self {
        let columns: HashMap<&str, usize> =
            fleet.clusters.iter().enumerate().map(|(at, cluster)| (cluster.name.as_str(), at)).collect();
        let mut groups: BTreeMap<&str, Components<'_>> = BTreeMap::new();
        for (at, app) in fleet.apps.iter().enumerate() {
            let Some((column, component)) = place(app, &columns).filter(|_| passing[at]) else { continue };
            let (wave, cells) = groups
                .entry(&app.group)
                .or_default()
                .entry(component)
                .or_insert_with(|| (app.wave, vec![None; fleet.clusters.len()]));
            *wave = (*wave).min(app.wave);
            if cells[column].is_none() {
                cells[column] = Some(at);
                continue;
            }
            // Two applications of one component on one cluster: the second gets a row of its own.
            let own = groups.entry(&app.group).or_default().entry(&app.name);
            own.or_insert_with(|| (app.wave, vec![None; fleet.clusters.len()])).1[column] = Some(at);
        }
        let mut groups: Vec<_> = groups.into_iter().collect();
        groups.sort_by_key(|(_, components)| components.values().map(|(wave, _)| *wave).min());
        let mut matrix = Self::default();
        let has_groups = groups.iter().any(|(name, _)| !name.is_empty());
        for (group, components) in groups {
            let hidden = has_groups && folded.contains(group);
            if has_groups {
                let name = group.to_owned();
                matrix.rows.push(MatrixRow::Group { name, count: components.len(), folded: hidden });
            }
            if hidden {
                continue;
            }
            let mut components: Vec<_> = components.into_iter().collect();
            components.sort_by_key(|(_, (wave, _))| *wave);
            for (name, (_, cells)) in components {
                matrix.name_width = matrix.name_width.max(name.chars().count());
                matrix.rows.push(MatrixRow::Component { name: name.to_owned(), cells });
            }
        }
        matrix
    }
}

/// Returns an application's column and the name of its row. One that lies on another cluster for the sake of the cluster in its name, as an
/// app-of-apps on a control plane does, stands in the column of the cluster that it is about.
fn place<'a>(app: &'a App, columns: &HashMap<&str, usize>) -> Option<(usize, &'a str)> {
    let component = app.component.as_str();
    let about =
        component.rmatch_indices('-').find_map(|(at, _)| Some((*columns.get(&component[..at])?, &component[at + 1..])));
    about.or_else(|| columns.get(app.cluster.as_str()).map(|column| (*column, component)))
}

/// How the applications of each cluster and of each environment stand, worked out once per snapshot.
#[derive(Clone, Debug, Default)]
pub struct Tallies {
    clusters: HashMap<ClusterName, [usize; STATES.len()]>,
    environments: HashMap<EnvironmentName, Standing>,
}

/// How an environment stands.
#[derive(Clone, Debug, Default)]
pub struct Standing {
    /// Applications that are not Synced and Healthy, as places in the snapshot.
    pub ill: Vec<usize>,
    /// When the last of its applications changed.
    pub since: Option<Timestamp>,
}

/// What applications are counted by, as it is written beside a cluster.
const STATES: [Sign; 5] = [Sign::Synced, Sign::OutOfSync, Sign::Degraded, Sign::Broken, Sign::Unknown];

impl Tallies {
    /// Counts.
    pub fn new(fleet: &Fleet) -> Self {
        let mut tallies = Self::default();
        for (at, app) in fleet.apps.iter().enumerate() {
            if let Some(name) = &app.environment {
                let standing = match tallies.environments.get_mut(name) {
                    Some(standing) => standing,
                    None => tallies.environments.entry(name.clone()).or_default(),
                };
                standing.since = standing.since.max(Some(app.since));
                if app.sync != Sync::Synced || app.health.status != HealthStatus::Healthy {
                    standing.ill.push(at);
                }
            }
            let state = if app.blocked().is_some() {
                Sign::Broken
            } else if app.health.status == HealthStatus::Degraded {
                Sign::Degraded
            } else {
                Sign::sync(app.sync)
            };
            let Some(place) = STATES.iter().position(|known| *known == state) else { continue };
            match tallies.clusters.get_mut(&app.cluster) {
                Some(counts) => counts[place] += 1,
                None => tallies.clusters.entry(app.cluster.clone()).or_default()[place] += 1,
            }
        }
        tallies
    }

    /// Returns how an environment stands, if it has applications.
    pub fn environment(&self, name: &EnvironmentName) -> Option<&Standing> {
        self.environments.get(name)
    }

    /// Returns what there is on a cluster, each state with its number.
    pub fn of(&self, cluster: &ClusterName) -> impl Iterator<Item = (Sign, usize)> {
        let counts = self.clusters.get(cluster).copied().unwrap_or_default();
        STATES.into_iter().zip(counts).filter(|(_, count)| *count > 0)
    }
}

/// What is wrong, counted once per snapshot for the first line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// OutOfSync.
    pub out_of_sync: usize,
    /// Degraded.
    pub degraded: usize,
    /// Cannot be rendered or compared.
    pub broken: usize,
    /// Progressing.
    pub progressing: usize,
    /// Clusters that do not answer.
    pub lost: usize,
}

impl Counts {
    /// Counts.
    pub fn new(fleet: &Fleet) -> Self {
        use crate::model::Connection;
        let mut counts = Self::default();
        for app in &fleet.apps {
            counts.out_of_sync += usize::from(app.sync == Sync::OutOfSync);
            counts.degraded += usize::from(app.health.status == HealthStatus::Degraded);
            counts.progressing += usize::from(app.health.status == HealthStatus::Progressing);
            counts.broken += usize::from(super::sign::broken(app).is_some());
        }
        counts.lost =
            fleet.clusters.iter().filter(|cluster| matches!(cluster.connection, Connection::Lost { .. })).count();
        counts
    }
}
