//! The visible change list between two versions of an instruction: exactly the changed fields.

use std::fmt;

use crate::document::Header;
use crate::instruction::{
    Beside, ColumnOrder, Dossier, DossierKind, Endpoint, Fate, FilesOrder, Known, Order, Pending,
    RelationOrder, Stay, TableOrder, Toward, Unfinished,
};

/// One changed field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Which field, as a person would point at it: `table sigl_03_data, column nom`.
    pub field: String,
    /// What it said; `None` where it was absent.
    pub was: Option<String>,
    /// What it says; `None` where it is absent.
    pub is: Option<String>,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.was, &self.is) {
            (None, Some(is)) if is.is_empty() => write!(f, "+ {}", self.field),
            (None, Some(is)) => write!(f, "+ {}: {is}", self.field),
            (Some(was), None) if was.is_empty() => write!(f, "- {}", self.field),
            (Some(was), None) => write!(f, "- {}: {was}", self.field),
            (was, is) => {
                let text = |t: &Option<String>| t.clone().unwrap_or_default();
                write!(f, "~ {}: {} → {}", self.field, text(was), text(is))
            }
        }
    }
}

/// What changed from one version to the next: the period, then the order, in the document's order.
/// Id, version, `supersedes` and `issued` differ between any two versions and are not listed.
#[must_use]
pub fn changes(was: (&Header, &Order), is: (&Header, &Order)) -> Vec<Change> {
    let mut list = List(Vec::new());
    list.header(was.0, is.0);
    list.order(was.1, is.1);
    list.0
}

/// Where an order goes, in one line: the way itself changed.
fn way(toward: &Toward) -> String {
    match toward {
        Toward::Database(to) => {
            format!("the database {} ({}), identity {}", to.database.value, to.engine, to.identity.value)
        }
        Toward::Sealed(to) => {
            format!("an archive sealed to {}, statement {}", to.age.value, to.statement.value)
        }
    }
}

struct List(Vec<Change>);

impl List {
    fn value(&mut self, field: impl Into<String>, was: Option<String>, is: Option<String>) {
        if was != is {
            self.0.push(Change { field: field.into(), was, is });
        }
    }

    fn text(&mut self, field: &str, was: impl fmt::Display, is: impl fmt::Display) {
        self.value(field, Some(was.to_string()), Some(is.to_string()));
    }

    fn header(&mut self, was: &Header, is: &Header) {
        // without `..`: a new field stops the build until somebody decides whether it is shown
        let Header {
            kind: _,
            id: _,
            version: _,
            supersedes: _,
            contract,
            issued: _,
            not_before,
            not_after,
            seen: _,
            trial,
        } = was;
        self.value("contract", contract.clone(), is.contract.clone());
        self.text("not_before", not_before, is.not_before);
        self.text("not_after", not_after, is.not_after);
        self.text("trial", trial, is.trial);
    }

    fn order(&mut self, was: &Order, is: &Order) {
        let Order {
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
            entity,
            source,
            toward,
            erasure,
            tables,
            stays,
            beside,
            back,
            dossier,
            pending,
            unfinished,
            identifiers,
        } = was;
        self.text("kind", kind.name(), is.kind.name());
        self.text("purpose", &purpose.value, &is.purpose.value);
        self.text("dictionary", &dictionary.value, &is.dictionary.value);
        self.text("mapping", &mapping.value, &is.mapping.value);
        self.text("max_runs", max_runs, is.max_runs);
        self.text("status_max_age", format!("{status_max_age} s"), format!("{} s", is.status_max_age));
        self.text("tolerance", tolerance, is.tolerance);
        self.text("witnessed", witnessed, is.witnessed);
        let joined = |keys: &[String]| (!keys.is_empty()).then(|| keys.join(", "));
        self.value("witnesses", joined(witnesses), joined(&is.witnesses));
        let list = |e: &Option<crate::reader::Spanned<String>>| e.as_ref().map(|e| e.value.clone());
        self.value("persons_excluded", list(excluded), list(&is.excluded));
        let whose = |e: &Option<crate::instruction::Entity>| {
            let columns = |e: &crate::instruction::Entity| {
                e.columns.iter().map(|c| c.value.clone()).collect::<Vec<_>>().join(", ")
            };
            e.as_ref().map(|e| format!("FINESS {}, {} in {}", e.finess.value, e.value(), columns(e)))
        };
        self.value("entity", whose(entity), whose(&is.entity));
        self.endpoint("source", source, &is.source);
        self.toward(toward, &is.toward);
        self.text("erasure of copies", erasure.copies.value, is.erasure.copies.value);
        let date =
            |d: &Option<crate::reader::Spanned<jiff::civil::Date>>| d.as_ref().map(|d| d.value.to_string());
        self.value("erasure at the source", date(&erasure.source), date(&is.erasure.source));
        self.stays(stays, &is.stays);
        self.beside(beside, &is.beside);
        let told = |back: &Option<crate::instruction::Back>| {
            let whose = |alone: bool| if alone { "every row" } else { "the entity's rows" };
            let told = |b: &crate::instruction::Back| {
                format!("{} ({}), {}", b.to.age.value, b.to.statement.value, whose(b.alone))
            };
            back.as_ref().map(told)
        };
        self.value("returned to the key", told(back), told(&is.back));
        self.dossier(dossier.as_ref(), is.dossier.as_ref());
        let rule = |p: Option<Pending>| p.map(|p| p.name().to_owned());
        self.value("pending requests", rule(*pending), rule(is.pending));
        let filter = |one: &Unfinished| one.filter.value.clone();
        self.sets(unfinished, &is.unfinished, |u| u.table.value.clone(), "unfinished rows of ", filter);
        self.text("invalid national identifiers", identifiers.0.name(), is.identifiers.0.name());
        self.text("national identifiers", identifiers.1.name(), is.identifiers.1.name());
        self.tables(tables, &is.tables);
    }

    fn toward(&mut self, was: &Toward, is: &Toward) {
        match (was, is) {
            (Toward::Database(was), Toward::Database(is)) => self.endpoint("destination", was, is),
            (Toward::Sealed(was), Toward::Sealed(is)) => {
                self.text("recipient age", &was.age.value, &is.age.value);
                self.text("recipient statement", &was.statement.value, &is.statement.value);
            }
            _ => self.text("goes to", way(was), way(is)),
        }
    }

    fn endpoint(&mut self, name: &str, was: &Endpoint, is: &Endpoint) {
        let Endpoint {
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
        } = was;
        let text = |t: &Option<crate::reader::Spanned<String>>| t.as_ref().map(|t| t.value.clone());
        self.text(&format!("{name} engine"), engine, is.engine);
        self.text(&format!("{name} database"), &database.value, &is.database.value);
        self.text(&format!("{name} identity"), &identity.value, &is.identity.value);
        self.value(format!("{name} tls_spki"), text(tls_spki), text(&is.tls_spki));
        self.value(format!("{name} schema"), text(schema), text(&is.schema));
        self.text(&format!("{name} cannot_deny"), cannot_deny, is.cannot_deny);
        self.text(&format!("{name} in_clear"), in_clear, is.in_clear);
        self.value(format!("{name} staging"), text(staging), text(&is.staging));
        self.value(format!("{name} files"), text(files), text(&is.files));
        let told = |known: &Option<Known>| known.as_ref().map(Known::told);
        self.value("persons known already, at the destination", told(known), told(&is.known));
    }

    fn stays(&mut self, was: &[Stay], is: &[Stay]) {
        let told = |stay: &Stay| {
            let Stay { class: _, fate, reason } = stay;
            fate_told(*fate, reason)
        };
        self.sets(was, is, |s| s.class.value.name().to_owned(), "fate of ", told);
    }

    fn beside(&mut self, was: &[Beside], is: &[Beside]) {
        let name = |one: &Beside| {
            let Beside { table, column, of, to, fate: _, reason: _ } = one;
            format!("{}.{} that name {}.{}", table.value, column.value, of.value, to.value)
        };
        self.sets(was, is, name, "fate of rows of ", |one| fate_told(one.fate, &one.reason));
    }

    fn dossier(&mut self, was: Option<&Dossier>, is: Option<&Dossier>) {
        let table = |d: Option<&Dossier>| d.map(|d| d.table.value.clone());
        self.value("what a dossier is", table(was), table(is));
        let kinds = |d: Option<&Dossier>| -> Vec<(String, String)> {
            let told =
                |d: &Dossier, k: &DossierKind| format!("{} where {}", d.table_of(k).value, k.filter.value);
            let all =
                d.into_iter().flat_map(|d| d.kinds.iter().map(move |k| (k.name.value.clone(), told(d, k))));
            all.collect()
        };
        self.sets(&kinds(was), &kinds(is), |k| k.0.clone(), "kind of dossier ", |k| k.1.clone());
    }

    fn tables(&mut self, was: &[TableOrder], is: &[TableOrder]) {
        for table in was {
            match is.iter().find(|t| t.name.value == table.name.value) {
                Some(now) => self.table(table, now),
                None => self.value(format!("table {}", table.name.value), Some(summary(table)), None),
            }
        }
        for table in is.iter().filter(|t| was.iter().all(|w| w.name.value != t.name.value)) {
            self.value(format!("table {}", table.name.value), None, Some(summary(table)));
        }
        let order = |tables: &[TableOrder], others: &[TableOrder]| {
            let common: Vec<String> = tables
                .iter()
                .filter(|t| others.iter().any(|o| o.name.value == t.name.value))
                .map(|t| t.name.value.clone())
                .collect();
            common.join(", ")
        };
        self.text("order of the tables", order(was, is), order(is, was));
    }

    fn table(&mut self, was: &TableOrder, is: &TableOrder) {
        let TableOrder { name, label, columns, rows, shared, reference, key, relations, files, span: _ } =
            was;
        let field = |what: &str| format!("table {}, {what}", name.value);
        self.text(&field("label"), label, &is.label);
        self.text(&field("rows"), &rows.value, &is.rows.value);
        let reason = |s: &Option<crate::reader::Spanned<String>>| s.as_ref().map(|s| s.value.clone());
        self.value(field("shared"), reason(shared), reason(&is.shared));
        let first = |reference: bool| reference.then(|| "moved and accepted first".to_owned());
        self.value(field("reference"), first(*reference), first(is.reference));
        let names = |k: &[crate::reader::Spanned<String>]| {
            k.iter().map(|k| k.value.clone()).collect::<Vec<_>>().join(", ")
        };
        self.text(&field("key"), names(key), names(&is.key));
        let about = |column: &ColumnOrder| {
            let ColumnOrder { name: _, reason, screen } = column;
            let mut parts: Vec<String> = reason.iter().map(|r| format!("reason \"{}\"", r.value)).collect();
            if *screen != crate::instruction::Screen::Pass {
                parts.push(format!("screen {}", screen.name()));
            }
            parts.join(", ")
        };
        self.sets(columns, &is.columns, |c| c.name.value.clone(), &field("column "), about);
        let relation = |r: &RelationOrder| format!("{} to {}.{}", r.column.value, r.table.value, r.to.value);
        self.sets(relations, &is.relations, relation, &field("relation "), |_| String::new());
        let lie = |files: &FilesOrder| {
            let FilesOrder { column: _, folder, prefix, suffix, missing_refuses, largest } = files;
            let missing = if *missing_refuses { "refuses the row" } else { "is counted" };
            format!(
                "in {}, prefix \"{prefix}\", suffix \"{suffix}\", at most {largest} bytes, one that is missing {missing}",
                folder.value
            )
        };
        self.sets(files, &is.files, |f| f.column.value.clone(), &field("files of column "), lie);
    }

    /// Two lists of named things: what left, what came, what changed.
    fn sets<T>(
        &mut self,
        was: &[T],
        is: &[T],
        name: impl Fn(&T) -> String,
        prefix: &str,
        about: impl Fn(&T) -> String,
    ) {
        for old in was {
            let new = is.iter().find(|n| name(n) == name(old));
            self.value(format!("{prefix}{}", name(old)), Some(about(old)), new.map(&about));
        }
        for new in is.iter().filter(|n| was.iter().all(|o| name(o) != name(n))) {
            self.value(format!("{prefix}{}", name(new)), None, Some(about(new)));
        }
    }
}

fn fate_told(fate: Fate, reason: &str) -> String {
    let mut text = match fate {
        Fate::Return => "return".to_owned(),
        Fate::Keep { until } => format!("keep until {until}"),
        Fate::Destroy { by } => format!("destroy by {by}"),
    };
    if !reason.is_empty() {
        text += &format!(" ({reason})");
    }
    text
}

fn summary(table: &TableOrder) -> String {
    let columns: Vec<&str> = table.columns.iter().map(|c| c.name.value.as_str()).collect();
    format!("{} where {}", columns.join(", "), table.rows.value)
}
