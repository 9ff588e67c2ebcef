//! The adapters against real databases, in one binary: it is linked once.

#[cfg(test)]
mod common;
#[cfg(test)]
mod dialects;
#[cfg(test)]
mod dossier;
#[cfg(test)]
mod drift;
#[cfg(test)]
mod freeze;
#[cfg(test)]
mod mariadb;
#[cfg(test)]
mod matrix;
#[cfg(test)]
mod path;
#[cfg(test)]
mod postgres;
#[cfg(test)]
mod sqlite;
#[cfg(test)]
mod starts;
#[cfg(test)]
mod wide;
