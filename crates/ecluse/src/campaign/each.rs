//! `ecluse campaign each`: one command in every folder that is ready for it, each in a process of its own.
//!
//! A process apiece: what one laboratory's run holds in memory ends with it, and no defect reaches the
//! next. Whatever signs for a laboratory does not run so: a signature that one line gave forty times was
//! read by nobody.

use std::path::Path;
use std::process::{Command, Output};
use std::sync::{Mutex, PoisonError};

use ecluse_core::count::{number, plural};
use ecluse_core::fault::{Code, Result};
use ecluse_core::language::Language;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::Whole;
use super::board::look;
use super::row::Row;
use crate::cli::EachArgs;
use crate::output;

static ONE_BY_ONE: Code =
    Code::usage("ECL-CAM-031", "this command is not given to several laboratories at once");
static FAILED: Code = Code::refused("ECL-CAM-032", "the command was refused or failed in some laboratories");
static NONE_READY: Code = Code::refused("ECL-CAM-033", "no laboratory is ready for this command");
static NOT_STARTED: Code = Code::outside("ECL-CAM-034", "the program could not start itself");

/// A command that may run in many folders, by its first words; the step that must be the next one at
/// most, and whether laboratories have to be named.
struct Allowed(&'static [&'static str], Option<&'static str>, bool);

const ALLOWED: [Allowed; 17] = [
    Allowed(&["next"], None, false),
    Allowed(&["procedure"], None, false),
    Allowed(&["contract", "check"], None, false),
    Allowed(&["contract", "verify"], Some("survey"), false),
    Allowed(&["mandate", "new"], Some("survey"), false),
    Allowed(&["survey"], Some("survey"), false),
    Allowed(&["dictionary", "use"], Some("order"), false),
    Allowed(&["instruction", "check"], Some("order"), false),
    Allowed(&["instruction", "verify"], Some("order"), false),
    // the operator's own presence, no laboratory's word
    Allowed(&["session", "new"], Some("session"), false),
    Allowed(&["plan"], Some("run"), false),
    Allowed(&["migrate"], Some("run"), false),
    Allowed(&["reconcile"], Some("run"), false),
    Allowed(&["report"], Some("run"), false),
    Allowed(&["status"], Some("run"), false),
    Allowed(&["mapping", "check"], Some("order"), false),
    // it states that the old software of that laboratory is stopped: somebody looked there
    Allowed(&["freeze"], Some("run"), true),
];

/// What would make several laboratories use one paper, one key or one database, or write one file.
const SHARED: [&str; 12] = [
    "--folder",
    "--from",
    "--to",
    "--contract",
    "--mapping",
    "--status",
    "--session",
    "--output",
    "--run",
    "--identity",
    "--key",
    "--dictionary",
];

/// What somebody states of a laboratory's own systems.
const STATED: [&str; 3] = ["--frozen", "--accept-wider-role", "--without-views"];

/// The board's steps, in their order.
const STEPS: [&str; 7] = ["connections", "contract", "survey", "order", "status", "session", "run"];

/// Runs it, and tells laboratory by laboratory how it ended.
///
/// # Errors
///
/// [`ONE_BY_ONE`], [`NONE_READY`]; [`FAILED`] where it did in one laboratory.
pub(crate) fn run(args: &EachArgs, now: Timestamp) -> Result<()> {
    let allowed = allowed(args)?;
    let whole = Whole::read(&args.of.folder)?;
    let chosen: Vec<&str> =
        whole.chosen(&args.of.only)?.into_iter().map(|one| one.folder.value.as_str()).collect();
    let board = look(&whole, Language::English, now);
    // in the campaign's own order
    let rows: Vec<&Row> = chosen
        .iter()
        .filter_map(|folder| board.laboratories.iter().find(|row| row.folder == **folder))
        .collect();
    let (ready, waiting): (Vec<&Row>, Vec<&Row>) = rows.into_iter().partition(|row| is_ready(row, allowed.1));
    for row in &waiting {
        output::line(format!("· {}   not ready: {}", row.folder, why(row)));
    }
    if ready.is_empty() {
        return Err(NONE_READY
            .fault(args.command.join(" "))
            .help(format!("ecluse campaign {}", whole.root.display())));
    }
    let program = std::env::current_exe().map_err(|_| NOT_STARTED.fault(""))?;
    let queue = Mutex::new(ready.iter());
    let ended: Mutex<Vec<(&Row, Option<i32>, Value)>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..args.at_once {
            scope.spawn(|| {
                loop {
                    let next = queue.lock().unwrap_or_else(PoisonError::into_inner).next();
                    let Some(row) = next else { break };
                    let end = told(
                        row,
                        start(&program, &whole.root, row, &args.command).ok().as_ref(),
                        &args.command,
                    );
                    ended.lock().unwrap_or_else(PoisonError::into_inner).push(end);
                }
            });
        }
    });
    let ended = ended.into_inner().unwrap_or_else(PoisonError::into_inner);
    let failed = ended.iter().filter(|(_, code, _)| *code != Some(0)).count();
    output::line(format!(
        "{} of {} well, {} not ready.",
        ended.len().saturating_sub(failed),
        plural(number(ended.len()), "laboratory", "laboratories"),
        waiting.len()
    ));
    let documents: Vec<_> = ended
        .iter()
        .map(|(row, code, answer)| json!({ "folder": row.folder, "exit": code, "answer": answer }))
        .collect();
    let waiting: Vec<_> =
        waiting.iter().map(|row| json!({ "folder": row.folder, "why": why(row) })).collect();
    output::document(&json!({ "laboratories": documents, "not_ready": waiting }));
    let first = ended.iter().find(|(_, code, _)| *code != Some(0));
    first.map_or(Ok(()), |(row, ..)| {
        let shown = whole.root.join(&row.folder);
        Err(FAILED.fault(format!("{failed} of {}", ended.len())).help(format!(
            "ecluse -C {} {}",
            shown.display(),
            args.command.join(" ")
        )))
    })
}

fn allowed(args: &EachArgs) -> Result<&'static Allowed> {
    let words: Vec<&str> = args.command.iter().map(String::as_str).collect();
    let found = ALLOWED.iter().find(|allowed| words.starts_with(allowed.0));
    let refuse = |help: &str| Err(ONE_BY_ONE.fault(words.first().copied().unwrap_or_default()).help(help));
    // one paper or one database for all of them would be another laboratory's for all but one
    let is = |word: &str, flags: &[&str]| flags.iter().any(|flag| word.split('=').next() == Some(flag));
    let elsewhere = |word: &&str| word.starts_with("-C") || word.starts_with("-o") || is(word, &SHARED);
    let stated = words.iter().any(|word| is(word, &STATED));
    match found {
        _ if words.iter().any(elsewhere) => {
            refuse("each runs in its own folder, on its own papers and its own databases: leave it out")
        }
        None => refuse("give it in the laboratory's own folder: ecluse -C FOLDER/LABORATORY …"),
        Some(Allowed(_, _, looked)) if (*looked || stated) && args.of.only.is_empty() => {
            refuse("name the laboratories where you have looked: --only LABORATORY")
        }
        Some(allowed) => Ok(allowed),
    }
}

/// Whether every step before this one is done, and the campaign itself has nothing against the folder.
fn is_ready(row: &Row, step: Option<&str>) -> bool {
    let Some(step) = step else { return true };
    let apart = row.code.as_ref().is_none_or(|code| !code.starts_with("ECL-CAM-"));
    apart && STEPS.iter().take_while(|before| **before != step).all(|before| row.done.contains(before))
}

fn why(row: &Row) -> String {
    match (&row.code, row.step, row.waits_for) {
        (Some(code), _, _) => code.clone(),
        (None, Some(step), Some(who)) => format!("{step}, waiting for {who}"),
        (None, step, _) => step.unwrap_or_default().to_owned(),
    }
}

fn start(program: &Path, root: &Path, row: &Row, words: &[String]) -> std::io::Result<Output> {
    let mut command = Command::new(program);
    // a path among the words is the laboratory's own
    command.current_dir(root.join(&row.folder)).args(["-C", "."]);
    if output::is_json() {
        command.arg("--json");
    }
    command.args(words).stdin(std::process::Stdio::null()).output()
}

/// Its answer's first line where it ended well, else the last one: the code and what to type.
fn told<'a>(row: &'a Row, output: Option<&Output>, command: &[String]) -> (&'a Row, Option<i32>, Value) {
    let lines = |bytes: &[u8]| -> Vec<String> {
        let text = String::from_utf8_lossy(bytes);
        text.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect()
    };
    let code = output.and_then(|output| output.status.code());
    let (said, complained) = output.map_or_else(Default::default, |o| (lines(&o.stdout), lines(&o.stderr)));
    let is_plan = command.first().is_some_and(|word| word == "plan");
    let (mark, words) = match code {
        // a plan's first lines are its table; whether it is ready stands last
        Some(0) if is_plan => ("✓", said.last()),
        Some(0) => ("✓", said.first()),
        Some(_) if is_plan && said.last().is_some_and(|line| line.starts_with("Not ready:")) => {
            ("✗", said.last())
        }
        _ => ("✗", complained.last()),
    };
    output::line(format!("{mark} {}   {}", row.folder, words.map_or("", String::as_str)).trim_end());
    let answer = said.last().and_then(|last| serde_json::from_str(last).ok());
    (row, code, answer.unwrap_or(Value::Null))
}
