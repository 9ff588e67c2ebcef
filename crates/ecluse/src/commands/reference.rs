//! `ecluse reference print|propose|sign|verify`: what the code tables do, with the rows that each line is
//! for; and the acceptance of what stands at the destination before anything else moves.

use std::path::{Path, PathBuf};

use askama::Template as _;
use ecluse_adapters::folder::{RunFolder, figures};
use ecluse_core::contract::Contract;
use ecluse_core::count::plural;
use ecluse_core::document::Kind;
use ecluse_core::fault::{Code, Result};
use ecluse_core::language::Language;
use ecluse_core::meaning::does;
use ecluse_core::reference::{Accepted, FILE, OTHER, Stated, draft as written, parse};
use ecluse_core::{instruction, recipient};
use ecluse_flow::run::Options;
use serde_json::{Value, json};

use super::plan::rehearsed;
use super::{Here, sign};
use crate::cli::{PaperArgs, PrintArgs, Reference, RunArgs, SignArgs};
use crate::pages::made::{self, MadePage};
use crate::pages::reference::{CodePage, Line, code_pages, page};
use crate::pages::words::{self, spaced};
use crate::papers::chain::Chain;
use crate::papers::{Paper, draft, objections, reference, standing};
use crate::progress::Teller;
use crate::ready::Ready;
use crate::{copies, folder, output};

const MADE_BY: &str = "ecluse reference propose";

static PAGE: Code = Code::refused("ECL-COD-010", "the page of the code tables could not be made");

pub(super) fn run(here: &Here, command: &Reference) -> Result<()> {
    match command {
        Reference::Print(args) => print(here, args),
        Reference::Propose(args) => propose(here, args),
        Reference::Sign(args) => accept(here, args),
        Reference::Verify(args) => verify(here, args),
    }
}

/// Where reference data stand: between two databases under the order that lies here, of an archive under the one
/// that its load unsealed.
struct Place {
    contract: Contract,
    /// The order's digest; `None` in a recipient's folder, where it is not in clear: the load compares it.
    order: Option<String>,
    run: PathBuf,
    moves: &'static str,
}

impl Place {
    fn of(here: &Here, run: Option<&Path>) -> Result<Self> {
        if !here.folder.has(instruction::FILE) && here.folder.has(recipient::FILE) {
            let (contract, _) = standing::contract(&here.folder, None, here.now)?;
            let run = here.folder.path(run, "load");
            return Ok(Self { contract, order: None, run, moves: reference::LOADS });
        }
        let chain = Chain::read(&here.folder, &PaperArgs::default(), here.now)?;
        let sealed = chain.instruction.order().recipient().is_some();
        let order = Some(chain.instruction.digest().to_owned());
        let (named, moves) = if sealed { ("load", reference::LOADS) } else { ("run", reference::MOVES) };
        Ok(Self { contract: chain.contract, order, run: here.folder.path(run, named), moves })
    }

    /// What there is to accept.
    fn moved(&self) -> Result<Stated> {
        let moved = reference::moved(&self.run, self.moves)?;
        self.is_of(&moved)?;
        Ok(moved)
    }

    fn is_of(&self, stated: &Stated) -> Result<()> {
        if self.order.as_ref().is_none_or(|order| *order == stated.instruction) {
            return Ok(());
        }
        Err(OTHER.fault("of another instruction").help(self.moves))
    }
}

/// Writes what there is to accept, to be signed.
fn propose(here: &Here, args: &RunArgs) -> Result<()> {
    let place = Place::of(here, args.dir.as_deref())?;
    let stated = place.moved()?;
    let contract = &place.contract;
    let head = if place.moves == reference::LOADS {
        // it goes back to the sender, who keeps another journal
        let cited = Some(contract.digest().to_owned());
        draft::head(cited, here.now, draft::YEAR, contract.header().trial)?
    } else {
        draft::witnessing(here, contract, draft::YEAR)?
    };
    let path = here.folder.path(None, FILE);
    folder::create(&path, written(&head, &stated).as_bytes())?;
    output::line(path.display().to_string());
    for table in &stated.tables {
        output::line(format!("  {}   {}", table.name, plural(table.rows, "row", "rows")));
    }
    output::line(
        "A biologist looks at them in the new system, and accepts them:  ecluse reference sign --key FILE",
    );
    output::document(&json!({ "made": path, "tables": stated.tables.len() }));
    Ok(())
}

/// Nothing is signed that would not count. What was loaded out of an archive stands elsewhere: where nothing was
/// loaded, the paper is compared with the order alone, and the load compares the rest.
fn accept(here: &Here, args: &SignArgs) -> Result<()> {
    let paper = Paper::read(&here.folder.path(args.file.as_deref(), FILE), MADE_BY)?;
    let stated = paper.judge(parse(paper.text()))?;
    let place = Place::of(here, None)?;
    if place.moves == reference::LOADS && place.order.is_some() && !place.run.exists() {
        place.is_of(&stated)?;
    } else {
        stated.is(&place.moved()?)?;
    }
    sign::run(here, Kind::Reference, FILE, args)
}

fn verify(here: &Here, args: &RunArgs) -> Result<()> {
    let paper = Paper::read(&here.folder.path(None, FILE), MADE_BY)?;
    let place = Place::of(here, args.dir.as_deref())?;
    let accepted = paper.judge(Accepted::read(&paper.bytes, &paper.signatures, &place.contract, here.now))?;
    let figures = figures(&place.run)?.unwrap_or_default();
    accepted.is_of(&figures.run, place.order.as_deref().unwrap_or(&figures.instruction))?;
    sign::told(&paper.path, accepted.signers(), accepted.header(), &accepted.digest());
    Ok(())
}

fn print(here: &Here, args: &PrintArgs) -> Result<()> {
    let lang = args.lang.into();
    objections::answered(&here.folder, args.papers.instruction.as_deref(), here.now)?;
    let (ready, mut ends) = Ready::to_count(here, &args.papers)?;
    let path = here.folder.path(args.papers.run.as_deref(), "run");
    copies::run(&here.folder, here.now, &path, ready.chain.instruction.order(), None)?;
    let mut record = RunFolder::open(&path, &here.journal())?;
    ready.swept(&mut record)?;
    let mut teller = Teller::new();
    let found = ready.with_orders(|orders| {
        let options = Options { codes: true, ..ready.options() };
        rehearsed(&ready, orders, options, ends.source.as_mut(), &mut record, &mut teller)
    })?;
    let pages = code_pages(&ready.chain, &found.unmapped);
    for page in &pages {
        told(page);
    }
    let made = made::made(&ready.chain, &found.unmapped, &found.figures);
    if let Some(made) = &made {
        made_told(made);
    } else if pages.is_empty() {
        output::line("The mapping cites no code table and makes no value: every value moves as it is.");
    }
    let html = page(lang, &ready.chain, &found.figures, &pages, made.as_ref());
    let html = html.render().map_err(|_| PAGE.fault(""))?;
    let path = here.folder.path(args.output.as_deref(), "reference.html");
    folder::replace(&path, spaced(&html, lang).as_bytes())?;
    output::line(path.display().to_string());
    let tables: Vec<Value> = pages.iter().map(document).collect();
    let values: Vec<Value> = made.iter().flat_map(|made| &made.made).map(made::document).collect();
    output::document(&json!({ "made": path, "code_tables": tables, "values": values }));
    Ok(())
}

/// What the mapping makes itself, on the terminal.
fn made_told(made: &MadePage) {
    output::line(format!("mapping.toml   values that it makes   fingerprint {}", sign::short(&made.digest)));
    for line in made::lines(made) {
        output::line(line);
    }
    output::line(match (made.is_judged(), made.signed.is_empty()) {
        (true, true) => {
            "  These are no values of the old system: a biologist accepts them:  ecluse mapping sign --key FILE"
        }
        (false, true) => "  They say where a row comes from: the order's signature covers them.",
        (_, false) => "  A biologist has signed it.",
    });
    output::line("");
}

/// One code table on the terminal.
fn told(page: &CodePage) {
    output::line(format!("{}   {}   fingerprint {}", page.name, page.title, sign::short(&page.digest)));
    let width = |of: fn(&Line) -> &str| page.lines.iter().map(|l| of(l).chars().count()).max().unwrap_or(0);
    let (from, to) = (width(|l| &l.from), width(|l| &l.to));
    for line in &page.lines {
        let pad = |text: &str, width: usize| " ".repeat(width.saturating_sub(text.chars().count()));
        let does = words::does(&line.from, &line.to, &line.does, Language::English);
        let text = format!(
            "  {}{}   →   {}{}   {:>9}   {}",
            line.from,
            pad(&line.from, from),
            line.to,
            pad(&line.to, to),
            line.rows.to_string(),
            does.join("; ")
        );
        output::line(text.trim_end());
    }
    for (code, rows) in &page.unmapped {
        output::line(format!(
            "  {code}{}   no line: {rows} rows are refused",
            " ".repeat(from.saturating_sub(code.chars().count()))
        ));
    }
    let says =
        if page.changes_result { "It changes how results read" } else { "It is the biologist's to judge" };
    output::line(match page.signed.is_empty() {
        true => format!("  {says}: a biologist accepts it:  ecluse codes sign {} --key FILE", page.file),
        false => format!("  {says}, and is signed."),
    });
    output::line("");
}

fn document(page: &CodePage) -> Value {
    let line = |l: &Line| {
        json!({
            "from": l.from, "to": l.to, "rows": l.rows.to_string(),
            "does": words::does(&l.from, &l.to, &l.does, Language::English),
        })
    };
    let unmapped: Vec<Value> =
        page.unmapped.iter().map(|(code, rows)| json!({ "code": code, "rows": rows.to_string() })).collect();
    json!({
        "name": page.name, "file": page.file, "digest": page.digest, "changes_result": page.changes_result,
        "codes": page.lines.iter().map(line).collect::<Vec<_>>(), "unmapped": unmapped,
    })
}

/// What each line of a code table does, in the terminal's words.
pub(super) fn does_told(table: &ecluse_core::codes::CodeTable) -> Vec<String> {
    let pairs = table.pairs.iter().zip(does(table));
    let told = |(pair, does): (&ecluse_core::codes::Pair, Vec<_>)| {
        words::does(&pair.from.value, &pair.to.value, &does, Language::English).join("; ")
    };
    pairs.map(told).collect()
}
