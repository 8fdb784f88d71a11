//! What keys do, pressed one after the other.

use std::sync::Arc;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use quarterdeck::engine::{Event, Request};
use quarterdeck::model::{App, AppId, Ask, Fleet, HealthStatus, OperationId, Phase, Plan, Problem, Sync};
use quarterdeck::tui::{Confirm, Content, Effect, Layer, Message, Screen, Shape, Stage, State, Tab, update};

use super::{opened, sample, state};

const SIZE: (u16, u16) = (120, 30);

/// Presses keys, written as in the settings, and returns what has to be done outside.
fn keys(state: &mut State, text: &str) -> Vec<Effect> {
    let press = |text: &str| {
        let (modifiers, text) = match text.strip_prefix("ctrl-") {
            Some(rest) => (KeyModifiers::CONTROL, rest),
            None => match text.strip_prefix("alt-") {
                Some(rest) => (KeyModifiers::ALT, rest),
                None => (KeyModifiers::NONE, text),
            },
        };
        let code = match text {
            "enter" => KeyCode::Enter,
            "esc" => KeyCode::Esc,
            "tab" => KeyCode::Tab,
            "right" => KeyCode::Right,
            "space" => KeyCode::Char(' '),
            letter => KeyCode::Char(letter.chars().next().unwrap()),
        };
        Message::Key(KeyEvent::new(code, modifiers))
    };
    text.split_whitespace().flat_map(|key| update(state, press(key))).collect()
}

fn requests(effects: &[Effect]) -> Vec<&Request> {
    effects
        .iter()
        .filter_map(|effect| if let Effect::Send(request) = effect { Some(&**request) } else { None })
        .collect()
}

/// Returns the applications that a sync was asked for.
fn synced(effects: &[Effect]) -> Vec<String> {
    match requests(effects).as_slice() {
        [Request::Plan { ask: Ask::Sync(ask), .. }] => ask.apps.iter().map(ToString::to_string).collect(),
        other => panic!("no sync was planned: {other:?}"),
    }
}

fn confirm(state: &State) -> &Confirm {
    match state.layers.last() {
        Some(Layer::Confirm(confirm)) => confirm,
        other => panic!("no confirmation is on top: {other:?}"),
    }
}

/// Opens the confirmation of a sync and answers it with a plan.
fn planned(state: &mut State, plan: Plan) {
    assert_eq!(requests(&keys(state, "s")).len(), 1);
    let ticket = state.ticket;
    update(state, Message::Engine(Event::Planned { ticket, result: Ok(Arc::new(plan)) }));
}

fn select(state: &mut State, app: &str) {
    let at = state.lists.apps.iter().position(|at| state.fleet.apps[*at].id == AppId::new(app)).unwrap();
    state.cursors.apps.at = at;
    state.touched = true;
}

fn changed(state: &State, change: impl FnOnce(&mut Fleet)) -> Message {
    let mut fleet = Fleet::clone(&state.fleet);
    fleet.generation += 1;
    change(&mut fleet);
    Message::Fleet(Arc::new(fleet))
}

#[test]
fn a_plan_without_a_name_is_run_by_y_alone() {
    for (pressed, runs) in [("enter", 0), ("space", 0), ("s", 0), ("y", 1), ("y y", 1), ("p y", 0), ("d y", 1)] {
        let mut state = state(Screen::Apps, SIZE);
        select(&mut state, "stag-01-redis");
        planned(&mut state, opened::plan(false, true));
        let effects = keys(&mut state, pressed);
        let run = requests(&effects).iter().filter(|request| matches!(request, Request::Run(_))).count();
        assert_eq!(run, runs, "{pressed:?}");
    }
}

#[test]
fn a_protected_plan_is_run_by_its_name_and_enter() {
    let name = opened::plan(true, true).protected.unwrap();
    let letters: String = name.chars().map(|letter| format!("{letter} ")).collect();
    for (pressed, runs) in [
        ("enter".to_owned(), 0),
        ("y y".to_owned(), 0),
        (letters.clone(), 0),
        (format!("x {letters} enter"), 0),
        (format!("{letters} enter enter"), 1),
    ] {
        let mut state = state(Screen::Apps, SIZE);
        select(&mut state, "stag-01-redis");
        planned(&mut state, opened::plan(true, true));
        let effects = keys(&mut state, &pressed);
        let run = requests(&effects).iter().filter(|request| matches!(request, Request::Run(_))).count();
        assert_eq!(run, runs, "{pressed:?}");
    }
}

#[test]
fn a_plan_for_another_ticket_is_not_shown() {
    let mut state = state(Screen::Apps, SIZE);
    select(&mut state, "stag-01-redis");
    keys(&mut state, "s");
    let ticket = state.ticket + 7;
    update(&mut state, Message::Engine(Event::Planned { ticket, result: Ok(Arc::new(opened::plan(false, true))) }));
    assert!(matches!(confirm(&state).stage, Stage::Planning(_)));
}

#[test]
fn a_refused_plan_is_made_again_and_not_run() {
    let mut state = state(Screen::Apps, SIZE);
    select(&mut state, "stag-01-redis");
    planned(&mut state, opened::plan(false, true));
    keys(&mut state, "y");
    let effects = update(&mut state, Message::Engine(Event::Refused(Problem::new("it has moved"))));
    assert!(matches!(requests(&effects).as_slice(), [Request::Plan { .. }]));
    assert!(confirm(&state).note.is_some());
    assert!(requests(&keys(&mut state, "y")).is_empty());
}

#[test]
fn nothing_is_planned_where_nothing_may_change() {
    for pressed in ["s", "P", "R"] {
        let mut state = state(Screen::Apps, SIZE);
        state.read_only = true;
        assert!(requests(&keys(&mut state, pressed)).is_empty(), "{pressed}");
        assert!(state.layers.is_empty() && state.toasts.len() == 1, "{pressed}");
    }
}

#[test]
fn differences_are_laid_out_by_keys() {
    let mut state = state(Screen::Fleet, SIZE);
    state.layers.push(super::opened("prod-01-payments", Tab::Diff));
    assert!(!super::picture(&state).contains("spec.paused"));
    keys(&mut state, "i u");
    let picture = super::picture(&state);
    assert!(picture.contains("spec.paused") && picture.contains("│ Git"), "{picture}");
    keys(&mut state, "i u");
    assert_eq!(state.shape, Shape::default());
}

#[test]
fn an_open_application_is_searched() {
    let mut state = state(Screen::Fleet, SIZE);
    state.layers.push(super::opened("prod-01-payments", Tab::Logs));
    let at = |state: &State| match state.layers.last() {
        Some(Layer::App(view)) => view.pane().cursor.at,
        _ => panic!("it is closed"),
    };
    keys(&mut state, "/ R e d i s");
    assert_eq!(at(&state), 1, "upper case does not matter, and letters are no actions");
    assert!(super::picture(&state).contains("1 of 2"));
    keys(&mut state, "enter n");
    assert_eq!(at(&state), 2);
    super::looks("search", &state);
    keys(&mut state, "N");
    assert_eq!(at(&state), 1);
    keys(&mut state, "esc");
    assert!(
        !super::picture(&state).contains("1 of 2") && !state.layers.is_empty(),
        "first what is looked for is dropped"
    );
    keys(&mut state, "esc");
    assert!(state.layers.is_empty());
}

#[test]
fn bad_news_stay_in_activity() {
    let mut state = state(Screen::Activity, SIZE);
    update(&mut state, Message::Engine(Event::Notice(Problem::new("the journal cannot be written"))));
    update(&mut state, Message::Tick(sample::now() + jiff::SignedDuration::from_mins(5)));
    assert!(state.toasts.is_empty());
    assert!(
        super::picture(&state).contains("! Mar 04 12:04  the journal cannot be written"),
        "{}",
        super::picture(&state)
    );
}

#[test]
fn problems_without_a_case_are_passed_over() {
    let mut state = state(Screen::Apps, SIZE);
    let change = changed(&state, |fleet| {
        let is_well = |app: &App| app.sync == Sync::Synced && app.health.status != HealthStatus::Degraded;
        fleet.apps.retain(|app| is_well(app) && app.conditions.is_empty());
    });
    update(&mut state, change);
    keys(&mut state, "!");
    assert!(state.filter.text.is_empty() && state.toasts.len() == 1);
}

#[test]
fn a_count_shows_what_it_counts() {
    let mut state = state(Screen::Pipeline, SIZE);
    let line = super::picture(&state).lines().next().unwrap().to_owned();
    let column = line.chars().position(|letter| letter == '▼').unwrap();
    let click = |column: usize| {
        Message::Mouse(MouseEvent {
            kind: MouseEventKind::Down(MouseButton::Left),
            column: column.try_into().unwrap(),
            row: 0,
            modifiers: KeyModifiers::NONE,
        })
    };
    update(&mut state, click(column - 2));
    assert_eq!((state.screen, state.filter.text.as_str()), (Screen::Apps, "health:degraded"));
    update(&mut state, click(2));
    assert_eq!(state.filter.text, "health:degraded");
}

#[test]
fn what_a_promotion_would_change_is_asked_once_the_selection_rests() {
    let mut state = state(Screen::Pipeline, (120, 40));
    state.fleet = Arc::new(Fleet { operations: Vec::new(), ..Fleet::clone(&state.fleet) });
    let tick = |state: &mut State| update(state, Message::Tick(sample::now()));
    assert!(requests(&tick(&mut state)).is_empty(), "it may be on its way to another");
    let effects = tick(&mut state);
    assert!(matches!(requests(&effects).as_slice(), [Request::Plan { ask: Ask::Promote { from, to, .. }, .. }]
            if from.as_str() == "dev" && to.as_str() == "staging"));
    let ticket = state.ticket;
    assert!(requests(&tick(&mut state)).is_empty());
    update(&mut state, Message::Engine(Event::Planned { ticket, result: Ok(Arc::new(opened::plan(false, true))) }));
    assert!(requests(&tick(&mut state)).is_empty() && state.layers.is_empty(), "it is only shown");
    super::looks("pipeline-preview", &state);
    keys(&mut state, "right");
    tick(&mut state);
    assert_eq!(requests(&tick(&mut state)).len(), 1);
}

#[test]
fn a_group_is_synced_as_far_as_it_is_shown() {
    let mut state = state(Screen::Fleet, SIZE);
    let filter: String = "/cluster:dev".chars().map(|letter| format!("{letter} ")).collect();
    keys(&mut state, &format!("{filter} enter g"));
    let apps = synced(&keys(&mut state, "s"));
    assert!(apps.iter().all(|app| app.starts_with("dev-01-")), "{apps:?}");
}

#[test]
fn a_running_operation_can_be_stopped_from_its_confirmation() {
    let mut state = state(Screen::Apps, SIZE);
    let id = state.fleet.operations.iter().find(|operation| operation.phase == Phase::Running).unwrap().id;
    select(&mut state, "stag-01-redis");
    planned(&mut state, opened::plan(false, true));
    keys(&mut state, "y");
    update(&mut state, Message::Engine(Event::Started(id)));
    let effects = keys(&mut state, "x");
    assert!(matches!(requests(&effects).as_slice(), [Request::Cancel(cancelled)] if *cancelled == id));
}

#[test]
fn the_selection_stays_when_a_row_above_it_goes() {
    let mut state = state(Screen::Apps, SIZE);
    select(&mut state, "stag-01-redis");
    let first = state.lists.apps[0];
    let message = changed(&state, |fleet| drop(fleet.apps.remove(first)));
    update(&mut state, message);
    assert_eq!(state.selected_app().unwrap().id, AppId::new("stag-01-redis"));
}

#[test]
fn the_operation_that_is_selected_is_the_one_that_is_stopped() {
    let mut state = state(Screen::Activity, SIZE);
    keys(&mut state, "g");
    let at = (0..9).find(|_| {
        matches!(requests(&keys(&mut state, "x")).as_slice(), [Request::Cancel(_)]) || {
            keys(&mut state, "j");
            false
        }
    });
    assert!(at.is_some(), "an operation of the sample is running");
    let running = state.fleet.operations.iter().find(|operation| operation.phase == Phase::Running).unwrap().clone();
    let message = changed(&state, |fleet| {
        let mut newer = (*running).clone();
        newer.id = OperationId(99);
        newer.started = sample::now();
        newer.title = "Sync another".to_owned();
        fleet.operations.insert(0, Arc::new(newer));
    });
    update(&mut state, message);
    let effects = keys(&mut state, "x");
    assert!(matches!(requests(&effects).as_slice(), [Request::Cancel(id)] if *id == running.id), "{effects:?}");
}

#[test]
fn what_a_tab_shows_is_asked_again_when_the_application_has_changed() {
    let mut state = state(Screen::Apps, SIZE);
    select(&mut state, "stag-01-redis");
    for pressed in ["d", "tab"] {
        keys(&mut state, pressed);
    }
    let Some(Layer::App(view)) = state.layers.last_mut() else { panic!("the application is open") };
    view.tab = Tab::Resources;
    for (pane, detail) in view.panes.iter_mut().zip(opened::details()) {
        pane.content = Content::Ready(detail);
    }
    let message = changed(&state, |fleet| {
        let app = fleet.apps.iter_mut().find(|app| app.id == AppId::new("stag-01-redis")).unwrap();
        Arc::make_mut(app).why = "something else differs".to_owned();
    });
    update(&mut state, message);
    let effects = keys(&mut state, "d");
    assert_eq!(requests(&effects).len(), 1, "the diff is from before the change");
}

#[test]
fn being_seen_again_is_no_change() {
    let mut state = state(Screen::Apps, SIZE);
    select(&mut state, "stag-01-redis");
    keys(&mut state, "enter");
    let Some(Layer::App(view)) = state.layers.last_mut() else { panic!("the application is open") };
    for (pane, detail) in view.panes.iter_mut().zip(opened::details()) {
        pane.content = Content::Ready(detail);
    }
    let message = changed(&state, |fleet| {
        let app = fleet.apps.iter_mut().find(|app| app.id == AppId::new("stag-01-redis")).unwrap();
        Arc::make_mut(app).seen = Some(sample::now());
    });
    assert!(requests(&update(&mut state, message)).is_empty());
}

#[test]
fn an_answer_that_is_lost_is_asked_for_again() {
    let mut state = state(Screen::Apps, SIZE);
    select(&mut state, "stag-01-redis");
    assert_eq!(requests(&keys(&mut state, "enter")).len(), 1);
    let first = state.ticket;
    let effects = update(&mut state, Message::Missed);
    assert!(
        matches!(requests(&effects).as_slice(), [Request::Inspect { ticket, .. }] if *ticket > first),
        "{effects:?}"
    );
    keys(&mut state, "esc s");
    let second = state.ticket;
    let effects = update(&mut state, Message::Missed);
    assert!(matches!(requests(&effects).as_slice(), [Request::Plan { ticket, .. }] if *ticket > second), "{effects:?}");
    let (ticket, plan) = (state.ticket, Arc::new(opened::plan(false, true)));
    update(&mut state, Message::Engine(Event::Planned { ticket, result: Ok(plan) }));
    assert!(matches!(confirm(&state).stage, Stage::Shown(_)));
    assert!(requests(&update(&mut state, Message::Missed)).is_empty(), "what is there is not asked for");
}

#[test]
fn a_confirmed_plan_is_found_again_when_its_beginning_is_lost() {
    let mut state = state(Screen::Apps, SIZE);
    select(&mut state, "stag-01-redis");
    let plan = opened::plan(false, true);
    // The same plan was run before: that one is not what came of this.
    let with = |id: u64| {
        let plan = plan.id.clone();
        move |fleet: &mut Fleet| {
            let mut operation = (*fleet.operations[0]).clone();
            (operation.id, operation.plan) = (OperationId(id), plan);
            fleet.operations.insert(0, Arc::new(operation));
        }
    };
    let message = changed(&state, with(7));
    update(&mut state, message);
    planned(&mut state, plan.clone());
    keys(&mut state, "y");
    let message = changed(&state, with(8));
    update(&mut state, message);
    assert!(requests(&update(&mut state, Message::Missed)).is_empty());
    assert_eq!(confirm(&state).operation(), Some(OperationId(8)));
    keys(&mut state, "esc");
    planned(&mut state, plan.clone());
    keys(&mut state, "y");
    let effects = update(&mut state, Message::Missed);
    assert!(matches!(requests(&effects).as_slice(), [Request::Plan { .. }]), "{effects:?}");
    assert!(confirm(&state).note.is_some());
}

#[test]
fn the_themes_come_round() {
    let mut state = state(Screen::Apps, SIZE);
    let first = state.look.theme.name().to_owned();
    let mut seen = vec![first.clone()];
    loop {
        keys(&mut state, "T");
        let name = state.look.theme.name().to_owned();
        if name == first {
            break;
        }
        assert!(!seen.contains(&name) && seen.len() < 9, "{seen:?}");
        seen.push(name);
    }
    assert!(seen.len() >= 3, "{seen:?}");
}

#[test]
fn leaving_is_asked_about_for_each_operation() {
    let leaves = |effects: &[Effect]| effects.iter().any(|effect| matches!(effect, Effect::Quit));
    let mut state = state(Screen::Apps, SIZE);
    let phase = |phase| move |fleet: &mut Fleet| Arc::make_mut(&mut fleet.operations[0]).phase = phase;
    assert!(!leaves(&keys(&mut state, "q")));
    let message = changed(&state, phase(Phase::Succeeded));
    update(&mut state, message);
    let message = changed(&state, phase(Phase::Running));
    update(&mut state, message);
    assert!(!leaves(&keys(&mut state, "q")), "another operation runs now");
    assert!(leaves(&keys(&mut state, "q")));
}

#[test]
fn escape_and_a_key_that_arrive_as_one_are_both_taken() {
    let mut state = state(Screen::Apps, SIZE);
    let message = changed(&state, |fleet| fleet.operations.clear());
    update(&mut state, message);
    keys(&mut state, "?");
    let effects = keys(&mut state, "alt-q");
    assert!(state.layers.is_empty() && matches!(effects.as_slice(), [Effect::Quit]));

    // Nothing is confirmed by it: Esc comes first.
    select(&mut state, "stag-01-redis");
    planned(&mut state, opened::plan(false, true));
    let effects = keys(&mut state, "alt-y");
    assert!(requests(&effects).iter().all(|request| !matches!(request, Request::Run(_))));
    assert!(!matches!(state.layers.last(), Some(Layer::Confirm(_))));
}
