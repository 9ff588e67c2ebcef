//! What a step may do, and on whose word: the papers, checked, as one argument.

use ecluse_core::fault::{Code, Result};
use ecluse_core::finding::refuse;
use ecluse_core::instruction::Instruction;
use ecluse_core::plan::Plan;
use ecluse_core::recipient::Recipient;
use ecluse_core::session::Session;
use ecluse_core::status::Standing;
use ecluse_seal::{Identity, Seal};

use crate::excluded::Excluded;

static STRANGER: Code =
    Code::refused("ECL-RUN-018", "the run's state would be sealed to somebody else than the session names");

static OTHER_KEY: Code =
    Code::refused("ECL-LOA-010", "this identity is not the one of the recipient's statement");

static UNLISTED: Code =
    Code::refused("ECL-RUN-040", "the order lets persons stay, and their list is not at hand");

/// The papers of a run, in force. Only [`Orders::in_force`] makes them, from values that
/// only the checks of their signatures make.
#[derive(Clone, Copy)]
pub struct Orders<'a> {
    /// What the verified instruction compiled to.
    pub(crate) plan: &'a Plan,
    /// The instruction's digest, `sha256:…`.
    pub(crate) instruction: &'a str,
    /// The session statement's id: every event cites it. Of a load, the recipient statement's.
    pub(crate) session: &'a str,
    /// The signed source.
    pub(crate) source: Bound<'a>,
    /// The signed destination; of an order to a recipient there is none.
    pub(crate) destination: Bound<'a>,
    /// The identity of the session's age recipient: it writes the run's state and alone opens it.
    pub(crate) author: &'a Identity,
    /// What opens the state of a run that goes on: the identity of whoever wrote it last.
    pub(crate) identity: &'a Identity,
    /// The persons whose rows never move, where the instruction cites a list.
    pub(crate) excluded: Option<&'a Excluded>,
    /// The run that was begun elsewhere, where an archive is loaded.
    pub(crate) begun: Option<Begun<'a>>,
    ask: Ask<'a>,
}

/// A run that began where its rows were extracted: its id, by which the ledger at the destination tells
/// rows that are there already, and the key of its tallies.
#[derive(Clone, Copy)]
pub struct Begun<'a> {
    /// The run's opaque id.
    pub run: &'a str,
    /// The key of its tallies.
    pub tally: &'a Seal,
    /// Where the files go that its rows name, resolved; empty where they name none.
    pub files: &'a str,
}

/// One side, as it was signed.
#[derive(Clone, Copy, Debug)]
pub struct Bound<'a> {
    /// The instance's identity.
    pub identity: &'a str,
    /// The schema digest of the instructed tables, `sha256:…`; empty where the
    /// instruction binds none (a destination whose tables écluse makes).
    pub schema: &'a str,
}

impl Bound<'_> {
    /// Whether it is a dump.
    pub(crate) fn is_dump(&self) -> bool {
        self.identity.starts_with("dump/")
    }
}

/// How a step asks whether the instruction still stands.
#[derive(Clone, Copy)]
enum Ask<'a> {
    Status(&'a (dyn Fn() -> Result<Standing> + Sync)),
    #[cfg(feature = "assertions")]
    Asserted(&'a (dyn Fn() -> Result<()> + Sync)),
}

impl<'a> Orders<'a> {
    /// The orders of an instruction in force, carried out in a session in force.
    ///
    /// `plan` is what the instruction compiled to. `ask` reads the status anew and checks its
    /// signature and age; it is called at the start, at every chunk and at the end. `author` is
    /// the session's own identity, `identity` opens what an earlier session left (often the same).
    /// `excluded` is the list that the instruction cites.
    ///
    /// # Errors
    ///
    /// `ECL-RUN-018` where `author` is not the identity that the session names; `ECL-RUN-040` where the
    /// instruction cites a list of persons and `excluded` is not that one.
    pub fn in_force(
        plan: &'a Plan,
        instruction: &'a Instruction,
        session: &'a Session,
        ask: &'a (dyn Fn() -> Result<Standing> + Sync),
        author: &'a Identity,
        identity: &'a Identity,
        excluded: Option<&'a Excluded>,
    ) -> Result<Self> {
        is_sessions(author, session)?;
        let order = instruction.order();
        let cited = order.excluded.as_ref().map(|list| list.value.as_str());
        if cited != excluded.map(Excluded::digest) {
            return Err(UNLISTED.fault("").help("the laboratory makes it: ecluse instruction exclude"));
        }
        let bound = |end: &'a ecluse_core::instruction::Endpoint| Bound {
            identity: &end.identity.value,
            schema: end.schema.as_ref().map_or("", |schema| &schema.value),
        };
        Ok(Self {
            plan,
            instruction: instruction.digest(),
            session: &session.header().id,
            source: bound(&order.source),
            // no instance has an empty identity: under an order to a recipient none is written
            destination: order.destination().map_or(Bound { identity: "", schema: "" }, bound),
            author,
            identity,
            excluded,
            begun: None,
            ask: Ask::Status(ask),
        })
    }

    /// The orders of a return: what the instruction has given back to its controller, sealed to the controller's own
    /// key. `plan` is what that compiled to ([`ecluse_core::plan::give_back`]), `schema` the digest of its tables in
    /// the dictionary that the instruction cites; the other arguments as in [`Self::in_force`]. Persons who stay are
    /// no matter here: whoever stays behind stays the controller's.
    ///
    /// # Errors
    ///
    /// `ECL-RUN-018` as in [`Self::in_force`].
    pub fn to_return(
        plan: &'a Plan,
        instruction: &'a Instruction,
        schema: &'a str,
        session: &'a Session,
        ask: &'a (dyn Fn() -> Result<Standing> + Sync),
        (author, identity): (&'a Identity, &'a Identity),
    ) -> Result<Self> {
        is_sessions(author, session)?;
        Ok(Self {
            plan,
            instruction: instruction.digest(),
            session: &session.header().id,
            source: Bound { identity: &instruction.order().source.identity.value, schema },
            destination: Bound { identity: "", schema: "" },
            author,
            identity,
            excluded: None,
            begun: None,
            ask: Ask::Status(ask),
        })
    }

    /// The orders of a recipient who loads an archive: the instruction that is sealed in it, in force, and the
    /// recipient's own statement in a session's place.
    ///
    /// `source` is the archive; `destination` the recipient's own database, of which the order says nothing.
    /// `identity` opens the archive, and writes and opens the run's state. `ask` as in [`Self::in_force`].
    ///
    /// # Errors
    ///
    /// `ECL-LOA-010` where `identity` is not the one that the statement names; `ECL-RCP-012`,
    /// `ECL-RCP-013` where the order cites another statement or key, `ECL-INS-027` where it names no
    /// recipient.
    pub fn of_recipient(
        plan: &'a Plan,
        instruction: &'a Instruction,
        recipient: &'a Recipient,
        (source, destination): (Bound<'a>, Bound<'a>),
        begun: Begun<'a>,
        ask: &'a (dyn Fn() -> Result<Standing> + Sync),
        identity: &'a Identity,
    ) -> Result<Self> {
        is_stated(identity, recipient)?;
        let cited = instruction.order().sealed()?;
        recipient.is_cited(cited, instruction.header()).or_else(|findings| refuse(&findings))?;
        Ok(Self {
            plan,
            instruction: instruction.digest(),
            session: &recipient.header().id,
            source,
            destination,
            author: identity,
            identity,
            excluded: None,
            begun: Some(begun),
            ask: Ask::Status(ask),
        })
    }

    /// Asks whether the instruction still stands.
    ///
    /// # Errors
    ///
    /// The status's: suspended, revoked, too old.
    pub(crate) fn standing(&self) -> Result<()> {
        match self.ask {
            Ask::Status(ask) => ask().map(drop),
            #[cfg(feature = "assertions")]
            Ask::Asserted(ask) => ask(),
        }
    }
}

/// Refuses an author that is not the identity which the session names.
fn is_sessions(author: &Identity, session: &Session) -> Result<()> {
    if author.recipient().to_string() == session.recipient() {
        return Ok(());
    }
    Err(STRANGER.fault("").help(
        "open a session with an identity of your own: ecluse session new --identity FILE; then give it: --identity FILE",
    ))
}

/// Refuses an identity that is not the recipient's stated one.
///
/// # Errors
///
/// `ECL-LOA-010`.
pub fn is_stated(identity: &Identity, recipient: &Recipient) -> Result<()> {
    if identity.recipient().to_string() == recipient.age() {
        return Ok(());
    }
    Err(OTHER_KEY
        .fault("")
        .help("give the identity file that `ecluse recipient new` made for this migration: --identity FILE"))
}

/// Orders nobody signed, for the tests of other crates only: the feature `assertions` is
/// named in dev-dependencies and nowhere else.
#[cfg(feature = "assertions")]
pub mod assertion {
    use super::{Ask, Bound, Excluded, Identity, Orders, Plan, Result};

    /// The fields of [`Orders`], open.
    #[derive(Clone, Copy)]
    pub struct Fields<'a> {
        /// The plan.
        pub plan: &'a Plan,
        /// A digest.
        pub instruction: &'a str,
        /// A session's id.
        pub session: &'a str,
        /// The source.
        pub source: Bound<'a>,
        /// The destination.
        pub destination: Bound<'a>,
        /// Whether it still stands.
        pub standing: &'a (dyn Fn() -> Result<()> + Sync),
        /// Who writes the state.
        pub author: &'a Identity,
        /// What opens it.
        pub identity: &'a Identity,
    }

    /// Orders on nobody's word.
    #[must_use]
    pub const fn orders(f: Fields<'_>) -> Orders<'_> {
        let Fields { plan, instruction, session, source, destination, standing, author, identity } = f;
        let ask = Ask::Asserted(standing);
        Orders {
            plan,
            instruction,
            session,
            source,
            destination,
            author,
            identity,
            excluded: None,
            begun: None,
            ask,
        }
    }

    /// The same, with persons who stay.
    #[must_use]
    pub const fn excluding<'a>(orders: Orders<'a>, persons: &'a Excluded) -> Orders<'a> {
        Orders { excluded: Some(persons), ..orders }
    }
}
