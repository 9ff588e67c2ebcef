//! The order as one page in the laboratory's words: what leaves, what stays and its fate, who
//! receives, when it is destroyed, who signs.
//!
//! Every sentence is made from the bytes that are signed and the dictionary and mapping they cite. Whether they are
//! signed is [`Standing`]'s to say: an order that nobody answers for is stamped as a draft.

use std::collections::{BTreeMap, BTreeSet};

use askama::Template;
use ecluse_core::class::Class;
use ecluse_core::contract::Terms;
use ecluse_core::count::number;
use ecluse_core::dictionary::Dictionary;
use ecluse_core::document::Header;
use ecluse_core::fault::Code;
use ecluse_core::instruction::{
    Endpoint, Fate, FilesOrder, Order, TableOrder, called, dossiers_told, label, rows_told, staying,
    unfinished_told,
};
use ecluse_core::keys::day;
use ecluse_core::language::Language;
use ecluse_core::mapping::{Mapping, Own, own};
use ecluse_core::person::{Role, Side};
use ecluse_core::recipient::Recipient;
use ecluse_core::signatures::{Signer, Way};
use ecluse_core::types::Engine;

use super::{made, words};

/// What the page is made of.
#[derive(Debug)]
pub(crate) struct Sources<'a> {
    pub(crate) language: Language,
    pub(crate) terms: &'a Terms,
    pub(crate) header: &'a Header,
    pub(crate) order: &'a Order,
    pub(crate) dictionary: &'a Dictionary,
    /// The recipient, verified, where the order seals to one.
    pub(crate) recipient: Option<&'a Recipient>,
    /// The mapping, where it is the one that the order cites.
    pub(crate) mapping: Option<&'a Mapping>,
    /// The digest of the order's bytes.
    pub(crate) digest: &'a str,
    pub(crate) standing: &'a Standing,
    /// What this folder calls the two databases where they are files: inside, every SQLite database has the
    /// same name. What the order fixes is their identity, and it stands beside.
    pub(crate) source_file: Option<String>,
    pub(crate) destination_file: Option<String>,
}

/// Whether somebody answers for the order.
#[derive(Debug)]
pub(crate) enum Standing {
    /// Contract and order verified; whoever signed.
    Signed(Vec<Signer>),
    /// Signed, and not to be carried out any more, or not yet: why.
    Stopped(Vec<Signer>, &'static Code),
    /// Not verified: why.
    Draft(&'static Code),
}

impl Standing {
    fn signers(&self) -> &[Signer] {
        match self {
            Self::Signed(signers) | Self::Stopped(signers, _) => signers,
            Self::Draft(_) => &[],
        }
    }

    /// The word of the answer in JSON.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Signed(_) => "signed",
            Self::Stopped(..) => "stopped",
            Self::Draft(_) => "draft",
        }
    }
}

/// The page; its template is `templates/order.html`.
#[derive(Debug, Template)]
#[template(path = "order.html")]
pub(crate) struct Page {
    lang: Language,
    /// What the order is not: a draft, stopped. Empty where it stands.
    stamp: &'static str,
    why: String,
    trial: bool,
    invented: bool,
    laboratory: String,
    version: u64,
    from: String,
    until: String,
    /// The digest's first 32 characters, in groups of four.
    fingerprint: Vec<String>,
    digest: String,
    lead: String,
    purpose: String,
    tables: Vec<Table>,
    leaves: String,
    stays: Vec<Stays>,
    stay: String,
    receives: Vec<String>,
    destroyed: Vec<String>,
    conditions: Vec<String>,
    signatures: Vec<Signature>,
}

/// One table that leaves.
#[derive(Debug)]
struct Table {
    label: String,
    /// Empty where the label is the name.
    name: String,
    columns: String,
    /// Columns that move for a reason of their own, with it.
    reasons: Vec<String>,
    /// Columns whose files leave too.
    files: Vec<String>,
    /// What arrives without being the source's own.
    made: Vec<String>,
    rows: String,
}

/// Classes that stay with one fate.
#[derive(Debug)]
struct Stays {
    fate: String,
    classes: String,
}

/// One person who signs.
#[derive(Debug)]
struct Signature {
    person: String,
    role: &'static str,
    /// How it was signed; empty where it is not.
    how: String,
}

/// The page.
pub(crate) fn page(from: &Sources<'_>) -> Page {
    let Sources { language: lang, terms, header, order, .. } = *from;
    let hexadecimal = from.digest.trim_start_matches("sha256:");
    let fingerprint: Vec<char> = hexadecimal.chars().take(32).collect();
    let (stamp, why) = match from.standing {
        Standing::Signed(_) => ("", String::new()),
        Standing::Stopped(_, why) => (lang.of("NOT IN FORCE", "SANS EFFET"), words::why(why, lang)),
        Standing::Draft(why) => (lang.of("DRAFT", "PROJET"), words::why(why, lang)),
    };
    Page {
        lang,
        stamp,
        why,
        trial: header.trial,
        invented: terms.is_invented(),
        laboratory: terms.controller.name.clone(),
        version: header.version,
        from: lang.day(day(header.not_before)),
        until: lang.day(day(header.not_after)),
        fingerprint: fingerprint.chunks(4).map(|group| group.iter().collect()).collect(),
        digest: from.digest.to_owned(),
        lead: lead(from),
        purpose: order.purpose.value.clone(),
        tables: tables(from),
        leaves: leaves(from),
        stays: stays(from),
        stay: stay(from),
        receives: receives(from),
        destroyed: destroyed(order, lang),
        conditions: conditions(order, from.dictionary, lang),
        signatures: signatures(from),
    }
}

fn lead(from: &Sources<'_>) -> String {
    let (who, by) = (&from.terms.controller.name, &from.terms.processor.name);
    let (source, destination) = (source(from), destination(from));
    from.language.of(
        format!("{who} orders {by} to copy from {source} to {destination} what is named on this page, and nothing else."),
        format!(
            "{who} donne l’ordre à {by} de copier de {source} vers {destination} ce qui est nommé sur cette page, et rien d’autre."
        ),
    )
}

fn source(from: &Sources<'_>) -> String {
    place(&from.order.source, from.source_file.as_deref(), from.language)
}

fn destination(from: &Sources<'_>) -> String {
    if let Some(recipient) = from.recipient {
        let entity = recipient.entity();
        return from.language.of(
            format!("an archive that {entity} alone can open"),
            format!("une archive que {entity} seul peut ouvrir"),
        );
    }
    let end = from.order.destination();
    end.map_or_else(String::new, |end| place(end, from.destination_file.as_deref(), from.language))
}

/// A database as the order names it: its name, or, where it has none, its identity's beginning.
fn place(end: &Endpoint, file: Option<&str>, lang: Language) -> String {
    let engine = words::engine(end.engine);
    let name = &end.database.value;
    // whoever signs has to read what the source cannot do
    let everything = end.cannot_deny.then(|| {
        let clear = if end.in_clear {
            lang.of(", and lies in clear in files", " et se trouve en clair dans des fichiers")
        } else {
            ""
        };
        lang.of(
            format!(", which gives everything and can refuse nothing{clear},"),
            format!(", qui donne tout et ne peut rien refuser{clear},"),
        )
    });
    let everything = everything.unwrap_or_default();
    match end.engine {
        Engine::Csv => lang.of(
            format!("the folder of CSV files {name}{everything}"),
            format!("le dossier de fichiers CSV {name}{everything}"),
        ),
        _ if end.cannot_deny => lang.of(
            format!("a dump of the database {name} ({engine}){everything}"),
            format!("un export complet de la base {name} ({engine}){everything}"),
        ),
        Engine::Sqlite => {
            let digest = end.identity.value.trim_start_matches("sqlite:");
            let short: String = digest.chars().take(8).collect();
            let file = file.map_or_else(String::new, |file| format!("{file} "));
            lang.of(
                format!("the {engine} file {file}(identity {short}…)"),
                format!("le fichier {engine} {file}(identité {short}…)"),
            )
        }
        _ => lang.of(format!("the database {name} ({engine})"), format!("la base {name} ({engine})")),
    }
}

fn tables(from: &Sources<'_>) -> Vec<Table> {
    let sentences = rows_told(from.order, from.dictionary, from.language);
    from.order.tables.iter().zip(sentences).map(|(table, rows)| one_table(from, table, rows)).collect()
}

fn one_table(from: &Sources<'_>, table: &TableOrder, rows: Option<String>) -> Table {
    let lang = from.language;
    let known = from.dictionary.table(&table.name.value);
    let named =
        |name: &str| known.and_then(|known| known.column(name)).map_or_else(|| name.to_owned(), called);
    let columns: Vec<String> = table.columns.iter().map(|column| named(&column.name.value)).collect();
    // columns of one reason stand together, each by its name
    let mut reasons: Vec<(&str, Vec<String>)> = Vec::new();
    for column in &table.columns {
        let Some(why) = column.reason.as_ref().map(|why| why.value.as_str()) else { continue };
        match reasons.iter_mut().find(|(known, _)| *known == why) {
            Some((_, columns)) => columns.push(named(&column.name.value)),
            None => reasons.push((why, vec![named(&column.name.value)])),
        }
    }
    let reasons = reasons.into_iter();
    let reasons = reasons.map(|(why, of)| format!("{}{} {why}", of.join(", "), lang.of(":", " :")));
    let label = label(table, from.dictionary);
    Table {
        label: label.to_owned(),
        name: if label == table.name.value { String::new() } else { table.name.value.clone() },
        columns: columns.join(", "),
        reasons: reasons.collect(),
        files: table.files.iter().map(|files| leave_too(&named(&files.column.value), files, lang)).collect(),
        made: made(from, &table.name.value),
        rows: rows.unwrap_or_else(|| table.rows.value.clone()),
    }
}

/// What the mapping makes of a table's rows beside their own values, a sentence each.
fn made(from: &Sources<'_>, table: &str) -> Vec<String> {
    let all = from.mapping.map(|mapping| own(mapping, from.dictionary)).unwrap_or_default();
    let lang = from.language;
    let told = |own: &Own<'_>| {
        let words = made::told(own, lang);
        match own.judged {
            true => {
                lang.of(format!("{words}; a biologist signs it"), format!("{words} ; un biologiste le signe"))
            }
            false => words,
        }
    };
    all.iter().filter(|own| own.table.from.value == table).map(told).collect()
}

/// That the files which a column names leave with their rows, and what becomes of a row without its file.
fn leave_too(column: &str, files: &FilesOrder, lang: Language) -> String {
    let folder = &files.folder.value;
    let missing = if files.missing_refuses {
        lang.of("a row whose file is missing is refused", "une ligne dont le fichier manque est refusée")
    } else {
        lang.of(
            "a row whose file is missing leaves without it",
            "une ligne dont le fichier manque part sans lui",
        )
    };
    lang.of(
        format!("the files that {column} names, in the folder {folder}, leave too; {missing}"),
        format!("les fichiers désignés par {column}, dans le dossier {folder}, partent aussi ; {missing}"),
    )
}

/// Columns ordered and surveyed, tables ordered and surveyed.
fn sizes(from: &Sources<'_>) -> [u64; 4] {
    let ordered: usize = from.order.tables.iter().map(|t| t.columns.len()).sum();
    let surveyed: usize = from.dictionary.tables.iter().map(|t| t.columns.len()).sum();
    [ordered, surveyed, from.order.tables.len(), from.dictionary.tables.len()].map(number)
}

fn leaves(from: &Sources<'_>) -> String {
    let lang = from.language;
    let [ordered, surveyed, tables, of] = sizes(from);
    let (ordered, surveyed) = (lang.count(ordered), lang.count(surveyed));
    let (tables, of) = (lang.count(tables), lang.count(of));
    lang.of(
        format!("{ordered} of {surveyed} columns, in {tables} of {of} tables."),
        format!("{ordered} colonnes sur {surveyed}, dans {tables} tables sur {of}."),
    )
}

fn stay(from: &Sources<'_>) -> String {
    let lang = from.language;
    let [ordered, surveyed, ..] = sizes(from);
    let rest = lang.plural(
        surveyed.saturating_sub(ordered),
        lang.of("column", "colonne"),
        lang.of("columns", "colonnes"),
    );
    lang.of(
        format!("{rest} and every row that was not chosen stay in the old system. By what they hold:"),
        format!(
            "{rest} et toutes les lignes non retenues restent dans l’ancien système. Selon leur contenu :"
        ),
    )
}

/// The classes of which something stays, by their fate, in the document's order of first mention.
fn stays(from: &Sources<'_>) -> Vec<Stays> {
    let lang = from.language;
    let held: BTreeSet<Class> = staying(from.order, from.dictionary).iter().map(|s| s.class).collect();
    let mut fates: Vec<(Fate, Vec<String>)> = Vec::new();
    for stay in from.order.stays.iter().filter(|stay| held.contains(&stay.class.value)) {
        let mut class = words::class(stay.class.value, lang).to_owned();
        if !stay.reason.is_empty() {
            class = format!("{class} ({})", stay.reason);
        }
        match fates.iter_mut().find(|(known, _)| *known == stay.fate) {
            Some((_, classes)) => classes.push(class),
            None => fates.push((stay.fate, vec![class])),
        }
    }
    let key = from.order.back.as_ref().map(|back| back.to.age.value.as_str());
    let key = key.map(|age| {
        format!("{} {age}", lang.of(", to the laboratory's own key", ", à la clé du laboratoire"))
    });
    let told = |(fate, classes): (Fate, Vec<String>)| Stays {
        fate: match (fate, &key) {
            (Fate::Return, Some(key)) => words::fate(fate, lang) + key,
            _ => words::fate(fate, lang),
        },
        classes: classes.join(", "),
    };
    fates.into_iter().map(told).collect()
}

fn receives(from: &Sources<'_>) -> Vec<String> {
    let Sources { language: lang, terms, order, .. } = *from;
    let (destination, by) = (destination(from), &terms.processor.name);
    let mut lines = match from.recipient {
        Some(recipient) => sealed(recipient, lang),
        None => vec![lang.of(
            format!("Only {destination}: its identity is bound by the order."),
            format!("Seulement {destination} : l’ordre en fixe l’identité."),
        )],
    };
    lines.push(lang.of(
        format!("Carried out by {by}, by persons named in the contract."),
        format!("Exécuté par {by}, par des personnes nommées au contrat."),
    ));
    let files = order.destination().and_then(|to| to.files.as_ref());
    if let Some(folder) = files.filter(|_| order.tables.iter().any(|t| !t.files.is_empty())) {
        lines.push(lang.of(
            format!("Files go into its folder {}.", folder.value),
            format!("Les fichiers vont dans son dossier {}.", folder.value),
        ));
    }
    for party in &terms.sub_processors {
        let until = lang.day(party.until);
        lines.push(lang.of(
            format!("Sub-processor {}: {} (until {until}).", party.name, party.tasks),
            format!("Sous-traitant ultérieur {} : {} (jusqu’au {until}).", party.name, party.tasks),
        ));
    }
    lines
}

/// To whom the archive is sealed, in words, with what can be compared by telephone.
fn sealed(recipient: &Recipient, lang: Language) -> Vec<String> {
    let (entity, age) = (recipient.entity(), recipient.age());
    let until = lang.day(day(recipient.header().not_after));
    let names: Vec<&str> = recipient.signers().iter().map(|signer| signer.person.as_str()).collect();
    let by = lang.listed(&names);
    let keys: Vec<&str> = recipient.signers().iter().map(|signer| signer.fingerprint.as_str()).collect();
    let keys = keys.join(", ");
    vec![
        lang.of(
            format!("Sealed to {entity}; can be opened by {by}, with the key {age}, until {until}."),
            format!("Scellé pour {entity} ; peut être ouvert par {by}, avec la clé {age}, jusqu’au {until}."),
        ),
        lang.of(
            format!(
                "{by} has stated this key, signed with the contract's key {keys}: “{}”.",
                recipient.purpose()
            ),
            format!(
                "{by} a déclaré cette clé, signée avec la clé du contrat {keys} : « {} ».",
                recipient.purpose()
            ),
        ),
    ]
}

fn destroyed(order: &Order, lang: Language) -> Vec<String> {
    let [copies, record] = words::copies_go(order.erasure.copies.value, lang);
    let mut lines = vec![
        lang.of(
            format!("Every copy of patients' data that écluse makes: by {copies}."),
            format!("Toute copie de données de patients faite par écluse : au plus tard le {copies}."),
        ),
        lang.of(
            format!("What tells of the migration (its journal, counts, row tokens without their key, reports, evidence): by {record}."),
            format!("Ce qui rend compte de la migration (journal, nombres, jetons de lignes sans leur clé, rapports, preuves) : au plus tard le {record}."),
        ),
    ];
    if let Some(staging) = &order.source.staging {
        let folder = &staging.value;
        lines.push(lang.of(
            format!("While the export is read, what memory does not hold may stand sealed in {folder}: ordered columns of ordered tables, under a key that is on no disk. It is destroyed at the end of each reading."),
            format!("Pendant la lecture de l’export, ce que la mémoire ne contient pas peut se trouver scellé dans {folder} : colonnes ordonnées des tables ordonnées, sous une clé qui n’est sur aucun disque. Tout y est détruit à la fin de chaque lecture."),
        ));
    }
    lines.push(match &order.erasure.source {
        Some(at) => {
            let at = lang.day(at.value);
            let files = order.tables.iter().any(|table| !table.files.is_empty());
            let with = if files {
                lang.of(
                    ", the files that its rows name with it",
                    ", avec les fichiers que ses lignes désignent",
                )
            } else {
                ""
            };
            lang.of(
                format!("What was copied, in the old system{with}: by {at}."),
                format!("Ce qui a été copié, dans l’ancien système{with} : au plus tard le {at}."),
            )
        }
        None => lang
            .of(
                "What was copied stays in the old system too: no erasure is ordered there.",
                "Ce qui est copié reste aussi dans l’ancien système : aucun effacement n’y est ordonné.",
            )
            .to_owned(),
    });
    lines.extend(order.beside.iter().map(|one| words::beside(one, lang)));
    lines
}

fn conditions(order: &Order, dictionary: &Dictionary, lang: Language) -> Vec<String> {
    let runs = lang.plural(order.max_runs, lang.of("run", "exécution"), lang.of("runs", "exécutions"));
    let seen = if order.witnessed { words::witnessed(!order.witnesses.is_empty(), lang) } else { "" };
    let mut lines = vec![lang.of(format!("At most {runs}{seen}."), format!("Au plus {runs}{seen}."))];
    lines.push(match order.tolerance {
        0 => lang.of("No refused row is tolerated.", "Aucune ligne refusée n’est tolérée.").to_owned(),
        n => lang.of(
            format!("At most {} may be refused.", lang.plural(n, "row", "rows")),
            format!("Au plus {} peuvent être refusées.", lang.plural(n, "ligne", "lignes")),
        ),
    });
    let which: Vec<String> = unfinished_told(order, dictionary, lang);
    lines.extend(order.pending.map(|rule| words::pending(rule, &which, lang)));
    let first: Vec<&str> =
        order.tables.iter().filter(|table| table.reference).map(|table| label(table, dictionary)).collect();
    if !first.is_empty() {
        let first = lang.listed(&first);
        lines.push(lang.of(
            format!("First the reference data ({first}): a biologist accepts them before anything else moves."),
            format!("D’abord les données de référence ({first}) : un biologiste les accepte avant que le reste ne parte."),
        ));
    }
    let dossiers = dossiers_told(order, dictionary);
    lines.extend(dossiers.map(|(table, kinds)| words::dossiers(table, &kinds, lang)));
    let known = order.destination().and_then(|to| to.known.as_ref());
    lines.extend(known.map(|known| words::known(known, lang)));
    if order.excluded.is_some() {
        lines.push(
            lang.of(
                "The persons of a sealed list do not leave, nor anything that hangs on them: the order cites the list.",
                "Les personnes d’une liste scellée ne partent pas, ni rien de ce qui s’y rattache : l’ordre cite la liste.",
            )
            .to_owned(),
        );
    }
    lines
}

/// One line per person who has to sign: the laboratory's first.
fn signatures(from: &Sources<'_>) -> Vec<Signature> {
    let lang = from.language;
    let mut wanted: BTreeMap<(Side, &str), (&str, Role)> = BTreeMap::new();
    let countersigned = from.header.version > 1;
    for key in &from.terms.keys {
        let signs =
            key.role == Role::ControllerSignatory || (countersigned && key.role == Role::ProcessorSignatory);
        if signs {
            wanted.insert((key.role.side(), &key.email), (&key.person, key.role));
        }
    }
    let signed =
        |email: &str, role: Role| from.standing.signers().iter().find(|s| s.role == role && s.email == email);
    wanted
        .into_iter()
        .map(|((_, email), (person, role))| Signature {
            person: person.to_owned(),
            role: words::role(role, lang),
            how: signed(email, role).map_or_else(String::new, |signer| how(signer, lang)),
        })
        .collect()
}

fn how(signer: &Signer, lang: Language) -> String {
    match &signer.way {
        Way::Key => {
            format!("{} {}", lang.of("signed with the key", "signé avec la clé"), signer.fingerprint)
        }
        Way::Paper { checker } | Way::Word { checker } => lang.of(
            format!("signed on paper, checked by {checker}"),
            format!("signé sur papier, vérifié par {checker}"),
        ),
    }
}
