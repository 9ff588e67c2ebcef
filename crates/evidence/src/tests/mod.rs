//! Evidence files made of signed papers, and every way to spoil them.

mod closed;
mod form;
mod made;
mod spoilt;
