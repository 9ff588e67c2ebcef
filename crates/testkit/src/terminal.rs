//! A person at a terminal: a program on a pseudo-terminal of its own, what it draws, and keys.
//!
//! The terminal here is the plainest: it has no second screen, and keeps what scrolls away. What a program
//! leaves on it, a real one may keep.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Child, Command, ExitStatus};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

/// How long a program may take to show something.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long nothing comes where all was drawn.
const STILL: Duration = Duration::from_millis(60);

/// A program on a terminal.
#[derive(Debug)]
pub struct Terminal {
    child: Child,
    keys: File,
    drawn: Receiver<Vec<u8>>,
    seen: Vec<u8>,
}

impl Terminal {
    /// Starts a program in a folder on a terminal of so many columns and lines, which is its standard input,
    /// output and error and its `/dev/tty`.
    ///
    /// # Panics
    ///
    /// Without pseudo-terminals, or without `setsid` (util-linux).
    #[must_use]
    pub fn start(program: &Path, folder: &Path, arguments: &[&str], (columns, lines): (u16, u16)) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)
            .expect("a pseudo-terminal");
        grantpt(&master).and_then(|()| unlockpt(&master)).expect("it can be used");
        let size = Winsize { ws_row: lines, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&master, size).expect("it has a size");
        let name = ptsname(&master, Vec::new()).expect("it has a name");
        let open = || -> OwnedFd {
            rustix::fs::open(name.as_c_str(), OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).expect("it opens")
        };
        let child = Command::new("setsid")
            .args(["--ctty", "--wait"])
            .arg(program)
            .args(arguments)
            .current_dir(folder)
            .stdin(open())
            .stdout(open())
            .stderr(open())
            .spawn()
            .expect("setsid starts the program");
        let keys = File::from(master);
        let mut drawing = keys.try_clone().expect("it is read and written");
        let (sender, drawn) = channel();
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            // the terminal ends with an error once nobody has it open
            while let Ok(read @ 1..) = drawing.read(&mut bytes) {
                if sender.send(bytes.get(..read).unwrap_or_default().to_vec()).is_err() {
                    break;
                }
            }
        });
        Self { child, keys, drawn, seen: Vec::new() }
    }

    /// Waits until the screen shows these words.
    ///
    /// # Panics
    ///
    /// When it does not within a minute; with what it shows instead.
    pub fn shows(&mut self, words: &str) {
        self.wait(words, |screen| screen.contains(words));
        // it is drawn to its end once nothing more comes
        while let Ok(bytes) = self.drawn.recv_timeout(STILL) {
            self.seen.extend(bytes);
        }
    }

    fn wait(&mut self, what: &str, is: impl Fn(&str) -> bool) {
        let until = Instant::now() + PATIENCE;
        while !is(&self.screen()) {
            let left = until.saturating_duration_since(Instant::now());
            match self.drawn.recv_timeout(left) {
                Ok(bytes) => self.seen.extend(bytes),
                Err(_) => panic!("never shown: {what}\n{}", self.screen()),
            }
        }
    }

    /// Types.
    ///
    /// # Panics
    ///
    /// When the program is gone.
    pub fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).expect("somebody reads");
    }

    /// The program's process.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What stands on the screen now, a line each.
    #[must_use]
    pub fn screen(&self) -> String {
        screen(&String::from_utf8_lossy(&self.seen))
    }

    /// Waits for the program's end: how it ended, every byte it drew, what is left on the screen.
    ///
    /// # Panics
    ///
    /// When it does not end within a minute.
    #[must_use]
    pub fn ended(mut self) -> (ExitStatus, Vec<u8>, String) {
        let until = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("it is ours") {
                break status;
            }
            assert!(Instant::now() < until, "it does not end\n{}", self.screen());
            self.seen.extend(self.drawn.recv_timeout(Duration::from_millis(50)).unwrap_or_default());
        };
        while let Ok(bytes) = self.drawn.recv_timeout(Duration::from_millis(200)) {
            self.seen.extend(bytes);
        }
        let left = self.screen();
        (status, self.seen, left)
    }
}

/// What is left on a terminal that obeys `CSI row;column H`, `CSI 2 J`, carriage return and line feed, and
/// nothing else; lines that scrolled away come first.
#[must_use]
pub fn screen(drawn: &str) -> String {
    let mut lines: Vec<Vec<char>> = Vec::new();
    let (mut row, mut column) = (0usize, 0usize);
    let mut rest = drawn.chars();
    while let Some(c) = rest.next() {
        match c {
            '\u{1b}' => {
                let mut sequence = String::new();
                for c in rest.by_ref() {
                    sequence.push(c);
                    if c.is_ascii_alphabetic() {
                        break;
                    }
                }
                if sequence == "[2J" {
                    lines.clear();
                } else if let Some(place) = sequence.strip_prefix('[').and_then(|s| s.strip_suffix('H')) {
                    let mut numbers = place.split(';').map(|n| n.parse::<usize>().unwrap_or(1));
                    row = numbers.next().unwrap_or(1).saturating_sub(1);
                    column = numbers.next().unwrap_or(1).saturating_sub(1);
                }
            }
            '\r' => column = 0,
            '\n' => row += 1,
            c => {
                if lines.len() <= row {
                    lines.resize(row + 1, Vec::new());
                }
                if let Some(line) = lines.get_mut(row) {
                    if line.len() <= column {
                        line.resize(column + 1, ' ');
                    }
                    if let Some(place) = line.get_mut(column) {
                        *place = c;
                    }
                }
                column += 1;
            }
        }
    }
    lines.iter().map(|line| line.iter().collect::<String>().trim_end().to_owned() + "\n").collect()
}
