//! What the papers' words are called on a page that laypeople read, in both languages.

use ecluse_core::class::Class;
use ecluse_core::copies::Store;
use ecluse_core::fault::Code;
use ecluse_core::instruction::{Beside, Fate, Known, Pending, Whose};
use ecluse_core::language::Language;
use ecluse_core::meaning::Does;
use ecluse_core::person::Role;
use ecluse_core::types::Engine;
use jiff::civil::Date;

use crate::report::page::Said;

/// A class of data.
pub(crate) fn class(class: Class, language: Language) -> &'static str {
    let french = match class {
        Class::Identity => "identité",
        Class::Contact => "coordonnées",
        Class::NationalIdentifier => "identifiants nationaux",
        Class::ThirdParty => "autres personnes",
        Class::Staff => "personnel du laboratoire",
        Class::Result => "résultats",
        Class::SensitiveResult => "résultats sensibles",
        Class::FreeText => "textes libres",
        Class::Attachment => "pièces jointes",
        Class::Credential => "mots de passe et clés",
        Class::Billing => "facturation",
        Class::Quality => "qualité",
        Class::Audit => "traces du logiciel",
        Class::Technical => "données techniques",
    };
    language.of(class.name(), french)
}

/// What becomes of data that stay.
pub(crate) fn fate(fate: Fate, language: Language) -> String {
    match fate {
        Fate::Return => {
            language.of("given back to the laboratory, sealed", "rendu au laboratoire, scellé").to_owned()
        }
        Fate::Keep { until } => {
            let day = language.day(until);
            language.of(
                format!("kept in the old system until {day}"),
                format!("conservé dans l’ancien système jusqu’au {day}"),
            )
        }
        Fate::Destroy { by } => {
            let day = language.day(by);
            language.of(
                format!("destroyed in the old system by {day}"),
                format!("détruit dans l’ancien système au plus tard le {day}"),
            )
        }
    }
}

/// After how many runs there may be: who has to see the plan before a row moves, where the order wants it; `others`: it
/// names witnesses of its own.
pub(crate) fn witnessed(others: bool, language: Language) -> &'static str {
    if others {
        language.of(
            ", none before the laboratory, or a witness that the order names, has signed for the journal of the count",
            ", aucune avant que le laboratoire, ou un témoin que l’ordre nomme, ait signé le journal du comptage",
        )
    } else {
        language.of(
            ", none before the laboratory has signed for the journal of the count",
            ", aucune avant que le laboratoire ait signé le journal du comptage",
        )
    }
}

/// What becomes of rows beside the order that name rows which go.
pub(crate) fn beside(one: &Beside, language: Language) -> String {
    let (table, column, of) = (&one.table.value, &one.column.value, &one.of.value);
    let reason = if one.reason.is_empty() { String::new() } else { format!(" ({})", one.reason) };
    match one.fate {
        Fate::Destroy { by } => {
            let day = language.day(by);
            language.of(
                format!("Rows of {table} whose {column} names a row of {of} that goes: with it, by {day}{reason}."),
                format!("Les lignes de {table} dont {column} désigne une ligne effacée de {of} : avec elle, au plus tard le {day}{reason}."),
            )
        }
        other => {
            let kept = fate(other, language);
            language.of(
                format!("Rows of {table} whose {column} names a row of {of} that goes are not copied, and lose it: {kept}{reason}."),
                format!("Les lignes de {table} dont {column} désigne une ligne effacée de {of} ne sont pas copiées et la perdent : {kept}{reason}."),
            )
        }
    }
}

/// The same in few words, for a drawing.
pub(crate) fn fate_in_short(fate: Fate, language: Language) -> String {
    // numbers alone: a month's name would not fit
    let short = |day: Date| language.of(day.to_string(), day.strftime("%d/%m/%Y").to_string());
    match fate {
        Fate::Return => language.of("given back, sealed", "rendu, scellé").to_owned(),
        Fate::Keep { until } => {
            format!("{} {}", language.of("kept until", "conservé jusqu’au"), short(until))
        }
        Fate::Destroy { by } => {
            format!("{} {}", language.of("destroyed by", "détruit avant le"), short(by))
        }
    }
}

/// What becomes of rows that are not finished; `which` says which they are, and without it nothing is checked.
pub(crate) fn pending(rule: Pending, which: &[String], language: Language) -> String {
    if which.is_empty() {
        let word = rule.name();
        return language.of(
            format!(
                "Requests that are not finished: \u{201c}{word}\u{201d}. The order does not say which rows these are: écluse checks nothing."
            ),
            format!(
                "Demandes en cours : « {word} ». L’ordre ne dit pas de quelles lignes il s’agit : écluse ne vérifie rien."
            ),
        );
    }
    let what = match (rule, language) {
        (Pending::Stay, Language::English) => "What is not finished stays, and is finished in the old system",
        (Pending::Stay, Language::French) => "Ce qui est en cours reste et est terminé dans l’ancien système",
        (Pending::Move, Language::English) => {
            "What is not finished moves as it is, and is finished in the new system"
        }
        (Pending::Move, Language::French) => {
            "Ce qui est en cours part tel quel et est terminé dans le nouveau système"
        }
        (Pending::Wait, Language::English) => "The cut-over waits until nothing is unfinished",
        (Pending::Wait, Language::French) => "La bascule attend que rien ne soit en cours",
    };
    language.of(format!("{what}: {}.", which.join("; ")), format!("{what} : {}.", which.join(" ; ")))
}

/// What one dossier is, and the kinds that are looked for.
pub(crate) fn dossiers(table: &str, kinds: &[&str], language: Language) -> String {
    let mut line = language.of(
        format!("One dossier is one row of {table}, with all that belongs to it."),
        format!("Un dossier est une ligne de {table}, avec tout ce qui s’y rattache."),
    );
    if !kinds.is_empty() {
        let kinds = kinds.join(", ");
        line += &language.of(format!(" Kinds looked for: {kinds}."), format!(" Types recherchés : {kinds}."));
    }
    line
}

/// With whose records the persons who arrive are compared, by what, and that nobody is merged.
pub(crate) fn known(known: &Known, language: Language) -> String {
    let (by, table) = (compared_by(known, language), &known.table.value);
    let whose = match &known.whose {
        Whose::Entity { column, value } => language.of(
            format!("only the rows of the same legal entity ({} is {value})", column.value),
            format!("seulement les lignes de la même entité juridique ({} vaut {value})", column.value),
        ),
        Whose::Everybody(reason) => language.of(
            format!("every row, since the table is shared: {}", reason.value),
            format!("toutes les lignes, car la table est partagée : {}", reason.value),
        ),
    };
    language.of(
        format!(
            "The persons who arrive are compared with those who stand in {table} already, by {by}; read for it: {whose}. \
             Nobody is merged: the laboratory alone sees who they are."
        ),
        format!(
            "Les personnes qui arrivent sont comparées à celles qui figurent déjà dans {table}, par {by} ; on lit pour cela {whose}. \
             Personne n’est fusionné : seul le laboratoire voit de qui il s’agit."
        ),
    )
}

/// By what two records are compared.
pub(crate) fn compared_by(known: &Known, language: Language) -> String {
    let by: Vec<&str> = [
        known.number.as_ref().map(|_| language.of("national number", "numéro national")),
        known.traits.as_ref().map(|_| {
            language.of(
                "family name, first given name, day of birth and sex together",
                "nom, premier prénom, date de naissance et sexe ensemble",
            )
        }),
    ]
    .into_iter()
    .flatten()
    .collect();
    by.join(language.of(", or by ", ", ou par "))
}

/// Why a paper does not stand, by the code that says so; what has no words here keeps its code alone.
pub(crate) fn why(code: &Code, language: Language) -> String {
    let french = match code.id {
        "ECL-SGN-020" => "une signature manque",
        "ECL-SGN-021" => "une signature ne correspond pas au document : il a été modifié depuis",
        "ECL-SGN-006" => "l’ordre n’est pas encore en vigueur",
        "ECL-SGN-007" => "l’ordre a expiré",
        "ECL-SGN-008" => "l’ordre a été établi sous un autre contrat",
        "ECL-STA-010" => "le laboratoire a suspendu l’ordre",
        "ECL-STA-011" => "le laboratoire a révoqué l’ordre",
        "ECL-CTR-060" => "l’identité du signataire du laboratoire n’est pas établie",
        other if other.starts_with("ECL-CTR") => "le contrat n’est pas en ordre",
        _ => "l’ordre n’a pas pu être vérifié",
    };
    format!("{} ({})", language.of(code.title, french), code.id)
}

/// What a code says of a row, or of a difference: in English where this page has no words for it,
/// and then marked so.
pub(crate) fn code(id: &str, english: &str, language: Language) -> Said {
    let known = match id {
        "ECL-BAT-101" => "une valeur n’a pas d’équivalent exact dans le type de destination",
        "ECL-BAT-102" => "un code ne figure pas dans sa table de codes",
        "ECL-BAT-103" => "une valeur est plus longue que la colonne de destination",
        "ECL-BAT-104" => "un nombre ou une date sort des limites de la colonne de destination",
        "ECL-BAT-105" => "une valeur manque là où la colonne en exige une",
        "ECL-BAT-106" => "un texte contient le caractère U+0000",
        "ECL-BAT-110" => "une heure locale que son fuseau a eue deux fois",
        "ECL-BAT-111" => "une heure locale que son fuseau n’a jamais eue",
        "ECL-BAT-112" => "un texte dont les octets sont dits UTF-8 et ne le sont pas",
        "ECL-BAT-113" => "un texte qui n’est aucun des mots que la colonne de destination accepte",
        "ECL-BAT-131" => "un identifiant national n’est pas un numéro avec sa clé",
        "ECL-BAT-132" => "un identifiant national a la clé d’un autre numéro",
        "ECL-BAT-133" => "un identifiant national n’a pas d’autorité connue",
        "ECL-BAT-134" => "un identifiant national est de l’autre sorte, réelle ou d’essai",
        "ECL-BAT-135" => "il manque à une identité l’un des cinq traits stricts",
        "ECL-RUN-101" => "sa ligne parente a été refusée",
        "ECL-RUN-102" => "la destination contient déjà cette clé ou cette valeur unique",
        "ECL-RUN-103" => "la destination exige une valeur",
        "ECL-RUN-104" => "une contrainte CHECK de la destination n’est pas remplie",
        "ECL-RUN-105" => "la destination ne contient pas la ligne parente",
        "ECL-RUN-106" => "la destination ne peut contenir une valeur",
        "ECL-RUN-107" => "un déclencheur ou une règle de la destination a refusé la ligne",
        "ECL-REC-001" => "des lignes manquent à la destination",
        "ECL-REC-002" => "des lignes de la destination n’y ont jamais été apportées",
        "ECL-REC-003" => "des lignes ont changé de patient",
        "ECL-REC-004" => "des valeurs ont été modifiées",
        "ECL-REC-005" => "des lignes figurent deux fois à la destination",
        "ECL-REC-006" => "des lignes n’ont pas de ligne parente à la destination",
        "ECL-REC-007" => "des lignes d’une table sans clé diffèrent",
        "ECL-REC-008" => "le registre dit autre chose que les deux côtés",
        "ECL-REC-010" => "des lignes ont changé à la source depuis la migration",
        _ => "",
    };
    let french = language == Language::French;
    match known {
        "" => Said { words: english.to_owned(), english: french },
        known if french => Said::from(known.to_owned()),
        _ => Said::from(english.to_owned()),
    }
}

/// By when what écluse makes is gone, where the order wants copies gone by `copies`: what holds patients' data, and what
/// tells of the migration.
pub(crate) fn copies_go(copies: Date, language: Language) -> [String; 2] {
    [Store::State, Store::Record].map(|store| language.day(store.last_day(copies)))
}

/// A paper of the chain, by the name that the chain gives it.
pub(crate) fn artefact(name: &str, language: Language) -> String {
    if language == Language::English {
        return name.to_owned();
    }
    match name {
        "contract" => "contrat".to_owned(),
        "dictionary" => "dictionnaire des données".to_owned(),
        "mapping" => "table de correspondance".to_owned(),
        "recipient" => "destinataire".to_owned(),
        "survey mandate" => "mandat d’exploration".to_owned(),
        "key for what is returned" => "clé pour ce qui est rendu".to_owned(),
        "accepted differences" => "différences acceptées".to_owned(),
        "compared dossiers" => "dossiers comparés".to_owned(),
        "accepted reference data" => "données de référence acceptées".to_owned(),
        other => [
            ("order, version ", "ordre de migration, version "),
            ("code table ", "table de codes "),
            (
                "status: in force; journal seen to entry ",
                "statut : en vigueur ; journal vu jusqu’à l’entrée ",
            ),
            ("status: suspended; journal seen to entry ", "statut : suspendu ; journal vu jusqu’à l’entrée "),
            ("status: revoked; journal seen to entry ", "statut : révoqué ; journal vu jusqu’à l’entrée "),
            ("status: in force", "statut : en vigueur"),
            ("status: suspended", "statut : suspendu"),
            ("status: revoked", "statut : révoqué"),
        ]
        .iter()
        .find_map(|(english, french)| Some(format!("{french}{}", other.strip_prefix(english)?)))
        .unwrap_or_else(|| other.to_owned()),
    }
}

/// What a line of a code table does, each thing in words.
pub(crate) fn does(from: &str, to: &str, does: &[Does], language: Language) -> Vec<String> {
    let told = |does: &Does| match does {
        Does::Reverses => language.of(format!("turns {from} into {to}"), format!("change {from} en {to}")),
        Does::Unit => language.of(
            format!("changes the unit {from} → {to}; no number is converted"),
            format!("change l’unité {from} → {to} ; aucun nombre n’est converti"),
        ),
        Does::Merges(others) => {
            let many = language.plural(
                *others,
                language.of("other code", "autre code"),
                language.of("other codes", "autres codes"),
            );
            language.of(
                format!("cannot be told from {many} afterwards"),
                format!("ne se distingue plus de {many} ensuite"),
            )
        }
        Does::Takes => language.of(
            format!("takes the word {to}, which was another code"),
            format!("prend le mot {to}, qui était un autre code"),
        ),
        Does::Spelling => {
            language.of("another spelling of the same", "une autre graphie de la même chose").to_owned()
        }
    };
    does.iter().map(told).collect()
}

/// A person's role.
pub(crate) fn role(role: Role, language: Language) -> &'static str {
    let french = match role {
        Role::ControllerSignatory => "signataire du laboratoire",
        Role::ControllerBiologist => "biologiste du laboratoire",
        Role::ControllerAdministrator => "administrateur du laboratoire",
        Role::ProcessorSignatory => "signataire de l’éditeur",
        Role::Operator => "opérateur",
        Role::Recipient => "destinataire de l’archive",
    };
    let english = match role {
        Role::ControllerSignatory => "signatory of the laboratory",
        Role::ControllerBiologist => "biologist of the laboratory",
        Role::ControllerAdministrator => "administrator of the laboratory",
        Role::ProcessorSignatory => "signatory of the publisher",
        Role::Operator => "operator",
        Role::Recipient => "recipient of the archive",
    };
    language.of(english, french)
}

/// An engine, as its makers write it.
pub(crate) const fn engine(engine: Engine) -> &'static str {
    match engine {
        Engine::Postgresql => "PostgreSQL",
        Engine::Mariadb => "MariaDB",
        Engine::Sqlite => "SQLite",
        Engine::Csv => "CSV",
    }
}

/// Puts spaces that do not break where French typography wants them, in a whole page. Signs of the
/// page's own code have no space before them.
pub(crate) fn spaced(html: &str, language: Language) -> String {
    match language {
        Language::English => html.to_owned(),
        Language::French => {
            [(" :", "\u{a0}:"), (" ;", "\u{a0};"), (" ?", "\u{a0}?"), ("« ", "«\u{a0}"), (" »", "\u{a0}»")]
                .into_iter()
                .fold(html.to_owned(), |text, (from, to)| text.replace(from, to))
        }
    }
}
