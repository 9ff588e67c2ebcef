//! Files that rows name: what a value may name, and under which name its file arrives.
//!
//! A name from a database is hostile until it was looked at: [`Relative`] is a name that cannot
//! lead out of its folder, and nothing else makes one. At the destination nothing of
//! it is left but a short ending: the file is named by what it holds.

use super::compile::{Draft, position};
use super::{Expression, TablePlan, WriteColumn};
use crate::fault::Code;
use crate::filter::Filter;
use crate::finding::Finding;
use crate::instruction::{self, FilesOrder};
use crate::types::Type;

static NOT_PLAIN: Code =
    Code::refused("ECL-FIL-004", "a column that names files does not arrive as a text of its own");
static TOO_SHORT: Code =
    Code::refused("ECL-FIL-005", "the destination's column is too short for a file's name");
static LEADS_OUT: Code = Code::refused("ECL-FIL-010", "a file's name could lead out of its folder");

/// Characters that a destination's column must hold.
pub const NAME_LENGTH: u32 = 100;

/// Characters of a row's token that make its file its own, where two rows' files hold the same bytes.
const ROW: usize = 10;

/// A column that names files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileColumn {
    /// Index into [`super::TablePlan::read`].
    pub read: usize,
    /// Index into [`super::TablePlan::write`].
    pub write: usize,
    /// The folder, as the order names it.
    pub folder: String,
    /// What values begin with.
    pub prefix: String,
    /// What follows the value.
    pub suffix: String,
    /// Whether a row whose file is missing is refused.
    pub missing_refuses: bool,
    /// Bytes of a file at most.
    pub largest: u64,
}

/// A file's name below its folder: steps that are none of `.`, `..` and empty. Silent when printed:
/// such names hold patients' names.
#[derive(Clone, PartialEq, Eq)]
pub struct Relative(String);

impl std::fmt::Debug for Relative {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Relative(…)")
    }
}

impl Relative {
    /// The name that [`Relative::joined`] gave; nothing where the text could lead out of its folder.
    #[must_use]
    pub fn again(joined: &str) -> Option<Self> {
        let fine = |step: &str| !["", ".", ".."].contains(&step);
        let plain = !joined.chars().any(|c| c == '\\' || c.is_control());
        (plain && joined.split('/').all(fine)).then(|| Self(joined.to_owned()))
    }

    /// The folders on the way, and the file's own name last; never empty.
    pub fn steps(&self) -> impl Iterator<Item = &str> {
        self.0.split('/')
    }

    /// The steps joined by `/`.
    #[must_use]
    pub fn joined(&self) -> &str {
        &self.0
    }

    /// `.pdf` of `A 17.PDF`; nothing where what follows the last dot is no short word.
    fn ending(&self) -> String {
        let last = self.0.rsplit('/').next().unwrap_or_default();
        match last.rsplit_once('.') {
            Some((_, end))
                if (1..=5).contains(&end.len()) && end.bytes().all(|b| b.is_ascii_alphanumeric()) =>
            {
                format!(".{}", end.to_ascii_lowercase())
            }
            _ => String::new(),
        }
    }
}

impl FileColumn {
    /// The file that a value names.
    ///
    /// # Errors
    ///
    /// `ECL-FIL-010`: the prefix is not there, or the rest is absolute, has a step `.`, `..` or none at
    /// all between two `/`, a `\`, or a control character.
    pub fn relative(&self, value: &str) -> Result<Relative, &'static Code> {
        let rest = value.strip_prefix(self.prefix.as_str()).ok_or(&LEADS_OUT)?;
        // an empty value with an ending of its own would name a file like ".pdf"
        let whole = !rest.is_empty() && !rest.ends_with('/');
        let name = format!("{rest}{}", self.suffix);
        Some(name).filter(|_| whole).and_then(|name| Relative::again(&name)).ok_or(&LEADS_OUT)
    }
}

impl TablePlan {
    /// The same table with every row that stands in it, and of each row the columns that name files alone: what an
    /// erasure asks of the rows that stay. Nothing of it is written anywhere.
    #[must_use]
    pub fn naming(&self) -> Self {
        let read = self.files.iter().filter_map(|file| self.read.get(file.read)).cloned().collect();
        let files = self.files.iter().enumerate().map(|(read, file)| FileColumn { read, ..file.clone() });
        Self {
            number: self.number,
            source: self.source.clone(),
            view: None,
            destination: self.destination.clone(),
            read,
            key: Vec::new(),
            filter: Filter::Every,
            write: Vec::new(),
            write_key: Vec::new(),
            relations: Vec::new(),
            files: files.collect(),
            shifts: Vec::new(),
            persons: self.persons,
        }
    }
}

/// The folder of one run at the destination: it is the run's alone.
#[must_use]
pub fn of_run(run: &str) -> String {
    run.chars().take(16).collect()
}

/// Under which name a file arrives, from the destination's folder on: `RUN/DI/GEST-ROW.end`.
///
/// `digest`: SHA-256 in hexadecimal; `row`: the row's token, empty in a table without a key.
#[must_use]
pub fn arrives_as(run: &str, digest: &str, row: &str, from: &Relative) -> String {
    let (first, rest) = digest.split_at_checked(2).unwrap_or((digest, ""));
    format!("{}/{first}/{rest}{}{}", of_run(run), marked(row), from.ending())
}

/// What stands in the place of a name whose file is missing: no file ever has it.
#[must_use]
pub fn missing_as(run: &str, row: &str) -> String {
    format!("{}/missing{}", of_run(run), marked(row))
}

/// What a name of the run says: `None` where the run made no such name.
#[must_use]
pub fn says(run: &str, name: &str) -> Option<Says> {
    let rest = name.strip_prefix(&of_run(run))?.strip_prefix('/')?;
    if rest.starts_with("missing") {
        return Some(Says::Missing);
    }
    let (first, rest) = rest.split_once('/')?;
    let digest = format!("{first}{}", rest.get(..62)?);
    let hexadecimal = digest.len() == 64 && digest.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    (hexadecimal && !rest.contains('/')).then_some(Says::Holds(digest))
}

/// What a name at the destination says of its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Says {
    /// SHA-256 of its bytes, in hexadecimal.
    Holds(String),
    /// There was none at the source.
    Missing,
}

fn marked(row: &str) -> String {
    let short: String = row.chars().filter(char::is_ascii_alphanumeric).take(ROW).collect();
    if short.is_empty() { short } else { format!("-{short}") }
}

/// A table's columns that name files; indices as the plan has them.
pub(super) fn columns(draft: &Draft<'_>, own: &dyn Fn(usize) -> Option<usize>) -> Vec<FileColumn> {
    let column = |files: &FilesOrder| {
        let index = position(draft.source, &files.column.value)?;
        let (write, _) = arrives(draft, index)?;
        Some(FileColumn {
            read: own(index)?,
            write,
            folder: files.folder.value.clone(),
            prefix: files.prefix.clone(),
            suffix: files.suffix.clone(),
            missing_refuses: files.missing_refuses,
            largest: files.largest,
        })
    };
    draft.order.files.iter().filter_map(column).collect()
}

/// The one written column that is made of a source column, where it carries it as it is.
fn arrives<'a>(draft: &'a Draft<'_>, column: usize) -> Option<(usize, &'a WriteColumn)> {
    let mut found = draft.target.columns.iter().enumerate().filter(|(_, written)| match &written.from {
        Expression::Column(from) | Expression::Cast(from) => *from == column,
        _ => false,
    });
    found.next().filter(|_| found.next().is_none())
}

/// Columns that name files and could not be given the names under which these arrive.
pub(super) fn unfit(drafts: &[Draft<'_>]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for draft in drafts {
        for files in &draft.order.files {
            let name = format!("{}.{}", draft.source.name, files.column.value);
            let here = |code, message: String, help: &str| {
                Finding::new(code, message)
                    .at(files.column.span.clone())
                    .in_file(instruction::FILE)
                    .help(help)
            };
            let index = position(draft.source, &files.column.value);
            let text =
                index.and_then(|i| draft.source.columns.get(i)).is_some_and(|c| c.ty == Some(Type::Text));
            let bound = index.is_some_and(|i| {
                draft.key.contains(&i) || draft.relations.iter().any(|relation| relation.column == i)
            });
            match index.and_then(|i| arrives(draft, i)) {
                Some((_, there)) if text && !bound && there.ty == Type::Text => {
                    if there.max_length.is_some_and(|most| most < NAME_LENGTH) {
                        let message = format!("{name} arrives in {}, `{}`", there.name, there.sql_type);
                        findings.push(here(&TOO_SHORT, message, "let it hold 100 characters"));
                    }
                }
                _ => findings.push(here(
                    &NOT_PLAIN,
                    name,
                    "it is text, no key and no relation, and mapped plainly, once: COLUMN = \"…\"",
                )),
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn column(prefix: &str, suffix: &str) -> FileColumn {
        FileColumn {
            read: 0,
            write: 0,
            folder: "/storage".to_owned(),
            prefix: prefix.to_owned(),
            suffix: suffix.to_owned(),
            missing_refuses: false,
            largest: 1,
        }
    }

    #[test]
    fn a_name_that_could_lead_out_is_refused() {
        let plain = column("", "");
        let refused = [
            "",
            "/",
            "/etc/passwd",
            "..",
            "../a",
            "a/..",
            "a/../b",
            "a/./b",
            "./a",
            "a//b",
            "a/",
            "a\\b",
            "..\\a",
            "a\0",
            "a\nb",
            "a\u{7f}",
        ];
        for name in refused {
            assert_eq!(plain.relative(name), Err(&LEADS_OUT), "{name:?}");
        }
        for name in ["a.pdf", "2024/a.pdf", "..a", "a..", "a b/é.pdf", "-rf", "~root/x"] {
            assert_eq!(plain.relative(name).unwrap().joined(), name);
            assert_eq!(Relative::again(name).unwrap().joined(), name);
        }
        assert!(refused.iter().all(|name| Relative::again(name).is_none()));
        let stored = column("/var/reports/", ".pdf");
        assert_eq!(stored.relative("/var/reports/2024/17").unwrap().joined(), "2024/17.pdf");
        for name in
            ["17", "/var/reports", "/var/reports/", "/var/reports/a/", "/var/reports/../x", "/var/reports//x"]
        {
            assert_eq!(stored.relative(name), Err(&LEADS_OUT), "{name:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_taken_stays_below(value in "[a./\\\\]{0,12}", prefix in "[/a]{0,2}", suffix in "(\\.pdf|/\\.\\.|\\.\\.)?") {
            if let Ok(name) = column(&prefix, &suffix).relative(&value) {
                prop_assert!(name.steps().all(|step| !["", ".", ".."].contains(&step)));
                prop_assert!(!name.joined().contains(['\\', '\0']));
            }
        }
    }

    #[test]
    fn a_name_at_the_destination_says_what_its_file_holds() {
        let run = "0123456789abcdef0123456789abcdef";
        let digest = "ab".repeat(32);
        let from = column("", "").relative("dir/DUPONT Marie.PDF").unwrap();
        let name = arrives_as(run, &digest, "7Q4M-KD2E-49DH", &from);
        assert_eq!(name, format!("0123456789abcdef/ab/{}-7Q4MKD2E49.pdf", "ab".repeat(31)));
        assert!(name.len() <= 100);
        assert_eq!(says(run, &name), Some(Says::Holds(digest)));
        assert_eq!(says(run, &missing_as(run, "7Q4M")), Some(Says::Missing));
        for other in ["a.pdf", "fedcba9876543210/ab/cd", "0123456789abcdef/ab/../x", "0123456789abcdef/ab"] {
            assert_eq!(says(run, other), None, "{other}");
        }
        // an ending that is a word of its own is not carried along
        assert_eq!(column("", "").relative("a.DUPONT").unwrap().ending(), "");
        assert_eq!(format!("{from:?}"), "Relative(…)");
    }
}
