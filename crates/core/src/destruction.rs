//! The statement of destruction: whoever took a copy out of our reach, or who answers for them, states over their own
//! name that it was destroyed, how, when, and what the statement does not reach (NIST SP 800-88r2).
//!
//! It is a person's word and says so. The holder signs it where the contract has a key of theirs that counted on the
//! day on which it was written; nobody then signs in their place. Else a signatory of the side that answers for the
//! holder does (decision 0082).

use jiff::Timestamp;

use crate::contract::Contract;
use crate::copies::{Copy, listed, objection};
use crate::document::Kind;
use crate::fault::{Code, Result};
use crate::finding::Finding;
use crate::keys::Key;
use crate::paper::Paper;
use crate::person::{Role, Side, same_person_key};
use crate::reader::{self, Codes, Fields, Reader, Spanned, quote};
use crate::signatures::{SignatureFile, Signer};
use crate::template::{self, Head, seconds};

static SYNTAX: Code = Code::refused("ECL-DES-001", "the statement of destruction is not TOML");
static UNKNOWN_KEY: Code = Code::refused("ECL-DES-002", "unknown key in the statement of destruction");
static MISSING_KEY: Code = Code::refused("ECL-DES-003", "the statement of destruction lacks a key");
static WRONG_VALUE: Code =
    Code::refused("ECL-DES-004", "a value of the statement of destruction has the wrong form");
/// Of another copy than the ledger's line.
pub static OTHER: Code = Code::refused("ECL-DES-005", "the statement of destruction is of another copy");
/// Somebody else's word than that of whoever has the copy, or answers for it.
pub static SIGNER: Code =
    Code::refused("ECL-DES-006", "this person cannot state that the copy was destroyed");
/// Destroyed before it was taken, or after it was said.
pub static HOUR: Code =
    Code::refused("ECL-DES-007", "the copy cannot have been destroyed at the hour that is stated");

static CODES: Codes =
    Codes { syntax: &SYNTAX, unknown: &UNKNOWN_KEY, missing: &MISSING_KEY, wrong: &WRONG_VALUE };

/// The folder of the statements, in a migration folder and in the evidence.
pub const FOLDER: &str = "destroyed";

/// What every statement declares, and no more.
pub const DECLARES: [&str; 2] = [
    "The copy named here was destroyed as stated, with everything that was made of it as far as whoever signs knows. It \
     is their word and no proof that no other copy exists.",
    "La copie nommée ici a été détruite comme indiqué, avec tout ce qui en a été tiré à la connaissance du signataire. \
     C’est sa parole et non la preuve qu’il n’existe aucune autre copie.",
];

/// What was done to the medium on which the copy lay (NIST SP 800-88r2, 3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Every addressable place was written over.
    Clear,
    /// Not to be brought back in a laboratory; destroying the key of what was encrypted (cryptographic erase) is one way.
    Purge,
    /// The medium itself is destroyed.
    Destroy,
}

impl Method {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Clear, Self::Purge, Self::Destroy];

    /// The word documents use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Clear => "clear",
            Self::Purge => "purge",
            Self::Destroy => "destroy",
        }
    }
}

/// What is stated; nobody has checked who signed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stated {
    /// The id of the ledger's line.
    pub copy: String,
    /// The id of the line of which it is a copy.
    pub of: String,
    /// What it is, in the ledger's words.
    pub what: String,
    /// Where it lay.
    pub place: String,
    /// Who had it.
    pub holder: String,
    /// The side that answers for the holder.
    pub answers: Side,
    /// When it was taken.
    pub taken: Timestamp,
    /// Who states it, by name.
    pub by: String,
    /// What was done to the medium.
    pub method: Method,
    /// How, in words.
    pub how: String,
    /// When.
    pub at: Timestamp,
    /// What the statement does not reach: a backup of that machine, a flash disk's spare cells.
    pub limits: String,
}

/// A statement that the one person signed who can make it. Only [`Destroyed::read`] makes one.
///
/// ```compile_fail,E0451
/// # use ecluse_core::destruction::Destroyed;
/// fn forge(real: Destroyed) -> Destroyed {
///     Destroyed { ..real }
/// }
/// ```
pub type Destroyed = Paper<Stated>;

impl Paper<Stated> {
    /// Reads a statement, and checks who signed it and whether that person can make it.
    ///
    /// # Errors
    /// Every fault of header, signatures and text; [`SIGNER`], [`HOUR`].
    pub fn read(
        bytes: &[u8],
        files: &[SignatureFile],
        contract: &Contract,
        now: Timestamp,
    ) -> Result<Self, Vec<Finding>> {
        let paper = Self::open(Kind::Destruction, bytes, files, contract, now, parse)?;
        let (stated, keys, issued) = (paper.stated(), &contract.terms().keys, paper.header().issued);
        let findings = [
            stated.wrong_hour(issued),
            stated.wrong_person(keys, issued),
            stated.is_signed(keys, paper.signers(), issued),
        ];
        let findings: Vec<Finding> = findings.into_iter().flatten().collect();
        if findings.is_empty() { Ok(paper) } else { Err(findings) }
    }
}

/// The keys of those who can state that this holder's copy was destroyed, as of a moment: the holder's own, where the
/// contract has one that counts; else those of the signatories of the side that answers.
pub fn may_state<'k>(keys: &'k [Key], holder: &str, answers: Side, at: Timestamp) -> Vec<&'k Key> {
    let role = |key: &Key| Kind::Destruction.signers().iter().any(|(role, _)| *role == key.role);
    let signing = || keys.iter().filter(|key| key.public.is_some() && key.counts(at) && role(key));
    let holder = same_person_key(holder);
    let own: Vec<&Key> = signing().filter(|key| same_person_key(&key.person) == holder).collect();
    if !own.is_empty() {
        return own;
    }
    let signatory = match answers {
        Side::Controller => Role::ControllerSignatory,
        Side::Processor => Role::ProcessorSignatory,
    };
    signing().filter(|key| key.role == signatory).collect()
}

impl Stated {
    /// What a statement about this line of the ledger begins with: the copy, as it was entered.
    #[must_use]
    pub fn of(copy: &Copy, how: Said) -> Option<Self> {
        let taken = copy.taken.as_ref()?;
        let Said { by, method, words, at, limits } = how;
        Some(Self {
            copy: copy.id.clone(),
            of: taken.of.clone(),
            what: copy.store.words().to_owned(),
            place: copy.place.clone(),
            holder: taken.holder.clone(),
            answers: taken.answers,
            taken: copy.born,
            by,
            method,
            how: words,
            at,
            limits,
        })
    }

    /// Whether it is of this line of the ledger, in every word.
    ///
    /// # Errors
    /// [`OTHER`], naming the first point in which it is not.
    pub fn is_of(&self, copy: &Copy) -> Result<()> {
        let Some(taken) = &copy.taken else { return Err(OTHER.fault("nobody took this copy")) };
        let differs = if self.copy != copy.id || self.of != taken.of {
            "it names another line of a ledger of copies"
        } else if self.what != copy.store.words() || self.place != copy.place {
            "it says otherwise what it is, or where it lay"
        } else if self.holder != taken.holder || self.answers != taken.answers {
            "it names another holder"
        } else if self.taken != copy.born {
            "it was taken at another hour"
        } else {
            return Ok(());
        };
        Err(OTHER.fault(differs).help("have it written anew from the ledger: ecluse copies state ID"))
    }

    /// What keeps whoever is named from stating it, as of a moment: [`SIGNER`].
    #[must_use]
    pub fn wrong_person(&self, keys: &[Key], at: Timestamp) -> Option<Finding> {
        if let Some(side) = listed(keys, &self.holder).filter(|side| *side != self.answers) {
            let message = format!("the contract lists {} on the {}'s side", self.holder, side.name());
            return Some(Finding::new(&SIGNER, message));
        }
        let may = may_state(keys, &self.holder, self.answers, at);
        let by = same_person_key(&self.by);
        if may.iter().any(|key| same_person_key(&key.person) == by) {
            return None;
        }
        let mut names: Vec<&str> = may.iter().map(|key| key.person.as_str()).collect();
        names.dedup();
        let help = match names.as_slice() {
            [] => format!("no key of the {}'s signatories counts: amend the contract", self.answers.name()),
            names => format!("{} can", names.join(", or ")),
        };
        Some(Finding::new(&SIGNER, self.by.clone()).help(help))
    }

    /// Everybody who signed is the person it names.
    fn is_signed(&self, keys: &[Key], signers: &[Signer], at: Timestamp) -> Option<Finding> {
        let may = may_state(keys, &self.holder, self.answers, at);
        let by = same_person_key(&self.by);
        let right = |signer: &Signer| {
            same_person_key(&signer.person) == by
                && may.iter().any(|key| key.fingerprint() == signer.fingerprint)
        };
        let other = signers.iter().find(|signer| !right(signer))?;
        let message = format!("it names {}, and {} signed it", self.by, other.person);
        Some(Finding::new(&SIGNER, message).help("whoever it names signs it, and nobody else"))
    }

    /// That it was not destroyed after it was taken and before it was said: [`HOUR`].
    #[must_use]
    pub fn wrong_hour(&self, issued: Timestamp) -> Option<Finding> {
        let message = if self.at < self.taken {
            format!("it was taken on {}", seconds(self.taken))
        } else if self.at > issued {
            format!("the statement was written on {}", seconds(issued))
        } else {
            return None;
        };
        Some(Finding::new(&HOUR, message).help("--at 2026-11-22T14:30:00+01:00, with its offset"))
    }
}

/// What whoever states it adds to the ledger's line.
#[derive(Clone, Debug)]
pub struct Said {
    /// See [`Stated::by`].
    pub by: String,
    /// See [`Stated::method`].
    pub method: Method,
    /// See [`Stated::how`].
    pub words: String,
    /// See [`Stated::at`].
    pub at: Timestamp,
    /// See [`Stated::limits`].
    pub limits: String,
}

/// The path of the statement about a copy.
#[must_use]
pub fn file(copy: &str) -> String {
    format!("{FOLDER}/{copy}.toml")
}

/// The statement as a document to sign.
#[must_use]
pub fn draft(head: &Head, stated: &Stated) -> String {
    let Stated { copy, of, what, place, holder, answers, taken, by, method, how, at, limits } = stated;
    let [english, french] = DECLARES.map(quote);
    format!(
        "# The statement that a copy which somebody took was destroyed (NIST SP 800-88r2). Signed by the person under\n\
         # `by`. ecluse copies state writes it from the ledger of copies; nothing here has to be filled in.\n\n\
         {}\n\
         [destruction]\n\
         copy     = {}\n\
         of       = {}\n\
         what     = {}\n\
         place    = {}\n\
         holder   = {}\n\
         answers  = {}\n\
         taken    = {}\n\
         by       = {}\n\
         method   = {}   # of the medium: clear, purge, destroy\n\
         how      = {}\n\
         at       = {}\n\
         limits   = {}\n\
         declares = [\n  {english},\n  {french},\n]\n",
        template::header(Kind::Destruction, head),
        quote(copy),
        quote(of),
        quote(what),
        quote(place),
        quote(holder),
        quote(answers.name()),
        seconds(*taken),
        quote(by),
        quote(method.name()),
        quote(how),
        seconds(*at),
        quote(limits),
    )
}

/// Reads a statement, its header apart.
///
/// # Errors
/// Everything that is wrong with it; another declaration than [`DECLARES`].
pub fn parse(text: &str) -> Result<Stated, Vec<Finding>> {
    reader::stated(text, &CODES, "destruction", |r, head, _| read(r, head))
}

fn read(r: &mut Reader<'_>, mut t: Fields<'_, '_>) -> Option<Stated> {
    let [copy, of] = ["copy", "of"].map(|key| t.text(r, key).and_then(|text| id(r, key, text)));
    let [what, place, holder] = ["what", "place", "holder"].map(|key| t.text(r, key));
    let answers = t.text(r, "answers").and_then(|side| {
        let known = Side::from_name(&side.value);
        if known.is_none() {
            r.find(Finding::new(&WRONG_VALUE, "`answers` is \"controller\" or \"processor\"").at(side.span));
        }
        known
    });
    let taken = t.moment(r, "taken");
    let by = t.text(r, "by");
    let method = t.text(r, "method").and_then(|method| {
        let known = Method::ALL.into_iter().find(|known| known.name() == method.value);
        if known.is_none() {
            let message = "`method` is \"clear\", \"purge\" or \"destroy\"";
            r.find(Finding::new(&WRONG_VALUE, message).at(method.span));
        }
        known
    });
    let [how, limits] = ["how", "limits"].map(|key| t.text(r, key).and_then(|text| words(r, key, text)));
    let at = t.moment(r, "at");
    let declares = t.texts(r, "declares");
    if declares.iter().map(|text| text.value.as_str()).ne(DECLARES) {
        let place = declares.first().map_or_else(|| t.span.clone(), |text| text.span.clone());
        let finding = Finding::new(&WRONG_VALUE, "`declares` is not what a statement declares").at(place);
        r.find(finding.help("ecluse copies state writes it; a statement claims no more and no less"));
    }
    t.end(r);
    Some(Stated {
        copy: copy?.value,
        of: of?.value,
        what: what?.value,
        place: place?.value,
        holder: holder?.value,
        answers: answers?,
        taken: taken?.value,
        by: by?.value,
        method: method?,
        how: how?.value,
        at: at?.value,
        limits: limits?.value,
    })
}

fn id(r: &mut Reader<'_>, key: &str, text: Spanned<String>) -> Option<Spanned<String>> {
    let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    if text.value.len() == 32 && text.value.bytes().all(hex) {
        return Some(text);
    }
    let message = format!("`{key}` wants 32 lower-case hexadecimal digits");
    r.find(Finding::new(&WRONG_VALUE, message).at(text.span));
    None
}

fn words(r: &mut Reader<'_>, key: &str, text: Spanned<String>) -> Option<Spanned<String>> {
    let Some(wrong) = objection(&text.value) else { return Some(text) };
    r.find(Finding::new(&WRONG_VALUE, format!("`{key}`: {wrong}")).at(text.span));
    None
}
