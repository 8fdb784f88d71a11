//! What the screens look like, and that nothing breaks them.

mod sample;

use std::sync::Arc;

use quarterdeck::model::Fleet;
use quarterdeck::tui::state::{Screen, State};
use quarterdeck::tui::view;
use ratatui::Terminal;
use ratatui::backend::TestBackend;

fn state(screen: Screen, size: (u16, u16)) -> State {
    let mut state = State::new(Arc::new(sample::fleet()), sample::now(), size);
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

#[test]
fn screens_at_80_by_24() {
    for screen in Screen::ALL {
        insta::assert_snapshot!(format!("{}-80x24", screen.name().to_lowercase()), picture(&state(screen, (80, 24))));
    }
}

#[test]
fn screens_at_160_by_40() {
    for screen in Screen::ALL {
        insta::assert_snapshot!(format!("{}-160x40", screen.name().to_lowercase()), picture(&state(screen, (160, 40))));
    }
}
