//! The recipient's own folder: statement, archive, load, receipt; nothing else of the migration is there.

use std::path::Path;

use ecluse_adapters::folder::{events, figures};
use ecluse_core::contract::Contract;
use ecluse_core::document::Kind;
use ecluse_core::receipt::{FILE as RECEIPT, Receipt, parse};
use ecluse_core::recipient::FILE as STATEMENT;
use ecluse_core::reference::FILE as REFERENCE;
use ecluse_flow::event::{Act, Outcome};
use ecluse_flow::load::is_destroyed;

use super::{At, Board, Found, LAB, Look, Seen, YOU, add, contract, missing, refused};
use crate::connect;
use crate::connections::{self, End};
use crate::copies;
use crate::folder::Folder;
use crate::loading::of_a_part;
use crate::papers::{Paper, lasting, quietly, recipient};

/// The load's run folder.
const LOAD: &str = "load";

/// Whether a folder is a recipient's: a statement, and no order beside it.
pub(super) fn is_recipients(folder: &Folder) -> bool {
    folder.has(STATEMENT) && !folder.has("instruction.toml")
}

/// Its steps, each looked at once the one before is done.
pub(super) fn board(at: At<'_>) -> Board {
    let mut seen = Seen::default();
    let mut steps = Vec::new();
    let looks: [(&'static str, Look); 6] = [
        ("contract", |at, seen, _| contract::contract(at, seen)),
        ("statement", |at, seen, _| statement(at, seen)),
        ("status", |at, _, _| status(at)),
        ("load", |at, _, _| load(at)),
        ("receipt", |at, seen, _| receipt(at, seen)),
        ("close", |at, _, _| close(at)),
    ];
    for (name, look) in looks {
        let found =
            if super::is_waiting(&steps) { Found::Later(String::new()) } else { look(at, &mut seen, true) };
        add(&mut steps, name, found);
    }
    Board { title: title(at, seen.contract.as_ref()), trial: at.trial, steps }
}

fn title(at: At<'_>, contract: Option<&Contract>) -> String {
    let url = connections::written(at.folder, End::Destination).ok().flatten();
    let to = url.and_then(|url| connect::parse(&url).ok()).map(|url| connect::name(&url, at.lang));
    let of = match (at.trial, contract) {
        (true, _) => at.lang.of("TRIAL", "ESSAI").to_owned(),
        (false, Some(contract)) => {
            format!("{} {}", at.lang.of("Migration of", "Migration :"), contract.terms().controller.name)
        }
        (false, None) => "Migration".to_owned(),
    };
    let archive = at.lang.of("sealed archive", "archive scellée");
    format!("{of}   {archive} → {}", to.unwrap_or_else(|| "?".to_owned()))
}

fn statement(at: At<'_>, seen: &Seen) -> Found {
    let lang = at.lang;
    let path = at.folder.path(None, STATEMENT);
    let Some(contract) = &seen.contract else { return Found::Later(String::new()) };
    match quietly(|| recipient::in_force(&path, contract, at.now)) {
        Ok((stated, _)) => {
            let names: Vec<String> = stated.signers().iter().map(|signer| signer.told(lang)).collect();
            Found::Done(format!("{} {}", lang.of("signed by", "signée par"), lang.listed(&names)))
        }
        // what was loaded stays loaded when its statement ends
        Err(_) if at.folder.has(LOAD) => {
            Found::Done(lang.of("was used for this load", "a servi à ce chargement").to_owned())
        }
        Err(fault) => refused(at, &fault, YOU, "ecluse recipient verify")
            .advised("You sign it:  ecluse recipient sign --key FILE"),
    }
}

/// That somebody sent the laboratory's word; the load judges it, when it knows the order.
fn status(at: At<'_>) -> Found {
    if at.folder.has("status.toml") {
        return Found::Done(at.lang.of("there; the load judges it", "là ; le chargement le juge").to_owned());
    }
    missing(
        at.lang.of("not there", "absent"),
        LAB,
        &[
            "Send recipient.toml and recipient.toml.sigs to whoever writes the order: it cites them.",
            "With the archive come status.toml and status.toml.sigs: put them here.",
        ],
    )
}

/// What stays of the load in the database and in the folder once nobody needs it.
fn close(at: At<'_>) -> Found {
    if is_closed(at) {
        return Found::Done(at.lang.of("the load is closed", "le chargement est clos").to_owned());
    }
    missing(
        at.lang.of("the load's ledger stands in the database", "le registre du chargement est dans la base"),
        YOU,
        &[
            "Once the sender has the receipt, what the load left is taken away; the rows stay:  ecluse close --to URL",
        ],
    )
}

/// Whether the load of the receipt here was closed.
fn is_closed(at: At<'_>) -> bool {
    let paper = quietly(|| Paper::read(&at.folder.path(None, RECEIPT), ""));
    paper.is_ok_and(|paper| copies::is_concluded(at.folder, &Outcome::Done, &paper.digest()))
}

fn load(at: At<'_>) -> Found {
    const LOAD_IT: &str = "Load it:            ecluse load ARCHIVE --identity FILE --to URL --ddl";
    let lang = at.lang;
    let run = at.folder.path(None, LOAD);
    if !run.exists() && is_closed(at) {
        return Found::Done(
            lang.of("its run folder went on its day", "son dossier est parti à sa date").to_owned(),
        );
    }
    if !run.exists() {
        return missing(
            lang.of("not begun", "pas commencé"),
            YOU,
            &[
                "Is it whole, from whom, until when; no key is needed:  ecluse inspect ARCHIVE",
                "What is in it, no row:                                 ecluse open ARCHIVE --identity FILE",
                "Load it; read back, then the identity is destroyed:    ecluse load ARCHIVE --identity FILE --to URL --ddl",
            ],
        );
    }
    match through(at) {
        Ok(true) => {
            let figures = figures(&run).ok().flatten().unwrap_or_default();
            let rows = lang.plural(figures.moved_rows(), lang.of("row", "ligne"), lang.of("rows", "lignes"));
            Found::Done(lang.of(
                format!("{rows} read back; the identity is destroyed"),
                format!("{rows} relues ; l’identité est détruite"),
            ))
        }
        Ok(false) if figures(&run).ok().flatten().is_some_and(|figures| figures.reference) => reference(at),
        Ok(false) if was_refused(&run) => missing(
            lang.of(
                "begun; a part of the archive was refused",
                "commencé ; une partie de l’archive a été refusée",
            ),
            YOU,
            &[
                "Keep the archive as it is, and ask its sender: what stands of it at the destination, nobody has received.",
                "With the archive as it was sealed, the same command compares that and goes on:",
                LOAD_IT,
            ],
        ),
        Ok(false) => missing(
            lang.of("begun, not through", "commencé, pas au bout"),
            YOU,
            &["The same command goes on with it:", LOAD_IT],
        ),
        Err(fault) => refused(at, &fault, YOU, "ecluse inspect ARCHIVE"),
    }
}

/// Whether the last start ended at a part that was refused: the same command over the same bytes ends there again.
fn was_refused(run: &Path) -> bool {
    let closed = events(run).ok().and_then(|journal| {
        journal.leaves.iter().rfind(|leaf| leaf.act == Act::Close).map(|leaf| leaf.outcome.clone())
    });
    closed.is_some_and(|code| of_a_part(&code))
}

/// The reference data stand there, and nothing else is loaded before they are accepted.
fn reference(at: At<'_>) -> Found {
    let words = at.lang.of("the reference data are loaded", "les données de référence sont chargées");
    match Paper::read(&at.folder.path(None, REFERENCE), "").map(|paper| paper.signatures.is_empty()) {
        Err(_) => missing(
            words,
            YOU,
            &["Have them accepted by a biologist of the laboratory:  ecluse reference propose"],
        ),
        Ok(true) => missing(
            words,
            LAB,
            &[
                "A biologist looks at them in the new system, and accepts them:  ecluse reference sign --key FILE",
                "Here, or where reference.toml was sent; reference.toml.sigs then lies beside it.",
            ],
        ),
        Ok(false) => missing(
            at.lang.of("the reference data are accepted", "les données de référence sont acceptées"),
            YOU,
            &["The rest is loaded:  ecluse load ARCHIVE --identity FILE --to URL"],
        ),
    }
}

/// Whether a receipt was written and its identity destroyed.
fn through(at: At<'_>) -> ecluse_core::fault::Result<bool> {
    if !at.folder.has(RECEIPT) {
        return Ok(false);
    }
    let paper = Paper::read(&at.folder.path(None, RECEIPT), "")?;
    let stated = quietly(|| paper.judge(parse(paper.text())))?;
    let journal = events(&at.folder.path(None, LOAD))?;
    match is_destroyed(&journal, &stated.archive, &paper.digest()) {
        Err(fault) if fault.code().id == "ECL-LOA-018" => Ok(false),
        found => found.map(|()| true),
    }
}

fn receipt(at: At<'_>, seen: &Seen) -> Found {
    let lang = at.lang;
    let Some(contract) = &seen.contract else { return Found::Later(String::new()) };
    let signed = quietly(|| {
        let paper = Paper::read(&at.folder.path(None, RECEIPT), "")?;
        lasting::read(&paper, Kind::Receipt, at.now, |then| {
            Receipt::read(&paper.bytes, &paper.signatures, contract, then)
        })
    });
    match signed {
        Ok(receipt) => {
            let names: Vec<String> = receipt.signers().iter().map(|signer| signer.told(lang)).collect();
            let by = lang.listed(&names);
            Found::Done(lang.of(
                format!("signed by {by}; receipt.toml and receipt.toml.sigs go back to the sender"),
                format!("signé par {by} ; receipt.toml et receipt.toml.sigs retournent à l’expéditeur"),
            ))
        }
        Err(fault) => refused(at, &fault, YOU, "ecluse receipt verify")
            .advised("You sign it:  ecluse receipt sign --key FILE"),
    }
}
