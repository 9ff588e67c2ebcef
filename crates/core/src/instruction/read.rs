//! Reads an instruction's document; what its words mean is checked elsewhere.

use jiff::civil::Date;

use super::{
    ColumnOrder, Endpoint, Entity, Erasure, Fate, Invalid, Kind, MISSING_KEY, Order, Pending, RelationOrder,
    SYNTAX, Screen, Stay, TableOrder, UNKNOWN_KEY, WRONG_VALUE,
};
use crate::class::Class;
use crate::fault::Code;
use crate::finding::Finding;
use crate::ins::Numbers;
use crate::nearest::suggestion;
use crate::reader::{Codes, Fields, Reader, Spanned, as_digest, as_table, as_text};
use crate::template;
use crate::types::Engine;

static CODES: Codes =
    Codes { syntax: &SYNTAX, unknown: &UNKNOWN_KEY, missing: &MISSING_KEY, wrong: &WRONG_VALUE };

/// A row filter in a string with escapes.
pub(super) static NOT_LITERAL: Code =
    Code::refused("ECL-INS-005", "a row filter stands in single quotes, so that every byte means itself");
/// A wildcard.
pub(super) static WILDCARD: Code = Code::refused("ECL-INS-006", "an instruction names columns one by one");

/// Reads an instruction.
///
/// # Errors
/// Everything that is wrong with its form, in the order of the document.
pub fn parse(text: &str) -> Result<Order, Vec<Finding>> {
    let mut r = Reader::new(text, &CODES);
    let order = r.document().and_then(|tree| {
        let mut root = Fields::new(&tree, 0..0, String::new());
        let order = read(&mut r, &mut root);
        root.end(&mut r);
        order
    });
    r.finish(order)
}

fn read(r: &mut Reader<'_>, root: &mut Fields<'_, '_>) -> Option<Order> {
    root.get("document"); // the common header is read where the signatures are checked
    let head = root.table(r, "instruction").map(|head| read_head(r, head));
    let entity = root.maybe_table(r, "entity").and_then(|t| read_entity(r, t));
    let source = root.table(r, "source").and_then(|t| read_endpoint(r, t, None));
    let toward = super::toward::read(r, root, entity.as_ref());
    let erasure = root.table(r, "erasure").and_then(|t| read_erasure(r, t));
    let tables = root.tables(r, "table").into_iter().filter_map(|t| read_table(r, t)).collect();
    let stays = root.maybe_table(r, "stays").map(|t| read_stays(r, &t)).unwrap_or_default();
    let beside = root.tables(r, "beside").into_iter().filter_map(|t| super::beside::read(r, t)).collect();
    let back = root.maybe_table(r, "return").and_then(|t| super::toward::back(r, t));
    let dossier = root.maybe_table(r, "dossier").and_then(|t| super::dossier::read(r, t));
    let mut unfinished = Vec::new();
    let pending = root.maybe_table(r, "pending").and_then(|mut t| {
        let rule = t.text(r, "rule");
        unfinished = super::pending::read(r, &mut t);
        t.end(r);
        let pairs = [("stay", Pending::Stay), ("move", Pending::Move), ("wait", Pending::Wait)];
        rule.and_then(|rule| word(r, "rule", &rule, &pairs))
    });
    let identifiers = root.maybe_table(r, "national_identifier").map(|t| read_identifiers(r, t));
    let head = head?;
    Some(Order {
        kind: head.kind?,
        purpose: head.purpose?,
        dictionary: head.dictionary?,
        mapping: head.mapping?,
        max_runs: head.max_runs,
        status_max_age: head.status_max_age?,
        tolerance: head.tolerance,
        witnessed: head.witnessed,
        witnesses: head.witnesses,
        excluded: head.excluded,
        entity,
        source: source?,
        toward: toward?,
        erasure: erasure?,
        tables,
        stays,
        beside,
        back,
        dossier,
        pending,
        unfinished,
        identifiers: identifiers.unwrap_or_default(),
    })
}

fn read_identifiers(r: &mut Reader<'_>, mut t: Fields<'_, '_>) -> (Invalid, Numbers) {
    let rules = [Invalid::Local, Invalid::Withhold, Invalid::Refuse].map(|rule| (rule.name(), rule));
    let invalid = t.maybe_text(r, "invalid").and_then(|w| word(r, "invalid", &w, &rules));
    let settings = [Numbers::Real, Numbers::Test].map(|numbers| (numbers.name(), numbers));
    let numbers = t.maybe_text(r, "numbers").and_then(|w| word(r, "numbers", &w, &settings));
    t.end(r);
    (invalid.unwrap_or_default(), numbers.unwrap_or_default())
}

struct Head {
    kind: Option<Kind>,
    purpose: Option<Spanned<String>>,
    dictionary: Option<Spanned<String>>,
    mapping: Option<Spanned<String>>,
    max_runs: u64,
    status_max_age: Option<u64>,
    tolerance: u64,
    witnessed: bool,
    witnesses: Vec<String>,
    excluded: Option<Spanned<String>>,
}

fn read_head(r: &mut Reader<'_>, mut t: Fields<'_, '_>) -> Head {
    let kinds = [("bulk", Kind::Bulk), ("targeted", Kind::Targeted), ("single", Kind::Single)];
    let kind = t.text(r, "kind").and_then(|k| word(r, "kind", &k, &kinds));
    let purpose = t.text(r, "purpose");
    let dictionary = t.digest(r, "dictionary");
    let mapping = t.digest(r, "mapping");
    let max_runs = t.maybe_number(r, "max_runs");
    if let Some(zero) = max_runs.as_ref().filter(|n| n.value == 0) {
        r.find(Finding::new(&WRONG_VALUE, "`max_runs` is at least 1").at(zero.span.clone()));
    }
    let suite = t.text(r, "suite");
    if let Some(suite) = suite.filter(|s| s.value != super::SUITE) {
        let finding = Finding::new(&WRONG_VALUE, format!("the suite `{}` is not known", suite.value));
        r.find(finding.at(suite.span).help(format!("this version knows {}", super::SUITE)));
    }
    let status_max_age = t.text(r, "status_max_age").and_then(|age| duration(r, &age));
    let tolerance = t.maybe_number(r, "tolerance").map_or(0, |n| n.value);
    let witnessed = t.flag(r, "witnessed");
    let witnesses = t.texts(r, "witnesses").into_iter().map(|key| key.value).collect();
    let excluded = t.maybe_text(r, "persons_excluded").and_then(|d| as_digest(r, "persons_excluded", d));
    t.end(r);
    let max_runs = max_runs.map_or(1, |n| n.value);
    Head {
        kind,
        purpose,
        dictionary,
        mapping,
        max_runs,
        status_max_age,
        tolerance,
        witnessed,
        witnesses,
        excluded,
    }
}

/// `of`: of a destination, the legal entity that the order names, if it does; `None` of a source.
pub(super) fn read_endpoint(
    r: &mut Reader<'_>,
    mut t: Fields<'_, '_>,
    of: Option<Option<&Entity>>,
) -> Option<Endpoint> {
    let source = of.is_none();
    let engines = Engine::ALL.map(|e| (e.name(), e));
    let engine = t.text(r, "engine").and_then(|e| word(r, "engine", &e, &engines));
    let database = t.text(r, "database");
    let identity = t.text(r, "identity");
    let tls_spki = t.maybe_text(r, "tls_spki").and_then(|d| as_digest(r, "tls_spki", d));
    let schema = if source { t.text(r, "schema") } else { t.maybe_text(r, "schema") };
    let schema = schema.and_then(|d| as_digest(r, "schema", d));
    // of a destination nothing is read that somebody could deny
    let cannot_deny = source && t.flag(r, "cannot_deny");
    let in_clear = source && t.flag(r, "in_clear");
    let staging = if source { t.maybe_text(r, "staging") } else { None };
    if let Some(wrong) = staging.as_ref().filter(|path| !cannot_deny || !path.value.starts_with('/')) {
        let finding = Finding::new(&WRONG_VALUE, STAGING).at(wrong.span.clone());
        r.find(finding.help("write the folder's whole path, beside cannot_deny = true"));
    }
    let files = if source { None } else { t.maybe_text(r, "files") };
    let known = of.and_then(|entity| {
        let known = t.maybe_table(r, "known")?;
        super::known::read(r, known, entity)
    });
    t.end(r);
    let (engine, database, identity) = (engine?, database?, identity?);
    Some(Endpoint {
        engine,
        database,
        identity,
        tls_spki,
        schema,
        cannot_deny,
        in_clear,
        staging,
        files,
        known,
    })
}

const STAGING: &str =
    "`staging` is the whole path of a folder, and only a source that gives everything has one";

/// Whether a text has the form of a FINESS number; Corsica's begin with 2A or 2B.
pub(crate) fn is_finess(text: &str) -> bool {
    text.len() == 9 && text.bytes().all(|b| b.is_ascii_digit() || b == b'A' || b == b'B')
}

fn read_entity(r: &mut Reader<'_>, mut t: Fields<'_, '_>) -> Option<Entity> {
    let finess = t.text(r, "finess");
    let columns = t.texts(r, "columns");
    let value = t.get("value").and_then(|v| match v.get_ref() {
        toml::de::DeValue::Integer(number) => Some(number.as_str().to_owned()),
        _ => as_text(r, "value", v).map(|text| text.value),
    });
    if columns.is_empty() {
        let finding = Finding::new(&MISSING_KEY, "`columns` is missing: which columns say whose a row is");
        r.find(finding.at(t.span.clone()).help("for instance: columns = [\"site.finess\"]"));
    }
    t.end(r);
    if let Some(wrong) = finess.as_ref().filter(|f| !is_finess(&f.value)) {
        let finding =
            Finding::new(&WRONG_VALUE, "a FINESS number has nine characters").at(wrong.span.clone());
        r.find(finding.help("write the legal entity's, not the site's, without blanks"));
    }
    Some(Entity { finess: finess?, columns, value })
}

fn read_erasure(r: &mut Reader<'_>, mut t: Fields<'_, '_>) -> Option<Erasure> {
    let copies = t.maybe_date(r, "copies");
    if copies.is_none() && t.get("copies").is_none() {
        let finding =
            Finding::new(&MISSING_KEY, "`copies` is missing: the day by which every copy is erased");
        r.find(finding.at(t.span.clone()).law("GDPR Art. 28(3)(g)"));
    }
    let source = t.maybe_date(r, "source");
    t.end(r);
    Some(Erasure { copies: copies?, source })
}

fn read_table(r: &mut Reader<'_>, mut t: Fields<'_, '_>) -> Option<TableOrder> {
    let name = t.text(r, "name");
    let label = t.maybe_text(r, "label").map(|l| l.value).unwrap_or_default();
    let columns = if t.get("columns").and_then(|v| v.get_ref().as_str()) == Some("*") {
        let span = t.get("columns").map_or(0..0, toml::Spanned::span);
        wildcard(r, span);
        Vec::new()
    } else {
        t.list(r, "columns").into_iter().flat_map(|v| read_columns(r, v)).collect()
    };
    let rows = t.text(r, "rows").and_then(|rows| literal(r, rows));
    let reference = t.flag(r, "reference");
    let shared = t.maybe_text(r, "shared");
    if let Some(empty) = shared.as_ref().filter(|s| !template::filled(&s.value)) {
        let finding = Finding::new(&WRONG_VALUE, "`shared` is a reason").at(empty.span.clone());
        r.find(finding.help("for instance: shared = \"tests and units, the same for all\""));
    }
    let key = t.texts(r, "key");
    let relations = t.tables(r, "relations").into_iter().filter_map(|f| read_relation(r, f)).collect();
    let files = t.tables(r, "files").into_iter().filter_map(|f| super::files::read(r, f)).collect();
    let span = t.span.clone();
    t.end(r);
    Some(TableOrder {
        name: name?,
        label,
        columns,
        rows: rows?,
        shared,
        reference,
        key,
        relations,
        files,
        span,
    })
}

/// One column, or several of one reason: `"a"`, `{ name = "a", … }`, `{ names = ["a", "b"], … }`.
fn read_columns(r: &mut Reader<'_>, value: &toml::Spanned<toml::de::DeValue<'_>>) -> Vec<ColumnOrder> {
    let (names, reason, screen) = if value.get_ref().as_table().is_none() {
        (as_text(r, "columns", value).into_iter().collect(), None, None)
    } else {
        let Some(mut t) = as_table(r, "columns", value) else { return Vec::new() };
        let names = if t.get("names").is_some() {
            t.texts(r, "names")
        } else {
            t.text(r, "name").into_iter().collect()
        };
        // the draft's own placeholder is nobody's reason
        let reason = t.maybe_text(r, "reason").filter(|reason| template::filled(&reason.value));
        let screens = [("pass", Screen::Pass), ("withhold", Screen::Withhold), ("redact", Screen::Redact)];
        let screen = t.maybe_text(r, "screen").and_then(|s| word(r, "screen", &s, &screens));
        t.end(r);
        (names, reason, screen)
    };
    let (all, plain): (Vec<_>, Vec<_>) = names.into_iter().partition(|name| name.value.contains('*'));
    all.into_iter().for_each(|name| wildcard(r, name.span));
    let screen = screen.unwrap_or(Screen::Pass);
    plain.into_iter().map(|name| ColumnOrder { name, reason: reason.clone(), screen }).collect()
}

fn wildcard(r: &mut Reader<'_>, span: std::ops::Range<usize>) {
    let finding = Finding::new(&WILDCARD, "there are no wildcards").at(span);
    r.find(finding.law("GDPR Art. 5(1)(c): no more than is necessary").help("list the columns by name"));
}

fn read_relation(r: &mut Reader<'_>, mut f: Fields<'_, '_>) -> Option<RelationOrder> {
    let column = f.text(r, "column");
    let table = f.text(r, "table");
    let to = f.text(r, "to");
    f.end(r);
    Some(RelationOrder { column: column?, table: table?, to: to? })
}

fn read_stays(r: &mut Reader<'_>, t: &Fields<'_, '_>) -> Vec<Stay> {
    t.entries().into_iter().filter_map(|(key, value)| read_stay(r, key, value)).collect()
}

fn read_stay(
    r: &mut Reader<'_>,
    key: Spanned<String>,
    value: &toml::Spanned<toml::de::DeValue<'_>>,
) -> Option<Stay> {
    let Some(class) = Class::from_name(&key.value) else {
        let names = Class::ALL.map(Class::name);
        let finding =
            Finding::new(&WRONG_VALUE, format!("the class `{}` is not known", key.value)).at(key.span);
        r.find(finding.help(suggestion(&key.value, names).unwrap_or_default()));
        return None;
    };
    let class = Spanned::new(class, key.span);
    let (fate, reason) = read_fate(r, value)?;
    Some(Stay { class, fate, reason })
}

/// A fate's word; its day is read where the word wants one.
#[derive(Clone, Copy)]
enum Word {
    Return,
    Keep,
    Destroy,
}

const FATES: [(&str, Word); 3] = [("return", Word::Return), ("keep", Word::Keep), ("destroy", Word::Destroy)];

/// `"return"`, or a table. What a fate does not need it does not take either.
fn read_fate(r: &mut Reader<'_>, value: &toml::Spanned<toml::de::DeValue<'_>>) -> Option<(Fate, String)> {
    if value.get_ref().as_str().is_some() {
        let lacks = |what: &str, help: &str| Finding::new(&WRONG_VALUE, what).at(value.span()).help(help);
        match as_text(r, "fate", value).and_then(|f| word(r, "fate", &f, &FATES))? {
            Word::Return => return Some((Fate::Return, String::new())),
            Word::Keep => r.find(lacks(KEPT, "write { fate = \"keep\", until = 2036-12-31 }")),
            Word::Destroy => r.find(lacks(
                "what is destroyed needs a reason and a day",
                "write { fate = \"destroy\", reason = \"…\", by = 2027-06-30 }",
            )),
        }
        return None;
    }
    let mut t = as_table(r, "fate", value)?;
    let fate = fate_of(r, &mut t, value.span());
    t.end(r);
    fate
}

/// `fate`, with its day and its reason, beside whatever else stands in the table.
pub(super) fn fate_of(
    r: &mut Reader<'_>,
    t: &mut Fields<'_, '_>,
    span: std::ops::Range<usize>,
) -> Option<(Fate, String)> {
    let fate = t.text(r, "fate").and_then(|f| word(r, "fate", &f, &FATES))?;
    let reason = t.maybe_text(r, "reason").map(|s| s.value).filter(|reason| template::filled(reason));
    let fate = match fate {
        Word::Return => Some(Fate::Return),
        Word::Keep => day(r, t, "until", KEPT).map(|until| Fate::Keep { until }),
        Word::Destroy => {
            if reason.is_none() {
                let finding = Finding::new(&WRONG_VALUE, "what is destroyed needs a reason").at(span);
                r.find(finding.law("GDPR Art. 5(2)").help("add  reason = \"why it may go\""));
            }
            day(r, t, "by", "what is destroyed needs a day").map(|by| Fate::Destroy { by })
        }
    };
    Some((fate?, reason.unwrap_or_default()))
}

const KEPT: &str = "what is kept is kept until a day";

/// A day that must be there.
fn day(r: &mut Reader<'_>, t: &mut Fields<'_, '_>, key: &'static str, lacks: &str) -> Option<Date> {
    if t.get(key).is_none() {
        let finding = Finding::new(&WRONG_VALUE, lacks).at(t.span.clone());
        r.find(finding.help(format!("add  {key} = 2036-12-31")));
        return None;
    }
    t.maybe_date(r, key).map(|day| day.value)
}

/// One of a few words.
fn word<T: Copy>(r: &mut Reader<'_>, what: &str, text: &Spanned<String>, words: &[(&str, T)]) -> Option<T> {
    if let Some((_, value)) = words.iter().find(|(name, _)| *name == text.value) {
        return Some(*value);
    }
    let finding = Finding::new(&WRONG_VALUE, format!("`{what}` cannot be `{}`", text.value));
    let help = suggestion(&text.value, words.iter().map(|(name, _)| *name)).unwrap_or_default();
    r.find(finding.at(text.span.clone()).help(help));
    None
}

/// `24h`, `90m`, `7d`, as seconds.
fn duration(r: &mut Reader<'_>, text: &Spanned<String>) -> Option<u64> {
    let units = [('m', 60), ('h', 3600), ('d', 86_400)];
    let parsed = units.iter().find_map(|(unit, seconds)| {
        let number: u64 = text.value.strip_suffix(*unit)?.parse().ok()?;
        number.checked_mul(*seconds).filter(|n| *n > 0)
    });
    if parsed.is_none() {
        let finding = Finding::new(&WRONG_VALUE, "`status_max_age` wants a number of minutes, hours or days");
        r.find(finding.at(text.span.clone()).help("for instance \"24h\", \"90m\" or \"7d\""));
    }
    parsed
}

/// A name that is printed: letters, digits, blanks, `-` and `_`, 40 of them at most.
pub(super) fn word_like(r: &mut Reader<'_>, name: Spanned<String>) -> Option<Spanned<String>> {
    let fits = |c: char| c.is_alphanumeric() || [' ', '-', '_'].contains(&c);
    let text = &name.value;
    if !text.trim().is_empty() && text.chars().count() <= 40 && text.chars().all(fits) {
        return Some(name);
    }
    let finding = Finding::new(&WRONG_VALUE, "this is not a name").at(name.span);
    r.find(finding.help("letters, digits, blanks, - and _, at most 40"));
    None
}

/// A text that stands in `'…'` or `'''…'''`; its span becomes that of the bytes inside.
pub(super) fn literal(r: &mut Reader<'_>, text: Spanned<String>) -> Option<Spanned<String>> {
    let raw = r.text.get(text.span.clone()).unwrap_or_default();
    let quotes = if raw.starts_with("'''") { 3 } else { 1 };
    if !raw.starts_with('\'') {
        let finding = Finding::new(&NOT_LITERAL, "this filter stands in double quotes").at(text.span);
        r.find(finding.help("write it in single quotes: '…', or '''…''' over several lines"));
        return None;
    }
    // a line feed right after the opening ''' is not part of the text
    let end = text.span.end.saturating_sub(quotes);
    let start = end.saturating_sub(text.value.len());
    Some(Spanned::new(text.value, start..end))
}
