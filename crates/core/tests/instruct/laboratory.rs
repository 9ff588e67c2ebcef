//! A small invented laboratory: its dictionary, an instruction and a mapping that hold together.

use ecluse_core::catalog::{Catalog, Table};
use ecluse_core::codes;
use ecluse_core::dictionary::{self, Dictionary};
use ecluse_core::instruction;
use ecluse_core::mapping;
use ecluse_core::types::Engine;
use jiff::Timestamp;

use crate::dump;

pub(crate) const INSTRUCTION: &str = include_str!("laboratory/instruction.toml");
pub(crate) const MAPPING: &str = include_str!("laboratory/mapping.toml");
pub(crate) const SEX: &str = include_str!("laboratory/sex.toml");

fn table(name: &str, columns: &[(&str, &str)]) -> Table {
    let columns = columns.iter().map(|(name, ty)| dump::column(name, ty)).collect();
    Table { columns, key: vec!["id".to_owned()], ..dump::table(name) }
}

pub(crate) fn catalog() -> Catalog {
    let mut validations = dump::column("commentaire", "text");
    validations.comment = "Commentaire de validation".to_owned();
    let mut result = table(
        "resultat",
        &[
            ("id", "int(10) unsigned NOT NULL"),
            ("id_dossier", "int(10) unsigned"),
            ("valeur", "varchar(120)"),
        ],
    );
    result.columns.push(validations);
    Catalog {
        engine: Engine::Mariadb,
        database: "LAB".to_owned(),
        identity: "srv-1".to_owned(),
        tables: vec![
            table(
                "dossier",
                &[
                    ("id", "int(10) unsigned NOT NULL"),
                    ("id_patient", "int(10) unsigned"),
                    ("date_recu", "date"),
                    ("statut", "int(10) unsigned"),
                    ("medecin", "varchar(60)"),
                ],
            ),
            table(
                "patient",
                &[
                    ("id", "int(10) unsigned NOT NULL"),
                    ("nom", "varchar(40)"),
                    ("prenom", "varchar(40)"),
                    ("ddn", "date"),
                    ("sexe", "int(10) unsigned"),
                    ("adresse", "varchar(80)"),
                ],
            ),
            result,
            table(
                "utilisateurs",
                &[
                    ("id", "int(10) unsigned NOT NULL"),
                    ("username", "varchar(50)"),
                    ("password", "varchar(81)"),
                    ("lastname", "varchar(50)"),
                ],
            ),
        ],
    }
}

pub(crate) fn dictionary() -> Dictionary {
    dictionary::parse(&dictionary::draft(&catalog(), Timestamp::UNIX_EPOCH, "sha256:00")).unwrap()
}

/// The mapping's text with its code table's digest filled in.
pub(crate) fn mapping() -> String {
    MAPPING.replace("sha256:…", &codes::parse(SEX).unwrap().digest)
}

/// The instruction's text, changed, with the digests it cites filled in.
pub(crate) fn instruction(was: &str, is: &str, mapping: &str) -> String {
    assert!(INSTRUCTION.contains(was), "{was}");
    let changed = INSTRUCTION.replacen(was, is, 1);
    let mapping = mapping::parse(mapping).unwrap();
    instruction::fill(&changed, &dictionary(), Some(&mapping)).unwrap_or(changed)
}
