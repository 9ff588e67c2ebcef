//! The sealed way: the same rows in an archive, for a recipient to whom nobody connects. Two folders stand for two
//! machines; what goes from one to the other is carried, as a person would by mail or on a stick.

use std::fs;
use std::path::{Path, PathBuf};

use ecluse_adapters::folder::{figures, rehearsals};
use ecluse_core::copies::{Copy, Store};
use ecluse_core::count::{count, plural};
use ecluse_core::document::{self, Kind};
use ecluse_core::fault::Result;
use ecluse_core::recipient;

use super::UNLIKELY;
use super::direct::Direct;
use super::ending::Ending;
use super::papers::{Back, To};
use super::returned;
use super::typed::typed;
use crate::commands::new;
use crate::folder::{self, Folder};
use crate::papers::{Paper, signatures_of, standing};
use crate::{clock, copies, output};

/// The publisher's migration folder.
const SENDER: &str = "sealed";
/// The recipient's machine, with the migration folder on it.
const MACHINE: &str = "recipient";
/// See [`MACHINE`].
const RECIPIENT: &str = "recipient/migration";
/// What travels.
const ARCHIVE: &str = "archive";
/// The evidence of this way, beside that of the other.
const EVIDENCE: &str = "evidence-sealed.tar";

/// From the recipient's own key to the closed migration; gives the evidence.
pub(super) fn way(direct: &Direct) -> Result<PathBuf> {
    let root = direct.folder.root();
    let (sender, recipient) = (root.join(SENDER), root.join(RECIPIENT));
    begin(root, &sender, &recipient)?;
    stated(&sender, &recipient)?;
    let (age, statement) = returned::stated(root, &sender)?;
    ordered(direct, &sender, &Back { age: &age, statement: &statement })?;
    witnessed(&sender)?;
    extracted(&sender)?;
    carried(&["status.toml"], &sender, &recipient)?;
    loaded(&sender, &recipient)?;
    spent(&sender)?;
    let ending = Ending {
        ecluse: format!("ecluse -C {SENDER}"),
        folder: sender,
        identity: " --identity keys/operator.age",
    };
    ending.accepted()?;
    returned::returned(root, (&ending.ecluse, &ending.folder), ending.identity)?;
    let evidence = ending.certified()?;
    ending.closed()?;
    left()?;
    let beside = root.join(EVIDENCE);
    folder::create(&beside, &folder::read(&evidence, "")?)?;
    Ok(beside)
}

/// What both sides have before anything begins: the contract; the recipient also the own key, which leaves the
/// folder in which it was made with everybody's.
fn begin(root: &Path, sender: &Path, recipient: &Path) -> Result<()> {
    new::lay_out(sender, Some("sqlite:../old-laboratory.db"), None)?;
    new::lay_out(recipient, None, Some("sqlite:../new-system.db"))?;
    carried(&["contract.toml", standing::FINGERPRINTS], root, recipient)?;
    let surveyed = ["mandate.toml", "dictionary.toml", "mapping.toml", "codes/sex.toml"];
    carried(&["contract.toml", standing::FINGERPRINTS], root, sender)?;
    carried(&surveyed, root, sender)?;
    for (from, to) in [("keys/recipient", "key"), ("keys/recipient.pub", "key.pub")] {
        let from = root.join(from);
        folder::create_with(&root.join(MACHINE).join(to), &folder::read(&from, "")?, 0o600)?;
        fs::remove_file(&from).map_err(|error| folder::unwritable(&from, &error))?;
    }
    Ok(())
}

/// The recipient makes a key for this migration alone, and says so.
fn stated(sender: &Path, recipient: &Path) -> Result<()> {
    typed(&format!("ecluse -C {RECIPIENT} recipient new --identity {MACHINE}/identity.age"))?;
    typed(&format!("ecluse -C {RECIPIENT} recipient sign --key {MACHINE}/key"))?;
    output::line(
        "recipient    Nadia Roche made a key for this migration, which stays with her, and signed its statement",
    );
    carried(&[recipient::FILE], recipient, sender)
}

/// The laboratory orders the rows to that recipient.
fn ordered(direct: &Direct, sender: &Path, back: &Back<'_>) -> Result<()> {
    let into = Folder::at(sender);
    let paper = Paper::read(&sender.join(recipient::FILE), "")?;
    let said = paper.judge(recipient::read(paper.text()))?;
    let (contract, _) = standing::contract(&into, None, clock::now())?;
    let statement = paper.digest();
    let to = To::Recipient { age: &said.age.value, statement: &statement };
    direct.ordered(&contract, &into, &to, Some(back))?;
    output::line(
        "order        the same rows and columns, sealed to her; remarks and bills back to the laboratory; signed by Claire Fontaine",
    );
    typed(&format!("ecluse -C {SENDER} session new --key keys/operator"))
}

/// The order wants it: counted and noted first; the laboratory signs over the journal that says so, then rows move.
fn witnessed(sender: &Path) -> Result<()> {
    typed(&format!("ecluse -C {SENDER} plan --identity keys/operator.age"))?;
    let counted = rehearsals(&sender.join("run"))?.pop().ok_or_else(|| UNLIKELY.fault("plan"))?;
    output::line(format!(
        "plan         {} would be sealed, {} refused; counted in memory, noted in the journal",
        plural(counted.moved_rows(), "row", "rows"),
        count(counted.refused_rows())
    ));
    typed(&format!("ecluse -C {SENDER} instruction status --key keys/controller-signatory"))?;
    let paper = Paper::read(&sender.join("status.toml"), "")?;
    let header = paper.judge(document::header(paper.text(), Kind::Status))?;
    let seen = header.seen.ok_or_else(|| UNLIKELY.fault("a status over no journal"))?;
    output::line(format!(
        "witness      Claire Fontaine states the order anew over the journal's first {}; now rows may move",
        plural(seen.size, "entry", "entries")
    ));
    Ok(())
}

fn extracted(sender: &Path) -> Result<()> {
    typed(&format!(
        "ecluse -C {SENDER} extract -o {ARCHIVE} --key keys/operator --identity keys/operator.age"
    ))?;
    let sealed = figures(&sender.join("run"))?.ok_or_else(|| UNLIKELY.fault("figures"))?;
    output::line(format!(
        "extract      {} sealed; nobody but Nadia Roche can open the archive",
        plural(sealed.moved_rows(), "row", "rows")
    ));
    Ok(())
}

/// Carried over, looked at, loaded; the receipt goes back.
fn loaded(sender: &Path, recipient: &Path) -> Result<()> {
    typed(&format!("ecluse -C {RECIPIENT} inspect {ARCHIVE}"))?;
    output::line(
        "inspect      whole, sealed by Inès Marchal, under the laboratory's order; no key was needed",
    );
    typed(&format!("ecluse -C {RECIPIENT} load {ARCHIVE} --identity {MACHINE}/identity.age --ddl"))?;
    if recipient.with_file_name("identity.age").exists() {
        return Err(UNLIKELY.fault("the identity outlives the load"));
    }
    output::line("load         every row written, read back and compared; the key is destroyed");
    typed(&format!("ecluse -C {RECIPIENT} receipt sign --key {MACHINE}/key"))?;
    carried(&["receipt.toml"], recipient, sender)?;
    typed(&format!("ecluse -C {SENDER} receipt verify --archive {ARCHIVE}"))?;
    output::line(
        "receipt      signed by Nadia Roche; it opens what the extraction committed itself to, table by table",
    );
    Ok(())
}

/// What the load left at the recipient's goes too.
fn left() -> Result<()> {
    typed(&format!("ecluse -C {RECIPIENT} close"))?;
    output::line("close        nothing of écluse stands in Nadia Roche's database: the rows do");
    Ok(())
}

/// What was received is no longer needed in the archive: it goes before its day.
fn spent(sender: &Path) -> Result<()> {
    erased(&format!("ecluse -C {SENDER}"), sender)?;
    output::line("erase        the archive is gone: what was in it stands at the recipient's");
    Ok(())
}

/// The publisher's own copy of the archive that stands.
pub(super) fn erased(ecluse: &str, folder: &Path) -> Result<()> {
    let ledger = copies::look(&Folder::at(folder))?;
    let archive = ledger.copies.iter().find(|copy| copy.store == Store::Archive && copy.ended.is_none());
    let id = archive.map(Copy::short).ok_or_else(|| UNLIKELY.fault("an archive nobody noted"))?;
    typed(&format!("{ecluse} erase --copy {id}"))
}

/// Papers with their signatures, from one folder to another.
pub(super) fn carried(papers: &[&str], from: &Path, to: &Path) -> Result<()> {
    for paper in papers {
        let paper = from.join(paper);
        for path in std::iter::once(paper.clone()).chain(folder::list(&signatures_of(&paper))?) {
            let inside = path.strip_prefix(from).unwrap_or(&path);
            folder::create(&to.join(inside), &folder::read(&path, "")?)?;
        }
    }
    Ok(())
}
