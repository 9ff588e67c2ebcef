//! What a run says while it goes: bars on a terminal, lines elsewhere, events with `--json`.

use std::fmt::Write;
use std::time::Duration;

use ecluse_core::count::{count, plural};
use ecluse_flow::run::Progress;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use serde_json::json;

use crate::output;
use crate::ready;

/// Tells progress in the way that fits where standard error goes.
pub(crate) struct Teller {
    bars: Option<MultiProgress>,
    /// Whether each step is a line of JSON: only `migrate` promises events.
    events: bool,
    tables: Vec<Told>,
}

#[derive(Debug)]
struct Told {
    number: usize,
    name: String,
    asked: u64,
    moved: u64,
    refused: u64,
    bar: Option<ProgressBar>,
}

impl Teller {
    pub(crate) fn new() -> Self {
        let bars = output::is_watched()
            .then(|| MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(8)));
        Self { bars, events: false, tables: Vec::new() }
    }

    /// One that tells each step as a line of JSON too, where JSON was asked for.
    pub(crate) fn with_events() -> Self {
        Self { events: true, ..Self::new() }
    }

    fn event(&self, step: &serde_json::Value) {
        if self.events {
            output::event(step);
        }
    }

    /// Takes one step of progress.
    pub(crate) fn tell(&mut self, progress: Progress<'_>) {
        match progress {
            Progress::Table(number, name, asked) => self.begin(number, name, asked),
            Progress::Rows(number, moved, refused) => {
                ready::dealt_with(moved + refused);
                let Some(told) = self.tables.iter_mut().find(|t| t.number == number) else { return };
                (told.moved, told.refused) = (moved, refused);
                if let Some(bar) = &told.bar {
                    bar.set_position(moved + refused);
                }
                let step = json!({
                    "event": "rows", "table": told.name, "asked": told.asked, "moved": moved, "refused": refused,
                });
                self.event(&step);
            }
            Progress::Through(number) => self.through(number),
            Progress::Note(words) => match &self.bars {
                Some(bars) => drop(bars.println(words)),
                None => {
                    output::remark(words);
                    self.event(&json!({ "event": "note", "words": words }));
                }
            },
        }
    }

    fn begin(&mut self, number: usize, name: &str, asked: u64) {
        let bar = self.bars.as_ref().map(|bars| {
            let bar = bars.add(ProgressBar::new(asked));
            let style = ProgressStyle::with_template(
                "{msg:20}  {bar:24}  {human_pos} of {human_len}   {rate}   {eta} left",
            );
            if let Ok(style) = style {
                let rate = |state: &ProgressState, out: &mut dyn Write| {
                    let rows = format!("{:.0}", state.per_sec()).parse().unwrap_or(0);
                    let _ = write!(out, "{} rows/s", count(rows));
                };
                bar.set_style(style.with_key("rate", rate).progress_chars("━╸ "));
            }
            bar.set_message(name.to_owned());
            bar.enable_steady_tick(Duration::from_millis(250));
            bar
        });
        self.event(&json!({ "event": "table", "table": name, "asked": asked }));
        self.tables.push(Told { number, name: name.to_owned(), asked, moved: 0, refused: 0, bar });
    }

    fn through(&mut self, number: usize) {
        let Some(told) = self.tables.iter().find(|t| t.number == number) else { return };
        let refused =
            if told.refused > 0 { format!(", {} refused", count(told.refused)) } else { String::new() };
        match &told.bar {
            Some(bar) => {
                if let Ok(style) = ProgressStyle::with_template("{msg:20}  {bar:24}  {human_pos}   done") {
                    bar.set_style(style.progress_chars("━╸ "));
                }
                bar.set_length(told.moved.max(1));
                bar.set_position(told.moved);
                bar.abandon();
            }
            None => {
                output::remark(format!("{}: {}{refused}", told.name, plural(told.moved, "row", "rows")));
                self.event(&json!({
                    "event": "through", "table": told.name, "moved": told.moved, "refused": told.refused,
                }));
            }
        }
    }
}
