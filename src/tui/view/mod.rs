//! What is drawn.

use ratatui::Frame;

use super::state::State;

/// Draws the whole screen.
pub fn draw(frame: &mut Frame<'_>, state: &State) {
    frame.render_widget(ratatui::widgets::Block::new().title(state.screen.name()), frame.area());
}
