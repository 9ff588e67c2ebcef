//! `ecluse close`: the end of a migration. Refused while anything is open; then the run's keys are destroyed and
//! its ledger leaves the destination. At a recipient it ends the load (`received.rs`).

mod received;

use std::path::Path;

use ecluse_adapters::folder::{RunFolder, events};
use ecluse_core::certificate::Certified;
use ecluse_core::closing::{Closable, Open};
use ecluse_core::copies::{Copy, Standing, Store};
use ecluse_core::count::{number, plural};
use ecluse_core::destruction::{Destroyed, file};
use ecluse_core::fault::{Code, Fault, Result};
use ecluse_core::instruction::staying;
use ecluse_core::language::Language;
use ecluse_flow::conclude::{Concluding, conclude, conclude_return};
use ecluse_flow::event::Act;
use ecluse_flow::orders::Bound;
use ecluse_flow::ports::Destination;
use serde_json::json;

use super::{Here, begun, fates, session};
use crate::cli::{CloseArgs, PaperArgs};
use crate::papers::chain::Chain;
use crate::papers::destruction::Outside;
use crate::papers::ending::Stood;
use crate::papers::sealed::is_to;
use crate::papers::{acceptance, certificate, destruction, returned};
use crate::{connect, copies, evidence, output, ready};

static OPEN: Code = Code::refused("ECL-CLO-001", "the migration cannot be closed yet");

pub(super) fn run(here: &Here, args: &CloseArgs) -> Result<()> {
    if received::is_load(here, args.run.dir.as_deref()) {
        return received::run(here, args);
    }
    let run = here.folder.path(args.run.dir.as_deref(), "run");
    begun::figures(&run)?;
    // held before anything is checked: nothing goes on between the checks and the end
    let mut record = RunFolder::existing(&run, &here.journal())?;
    let figures = begun::figures(&run)?;
    let then = begun::then(&figures, here.now);
    let chain = Chain::read(&here.folder, &PaperArgs::default(), then)?;
    let own = Own::of(here, &run, &chain, args);
    let closable = match gate(here, &run, &chain, &own) {
        Ok(closable) => closable,
        Err(open) => return Err(told(&open)),
    };
    if args.dry_run {
        let ledger = copies::look(&here.folder)?;
        let all = || ledger.copies.iter().filter(|copy| copy.ended.is_none() && own.has(copy));
        if all().next().is_none() {
            output::line("Nothing is left to do.");
        }
        would(all());
        return Ok(());
    }
    let (session, identity) = session::with_identity(here, &chain, args.identity.as_deref())?;
    let mut there = match chain.instruction.order().destination() {
        Some(to) => {
            let url = ready::bound_destination(here, args.to.url().as_deref(), to)?;
            Some((connect::destination(&url)?, to))
        }
        None => None,
    };
    let destination = match &mut there {
        Some((there, to)) => {
            let there: &mut dyn Destination = there.as_mut();
            Some((there, Bound { identity: &to.identity.value, schema: "" }))
        }
        None => None,
    };
    for place in &own.returns {
        let path = here.folder.root().join(place);
        if let Some(run) = path.parent().filter(|run| run.is_dir()) {
            let mut record = RunFolder::existing(run, &here.journal())?;
            conclude_return(&closable, &session.header().id, &mut record, ready::world())?;
        }
        copies::ended(&here.folder, here.now, Store::State, place, CLOSED)?;
    }
    let how =
        Concluding { closable: &closable, identity: &identity, session: &session.header().id, destination };
    let sealed = how.destination.is_none();
    let before = conclude(how, &mut record, ready::world())?;
    let told = fates::told(here, &run, &chain);
    let ended = |store, place: &str| copies::ended(&here.folder, here.now, store, place, CLOSED);
    ended(Store::State, &own.state)?;
    if let Some(name) = &own.ledger {
        ended(Store::Ledger, name)?;
    }
    output::line(match before {
        true => "The migration was closed before; nothing was left to do.",
        false if sealed => {
            "The migration is closed: the run's keys are destroyed. No tally can be recomputed and no row token be told \
             any more. What a load left at the recipient's, the recipient takes away: ecluse close, in their folder."
        }
        false => {
            "The migration is closed: the run's keys are destroyed, its ledger is gone from the destination. No tally \
             can be recomputed and no row token be told any more."
        }
    });
    if !own.returns.is_empty() {
        output::line("So are the keys of what was returned to the laboratory.");
    }
    output::document(&json!({ "closed": true, "before": before, "fates": told }));
    Ok(())
}

/// How the ledger of copies says that closing took something away.
const CLOSED: &str = "migration closed";

/// What closing takes away, each by its place in the ledger of copies; nothing else of its kind.
struct Own {
    /// The run's sealed state.
    state: String,
    /// Of each run folder whose archives were all sealed to the laboratory, as the order cites its key.
    returns: Vec<String>,
    /// The run's ledger at the destination; `None` where the order names none, or it is not known where that is.
    ledger: Option<String>,
}

impl Own {
    fn of(here: &Here, run: &Path, chain: &Chain, args: &CloseArgs) -> Self {
        let order = chain.instruction.order();
        let state = copies::state_of(&here.folder, run);
        let back = order.back.as_ref().map(|back| back.to.statement.value.as_str());
        let is_return = |copy: &&Copy| {
            let path = here.folder.root().join(&copy.place);
            let to_the_laboratory = path.parent().zip(back).is_some_and(|(run, back)| is_to(run, back));
            copy.store == Store::State && copy.ended.is_none() && copy.place != state && to_the_laboratory
        };
        let ledger = copies::look(&here.folder).unwrap_or_default();
        let returns = ledger.copies.iter().filter(is_return).map(|copy| copy.place.clone()).collect();
        let url = |to| ready::bound_destination(here, args.to.url().as_deref(), to).ok();
        let ledger = order.destination().and_then(url).map(|url| connect::name(&url, Language::English));
        Self { state, returns, ledger }
    }

    fn has(&self, copy: &Copy) -> bool {
        match copy.store {
            Store::State => copy.place == self.state || self.returns.contains(&copy.place),
            Store::Ledger => self.ledger.as_ref() == Some(&copy.place),
            _ => false,
        }
    }
}

/// Says what would go.
fn would<'a>(going: impl Iterator<Item = &'a Copy>) {
    let mut gone = Vec::new();
    for copy in going {
        output::line(format!("{}   would go   {}", copy.place, copy.store.words()));
        gone.push(json!({ "store": copy.store, "place": copy.place }));
    }
    output::document(&json!({ "dry": true, "would": gone }));
}

/// Everything that is open, each with the command that closes it.
fn gate(here: &Here, run: &Path, chain: &Chain, own: &Own) -> std::result::Result<Closable, Vec<Open>> {
    let mut open = Vec::new();
    let accepted = acceptance::verified(&here.folder, run, here.now);
    let accepted = accepted.map_err(|fault| open.push(of(&fault, "ecluse next"))).ok();
    let certified = accepted.as_ref().map(|_| certificate::verified(&here.folder, run, here.now));
    let certified = certified
        .and_then(|certified| certified.map_err(|fault| open.push(of(&fault, "ecluse next"))).ok())
        .map(|(certified, _)| certified);
    let without = staying(chain.instruction.order(), &chain.dictionary);
    let without = number(without.iter().filter(|column| column.fate.is_none()).count());
    if without > 0 {
        let what = format!(
            "{} of the source have no fate",
            plural(without, "column that stays", "columns that stay")
        );
        open.push(Open { what, command: "a new version of the order says it: [stays]".to_owned() });
    }
    open.extend(fates::open(here, run, chain));
    if let Err(fault) = returned::settled(&here.folder, chain, here.now) {
        open.push(of(&fault, returned::SEALED_BY));
    }
    open.extend(copies(here, certified.as_ref(), own));
    if certified.is_some() {
        open.extend(packed(here, run));
    }
    Closable::of(accepted.as_ref(), certified.as_ref(), open)
}

/// The evidence has to be the very one that was written with the certificate's last signature.
fn packed(here: &Here, run: &Path) -> Option<Open> {
    let what = if !here.folder.has(evidence::FILE) {
        format!("{} is not there", evidence::FILE)
    } else {
        let written = events(run).ok().and_then(|events| Some(events.paper(Act::Certify)?.0.to_owned()));
        if written.is_some_and(|digest| evidence::is_there_as(&here.folder, &digest)) {
            return None;
        }
        format!("{} is not the one that was written when the certificate was signed", evidence::FILE)
    };
    Some(Open { what, command: "ecluse certify sign".to_owned() })
}

/// Copies of patients' data that stand: closing takes away what is its own, and nothing else. And whatever somebody
/// took, until it is stated that it was destroyed.
fn copies(here: &Here, certified: Option<&Certified>, own: &Own) -> Vec<Open> {
    let ledger = match copies::look(&here.folder) {
        Ok(ledger) => ledger,
        Err(fault) => return vec![of(&fault, "ecluse copies")],
    };
    let outside = destruction::of(&ledger, &here.folder, here.now);
    let outside = outside.iter().filter_map(|one| taken(one, certified));
    let stands = |copy: &&Copy| {
        let own = own.has(copy);
        match copy.standing(here.now) {
            // whoever has it answers, held or not, its day passed or not
            _ if copy.taken.is_some() => false,
            Standing::Ended => false,
            // closing takes these away: of them a hold is open, of others it is an answer
            Standing::Held(_) => own,
            _ => copy.store.is_of_patients() && !own,
        }
    };
    let open =
        |copy: &Copy| Open { what: copy.told(), command: format!("ecluse erase --copy {}", copy.short()) };
    outside.chain(ledger.copies.iter().filter(stands).map(open)).collect()
}

/// What is open of a copy that somebody took: its statement, or that the certificate names it.
fn taken(Outside { copy, stood }: &Outside, certified: Option<&Certified>) -> Option<Open> {
    let holder = copy.taken.as_ref().map_or("", |taken| taken.holder.as_str());
    let destroyed = match stood {
        Stood::Done(destroyed) => destroyed,
        Stood::Refused(fault) => return Some(of(fault, "ecluse copies verify")),
        Stood::Not | Stood::Unsigned => {
            let what = format!(
                "{} taken by {holder}, {}: not stated to be destroyed (by {})",
                copy.store.words(),
                copy.place,
                copy.erase_by
            );
            let id = copy.short();
            let command = match stood {
                Stood::Unsigned => format!("ecluse copies sign {id} --key FILE"),
                _ => format!("ecluse copies state {id}"),
            };
            return Some(Open { what, command });
        }
    };
    let told = certified.is_none_or(|certified| is_named(certified, copy, destroyed));
    (!told).then(|| Open {
        what: format!("the certificate does not tell of the copy that {holder} took"),
        command: "write it anew: mv certificate.toml certificate.old.toml, its signatures too; then: ecluse certify propose".to_owned(),
    })
}

/// Whether the statement about a copy is among the files that the processor's signatories signed for.
fn is_named(certified: &Certified, copy: &Copy, destroyed: &Destroyed) -> bool {
    let (path, digest) = (file(&copy.id), destroyed.digest());
    let named = |one: &&ecluse_core::certificate::Artefact| one.path == path;
    let found = certified.stated().artefacts.iter().find(named);
    found.is_some_and(|one| digest.strip_prefix("sha256:") == Some(one.sha256.as_str()))
}

/// A step that its own check refuses.
fn of(fault: &Fault, otherwise: &str) -> Open {
    let colon = if fault.detail().is_empty() { "" } else { ": " };
    let what = format!("{}{colon}{} ({})", fault.code().title, fault.detail(), fault.code().id);
    let command = if fault.advice().is_empty() { otherwise } else { fault.advice() };
    Open { what, command: command.to_owned() }
}

/// Names each, and gives the refusal.
fn told(open: &[Open]) -> Fault {
    for Open { what, command } in open {
        output::line(format!("  ✗ {what}"));
        output::line(format!("      {command}"));
    }
    let list: Vec<_> = open.iter().map(|one| json!({ "what": one.what, "command": one.command })).collect();
    output::document(&json!({ "open": list }));
    let first = open.first().map(|one| one.command.clone()).unwrap_or_default();
    OPEN.fault(plural(number(open.len()), "thing is open", "things are open")).help(first)
}
