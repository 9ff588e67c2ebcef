//! Tests of sealing.

#[cfg(test)]
mod state;
