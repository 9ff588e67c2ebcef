//! The pages that the laboratory reads before anything moves: the order, and the patients' sheet.
//!
//! Both are made from the papers alone. [`words`] has the words that these pages and the report share.

pub(crate) mod acceptance;
pub(crate) mod labels;
pub(crate) mod made;
pub(crate) mod order;
pub(crate) mod patients;
pub(crate) mod reference;
pub(crate) mod words;
