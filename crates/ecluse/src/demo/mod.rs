//! `ecluse demo`: the main job on an invented laboratory, embedded: no server, no network.
//!
//! It goes through the same functions as the commands do; only the papers are written
//! beforehand, and every role is played with keys made for the occasion.

mod laboratory;
mod papers;

use std::path::{Path, PathBuf};
use std::time::Instant;

use ecluse_adapters::sqlite;
use ecluse_core::contract::Contract;
use ecluse_core::count::{count, plural};
use ecluse_core::dictionary;
use ecluse_core::document::Kind;
use ecluse_core::fault::{Code, Result};
use ecluse_core::language::Language;
use ecluse_core::mandate::Mandate;
use ecluse_core::status::State;
use ecluse_core::{digest, instruction, mapping, template};
use ecluse_flow::figures::Figures;
use ecluse_flow::ports::Scope;
use ecluse_flow::start::Start;
use jiff::SignedDuration;
use serde_json::json;

use crate::cli::{DemoArgs, MigrateArgs, PaperArgs, StartArgs};
use crate::commands::reconcile::Recorded;
use crate::commands::{Here, migrate, new, reconcile, report, session};
use crate::folder::{self, Folder};
use crate::output;
use crate::papers::{Paper, draft, standing};
use crate::{clock, connect, ready, trial};

static UNLIKELY: Code = Code::refused("ECL-CLI-026", "the demonstration did not go as it must");

/// Long enough for the walk, short enough that nobody keeps these papers.
const LASTS: SignedDuration = SignedDuration::from_hours(24 * 31);

/// Runs the demonstration in a new folder.
///
/// # Errors
///
/// Any step's fault; [`UNLIKELY`] where a step finds something else than was planted.
pub(crate) fn run(args: &DemoArgs) -> Result<()> {
    let began = Instant::now();
    let dir = args.dir.clone().unwrap_or_else(|| PathBuf::from("ecluse-demo"));
    let dir = std::path::absolute(&dir).unwrap_or(dir);
    let story = Story::begin(&dir, args.patients)?;
    story.papers()?;
    let figures = story.migrate()?;
    let first = story.reconcile()?;
    let found = story.swap_and_repair()?;
    let page = story.report()?;
    output::line(format!("\nThe report: {}   ({} s)", page.display(), began.elapsed().as_secs()));
    output::document(&json!({
        "report": page, "figures": figures, "reconciled": first.holds, "swap_found": found.differences,
        "seconds": began.elapsed().as_secs(),
    }));
    Ok(())
}

struct Story {
    here: Here,
    source: PathBuf,
    destination: PathBuf,
}

impl Story {
    /// The folder, the laboratory, and an empty new system.
    fn begin(dir: &Path, patients: u32) -> Result<Self> {
        let (source, destination) = (dir.join("old-laboratory.db"), dir.join("new-system.db"));
        let folder = new::lay_out(dir, Some("sqlite:old-laboratory.db"), Some("sqlite:new-system.db"))?;
        sqlite::create_from(&source, &laboratory::source(patients))?;
        sqlite::create_from(&destination, laboratory::DESTINATION)?;
        output::line(format!(
            "An invented laboratory of {}, and a new system that is empty.",
            plural(patients.into(), "patient", "patients")
        ));
        Ok(Self { here: Here { folder, now: clock::now() }, source, destination })
    }

    fn folder(&self) -> &Folder {
        &self.here.folder
    }

    /// Contract, mandate, survey, order, mapping, code table, status, session: written and signed.
    fn papers(&self) -> Result<()> {
        let now = self.here.now;
        trial::contract(self.folder(), papers::CAST, false, now)?;
        let (contract, _) = standing::contract(self.folder(), None, now)?;
        output::line("contract     signed by the laboratory and by the publisher");
        self.survey(&contract)?;
        self.order(&contract)?;
        output::muted(|| session::open_with_trial_key(&self.here))?;
        output::line("session      opened by Inès Marchal, operator, for 12 hours");
        Ok(())
    }

    fn survey(&self, contract: &Contract) -> Result<()> {
        let now = self.here.now;
        let head = draft::head(Some(contract.digest().to_owned()), now, LASTS, false)?;
        let url = connect::parse(&format!("sqlite:{}", self.source.display()))?;
        let text = template::mandate(&head, "to prepare the order", url.engine(), "main", None);
        let path = self.write("mandate.toml", &text)?;
        trial::sign(self.folder(), Kind::Survey, &path, &contract.terms().keys)?;
        let paper = Paper::read(&path, "")?;
        let mandate = paper.judge(Mandate::in_force(&paper.bytes, &paper.signatures, contract, now))?;
        let catalog = connect::source(&url)?.catalog(Scope::Everything)?;
        self.write("dictionary.toml", &dictionary::draft(&catalog, now, &mandate.digest()))?;
        let columns: usize = catalog.tables.iter().map(|t| t.columns.len()).sum();
        output::line(format!(
            "survey       {} tables, {columns} columns: names and types, no value read",
            catalog.tables.len()
        ));
        Ok(())
    }

    fn order(&self, contract: &Contract) -> Result<()> {
        let keys = &contract.terms().keys;
        let codes = self.write("codes/sex.toml", papers::SEX)?;
        trial::sign(self.folder(), Kind::Codes, &codes, keys)?;
        let mapping_text = papers::mapping(&digest::of_bytes(papers::SEX.as_bytes()));
        self.write("mapping.toml", &mapping_text)?;

        let identity = |path: &Path| connect::parse(&format!("sqlite:{}", path.display()));
        let source = connect::source(&identity(&self.source)?)?.identity()?;
        let destination = connect::destination(&identity(&self.destination)?)?.identity()?;
        let head = draft::head(Some(contract.digest().to_owned()), self.here.now, LASTS, false)?;
        let text = papers::instruction(&head, &source, &destination);
        let surveyed = Paper::read(&self.folder().path(None, "dictionary.toml"), "")?;
        let dictionary = surveyed.judge(dictionary::parse(surveyed.text()))?;
        let mapping = mapping::parse(&mapping_text).map_err(|_| UNLIKELY.fault("mapping"))?;
        let text =
            instruction::fill(&text, &dictionary, Some(&mapping)).ok_or_else(|| UNLIKELY.fault("order"))?;
        let path = self.write("instruction.toml", &text)?;
        trial::sign(self.folder(), Kind::Instruction, &path, keys)?;
        let columns: usize = dictionary.tables.iter().map(|t| t.columns.len()).sum();
        output::line(format!(
            "order        3 of {} tables, {} of {columns} columns, requests since 2023; signed by Claire Fontaine",
            dictionary.tables.len(),
            papers::COLUMNS,
        ));

        let head = draft::head(Some(contract.digest().to_owned()), self.here.now, LASTS, false)?;
        let status = template::status(&head, &digest::of_bytes(text.as_bytes()), State::InForce, None);
        let path = self.write("status.toml", &status)?;
        trial::sign(self.folder(), Kind::Status, &path, keys)?;
        Ok(())
    }

    /// Moves; stopped once on the way, so that the second start resumes.
    fn migrate(&self) -> Result<Figures> {
        let args = MigrateArgs::default();
        ready::stop_after_rows(1_000);
        let stopped = output::muted(|| migrate::moved(&self.here, &args));
        ready::go_on();
        match stopped {
            Err(fault) if fault.code().id == "ECL-RUN-030" => {
                output::line(format!("migrate      stopped on purpose: {}", fault.detail()));
            }
            Err(fault) => return Err(fault),
            Ok(_) => {}
        }
        let figures = output::muted(|| migrate::moved(&self.here, &args))?;
        output::line(format!(
            "migrate      resumed: {} moved, {} refused",
            plural(figures.moved_rows(), "row", "rows"),
            count(figures.refused_rows())
        ));
        Ok(figures)
    }

    fn reconcile(&self) -> Result<Recorded> {
        let found = self.compared()?;
        if !found.holds {
            return Err(UNLIKELY
                .fault("the destination differs after an honest run")
                .help("ecluse reconcile"));
        }
        output::line(format!(
            "reconcile    {} read back by a fresh connection: no difference",
            plural(found.rows, "row", "rows")
        ));
        Ok(found)
    }

    /// Swaps two patients' requests behind everybody's back: found, named, put right.
    fn swap_and_repair(&self) -> Result<Recorded> {
        sqlite::execute(&self.destination, laboratory::SWAP)?;
        let found = self.compared()?;
        if found.differences != 2 {
            return Err(UNLIKELY.fault(format!("{} differences after a swap of two rows", found.differences)));
        }
        output::line("\nNow two requests are given to each other's patient, behind écluse's back.");
        for d in &found.list {
            let row = d.row.as_deref().unwrap_or_default();
            let token: String = row.chars().take(9).collect();
            output::line(format!(
                "reconcile    {}: {}.{}, row {token}…",
                d.words,
                d.table,
                d.column.as_deref().unwrap_or_default()
            ));
        }
        let args = MigrateArgs { start: StartArgs::REPAIR, ..MigrateArgs::default() };
        output::muted(|| migrate::moved(&self.here, &args))?;
        let again = self.compared()?;
        if !again.holds {
            return Err(UNLIKELY.fault("the repair did not hold"));
        }
        output::line("repair       put right from the source by the same function: no difference");
        Ok(found)
    }

    fn compared(&self) -> Result<Recorded> {
        let run = self.folder().path(None, "run");
        output::muted(|| reconcile::compared(&self.here, &PaperArgs::default(), &run, (false, Start::Whole)))
            .map(|(found, _)| found)
    }

    fn report(&self) -> Result<PathBuf> {
        let to = self.folder().root().join(ecluse_adapters::folder::REPORT);
        report::written(&self.here, &self.folder().path(None, "run"), Some(&to), Language::English)
    }

    fn write(&self, name: &str, text: &str) -> Result<PathBuf> {
        let path = self.folder().path(None, name);
        folder::create(&path, text.as_bytes())?;
        Ok(path)
    }
}
