//! Reads a TOML document key by key, with the place of every value.
//!
//! Hand-written rather than derived: every finding has its own code, points at bytes,
//! names the nearest right key, and the reading goes on, so that one reading mends all.

use std::collections::BTreeSet;
use std::ops::Range;

use toml::de::{DeTable, DeValue};

use crate::digest;
use crate::fault::Code;
use crate::finding::Finding;
use crate::nearest::suggestion;
use crate::plain;

/// A value and the bytes of the document it was read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Where it stands in the document.
    pub span: Range<usize>,
}

impl<T> Spanned<T> {
    /// A value with its place.
    pub const fn new(value: T, span: Range<usize>) -> Self {
        Self { value, span }
    }
}

/// The codes under which one kind of document reports mistakes of form.
#[derive(Debug)]
pub(crate) struct Codes {
    /// Not TOML at all.
    pub syntax: &'static Code,
    /// A key nobody knows.
    pub unknown: &'static Code,
    /// A key that is missing.
    pub missing: &'static Code,
    /// A value of the wrong kind.
    pub wrong: &'static Code,
}

/// A reading under way: the text and what was found so far.
#[derive(Debug)]
pub(crate) struct Reader<'t> {
    pub text: &'t str,
    pub codes: &'static Codes,
    pub findings: Vec<Finding>,
    /// Keys whose texts may hold any character.
    surveyed: &'static [&'static str],
}

type Value<'i> = toml::Spanned<DeValue<'i>>;

/// Reads a document that states one table, and what lies beside it; its header is read elsewhere. `read` is given
/// that table, and the root for the rest.
///
/// # Errors
/// Everything that is wrong with it.
pub(crate) fn stated<T>(
    text: &str,
    codes: &'static Codes,
    table: &'static str,
    read: impl FnOnce(&mut Reader<'_>, Fields<'_, '_>, &mut Fields<'_, '_>) -> Option<T>,
) -> Result<T, Vec<Finding>> {
    let mut r = Reader::new(text, codes);
    let stated = r.document().and_then(|tree| {
        let mut root = Fields::new(&tree, 0..0, String::new());
        root.get("document");
        let stated = root.table(&mut r, table).and_then(|head| read(&mut r, head, &mut root));
        root.end(&mut r);
        stated
    });
    r.finish(stated)
}

impl<'t> Reader<'t> {
    pub(crate) const fn new(text: &'t str, codes: &'static Codes) -> Self {
        Self { text, codes, findings: Vec::new(), surveyed: &[] }
    }

    /// The texts under these keys are a database's own names, which hold whatever it lets them hold: a
    /// table that stays behind has to be named as it is. Everything else is refused where it steers a
    /// screen ([`plain`]).
    pub(crate) const fn with_names_as_surveyed(mut self, keys: &'static [&'static str]) -> Self {
        self.surveyed = keys;
        self
    }

    /// The document's tree; `None` where it is not TOML, or something in it steers the screen it is read
    /// on, which are then findings.
    pub(crate) fn document(&mut self) -> Option<DeTable<'t>> {
        match DeTable::parse(self.text) {
            Ok(tree) => self.plain(tree.into_inner()),
            Err(error) => {
                let mut finding = Finding::new(self.codes.syntax, error.message().to_owned());
                // what the parser says of a bare word: it takes it for a number or a date
                let bare = ["float", "integer", "number", "boolean", "date", "quoted", "literal"];
                if bare.iter().any(|word| error.message().contains(word)) {
                    finding = finding.help("a text stands between quotes: \"nom\"");
                }
                if let Some(span) = error.span() {
                    finding = finding.at(visible(self.text, span));
                }
                self.findings.push(finding);
                None
            }
        }
    }

    fn plain(&mut self, tree: DeTable<'t>) -> Option<DeTable<'t>> {
        let steering = plain::steering(self.text, &tree, self.surveyed);
        let clean = steering.is_empty();
        for (span, what) in steering {
            let message = format!("{what} holds a character that steers the screen");
            let finding = Finding::new(self.codes.wrong, message).at(span);
            self.find(finding.help("take control characters and marks of writing direction out"));
        }
        clean.then_some(tree)
    }

    pub(crate) fn find(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    /// Findings in the order of the document; those without a place come last.
    pub(crate) fn into_findings(self) -> Vec<Finding> {
        let mut findings = self.findings;
        findings.sort_by_key(|f| f.span.as_ref().map_or((usize::MAX, 0), |s| (s.start, s.end)));
        findings
    }

    /// What was read, where nothing at all was found wrong with the document.
    pub(crate) fn finish<T>(self, read: Option<T>) -> Result<T, Vec<Finding>> {
        let findings = self.into_findings();
        match read {
            Some(read) if findings.is_empty() => Ok(read),
            _ => Err(findings),
        }
    }

    fn wrong(&mut self, what: &str, wanted: &str, value: &Value<'_>) {
        let found = value.get_ref().type_str();
        self.find(
            Finding::new(self.codes.wrong, format!("`{what}` wants {wanted}, not {found}")).at(value.span()),
        );
    }
}

/// A span that can be drawn: whole letters of the text, at least one where there is one.
fn visible(text: &str, span: Range<usize>) -> Range<usize> {
    let start = text.floor_char_boundary(span.start);
    let end = text.ceil_char_boundary(span.end.max(start));
    if start == end { text.floor_char_boundary(start.saturating_sub(1))..end } else { start..end }
}

/// One table of the document, read key by key; [`Fields::end`] refuses what nobody asked for.
#[derive(Debug)]
pub(crate) struct Fields<'a, 'i> {
    table: &'a DeTable<'i>,
    /// The header's bytes (`[source]`), or the inline table's.
    pub span: Range<usize>,
    name: String,
    asked: BTreeSet<&'static str>,
}

impl<'a, 'i> Fields<'a, 'i> {
    pub(crate) const fn new(table: &'a DeTable<'i>, span: Range<usize>, name: String) -> Self {
        Self { table, span, name, asked: BTreeSet::new() }
    }

    /// The value under a key, if it is there.
    pub(crate) fn get(&mut self, key: &'static str) -> Option<&'a Value<'i>> {
        self.asked.insert(key);
        self.table.get(key)
    }

    fn need(&mut self, r: &mut Reader<'_>, key: &'static str) -> Option<&'a Value<'i>> {
        let found = self.get(key);
        if found.is_none() {
            let place = if self.name.is_empty() { String::new() } else { format!(" in {}", self.name) };
            let finding = Finding::new(r.codes.missing, format!("`{key}` is missing{place}"));
            r.find(finding.at(visible(r.text, self.span.clone())));
        }
        found
    }

    /// A text that must be there and not be empty.
    pub(crate) fn text(&mut self, r: &mut Reader<'_>, key: &'static str) -> Option<Spanned<String>> {
        let value = self.need(r, key)?;
        let text = as_text(r, key, value)?;
        if text.value.trim().is_empty() {
            r.find(Finding::new(r.codes.wrong, format!("`{key}` is empty")).at(text.span));
            return None;
        }
        Some(text)
    }

    /// A text that may be absent.
    pub(crate) fn maybe_text(&mut self, r: &mut Reader<'_>, key: &'static str) -> Option<Spanned<String>> {
        let value = self.get(key)?;
        as_text(r, key, value)
    }

    /// A digest that must be there, `sha256:` and 64 digits.
    pub(crate) fn digest(&mut self, r: &mut Reader<'_>, key: &'static str) -> Option<Spanned<String>> {
        let text = self.text(r, key)?;
        as_digest(r, key, text)
    }

    /// A whole number that may be absent.
    pub(crate) fn maybe_number(&mut self, r: &mut Reader<'_>, key: &'static str) -> Option<Spanned<u64>> {
        let value = self.get(key)?;
        let DeValue::Integer(number) = value.get_ref() else {
            r.wrong(key, "a whole number", value);
            return None;
        };
        let parsed = u64::from_str_radix(number.as_str(), number.radix()).ok();
        if parsed.is_none() {
            r.wrong(key, "a whole number from 0", value);
        }
        parsed.map(|n| Spanned::new(n, value.span()))
    }

    /// A whole number that must be there.
    pub(crate) fn number(&mut self, r: &mut Reader<'_>, key: &'static str) -> Option<Spanned<u64>> {
        self.need(r, key)?;
        self.maybe_number(r, key)
    }

    /// A truth value; false where it is absent.
    pub(crate) fn flag(&mut self, r: &mut Reader<'_>, key: &'static str) -> bool {
        let Some(value) = self.get(key) else { return false };
        let flag = value.get_ref().as_bool();
        if flag.is_none() {
            r.wrong(key, "true or false", value);
        }
        flag.unwrap_or(false)
    }

    /// A calendar date that may be absent (`2027-01-31`).
    pub(crate) fn maybe_date(
        &mut self,
        r: &mut Reader<'_>,
        key: &'static str,
    ) -> Option<Spanned<jiff::civil::Date>> {
        let value = self.get(key)?;
        let date = match value.get_ref() {
            DeValue::Datetime(d) if d.time.is_none() => d.to_string().parse().ok(),
            DeValue::String(text) => text.parse().ok(),
            _ => None,
        };
        if date.is_none() {
            r.wrong(key, "a date like 2027-01-31", value);
        }
        date.map(|d| Spanned::new(d, value.span()))
    }

    /// A moment that must be there, with its offset (`2027-01-31T08:00:00Z`).
    pub(crate) fn moment(
        &mut self,
        r: &mut Reader<'_>,
        key: &'static str,
    ) -> Option<Spanned<jiff::Timestamp>> {
        let value = self.need(r, key)?;
        let moment = match value.get_ref() {
            DeValue::Datetime(moment) => moment.to_string().parse().ok(),
            _ => None,
        };
        if moment.is_none() {
            r.wrong(key, "a moment with its offset, like 2027-01-31T08:00:00Z", value);
        }
        moment.map(|at| Spanned::new(at, value.span()))
    }

    /// A list of texts; empty where it is absent.
    pub(crate) fn texts(&mut self, r: &mut Reader<'_>, key: &'static str) -> Vec<Spanned<String>> {
        let values = self.list(r, key);
        values.into_iter().filter_map(|value| as_text(r, key, value)).collect()
    }

    /// The values of a list; empty where it is absent.
    pub(crate) fn list(&mut self, r: &mut Reader<'_>, key: &'static str) -> Vec<&'a Value<'i>> {
        let Some(value) = self.get(key) else { return Vec::new() };
        let DeValue::Array(values) = value.get_ref() else {
            r.wrong(key, "a list [ … ]", value);
            return Vec::new();
        };
        values.iter().collect()
    }

    /// A table that must be there.
    pub(crate) fn table(&mut self, r: &mut Reader<'_>, key: &'static str) -> Option<Fields<'a, 'i>> {
        let value = self.need(r, key)?;
        as_table(r, key, value)
    }

    /// A table that may be absent.
    pub(crate) fn maybe_table(&mut self, r: &mut Reader<'_>, key: &'static str) -> Option<Fields<'a, 'i>> {
        let value = self.get(key)?;
        as_table(r, key, value)
    }

    /// The tables of a list (`[[key]]`); empty where it is absent.
    pub(crate) fn tables(&mut self, r: &mut Reader<'_>, key: &'static str) -> Vec<Fields<'a, 'i>> {
        let values = self.list(r, key);
        values.into_iter().filter_map(|value| as_table(r, key, value)).collect()
    }

    /// Every key and value, in the order of the document, for tables whose keys are names.
    pub(crate) fn entries(&self) -> Vec<(Spanned<String>, &'a Value<'i>)> {
        let mut entries: Vec<_> = self
            .table
            .iter()
            .map(|(key, value)| (Spanned::new(key.get_ref().to_string(), key.span()), value))
            .collect();
        entries.sort_by_key(|(key, _)| key.span.start);
        entries
    }

    /// Refuses keys nobody asked for, each with the nearest right one.
    pub(crate) fn end(self, r: &mut Reader<'_>) {
        for key in self.table.keys() {
            let name: &str = key.get_ref();
            if self.asked.contains(name) {
                continue;
            }
            let place = if self.name.is_empty() { "here" } else { self.name.as_str() };
            let mut finding =
                Finding::new(r.codes.unknown, format!("nobody reads `{name}` in {place}")).at(key.span());
            if let Some(help) = suggestion(name, self.asked.iter().copied()) {
                finding = finding.help(help);
            }
            r.find(finding);
        }
    }
}

/// A value that must be a text.
pub(crate) fn as_text(r: &mut Reader<'_>, what: &str, value: &Value<'_>) -> Option<Spanned<String>> {
    let text = value.get_ref().as_str();
    if text.is_none() {
        r.wrong(what, "a text in quotes", value);
    }
    text.map(|t| Spanned::new(t.to_owned(), value.span()))
}

/// A text that must be a digest, `sha256:` and 64 digits.
pub(crate) fn as_digest(r: &mut Reader<'_>, what: &str, text: Spanned<String>) -> Option<Spanned<String>> {
    if digest::well_formed(&text.value) {
        return Some(text);
    }
    let message = format!("`{what}` wants sha256: and 64 lower-case hexadecimal digits");
    r.find(Finding::new(r.codes.wrong, message).at(text.span));
    None
}

/// A value that must be a table.
pub(crate) fn as_table<'a, 'i>(
    r: &mut Reader<'_>,
    what: &str,
    value: &'a Value<'i>,
) -> Option<Fields<'a, 'i>> {
    let table = value.get_ref().as_table();
    if table.is_none() {
        r.wrong(what, "a table", value);
    }
    table.map(|t| Fields::new(t, value.span(), format!("`{what}`")))
}

/// Writes a text as a TOML basic string, on one line whatever it holds: a line feed in a surveyed
/// name must not end the comment it is drafted into, nor any other character steer the screen it is read on
/// there ([`plain`]). JSON's escapes are TOML's, but for DEL.
pub(crate) fn quote(text: &str) -> String {
    plain::escaped(&serde_json::Value::from(text).to_string())
}
