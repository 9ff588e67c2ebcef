//! The recipient's receipt: what was loaded out of one sealed archive, read back, and that the key which
//! opened it is destroyed.
//!
//! Each table's commitment (SHA-256 over salt and published tally, `docs/formats.md`) is opened here: a
//! copy of the sealed tallies without the rows cannot do that. Whoever has rows and key can; a receipt is
//! its signer's word, and no proof of what stands in a database.
//!
//! The controller's receipt of what was returned to it has the same form, as a kind of its own: nothing was loaded,
//! every row was opened and added up, and the key is kept, since the archive is where the data are.

use std::fmt::Write as _;

use data_encoding::HEXLOWER;
use jiff::Timestamp;

use crate::contract::Contract;
use crate::digest;
use crate::document::Kind;
use crate::fault::{Code, Result};
use crate::finding::Finding;
use crate::paper::Paper;
use crate::reader::{self, Codes, Fields, Reader, Spanned, quote};
use crate::recipient::Recipient;
use crate::signatures::{SignatureFile, Signer};
use crate::template::{self, Head};

static SYNTAX: Code = Code::refused("ECL-RCT-001", "the receipt is not TOML");
static UNKNOWN_KEY: Code = Code::refused("ECL-RCT-002", "unknown key in the receipt");
static MISSING_KEY: Code = Code::refused("ECL-RCT-003", "the receipt lacks a key");
static WRONG_VALUE: Code = Code::refused("ECL-RCT-004", "a value of the receipt has the wrong form");
/// Another archive's, or another order's.
pub static OTHER: Code = Code::refused("ECL-RCT-010", "the receipt is of another archive");
/// Other tables or counts than were sealed, or a commitment that was not opened.
pub static NOT_WHAT_WAS_SEALED: Code =
    Code::refused("ECL-RCT-011", "the receipt does not say what was sealed");
/// Somebody else's word than that of the recipient who stated the key.
pub static OTHER_SIGNER: Code =
    Code::refused("ECL-RCT-014", "the receipt is not signed by whoever signed the recipient's statement");
/// The load found differences, or refused rows.
pub static DIFFERENCES: Code = Code::refused("ECL-RCT-012", "the receipt tells of differences");

static CODES: Codes =
    Codes { syntax: &SYNTAX, unknown: &UNKNOWN_KEY, missing: &MISSING_KEY, wrong: &WRONG_VALUE };

/// The file in a migration folder.
pub const FILE: &str = "receipt.toml";
/// The controller's, of what was returned to it.
pub const RETURN_FILE: &str = "return-receipt.toml";

/// What a receipt says; nobody has checked who signed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stated {
    /// The archive's id.
    pub archive: String,
    /// The digest of its manifest.
    pub manifest: String,
    /// The digest of the instruction that it carries.
    pub instruction: String,
    /// The digest of the statement of the recipient who loaded it.
    pub recipient: String,
    /// The run, as extraction and load both name it.
    pub run: String,
    /// Rows that were found to differ when everything was read back.
    pub differences: u64,
    /// The tables, in the order of the archive.
    pub tables: Vec<Table>,
}

/// One table of a receipt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// The destination table.
    pub name: String,
    /// Rows that stand there, read back.
    pub rows: u64,
    /// Rows of the archive that the destination refused.
    pub refused: u64,
    /// The salt of the table's commitment, 64 hexadecimal digits.
    pub salt: String,
    /// The published tally of the table's rows as they came out of the archive, 64 hexadecimal digits.
    pub out: String,
}

/// One table as it was sealed: what the sender keeps of it, and nothing that tells a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// The destination table.
    pub name: String,
    /// Its rows in the archive.
    pub rows: u64,
    /// The digest of salt and published tally, `sha256:…`.
    pub commitment: String,
}

/// A receipt that the recipient signed. Only [`Receipt::read`] makes one.
///
/// ```compile_fail,E0451
/// # use ecluse_core::receipt::Receipt;
/// fn forge(real: Receipt) -> Receipt {
///     Receipt { ..real }
/// }
/// ```
pub type Receipt = Paper<Stated>;

impl Paper<Stated> {
    /// Reads a receipt and checks who signed it.
    ///
    /// # Errors
    /// Every fault of header, signatures and text.
    pub fn read(
        bytes: &[u8],
        files: &[SignatureFile],
        contract: &Contract,
        now: Timestamp,
    ) -> Result<Self, Vec<Finding>> {
        Self::open(Kind::Receipt, bytes, files, contract, now, parse)
    }

    /// Reads the controller's receipt of a return, and checks who signed it.
    ///
    /// # Errors
    /// Every fault of header, signatures and text.
    pub fn of_return(
        bytes: &[u8],
        files: &[SignatureFile],
        contract: &Contract,
        now: Timestamp,
    ) -> Result<Self, Vec<Finding>> {
        Self::open(Kind::ReturnReceipt, bytes, files, contract, now, parse_return)
    }

    /// Whether it is the word of the recipient to whom the archive was sealed: it cites this statement, and whoever
    /// signed it signed the statement, with the same key. So it speaks for the entity that the statement names.
    ///
    /// # Errors
    /// [`OTHER`], [`OTHER_SIGNER`].
    pub fn is_from(&self, recipient: &Recipient) -> Result<()> {
        if self.stated().recipient != recipient.digest() {
            return Err(OTHER
                .fault(format!("it names recipient {}", self.stated().recipient))
                .help("put the recipient.toml here that the order cites"));
        }
        let stated =
            |signer: &Signer| recipient.signers().iter().any(|s| s.fingerprint == signer.fingerprint);
        match self.signers().iter().find(|signer| !stated(signer)) {
            None => Ok(()),
            Some(other) => Err(OTHER_SIGNER
                .fault(other.person.clone())
                .help("whoever signed recipient.toml signs the receipt: ecluse receipt sign --key FILE")),
        }
    }
}

impl Stated {
    /// Whether it is the receipt of this archive, loaded under this order.
    ///
    /// # Errors
    /// [`OTHER`].
    pub fn is_of(&self, archive: &str, manifest: &str, instruction: &str, recipient: &str) -> Result<()> {
        let pairs = [
            ("archive", self.archive.as_str(), archive),
            ("manifest", &self.manifest, manifest),
            ("instruction", &self.instruction, instruction),
            ("recipient", &self.recipient, recipient),
        ];
        match pairs.into_iter().find(|(_, said, is)| said != is) {
            None => Ok(()),
            Some((what, said, _)) => {
                let help = "ask the recipient for the receipt of this archive, or put its manifest here";
                Err(OTHER.fault(format!("it names {what} {said}")).help(help))
            }
        }
    }

    /// Whether it speaks of the tables that were sealed, row for row, and opens the commitment to each.
    ///
    /// # Errors
    /// [`NOT_WHAT_WAS_SEALED`], naming the table.
    pub fn opens(&self, sealed: &[Sealed]) -> Result<()> {
        let refused = |what: &str| {
            let help = "ask the recipient to load the archive anew; its own copy may be another one";
            Err(NOT_WHAT_WAS_SEALED.fault(what.to_owned()).help(help))
        };
        if self.tables.len() != sealed.len() {
            return refused("other tables than were sealed");
        }
        for (said, was) in self.tables.iter().zip(sealed) {
            if said.name != was.name || said.rows.checked_add(said.refused) != Some(was.rows) {
                return refused(&format!("table {}: other rows than were sealed", was.name));
            }
            let opened = [&said.salt, &said.out].map(|text| HEXLOWER.decode(text.as_bytes()));
            let [Ok(salt), Ok(out)] = opened else { return refused(&format!("table {}", was.name)) };
            if digest::of_bytes(&[salt, out].concat()) != was.commitment {
                return refused(&format!("table {}: its tally is not the one that was sealed", was.name));
            }
        }
        Ok(())
    }

    /// Whether everything that was sealed stands at the destination.
    ///
    /// # Errors
    /// [`DIFFERENCES`].
    pub fn is_whole(&self) -> Result<()> {
        let refused: u64 = self.tables.iter().fold(0, |n, t| n.saturating_add(t.refused));
        if self.differences == 0 && refused == 0 {
            return Ok(());
        }
        let detail = format!("{} rows differ, {refused} were refused", self.differences);
        Err(DIFFERENCES.fault(detail).help(
            "the recipient mends the destination and loads again, or the controller accepts what differs",
        ))
    }
}

/// The receipt as a document to sign.
#[must_use]
pub fn draft(head: &Head, stated: &Stated) -> String {
    let title = "# The recipient's receipt: what was loaded out of one sealed archive and read back there. Signed by\n\
                 # the recipient, after the identity that opened the archive was destroyed.\n";
    written((title, Kind::Receipt, DESTROYED), head, stated)
}

/// The controller's receipt of a return as a document to sign.
#[must_use]
pub fn draft_return(head: &Head, stated: &Stated) -> String {
    let title = "# The controller's receipt: what was returned to it in one sealed archive, every row opened and added up.\n\
                 # Signed by a signatory of the controller's, who keeps the identity that opens it.\n";
    written((title, Kind::ReturnReceipt, KEPT), head, stated)
}

fn written((title, kind, identity): (&str, Kind, &str), head: &Head, stated: &Stated) -> String {
    let mut text = format!(
        "{title}\n\
         {}\n\
         [receipt]\n\
         archive     = {}\n\
         manifest    = {}\n\
         instruction = {}\n\
         recipient   = {}\n\
         run         = {}\n\
\
         differences = {}\n\
         identity    = {}\n",
        template::header(kind, head),
        quote(&stated.archive),
        quote(&stated.manifest),
        quote(&stated.instruction),
        quote(&stated.recipient),
        quote(&stated.run),
        stated.differences,
        quote(identity),
    );
    for Table { name, rows, refused, salt, out } in &stated.tables {
        // writing to a String cannot fail
        let _ = write!(
            text,
            "\n[[table]]\nname    = {}\nrows    = {rows}\nrefused = {refused}\nsalt    = {}\nout     = {}\n",
            quote(name),
            quote(salt),
            quote(out)
        );
    }
    text
}

/// The one thing that a receipt says of the identity: no other receipt is made.
const DESTROYED: &str = "destroyed";
/// The one thing that the receipt of a return says of it.
const KEPT: &str = "kept";

/// Reads a receipt, its header apart.
///
/// # Errors
/// Everything that is wrong with it.
pub fn parse(text: &str) -> Result<Stated, Vec<Finding>> {
    parsed(text, DESTROYED)
}

/// Reads the controller's receipt of a return, its header apart.
///
/// # Errors
/// Everything that is wrong with it.
pub fn parse_return(text: &str) -> Result<Stated, Vec<Finding>> {
    parsed(text, KEPT)
}

fn parsed(text: &str, identity: &str) -> Result<Stated, Vec<Finding>> {
    reader::stated(text, &CODES, "receipt", |r, head, root| read(r, head, root, identity))
}

fn read(
    r: &mut Reader<'_>,
    mut head: Fields<'_, '_>,
    root: &mut Fields<'_, '_>,
    wanted: &str,
) -> Option<Stated> {
    let archive = head.text(r, "archive");
    let manifest = head.digest(r, "manifest");
    let instruction = head.digest(r, "instruction");
    let recipient = head.digest(r, "recipient");
    let run = head.text(r, "run");
    let differences = head.number(r, "differences");
    let identity = head.text(r, "identity");
    head.end(r);
    if let Some(other) = identity.as_ref().filter(|identity| identity.value != wanted) {
        let finding = Finding::new(&WRONG_VALUE, format!("`identity` wants \"{wanted}\""));
        let help = match wanted {
            KEPT => "whom the data were returned to keeps the identity: it opens them",
            _ => "a receipt is signed once the identity is destroyed",
        };
        r.find(finding.at(other.span.clone()).help(help));
    }
    let tables: Vec<Table> = root.tables(r, "table").into_iter().filter_map(|t| table(r, t)).collect();
    Some(Stated {
        archive: archive?.value,
        manifest: manifest?.value,
        instruction: instruction?.value,
        recipient: recipient?.value,
        run: run?.value,
        differences: differences?.value,
        tables,
    })
}

fn table(r: &mut Reader<'_>, mut t: Fields<'_, '_>) -> Option<Table> {
    let name = t.text(r, "name");
    let rows = t.number(r, "rows");
    let refused = t.number(r, "refused");
    let salt = t.text(r, "salt").and_then(|text| digits(r, "salt", text));
    let out = t.text(r, "out").and_then(|text| digits(r, "out", text));
    t.end(r);
    Some(Table {
        name: name?.value,
        rows: rows?.value,
        refused: refused?.value,
        salt: salt?.value,
        out: out?.value,
    })
}

fn digits(r: &mut Reader<'_>, key: &str, text: Spanned<String>) -> Option<Spanned<String>> {
    let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    if text.value.len() == 64 && text.value.bytes().all(hex) {
        return Some(text);
    }
    let message = format!("`{key}` wants 64 lower-case hexadecimal digits");
    r.find(Finding::new(&WRONG_VALUE, message).at(text.span));
    None
}
