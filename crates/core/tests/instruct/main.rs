//! Dictionary, instruction, mapping and their checks, from outside the crate.

#[cfg(test)]
mod beside;
#[cfg(test)]
mod changes;
#[cfg(test)]
mod classes;
#[cfg(test)]
mod diagnostics;
#[cfg(test)]
mod drafts;
#[cfg(test)]
mod dump;
#[cfg(test)]
mod labbook;
#[cfg(test)]
mod laboratory;
#[cfg(test)]
mod product;
#[cfg(test)]
mod stays;
#[cfg(test)]
mod unseen;
