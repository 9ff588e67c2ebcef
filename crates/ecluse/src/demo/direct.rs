//! The direct way: the laboratory and its papers, a run that is stopped and resumed, two results given to another
//! patient, found and put right.

use std::path::{Path, PathBuf};

use ecluse_adapters::folder::figures;
use ecluse_adapters::sqlite;
use ecluse_core::contract::Contract;
use ecluse_core::count::{count, plural};
use ecluse_core::dictionary::{self, Dictionary};
use ecluse_core::document::Kind;
use ecluse_core::fault::Result;
use ecluse_core::keys::Key;
use ecluse_core::mandate::Mandate;
use ecluse_core::person::Role;
use ecluse_core::status::State;
use ecluse_core::{digest, instruction, mapping, template};
use ecluse_flow::figures::Figures;
use ecluse_flow::ports::Scope;

use super::papers::{self, Back, To};
use super::typed::typed;
use super::{LASTS, UNLIKELY, laboratory};
use crate::commands::reconcile::Recorded;
use crate::commands::{new, reconciled};
use crate::folder::{self, Folder};
use crate::papers::{Paper, draft, standing};
use crate::{clock, connect, output, ready, trial};

/// The demonstration's own folder.
pub(super) struct Direct {
    pub(super) folder: Folder,
    source: PathBuf,
    destination: PathBuf,
}

impl Direct {
    /// The folder, the laboratory, and an empty new system.
    pub(super) fn begin(dir: &Path, patients: u32) -> Result<Self> {
        let (source, destination) = (dir.join("old-laboratory.db"), dir.join("new-system.db"));
        let folder = new::lay_out(dir, Some("sqlite:old-laboratory.db"), Some("sqlite:new-system.db"))?;
        sqlite::create_from(&source, &laboratory::source(patients))?;
        sqlite::create_from(&destination, laboratory::DESTINATION)?;
        output::line(format!(
            "An invented laboratory of {}, and a new system that is empty.",
            plural(patients.into(), "patient", "patients")
        ));
        Ok(Self { folder, source, destination })
    }

    /// Contract, mandate, survey, order, mapping, code table, status, session: written and signed.
    ///
    /// Gives the fingerprint of the controller's signatory.
    pub(super) fn papers(&self) -> Result<String> {
        let now = clock::now();
        trial::contract(&self.folder, papers::CAST, false, now)?;
        let (contract, _) = standing::contract(&self.folder, None, now)?;
        output::line("contract     signed by the laboratory and by the publisher");
        self.survey(&contract)?;
        self.order(&contract)?;
        typed("ecluse session new --key keys/operator")?;
        output::line("session      opened by Inès Marchal, operator, for 12 hours");
        let mut signatories = contract.keys(Role::ControllerSignatory);
        signatories.next().map(Key::fingerprint).ok_or_else(|| UNLIKELY.fault("contract"))
    }

    fn survey(&self, contract: &Contract) -> Result<()> {
        let now = clock::now();
        let head = draft::head(Some(contract.digest().to_owned()), now, LASTS, false)?;
        let url = connect::parse(&format!("sqlite:{}", self.source.display()))?;
        let text = template::mandate(&head, "to prepare the order", url.engine(), "main", None);
        let path = self.write("mandate.toml", &text)?;
        trial::sign(&self.folder, Kind::Survey, &path, &contract.terms().keys)?;
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
        trial::sign(&self.folder, Kind::Codes, &codes, keys)?;
        let mapping_text = papers::mapping(&digest::of_bytes(papers::SEX.as_bytes()));
        self.write("mapping.toml", &mapping_text)?;

        let destination = connect::parse(&format!("sqlite:{}", self.destination.display()))?;
        let destination = connect::destination(&destination)?.identity()?;
        let dictionary = self.ordered(contract, &self.folder, &To::Database(&destination), None)?;
        let columns: usize = dictionary.tables.iter().map(|t| t.columns.len()).sum();
        output::line(format!(
            "order        3 of {} tables, {} of {columns} columns, requests since 2023; signed by Claire Fontaine",
            dictionary.tables.len(),
            papers::COLUMNS,
        ));
        Ok(())
    }

    /// Writes order and status into a folder that has dictionary, mapping and code tables, signed by the laboratory.
    pub(super) fn ordered(
        &self,
        contract: &Contract,
        into: &Folder,
        to: &To<'_>,
        back: Option<&Back<'_>>,
    ) -> Result<Dictionary> {
        let keys = &contract.terms().keys;
        let source = connect::parse(&format!("sqlite:{}", self.source.display()))?;
        let source = connect::source(&source)?.identity()?;
        let head = draft::head(Some(contract.digest().to_owned()), clock::now(), LASTS, false)?;
        let text = papers::instruction(&head, &source, to, back);
        let surveyed = Paper::read(&into.path(None, "dictionary.toml"), "")?;
        let dictionary = surveyed.judge(dictionary::parse(surveyed.text()))?;
        let mapped = Paper::read(&into.path(None, "mapping.toml"), "")?;
        let mapping = mapping::parse(mapped.text()).map_err(|_| UNLIKELY.fault("mapping"))?;
        let text =
            instruction::fill(&text, &dictionary, Some(&mapping)).ok_or_else(|| UNLIKELY.fault("order"))?;
        let path = into.path(None, "instruction.toml");
        folder::create(&path, text.as_bytes())?;
        trial::sign(&self.folder, Kind::Instruction, &path, keys)?;
        let head = draft::head(Some(contract.digest().to_owned()), clock::now(), LASTS, false)?;
        let status = template::status(&head, &digest::of_bytes(text.as_bytes()), State::InForce, None);
        let path = into.path(None, "status.toml");
        folder::create(&path, status.as_bytes())?;
        trial::sign(&self.folder, Kind::Status, &path, keys)?;
        Ok(dictionary)
    }

    /// Moves; stopped once on the way, so that the second start resumes.
    pub(super) fn migrate(&self) -> Result<Figures> {
        ready::stop_after_rows(1_000);
        let stopped = typed("ecluse migrate");
        ready::go_on();
        match stopped {
            Err(fault) if fault.code().id == "ECL-RUN-030" => {
                output::line(format!("migrate      stopped on purpose: {}", fault.detail()));
            }
            Err(fault) => return Err(fault),
            Ok(()) => {}
        }
        typed("ecluse migrate")?;
        let figures = self.figures()?;
        output::line(format!(
            "migrate      resumed: {} moved, {} refused",
            plural(figures.moved_rows(), "row", "rows"),
            count(figures.refused_rows())
        ));
        Ok(figures)
    }

    fn figures(&self) -> Result<Figures> {
        figures(&self.folder.path(None, "run"))?.ok_or_else(|| UNLIKELY.fault("figures"))
    }

    pub(super) fn reconcile(&self) -> Result<Recorded> {
        typed("ecluse reconcile")?;
        let found = self.found()?;
        output::line(format!(
            "reconcile    {} read back by a fresh connection: no difference",
            plural(found.rows, "row", "rows")
        ));
        Ok(found)
    }

    /// What the last reconciliation found.
    fn found(&self) -> Result<Recorded> {
        let reconciled = reconciled::of(&self.folder.path(None, "run"), &self.figures()?)?;
        reconciled.found().cloned().ok_or_else(|| UNLIKELY.fault("reconciliation"))
    }

    /// Swaps two patients' requests behind everybody's back: found, named, put right.
    pub(super) fn swap_and_repair(&self) -> Result<Recorded> {
        sqlite::execute(&self.destination, laboratory::SWAP)?;
        output::line("Now two requests are given to each other's patient, behind écluse's back.");
        let refused = typed("ecluse reconcile").err().map(|fault| fault.code().id);
        let found = self.found()?;
        if refused.is_none() || found.differences != 2 {
            return Err(UNLIKELY.fault(format!("{} differences after a swap of two rows", found.differences)));
        }
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
        typed("ecluse migrate --repair")?;
        typed("ecluse reconcile")?;
        output::line("repair       put right from the source by the same function: no difference");
        Ok(found)
    }

    /// The page of the whole chain as far as it has come.
    pub(super) fn report(&self) -> Result<PathBuf> {
        let name = ecluse_adapters::folder::REPORT;
        typed(&format!("ecluse report --lang en -o {name}"))?;
        Ok(self.folder.root().join(name))
    }

    fn write(&self, name: &str, text: &str) -> Result<PathBuf> {
        let path = self.folder.path(None, name);
        folder::create(&path, text.as_bytes())?;
        Ok(path)
    }
}
