//! `ecluse certify propose|sign|verify`: what was erased and looked for, signed by the processor; with the last
//! signature the evidence of the migration is one file.

use ecluse_adapters::folder::RunFolder;
use ecluse_core::certificate::{FILE, Stated, draft as written, parse};
use ecluse_core::copies::Store;
use ecluse_core::count::{number, plural};
use ecluse_core::document::Kind;
use ecluse_core::fault::Result;
use ecluse_flow::certify::{certified, certify};
use serde_json::json;

use super::{Here, report, session, sign};
use crate::cli::{Certify, RunArgs, SignArgs};
use crate::copies::{Born, born, day_of_draft};
use crate::evidence::{self, collect, lay_aside, named, pack};
use crate::papers::certificate::{MADE_BY, found, verified, with};
use crate::papers::{Paper, destruction, draft, quietly, standing};
use crate::{folder, journal, output, ready};

pub(super) fn run(here: &Here, command: &Certify) -> Result<()> {
    match command {
        Certify::Propose(args) => propose(here, args),
        Certify::Sign(args) => signed(here, args),
        Certify::Verify(args) => verify(here, args),
    }
}

/// Writes what there is to certify, to be signed, and lays the evidence's files aside.
fn propose(here: &Here, args: &RunArgs) -> Result<()> {
    let run = here.folder.path(args.dir.as_deref(), "run");
    let path = here.folder.path(None, FILE);
    let (stated, accepted) = found(&here.folder, &run, here.now)?;
    destruction::settled(&here.folder, here.now)?;
    let (contract, _) = standing::contract(&here.folder, None, here.now)?;
    let session = session::in_force(here, &contract)?;
    let trial = contract.header().trial;
    // before anything is noted: a certificate that stands holds as it was signed, or can still be signed
    folder::free(&path)?;
    let mut head = draft::head(Some(contract.digest().to_owned()), here.now, draft::YEAR, trial)?;
    let evidence = Born {
        store: Store::Evidence,
        place: evidence::FILE,
        copies: day_of_draft(&here.folder),
        marker: "",
    };
    born(&here.folder, here.now, &[evidence])?;
    head.seen = journal::seen::now(&here.folder)?;
    // before the first file is copied: the events among them tell of it
    certify(&session.header().id, &mut RunFolder::existing(&run, &here.journal())?, ready::world())?;
    journal::keep(&here.folder)?;
    // as it stands now, the acceptance in its chain
    report::written(here, &run, None, accepted.stated().language)?;
    let files = collect(&here.folder, &run)?;
    evidence::closable(&files)?;
    let stated = Stated { artefacts: named(&files), ..stated };
    lay_aside(&here.folder, &files)?;
    folder::create_durably(&path, written(&head, &stated).as_bytes(), 0o666)?;
    output::line(path.display().to_string());
    told(&stated);
    output::line("The processor's signatories certify it, or not:  ecluse certify sign --key FILE");
    output::document(&json!({ "made": path, "files": files.len() }));
    Ok(())
}

/// What the journal has in the place of a session where a signatory, who is no operator, makes the evidence.
const NO_SESSION: &str = "no session";

/// Nothing is signed that would not count; the last signature makes the evidence. The run is held meanwhile.
fn signed(here: &Here, args: &SignArgs) -> Result<()> {
    let run = here.folder.path(None, "run");
    let mut record = RunFolder::existing(&run, &here.journal())?;
    let paper = Paper::read(&here.folder.path(args.file.as_deref(), FILE), MADE_BY)?;
    let stated = paper.judge(parse(paper.text()))?;
    let (found, _) = found(&here.folder, &run, here.now)?;
    destruction::settled(&here.folder, here.now)?;
    with(named(&evidence::laid_aside(&here.folder)?), found, &stated)?;
    sign::read(here, Kind::Certificate, &paper, args)?;
    // somebody else may still have to sign
    if quietly(|| verified(&here.folder, &run, here.now)).is_ok() {
        let (evidence, digest) = pack(&here.folder)?;
        let session = journal::reading::session(here).unwrap_or_else(|| NO_SESSION.to_owned());
        certified(&session, &mut record, ready::world(), digest)?;
        evidence::clear(&here.folder)?;
        output::line(format!("{}: everything a stranger needs to check this migration", evidence.display()));
        output::document(&json!({ "evidence": evidence }));
    }
    Ok(())
}

fn verify(here: &Here, args: &RunArgs) -> Result<()> {
    let run = here.folder.path(args.dir.as_deref(), "run");
    let (certified, _) = verified(&here.folder, &run, here.now)?;
    told(certified.stated());
    let path = here.folder.path(None, FILE);
    sign::told(&path, certified.signers(), certified.header(), &certified.digest());
    Ok(())
}

/// What a certificate says, in numbers.
fn told(stated: &Stated) {
    let gone = plural(number(stated.done.len()), "thing", "things");
    let places = plural(number(stated.looked.len()), "place", "places");
    output::line(format!("  {gone} erased; {places} searched, nothing found that should be gone"));
    for one in &stated.held {
        output::line(format!("  held until {}: {} ({})", one.until, one.what, one.reason));
    }
    for one in &stated.out_of_reach {
        output::line(format!(
            "  out of reach until {}: {}, {} ({})",
            one.until, one.place, one.what, one.owner
        ));
    }
}
