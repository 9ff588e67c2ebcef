//! What reaches the two standard streams.
//!
//! Text answers go to standard output, remarks and failures to standard error. With
//! `--json` standard output carries JSON alone: one document per command, on one line, whether it
//! ended well or not (`migrate`: events before it, one a line). A broken pipe ends the writing quietly.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{LazyLock, Mutex, OnceLock, PoisonError};

use ecluse_core::fault::Fault;
use serde::Serialize;
use serde_json::{Map, Value, json};

static JSON: OnceLock<bool> = OnceLock::new();
static MUTED: AtomicBool = AtomicBool::new(false);
/// The command's answer so far; [`finish`] prints it.
static ANSWER: LazyLock<Mutex<Map<String, Value>>> = LazyLock::new(Mutex::default);

/// Does something without its words: a story tells its own.
pub(crate) fn muted<T>(act: impl FnOnce() -> T) -> T {
    MUTED.store(true, Ordering::Relaxed);
    let done = act();
    MUTED.store(false, Ordering::Relaxed);
    done
}

fn is_muted() -> bool {
    MUTED.load(Ordering::Relaxed)
}

/// Chooses JSON or text, once, before the first word.
pub(crate) fn choose(json: bool) {
    let _ = JSON.set(json);
}

/// Whether JSON was asked for.
pub(crate) fn is_json() -> bool {
    JSON.get().copied().unwrap_or(false)
}

/// Whether a person watches standard error (progress bars are drawn there).
pub(crate) fn is_watched() -> bool {
    !is_json() && !is_muted() && io::stderr().is_terminal()
}

/// A line of the answer; silent with `--json`.
pub(crate) fn line(text: impl AsRef<str>) {
    if !is_json() && !is_muted() {
        let _ = writeln!(io::stdout().lock(), "{}", text.as_ref());
    }
}

/// Adds to the command's JSON answer; silent without `--json`. A later word of the same name
/// replaces the earlier one: what a command says of itself stands over what its steps said.
pub(crate) fn document(value: &impl Serialize) {
    if is_json()
        && !is_muted()
        && let Ok(Value::Object(fields)) = serde_json::to_value(value)
    {
        // whoever panicked with the lock left whole fields
        ANSWER.lock().unwrap_or_else(PoisonError::into_inner).extend(fields);
    }
}

/// One line of JSON at once, before the answer: a run's events.
pub(crate) fn event(value: &impl Serialize) {
    if is_json()
        && !is_muted()
        && let Ok(text) = serde_json::to_string(value)
    {
        let _ = writeln!(io::stdout().lock(), "{text}");
    }
}

/// Prints the answer as one line; silent without `--json`.
pub(crate) fn finish() {
    event(&std::mem::take(&mut *ANSWER.lock().unwrap_or_else(PoisonError::into_inner)));
}

/// A remark for the person at the terminal; never part of the answer.
pub(crate) fn remark(text: impl AsRef<str>) {
    if !is_json() && !is_muted() {
        let _ = writeln!(io::stderr().lock(), "{}", text.as_ref());
    }
}

/// A warning: nothing is refused, but it is worth a look.
pub(crate) fn warning(text: impl AsRef<str>) {
    let _ = writeln!(io::stderr().lock(), "warning: {}", text.as_ref());
}

/// Code of the refusal whose findings were drawn: its words are on the screen already.
static DRAWN: Mutex<Option<&'static str>> = Mutex::new(None);

/// Keeps in mind that this refusal's findings were drawn, each at its place.
pub(crate) fn drawn(code: &'static str) {
    if !is_json() && !is_muted() {
        *DRAWN.lock().unwrap_or_else(PoisonError::into_inner) = Some(code);
    }
}

/// A failure. The last line is the code and the thing to type, so that it can be
/// found again and acted upon without reading the rest.
pub(crate) fn failure(fault: &Fault) {
    let code = fault.code();
    let colon = if fault.detail().is_empty() { "" } else { ": " };
    let message = format!("{}{colon}{}", code.title, fault.detail());
    document(&json!({ "code": code.id, "message": message, "fix": fix(fault), "exit": code.exit.status() }));
    let mut err = io::stderr().lock();
    if *DRAWN.lock().unwrap_or_else(PoisonError::into_inner) != Some(code.id) {
        let _ = writeln!(err, "error[{}]: {message}", code.id);
    }
    let _ = writeln!(err, "{}: {}", code.id, fix(fault));
}

/// What to do now, on one line.
fn fix(fault: &Fault) -> String {
    if fault.advice().is_empty() {
        return format!("ecluse explain {}", fault.code().id);
    }
    let words: Vec<&str> = fault.advice().split_whitespace().collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use ecluse_core::fault::Code;

    static CODE: Code = Code::refused("ECL-TST-001", "a test's refusal");

    #[test]
    fn what_to_do_is_one_line_and_never_nothing() {
        let fault = CODE.fault("a file").help("write this:\n    ecluse next");
        assert_eq!(fix(&fault), "write this: ecluse next");
        assert_eq!(fix(&CODE.fault("")), "ecluse explain ECL-TST-001");
    }
}
