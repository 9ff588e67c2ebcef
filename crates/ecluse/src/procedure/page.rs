//! The sheet as a page that prints on A4.

use askama::Template;

use super::{Sheet, Words};

/// The page; its template is `templates/procedure.html`. No script, nothing fetched.
#[derive(Debug, Template)]
#[template(path = "procedure.html")]
pub(crate) struct Page<'a> {
    pub(crate) w: &'a Words,
    pub(crate) s: &'a Sheet,
}
