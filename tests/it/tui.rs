//! What the screens look like, and that nothing breaks them.

mod opened;
mod pressed;
mod sample;

use std::sync::Arc;

use quarterdeck::model::{AppId, AuditEntry, ClusterName, Fleet, Key, ObjectStatus, OperationId, Phase, Problem, Sync};
use quarterdeck::tui::{
    AppView, Confirm, Content, Depth, Layer, Picker, Screen, Shape, Sign, Stage, State, Tab, Theme, badge, draw,
};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;

fn state(screen: Screen, size: (u16, u16)) -> State {
    of(sample::fleet(), screen, size)
}

fn of(fleet: Fleet, screen: Screen, size: (u16, u16)) -> State {
    let mut state = State::new(Arc::new(fleet), sample::now(), size);
    state.screen = screen;
    state
}

fn drawn(state: &State) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(state.size.0, state.size.1)).unwrap();
    terminal.draw(|frame| draw(frame, state)).unwrap();
    terminal.backend().buffer().clone()
}

fn picture(state: &State) -> String {
    let buffer = drawn(state);
    let mut text = String::new();
    for y in 0..buffer.area.height {
        let line: String = (0..buffer.area.width).map(|x| buffer[(x, y)].symbol()).collect();
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// Compares a picture with the one that is kept under a name.
fn looks(name: &str, state: &State) {
    insta::assert_snapshot!(name, picture(state));
}

/// An application with every answer there.
fn opened(app: &str, tab: Tab) -> Layer {
    let mut view = AppView::new(AppId::new(app));
    for (pane, detail) in view.panes.iter_mut().zip(opened::details()) {
        pane.content = Content::Ready(detail);
    }
    view.tab = tab;
    Layer::App(Box::new(view))
}

fn confirm(protected: bool, open: bool) -> Confirm {
    let plan = opened::plan(protected, open);
    let mut confirm = Confirm::new(plan.ask.clone(), 1);
    confirm.stage = Stage::Shown(Arc::new(plan));
    confirm
}

fn layer(confirm: Confirm) -> Layer {
    Layer::Confirm(Box::new(confirm))
}

/// An Application that another one generates.
fn child(name: &str) -> ObjectStatus {
    ObjectStatus {
        key: Key::new("argoproj.io", "Application", "argocd", name),
        version: "argoproj.io/v1alpha1".to_owned(),
        sync: Some(Sync::Synced),
        health: None,
        message: String::new(),
        wave: 0,
        hook: false,
        prune: false,
        live: true,
    }
}

/// A journal entry of a reference that moved.
fn moved(action: &str, from: &str, to: &str) -> AuditEntry {
    let mut entry = sample::fleet().audit[1].clone();
    action.clone_into(&mut entry.action);
    entry.moves = vec![format!("refs/tags/stable {from} -> {to}")];
    entry
}

/// Every layer that can lie over a screen.
fn layers(state: &State) -> Vec<(&'static str, Layer)> {
    let environment = state.fleet.environments.get(2).cloned();
    let mut layers: Vec<_> = Tab::ALL.map(|tab| (tab.name(), opened("prod-01-payments", tab))).into();
    let releases = environment.and_then(|environment| Picker::releases(state, &environment).ok());
    layers.extend(releases.map(|picker| ("releases", Layer::Picker(picker))));
    let refused = Problem::new("production has moved meanwhile").hint("plan again");
    let plan = Arc::new(opened::plan(false, true));
    layers.extend([
        ("broken", opened("dev-01-external-dns", Tab::Resources)),
        ("gone", opened("nobody", Tab::Diff)),
        ("asked", Layer::App(Box::new(AppView::new(AppId::new("prod-01-payments"))))),
        ("planning", layer(Confirm { stage: Stage::Planning(1), ..confirm(false, true) })),
        ("confirm-protected", layer(Confirm { typed: "prod".to_owned(), ..confirm(true, true) })),
        ("confirm-typed", layer(Confirm { typed: "production".to_owned(), ..confirm(true, true) })),
        ("confirm", layer(confirm(false, true))),
        ("confirm-details", layer(Confirm { details: true, ..confirm(false, true) })),
        ("confirm-closed", layer(confirm(true, false))),
        (
            "confirm-again",
            layer(Confirm {
                note: Some("production has moved: this is the new plan".to_owned()),
                ..confirm(false, true)
            }),
        ),
        ("confirm-refused", layer(Confirm { stage: Stage::Failed(refused), ..confirm(false, true) })),
        ("confirm-sent", layer(Confirm { stage: Stage::Sent(plan.clone()), ..confirm(false, true) })),
        ("confirm-started", layer(Confirm { stage: Stage::Started(plan, OperationId(3)), ..confirm(false, true) })),
        ("palette", Layer::Picker(Picker::palette(&state.keymap))),
        ("help", Layer::Help(0)),
        ("operation", Layer::Operation(OperationId(2), 0)),
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

/// A control plane holds the Applications of all clusters: each one stands under the cluster that it is about.
#[test]
fn what_is_about_a_cluster_stands_in_its_column() {
    let mut fleet = sample::fleet();
    let mut apps: Vec<_> = ["dev-01", "stag-01", "prod-01", "prod-02", "ops-01"]
        .map(|cluster| {
            let mut app = sample::app(cluster, "bootstrap-apps", "roots", -1);
            app.cluster = ClusterName::new("ops-01");
            app.objects = Arc::new([child("a"), child("b")]);
            if cluster != "ops-01" {
                app.component = app.name.clone();
            }
            Arc::new(app)
        })
        .into();
    apps.append(&mut fleet.apps);
    apps.sort_by(|one, other| one.id.cmp(&other.id));
    fleet.apps = apps;
    insta::assert_snapshot!("fleet-roots", picture(&of(fleet, Screen::Fleet, (120, 20))));
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
fn differences_stand_side_by_side() {
    for size in [(80, 24), (120, 30)] {
        let mut state = state(Screen::Fleet, size);
        state.shape = Shape { is_split: true, shows_ignored: true };
        state.layers.push(opened("prod-01-payments", Tab::Diff));
        insta::assert_snapshot!(format!("diff-split-{}x{}", size.0, size.1), picture(&state));
    }
}

#[test]
fn an_environment_that_was_rolled_back_is_held() {
    let mut fleet = sample::fleet();
    fleet.operations.clear();
    let production = Arc::make_mut(&mut fleet.environments[2]);
    production.commit = Some(sample::commit("2ab90ff", "payments 1.8.1", 2_900).id);
    production.release = Some("v1.8.1".to_owned());
    production.newer = Some("v1.8.2".to_owned());
    let held = |fleet: &Fleet| fleet.held(&fleet.environments[2]).map(|held| held.by.is_some());
    fleet.audit = Arc::new([]);
    assert_eq!(held(&fleet), Some(false), "the tags alone say it");
    fleet.audit = Arc::new([moved("promote", "51c0a7e", "2ab90ff")]);
    assert_eq!(held(&fleet), None, "it was promoted to where it stands");
    fleet.audit = Arc::new([moved("rollback", "51c0a7e", "2ab90ff"), moved("promote", "0", "51c0a7e")]);
    assert_eq!(held(&fleet), Some(true));
    insta::assert_snapshot!("pipeline-held", picture(&of(fleet.clone(), Screen::Pipeline, (120, 30))));
    let fleet = picture(&of(fleet, Screen::Fleet, (120, 24)));
    assert!(fleet.contains("stable v1.8.1 ⚑"), "{fleet}");
}

#[test]
fn only_what_an_operation_still_works_on_is_at_work() {
    let mut fleet = sample::fleet();
    let at = |fleet: &Fleet| fleet.app(&AppId::new("dev-01-payments")).unwrap().clone();
    let sign = |fleet: &Fleet| badge(fleet, &at(fleet), sample::now()).sync.0;
    assert_eq!(sign(&fleet), Sign::Working);
    Arc::make_mut(&mut fleet.operations[0]).apps[0].phase = Some(Phase::Succeeded);
    assert_eq!(sign(&fleet), Sign::sync(at(&fleet).sync), "the operation goes on with others");
}

#[test]
fn the_filter_is_written_above_the_list() {
    let mut state = state(Screen::Fleet, (80, 24));
    state.filter.text = "payments health:deg".to_owned();
    state.filter.editing = true;
    state.sort();
    insta::assert_snapshot!("filter-80x24", picture(&state));
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
    for environment in &mut fleet.environments {
        let environment = Arc::make_mut(environment);
        environment.name = format!("{}{evil}", environment.name).into();
        environment.release = Some(evil.to_owned());
        environment.policy.frozen = Some(evil.to_owned());
        environment.waiting.iter_mut().for_each(|commit| evil.clone_into(&mut commit.subject));
        environment.releases.iter_mut().for_each(|(tag, commit)| {
            evil.clone_into(tag);
            evil.clone_into(&mut commit.author);
        });
    }
    for cluster in &mut fleet.clusters {
        let cluster = Arc::make_mut(cluster);
        cluster.context = Some(evil.to_owned());
        cluster.server = format!("https://{evil}");
    }
    for operation in &mut fleet.operations {
        let operation = Arc::make_mut(operation);
        for words in [&mut operation.title, &mut operation.message, &mut operation.actor] {
            evil.clone_into(words);
        }
        for app in &mut operation.apps {
            evil.clone_into(&mut app.message);
            app.results.iter_mut().for_each(|result| evil.clone_into(&mut result.message));
        }
    }
    let mut audit = fleet.audit.to_vec();
    for entry in &mut audit {
        for words in [&mut entry.title, &mut entry.message, &mut entry.actor] {
            evil.clone_into(words);
        }
        entry.moves.push(evil.to_owned());
        entry.apps.push(evil.to_owned());
    }
    fleet.audit = audit.into();
    fleet.repository.error = Some(Problem::new(evil).hint(evil));
    fleet.problems = vec![Problem::new(evil)];
    let mut base = of(fleet.clone(), Screen::Pipeline, (160, 50));
    base.help_note = Some(evil.to_owned());
    for (name, layer) in layers(&base) {
        let mut state = base.clone();
        state.layers.push(layer);
        let text = picture(&state);
        assert!(!text.contains(|c| c != '\n' && quarterdeck::model::text::is_hostile(c)), "{name}: {text:?}");
    }
    for screen in Screen::ALL {
        let mut state = of(fleet.clone(), screen, (160, 50));
        state.filter.text = String::new();
        state.say(true, evil);
        let text = picture(&state);
        assert!(!text.contains(|c| c != '\n' && quarterdeck::model::text::is_hostile(c)), "{text:?}");
        assert!(text.contains("a[2Jb"), "{text}");
    }
}

#[test]
fn the_selected_row_is_seen_in_every_theme() {
    for depth in [Depth::None, Depth::Indexed, Depth::True] {
        let mut state = state(Screen::Apps, (100, 24));
        state.look.theme = Theme::load("", depth).unwrap();
        let plain = drawn(&state);
        state.cursors.apps.at = 3;
        let moved = drawn(&state);
        // The frame's three lines, the filter and the heads are above the first row.
        let differ = |row: u16| (0..100).filter(|x| plain[(*x, row)].style() != moved[(*x, row)].style()).count();
        assert_eq!((differ(5), differ(8), differ(6)), (100, 100, 0), "{depth:?}");
    }
}

#[test]
fn only_what_is_on_screen_is_drawn() {
    let mut fleet = sample::fleet();
    let app = (*fleet.apps[0]).clone();
    for number in 0..20_000 {
        let name = format!("zz-{number:05}");
        let id = AppId::new(name.clone());
        fleet.apps.push(Arc::new(quarterdeck::model::App { id, component: name.clone(), name, ..app.clone() }));
    }
    let mut state = of(fleet, Screen::Apps, (200, 60));
    let start = std::time::Instant::now();
    for at in 0..20 {
        state.cursors.apps.at = at * 900;
        picture(&state);
        state.screen = if at % 2 == 0 { Screen::Fleet } else { Screen::Apps };
    }
    let each = start.elapsed() / 20;
    assert!(each.as_millis() < 250, "one picture of 20 000 applications took {each:?}");
    state.screen = Screen::Apps;
    state.cursors.apps.at = 20_000;
    assert!(picture(&state).contains("zz-1"), "the list follows its cursor");
}
