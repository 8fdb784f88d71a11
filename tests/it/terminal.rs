//! The screen: the real binary in a terminal of its own, from the first frame until the terminal is given back.

use std::io::{Read, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

/// The program at work in a terminal of its own.
struct Terminal {
    screen: Arc<Mutex<Seen>>,
    keys: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    _master: Box<dyn MasterPty + Send>,
}

struct Seen {
    parser: vt100::Parser,
    bytes: Vec<u8>,
}

impl Terminal {
    /// Starts the binary with a clean environment whose home is `home`.
    fn start(arguments: &[&str], home: &Path, columns: u16, rows: u16, environment: &[(&str, &str)]) -> Self {
        let pair =
            native_pty_system().openpty(PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 }).unwrap();
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_quarterdeck"));
        command.args(arguments);
        command.env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", home);
        command.env("TMPDIR", home);
        command.env("USER", "ana");
        command.env("TERM", "xterm-256color");
        command.env("LANG", "C.UTF-8");
        command.env("XDG_STATE_HOME", home.join("state"));
        command.env("XDG_CACHE_HOME", home.join("cache"));
        command.env("XDG_CONFIG_HOME", home.join("config"));
        for (name, value) in environment {
            command.env(name, value);
        }
        command.cwd(home);
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let screen = Arc::new(Mutex::new(Seen {
            parser: vt100::Parser::new(rows.try_into().unwrap(), columns.try_into().unwrap(), 0),
            bytes: Vec::new(),
        }));
        let mut reader = pair.master.try_clone_reader().unwrap();
        let keys = pair.master.take_writer().unwrap();
        let shared = screen.clone();
        std::thread::spawn(move || {
            let mut buffer = [0; 65536];
            while let Ok(count) = reader.read(&mut buffer) {
                if count == 0 {
                    break;
                }
                let mut seen = shared.lock().unwrap();
                seen.parser.process(&buffer[..count]);
                seen.bytes.extend_from_slice(&buffer[..count]);
            }
        });
        Self { screen, keys, child, _master: pair.master }
    }

    /// Returns what stands on the screen.
    fn text(&self) -> String {
        self.screen.lock().unwrap().parser.screen().contents()
    }

    /// Returns every byte that was written so far.
    fn bytes(&self) -> Vec<u8> {
        self.screen.lock().unwrap().bytes.clone()
    }

    /// Says whether the alternate screen is on.
    fn is_alternate(&self) -> bool {
        self.screen.lock().unwrap().parser.screen().alternate_screen()
    }

    /// Says whether the cursor is hidden.
    fn hides_cursor(&self) -> bool {
        self.screen.lock().unwrap().parser.screen().hide_cursor()
    }

    /// Types.
    fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// Waits until the screen holds the text; panics with the screen when it does not come.
    fn expect(&self, text: &str) {
        self.wait(&format!("{text:?} on the screen"), |screen| screen.contains(text));
    }

    /// Waits until the screen is as wanted.
    fn wait(&self, what: &str, wanted: impl Fn(&str) -> bool) {
        let start = Instant::now();
        while !wanted(&self.text()) {
            assert!(start.elapsed() < Duration::from_secs(60), "no {what} after 60 s; the screen is:\n{}", self.text());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until the program has ended and returns its exit code.
    fn end(&mut self) -> u32 {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                std::thread::sleep(Duration::from_millis(100));
                return status.exit_code();
            }
            assert!(
                start.elapsed() < Duration::from_secs(20),
                "the program did not end; the screen is:\n{}",
                self.text()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        drop(self.child.kill());
    }
}

/// Types keys one after the other, as a person does.
fn press_each(terminal: &mut Terminal, keys: &[&str]) {
    for key in keys {
        terminal.press(key);
        std::thread::sleep(Duration::from_millis(60));
    }
}

/// Presses ctrl-c, and once more if the program asks for it because applications are being synced.
fn leave(terminal: &mut Terminal) {
    terminal.press("\x03");
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(2) {
        if terminal.child.try_wait().unwrap().is_some() {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    terminal.press("\x03");
}

#[test]
fn the_demo_is_worked_with_from_the_keyboard() {
    let home = tempfile::TempDir::new().unwrap();
    let mut terminal = Terminal::start(&["demo"], home.path(), 120, 34, &[]);
    terminal.expect("4 clusters");
    terminal.wait("every cluster", |screen| {
        ["dev-01", "stag-01", "prod-01", "ops-01"].iter().all(|name| screen.contains(name))
    });
    assert!(terminal.is_alternate() && terminal.hides_cursor());
    let printed = String::from_utf8_lossy(&terminal.bytes()).into_owned();
    let (before, _) = printed.split_once("\x1b[?1049h").unwrap();
    assert!(before.contains("kubectl --kubeconfig"), "it stays readable under the screen: {before:?}");
    terminal.wait("the first sync to end", |screen| !screen.contains("Sync 36 applications"));

    // Filter, open, and the drift that the story brings.
    press_each(&mut terminal, &["2", "/", "stag store", "\r"]);
    terminal.expect("1 of 36");
    terminal.expect("OutOfSync");
    press_each(&mut terminal, &["\r"]);
    terminal.expect("Resources");
    terminal.expect("ReplicaSet");
    press_each(&mut terminal, &["d"]);
    terminal.expect("spec.replicas");

    // Sync.
    press_each(&mut terminal, &["s"]);
    terminal.expect("replicas 5 → 2");
    press_each(&mut terminal, &["y"]);
    terminal.expect("1 application is as Git says");
    press_each(&mut terminal, &["\x1b"]);
    terminal.expect("Synced");
    press_each(&mut terminal, &["\x1b"]);

    // Promote.
    press_each(&mut terminal, &["3"]);
    terminal.expect("5 commits ──▶ staging");
    press_each(&mut terminal, &["P"]);
    terminal.expect("5 commits forward");
    press_each(&mut terminal, &["y"]);
    terminal.expect("Git has moved; ");
    terminal.expect("as Git says");
    press_each(&mut terminal, &["\x1b"]);
    terminal.expect("staging has everything");

    // Roll back: production is protected, so that its name has to be typed.
    press_each(&mut terminal, &["\x1b[C", "\x1b[C", "R"]);
    terminal.expect("Roll prod back to");
    press_each(&mut terminal, &["v1.1.0", "\r"]);
    terminal.expect("Type prod to confirm");
    press_each(&mut terminal, &["y", "\r"]);
    terminal.expect("Type prod to confirm");
    press_each(&mut terminal, &["\x7f", "prod", "\r"]);
    terminal.expect("by ana");
    press_each(&mut terminal, &["\x1b"]);
    terminal.expect("stable v1.1.0");
    // While its bar is there the operation goes on, and leaving is asked about.
    terminal.wait("the end of the rollback", |screen| !screen.contains(['█', '░']));

    // Help, and out: on a slow line both keys come as one.
    press_each(&mut terminal, &["?"]);
    terminal.expect("kubectl --kubeconfig");
    press_each(&mut terminal, &["\x1bq"]);
    assert_eq!(terminal.end(), 0);
    let end = terminal.bytes();
    let end = String::from_utf8_lossy(&end[end.len().saturating_sub(400)..]).into_owned();
    for sequence in ["\x1b[?1049l", "\x1b[?25h", "\x1b[?2004l", "\x1b[?1000l"] {
        assert!(end.contains(sequence), "{sequence:?} is not among the last bytes {end:?}");
    }
    assert!(!terminal.is_alternate() && !terminal.hides_cursor());
}

#[test]
fn a_terminal_that_is_too_small_is_told_so() {
    let home = tempfile::TempDir::new().unwrap();
    let mut terminal = Terminal::start(&["demo", "--quiet"], home.path(), 20, 5, &[]);
    terminal.expect("least 40×10");
    leave(&mut terminal);
    assert_eq!(terminal.end(), 0);
}

#[test]
fn without_colour_no_colour_is_written() {
    let home = tempfile::TempDir::new().unwrap();
    let mut terminal = Terminal::start(&["demo", "--quiet"], home.path(), 80, 24, &[("NO_COLOR", "1")]);
    terminal.expect("quarterdeck");
    terminal.expect("stag-01");
    leave(&mut terminal);
    assert_eq!(terminal.end(), 0, "{}", terminal.text());
    let bytes = terminal.bytes();
    let text = String::from_utf8_lossy(&bytes);
    for colour in ["\x1b[38;", "\x1b[48;", "\x1b[31", "\x1b[32"] {
        assert!(!text.contains(colour), "{colour:?} is written");
    }
}
