//! The papers as text: commented templates to fill in, and filled ones for trials.
//!
//! A template's `…` is a placeholder: the checks count it as absent.

use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::civil::Date;

use crate::document::{Kind, Seen};
use crate::person::{Role, Side};
use crate::reader::quote;
use crate::status::State;
use crate::types::Engine;

/// The header's values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// 128 random bits, the caller's.
    pub id: [u8; 16],
    /// From 1.
    pub version: u64,
    /// The digest of the version before.
    pub supersedes: Option<String>,
    /// The contract's digest; `None` in a contract.
    pub contract: Option<String>,
    /// When it is written.
    pub issued: Timestamp,
    /// From when it holds.
    pub not_before: Timestamp,
    /// Until when it holds.
    pub not_after: Timestamp,
    /// The checkpoint of the journal that whoever signs has before them.
    pub seen: Option<Seen>,
    /// Papers of a trial.
    pub trial: bool,
}

/// The `[document]` section.
#[must_use]
pub fn header(kind: Kind, head: &Head) -> String {
    let mut text = String::from("[document]\n");
    let mut line = |key: &str, value: String, why: &str| {
        let why = if why.is_empty() { String::new() } else { format!("   # {why}") };
        // writing to a String cannot fail
        let _ = writeln!(text, "{key:<10} = {value}{why}");
    };
    line("format", quote(kind.format()), "");
    line("id", quote(&data_encoding::HEXLOWER.encode(&head.id)), "drawn at random");
    line("version", head.version.to_string(), "");
    if let Some(digest) = &head.supersedes {
        line("supersedes", quote(digest), "");
    }
    if let Some(digest) = &head.contract {
        line("contract", quote(digest), "sha256sum contract.toml");
    }
    line("issued", seconds(head.issued), "");
    line("not_before", seconds(head.not_before), "");
    line("not_after", seconds(head.not_after), "");
    if let Some(Seen { origin, size, root }) = &head.seen {
        let seen = format!("{{ origin = {}, size = {size}, root = {} }}", quote(origin), quote(root));
        line("seen", seen, "the journal, as it was signed for");
    }
    if head.trial {
        line("trial", "true".to_owned(), "TRIAL: at most 1,000 rows of a table move");
    }
    text
}

/// A contract to fill in, every field explained.
#[must_use]
pub fn contract(head: &Head) -> String {
    let title = "# The contract between controller and processor (GDPR Art. 28(3)), signed by both sides.\n\
                 # Fill in every …, then: ecluse contract check\n\n";
    format!("{title}{}{}", header(Kind::Contract, head), include_str!("contract.toml"))
}

/// A line of the register of keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyLine {
    /// The role.
    pub role: Role,
    /// First and last name.
    pub person: String,
    /// The person's own address.
    pub email: String,
    /// OpenSSH's one line.
    pub public: String,
    /// Who checked it.
    pub checked_by: String,
    /// Of a recipient: the legal entity for which it receives.
    pub entity: Option<String>,
    /// When it was enrolled; an operator's or a recipient's commitment bears the same day.
    pub on: Date,
    /// The last day on which it counts.
    pub until: Date,
}

/// The processor of [`invented_contract`].
pub const INVENTED_PROCESSOR: &str = "Logilab Éditions";

/// A complete contract between two invented parties, with these keys: for trials, the
/// demonstration and tests.
#[must_use]
pub fn invented_contract(head: &Head, keys: &[KeyLine]) -> String {
    let mut text = String::new();
    if head.trial {
        text.push_str("# TRIAL: invented parties; every role is played with a key of keys/.\n\n");
    }
    text.push_str(&header(Kind::Contract, head));
    text.push_str(include_str!("example.toml"));
    for key in keys {
        text.push_str(&key_line(key));
    }
    text
}

fn key_line(key: &KeyLine) -> String {
    let mut text = format!(
        "\n[[key]]\nrole   = {}\nperson = {}\nemail  = {}\npublic = {}\nuntil  = {}\n",
        quote(key.role.name()),
        quote(&key.person),
        quote(&key.email),
        quote(&key.public),
        key.until,
    );
    if key.role.side() == Side::Controller {
        text.push_str("paper  = \"annexe 3, page 14\"\n");
    }
    if let Some(entity) = &key.entity {
        let _ = writeln!(text, "entity = {}", quote(entity));
    }
    if [Role::Operator, Role::Recipient].contains(&key.role) {
        let _ = writeln!(text, "confidentiality = {}", key.on);
    }
    let _ = writeln!(
        text,
        "[key.enrolment]\nhow = \"empreinte relue au téléphone, au numéro publié\"\nby  = {}\non  = {}",
        quote(&key.checked_by),
        key.on
    );
    text
}

/// A survey mandate; without `purpose` it stands to be filled in.
#[must_use]
pub fn mandate(head: &Head, purpose: &str, engine: Engine, database: &str, identity: Option<&str>) -> String {
    let identity = match identity {
        Some(identity) => format!("identity = {}", quote(identity)),
        None => {
            "# identity = \"…\"                # the instance's identity, where it is known (docs/formats.md)"
                .to_owned()
        }
    };
    format!(
        "# Leave to look at a database's catalogue: names, types, keys; no value of any row.\n\
         # Signed by the controller's signatory: ecluse mandate sign\n\n\
         {}\n\
         [survey]\n\
         purpose  = {}\n\
         sampling = false\n\n\
         [source]\n\
         engine   = {}                  # postgresql, mariadb, sqlite\n\
         database = {}\n\
         {identity}\n",
        header(Kind::Survey, head),
        quote(purpose),
        quote(engine.name()),
        quote(database),
    )
}

/// A survey mandate to fill in, as a new folder has it: neither the contract's digest nor the database is
/// known yet.
#[must_use]
pub fn mandate_to_fill(head: &Head) -> String {
    let head = Head { contract: Some(NO_DIGEST.to_owned()), ..head.clone() };
    mandate(&head, "…", Engine::Postgresql, "…", None).replace(
        "# Signed by the controller's signatory: ecluse mandate sign\n",
        "# Say why under `purpose`. Then ecluse mandate new fills in the contract's digest, the database and\n\
         # the dates, and the controller's signatory signs: ecluse mandate sign\n",
    )
}

/// A digest that is not known yet.
pub const NO_DIGEST: &str = "sha256:…";

/// The controller's word on an instruction.
#[must_use]
pub fn status(head: &Head, instruction: &str, state: State, reason: Option<&str>) -> String {
    let reason = reason.map_or_else(String::new, |reason| format!("reason      = {}\n", quote(reason)));
    format!(
        "# The controller's word on an instruction, as of `issued`. Signed by the controller's signatory.\n\n\
         {}\n\
         [status]\n\
         instruction = {}\n\
         state       = {}             # in force, suspended, revoked\n\
         {reason}",
        header(Kind::Status, head),
        quote(instruction),
        quote(state.name()),
    )
}

/// An operator's session statement, 12 hours at most.
#[must_use]
pub fn session(head: &Head, operator: &str, email: &str, recipient: &str) -> String {
    format!(
        "# An operator opens a session of at most 12 hours. Signed with the operator's own key.\n\n\
         {}\n\
         [session]\n\
         operator  = {}\n\
         email     = {}\n\
         recipient = {}   # the age recipient to which the run's state is sealed\n",
        header(Kind::Session, head),
        quote(operator),
        quote(email),
        quote(recipient),
    )
}

/// A recipient's statement; without `purpose` it stands to be filled in.
#[must_use]
pub fn recipient(head: &Head, age: &str, purpose: &str, entity: &str) -> String {
    format!(
        "# Who may open the sealed archive of one migration. Signed with the recipient's own contract key:\n\
         # ecluse recipient sign. The order cites this file's digest.\n\n\
         {}\n\
         [recipient]\n\
         age     = {}   # the archive is sealed to this key alone\n\
         purpose = {}\n\
         entity  = {}   # the legal entity that receives\n",
        header(Kind::Recipient, head),
        quote(age),
        quote(purpose),
        quote(entity),
    )
}

/// The controller's statement of the key to which classes are returned.
#[must_use]
pub fn return_recipient(head: &Head, age: &str, purpose: &str, controller: &str) -> String {
    format!(
        "# With which key the laboratory opens what is returned to it. Signed by one of its signatories:\n\
         # ecluse recipient sign --return. The order cites this file's digest under [return].\n\n\
         {}\n\
         [recipient]\n\
         age     = {}   # what is returned is sealed to this key alone\n\
         purpose = {}\n\
         entity  = {}   # the controller\n",
        header(Kind::ReturnRecipient, head),
        quote(age),
        quote(purpose),
        quote(controller),
    )
}

/// Whether somebody wrote something: not empty, not the template's placeholder.
pub(crate) fn filled(text: &str) -> bool {
    let text = text.trim();
    !(text.is_empty() || text == "…" || text == "..." || text.starts_with("TODO"))
}

/// `2026-11-22T09:00:00Z`: no fraction, so that a person can read it aloud.
pub(crate) fn seconds(moment: Timestamp) -> String {
    Timestamp::from_second(moment.as_second()).unwrap_or(moment).to_string()
}
