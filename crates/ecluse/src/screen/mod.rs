//! The laboratory's screen: values of drawn dossiers, old beside new, on a terminal and nowhere else.
//!
//! | file | holds |
//! |---|---|
//! | `terminal.rs` | the terminal: taken, drawn on without scrolling, cleared and given back |
//! | `harmless.rs` | a value's characters as a terminal may be given them |
//! | `sheet.rs` | one dossier as lines of a width |
//! | `words.rs` | what stands around the values, English and French |

mod harmless;
pub(crate) mod sheet;
pub(crate) mod terminal;
pub(crate) mod words;

pub(crate) use harmless::{harmless, width, wrapped};
