//! The terminal while values stand on it: its second screen, raw, every line at its own place.
//!
//! Nothing scrolls: a terminal without a second screen would keep what scrolls away. At the end, however it
//! comes (also by a panic, Ctrl-C, a hang-up, SIGTERM), the screen is overwritten with blanks, and the lines
//! that the terminal saved are asked to go. What that cannot reach stands in `docs/threats.md`.

use std::fs::{File, OpenOptions};
use std::io::{IsTerminal as _, Read as _, Write as _};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use ecluse_core::fault::{Code, Fault, Result};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};

use super::width;
use crate::output;
use crate::ready::STOP;

static NO_TERMINAL: Code = Code::refused("ECL-CMP-020", "dossiers are shown on a terminal only");
static LOST: Code = Code::outside("ECL-CMP-021", "the terminal cannot be used");

/// Second screen, no wrapping at the right edge, no cursor.
const TAKE: &str = "\x1b[?1049h\x1b[?7l\x1b[?25l";
/// The screen and the saved lines (xterm's `3 J`) are cleared, then all is as it was.
const GIVE_BACK: &str = "\x1b[0m\x1b[2J\x1b[3J\x1b[H\x1b[?25h\x1b[?7h\x1b[?1049l";
/// How often a wish to stop and the window's size are looked at while nobody types.
const LOOK: Timespec = Timespec { tv_sec: 0, tv_nsec: 200_000_000 };

/// What stands on one line of the screen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Line {
    /// Harmless text ([`super::harmless`]).
    pub(crate) text: String,
    /// Drawn bold: beside a sign that says the same.
    pub(crate) strong: bool,
}

impl Line {
    pub(crate) fn plain(text: impl Into<String>) -> Self {
        Self { text: text.into(), strong: false }
    }

    pub(crate) fn strong(text: impl Into<String>) -> Self {
        Self { text: text.into(), strong: true }
    }
}

/// What a person did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    /// A letter, a digit, a blank.
    Letter(char),
    Up,
    Down,
    PageUp,
    PageDown,
    Escape,
    /// The window has another size.
    Resized,
    /// The person, or the terminal, is gone.
    Gone,
}

/// A terminal that was taken; given back, cleared, when dropped.
pub(crate) struct Terminal {
    tty: File,
    before: Termios,
    drawn: (usize, usize),
}

/// Whether values can be shown to somebody here, looked at before anything is connected to.
///
/// # Errors
///
/// [`NO_TERMINAL`].
pub(crate) fn demanded() -> Result<()> {
    // into a pipe or a file they would go on living there
    if output::is_json() || !std::io::stdout().is_terminal() {
        return Err(NO_TERMINAL.fault("").help(
            "run it on a terminal of the laboratory, without a pipe; counts alone: ecluse compare --json",
        ));
    }
    open().map(drop)
}

/// The terminal itself, not standard input: a dump may come through that.
fn open() -> Result<File> {
    OpenOptions::new().read(true).write(true).open("/dev/tty").map_err(|error| lost(error.kind()))
}

fn lost(kind: std::io::ErrorKind) -> Fault {
    LOST.fault(kind.to_string()).help("run it on a terminal of the laboratory: ecluse compare")
}

impl Terminal {
    /// Takes the terminal of this process.
    ///
    /// # Errors
    ///
    /// [`NO_TERMINAL`], [`LOST`].
    pub(crate) fn take() -> Result<Self> {
        demanded()?;
        for signal in [signal_hook::consts::SIGTERM, signal_hook::consts::SIGHUP, signal_hook::consts::SIGINT]
        {
            // without it the values would stay on the screen of whoever ends the process
            signal_hook::flag::register(signal, Arc::clone(&STOP)).map_err(|error| lost(error.kind()))?;
        }
        let tty = open()?;
        let before = tcgetattr(&tty).map_err(|error| lost(error.kind()))?;
        let mut raw = before.clone();
        // no echo, no suspension: Ctrl-Z would leave the values where they stand
        raw.make_raw();
        tcsetattr(&tty, OptionalActions::Flush, &raw).map_err(|error| lost(error.kind()))?;
        let mut terminal = Self { tty, before, drawn: (0, 0) };
        terminal.write(TAKE)?;
        Ok(terminal)
    }

    /// Columns and lines; at least so many that something can be read.
    pub(crate) fn size(&self) -> (usize, usize) {
        let size = tcgetwinsize(&self.tty).map(|size| (usize::from(size.ws_col), usize::from(size.ws_row)));
        match size {
            Ok((columns, lines)) if columns > 0 && lines > 0 => (columns.max(40), lines.max(8)),
            _ => (80, 24),
        }
    }

    /// Draws the whole screen, each line at its place; lines beyond its height are left out.
    ///
    /// # Errors
    ///
    /// [`LOST`].
    pub(crate) fn draw(&mut self, lines: &[Line]) -> Result<()> {
        let (columns, height) = self.size();
        let mut out = String::new();
        for place in 0..height {
            let line = lines.get(place).cloned().unwrap_or_default();
            let (on, off) = if line.strong { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
            let blank = " ".repeat(columns.saturating_sub(width(&line.text)));
            out.push_str(&format!("\x1b[{};1H{on}{}{off}{blank}", place + 1, line.text));
        }
        self.drawn = (columns, height);
        self.write(&out)
    }

    /// Waits for the person.
    ///
    /// # Errors
    ///
    /// None: a terminal that cannot be read is [`Key::Gone`].
    pub(crate) fn key(&mut self) -> Key {
        loop {
            if STOP.load(Ordering::Relaxed) {
                return Key::Gone;
            }
            if self.drawn != (0, 0) && self.size() != self.drawn {
                return Key::Resized;
            }
            if !self.waits(&LOOK) {
                continue;
            }
            let Some(byte) = self.byte() else { return Key::Gone };
            match byte {
                // Ctrl-C, Ctrl-D
                0x03 | 0x04 => return Key::Gone,
                0x1b => return self.escaped(),
                b' '..=b'~' => return Key::Letter(char::from(byte)),
                _ => {}
            }
        }
    }

    /// What follows an escape: an arrow, or nothing.
    fn escaped(&mut self) -> Key {
        let soon = Timespec { tv_sec: 0, tv_nsec: 30_000_000 };
        let mut sequence = Vec::new();
        while sequence.len() < 8 && self.waits(&soon) {
            let Some(byte) = self.byte() else { return Key::Gone };
            sequence.push(byte);
            if sequence.len() > 1 && (b'@'..=b'~').contains(&byte) {
                break;
            }
        }
        match sequence.as_slice() {
            b"[A" | b"OA" => Key::Up,
            b"[B" | b"OB" => Key::Down,
            b"[5~" => Key::PageUp,
            b"[6~" => Key::PageDown,
            _ => Key::Escape,
        }
    }

    fn waits(&self, most: &Timespec) -> bool {
        let mut asked = [PollFd::new(&self.tty, PollFlags::IN)];
        poll(&mut asked, Some(most)).is_ok_and(|ready| ready > 0)
    }

    fn byte(&mut self) -> Option<u8> {
        let mut byte = [0];
        match self.tty.read(&mut byte) {
            Ok(1) => byte.first().copied(),
            _ => None,
        }
    }

    fn write(&mut self, text: &str) -> Result<()> {
        self.tty
            .write_all(text.as_bytes())
            .and_then(|()| self.tty.flush())
            .map_err(|error| lost(error.kind()))
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // a terminal that is gone shows nothing any more
        let _blank = self.draw(&[]);
        let _cleared = self.write(GIVE_BACK);
        // what was typed and not read is not for the shell
        let _as_it_was = tcsetattr(&self.tty, OptionalActions::Flush, &self.before);
    }
}
