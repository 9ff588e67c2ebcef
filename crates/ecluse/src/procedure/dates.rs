//! The dates of the sheet, each with the file it stands in: none is guessed, and what no paper
//! says is unknown. SSHSIG carries no time, so a paper's own dates are what there is.

use ecluse_adapters::folder::{figures, frozen};
use ecluse_core::document::{self, Header, Kind};
use ecluse_core::{comparison, differences, instruction};
use ecluse_flow::figures::Figures;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::commands::mandate;
use crate::commands::reconciled::{self, Reconciled};
use crate::folder::Folder;
use crate::papers::objections::Stated;
use crate::papers::{Paper, quietly};

/// A moment, and where it stands.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Dated {
    #[serde(skip)]
    pub(crate) at: Timestamp,
    pub(crate) day: String,
    pub(crate) file: String,
    /// The key in that file.
    pub(crate) key: &'static str,
}

impl Dated {
    fn new(at: Timestamp, file: impl Into<String>, key: &'static str) -> Self {
        Self { at, day: day(at), file: file.into(), key }
    }

    fn parse(at: &str, file: &str, key: &'static str) -> Option<Self> {
        at.parse().ok().map(|at| Self::new(at, file, key))
    }

    /// Whole days from then to now.
    pub(crate) fn days(&self, now: Timestamp) -> i64 {
        now.duration_since(self.at).as_hours().max(0) / 24
    }
}

/// A day as UTC counts it.
pub(crate) fn day(at: Timestamp) -> String {
    at.to_zoned(jiff::tz::TimeZone::UTC).date().to_string()
}

/// What the folder's files say of themselves; the board says whether they hold.
pub(crate) struct Known<'a> {
    folder: &'a Folder,
    now: Timestamp,
    pub(crate) order: Option<instruction::Order>,
    figures: Option<Figures>,
    compared: Option<String>,
    objections: &'a [Stated],
}

impl<'a> Known<'a> {
    pub(crate) fn read(folder: &'a Folder, objections: &'a [Stated], now: Timestamp) -> Self {
        let order = order(folder);
        let run = folder.path(None, "run");
        let figures = quietly(|| figures(&run)).ok().flatten();
        let compared = figures.as_ref().and_then(|f| match reconciled::of(&run, f).ok()? {
            Reconciled::Done(found) => Some(found.at),
            Reconciled::Never | Reconciled::Stale(_) => None,
        });
        Self { folder, now, order, figures, compared, objections }
    }

    /// The header of a paper of the folder.
    pub(crate) fn header(&self, file: &str, kind: Kind) -> Option<Header> {
        document::header(&text(self.folder, file)?, kind).ok()
    }

    fn issued(&self, file: &'static str, kind: Kind) -> Option<Dated> {
        self.header(file, kind).map(|header| Dated::new(header.issued, file, "issued"))
    }

    /// When a step was done.
    pub(crate) fn done(&self, step: &str) -> Option<Dated> {
        match step {
            "contract" => self.issued("contract.toml", Kind::Contract),
            "survey" => self.surveyed(),
            "order" => self.issued("instruction.toml", Kind::Instruction),
            "status" => self.issued("status.toml", Kind::Status),
            "session" => self.issued("session.toml", Kind::Session),
            "run" => self.run("ended"),
            "reconciliation" => self.reconciled(),
            "comparison" => self.issued(comparison::FILE, Kind::Comparison),
            "freeze" => self.frozen(),
            "catch-up" => self.run("ended"),
            _ => None,
        }
    }

    /// Since when a step that is missing has been waited for: what came last before it could be done.
    pub(crate) fn since(&self, step: &str) -> Option<Dated> {
        match step {
            "contract" => self.issued("contract.toml", Kind::Contract),
            "survey" => {
                let template = mandate::is_template(&self.folder.path(None, mandate::FILE));
                let asked = (!template).then(|| self.issued(mandate::FILE, Kind::Survey)).flatten();
                asked.or_else(|| self.done("contract"))
            }
            "order" => self.done("order").or_else(|| self.surveyed()),
            "status" => self.objected().or_else(|| self.stale()).or_else(|| self.done("order")),
            "session" => self.expired("session.toml", Kind::Session).or_else(|| self.done("status")),
            "run" => self.run("began").or_else(|| self.done("session")).or_else(|| self.done("status")),
            "reconciliation" => self
                .issued(differences::FILE, Kind::Differences)
                .or_else(|| self.reconciled())
                .or_else(|| self.run("ended")),
            "comparison" | "freeze" | "report" => self.reconciled(),
            "known persons" => self.run("ended"),
            "catch-up" => self.frozen(),
            _ => None,
        }
    }

    fn surveyed(&self) -> Option<Dated> {
        let text = text(self.folder, "dictionary.toml")?;
        let written: toml::Table = text.parse().ok()?;
        let at = written.get("dictionary")?.get("surveyed")?.as_str()?.to_owned();
        Dated::parse(&at, "dictionary.toml", "surveyed")
    }

    fn run(&self, key: &'static str) -> Option<Dated> {
        let figures = self.figures.as_ref()?;
        let at = if key == "ended" { &figures.ended } else { &figures.began };
        Dated::parse(at, "run/figures.json", key)
    }

    fn frozen(&self) -> Option<Dated> {
        let at = frozen(&self.folder.path(None, "run")).ok().flatten()?;
        Dated::parse(&at, "run/events.jsonl", "freeze")
    }

    fn reconciled(&self) -> Option<Dated> {
        Dated::parse(self.compared.as_ref()?, "run/reconciliation.json", "at")
    }

    fn objected(&self) -> Option<Dated> {
        let open = self.objections.iter().find(|one| one.answer.is_none())?;
        Dated::parse(&open.said.time, ecluse_core::objection::FILE, "time")
    }

    /// A status speaks for as long as the order allows; after that it is waited for.
    fn stale(&self) -> Option<Dated> {
        let header = self.header("status.toml", Kind::Status)?;
        let seconds = i64::try_from(self.order.as_ref()?.status_max_age).ok()?;
        let ends = header.issued.saturating_add(SignedDuration::from_secs(seconds)).ok()?;
        if ends < self.now {
            return Some(Dated::new(ends, "status.toml", "issued + status_max_age"));
        }
        Some(Dated::new(header.issued, "status.toml", "issued"))
    }

    fn expired(&self, file: &'static str, kind: Kind) -> Option<Dated> {
        let ends = self.header(file, kind)?.not_after;
        (ends < self.now).then(|| Dated::new(ends, file, "not_after"))
    }
}

/// The folder's order, as far as its text can be read.
pub(crate) fn order(folder: &Folder) -> Option<instruction::Order> {
    instruction::parse(&text(folder, instruction::FILE)?).ok()
}

fn text(folder: &Folder, file: &str) -> Option<String> {
    if !folder.has(file) {
        return None;
    }
    let paper = Paper::read(&folder.path(None, file), "").ok()?;
    String::from_utf8(paper.bytes).ok()
}
