//! LabBook, a real laboratory system, to PostgreSQL under the worked papers of `docs/labbook`: directly, and in
//! a sealed archive.

#[cfg(test)]
mod canaries;
#[cfg(test)]
mod dumps;
#[cfg(test)]
mod figures;
#[cfg(test)]
mod first;
#[cfg(test)]
mod migration;
#[cfg(test)]
mod moves;
#[cfg(test)]
mod sealed;
