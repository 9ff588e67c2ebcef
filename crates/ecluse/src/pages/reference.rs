//! The code tables, and what the mapping makes beside them, as a page: one line per code with the rows it is
//! for, and what it does to their meaning, for the signature of a biologist.
//!
//! The codes are the signed table's words; counts below 5 are printed as `<5`. Codes without a line are
//! told as in a dry run (`docs/decisions/0019-unmapped-codes-are-told-where-no-person-is.md`).

use std::collections::BTreeMap;

use askama::Template;
use ecluse_core::language::Language;
use ecluse_core::mapping::{self, Make};
use ecluse_core::meaning::{Does, does};
use ecluse_core::person::Role;
use ecluse_core::signatures::Signer;
use ecluse_flow::figures::Figures;
use ecluse_flow::unmapped::Codes;

use super::made::{self, MadePage};
use super::words;
use crate::papers::chain::Chain;
use crate::report::figure::{Figure, alone};
use crate::report::page::{Cell, Grid, Kind, heads};

/// The page; its template is `templates/reference.html`.
#[derive(Debug, Template)]
#[template(path = "reference.html")]
pub(crate) struct Page {
    lang: Language,
    trial: bool,
    invented: bool,
    laboratory: String,
    order: String,
    lead: String,
    tables: Vec<Section>,
    signatures: Vec<Signature>,
}

/// One code table.
#[derive(Debug)]
struct Section {
    title: String,
    name: String,
    /// The digest's first 32 characters, in groups of four.
    fingerprint: String,
    uses: String,
    note: &'static str,
    grid: Grid,
}

/// Somebody who may accept.
#[derive(Debug)]
struct Signature {
    person: String,
    role: &'static str,
}

/// One code table and its rows, in no language.
#[derive(Debug)]
pub(crate) struct CodePage {
    pub(crate) name: String,
    pub(crate) file: String,
    pub(crate) title: String,
    pub(crate) digest: String,
    pub(crate) changes_result: bool,
    /// Who signed it.
    pub(crate) signed: Vec<Signer>,
    /// `table.column` of the source, `table.column` of the destination.
    pub(crate) uses: Vec<(String, String)>,
    pub(crate) lines: Vec<Line>,
    /// Codes that no line maps; a text where they may not be told one by one.
    pub(crate) unmapped: Vec<(String, Figure)>,
}

/// One code.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) rows: Figure,
    pub(crate) does: Vec<Does>,
}

/// Every code table that the mapping uses, in its order.
pub(crate) fn code_pages(chain: &Chain, counted: &[Codes]) -> Vec<CodePage> {
    let used = |name: &str| {
        let mut uses = Vec::new();
        for table in &chain.mapping.tables {
            for column in &table.columns {
                if let Make::Code { column: from, table: through } = &column.make
                    && through.value == name
                {
                    uses.push((
                        table.from.value.clone(),
                        from.value.clone(),
                        format!("{}.{}", table.to.value, column.to.value),
                    ));
                }
            }
        }
        uses
    };
    let one = |cited: &ecluse_core::mapping::Citation| {
        let table = chain.codes.get(&cited.name.value)?;
        let uses = used(&cited.name.value);
        let counts: Vec<&Codes> = counted
            .iter()
            .filter(|c| uses.iter().any(|(t, column, _)| *t == c.table && *column == c.column))
            .collect();
        let link = chain.links.iter().find(|link| link.digest == table.digest);
        let lines = table.pairs.iter().zip(does(table)).map(|(pair, does)| Line {
            from: pair.from.value.clone(),
            to: pair.to.value.clone(),
            rows: rows_of(&counts, &pair.from.value),
            does,
        });
        Some(CodePage {
            name: cited.name.value.clone(),
            file: cited.file.value.clone(),
            title: table.title.clone(),
            digest: table.digest.clone(),
            changes_result: table.changes_result,
            signed: link.map(|link| link.signers.clone()).unwrap_or_default(),
            lines: lines.collect(),
            unmapped: unmapped(&counts),
            uses: uses.into_iter().map(|(table, column, to)| (format!("{table}.{column}"), to)).collect(),
        })
    };
    chain.mapping.codes.iter().filter_map(one).collect()
}

/// The rows that bear a code.
pub(crate) fn rows_of(counts: &[&Codes], code: &str) -> Figure {
    // a number's code may be written otherwise than the source writes it
    let other = code.parse::<i64>().map(|n| n.to_string()).unwrap_or_default();
    let of = |c: &&Codes| c.mapped.get(code).or_else(|| c.mapped.get(&other)).copied().unwrap_or(0);
    alone(counts.iter().map(of).sum(), true)
}

/// Codes that nothing maps, with their rows; a text where they may not be told one by one.
pub(crate) fn unmapped(counts: &[&Codes]) -> Vec<(String, Figure)> {
    let mut codes: BTreeMap<&str, u64> = BTreeMap::new();
    for (code, rows) in counts.iter().flat_map(|c| &c.codes) {
        *codes.entry(code).or_default() += rows;
    }
    let mut list: Vec<(String, Figure)> =
        codes.into_iter().map(|(code, rows)| (code.to_owned(), alone(rows, true))).collect();
    let untold: u64 = counts.iter().map(|c| c.untold).sum();
    if untold > 0 {
        list.push(("…".to_owned(), alone(untold, true)));
    }
    list
}

/// The page.
pub(crate) fn page(
    lang: Language,
    chain: &Chain,
    figures: &Figures,
    pages: &[CodePage],
    made: Option<&MadePage>,
) -> Page {
    let terms = chain.contract.terms();
    let rows = figures.tables.iter().map(|t| t.asked).sum();
    let rows = lang.plural(
        rows,
        lang.of("ordered row", "ligne ordonnée"),
        lang.of("ordered rows", "lignes ordonnées"),
    );
    let biologists = terms.keys.iter().filter(|key| key.role == Role::ControllerBiologist);
    Page {
        lang,
        trial: chain.instruction.header().trial,
        invented: terms.is_invented(),
        laboratory: terms.controller.name.clone(),
        order: chain.order(),
        lead: lang.of(
            format!("What each code of the old system becomes in the new one, counted over {rows}. Nothing moves by counting."),
            format!("Ce que devient chaque code de l’ancien système dans le nouveau, compté sur {rows}. Rien ne part quand on compte."),
        ),
        tables: pages
            .iter()
            .map(|page| section(page, lang))
            .chain(made.map(|page| of_mapping(page, lang)))
            .collect(),
        signatures: biologists
            .map(|key| Signature { person: key.person.clone(), role: words::role(key.role, lang) })
            .collect(),
    }
}

/// A digest's first 32 characters, in groups of four.
pub(crate) fn grouped(digest: &str) -> String {
    let hexadecimal: Vec<char> = digest.trim_start_matches("sha256:").chars().take(32).collect();
    let groups: Vec<String> = hexadecimal.chunks(4).map(|group| group.iter().collect()).collect();
    groups.join(" ")
}

/// What the mapping makes itself.
fn of_mapping(page: &MadePage, lang: Language) -> Section {
    let note = match (page.is_judged(), page.signed.is_empty()) {
        (_, false) => lang.of("A biologist has signed it.", "Un biologiste l’a signée."),
        (true, true) => lang.of(
            "These values are not the old system's: a biologist accepts them by signing.",
            "Ces valeurs ne sont pas celles de l’ancien système : un biologiste les accepte en signant.",
        ),
        (false, true) => lang.of(
            "They say where a row comes from; the signatory's order covers them.",
            "Elles disent d’où vient une ligne ; l’ordre du signataire les couvre.",
        ),
    };
    let uses: Vec<String> = page
        .made
        .iter()
        .filter(|made| !made.from.is_empty())
        .map(|made| format!("{} → {}", made.from.join(" + "), made.place))
        .collect();
    Section {
        title: lang
            .of("Values that the mapping makes", "Valeurs que la table de correspondance produit")
            .to_owned(),
        name: mapping::FILE.to_owned(),
        fingerprint: grouped(&page.digest),
        uses: uses.join(", "),
        note,
        grid: made::grid(page, lang),
    }
}

fn section(page: &CodePage, lang: Language) -> Section {
    let uses: Vec<String> = page.uses.iter().map(|(from, to)| format!("{from} → {to}")).collect();
    let names = [
        lang.of("Old code", "Ancien code"),
        lang.of("becomes", "devient"),
        lang.of("#rows", "#lignes"),
        lang.of("What it does", "Ce que cela fait"),
    ];
    let line = |line: &Line| {
        let does = words::does(&line.from, &line.to, &line.does, lang).join(lang.of("; ", " ; "));
        let grave = line.does.iter().any(|d| matches!(d, Does::Reverses | Does::Unit | Does::Takes));
        let kind = if grave { Kind::Warns } else { Kind::Words };
        vec![
            Cell::words(&line.from),
            Cell::words(&line.to),
            Cell::figure(line.rows, lang),
            Cell::of(kind, does),
        ]
    };
    let missing = |(code, rows): &(String, Figure)| {
        let refused = lang.of("no line: its rows are refused", "aucune ligne : ses lignes sont refusées");
        vec![Cell::words(code), Cell::words("–"), Cell::figure(*rows, lang), Cell::of(Kind::Warns, refused)]
    };
    let rows = page.lines.iter().map(line).chain(page.unmapped.iter().map(missing)).collect();
    let note = match (page.changes_result, page.signed.is_empty()) {
        (false, true) => lang.of(
            "It does not say that it changes how results read: a biologist judges that, and accepts it by signing.",
            "Elle ne dit pas changer la lecture de résultats : un biologiste en juge, et l’accepte en la signant.",
        ),
        (false, false) => lang.of(
            "It does not say that it changes how results read; a biologist has signed it.",
            "Elle ne dit pas changer la lecture de résultats ; un biologiste l’a signée.",
        ),
        (true, true) => lang.of(
            "It changes how results read: a biologist accepts it by signing.",
            "Elle change la lecture de résultats : un biologiste l’accepte en la signant.",
        ),
        (true, false) => lang.of(
            "It changes how results read, and a biologist has signed it.",
            "Elle change la lecture de résultats, et un biologiste l’a signée.",
        ),
    };
    Section {
        title: page.title.clone(),
        name: page.file.clone(),
        fingerprint: grouped(&page.digest),
        uses: uses.join(", "),
        note,
        grid: Grid { heads: heads(&names), rows },
    }
}
