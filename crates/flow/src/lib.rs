//! The path from one database to another: steps and ports, nothing else.
//!
//! `run.rs` tells the whole story on one page. Everything here is synchronous: an
//! adapter that needs an async runtime keeps it inside, so that the story has no colour.
//!
//! | module | does |
//! |---|---|
//! | [`run`] | moves what was ordered: resume, catch-up and repair are this one function |
//! | [`extract`] | seals what was ordered to its one recipient |
//! | [`start`] | the kinds of start that it tells apart |
//! | [`sample`] | moves some whole dossiers, and says how long the whole would take |
//! | [`reconcile`] | reads the destination back and compares |
//! | [`freeze`] | keeps the hour at which the source was frozen, and the engine's marks |
//! | [`undo`] | takes away again what a run wrote |
//! | [`seen`] | what a run remembers of its source |
//! | [`dossier`] | finds the rows of whole dossiers |
//! | [`locate`] | finds the row of a token again at the source |
//! | [`rejected`] | names the rows that did not move, or not whole |
//! | [`rehearse`] | counts what would move: the dry run |
//! | [`orphans`] | rows of a dry run that name a parent nobody has |
//! | [`excluded`] | the persons whose rows never move |
//! | [`staged`] | sealed rows that stand outside of memory: named in the journal, destroyed, swept |
//! | [`erase`], [`ties`], [`moved`] | takes away at the source what moved, held against ledger or receipt |
//! | [`residue`], [`standing`] | values and rows by which what should be gone is sought |
//! | [`load`] | whether an archive's rows were loaded already; what becomes of its identity |
//! | [`known`] | lists the persons who exist at the destination already |
//! | [`chunk`] | cuts a table by its key |
//! | [`event`], [`figures`] | what a run leaves in clear: acts and counts |
//! | [`ports`], [`world`] | what it asks of the outside |

mod ahead;
pub mod arrived;
mod attached;
mod carried;
mod caught;
pub mod certify;
mod checks;
pub mod chunk;
pub mod compare;
pub mod conclude;
mod diff;
pub mod dossier;
pub mod encodings;
pub mod erase;
pub mod event;
pub mod excluded;
pub mod extract;
pub mod extracted;
pub mod failpoint;
mod families;
mod family;
pub mod figures;
pub mod freeze;
mod journal;
pub mod known;
pub mod load;
pub mod locate;
pub mod moved;
mod noted;
pub mod orders;
pub mod orphans;
pub mod parting;
pub mod pending;
mod pipeline;
pub mod ports;
mod readback;
mod reader;
pub mod reconcile;
pub mod reference;
pub mod rehearse;
pub mod rejected;
pub mod residue;
pub mod rights;
pub mod room;
pub mod run;
pub mod sample;
mod sealing;
pub mod seen;
pub mod shadow;
pub mod staged;
pub mod standing;
pub mod start;
mod state;
mod step;
pub mod subset;
pub mod ties;
pub mod undo;
pub mod unmapped;
mod worked;
pub mod world;
mod writer;
