//! What goes back to the laboratory: its own key, made on its own machine, for which a folder stands; what is sealed to
//! it is carried there, opened, added up and received.

use std::path::Path;

use ecluse_core::fault::Result;
use ecluse_core::{receipt, recipient};

use super::sealed::{carried, erased};
use super::typed::typed;
use crate::commands::new;
use crate::papers::{Paper, standing};
use crate::{folder, output};

/// The laboratory's machine.
const MACHINE: &str = "laboratory";
/// The migration folder on it.
const FOLDER: &str = "laboratory/migration";
/// The publisher's copy of what is returned.
const ARCHIVE: &str = "returned";
/// Whose key signs for the laboratory.
const KEY: &str = "keys/controller-signatory";

/// The laboratory states its key to the publisher; gives it, and the digest that an order cites.
pub(super) fn stated(root: &Path, publisher: &Path) -> Result<(String, String)> {
    let own = root.join(FOLDER);
    new::lay_out(&own, None, None)?;
    carried(&["contract.toml", standing::FINGERPRINTS], root, &own)?;
    typed(&format!("ecluse -C {FOLDER} recipient new --return --identity {MACHINE}/identity.age"))?;
    typed(&format!("ecluse -C {FOLDER} recipient sign --return --key {KEY}"))?;
    output::line("return       the laboratory made a key for what goes back to it, which stays with it");
    carried(&[recipient::RETURN_FILE], &own, publisher)?;
    let paper = Paper::read(&own.join(recipient::RETURN_FILE), "")?;
    let said = paper.judge(recipient::read(paper.text()))?;
    Ok((said.age.value, paper.digest()))
}

/// Sealed, carried to the laboratory, opened and added up there; its receipt comes back.
pub(super) fn returned(root: &Path, (ecluse, publisher): (&str, &Path), identity: &str) -> Result<()> {
    typed(&format!("{ecluse} return -o {ARCHIVE} --key keys/operator{identity}"))?;
    output::line(
        "return       remarks and bills, whole, with their rows' keys; nobody but the laboratory can open it",
    );
    let (own, theirs) = (root.join(FOLDER), format!("{MACHINE}/{ARCHIVE}"));
    copied(&root.join(ARCHIVE), &root.join(&theirs))?;
    typed(&format!("ecluse -C {FOLDER} open {theirs} --identity {MACHINE}/identity.age --receipt"))?;
    typed(&format!("ecluse -C {FOLDER} receipt sign --return --key {KEY}"))?;
    carried(&[receipt::RETURN_FILE], &own, publisher)?;
    typed(&format!("{ecluse} receipt verify --return --archive {ARCHIVE}"))?;
    output::line(
        "receipt      signed by Claire Fontaine: every row was opened and added up; the laboratory keeps its key",
    );
    erased(ecluse, publisher)
}

/// A folder, as a person would carry it.
fn copied(from: &Path, to: &Path) -> Result<()> {
    for path in folder::list(from)? {
        let to = to.join(path.file_name().unwrap_or_default());
        if path.is_dir() {
            copied(&path, &to)?;
        } else {
            folder::create(&to, &folder::read(&path, "")?)?;
        }
    }
    Ok(())
}
