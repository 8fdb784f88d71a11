//! An open application: its tabs, what they show, and where the person is in them.

use std::sync::Arc;

use super::state::Cursor;
use crate::engine::{Detail, Inspect};
use crate::model::{AppId, Key, Problem};

/// A tab of an open application.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tab {
    /// Objects and what belongs to them.
    #[default]
    Resources,
    /// What differs.
    Diff,
    /// What Git says.
    Manifests,
    /// The chart's values.
    Values,
    /// Kubernetes events.
    Events,
    /// A container's last lines.
    Logs,
    /// Commits.
    History,
}

impl Tab {
    /// All of them, in order.
    pub const ALL: [Self; 7] =
        [Self::Resources, Self::Diff, Self::Manifests, Self::Values, Self::Events, Self::Logs, Self::History];

    /// Returns its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Resources => "Resources",
            Self::Diff => "Diff",
            Self::Manifests => "Manifests",
            Self::Values => "Values",
            Self::Events => "Events",
            Self::Logs => "Logs",
            Self::History => "History",
        }
    }

    /// Returns its place.
    pub fn index(self) -> usize {
        Self::ALL.iter().position(|tab| *tab == self).unwrap_or(0)
    }

    /// Returns the tab that many places on, around the end.
    pub fn stepped(self, by: isize) -> Self {
        let len = Self::ALL.len() as isize;
        Self::ALL[(self.index() as isize + by).rem_euclid(len) as usize]
    }
}

/// What is known of a tab.
#[derive(Clone, Debug, Default)]
pub enum Content {
    /// Nobody asked yet.
    #[default]
    Unasked,
    /// Asked for with this ticket; what was shown before stays until the answer comes.
    Asked(u64, Option<Arc<Detail>>),
    /// There.
    Ready(Arc<Detail>),
    /// Could not be had.
    Failed(Problem),
}

impl Content {
    /// Returns what can be shown.
    pub fn detail(&self) -> Option<&Detail> {
        match self {
            Self::Ready(detail) | Self::Asked(_, Some(detail)) => Some(detail),
            _ => None,
        }
    }
}

/// One tab's content and place.
#[derive(Clone, Debug, Default)]
pub struct Pane {
    /// What it shows.
    pub content: Content,
    /// Whether it is from before a change and has to be asked for again.
    pub is_stale: bool,
    /// The selected row of a list, or the first line of a text.
    pub cursor: Cursor,
}

/// What is looked for in an open application.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Search {
    /// Its text; empty looks for nothing.
    pub text: String,
    /// Whether keys go into it.
    pub editing: bool,
}

impl Search {
    /// Says whether its line is on screen.
    pub fn is_shown(&self) -> bool {
        self.editing || !self.text.is_empty()
    }
}

/// An open application.
#[derive(Clone, Debug)]
pub struct AppView {
    /// Which one.
    pub app: AppId,
    /// The open tab.
    pub tab: Tab,
    /// The tabs, in the order of [`Tab::ALL`].
    pub panes: [Pane; 7],
    /// Whose logs are shown: a pod and a container, empty for the first.
    pub logs_of: Option<(Key, String)>,
    /// What is looked for in the open tab.
    pub search: Search,
    /// The snapshot that the resources were asked for, so that they follow what happens.
    pub generation: u64,
}

impl AppView {
    /// Opens an application at its resources.
    pub fn new(app: AppId) -> Self {
        Self {
            app,
            tab: Tab::default(),
            panes: Default::default(),
            logs_of: None,
            search: Search::default(),
            generation: 0,
        }
    }

    /// Returns the open tab's content and place.
    pub fn pane(&self) -> &Pane {
        &self.panes[self.tab.index()]
    }

    /// Returns the open tab's content and place, to change.
    pub fn pane_mut(&mut self) -> &mut Pane {
        &mut self.panes[self.tab.index()]
    }

    /// Returns what has to be asked of the engine for a tab; nothing for logs as long as no pod is chosen.
    pub fn question(&self, tab: Tab) -> Option<Inspect> {
        Some(match tab {
            Tab::Resources => Inspect::Tree,
            Tab::Diff => Inspect::Diff,
            Tab::Manifests => Inspect::Manifests,
            Tab::Values => Inspect::Values,
            Tab::Events => Inspect::Events,
            Tab::History => Inspect::History,
            Tab::Logs => {
                let (pod, container) = self.logs_of.clone().or_else(|| self.first_pod())?;
                Inspect::Logs { pod, container }
            }
        })
    }

    /// Returns the pod under the cursor among the resources, else the first one.
    pub fn first_pod(&self) -> Option<(Key, String)> {
        let pane = &self.panes[Tab::Resources.index()];
        let Detail::Tree(rows) = pane.content.detail()? else { return None };
        let pod = |row: &&crate::engine::TreeRow| !row.containers.is_empty();
        let row = rows.get(pane.cursor.at).filter(|row| pod(row)).or_else(|| rows.iter().find(pod))?;
        Some((row.key.clone(), row.containers.first().cloned().unwrap_or_default()))
    }

    /// Returns what a tab shows, or why it cannot; nothing while the answer is on its way.
    pub fn shown(&self, tab: Tab) -> Option<Result<&Detail, &Problem>> {
        match &self.panes[tab.index()].content {
            Content::Failed(problem) => Some(Err(problem)),
            content => content.detail().map(Ok),
        }
    }

    /// Notes that answers may be lost, so that they are asked for again.
    pub fn missed(&mut self) {
        for pane in &mut self.panes {
            if let Content::Asked(_, before) = &mut pane.content {
                pane.content = before.take().map_or(Content::Unasked, Content::Ready);
                pane.is_stale = true;
            }
        }
    }

    /// Takes an answer in; one that nobody waits for is dropped.
    pub fn answer(&mut self, ticket: u64, result: Result<Arc<Detail>, Problem>) {
        let waits = |pane: &&mut Pane| matches!(pane.content, Content::Asked(asked, _) if asked == ticket);
        if let Some(pane) = self.panes.iter_mut().find(waits) {
            pane.content = match result {
                Ok(detail) => Content::Ready(detail),
                Err(problem) => Content::Failed(problem),
            };
        }
    }
}
