//! Tests of the path that need no database.

#[cfg(test)]
mod chunks;
