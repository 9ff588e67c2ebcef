//! Evidence files made of signed papers, and every way to spoil them.

mod chain;
mod closed;
mod copies;
mod form;
mod made;
mod retained;
mod spoilt;
mod taken;
mod witness;
