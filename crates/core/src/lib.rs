//! The rules of écluse, pure: no I/O, no async, no clock, no chance.
//!
//! The modules bear the names of the chain's steps, and `flow` and the command
//! line use the same names: one word finds everything. Time and randomness are
//! arguments of every function that needs them.
//!
//! | module | holds |
//! |---|---|
//! | [`fault`] | coded errors: what happened, what to do now, which exit code |
//! | [`finding`] | what a check of a document found, with its place in the text |
//! | [`document`], [`signatures`] | what signed documents have in common; who signed, and whether all have |
//! | [`person`], [`keys`] | natural persons, their roles, their keys |
//! | [`on_paper`] | a signature made by hand, and who checked it |
//! | [`contract`], [`mandate`], [`status`], [`session`] | the papers: checked, then in force |
//! | [`paper`] | a paper under a contract: what it says, checked signatures |
//! | [`template`] | the papers as text, to fill in |
//! | [`personal`] | wrappers that keep personal values and secrets out of every text |
//! | [`types`], [`value`] | the types a column can have on the way, and literal values |
//! | [`zone`] | local times of a named zone as instants |
//! | [`catalog`] | what a database says of itself, as surveyed |
//! | [`class`], [`classify`] | classes of personal data; a class proposed from a column's name |
//! | [`dictionary`] | the surveyed catalogue with a class and a label per column, as a document |
//! | [`product`] | what is known of a laboratory product's tables before one of its databases is seen |
//! | [`digest`] | the digest of the instructed tables' catalogue |
//! | [`instruction`] | the controller's signed order: checked, then in force |
//! | [`mapping`], [`codes`] | what becomes of the granted columns; code tables |
//! | [`judged`] | what a biologist signs: code tables, and a mapping that gives values of its own |
//! | [`reader`], [`nearest`] | documents read with places; the nearest right name |
//! | [`plain`] | texts that steer the screen they are read on |
//! | [`objection`] | objections to an instruction, and the controller's signed answers |
//! | [`count`], [`language`] | counts as a person reads them; the two languages of what laypeople read |
//! | [`manifest`], [`receipt`] | a sealed archive as everybody sees it; what its recipient loaded |
//! | [`campaign`] | the laboratories of one publisher's campaign, and how each departs from its product's papers |
//! | [`differences`] | differences that the controller accepts, as a signed list |
//! | [`acceptance`], [`certificate`] | the migration accepted by the controller; what was erased and looked for, certified |
//! | [`closing`] | what has to be there before a migration may be closed |
//! | [`copies`] | the ledger of what écluse made: what, where, until when, who took it |
//! | [`destruction`] | that somebody who took a copy destroyed it, as a signed statement |
//! | [`erasure`] | what was erased and what was then looked for, as a run folder keeps it |
//! | [`diff`] | the visible change list between two versions of an instruction |
//! | [`diagnostics`] | findings drawn as a compiler draws them |
//! | [`ins`] | national health identity numbers, checked |
//! | [`filter`] | the typed row filter |
//! | [`plan`] | the compiled extraction: the only columns and rows that will be asked for |

pub mod acceptance;
pub mod campaign;
pub mod catalog;
pub mod certificate;
pub mod class;
pub mod classify;
pub mod closing;
pub mod codes;
pub mod comparison;
pub mod contract;
pub mod copies;
pub mod count;
pub mod destruction;
pub mod diagnostics;
pub mod dictionary;
pub mod diff;
pub mod differences;
pub mod digest;
pub mod document;
pub mod erasure;
pub mod fault;
pub mod filter;
pub mod finding;
pub mod ins;
pub mod instruction;
pub mod judged;
pub mod keys;
pub mod language;
pub mod mandate;
pub mod manifest;
pub mod mapping;
pub mod meaning;
pub mod nearest;
pub mod objection;
pub mod on_paper;
pub mod paper;
pub mod person;
pub mod personal;
pub mod plain;
pub mod plan;
pub mod product;
pub mod reader;
pub mod receipt;
pub mod recipient;
pub mod reference;
pub mod related;
pub mod same;
pub mod session;
pub mod signatures;
pub mod status;
pub mod template;
pub mod types;
pub mod value;
pub mod zone;
