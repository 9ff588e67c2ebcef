//! `ecluse differences propose|sign|verify`: what differs and is right as it is.

use std::path::Path;

use ecluse_adapters::folder::{RECONCILIATION, figures};
use ecluse_core::count::{number, plural};
use ecluse_core::differences::{Accepted, FILE, Proposal, draft as written};
use ecluse_core::digest::of_bytes;
use ecluse_core::document::Kind;
use ecluse_core::fault::{Code, Result};
use serde_json::json;

use super::reconcile::Recorded;
use super::{Here, reconciled, sign};
use crate::cli::{Differences, FileArg, ProposeArgs, SignArgs};
use crate::papers::accepted::{damage, proposal};
use crate::papers::{Paper, chain, draft, standing};
use crate::{folder, output};

static NOTHING: Code = Code::refused("ECL-REC-027", "there is no difference to accept");
static NOBODY: Code = Code::usage("ECL-REC-028", "it is not said who proposes the list");

const MADE_BY: &str = "ecluse differences propose";

pub(super) fn run(here: &Here, command: &Differences) -> Result<()> {
    match command {
        Differences::Propose(args) => propose(here, args),
        Differences::Sign(args) => accept(here, args),
        Differences::Verify(args) => verify(here, args),
    }
}

fn propose(here: &Here, args: &ProposeArgs) -> Result<()> {
    let run = here.folder.path(args.dir.as_deref(), "run");
    let found = last(&run)?;
    let (contract, _) = standing::contract(&here.folder, None, here.now)?;
    let by = match &args.by {
        Some(name) => name.clone(),
        None => chain::session(&here.folder, None, &contract, here.now)
            .map(|(session, _)| session.operator().to_owned())
            .map_err(|_| {
                NOBODY.fault("no session is open").help("--by 'First Last', or: ecluse session new")
            })?,
    };
    let reason = args.reason.clone().filter(|r| !r.trim().is_empty()).unwrap_or_else(|| "…".to_owned());
    let reasoned = reason != "…";
    let list: Vec<_> = damage(&found).into_iter().map(|one| (one, reason.clone())).collect();
    let listed = list.len();
    let head = draft::witnessing(here, &contract, draft::YEAR)?;
    let text = written(
        &head,
        &Proposal {
            run: found.run.clone(),
            instruction: found.instruction.clone(),
            reconciliation: of_bytes(&folder::read(&run.join(RECONCILIATION), "ecluse reconcile")?),
            proposed_by: by,
            list,
        },
    );
    let path = here.folder.path(None, FILE);
    folder::create(&path, text.as_bytes())?;
    output::line(format!(
        "{}: {} proposed.",
        path.display(),
        plural(number(listed), "difference", "differences")
    ));
    if !reasoned {
        output::line(
            "Say why each is right as it is, in place of … ; then the laboratory reads the list and",
        );
    }
    output::line("The controller's signatory accepts them, or not:  ecluse differences sign --key FILE");
    output::document(&json!({ "made": path, "differences": listed }));
    Ok(())
}

/// What the last reconciliation found; only that can be accepted.
fn last(run: &Path) -> Result<Recorded> {
    let none = |why: &str| NOTHING.fault(why).help("read the destination back first: ecluse reconcile");
    let figures = figures(run)?.ok_or_else(|| none("no run has begun here"))?;
    let reconciled = reconciled::of(run, &figures)?;
    let found = reconciled.found().ok_or_else(|| none("nobody has read the destination back"))?;
    if found.holds {
        return Err(NOTHING.fault("the last reconciliation found none").help("ecluse report"));
    }
    Ok(found.clone())
}

/// Nothing is signed that would not count.
fn accept(here: &Here, args: &SignArgs) -> Result<()> {
    let paper = Paper::read(&here.folder.path(args.file.as_deref(), FILE), MADE_BY)?;
    let found = last(&here.folder.path(None, "run"))?;
    proposal(&paper)?.covers(&found.run, &found.instruction, &damage(&found))?;
    sign::run(here, Kind::Differences, FILE, args)
}

fn verify(here: &Here, args: &FileArg) -> Result<()> {
    let paper = Paper::read(&here.folder.path(args.file.as_deref(), FILE), MADE_BY)?;
    let (contract, _) = standing::contract(&here.folder, None, here.now)?;
    let accepted = paper.judge(Accepted::read(&paper.bytes, &paper.signatures, &contract, here.now))?;
    let found = last(&here.folder.path(None, "run"))?;
    accepted.covers(&found.run, &found.instruction, &damage(&found))?;
    sign::told(&paper.path, accepted.signers(), accepted.header(), &accepted.digest());
    Ok(())
}
