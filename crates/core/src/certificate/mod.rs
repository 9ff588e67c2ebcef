//! The certificate of erasure: what was erased, what was then looked for, what is held and what is out of reach,
//! per place, signed by the processor (GDPR Art. 28(3)(g); NIST SP 800-88 appendix on certificates).
//!
//! It is a declaration of acts and searches and says so: no search proves that no copy exists. It names every
//! other file of the migration's evidence by digest, so that its signatures cover them all.

mod read;

use std::fmt::{Display, Write as _};

use jiff::Timestamp;

use crate::contract::Contract;
use crate::document::Kind;
use crate::erasure::{Beyond, Erased, Held, Looked, Side};
use crate::fault::{Code, Result};
use crate::finding::Finding;
use crate::paper::Paper;
use crate::reader::quote;
use crate::signatures::SignatureFile;
use crate::template::{self, Head};

pub use read::parse;

/// Not what stands in the folder.
pub static OTHER: Code = Code::refused("ECL-CRT-005", "the certificate is of something else");

/// The file in the migration folder.
pub const FILE: &str = "certificate.toml";

/// What every certificate declares, and no more.
pub const DECLARES: [&str; 2] = [
    "What stands here was done, and was looked for, as stated, in the places named. It is a declaration and no proof \
     that no copy exists elsewhere.",
    "Ce qui figure ici a été effacé et recherché comme indiqué, aux endroits nommés. C’est une déclaration et non la \
     preuve qu’il n’existe aucune copie ailleurs.",
];

/// What is certified; nobody has checked who signed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stated {
    /// The run.
    pub run: String,
    /// The digest of its instruction.
    pub instruction: String,
    /// The digest of the acceptance.
    pub acceptance: String,
    /// The digest of `erasure.json`.
    pub erasure: String,
    /// The digest of `residue.json`.
    pub residue: String,
    /// What is gone.
    pub done: Vec<Erased>,
    /// What was looked at, in which nothing was found.
    pub looked: Vec<Looked>,
    /// What is under a legal hold.
    pub held: Vec<Held>,
    /// What no command of ours reaches.
    pub out_of_reach: Vec<Beyond>,
    /// Every other file of the evidence, by path.
    pub artefacts: Vec<Artefact>,
}

/// One file of the evidence.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Artefact {
    /// Its path in the evidence.
    pub path: String,
    /// SHA-256 of its bytes, 64 lower-case hexadecimal digits, as `sha256sum` prints it.
    pub sha256: String,
}

/// A certificate that every signatory of the processor signed. Only [`Certified::read`] makes one.
///
/// ```compile_fail,E0451
/// # use ecluse_core::certificate::Certified;
/// fn forge(real: Certified) -> Certified {
///     Certified { ..real }
/// }
/// ```
pub type Certified = Paper<Stated>;

impl Paper<Stated> {
    /// Reads a certificate and checks who signed it.
    ///
    /// # Errors
    /// Every fault of header, signatures and text.
    pub fn read(
        bytes: &[u8],
        files: &[SignatureFile],
        contract: &Contract,
        now: Timestamp,
    ) -> Result<Self, Vec<Finding>> {
        Self::open(Kind::Certificate, bytes, files, contract, now, parse)
    }
}

impl Stated {
    /// Whether it states what is found now.
    ///
    /// # Errors
    /// [`OTHER`], naming the first point in which it does not; the first artefact that is another file.
    pub fn is(&self, found: &Self) -> Result<()> {
        let differs = if self.run != found.run || self.instruction != found.instruction {
            "it is of another run, or under another order".to_owned()
        } else if self.acceptance != found.acceptance {
            "another acceptance stands there".to_owned()
        } else if self.erasure != found.erasure || self.residue != found.residue {
            "more was erased or looked for since".to_owned()
        } else if let Some(path) = self.changed(found) {
            format!("{path} is another file, is gone, or was added")
        } else if self != found {
            "it does not say what was erased and looked for".to_owned()
        } else {
            return Ok(());
        };
        Err(OTHER.fault(differs).help(
            "write it anew: mv certificate.toml certificate.old.toml, its signatures too; then: ecluse certify propose",
        ))
    }

    /// The first path whose file is another one, is gone, or was added.
    fn changed<'a>(&'a self, found: &'a Self) -> Option<&'a str> {
        let gone = self.artefacts.iter().find(|one| !found.artefacts.contains(one));
        let new = || found.artefacts.iter().find(|one| !self.artefacts.contains(one));
        gone.or_else(new).map(|one| one.path.as_str())
    }
}

/// The certificate as a document to sign.
#[must_use]
pub fn draft(head: &Head, stated: &Stated) -> String {
    let mut text = format!(
        "# The certificate of erasure, signed by the processor's signatories (GDPR Art. 28(3)(g)).\n\
         # ecluse certify propose writes it from what was done; nothing here has to be filled in.\n\n\
         {}\n\
         [certificate]\n\
         run         = {}\n\
         instruction = {}\n\
         acceptance  = {}\n\
         erasure     = {}\n\
         residue     = {}\n\
         declares    = [\n",
        template::header(Kind::Certificate, head),
        quote(&stated.run),
        quote(&stated.instruction),
        quote(&stated.acceptance),
        quote(&stated.erasure),
        quote(&stated.residue),
    );
    for sentence in DECLARES {
        // writing to a String cannot fail
        let _ = writeln!(text, "  {},", quote(sentence));
    }
    text.push_str("]\n");
    for Erased { side, place, what, method, rows, files, at } in &stated.done {
        section(&mut text, "done");
        line(&mut text, "side", quote(side.name()));
        texts(&mut text, &[("place", place), ("what", what), ("method", method)]);
        rows.iter().for_each(|n| line(&mut text, "rows", n));
        files.iter().for_each(|n| line(&mut text, "files", n));
        texts(&mut text, &[("at", at)]);
    }
    for Looked { place, sought, files, bytes, unread } in &stated.looked {
        section(&mut text, "looked");
        texts(&mut text, &[("place", place), ("sought", sought)]);
        line(&mut text, "files", files);
        line(&mut text, "bytes", bytes);
        let unread: Vec<String> = unread.iter().map(|one| quote(one)).collect();
        line(&mut text, "unread", format!("[{}]", unread.join(", ")));
    }
    for Held { place, what, reason, approver, until } in &stated.held {
        section(&mut text, "held");
        texts(
            &mut text,
            &[("place", place), ("what", what), ("reason", reason), ("approver", approver), ("until", until)],
        );
    }
    for Beyond { place, what, owner, until } in &stated.out_of_reach {
        section(&mut text, "out_of_reach");
        texts(&mut text, &[("place", place), ("what", what), ("owner", owner), ("until", until)]);
    }
    for Artefact { path, sha256 } in &stated.artefacts {
        section(&mut text, "artefact");
        texts(&mut text, &[("path", path), ("sha256", sha256)]);
    }
    text
}

fn section(text: &mut String, name: &str) {
    let _ = writeln!(text, "\n[[{name}]]");
}

fn line(text: &mut String, key: &str, value: impl Display) {
    let _ = writeln!(text, "{key:<8} = {value}");
}

fn texts(text: &mut String, values: &[(&str, &String)]) {
    for (key, value) in values {
        line(text, key, quote(value));
    }
}

impl Side {
    /// The word documents use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Copy => "copy",
        }
    }
}
