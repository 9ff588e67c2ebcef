//! `ecluse procedure`: the dated sheet, on the terminal, as JSON, or as a page to print.

use askama::Template as _;
use ecluse_core::fault::{Code, Result};
use serde_json::json;

use super::Here;
use crate::cli::{Language, ProcedureArgs};
use crate::procedure::page::Page;
use crate::procedure::{ENGLISH, FRENCH, Line, Sheet, sheet};
use crate::{folder, output};

static PAGE: Code = Code::refused("ECL-PRO-010", "the sheet could not be made");

pub(super) fn run(here: &Here, args: &ProcedureArgs) -> Result<()> {
    let words = match args.lang {
        Language::En => &ENGLISH,
        Language::Fr => &FRENCH,
    };
    // the program itself speaks English; the page speaks its reader's language
    let of = sheet(here, if args.output.is_some() { words } else { &ENGLISH })?;
    output::document(&of);
    let Some(path) = &args.output else {
        told(&of);
        return Ok(());
    };
    let html = Page { w: words, s: &of }.render().map_err(|_| PAGE.fault(""))?;
    folder::replace(path, html.as_bytes())?;
    output::line(path.display().to_string());
    output::document(&json!({ "page": path }));
    Ok(())
}

fn told(sheet: &Sheet) {
    output::line(format!("{}   as of {}", sheet.migration, sheet.on));
    output::line("");
    let width = sheet.steps.iter().map(|s| s.step.chars().count()).max().unwrap_or(0);
    for line in &sheet.steps {
        let who = line.who.join(", ");
        let text = format!("  {} {:width$}   {}   {}", line.sign, line.step, line.words, dated(line));
        output::line(text.trim_end());
        if line.state != "later" && !who.is_empty() {
            output::line(format!("    {:width$}   {who}", ""));
        }
    }
    output::line("");
    for one in &sheet.deadlines {
        output::line(format!("  {}   {}   ({})", one.day, one.what, one.file));
    }
    for one in &sheet.objections {
        output::line("");
        output::line(format!("  objection {}, {}, {}: {}", one.number, one.by, one.on, one.text));
        output::line(match &one.answer {
            Some(answer) => format!("    answered by {} on {}: {}", answer.by, answer.on, answer.text),
            None => "    not answered: nothing is planned or moved".to_owned(),
        });
    }
    output::line("");
    output::line("To print and sign:  ecluse procedure -o procedure.html   (--lang fr)");
}

/// When it was done, or since when who is waited for; with the file that says so.
fn dated(line: &Line) -> String {
    if let Some(done) = &line.done {
        return format!("{} ({}: {})", done.day, done.file, done.key);
    }
    let Some(who) = line.waits_for else { return String::new() };
    match (&line.since, line.days) {
        (Some(since), Some(days)) => {
            let days = if days == 1 { "1 day".to_owned() } else { format!("{days} days") };
            format!("waiting for: {who}, {days} (since {}, {}: {})", since.day, since.file, since.key)
        }
        _ => format!("waiting for: {who}, since when is unknown"),
    }
}
