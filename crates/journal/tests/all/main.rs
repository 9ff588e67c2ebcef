//! The log against vectors that others wrote, two other implementations, and everything that can be
//! done to it.

#[cfg(test)]
mod support;

#[cfg(test)]
mod alterations;
#[cfg(test)]
mod differential;
#[cfg(test)]
mod notes;
#[cfg(test)]
mod places;
#[cfg(test)]
mod vectors;
#[cfg(test)]
mod writing;
