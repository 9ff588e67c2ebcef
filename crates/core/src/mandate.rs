//! The survey mandate: leave to look at a database's catalogue.
//!
//! Names, types and keys of the source are the laboratory's trade secret and can be
//! personal ("patients_vih"): nobody looks without a signed leave.

use jiff::Timestamp;

use crate::contract::Contract;
use crate::document::Kind;
use crate::fault::{Code, Result};
use crate::finding::Finding;
use crate::paper::Paper;
use crate::reader::{Codes, Fields, Reader};
use crate::signatures::SignatureFile;
use crate::template;
use crate::types::Engine;

static SYNTAX: Code = Code::refused("ECL-MDT-001", "the mandate is not TOML");
static UNKNOWN_KEY: Code = Code::refused("ECL-MDT-002", "unknown key in the mandate");
static MISSING_KEY: Code = Code::refused("ECL-MDT-003", "the mandate lacks a key");
static WRONG_VALUE: Code = Code::refused("ECL-MDT-004", "a value of the mandate has the wrong form");
/// The database is not the one of the mandate.
pub static OTHER_DATABASE: Code = Code::refused("ECL-MDT-010", "the mandate is for another database");
/// Leave to look at values, which this version never does.
pub static SAMPLING: Code = Code::refused("ECL-MDT-011", "this version reads the catalogue only");

static CODES: Codes =
    Codes { syntax: &SYNTAX, unknown: &UNKNOWN_KEY, missing: &MISSING_KEY, wrong: &WRONG_VALUE };

/// What a mandate says; nobody has checked who signed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leave {
    /// Why the laboratory lets somebody look.
    pub purpose: String,
    /// The engine.
    pub engine: Engine,
    /// The database's name.
    pub database: String,
    /// The instance's identity, where it was known beforehand.
    pub identity: Option<String>,
}

/// A mandate in force. Only [`Mandate::in_force`] makes one.
///
/// ```compile_fail,E0451
/// # use ecluse_core::mandate::Mandate;
/// fn forge(real: Mandate) -> Mandate {
///     Mandate { ..real }
/// }
/// ```
pub type Mandate = Paper<Leave>;

impl Paper<Leave> {
    /// Checks a mandate under its contract, as of `now`.
    ///
    /// # Errors
    /// Every fault at once.
    pub fn in_force(
        bytes: &[u8],
        files: &[SignatureFile],
        contract: &Contract,
        now: Timestamp,
    ) -> Result<Self, Vec<Finding>> {
        Self::open(Kind::Survey, bytes, files, contract, now, read)
    }

    /// Whether this database is the one the laboratory meant.
    ///
    /// # Errors
    /// [`OTHER_DATABASE`].
    pub fn covers(&self, engine: Engine, database: &str, identity: &str) -> Result<()> {
        let leave = self.stated();
        let other = |what: &str| {
            Err(OTHER_DATABASE
                .fault(format!(
                    "its {what} is not the one of the mandate ({} {})",
                    leave.engine, leave.database
                ))
                .help("connect to the database of the mandate, or have another mandate signed"))
        };
        if engine != leave.engine {
            return other("engine");
        }
        // a SQLite database is called `main` whatever the file
        if engine != Engine::Sqlite && database != leave.database {
            return other("name");
        }
        if leave.identity.as_ref().is_some_and(|signed| signed != identity) {
            return other("identity");
        }
        Ok(())
    }
}

/// Reads a mandate's text, the header apart.
///
/// # Errors
/// Everything wrong with it.
pub fn read(text: &str) -> Result<Leave, Vec<Finding>> {
    let mut r = Reader::new(text, &CODES);
    let leave = r.document().and_then(|tree| {
        let mut root = Fields::new(&tree, 0..0, String::new());
        root.get("document");
        let purpose = root.table(&mut r, "survey").and_then(|mut t| {
            let purpose = t.text(&mut r, "purpose");
            if let Some(empty) = purpose.as_ref().filter(|purpose| !template::filled(&purpose.value)) {
                let finding = Finding::new(&MISSING_KEY, "`purpose` is not filled in").at(empty.span.clone());
                r.find(finding.help("write why the laboratory lets somebody look"));
            }
            if let Some(value) = t.get("sampling").filter(|v| v.get_ref().as_bool() != Some(false)) {
                let finding = Finding::new(&SAMPLING, "`sampling` must be false").at(value.span());
                r.find(finding.help("write sampling = false: looking at values comes with a later version"));
            }
            t.end(&mut r);
            purpose
        });
        let source = root.table(&mut r, "source").and_then(|t| source(&mut r, t));
        root.end(&mut r);
        let (engine, database, identity) = source?;
        Some(Leave { purpose: purpose?.value, engine, database, identity })
    });
    r.finish(leave)
}

fn source(r: &mut Reader<'_>, mut t: Fields<'_, '_>) -> Option<(Engine, String, Option<String>)> {
    let engine = t.text(r, "engine").and_then(|name| {
        let engine = Engine::from_name(&name.value);
        if engine.is_none() {
            let finding = Finding::new(&WRONG_VALUE, format!("`{}` is no engine écluse reads", name.value));
            r.find(finding.at(name.span).help("postgresql, mariadb or sqlite"));
        }
        engine
    });
    let database = t.text(r, "database");
    let identity = t.maybe_text(r, "identity").map(|identity| identity.value);
    t.end(r);
    Some((engine?, database?.value, identity))
}
