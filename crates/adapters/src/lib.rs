//! Every outside thing, one file or folder each; never each other.
//!
//! | module | the outside thing |
//! |---|---|
//! | [`postgres`] | PostgreSQL, as a source and as a destination |
//! | [`mariadb`] | MariaDB, as a source and as a destination |
//! | [`sqlite`] | SQLite, as a source and as a destination |
//! | [`archive`] | a sealed archive: written part by part; its parts read once each, its rows as a source |
//! | [`attached`] | folders of files that rows name, opened by handle |
//! | [`csv`] | a folder of CSV files, described |
//! | [`dump`] | a dump in text, read once as it comes |
//! | `choices` | columns that a CHECK holds to a list of words |
//! | `gathered` | rows of a source that gives everything at once, filtered and held in memory, or staged sealed |
//! | [`staging`] | the folder in which sealed rows may stand for the time of a run |
//! | [`sql`] | SQL text over planned tables, one dialect per engine |
//! | [`url`] | where a database is, as an operator writes it |
//! | [`log`] | the journal's folder: a transparency log on a disk |
//! | [`secret`] | files that hold a password |
//! | [`pin`] | the server's key that an instruction binds |
//! | [`tls`] | who the server is, before anything is said to it |

pub mod archive;
pub mod attached;
mod choices;
mod civil;
mod columns;
pub mod csv;
pub mod dump;
pub mod folder;
mod gathered;
pub mod log;
pub mod mariadb;
pub mod overwrite;
pub mod pin;
pub mod postgres;
pub mod regular;
pub mod residue;
pub mod secret;
mod shadows;
mod spelling;
pub mod sql;
pub mod sqlite;
pub mod staging;
pub mod tls;
mod unfilled;
pub mod url;
