//! The screen: a pure update of its state by messages, and views that draw it.

mod action;
mod age;
mod app_view;
mod confirm;
mod filter;
mod keymap;
mod picker;
mod picture;
mod preview;
mod rows;
mod runtime;
mod sign;
mod state;
mod terminal;
mod theme;
mod update;
mod view;

pub use action::{ACTIONS, Action, key_table};
pub use app_view::{AppView, Content, Pane, Tab};
pub use confirm::{Confirm, Stage};
pub use keymap::Keymap;
pub use picker::Picker;
pub use picture::picture;
pub use rows::Order;
pub use runtime::{Options, run};
pub use sign::{Sign, badge};
pub use state::{Cursor, Effect, FilterLine, Layer, Look, Message, Screen, Shape, State, Toast};
pub use theme::{Depth, Theme};
pub use update::update;
pub use view::draw;
