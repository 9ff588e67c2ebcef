//! The demonstration's papers: what its laboratory orders, and how each column arrives.

use ecluse_core::document::Kind;
use ecluse_core::person::Role;
use ecluse_core::template::{Head, header};

use crate::trial::Cast;

/// The persons of the invented contract, each with a key.
pub(super) const CAST: &Cast = &[
    (Role::ControllerSignatory, "Claire Fontaine", "claire.fontaine@labo-tilleuls.example"),
    (Role::ControllerBiologist, "Amina Belkacem", "amina.belkacem@labo-tilleuls.example"),
    (Role::ProcessorSignatory, "Paul Serrano", "paul.serrano@logilab.example"),
    (Role::Operator, "Inès Marchal", "ines.marchal@logilab.example"),
    (Role::Recipient, "Nadia Roche", "nadia.roche@logilab.example"),
];

/// Columns that the instruction grants.
pub(super) const COLUMNS: usize = 17;

/// Where an order's rows go.
pub(super) enum To<'a> {
    /// Into the database of this identity.
    Database(&'a str),
    /// Into an archive for the holder of this age key, as this statement (digest) says.
    Recipient { age: &'a str, statement: &'a str },
}

impl To<'_> {
    fn lines(&self) -> String {
        match self {
            Self::Database(identity) => format!(
                "[destination]\nengine   = \"sqlite\"\ndatabase = \"main\"\nidentity = {}",
                quote(identity)
            ),
            Self::Recipient { age, statement } => {
                format!("[[recipient]]\nage       = {}\nstatement = {}", quote(age), quote(statement))
            }
        }
    }
}

/// What goes back to the laboratory, and to which of its keys; where nothing does, these classes are kept.
pub(super) struct Back<'a> {
    pub(super) age: &'a str,
    /// The digest of the laboratory's statement.
    pub(super) statement: &'a str,
}

impl Back<'_> {
    fn lines(&self) -> String {
        let (age, statement) = (quote(self.age), quote(self.statement));
        format!("\n[return]\nage       = {age}\nstatement = {statement}\nalone     = true\n")
    }
}

fn quote(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// The instruction; `source` is the database's identity, digests are filled in later.
pub(super) fn instruction(head: &Head, source: &str, to: &To<'_>, back: Option<&Back<'_>>) -> String {
    let none = format!("sha256:{}", "0".repeat(64));
    let day = head.not_after.to_zoned(jiff::tz::TimeZone::UTC).date();
    let fate = |reason: &str| match back {
        Some(_) if reason.is_empty() => "\"return\"".to_owned(),
        Some(_) => format!("{{ fate = \"return\", reason = {} }}", quote(reason)),
        None => format!("{{ fate = \"keep\", until = {day} }}"),
    };
    // the sealed way's order wants its plan seen by the laboratory before a row moves
    let witnessed = if matches!(to, To::Recipient { .. }) { "\nwitnessed      = true" } else { "" };
    let (remarks, bills) = (fate("clinical remarks stay with the laboratory"), fate(""));
    let back = back.map(Back::lines).unwrap_or_default();
    format!(
        r#"# The order of migration: what is not named here is never asked for.

{}
[instruction]
kind           = "targeted"
purpose        = "Continuity of the patients' records when the laboratory changes its software"
dictionary     = "{none}"
mapping        = "{none}"
max_runs       = 1
suite          = "ecluse-1"
status_max_age = "24h"
tolerance      = 0{witnessed}

[source]
engine   = "sqlite"
database = "main"
identity = {}
schema   = "{none}"

{}

[erasure]
copies = {day}

[stays]
"identity"            = {{ fate = "keep", until = {day} }}
"contact"             = {{ fate = "keep", until = {day} }}
"national identifier" = {{ fate = "keep", until = {day} }}
"third party"         = {{ fate = "keep", until = {day} }}
"staff"               = {{ fate = "keep", until = {day} }}
"result"              = {{ fate = "keep", until = {day} }}
"sensitive result"    = {{ fate = "keep", until = {day} }}
"free text"           = {remarks}
"attachment"          = {{ fate = "keep", until = {day} }}
"credential"          = {{ fate = "destroy", reason = "it opens the old system, and nothing else", by = {day} }}
"billing"             = {bills}
"quality"             = {{ fate = "keep", until = {day} }}
"audit"               = {{ fate = "keep", until = {day} }}
"technical"           = {{ fate = "keep", until = {day} }}
{back}
[pending]
rule = "stay"

[pending.where]
RESULTAT = 'DATE_VALID == null'

[dossier]
table = "DEMANDE"

[dossier.kinds]
HIV       = {{ table = "RESULTAT", where = 'CODE == "VIH"' }}
commented = {{ table = "RESULTAT", where = 'COMMENTAIRE != null' }}

[[table]]
name    = "PATIENT"
label   = "Patients"
rows    = 'ACTIF == true'
columns = ["ID", "NOM", "PRENOM", "DDN", "SEXE"]

[[table]]
name    = "DEMANDE"
label   = "Requests"
rows    = 'PAT_ID in chosen.PATIENT && DATE_DEM >= date("2023-01-01") && ETAT == "V"'
columns = ["ID", "PAT_ID", "NUMERO", "DATE_DEM"]

[[table]]
name    = "RESULTAT"
label   = "Results"
rows    = 'DEM_ID in chosen.DEMANDE && ETAT == "V"'
columns = [
    "ID", "DEM_ID", "CODE", "VALEUR", "UNITE",
    {{ name = "COMMENTAIRE", reason = "the law wants the biologist's comment in the report" }},
    {{ name = "VALIDEUR", reason = "the law wants the validator's name in the report" }},
    "DATE_VALID",
]
"#,
        header(Kind::Instruction, head),
        quote(source),
        to.lines(),
    )
}

/// The mapping; it cites the code table by its digest.
pub(super) fn mapping(codes: &str) -> String {
    format!(
        r#"# Where each granted column goes.

[mapping]
format = "ecluse-mapping/1"

[[code_table]]
name   = "sex"
file   = "codes/sex.toml"
digest = "{codes}"

[[table]]
from = "PATIENT"
to   = "patient"
[table.columns]
id          = "ID"
family_name = {{ cast = "NOM" }}
given_name  = {{ cast = "PRENOM" }}
birth_date  = "DDN"
sex         = {{ code = "SEXE", table = "sex", required = true }}

[[table]]
from = "DEMANDE"
to   = "request"
[table.columns]
id         = "ID"
patient_id = "PAT_ID"
number     = {{ cast = "NUMERO" }}
ordered_on = "DATE_DEM"
origin     = {{ constant = "Tilleuls, legacy" }}

[[table]]
from = "RESULTAT"
to   = "result"
[table.columns]
id           = "ID"
request_id   = "DEM_ID"
test         = {{ cast = "CODE" }}
value        = {{ cast = "VALEUR" }}
unit         = {{ cast = "UNITE" }}
comment      = "COMMENTAIRE"
validated_by = {{ cast = "VALIDEUR" }}
validated_at = "DATE_VALID"
"#
    )
}

/// Twenty years of data entry, in one table a biologist can read and sign.
pub(super) const SEX: &str = r#"[codes]
format         = "ecluse-codes/1"
title          = "Sex, as the old system wrote it over the years"
accepted_by    = "Amina Belkacem"
changes_result = true

[[code]]
from = "F"
to   = "female"
[[code]]
from = "2"
to   = "female"
[[code]]
from = "M"
to   = "male"
[[code]]
from = "1"
to   = "male"
"#;
