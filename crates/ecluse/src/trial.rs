//! A trial: one person plays every role, with keys made for the occasion.
//!
//! Every paper says TRIAL, trial papers do not mix with real ones, and at most 1,000 rows of
//! a table move. It shows an engineer what a real migration asks for; it proves nothing.

use std::path::{Path, PathBuf};

use ecluse_core::document::{Demand, Kind};
use ecluse_core::fault::Result;
use ecluse_core::keys::{Key, day};
use ecluse_core::person::Role;
use ecluse_core::template::{self, KeyLine};
use jiff::{Timestamp, ToSpan as _};

use crate::folder::{self, Folder};
use crate::papers::standing::FINGERPRINTS;
use crate::papers::{Paper, draft, hand};

/// Who plays what: role, name, address.
pub(crate) type Cast = [(Role, &'static str, &'static str)];

/// The names say what they are; nobody is called so.
pub(crate) const CAST: &Cast = &[
    (Role::ControllerSignatory, "Alix Essai-Signature", "alix.essai@laboratoire.example"),
    (Role::ControllerBiologist, "Bérénice Essai-Biologie", "berenice.essai@laboratoire.example"),
    (Role::ProcessorSignatory, "Cyprien Essai-Éditeur", "cyprien.essai@editeur.example"),
    (Role::Operator, "Dorothée Essai-Reprise", "dorothee.essai@editeur.example"),
    (Role::Recipient, "Fabrice Essai-Réception", "fabrice.essai@editeur.example"),
];

/// The private key of a role.
pub(crate) fn key(folder: &Folder, role: Role) -> PathBuf {
    folder.path(None, "keys").join(role.name())
}

/// The operator's age identity, which `ecluse session new` made beside the trial's operator key.
pub(crate) fn identity(folder: &Folder) -> PathBuf {
    key(folder, Role::Operator).with_extension("age")
}

/// Makes the keys and the contract, signed by both sides, and writes its fingerprints down.
///
/// # Errors
///
/// Files that exist or cannot be written.
pub(crate) fn contract(folder: &Folder, cast: &Cast, trial: bool, now: Timestamp) -> Result<()> {
    let today = day(now);
    let mut lines = Vec::new();
    for &(role, person, email) in cast {
        let public = hand::make_key(&key(folder, role))?;
        lines.push(KeyLine {
            role,
            person: person.into(),
            email: email.into(),
            public,
            checked_by: "Edmée Témoin".into(),
            entity: (role == Role::Recipient).then(|| template::INVENTED_PROCESSOR.to_owned()),
            on: today,
            until: today.saturating_add(1.year()),
        });
    }
    let head = draft::head(None, now, draft::YEAR, trial)?;
    let path = folder.path(None, "contract.toml");
    folder::create(&path, template::invented_contract(&head, &lines).as_bytes())?;
    let bytes = folder::read(&path, "")?;
    let (_, terms) = Paper::read(&path, "")?.judge(ecluse_core::contract::open(&bytes))?;
    sign(folder, Kind::Contract, &path, &terms.keys)?;
    let mut known = String::from(
        "# Made with the keys; in a real migration they are read from the paper contract or by telephone.\n",
    );
    for key in terms.keys.iter().filter(|k| k.role == Role::ControllerSignatory) {
        known.push_str(&format!("{}  {}\n", key.fingerprint(), key.person));
    }
    folder::create(&folder.path(None, FINGERPRINTS), known.as_bytes())
}

/// Signs a paper with the key of every role that its kind demands; returns the signatures.
///
/// # Errors
///
/// As [`hand::sign`].
pub(crate) fn sign(folder: &Folder, kind: Kind, document: &Path, keys: &[Key]) -> Result<Vec<PathBuf>> {
    sign_read(folder, kind, &Paper::read(document, "")?, keys)
}

/// As [`sign`], of a paper as it was read.
///
/// # Errors
///
/// As [`hand::sign`].
pub(crate) fn sign_read(folder: &Folder, kind: Kind, document: &Paper, keys: &[Key]) -> Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for (role, demand) in kind.signers() {
        // a first version needs no countersignature, and one more does no harm
        match demand {
            Demand::Every | Demand::EveryOnChange | Demand::One => {}
            Demand::Named => continue,
        }
        paths.push(hand::sign(kind, document, &key(folder, *role), keys, None)?);
    }
    Ok(paths)
}
