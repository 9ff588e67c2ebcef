//! How the comparison of drawn dossiers stands: who looked, how many, what was found, whether it is signed.

use std::path::Path;

use ecluse_core::comparison::{Compared, Comparison, FILE, parse};
use ecluse_core::count::number;
use ecluse_core::digest::of_bytes;
use ecluse_core::fault::Result;
use ecluse_core::language::Language;
use ecluse_core::signatures::Signer;
use ecluse_flow::figures::Figures;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Paper, standing};
use crate::folder::{self, Folder};
use crate::report::figure::{Figure, blurred, is_small};
use crate::screen::words::Words;

/// The file of a run whose digest says which state of it was looked at.
const FIGURES: &str = "figures.json";

/// What the report's chain calls it.
pub(crate) const COMPARED: &str = "compared dossiers";

/// A comparison of this run.
#[derive(Clone, Debug)]
pub(crate) struct Looked {
    pub(crate) comparison: Comparison,
    /// Empty where nobody has signed.
    pub(crate) signers: Vec<Signer>,
    /// The day on which it was written last.
    pub(crate) on: String,
    pub(crate) digest: String,
    /// Whether the run has gone on since.
    pub(crate) stale: bool,
}

/// The digest of the run's figures: it changes with every start that changes the destination.
///
/// # Errors
///
/// Where there are none.
pub(crate) fn figures(run: &Path) -> Result<String> {
    Ok(of_bytes(&folder::read(&run.join(FIGURES), "ecluse migrate")?))
}

/// The comparison that lies in the folder; `None` where there is none, or another run's.
///
/// # Errors
///
/// A record that was changed after it was signed, or that somebody signed who may not.
pub(crate) fn of(folder: &Folder, run: &Path, known: &Figures, now: Timestamp) -> Result<Option<Looked>> {
    if !folder.has(FILE) {
        return Ok(None);
    }
    let paper = Paper::read(&folder.path(None, FILE), "ecluse compare")?;
    let comparison = paper.judge(parse(paper.text()))?;
    if comparison.is_of(&known.run, &known.instruction).is_err() {
        return Ok(None);
    }
    let (signers, on) = if paper.signatures.is_empty() {
        (Vec::new(), comparison.dossiers.iter().map(|one| one.at).max())
    } else {
        let (contract, _) = standing::contract(folder, None, now)?;
        let signed = paper.judge(Compared::read(&paper.bytes, &paper.signatures, &contract, now))?;
        (signed.signers().to_vec(), Some(signed.header().issued))
    };
    Ok(Some(Looked {
        stale: comparison.figures != figures(run)?,
        on: on.map_or_else(String::new, |at| at.to_zoned(jiff::tz::TimeZone::UTC).date().to_string()),
        digest: paper.digest(),
        comparison,
        signers,
    }))
}

impl Looked {
    /// `12 of 12 drawn dossiers compared by Claire Fontaine, signed: each the same`; where the dossiers' table
    /// hides its small counts and there is one, none is told exactly.
    pub(crate) fn words(&self, lang: Language, hides: bool) -> String {
        let Comparison { dossiers, drawn, by, .. } = &self.comparison;
        let (looked, same, crossed) =
            (number(dossiers.len()), self.comparison.same(), self.comparison.crossed());
        let differences = [*drawn, looked, same, drawn.abs_diff(looked), looked.abs_diff(same)];
        let blur = hides && differences.into_iter().chain(crossed.values().copied()).any(is_small);
        let count = |n| if blur { blurred(n) } else { Figure::Exact(n) }.told(lang);
        let crossed: Vec<String> = crossed
            .into_iter()
            .map(|(reason, n)| format!("{} ({})", Words(lang).reason(reason), count(n)))
            .collect();
        let same = count(same);
        let found = match (dossiers.is_empty(), crossed.is_empty()) {
            (true, _) => String::new(),
            (false, true) => lang.of(": each the same", " : tous identiques").to_owned(),
            (false, false) => lang.of(
                format!(": {same} the same; crossed: {}", crossed.join(", ")),
                format!(" : {same} identiques ; écarts relevés : {}", crossed.join(", ")),
            ),
        };
        let signed = match (self.signers.is_empty(), lang) {
            (true, Language::English) => "not signed",
            (false, Language::English) => "signed",
            (true, Language::French) => "non signé",
            (false, Language::French) => "signé",
        };
        let stale = match self.stale {
            false => "",
            true => lang.of("; the run has gone on since", " ; le passage a continué depuis"),
        };
        let (compared, drawn) = (count(looked), count(*drawn));
        lang.of(
            format!("{compared} of {drawn} drawn dossiers compared by {by}, {signed}{found}{stale}"),
            format!("{compared} dossiers tirés sur {drawn} comparés par {by}, {signed}{found}{stale}"),
        )
    }

    /// Whether nothing is left to do: all the same, signed, and the run as it was.
    pub(crate) fn holds(&self) -> bool {
        self.comparison.holds() && !self.signers.is_empty() && !self.stale
    }

    /// Counts, for scripts; a token names nobody, and none is here.
    pub(crate) fn counts(&self) -> Value {
        let crossed: serde_json::Map<String, Value> = self
            .comparison
            .crossed()
            .iter()
            .map(|(reason, n)| (reason.name().to_owned(), json!(n)))
            .collect();
        json!({
            "drawn": self.comparison.drawn, "compared": self.comparison.dossiers.len(),
            "same": self.comparison.same(), "differs": crossed, "kinds": self.comparison.kinds(),
            "by": self.comparison.by, "signed": !self.signers.is_empty(), "stale": self.stale,
        })
    }
}
