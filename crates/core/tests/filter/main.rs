//! Row filters.

#[cfg(test)]
mod text;
