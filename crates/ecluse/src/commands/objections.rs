//! `ecluse instruction object|answer`: the processor says what seems unlawful, the controller answers.

use ecluse_core::digest::of_bytes;
use ecluse_core::document::Kind;
use ecluse_core::fault::{Code, Result};
use ecluse_core::objection::{self, append};
use serde_json::json;

use super::{Here, sign};
use crate::cli::{AnswerArgs, ObjectArgs, SignArgs};
use crate::papers::objections::{all, answer_file};
use crate::papers::{draft, standing};
use crate::{folder, output};

static NONE: Code = Code::usage("ECL-PRO-003", "there is no such objection");
static NO_WORDS: Code = Code::usage("ECL-PRO-009", "nothing is said");

/// What is written here is printed and kept.
const NO_PATIENT: &str = "It is kept in the folder and printed on the sheet: it names no patient.";

/// Adds an objection to the record: durable when this returns, and never taken back.
pub(super) fn object(here: &Here, args: &ObjectArgs) -> Result<()> {
    let (by, text) = (args.by.trim(), args.text.trim());
    if by.is_empty() || text.is_empty() {
        return Err(NO_WORDS
            .fault("")
            .help("ecluse instruction object --by 'First Last' 'what seems wrong, and why'"));
    }
    let order = folder::read(&here.folder.path(None, super::instruction::FILE), "ecluse instruction new")?;
    let path = here.folder.path(None, objection::FILE);
    let _alone = folder::hold(&here.folder.path(None, "objections.lock"))?;
    let record = if path.exists() { folder::read(&path, "")? } else { Vec::new() };
    let (record, digest) = append(&record, here.now, &of_bytes(&order), by, text)?;
    folder::replace(&path, &record)?;
    let number = all(&here.folder, here.now)?.len();
    output::line(format!(
        "Objection {number} is recorded. Nothing is planned or moved until the controller answers:"
    ));
    output::line(format!("  ecluse instruction answer {number} 'words' --key FILE"));
    output::remark(NO_PATIENT);
    output::document(&json!({ "objection": number, "digest": digest, "file": path }));
    Ok(())
}

/// Writes the controller's answer, and signs it.
pub(super) fn answer(here: &Here, args: &AnswerArgs) -> Result<()> {
    let text = args.text.trim();
    if text.is_empty() {
        return Err(NO_WORDS
            .fault("")
            .help("ecluse instruction answer 1 'why the order stands, or what changes' --key FILE"));
    }
    let stated = all(&here.folder, here.now)?;
    let one = stated
        .iter()
        .find(|one| one.number == args.number)
        .ok_or_else(|| NONE.fault(args.number.to_string()).help("ecluse procedure lists them"))?;
    let (contract, _) = standing::contract(&here.folder, None, here.now)?;
    let trial = contract.header().trial;
    let head = draft::witnessing(here, &contract, draft::YEAR)?;
    let path = here.folder.path(None, &answer_file(one.number));
    folder::create(&path, objection::answer(&head, &one.digest, text).as_bytes())?;
    output::remark(NO_PATIENT);
    let with = SignArgs { key: args.key.clone(), signer: args.signer.clone(), ..SignArgs::default() };
    if args.key.is_some() || trial {
        // an answer that could not be signed is nobody's, and would stand in the way of the next try
        if let Err(fault) = sign::document_with(here, Kind::Answer, &path, &with) {
            let _ = std::fs::remove_file(&path);
            return Err(fault);
        }
        output::line(format!("{}: answered.", path.display()));
    } else {
        output::line(format!("{}: written. The controller's signatory signs it:", path.display()));
        output::line(format!(
            "  ssh-keygen -Y sign -n {} -f KEY {}",
            Kind::Answer.namespace(),
            path.display()
        ));
        output::line(format!("  mkdir {0}.sigs && mv {0}.sig {0}.sigs/NAME.sig", path.display()));
    }
    output::document(&json!({ "objection": one.number, "answer": path }));
    Ok(())
}
