//! LabBook's worked order over a dictionary of its own columns, signed: no server is needed to print it.

use std::path::Path;
use std::process::{Command, Output};

use ecluse_core::dictionary;
use ecluse_testkit::papers::{Papers, worked};
use tempfile::TempDir;

const INSTRUCTION: &str = include_str!("../../../../docs/labbook/instruction.toml");
const MAPPING: &str = include_str!("../../../../docs/labbook/mapping.toml");
const SEX: &str = include_str!("../../../../docs/labbook/codes/sex.toml");

/// What the filters compare, with another type than text.
const TYPED: [(&str, &str); 6] = [
    ("rec_date_receipt", "timestamp"),
    ("statut", "int"),
    ("type_validation", "int"),
    ("motif_annulation", "int"),
    ("adresse", "text"),
    ("tel", "text"),
];

/// What the laboratory calls some of them.
const LABELS: [(&str, &str); 4] = [
    ("nom", "Nom"),
    ("ddn", "Date de naissance"),
    ("rec_date_receipt", "Date de réception"),
    ("statut", "Statut de la demande"),
];

/// The papers, not yet written.
pub(crate) fn labbook() -> Papers {
    let mut papers = Papers::new(now());
    let order = ecluse_core::instruction::parse(&filled(&worked(INSTRUCTION, now()))).unwrap();
    papers.dictionary = dictionary_of(&order);
    let digest = dictionary::parse(&papers.dictionary).unwrap().schema(&order.table_names());
    papers.codes = vec![("sex.toml".to_owned(), SEX.to_owned())];
    papers.mapping = MAPPING.to_owned();
    papers.instruction = worked(INSTRUCTION, now())
        .replace("{source.schema}", &digest)
        .replace("{source.identity}", "7d1c-4e/SIGL")
        .replace("{destination.database}", "kalys")
        .replace("{destination.identity}", "7291038:16401");
    papers
}

/// Writes them into a folder of their own.
pub(crate) fn written(papers: &Papers) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    papers.write(folder.path());
    folder
}

fn filled(text: &str) -> String {
    let none = format!("sha256:{}", "0".repeat(64));
    ["{dictionary}", "{mapping}", "{source.schema}"]
        .iter()
        .fold(text.to_owned(), |t, name| t.replace(name, &none))
}

fn dictionary_of(order: &ecluse_core::instruction::Order) -> String {
    let none = format!("sha256:{}", "0".repeat(64));
    let mut text = format!(
        "[dictionary]\nformat = \"ecluse-dictionary/1\"\nengine = \"mariadb\"\ndatabase = \"SIGL\"\n\
         identity = \"7d1c-4e/SIGL\"\nsurveyed = \"2026-11-20T08:00:00Z\"\nmandate = \"{none}\"\n"
    );
    for table in &order.tables {
        text += &format!("\n[[table]]\nname = \"{}\"\nlabel = \"\"\nkind = \"table\"\n", table.name.value);
        text += &format!("digest = \"{none}\"\nkey = [\"id_data\"]\ncolumns = [\n");
        let ordered = table.columns.iter().map(|c| c.name.value.as_str());
        // a column here and there that stays
        for name in ordered.chain(["motif_annulation", "type_validation", "adresse", "tel"]) {
            let ty = TYPED.iter().find(|(known, _)| *known == name).map_or("int", |(_, ty)| ty);
            let ty = if name == "dico_name" { "text" } else { ty };
            let label = LABELS.iter().find(|(known, _)| *known == name).map_or("", |(_, label)| label);
            let class = match name {
                "commentaire" => "free text",
                "firstname" | "lastname" => "staff",
                "nom" | "prenom" | "ddn" => "identity",
                "adresse" | "tel" => "contact",
                _ => "technical",
            };
            text += &format!(
                "  {{ name = \"{name}\", type = \"{ty}\", as = \"{ty}\", class = \"{class}\", label = \"{label}\" }},\n"
            );
        }
        text += "]\n";
    }
    text
}

/// The program in a folder.
pub(crate) fn ecluse(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ecluse")).current_dir(folder).args(arguments).output().unwrap()
}

/// The same; anything but success is a panic with its words.
pub(crate) fn succeed(folder: &Path, arguments: &[&str]) -> String {
    let output = ecluse(folder, arguments);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{arguments:?}: {said}{}", String::from_utf8_lossy(&output.stderr));
    said
}

#[expect(clippy::disallowed_methods, reason = "the program that is tried has its own clock")]
pub(crate) fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}
