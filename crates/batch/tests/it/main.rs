//! What batches promise, in one binary: it is linked once.

#[cfg(test)]
mod identifier;
#[cfg(test)]
mod rows;
#[cfg(test)]
mod tally;
#[cfg(test)]
mod token;
#[cfg(test)]
mod write;
