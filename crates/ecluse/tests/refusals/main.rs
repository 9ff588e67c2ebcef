//! Wrong papers, and a source that logs every statement: not one row is read.

#[cfg(test)]
mod bound;
#[cfg(test)]
mod ends;
#[cfg(test)]
mod migration;
#[cfg(test)]
mod papers;
