//! A folder of CSV files as a source: one file per table, described, never guessed.
//!
//! The folder lies in clear: the instruction says that it knows (`cannot_deny`, `in_clear`), it is
//! announced, recorded by digests, and erased by the day of `[erasure] copies`. Rows pass through
//! [`crate::gathered`] as a dump's do. A file that is another one at the end than when it was
//! read ends the run by code.
//!
//! | file | holds |
//! |---|---|
//! | `describe.rs` | the description: separator, quote, encoding, NULL, columns, types, keys |
//! | `url.rs` | how an operator writes it |
//! | `rows.rs` | one file through the `csv` crate |

mod describe;
mod rows;
pub mod url;

use std::path::{Path, PathBuf};

use ecluse_core::catalog::Catalog;
use ecluse_core::fault::{Code, Result};
use ecluse_core::plan::{Plan, TablePlan};
use ecluse_core::types::Engine;
use ecluse_core::value::KeyRange;
use ecluse_flow::ports::{Count, Excess, Opened, Scope, Sink};
use sha2::{Digest as _, Sha256};

use crate::columns::NOT_OPEN;
use crate::gathered::{Gathered, Gathering};
use crate::staging;
use describe::Description;
use rows::Seen;
pub use url::Folder;

static CHANGED: Code = Code::refused("ECL-SRC-653", "a CSV file is not the one that was read");
static NO_TABLE: Code =
    Code::refused("ECL-SRC-657", "an ordered table is not in the description of the CSV folder");

/// A folder of CSV files that rows are taken from.
pub struct Source {
    folder: Folder,
    described: Description,
    key: [u8; 32],
    gathered: Option<Gathered>,
    /// The name under which rows may be staged.
    staged: Option<String>,
    /// The files that were read, as they were.
    seen: Vec<(String, Seen)>,
}

impl Source {
    /// Reads the description. `key`: 32 random bytes of this process.
    ///
    /// # Errors
    ///
    /// `ECL-SRC-650`, `ECL-SRC-651`.
    pub fn new(folder: Folder, key: [u8; 32]) -> Result<Self> {
        let described = Description::read(&folder.schema)?;
        Ok(Self { folder, described, key, gathered: None, staged: None, seen: Vec::new() })
    }

    fn staging(&mut self) -> Option<(PathBuf, String)> {
        self.folder.staging.clone().zip(self.staged.take())
    }

    fn gathered(&self, table: &TablePlan) -> Result<&Gathered> {
        self.gathered.as_ref().ok_or_else(|| NOT_OPEN.fault(table.source()))
    }

    /// The files are still those that were read.
    fn unchanged(&self) -> Result<()> {
        for (name, seen) in &self.seen {
            let Some(file) = self.described.table(name) else { continue };
            let (bytes, digest) = rows::digest(&rows::path(&self.folder.path, file)?)?;
            if (bytes, digest.as_str()) != (seen.bytes, seen.digest.as_str()) {
                return Err(CHANGED
                    .fault(file.file.clone())
                    .help("see that nobody writes to the folder, then run the same command again: it replaces what differs"));
            }
        }
        Ok(())
    }
}

/// What lies in a folder in clear: regular files and their bytes.
#[must_use]
pub fn lies(path: &Path) -> (usize, u64) {
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
    let files = entries.filter_map(|e| e.metadata().ok()).filter(std::fs::Metadata::is_file);
    files.fold((0, 0), |(count, bytes), file| (count + 1, bytes + file.len()))
}

impl ecluse_flow::ports::Source for Source {
    fn engine(&self) -> Engine {
        Engine::Csv
    }

    /// What the controller wrote: files do not say whose they are.
    fn identity(&mut self) -> Result<String> {
        Ok(format!("csv/{}", self.folder.database))
    }

    fn catalog(&mut self, scope: Scope<'_>) -> Result<Catalog> {
        self.unchanged()?;
        let identity = ecluse_flow::ports::Source::identity(self)?;
        Ok(self.described.catalog(&identity, &self.folder.database, scope))
    }

    fn excess(&mut self, _plan: &Plan) -> Result<Vec<Excess>> {
        Ok(Vec::new())
    }

    fn has_views(&mut self, _plan: &Plan) -> Result<bool> {
        Ok(false)
    }

    fn open(&mut self, plan: &Plan, _frozen: bool) -> Result<Opened> {
        let mut gathering = Gathering::new(plan, self.folder.memory, self.key, self.staging());
        self.seen.clear();
        let mut limits = Vec::new();
        for table in plan.tables() {
            let file = self.described.table(table.source()).ok_or_else(|| NO_TABLE.fault(table.source()))?;
            let seen = rows::read(&self.folder.path, &self.described, file, &mut gathering)?;
            limits.push(format!("{} lay in clear: {} bytes, {}", file.file, seen.bytes, seen.digest));
            if seen.formulas > 0 {
                limits.push(format!(
                    "{}: {} ordered texts begin as a spreadsheet's formula does; they move as the text they are",
                    file.file, seen.formulas
                ));
            }
            self.seen.push((table.source().to_owned(), seen));
        }
        self.gathered = Some(gathering.finish()?);
        let whole = self.folder.path.canonicalize().unwrap_or_else(|_| self.folder.path.clone());
        let path = data_encoding::HEXLOWER.encode(&Sha256::digest(whole.as_os_str().as_encoded_bytes()));
        let (files, bytes) = lies(&self.folder.path);
        limits.push(format!(
            "the folder (path sha256:{path}) holds {files} files in clear, {bytes} bytes: it is erased by the day of \
             [erasure] copies; that the files are whole and of one moment is the word of whoever exported them"
        ));
        limits.extend(self.gathered.as_ref().and_then(Gathered::told));
        let barrier =
            "none but écluse: a folder of CSV files can deny nothing; only the ordered tables' files were \
                       opened, and what was not ordered in them was let go in memory"
                .to_owned();
        Ok(Opened { barrier, limits })
    }

    fn count(&mut self, table: &TablePlan) -> Result<Count> {
        self.gathered(table)?.count(table.number())
    }

    fn read(&mut self, table: &TablePlan, _plan: &Plan, range: &KeyRange, sink: Sink<'_>) -> Result<()> {
        self.gathered(table)?.read(table.number(), range, sink)
    }

    fn statement(&self, table: &TablePlan, _plan: &Plan) -> String {
        let columns: Vec<&str> = table.read().iter().map(|c| c.name.as_str()).collect();
        format!("-- no statement: {} ({}), filtered out of its file", table.source(), columns.join(", "))
    }

    fn close(&mut self) -> Result<()> {
        self.gathered.take().map_or(Ok(()), Gathered::end)
    }

    fn stage(&mut self, name: &str) -> Result<bool> {
        self.staged = Some(name.to_owned());
        let Some(staging) = &self.folder.staging else { return Ok(false) };
        staging::Folder::open(staging)?.mark(name)?;
        Ok(true)
    }

    fn unstage(&mut self, name: &str) -> Result<()> {
        let Some(staging) = &self.folder.staging else { return Ok(()) };
        staging::Folder::open(staging)?.unmark(name)
    }
}

#[cfg(test)]
mod tests {
    use ecluse_core::filter::Filter;
    use ecluse_core::plan::{ReadColumn, assertion};
    use ecluse_core::types::Type;
    use ecluse_core::value::{Key, Value};
    use ecluse_flow::ports::Source as _;

    use super::*;

    const DESCRIPTION: &str = "format = 'ecluse-csv/1'\ndelimiter = ','\nencoding = 'utf-8'\n\
        [[table]]\nname = 't'\nkey = ['id']\ncolumns = [{ name = 'id', type = 'int' }]\n";

    fn plan() -> Plan {
        let id = ReadColumn { name: "id".to_owned(), ty: Type::Int, sql_type: "int".to_owned(), moved: true };
        assertion::plan(vec![assertion::table(assertion::TableFields {
            number: 0,
            source: "t".to_owned(),
            view: None,
            destination: "t".to_owned(),
            read: vec![id],
            key: vec![0],
            filter: Filter::Every,
            write: Vec::new(),
            write_key: vec![0],
            relations: Vec::new(),
        })])
    }

    fn described(path: PathBuf, schema: PathBuf) -> Folder {
        Folder { path, database: "x".to_owned(), schema, memory: 1 << 20, staging: None }
    }

    fn opened(rows: &str) -> (tempfile::TempDir, Source) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("t.csv"), rows).unwrap();
        let schema = folder.path().join("csv.toml");
        std::fs::write(&schema, DESCRIPTION).unwrap();
        let path = folder.path().to_owned();
        let mut source = Source::new(described(path, schema), [0; 32]).unwrap();
        source.open(&plan(), false).unwrap();
        (folder, source)
    }

    fn keys(source: &mut Source, after: Option<i64>, upto: Option<i64>) -> Vec<i64> {
        let (plan, mut found) = (plan(), Vec::new());
        let key = |n: i64| Key(vec![Value::Int(n)]);
        let range = KeyRange { after: after.map(key), upto: upto.map(key) };
        let table = plan.tables().first().unwrap();
        source
            .read(table, &plan, &range, &mut |batch| {
                let keys = ecluse_batch::Keys::new(&batch, &[Type::Int], &[0]).unwrap();
                found.extend((0..batch.rows()).map(|row| match keys.get(row).unwrap().0.as_slice() {
                    [Value::Int(n)] => *n,
                    _ => panic!("a number"),
                }));
                Ok(())
            })
            .unwrap();
        found
    }

    #[test]
    fn rows_are_served_by_key_range_whatever_their_order_in_the_file() {
        for rows in ["id\n1\n2\n3\n9\n", "id\n9\n2\n1\n3\n"] {
            let (_folder, mut source) = opened(rows);
            assert_eq!(keys(&mut source, None, None), [1, 2, 3, 9]);
            assert_eq!(keys(&mut source, Some(1), Some(3)), [2, 3]);
            assert_eq!(keys(&mut source, Some(3), Some(8)), [] as [i64; 0]);
            assert_eq!(keys(&mut source, Some(0), Some(1)), [1]);
        }
    }

    #[test]
    fn a_file_that_changes_after_it_was_read_ends_the_run() {
        let (folder, mut source) = opened("id\n1\n2\n");
        source.catalog(Scope::Everything).unwrap();
        // as long as it was: only its digest tells
        std::fs::write(folder.path().join("t.csv"), "id\n1\n3\n").unwrap();
        assert_eq!(source.catalog(Scope::Everything).unwrap_err().code(), &CHANGED);
    }
}
