//! The one table of what a person can do: keys, help, palette and README come from it.

use super::keymap::chord_text;

/// Where an action's keys work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Everywhere, unless a layer on top uses the key otherwise.
    Global,
    /// Lists and the screens.
    Screen,
    /// An open application.
    App,
    /// The confirmation.
    Confirm,
    /// The Activity screen.
    Activity,
}

impl Scope {
    /// Returns its heading in the help.
    pub fn title(self) -> &'static str {
        match self {
            Self::Global => "Everywhere",
            Self::Screen => "Screens and applications",
            Self::App => "In an application",
            Self::Confirm => "In a confirmation",
            Self::Activity => "Activity",
        }
    }
}

/// Whether an action leads to a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Risk {
    /// Only looks.
    Safe,
    /// Opens a plan that changes something once it is confirmed.
    Mutating,
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// What it does.
    pub action: Action,
    /// Its name in settings and in the command palette.
    pub name: &'static str,
    /// Keys by default.
    pub keys: &'static [&'static str],
    /// Where they work.
    pub scope: Scope,
    /// One line of help.
    pub help: &'static str,
    /// One or two words for the hints at the bottom.
    pub hint: &'static str,
    /// Whether it leads to a change.
    pub risk: Risk,
}

macro_rules! actions {
    ($($action:ident = $name:literal, [$($key:literal),*], $scope:ident, $help:literal, $hint:literal, $risk:ident;)*) => {
        /// Everything that a person can do.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Action {
            $(#[doc = $help] $action,)*
        }

        /// The table.
        pub const ACTIONS: &[Row] = &[
            $(Row {
                action: Action::$action,
                name: $name,
                keys: &[$($key),*],
                scope: Scope::$scope,
                help: $help,
                hint: $hint,
                risk: Risk::$risk,
            },)*
        ];
    };
}

actions! {
    Fleet = "fleet", ["1"], Global, "Fleet: what runs where", "fleet", Safe;
    Apps = "apps", ["2"], Global, "Apps: every application, worst first", "apps", Safe;
    Pipeline = "pipeline", ["3"], Global, "Pipeline: environments and what waits between them", "pipeline", Safe;
    Clusters = "clusters", ["4"], Global, "Clusters: connections and their errors", "clusters", Safe;
    Activity = "activity", ["5"], Global, "Activity: operations and the journal", "activity", Safe;
    Down = "down", ["j", "down"], Global, "Move down", "down", Safe;
    Up = "up", ["k", "up"], Global, "Move up", "up", Safe;
    Left = "left", ["left"], Global, "Move left", "left", Safe;
    Right = "right", ["right"], Global, "Move right", "right", Safe;
    Top = "top", ["g", "home"], Global, "Go to the first row", "top", Safe;
    Bottom = "bottom", ["G", "end"], Global, "Go to the last row", "bottom", Safe;
    PageDown = "page-down", ["ctrl-f", "pagedown"], Global, "One page down", "page", Safe;
    PageUp = "page-up", ["ctrl-b", "pageup"], Global, "One page up", "page", Safe;
    Open = "open", ["enter"], Global, "Open what is selected; fold a group", "open", Safe;
    Back = "back", ["esc"], Global, "Close, cancel, or drop the filter", "back", Safe;
    NextPane = "next-pane", ["tab"], Global, "Next screen or tab", "next", Safe;
    PreviousPane = "previous-pane", ["shift-tab"], Global, "Previous screen or tab", "previous", Safe;
    Filter = "filter", ["/"], Screen, "Filter: words, status: health: cluster: env: group: project: -l key=value, ! for not; in an application, search", "filter", Safe;
    Problems = "problems", ["!"], Screen, "Go through the filters for what is wrong", "problems", Safe;
    Sort = "sort", ["o"], Screen, "Sort by what is worst, by name, by cluster, by age", "sort", Safe;
    Mark = "mark", ["space"], Screen, "Mark or unmark an application", "mark", Safe;
    MarkAll = "mark-all", ["ctrl-a"], Screen, "Mark everything that is shown, or nothing", "mark all", Safe;
    Sync = "sync", ["s"], Screen, "Plan a sync of the marked or the selected", "sync", Mutating;
    Promote = "promote", ["P"], Screen, "Plan a promotion to the next environment", "promote", Mutating;
    Rollback = "rollback", ["R"], Screen, "Choose a release and plan to go back to it", "roll back", Mutating;
    Refresh = "refresh", ["r"], Screen, "Look again at the marked or the selected", "refresh", Safe;
    RefreshHard = "refresh-hard", ["ctrl-r"], Screen, "Fetch the repository, render and compare everything anew", "fetch", Safe;
    Diff = "diff", ["d"], Screen, "Show what differs", "diff", Safe;
    Events = "events", ["e"], Screen, "Show events", "events", Safe;
    Logs = "logs", ["l"], Screen, "Show logs", "logs", Safe;
    Yaml = "yaml", ["y"], Screen, "Show what Git says, as YAML", "YAML", Safe;
    Values = "values", ["v"], Screen, "Show the chart's values", "values", Safe;
    History = "history", ["H"], Screen, "Show the commits that touched it", "history", Safe;
    Zoom = "zoom", ["+"], Screen, "Give the pane the whole screen, or back", "zoom", Safe;
    Theme = "theme", ["T"], Screen, "Show the next theme, until the program ends", "theme", Safe;
    NextChange = "next-change", ["n"], App, "Go to the next object or change, or to what is looked for", "next change", Safe;
    PreviousChange = "previous-change", ["N"], App, "Go to the previous object or change", "previous", Safe;
    BothSides = "both-sides", ["u"], App, "Diff: live and Git side by side, or one below the other", "both sides", Safe;
    Ignored = "ignored", ["i"], App, "Diff: show what ignoreDifferences leaves out, or hide it", "ignored", Safe;
    Copy = "copy", ["c"], Screen, "Copy the name, or the text on screen", "copy", Safe;
    Confirm = "confirm", ["y"], Confirm, "Do exactly what is shown", "confirm", Mutating;
    Prune = "prune", ["p"], Confirm, "Delete what Git no longer has, or leave it; plans again", "prune", Safe;
    Details = "details", ["d"], Confirm, "Show every field that changes", "details", Safe;
    CancelOperation = "cancel-op", ["x"], Activity, "Stop a running operation at its next safe point", "cancel", Safe;
    Command = "command", [":"], Global, "Find an action by its name", "command", Safe;
    Help = "help", ["?"], Global, "Show the keys", "help", Safe;
    Quit = "quit", ["q", "ctrl-c"], Global, "Leave", "quit", Safe;
}

impl Action {
    /// Returns its row.
    pub fn row(self) -> &'static Row {
        ACTIONS.iter().find(|row| row.action == self).expect("every action has a row: the macro writes both")
    }

    /// Finds an action by its name.
    pub fn named(name: &str) -> Option<Self> {
        ACTIONS.iter().find(|row| row.name == name).map(|row| row.action)
    }
}

/// Returns the key table as Markdown, for the README and the command line.
pub fn key_table() -> String {
    let mut text = String::from("| keys | action | what it does |\n|---|---|---|\n");
    for row in ACTIONS {
        let keys: Vec<_> = row.keys.iter().map(|key| format!("`{}`", chord_text(key))).collect();
        let help = row.help.replace('|', "\\|");
        text.push_str(&format!("| {} | `{}` | {help} |\n", keys.join(" "), row.name));
    }
    text
}
