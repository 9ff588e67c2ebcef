//! Evidence files made of signed papers, and every way to spoil them.

mod chain;
mod closed;
mod copies;
mod form;
mod made;
mod spoilt;
mod taken;
