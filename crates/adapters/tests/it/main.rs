//! The adapters against real databases, in one binary: it is linked once.

mod common;
mod mariadb;
mod path;
mod postgres;
mod sqlite;
