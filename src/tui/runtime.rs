//! The loop around the screen: keys, snapshots, facts and time go in, frames and requests come out.

use std::io;
use std::time::Duration;

use crossterm::event::{Event as TerminalEvent, EventStream};
use futures::{FutureExt as _, StreamExt as _};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::Instant;

use super::keymap::Keymap;
use super::state::{Effect, Look, Message, State};
use super::terminal::Screen;
use super::update;
use crate::engine::Handle;

/// The shortest time between two frames.
const FRAME: Duration = Duration::from_millis(33);

/// How the screen is shown.
#[derive(Clone, Debug)]
pub struct Options {
    /// Colours and signs.
    pub look: Look,
    /// Which keys mean what.
    pub keymap: Keymap,
    /// Whether changes are refused.
    pub read_only: bool,
    /// A note for the help.
    pub help_note: Option<String>,
    /// The zone of clock times.
    pub zone: TimeZone,
    /// Whether the mouse is used.
    pub mouse: bool,
    /// What to say at the start, such as keys that could not be used.
    pub notices: Vec<String>,
}

/// Shows the screen until the person leaves.
///
/// # Errors
/// When the terminal cannot be used.
pub async fn run(handle: Handle, options: Options) -> io::Result<()> {
    let mut screen = Screen::take(options.mouse)?;
    let mut state = State::new(handle.fleet(), Timestamp::now(), screen.size()?);
    state.look = options.look;
    state.keymap = options.keymap;
    state.read_only = options.read_only;
    state.help_note = options.help_note;
    state.zone = options.zone;
    for notice in options.notices {
        state.say(true, notice);
    }
    let mut keys = EventStream::new();
    let mut snapshots = handle.subscribe();
    let mut facts = handle.events();
    let mut clock = tokio::time::interval(Duration::from_secs(1));
    let mut end = std::pin::pin!(told_to_end());
    let mut drawn = Instant::now() - FRAME;
    let mut is_dirty = true;
    loop {
        let due = drawn + FRAME;
        let message = tokio::select! {
            biased;
            () = tokio::time::sleep_until(due), if is_dirty => {
                screen.draw(&state)?;
                (drawn, is_dirty) = (Instant::now(), false);
                continue;
            }
            event = keys.next() => match event {
                Some(Ok(event)) => terminal_message(event),
                Some(Err(error)) => return Err(error),
                None => return Ok(()),
            },
            changed = snapshots.changed() => match changed {
                Ok(()) => Some(Message::Fleet(snapshots.borrow_and_update().clone())),
                Err(_) => return Ok(()),
            },
            fact = facts.recv() => match fact {
                Ok(fact) => Some(Message::Engine(fact)),
                Err(RecvError::Lagged(_)) => Some(Message::Missed),
                Err(RecvError::Closed) => return Ok(()),
            },
            _ = clock.tick() => Some(Message::Tick(Timestamp::now())),
            () = &mut end => return Ok(()),
        };
        let mut next = message;
        // Keys that are already here are taken in before the next frame.
        while let Some(message) = next.take() {
            is_dirty = true;
            for effect in update::update(&mut state, message) {
                match effect {
                    Effect::Send(request) => handle.send(*request),
                    Effect::Copy(text) => screen.copy(&text)?,
                    Effect::Quit => return Ok(()),
                }
            }
            if let Some(Some(Ok(event))) = keys.next().now_or_never() {
                next = terminal_message(event);
            }
        }
    }
}

fn terminal_message(event: TerminalEvent) -> Option<Message> {
    match event {
        TerminalEvent::Key(key) => Some(Message::Key(key)),
        TerminalEvent::Mouse(mouse) => Some(Message::Mouse(mouse)),
        TerminalEvent::Paste(text) => Some(Message::Paste(text)),
        TerminalEvent::Resize(columns, rows) => Some(Message::Resize(columns, rows)),
        TerminalEvent::FocusGained | TerminalEvent::FocusLost => None,
    }
}

/// Waits until the process is asked to end, or its terminal goes away.
async fn told_to_end() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let (Ok(mut end), Ok(mut hangup)) = (signal(SignalKind::terminate()), signal(SignalKind::hangup())) else {
            return std::future::pending().await;
        };
        tokio::select! {
            _ = end.recv() => {}
            _ = hangup.recv() => {}
        }
    }
    #[cfg(not(unix))]
    std::future::pending::<()>().await;
}
