//! `ecluse copies state|sign|verify`: whoever took a copy states that it was destroyed, and the ledger's line ends.

use ecluse_core::copies::{Copy, Ended};
use ecluse_core::destruction::{self, Destroyed, Said, Stated, draft as written, file, may_state, parse};
use ecluse_core::document::{self, Kind};
use ecluse_core::fault::{Code, Result};
use ecluse_core::keys::Key;
use ecluse_core::person::same_person_key;
use ecluse_flow::event::Act;
use serde_json::json;

use super::super::{Here, erase, hold, sign};
use crate::cli::{DestroyedSignArgs, StateArgs};
use crate::copies::{Copies, look};
use crate::papers::destruction::{all, settled, verified};
use crate::papers::{Paper, draft, hand, quietly, refusal, standing};
use crate::{folder, output, trial};

static WHO: Code = Code::usage("ECL-CPY-019", "it is not said who states that the copy was destroyed");

/// The command that writes a statement.
const MADE_BY: &str =
    "ecluse copies state ID --method clear|purge|destroy --how WORDS --at MOMENT --limits WORDS";

/// Writes the statement about a copy, to be signed. A draft that nobody has signed gives way to the next.
pub(super) fn run(here: &Here, args: &StateArgs) -> Result<()> {
    let ledger = look(&here.folder)?;
    let (copy, taken) = ledger.one_open(&args.id)?;
    let (contract, _) = standing::contract(&here.folder, None, here.now)?;
    let keys = &contract.terms().keys;
    let may = may_state(keys, &taken.holder, taken.answers, here.now);
    let by = match (&args.by, may.as_slice()) {
        (Some(by), _) => by.trim().to_owned(),
        (None, [one, rest @ ..]) if rest.iter().all(|key| key.email == one.email) => one.person.clone(),
        (None, may) => {
            let names: Vec<&str> = may.iter().map(|key| key.person.as_str()).collect();
            return Err(WHO.fault(names.join(", ")).help("--by 'First Last'"));
        }
    };
    let said = Said {
        by,
        method: args.method.into(),
        words: args.how.trim().to_owned(),
        at: args.at,
        limits: args.limits.trim().to_owned(),
    };
    let Some(stated) = Stated::of(copy, said) else { return Ok(()) };
    let head = draft::witnessing(here, &contract, draft::YEAR)?;
    let (path, text) = (here.folder.path(None, &file(&copy.id)), written(&head, &stated));
    let findings = [stated.wrong_hour(here.now), stated.wrong_person(keys, here.now)];
    let mut findings: Vec<_> = findings.into_iter().flatten().collect();
    findings.extend(parse(&text).err().into_iter().flatten());
    if !findings.is_empty() {
        return Err(refusal(&path, &text, &findings));
    }
    if Paper::read(&path, "").is_ok_and(|paper| !paper.signatures.is_empty()) {
        folder::create_durably(&path, text.as_bytes(), 0o666)?;
    }
    folder::replace(&path, text.as_bytes())?;
    output::line(path.display().to_string());
    told(&stated);
    let short = copy.short();
    output::line(format!("{} signs it, or not:  ecluse copies sign {short} --key FILE", stated.by));
    output::remark("It is kept in the folder, and part of the evidence: it names no patient.");
    output::document(&json!({ "made": path, "copy": copy.id, "by": stated.by }));
    Ok(())
}

/// Signs the statement, where it is not signed yet, and ends the ledger's line with it. Killed in between, the same
/// command goes on.
pub(super) fn signed(here: &Here, args: &DestroyedSignArgs) -> Result<()> {
    let ledger = look(&here.folder)?;
    let (copy, _) = ledger.one_outside(&args.id)?;
    if copy.ended.is_none() {
        let path = here.folder.path(None, &file(&copy.id));
        let paper = Paper::read(&path, MADE_BY)?;
        paper.judge(parse(paper.text()))?.is_of(copy)?;
        if args.key.is_some()
            || args.adopt.is_some()
            || quietly(|| verified(copy, &here.folder, here.now)).is_err()
        {
            put(here, &paper, args)?;
        }
    }
    let destroyed = verified(copy, &here.folder, here.now)?;
    let before = copy.ended.is_some();
    if !before {
        taken_in(here, copy, &destroyed)?;
    }
    told(destroyed.stated());
    output::line(match before {
        true => "It was taken in before.",
        false => "It is taken in: the copy's line in the ledger is ended.",
    });
    sign::told(
        &here.folder.path(None, &file(&copy.id)),
        destroyed.signers(),
        destroyed.header(),
        &destroyed.digest(),
    );
    Ok(())
}

/// Puts the signature beside the statement: that of the one person whom it names.
fn put(here: &Here, paper: &Paper, args: &DestroyedSignArgs) -> Result<()> {
    let kind = Kind::Destruction;
    let stated = paper.judge(parse(paper.text()))?;
    let header = paper.judge(document::header(paper.text(), kind))?;
    let (contract, _) = standing::contract(&here.folder, None, here.now)?;
    let terms = contract.terms();
    paper.judge(
        stated.wrong_person(&terms.keys, header.issued).map_or(Ok(()), |finding| Err(vec![finding])),
    )?;
    let by = same_person_key(&stated.by);
    let theirs: Vec<Key> = may_state(&terms.keys, &stated.holder, stated.answers, header.issued)
        .into_iter()
        .filter(|key| same_person_key(&key.person) == by)
        .cloned()
        .collect();
    let name = args.signer.as_deref();
    let signature = match (&args.key, &args.adopt) {
        (Some(key), _) => hand::sign(kind, paper, key, &theirs, name)?,
        (None, Some(made)) => hand::adopt(kind, paper, made, (&theirs, terms.demands), name, here.now)?,
        (None, None) => match theirs.first().filter(|_| contract.header().trial) {
            Some(key) => hand::sign(kind, paper, &trial::key(&here.folder, key.role), &theirs, name)?,
            None => {
                return Err(sign::NO_KEY.fault(paper.path.display().to_string()).help(format!(
                    "give your private key: --key FILE; or sign with ssh-keygen -Y sign -n {}, then --adopt FILE.sig",
                    kind.namespace()
                )));
            }
        },
    };
    output::line(format!("signed: {}", signature.display()));
    Ok(())
}

/// Ends the ledger's line with the statement's digest, announced as every change of the ledger is.
fn taken_in(here: &Here, copy: &Copy, destroyed: &Destroyed) -> Result<()> {
    let mut copies = Copies::open(&here.folder)?;
    copies.in_the_name_of(&erase::session_in_force(here));
    // as it stands now that nobody else can change it
    let (held, _) = copies.ledger.one_open(&copy.id)?;
    let stated = destroyed.stated();
    stated.is_of(held)?;
    let ended = Ended {
        how: format!("destroyed, as {} states ({})", stated.by, stated.method.name()),
        at: stated.at,
        statement: Some(destroyed.digest()),
    };
    copies.ledger.ended(&copy.id, ended)?;
    hold::attested(here, &mut copies, Act::Copies, &copy.id)
}

/// Says of every copy that somebody took how it stands; refused while one is open.
pub(super) fn verify(here: &Here) -> Result<()> {
    let outside = all(&here.folder, here.now)?;
    for one in &outside {
        match one.stood.done() {
            Some(destroyed) => {
                told(destroyed.stated());
                let path = here.folder.path(None, &file(&one.copy.id));
                sign::told(&path, destroyed.signers(), destroyed.header(), &destroyed.digest());
            }
            None => output::line(super::line(&one.copy, here)),
        }
    }
    if outside.is_empty() {
        output::line("Nobody took a copy, as far as the ledger knows.");
        output::document(&json!({ "outside": 0 }));
    }
    settled(&here.folder, here.now)
}

/// What a statement says, in two lines.
fn told(stated: &Stated) {
    let Stated { what, place, holder, method, how, at, limits, .. } = stated;
    output::line(format!("  {what}, {place}, taken by {holder}: {} on {at}: {how}", method.name()));
    output::line(format!("  not reached: {limits}"));
    output::line(format!("  {}", destruction::DECLARES[0]));
}
