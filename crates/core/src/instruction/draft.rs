//! Drafts an instruction: every column listed, every one denied.

use std::collections::{BTreeMap, BTreeSet};

use toml::de::{DeTable, DeValue};

use super::SUITE;
use crate::class::Class;
use crate::classify::{is_credential, lists_kinds, split};
use crate::count::{number, plural};
use crate::dictionary::{Column, Dictionary, Table};
use crate::document::Kind;
use crate::mapping::Mapping;
use crate::plain::shown;
use crate::reader::quote;
use crate::template::{Head, header};
use crate::types::Engine;

/// What a draft writes for a day that nobody has decided; no date, so that it is not taken for one.
pub const UNDECIDED: &str = "\"…\"";

/// One of the two databases, as far as it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Side {
    /// The engine.
    pub engine: Engine,
    /// The database's name.
    pub database: String,
    /// The instance's identity.
    pub identity: String,
    /// The pin of its public key, where the connection needs one.
    pub tls_spki: Option<String>,
}

/// What an instruction is drafted from.
#[derive(Clone, Copy, Debug)]
pub struct Drafting<'a> {
    /// The common header's values.
    pub head: &'a Head,
    /// The dictionary.
    pub dictionary: &'a Dictionary,
    /// The mapping, where there is one: what it uses is marked.
    pub mapping: Option<&'a Mapping>,
    /// The tables to begin with; their headers stand uncommented, their columns do not.
    pub tables: &'a [String],
    /// The destination, where it is known.
    pub destination: Option<&'a Side>,
    /// The pin of the source's public key, where the connection needs one.
    pub source_tls_spki: Option<&'a str>,
}

/// The draft: commented TOML in which every column stands, commented out. A column is
/// granted by taking its `#` away, one by one (GDPR Art. 25(2): denied by default).
#[must_use]
pub fn draft(from: &Drafting<'_>) -> String {
    let source = Side {
        engine: from.dictionary.engine,
        database: from.dictionary.database.clone(),
        identity: from.dictionary.identity.clone(),
        tls_spki: from.source_tls_spki.map(str::to_owned),
    };
    let unknown = Side {
        engine: Engine::Postgresql,
        database: "…".to_owned(),
        identity: "…".to_owned(),
        tls_spki: None,
    };
    let mapping = from.mapping.map_or("sha256:…", |m| m.digest.as_str());
    let mut out = format!(
        "# The order of migration. Everything is denied: a column moves when the # before it is taken\n\
         # away, row by row as `rows` says. Check it: ecluse instruction check\n\n\
         {}\n[instruction]\n\
         kind           = \"targeted\"   # bulk, targeted, single\n\
         purpose        = \"…\"\n\
         dictionary     = {}\n\
         mapping        = {}\n\
         max_runs       = 1\n\
         suite          = {}\n\
         status_max_age = \"24h\"\n\
         tolerance      = 0            # refused rows that still let a run end well\n{}\n",
        header(Kind::Instruction, from.head),
        quote(&from.dictionary.digest),
        quote(mapping),
        quote(SUITE),
        if from.head.trial { "" } else { WITNESSED },
    );
    out += &side("source", &source, true);
    out += &side("destination", from.destination.unwrap_or(&unknown), false);
    out += SEALED;
    if from.mapping.is_some_and(|mapping| mapping.append.is_some()) {
        out += KNOWN;
    }
    out += &format!(
        "[erasure]\ncopies = {}          # by this day every copy of patients' data that écluse made is erased;\n\
         #                               its journal, counts, reports and evidence a year later\n\
         # source = 2027-01-31          # and, where the controller orders it, what moved, at the source\n\n",
        from.head.not_after.to_zoned(jiff::tz::TimeZone::UTC).date()
    );
    out += &stays(from);
    out += "[pending]                        # requests not finished at the cut-over: stay, move, wait\nrule = \"stay\"\n";
    out += "# where = {  }                   # which rows these are, a filter under each table's name: request = '…'\n";
    out += "\n# [dossier]                      # whose rows are one dossier each: the table of the requests\n\
            # table = \"…\"\n\
            # kinds = { microbiology = '…' }   # what must not be missed where dossiers are drawn, each a filter\n";
    out += "\n# [national_identifier]          # numbers that fail their check: local, withhold, refuse\n\
            # invalid = \"local\"            # as a local identifier, the identity provisional\n";
    for table in ordered(from) {
        out += &draft_table(from, table);
    }
    out
}

/// Who signs for a journal they saw can tell later what was changed in it.
const WITNESSED: &str = "witnessed      = true         # rows move once the controller's status has seen the plan in the journal\n";

/// The other way, for whoever may not be connected to.
const SEALED: &str = "# [[recipient]]                # in place of [destination]: an archive that one recipient can open\n\
    # age       = \"age1…\"         # both stand in the recipient's own statement: ecluse recipient show\n\
    # statement = \"sha256:…\"\n\n";

/// Where rows arrive beside other laboratories'.
const KNOWN: &str = "# [destination.known]           # list the persons who exist there already; none is merged\n\
    # table  = \"…\"                # the destination's table of persons\n\
    # entity = \"…\"                # whose rows are compared: the column that says whose a row is\n\
    # value  = \"…\"                # what stands there; [entity]'s FINESS number if absent. Or, for a shared table, shared = \"why\"\n\
    # number = \"…\"                # the number, with  authority = \"…\" ; and family, given, born, sex\n\n";

/// A proposal for each class that the dictionary has, each commented out: the fate of what stays is
/// decided by the controller, and nothing is planned before.
fn stays(from: &Drafting<'_>) -> String {
    let by = from.head.not_after.to_zoned(jiff::tz::TimeZone::UTC).date();
    let mut out = "[stays]   # what stays behind (a column without a grant, a row that is not chosen), and its fate\n\
                   # Take the # away before each class, once the controller has decided. There are three fates:\n\
                   #   \"return\"                                             sealed to the controller\n\
                   #   { fate = \"keep\", until = 2036-12-31 }               in the old system, until that day\n\
                   #   { fate = \"destroy\", reason = \"…\", by = 2027-06-30 }  by that day\n"
        .to_owned();
    for class in Class::ALL {
        let columns = from.dictionary.tables.iter().flat_map(|t| &t.columns).filter(|c| c.class == class);
        let columns = columns.count();
        if columns == 0 {
            continue;
        }
        let fate = if class == Class::Credential {
            format!(
                "{{ fate = \"destroy\", reason = \"it opens the old system, and nothing else\", by = {by} }}"
            )
        } else {
            format!("{{ fate = \"keep\", until = {UNDECIDED} }}")
        };
        let entry = format!("{:<21} = {fate}", quote(class.name()));
        out += &format!("# {entry:<66} # {}\n", plural(number(columns), "column", "columns"));
    }
    out + "\n"
}

/// The chosen tables first, in the order they were given; then the dictionary's.
fn ordered<'a>(from: &Drafting<'a>) -> Vec<&'a Table> {
    let chosen: BTreeSet<&str> = from.tables.iter().map(String::as_str).collect();
    let known: BTreeMap<&str, &Table> =
        from.dictionary.tables.iter().rev().map(|t| (t.name.value.as_str(), t)).collect();
    let mut tables: Vec<&Table> = from.tables.iter().filter_map(|n| known.get(n.as_str()).copied()).collect();
    tables.extend(from.dictionary.tables.iter().filter(|t| !chosen.contains(t.name.value.as_str())));
    tables
}

fn side(name: &str, side: &Side, schema: bool) -> String {
    let tls = side.tls_spki.as_ref().map_or_else(
        || {
            "# tls_spki = \"sha256:…\"   # the server's key, where the connection leaves the machine\n"
                .to_owned()
        },
        |pin| format!("tls_spki = {}\n", quote(pin)),
    );
    // what the controller has to know of a source that cannot deny stands there to be granted
    let knows = if schema && (side.engine == Engine::Csv || side.identity.starts_with("dump/")) {
        "# cannot_deny = true         # it gives everything, and all of it passes through memory\n\
         # in_clear = true            # it lies in a file in clear, which is erased by [erasure] copies\n\
         # staging = \"/…\"           # a folder in which ordered rows beyond memory stand sealed, for the time of a run\n"
    } else {
        ""
    };
    let schema = if schema {
        "schema   = \"sha256:…\"     # ecluse instruction check says it, once the tables are chosen\n"
    } else {
        ""
    };
    format!(
        "[{name}]\nengine   = {}\ndatabase = {}\nidentity = {}\n{tls}{schema}{knows}\n",
        quote(side.engine.name()),
        quote(&side.database),
        quote(&side.identity)
    )
}

fn draft_table(from: &Drafting<'_>, table: &Table) -> String {
    let chosen = from.tables.contains(&table.name.value);
    let mark = if chosen { "" } else { "# " };
    let label =
        if table.label.is_empty() { String::new() } else { format!("   # {}", in_comment(&table.label)) };
    let mut out =
        format!("\n{mark}[[table]]{label}\n{mark}name = {}\n{mark}rows = 'true'\n", quote(&table.name.value));
    if chosen && lists_things(table) {
        out += "# reference = true   # tests, units, codes: moved first, and accepted by a biologist before the rest\n";
    }
    if table.key.is_empty() {
        out += &format!(
            "{mark}# key = [\"…\"]   # the database declares none; without one the table moves in one piece\n"
        );
    }
    out += &format!("{mark}columns = [\n");
    if chosen && table.columns.iter().filter(|c| c.class.needs_reason()).count() > 2 {
        out += "# of one reason: { names = [\"…\", \"…\"], reason = \"…\" },   each is shown to who signs\n";
    }
    for column in &table.columns {
        out += &draft_column(from, table, column);
    }
    out += &format!("{mark}]\n");
    for column in table.columns.iter().filter(|c| c.class == Class::Attachment && c.ty == "text") {
        out += &format!(
            "# [[table.files]]            # where it names files, these move with their rows\n\
             # column = {}\n\
             # folder = \"/…\"             # and under [destination], who receives them: files = \"/…\"\n",
            quote(&column.name.value)
        );
    }
    out
}

/// Whether a table may be reference data: few columns, of nobody, and none that leads to a patient, a
/// request, a specimen or a result. Free text does not count against it: a test has a description.
fn lists_things(table: &Table) -> bool {
    const FEW: usize = 20;
    const ACTS: [&str; 17] = [
        "patient",
        "patients",
        "client",
        "person",
        "party",
        "pid",
        "dossier",
        "request",
        "order",
        "specimen",
        "sample",
        "result",
        "resultat",
        "visit",
        "encounter",
        "bill",
        "user",
    ];
    let acts = |name: &str| split(name).iter().any(|word| ACTS.contains(&word.as_str()));
    // its own key is called after it: `specimen_type_id`
    let refers = |column: &Column| {
        let words = split(&column.name.value);
        let number = words.iter().any(|word| word == "id") || words.len() == 1;
        number
            && acts(&column.name.value)
            && !table.key.contains(&column.name.value)
            && !lists_kinds(column.name.value.trim_end_matches("_id"))
    };
    let of_somebody = |column: &Column| match column.class {
        Class::FreeText | Class::Attachment | Class::Audit | Class::Technical | Class::Quality => false,
        // whose reference interval it is
        Class::Identity => {
            !split(&column.name.value).iter().any(|w| matches!(w.as_str(), "sex" | "sexe" | "gender" | "age"))
        }
        Class::Contact
        | Class::NationalIdentifier
        | Class::ThirdParty
        | Class::Staff
        | Class::Result
        | Class::SensitiveResult
        | Class::Credential
        | Class::Billing => true,
    };
    let named = acts(&table.name.value) && !lists_kinds(&table.name.value);
    !table.patients
        && !named
        && table.columns.len() <= FEW
        && !table.columns.iter().any(|column| refers(column) || of_somebody(column))
        && !table.relations.iter().any(|relation| acts(&relation.table) && !lists_kinds(&relation.table))
}

fn draft_column(from: &Drafting<'_>, table: &Table, column: &Column) -> String {
    let name = &column.name.value;
    if column.class == Class::Credential || is_credential(&table.name.value, name) {
        return format!("#   {}: {}; never moves\n", in_comment(name), Class::Credential);
    }
    let used = from
        .mapping
        .and_then(|m| m.table(&table.name.value))
        .is_some_and(|map| map.columns.iter().flat_map(|c| c.make.uses()).any(|u| u.value == *name));
    let entry = if column.class.needs_reason() {
        format!("{{ name = {}, reason = \"…\" }},", quote(name))
    } else {
        format!("{},", quote(name))
    };
    let mut about = vec![column.class.name().to_owned(), column.sql_type.clone()];
    if table.key.contains(name) {
        about.insert(0, "key".to_owned());
    }
    if !column.label.is_empty() {
        about.push(column.label.clone());
    }
    if column.ty.is_empty() {
        about.push("a type this version cannot read".to_owned());
    }
    if used {
        about.push("the mapping uses it".to_owned());
    }
    format!("#   {entry:<40} # {}\n", in_comment(&about.join(", ")))
}

/// A surveyed text in a comment: it ends no line, and the draft that holds it can be read.
fn in_comment(text: &str) -> String {
    shown(text).replace(['\n', '\r'], " ")
}

/// Writes the digests an instruction cites into its text: dictionary, mapping, and the schema of
/// the tables it instructs, as they were surveyed. Everything else stays byte for byte.
///
/// `None` where the text is not TOML. For drafts: a signed text would no longer be the one signed.
#[must_use]
pub fn fill(text: &str, dictionary: &Dictionary, mapping: Option<&Mapping>) -> Option<String> {
    let tree = DeTable::parse(text).ok()?;
    let tree = tree.get_ref();
    let names: Vec<String> = tree
        .get("table")
        .and_then(|tables| tables.get_ref().as_array())
        .map(|tables| {
            tables
                .iter()
                .filter_map(|t| t.get_ref().as_table()?.get("name")?.get_ref().as_str().map(str::to_owned))
                .collect()
        })
        .unwrap_or_default();
    let place = |section: &str, key: &str| {
        let value = tree.get(section)?.get_ref().as_table()?.get(key)?;
        matches!(value.get_ref(), DeValue::String(_)).then(|| value.span())
    };
    let mut edits = vec![
        (place("instruction", "dictionary"), dictionary.digest.clone()),
        (place("source", "schema"), dictionary.schema(&names)),
    ];
    if let Some(mapping) = mapping {
        edits.push((place("instruction", "mapping"), mapping.digest.clone()));
    }
    let mut edits: Vec<_> = edits.into_iter().filter_map(|(span, digest)| Some((span?, digest))).collect();
    edits.sort_by_key(|(span, _)| std::cmp::Reverse(span.start));
    let mut out = text.to_owned();
    for (span, digest) in edits {
        out.replace_range(span, &quote(&digest));
    }
    Some(out)
}
