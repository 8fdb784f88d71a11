//! Actions.

use super::lists::{self, Move};
use super::{keys, look, open_view, outdate, plan};
use crate::engine::{Detail, Request};
use crate::model::{AppId, Ask, Mode, Plan, SyncAsk};
use crate::tui::action::{Action, Risk, Scope};
use crate::tui::app_view::{AppView, Search, Tab};
use crate::tui::confirm::Stage;
use crate::tui::filter::Filter;
use crate::tui::picker::{Choice, Picker};
use crate::tui::rows::MatrixRow;
use crate::tui::state::{Effect, Layer, Screen, State};
use crate::tui::theme::{self, Theme};
use crate::tui::view;

/// The filters that [`Action::Problems`] goes through.
const PROBLEMS: [&str; 4] = ["status:outofsync", "health:degraded", "is:broken", "is:lost"];

/// Does what a key, the palette or a click asked for.
pub(super) fn act(state: &mut State, action: Action, effects: &mut Vec<Effect>) {
    let row = action.row();
    if row.risk == Risk::Mutating && row.scope != Scope::Confirm && is_read_only(state) {
        return state.say(true, format!("{} is refused: nothing may be changed from here (read-only)", row.hint));
    }
    // While a plan waits for an answer, nothing else is done behind its back.
    if state.layers.iter().any(|layer| matches!(layer, Layer::Confirm(_))) && !is_for_confirmation(action) {
        return;
    }
    match action {
        Action::Fleet => show(state, Screen::Fleet),
        Action::Apps => show(state, Screen::Apps),
        Action::Pipeline => show(state, Screen::Pipeline),
        Action::Clusters => show(state, Screen::Clusters),
        Action::Activity => show(state, Screen::Activity),
        Action::Down => lists::go(state, Move::Rows(1)),
        Action::Up => lists::go(state, Move::Rows(-1)),
        Action::PageDown => lists::go(state, Move::Pages(1)),
        Action::PageUp => lists::go(state, Move::Pages(-1)),
        Action::Top => lists::go(state, Move::First),
        Action::Bottom => lists::go(state, Move::Last),
        Action::Left => sideways(state, -1, effects),
        Action::Right => sideways(state, 1, effects),
        Action::NextPane => next_pane(state, 1, effects),
        Action::PreviousPane => next_pane(state, -1, effects),
        Action::Open => open(state, effects),
        Action::Back => back(state),
        Action::Filter => filter(state),
        Action::Problems => problems(state),
        Action::Sort => sort(state),
        Action::Mark => mark(state),
        Action::MarkAll => mark_all(state),
        Action::Sync => sync(state, effects),
        Action::Promote => promote(state, effects),
        Action::Rollback => rollback(state),
        Action::Refresh => refresh(state, false, effects),
        Action::RefreshHard => refresh(state, true, effects),
        Action::Diff => open_tab(state, Tab::Diff, effects),
        Action::Events => open_tab(state, Tab::Events, effects),
        Action::Logs => open_tab(state, Tab::Logs, effects),
        Action::Yaml => open_tab(state, Tab::Manifests, effects),
        Action::Values => open_tab(state, Tab::Values, effects),
        Action::History => open_tab(state, Tab::History, effects),
        Action::Zoom => state.zoomed = !state.zoomed,
        Action::Theme => next_theme(state),
        Action::NextChange => stop(state, true),
        Action::PreviousChange => stop(state, false),
        Action::BothSides => state.shape.is_split = !state.shape.is_split,
        Action::Ignored => state.shape.shows_ignored = !state.shape.shows_ignored,
        Action::Copy => copy(state, effects),
        Action::Confirm => answer(state, effects),
        Action::Prune => prune(state, effects),
        Action::Details => details(state),
        Action::CancelOperation => cancel(state, effects),
        Action::Command => state.layers.push(Layer::Picker(Picker::palette(&state.keymap))),
        Action::Help => state.layers.push(Layer::Help(0)),
        Action::Quit if state.layers.is_empty() => keys::leave(state, effects),
        Action::Quit => back(state),
    }
}

fn is_read_only(state: &State) -> bool {
    state.read_only || state.fleet.mode == Mode::ReadOnly
}

fn is_for_confirmation(action: Action) -> bool {
    use Action as A;
    action.row().scope == Scope::Confirm
        || matches!(
            action,
            A::Up
                | A::Down
                | A::PageUp
                | A::PageDown
                | A::Top
                | A::Bottom
                | A::Back
                | A::Quit
                | A::Help
                | A::CancelOperation
        )
}

/// Shows a screen, and nothing over it.
pub(super) fn show(state: &mut State, screen: Screen) {
    state.layers.clear();
    state.filter.editing = false;
    state.screen = screen;
}

fn sideways(state: &mut State, by: isize, effects: &mut Vec<Effect>) {
    if !lists::sideways(state, by) && matches!(state.layers.last(), Some(Layer::App(_))) {
        next_pane(state, by, effects);
    }
}

fn next_pane(state: &mut State, by: isize, effects: &mut Vec<Effect>) {
    match state.layers.last_mut() {
        Some(Layer::App(view)) => {
            view.tab = view.tab.stepped(by);
            look(state, effects);
        }
        None => {
            let len = Screen::ALL.len() as isize;
            let next = (state.screen.index() as isize + by).rem_euclid(len);
            show(state, Screen::ALL[next as usize]);
        }
        Some(_) => {}
    }
}

fn open(state: &mut State, effects: &mut Vec<Effect>) {
    match state.layers.last() {
        Some(Layer::App(view)) => {
            let is_pod = |rows: &[crate::engine::TreeRow]| {
                rows.get(view.pane().cursor.at).is_some_and(|row| !row.containers.is_empty())
            };
            let pod = matches!(view.pane().content.detail(), Some(Detail::Tree(rows)) if is_pod(rows));
            match (view.tab, pod) {
                (Tab::Resources, true) => logs_of_selected(state, effects),
                (Tab::Resources, false) => open_tab(state, Tab::Diff, effects),
                _ => {}
            }
        }
        Some(_) => {}
        None => open_row(state, effects),
    }
}

fn open_row(state: &mut State, effects: &mut Vec<Effect>) {
    match state.screen {
        Screen::Fleet | Screen::Apps => {
            if state.screen == Screen::Fleet
                && let Some(MatrixRow::Group { name, .. }) = state.lists.matrix.rows.get(state.cursors.fleet.at)
            {
                let name = name.clone();
                return fold(state, name);
            }
            match state.selected_app().map(|app| app.id.clone()) {
                Some(app) => open_app(state, app, Tab::Resources, effects),
                None if state.screen == Screen::Fleet => state.say(false, "It is not enabled on this cluster"),
                None => {}
            }
        }
        Screen::Pipeline => {
            if let Some(environment) = state.fleet.environments.get(state.cursors.pipeline.at) {
                let words = format!("env:{}", environment.name);
                show_filtered(state, &words);
            }
        }
        Screen::Clusters => {
            if let Some(cluster) = state.fleet.clusters.get(state.cursors.clusters.at) {
                let words = format!("cluster:{}", cluster.name);
                show_filtered(state, &words);
            }
        }
        Screen::Activity => {
            let story = view::selected_story(state);
            state.layers.extend(story);
        }
    }
}

fn fold(state: &mut State, group: String) {
    if !state.folded.remove(&group) {
        state.folded.insert(group);
    }
    state.fold();
}

/// Shows the applications that pass a filter.
pub(super) fn show_filtered(state: &mut State, words: &str) {
    show(state, Screen::Apps);
    words.clone_into(&mut state.filter.text);
    keys::filtered(state);
}

fn open_app(state: &mut State, app: AppId, tab: Tab, effects: &mut Vec<Effect>) {
    let mut view = AppView::new(app);
    view.tab = tab;
    state.layers.push(Layer::App(Box::new(view)));
    look(state, effects);
}

fn open_tab(state: &mut State, tab: Tab, effects: &mut Vec<Effect>) {
    if tab == Tab::Logs && matches!(state.layers.last(), Some(Layer::App(_))) {
        return logs_of_selected(state, effects);
    }
    match state.layers.last_mut() {
        Some(Layer::App(view)) => {
            view.tab = tab;
            look(state, effects);
        }
        Some(_) => {}
        None => {
            if let Some(app) = state.selected_app().map(|app| app.id.clone()) {
                open_app(state, app, tab, effects);
            }
        }
    }
}

/// Shows the logs of the pod under the cursor, else of the first one.
fn logs_of_selected(state: &mut State, effects: &mut Vec<Effect>) {
    let Some(view) = open_view(state) else { return };
    let chosen = view.first_pod();
    if chosen != view.logs_of {
        view.logs_of = chosen;
        view.panes[Tab::Logs.index()] = crate::tui::app_view::Pane::default();
    }
    view.tab = Tab::Logs;
    look(state, effects);
}

/// Closes what is on top; with nothing on top, drops the zoom, the filter, then the marks.
fn back(state: &mut State) {
    if let Some(Layer::App(view)) = state.layers.last_mut()
        && view.search.is_shown()
    {
        view.search = Search::default();
    } else if state.layers.pop().is_some() {
    } else if state.zoomed {
        state.zoomed = false;
    } else if !state.filter.text.is_empty() {
        state.filter.text.clear();
        keys::filtered(state);
    } else {
        state.marks.clear();
    }
}

fn filter(state: &mut State) {
    if let Some(Layer::App(view)) = state.layers.last_mut() {
        view.search.editing = true;
        return;
    }
    if !matches!(state.screen, Screen::Fleet | Screen::Apps) || state.open_app().is_some() {
        show(state, Screen::Apps);
    }
    state.filter.editing = true;
    state.filter.before = state.filter.text.clone();
}

fn problems(state: &mut State) {
    let from = PROBLEMS.iter().position(|filter| *filter == state.filter.text).map_or(0, |at| at + 1);
    // A filter that nothing passes says nothing that the counts do not say.
    let shows_some = |words: &&&str| {
        let filter = Filter::parse(words);
        state.fleet.apps.iter().any(|app| filter.passes(app))
    };
    let next = PROBLEMS[from..].iter().find(shows_some).copied().unwrap_or_default();
    if next.is_empty() && from == 0 {
        return state.say(false, "Nothing is wrong: all is Synced, nothing is Degraded, broken or lost");
    }
    if !matches!(state.screen, Screen::Fleet | Screen::Apps) {
        show(state, Screen::Apps);
    }
    next.clone_into(&mut state.filter.text);
    keys::filtered(state);
}

fn sort(state: &mut State) {
    if state.lists.new == 0 {
        state.lists.order = state.lists.order.next();
    }
    state.touched = false;
    state.sort();
    state.cursors.apps = crate::tui::state::Cursor::default();
}

fn mark(state: &mut State) {
    let Some(app) = state.selected_app().map(|app| app.id.clone()) else { return };
    if !state.marks.remove(&app) {
        state.marks.insert(app);
    }
    if state.layers.is_empty() {
        lists::go(state, Move::Rows(1));
    }
}

fn mark_all(state: &mut State) {
    let shown: Vec<AppId> = state.lists.apps.iter().map(|&at| state.fleet.apps[at].id.clone()).collect();
    if shown.iter().all(|app| state.marks.contains(app)) {
        state.marks.clear();
    } else {
        state.marks.extend(shown);
    }
}

/// Returns the applications that a sync means: the marked, the selected, or all of the selected group, cluster or environment.
fn meant(state: &State) -> Vec<AppId> {
    let chosen = state.chosen_apps();
    if !chosen.is_empty() {
        return chosen;
    }
    let all = |wanted: &dyn Fn(&crate::model::App) -> bool| -> Vec<AppId> {
        state.fleet.apps.iter().filter(|app| wanted(app)).map(|app| app.id.clone()).collect()
    };
    match state.screen {
        Screen::Fleet => match state.lists.matrix.rows.get(state.cursors.fleet.at) {
            Some(MatrixRow::Group { name, .. }) => {
                let filter = Filter::parse(&state.filter.text);
                all(&|app| app.group == *name && filter.passes(app))
            }
            _ => Vec::new(),
        },
        Screen::Clusters => match state.fleet.clusters.get(state.cursors.clusters.at) {
            Some(cluster) => all(&|app| app.cluster == cluster.name),
            None => Vec::new(),
        },
        Screen::Pipeline => match state.fleet.environments.get(state.cursors.pipeline.at) {
            Some(environment) => all(&|app| app.environment.as_ref() == Some(&environment.name)),
            None => Vec::new(),
        },
        Screen::Apps | Screen::Activity => Vec::new(),
    }
}

fn sync(state: &mut State, effects: &mut Vec<Effect>) {
    let apps = meant(state);
    if let [only] = apps.as_slice()
        && let Some(condition) = state.fleet.app(only).and_then(|app| app.blocked())
    {
        let words = format!("{only} cannot be synced: {}: {}", condition.kind.as_str(), condition.message);
        return state.say(true, words);
    }
    if apps.is_empty() {
        return state.say(false, "There is no application here to sync");
    }
    plan(state, Ask::Sync(SyncAsk { apps, ..SyncAsk::default() }), effects);
}

fn promote(state: &mut State, effects: &mut Vec<Effect>) {
    let from = state.selected_environment().map(|environment| environment.name.clone());
    let picker = Picker::promotions(state, from.as_ref());
    match picker.items.as_slice() {
        [only] => choose(state, only.choice.clone(), effects),
        [] => {
            let all = Picker::promotions(state, None);
            if all.items.is_empty() {
                return state.say(false, "There is nothing to promote: no environment comes after another");
            }
            state.layers.push(Layer::Picker(all));
        }
        _ => state.layers.push(Layer::Picker(picker)),
    }
}

fn rollback(state: &mut State) {
    let Some(environment) = state.selected_environment().cloned() else {
        let picker = Picker::environments(state);
        if picker.items.is_empty() {
            return state.say(false, "There is no environment to roll back");
        }
        return state.layers.push(Layer::Picker(picker));
    };
    match Picker::releases(state, &environment) {
        Ok(picker) => state.layers.push(Layer::Picker(picker)),
        Err(words) => state.say(false, words),
    }
}

/// Does what was chosen from a list.
pub(super) fn choose(state: &mut State, choice: Choice, effects: &mut Vec<Effect>) {
    match choice {
        Choice::Act(action) => act(state, action, effects),
        Choice::Releases(name) => {
            let Some(environment) = state.fleet.environment(&name).cloned() else { return };
            match Picker::releases(state, &environment) {
                Ok(picker) => state.layers.push(Layer::Picker(picker)),
                Err(words) => state.say(false, words),
            }
        }
        Choice::Rollback(environment, to) => plan(state, Ask::Rollback { environment, to, prune: false }, effects),
        Choice::Promote(from, to) => plan(state, Ask::Promote { from, to, prune: false }, effects),
    }
}

fn refresh(state: &mut State, hard: bool, effects: &mut Vec<Effect>) {
    let apps = if hard { Vec::new() } else { meant(state) };
    state.say(false, if hard { "Fetching, rendering and comparing everything anew" } else { "Looking again" });
    effects.push(Effect::Send(Box::new(Request::Refresh { apps, hard })));
    outdate(state, |_| true);
    look(state, effects);
}

/// Goes to what is looked for, here or further down, else to where it occurs first.
pub(super) fn find(state: &mut State) {
    let stops = view::stops(state);
    let Some(view) = open_view(state).filter(|view| !view.search.text.is_empty()) else { return };
    let cursor = &mut view.pane_mut().cursor;
    if let Some(next) = stops.iter().find(|stop| **stop >= cursor.at).or(stops.first()) {
        (cursor.at, cursor.top) = (*next, *next);
    }
}

/// Goes to the next or the previous place where something begins.
fn stop(state: &mut State, forward: bool) {
    let stops = view::stops(state);
    let Some(view) = open_view(state) else { return };
    let cursor = &mut view.pane_mut().cursor;
    let next = if forward {
        stops.iter().find(|stop| **stop > cursor.at)
    } else {
        stops.iter().rev().find(|stop| **stop < cursor.at)
    };
    if let Some(next) = next {
        (cursor.at, cursor.top) = (*next, *next);
    }
}

fn copy(state: &mut State, effects: &mut Vec<Effect>) {
    let text = match state.open_app().map(|view| (view, view.pane().content.detail())) {
        Some((_, Some(Detail::Values(values)))) => Some(values.clone()),
        Some((_, Some(Detail::Logs(lines)))) => Some(lines.join("\n")),
        Some((_, Some(Detail::Manifests(manifests)))) => {
            Some(manifests.iter().map(|(_, yaml)| yaml.as_str()).collect::<Vec<_>>().join("---\n"))
        }
        Some((_, Some(Detail::Diff(diffs)))) => {
            Some(diffs.iter().map(crate::engine::ObjectDiff::unified).collect::<Vec<_>>().join("\n"))
        }
        _ => state.selected_app().map(|app| app.name.clone()),
    };
    if let Some(text) = text {
        let lines = text.lines().count();
        let words = if lines > 1 { format!("{lines} lines are on the clipboard") } else { format!("Copied {text}") };
        state.say(false, words);
        effects.push(Effect::Copy(text));
    }
}

/// Answers a plan that asks for no name; for one that does, says so.
fn answer(state: &mut State, effects: &mut Vec<Effect>) {
    let Some(Layer::Confirm(layer)) = state.layers.last() else { return };
    let Some(plan) = layer.plan().cloned() else { return };
    let closed = plan.closed().next().map(|gate| format!("Not now: {}", gate.reason));
    match (closed, &plan.protected) {
        (Some(words), _) => state.say(true, words),
        (None, Some(name)) if layer.is_typing() => state.say(false, format!("Type {name} to confirm")),
        _ => confirm(state, effects),
    }
}

/// Runs exactly the plan that is shown, if it may run.
pub(super) fn confirm(state: &mut State, effects: &mut Vec<Effect>) {
    let newest = state.fleet.operations.iter().map(|operation| operation.id).max();
    let Some(Layer::Confirm(layer)) = state.layers.last_mut() else { return };
    let Some(plan) = layer.ready().cloned() else { return };
    let shown = plan.id.clone();
    if let Ok(approved) = Plan::clone(&plan).approve(&shown) {
        layer.stage = Stage::Sent(plan);
        layer.after = newest;
        effects.push(Effect::Send(Box::new(Request::Run(approved))));
    }
}

fn prune(state: &mut State, effects: &mut Vec<Effect>) {
    let ticket = state.next_ticket();
    let Some(Layer::Confirm(confirm)) = state.layers.last_mut() else { return };
    if !matches!(confirm.stage, Stage::Shown(_)) {
        return;
    }
    confirm.switch_prune(ticket);
    let ask = confirm.ask.clone();
    effects.push(Effect::Send(Box::new(Request::Plan { ticket, ask })));
}

/// Shows the next theme and names it: the name is what the settings take.
fn next_theme(state: &mut State) {
    let now = state.look.theme.name().to_owned();
    let mut names = theme::names().chain(theme::names()).skip_while(|name| *name != now).skip(1);
    let Some(name) = names.next() else { return };
    match Theme::load(name, state.look.theme.depth()) {
        Ok(theme) => {
            state.look.theme = theme;
            state.say(false, format!("Theme {name}; keep it with theme = \"{name}\" in the settings"));
        }
        Err(error) => state.say(true, error.to_string()),
    }
}

fn details(state: &mut State) {
    if let Some(Layer::Confirm(confirm)) = state.layers.last_mut() {
        confirm.details = !confirm.details;
        confirm.top = 0;
    }
}

fn cancel(state: &mut State, effects: &mut Vec<Effect>) {
    let id = match state.layers.last() {
        Some(Layer::Operation(id, _)) => Some(*id),
        Some(Layer::Confirm(confirm)) => confirm.operation(),
        _ => match view::selected_story(state) {
            Some(Layer::Operation(id, _)) => Some(id),
            _ => None,
        },
    };
    let running = id.and_then(|id| state.fleet.operation(id)).filter(|operation| !operation.phase.is_over());
    match running {
        Some(operation) => effects.push(Effect::Send(Box::new(Request::Cancel(operation.id)))),
        None => state.say(false, "Nothing is running here"),
    }
}
