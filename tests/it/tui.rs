//! What the screens look like, and that nothing breaks them.

mod opened;
mod sample;

use std::sync::Arc;

use quarterdeck::model::{AppId, Fleet, OperationId, Problem};
use quarterdeck::tui::app_view::{AppView, Tab};
use quarterdeck::tui::confirm::Confirm;
use quarterdeck::tui::picker::Picker;
use quarterdeck::tui::state::{Layer, Screen, State};
use quarterdeck::tui::view;
use ratatui::Terminal;
use ratatui::backend::TestBackend;

fn state(screen: Screen, size: (u16, u16)) -> State {
    of(sample::fleet(), screen, size)
}

fn of(fleet: Fleet, screen: Screen, size: (u16, u16)) -> State {
    let mut state = State::new(Arc::new(fleet), sample::now(), size);
    state.screen = screen;
    state
}

fn picture(state: &State) -> String {
    let mut terminal = Terminal::new(TestBackend::new(state.size.0, state.size.1)).unwrap();
    terminal.draw(|frame| view::draw(frame, state)).unwrap();
    let buffer = terminal.backend().buffer();
    let mut text = String::new();
    for y in 0..buffer.area.height {
        let mut line = String::new();
        for x in 0..buffer.area.width {
            line.push_str(buffer[(x, y)].symbol());
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// An application with every answer there.
fn opened(app: &str, tab: Tab) -> Layer {
    let answers = opened::details().into_iter().map(|detail| Some(Ok(detail))).collect();
    Layer::App(Box::new(AppView { app: AppId::new(app), tab, cur: Default::default(), answers }))
}

fn confirm(protected: bool, open: bool, typed: &str) -> Confirm {
    let plan = Some(Arc::new(opened::plan(protected, open)));
    Confirm { plan, details: false, top: 0, typed: typed.to_owned(), problem: None, title: String::new() }
}

/// Every layer that can lie over a screen.
fn layers(state: &State) -> Vec<(&'static str, Layer)> {
    let environment = state.fleet.environments.get(2).cloned();
    let mut layers: Vec<_> = Tab::ALL.map(|tab| (tab.name(), opened("prod-01-payments", tab))).into();
    let releases = environment.and_then(|environment| Picker::releases(state, &environment).ok());
    layers.extend(releases.map(|picker| ("releases", Layer::Picker(picker))));
    let refused = Confirm {
        plan: None,
        problem: Some(Problem::new("production has moved meanwhile").hint("plan again")),
        title: "Promote staging to production".to_owned(),
        ..confirm(false, true, "")
    };
    layers.extend([
        ("broken", opened("dev-01-external-dns", Tab::Resources)),
        ("gone", opened("nobody", Tab::Diff)),
        ("confirm-protected", Layer::Confirm(Box::new(confirm(true, true, "prod")))),
        ("confirm", Layer::Confirm(Box::new(confirm(false, true, "")))),
        ("confirm-details", Layer::Confirm(Box::new(Confirm { details: true, ..confirm(false, true, "") }))),
        ("confirm-closed", Layer::Confirm(Box::new(confirm(true, false, "")))),
        ("confirm-refused", Layer::Confirm(Box::new(refused))),
        ("palette", Layer::Picker(Picker::palette(&state.keymap))),
        ("help", Layer::Help(0)),
        ("operation", Layer::Operation(OperationId(2), 0)),
        ("operation-running", Layer::Operation(OperationId(3), 0)),
        ("entry", Layer::Entry("b2".to_owned())),
    ]);
    layers
}

#[test]
fn screens_at_80_by_24() {
    for screen in Screen::ALL {
        insta::assert_snapshot!(format!("{}-80x24", screen.name().to_lowercase()), picture(&state(screen, (80, 24))));
    }
}

#[test]
fn screens_at_200_by_60() {
    for screen in [Screen::Fleet, Screen::Apps, Screen::Pipeline] {
        insta::assert_snapshot!(format!("{}-200x60", screen.name().to_lowercase()), picture(&state(screen, (200, 60))));
    }
}

#[test]
fn layers_at_120_by_30() {
    let base = state(Screen::Fleet, (120, 30));
    for (name, layer) in layers(&base) {
        let mut state = base.clone();
        state.layers.push(layer);
        insta::assert_snapshot!(format!("layer-{}", name.to_lowercase()), picture(&state));
    }
}

#[test]
fn layers_at_80_by_24() {
    let base = state(Screen::Apps, (80, 24));
    for (name, layer) in layers(&base) {
        if !["Resources", "Diff", "confirm-protected", "help", "releases"].contains(&name) {
            continue;
        }
        let mut state = base.clone();
        state.layers.push(layer);
        insta::assert_snapshot!(format!("layer-{}-80x24", name.to_lowercase()), picture(&state));
    }
}

#[test]
fn every_size_can_be_drawn() {
    for (width, height) in (1..=200).step_by(9).flat_map(|width| (1..=60).step_by(5).map(move |height| (width, height)))
    {
        for screen in Screen::ALL {
            let mut state = state(screen, (width, height));
            state.say(true, "the server could not be reached, and this is a long story about why that is so");
            picture(&state);
            state.look.ascii = true;
            state.zoomed = true;
            picture(&state);
        }
    }
    for (width, height) in
        (1..=200).step_by(27).flat_map(|width| (1..=60).step_by(9).map(move |height| (width, height)))
    {
        let base = state(Screen::Apps, (width, height));
        for (_, layer) in layers(&base) {
            let mut state = base.clone();
            state.layers.push(layer);
            picture(&state);
        }
    }
}

#[test]
fn a_terminal_that_is_too_small_says_so() {
    let words = picture(&state(Screen::Fleet, (20, 5))).replace('\n', " ");
    assert!(words.contains("too small") && words.contains("20×5"), "{words}");
}

#[test]
fn ascii_is_ascii() {
    let base = state(Screen::Apps, (160, 50));
    for screen in Screen::ALL {
        for (name, layer) in layers(&base) {
            let mut state = state(screen, (160, 50));
            state.look.ascii = true;
            let plain = picture(&state);
            assert!(plain.is_ascii(), "{plain}");
            state.layers.push(layer);
            let plain = picture(&state);
            assert!(plain.is_ascii(), "{name}: {plain}");
        }
    }
}

#[test]
fn what_clusters_and_repositories_say_cannot_drive_the_terminal() {
    let evil = "a\u{1b}[2J\u{7}\u{202e}b\u{200b}\n\u{9b}31m";
    let mut fleet = sample::fleet();
    fleet.repository.name = evil.to_owned();
    for app in &mut fleet.apps {
        let app = Arc::make_mut(app);
        app.name = format!("{evil}{}", app.name);
        app.component = evil.to_owned();
        app.group = evil.to_owned();
        app.why = evil.to_owned();
        app.health.message = evil.to_owned();
    }
    for cluster in &mut fleet.clusters {
        Arc::make_mut(cluster).last_error = Some(evil.to_owned());
        Arc::make_mut(cluster).version = evil.to_owned();
    }
    for screen in Screen::ALL {
        let mut state = of(fleet.clone(), screen, (160, 50));
        state.filter.text = String::new();
        state.say(true, evil);
        let text = picture(&state);
        assert!(!text.contains(|c| c != '\n' && quarterdeck::model::text::is_hostile(c)), "{text:?}");
        assert!(screen == Screen::Activity || text.contains("a[2Jb"), "{text}");
    }
}
