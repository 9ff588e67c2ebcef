//! ecluse
fn main() {}
