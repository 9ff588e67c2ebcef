//! The program against PostgreSQL at both ends: canaries, and death at every failpoint.
#![cfg(test)]

mod canaries;
mod kill;
mod laboratory;
