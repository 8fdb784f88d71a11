//! Everything that decides what is on screen.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::app_view::AppView;
use super::confirm::Confirm;
use super::filter::Filter;
use super::keymap::{Keymap, Press};
use super::picker::Picker;
use super::preview::Preview;
use super::rows::{self, Counts, Matrix, MatrixRow, Order, Tallies};
use super::theme::Theme;
use crate::engine::{Event, Request};
use crate::model::{App, AppId, Environment, Fleet, OperationId};

/// What comes in.
#[derive(Clone, Debug)]
pub enum Message {
    /// A key was pressed.
    Key(crossterm::event::KeyEvent),
    /// The mouse did something.
    Mouse(crossterm::event::MouseEvent),
    /// Text was pasted.
    Paste(String),
    /// The terminal has a new size: columns, rows.
    Resize(u16, u16),
    /// A new snapshot.
    Fleet(Arc<Fleet>),
    /// The engine reports a fact.
    Engine(Event),
    /// Facts were reported so fast that some of them are lost.
    Missed,
    /// Time went on.
    Tick(Timestamp),
}

/// What has to be done outside.
#[derive(Debug)]
pub enum Effect {
    /// Send a request to the engine.
    Send(Box<Request>),
    /// Put text on the clipboard.
    Copy(String),
    /// Leave.
    Quit,
}

/// A screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Screen {
    /// Components × clusters.
    #[default]
    Fleet,
    /// Applications.
    Apps,
    /// Environments.
    Pipeline,
    /// Clusters.
    Clusters,
    /// Operations and journal.
    Activity,
}

impl Screen {
    /// All of them, in the order of their keys.
    pub const ALL: [Self; 5] = [Self::Fleet, Self::Apps, Self::Pipeline, Self::Clusters, Self::Activity];

    /// Returns its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fleet => "Fleet",
            Self::Apps => "Apps",
            Self::Pipeline => "Pipeline",
            Self::Clusters => "Clusters",
            Self::Activity => "Activity",
        }
    }

    /// Returns its place.
    pub fn index(self) -> usize {
        Self::ALL.iter().position(|screen| *screen == self).unwrap_or(0)
    }
}

/// A place in a list and the first row that is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cursor {
    /// The selected row.
    pub at: usize,
    /// The first row on screen.
    pub top: usize,
}

impl Cursor {
    /// Moves by rows and stays in the list.
    pub fn step(&mut self, by: isize, len: usize) {
        self.at = self.at.saturating_add_signed(by).min(len.saturating_sub(1));
    }

    /// Scrolls so that the selected row is on screen and no space is wasted below.
    pub fn follow(&mut self, len: usize, height: usize) {
        self.at = self.at.min(len.saturating_sub(1));
        let height = height.max(1);
        self.top = self.top.min(len.saturating_sub(height));
        if self.at < self.top {
            self.top = self.at;
        } else if self.at >= self.top + height {
            self.top = self.at + 1 - height;
        }
    }
}

/// What lies over the screen, from the bottom up.
#[derive(Clone, Debug)]
pub enum Layer {
    /// An application.
    App(Box<AppView>),
    /// The one confirmation.
    Confirm(Box<Confirm>),
    /// A choice.
    Picker(Picker),
    /// The keys; first line shown.
    Help(usize),
    /// An operation's story; first line shown.
    Operation(OperationId, usize),
    /// A journal entry's story, by its id.
    Entry(String),
}

/// A line that goes away by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Toast {
    /// What to say.
    pub text: String,
    /// Whether it is bad news.
    pub bad: bool,
    /// When it was said.
    pub at: Timestamp,
}

/// The filter line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FilterLine {
    /// Its text.
    pub text: String,
    /// Whether keys go into it.
    pub editing: bool,
    /// What it was before it was edited.
    pub before: String,
}

/// How things are drawn.
#[derive(Clone, Debug, Default)]
pub struct Look {
    /// Colours.
    pub theme: Theme,
    /// Whether only ASCII signs are used.
    pub ascii: bool,
}

/// How differences are laid out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shape {
    /// Whether live and Git stand side by side.
    pub is_split: bool,
    /// Whether what `ignoreDifferences` leaves out is shown.
    pub shows_ignored: bool,
}

/// Cursors of the screens.
#[derive(Clone, Debug, Default)]
pub struct Cursors {
    /// Row of the matrix.
    pub fleet: Cursor,
    /// Column of the matrix: the selected one, and the first that is drawn.
    pub column: Cursor,
    /// Apps.
    pub apps: Cursor,
    /// Pipeline: the selected environment.
    pub pipeline: Cursor,
    /// Clusters.
    pub clusters: Cursor,
    /// Activity.
    pub activity: Cursor,
}

/// What the lists show, worked out when the snapshot or the filter changes.
#[derive(Clone, Debug, Default)]
pub struct Lists {
    /// Rows of the Apps screen, as places in the snapshot.
    pub apps: Vec<usize>,
    /// How many of them are new since they were sorted.
    pub new: usize,
    /// The widest of their names.
    pub name_width: usize,
    /// The Fleet screen.
    pub matrix: Matrix,
    /// What is wrong.
    pub counts: Counts,
    /// How the applications of each cluster stand.
    pub tallies: Tallies,
    /// How Apps is sorted.
    pub order: Order,
}

/// The whole state of the screen.
#[derive(Clone, Debug)]
pub struct State {
    /// The newest snapshot.
    pub fleet: Arc<Fleet>,
    /// The time that ages are measured against.
    pub now: Timestamp,
    /// The zone of clock times.
    pub zone: TimeZone,
    /// Columns and rows of the terminal.
    pub size: (u16, u16),
    /// How things are drawn.
    pub look: Look,
    /// Which keys mean what.
    pub keymap: Keymap,
    /// Keys of a sequence that is not complete.
    pub pressed: Vec<Press>,
    /// Whether changes are refused.
    pub read_only: bool,
    /// A note for the help.
    pub help_note: Option<String>,
    /// The screen under the layers.
    pub screen: Screen,
    /// Cursors.
    pub cursors: Cursors,
    /// Worked-out rows.
    pub lists: Lists,
    /// Marked applications.
    pub marks: BTreeSet<AppId>,
    /// Groups that are folded away.
    pub folded: BTreeSet<String>,
    /// The filter.
    pub filter: FilterLine,
    /// How differences are laid out.
    pub shape: Shape,
    /// What a promotion would change, once the selection has rested on it.
    pub preview: Option<Preview>,
    /// Layers, the topmost last.
    pub layers: Vec<Layer>,
    /// Toasts, the newest last.
    pub toasts: Vec<Toast>,
    /// Bad news of this run, the newest last: they stay in Activity.
    pub news: Vec<Toast>,
    /// The last ticket that was given out.
    pub ticket: u64,
    /// Whether the body takes the whole screen.
    pub zoomed: bool,
    /// Whether the person was asked once more before leaving.
    pub is_leaving: bool,
    /// Whether the person has moved in the list of applications: from then on it stays put.
    pub touched: bool,
}

impl State {
    /// Makes the state around a first snapshot.
    pub fn new(fleet: Arc<Fleet>, now: Timestamp, size: (u16, u16)) -> Self {
        let mut state = Self {
            fleet,
            now,
            zone: TimeZone::UTC,
            size,
            look: Look::default(),
            keymap: Keymap::default(),
            pressed: Vec::new(),
            read_only: false,
            help_note: None,
            screen: Screen::default(),
            cursors: Cursors::default(),
            lists: Lists::default(),
            marks: BTreeSet::new(),
            folded: BTreeSet::new(),
            filter: FilterLine::default(),
            shape: Shape::default(),
            preview: None,
            layers: Vec::new(),
            toasts: Vec::new(),
            news: Vec::new(),
            ticket: 0,
            zoomed: false,
            is_leaving: false,
            touched: false,
        };
        state.sort();
        state
    }

    /// Works the lists out anew, sorted.
    pub fn sort(&mut self) {
        let passing = self.passing();
        self.lists.apps = rows::sorted(&self.fleet, &passing, self.lists.order);
        self.lists.new = 0;
        self.count(&passing);
    }

    /// Works the Fleet screen out anew: a group was folded or unfolded.
    pub fn fold(&mut self) {
        self.lists.matrix = Matrix::new(&self.fleet, &self.passing(), &self.folded);
    }

    fn passing(&self) -> Vec<bool> {
        rows::passing(&self.fleet, &Filter::parse(&self.filter.text))
    }

    /// Works out everything beside the table of applications.
    fn count(&mut self, passing: &[bool]) {
        let widths = self.lists.apps.iter().map(|&at| self.fleet.apps[at].name.chars().count());
        self.lists.name_width = widths.max().unwrap_or(0);
        self.lists.matrix = Matrix::new(&self.fleet, passing, &self.folded);
        self.lists.counts = Counts::new(&self.fleet);
        self.lists.tallies = Tallies::new(&self.fleet);
    }

    /// Takes a new snapshot; rows stay where they are once a person has moved among them.
    pub fn take(&mut self, fleet: Arc<Fleet>) {
        if !self.touched {
            self.fleet = fleet;
            self.sort();
            return;
        }
        let selected = self.selected_row_name();
        let before = std::mem::replace(&mut self.fleet, fleet);
        let passing = self.passing();
        let chosen =
            self.lists.apps.get(self.cursors.apps.at).and_then(|&at| before.apps.get(at)).map(|app| app.id.clone());
        let (apps, new) = rows::kept(&self.fleet, &passing, &before, &self.lists.apps);
        if let Some(row) = chosen.and_then(|id| apps.iter().position(|&at| self.fleet.apps[at].id == id)) {
            self.cursors.apps.at = row;
        }
        self.lists.apps = apps;
        self.lists.new += new;
        self.count(&passing);
        let again = selected.and_then(|name| self.lists.matrix.rows.iter().position(|row| row_name(row) == name));
        if let Some(row) = again {
            self.cursors.fleet.at = row;
        }
    }

    fn selected_row_name(&self) -> Option<(bool, String)> {
        self.lists.matrix.rows.get(self.cursors.fleet.at).map(row_name)
    }

    /// Gives out the next ticket.
    pub fn next_ticket(&mut self) -> u64 {
        self.ticket += 1;
        self.ticket
    }

    /// Returns the application that keys act on: the open one, else the one under the cursor.
    pub fn selected_app(&self) -> Option<&Arc<App>> {
        if let Some(view) = self.open_app() {
            return self.fleet.app(&view.app);
        }
        match self.screen {
            Screen::Fleet => match self.lists.matrix.rows.get(self.cursors.fleet.at)? {
                MatrixRow::Component { cells, .. } => {
                    cells.get(self.cursors.column.at).copied().flatten().map(|at| &self.fleet.apps[at])
                }
                MatrixRow::Group { .. } => None,
            },
            Screen::Apps => self.lists.apps.get(self.cursors.apps.at).map(|&at| &self.fleet.apps[at]),
            _ => None,
        }
    }

    /// Says whether an application is marked or selected.
    pub fn has_chosen(&self) -> bool {
        (self.open_app().is_none() && !self.marks.is_empty()) || self.selected_app().is_some()
    }

    /// Returns the marked applications, else the selected one.
    pub fn chosen_apps(&self) -> Vec<AppId> {
        if self.open_app().is_none() && !self.marks.is_empty() {
            return self.marks.iter().cloned().collect();
        }
        self.selected_app().map(|app| app.id.clone()).into_iter().collect()
    }

    /// Returns the environment that keys act on, if the selection is in one.
    pub fn selected_environment(&self) -> Option<&Arc<Environment>> {
        let by_cluster = |place: usize| {
            let cluster = self.fleet.clusters.get(place)?;
            self.fleet.environment(cluster.environment.as_ref()?)
        };
        if let Some(app) = self.selected_app() {
            return self.fleet.environment(app.environment.as_ref()?);
        }
        match self.screen {
            Screen::Pipeline => self.fleet.environments.get(self.cursors.pipeline.at),
            Screen::Clusters => by_cluster(self.cursors.clusters.at),
            Screen::Fleet => by_cluster(self.cursors.column.at),
            Screen::Apps | Screen::Activity => None,
        }
    }

    /// Returns the application that is open, if one is.
    pub fn open_app(&self) -> Option<&AppView> {
        self.layers.iter().rev().find_map(|layer| match layer {
            Layer::App(view) => Some(&**view),
            _ => None,
        })
    }

    /// Says something that goes away by itself; bad news stay in Activity.
    pub fn say(&mut self, bad: bool, text: impl Into<String>) {
        let text = text.into();
        if bad {
            let text = crate::model::text::line(&text).into_owned();
            self.news.retain(|known| known.text != text);
            self.news.push(Toast { text, bad, at: self.now });
            if self.news.len() > NEWS {
                self.news.remove(0);
            }
        }
        self.mention(bad, text);
    }

    /// Says something that goes away by itself and is kept elsewhere.
    pub fn mention(&mut self, bad: bool, text: impl Into<String>) {
        let text = crate::model::text::line(&text.into()).into_owned();
        self.toasts.retain(|toast| toast.text != text);
        self.toasts.push(Toast { text, bad, at: self.now });
        if self.toasts.len() > 4 {
            self.toasts.remove(0);
        }
    }
}

/// Bad news that are kept at most.
const NEWS: usize = 100;

fn row_name(row: &MatrixRow) -> (bool, String) {
    match row {
        MatrixRow::Group { name, .. } => (true, name.clone()),
        MatrixRow::Component { name, .. } => (false, name.clone()),
    }
}
