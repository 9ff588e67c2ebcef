//! `ecluse patients`: the half page that the laboratory hands out.

use askama::Template as _;
use ecluse_core::fault::Result;
use serde_json::json;

use super::Here;
use super::order::{PAGE, Read};
use crate::cli::PatientsArgs;
use crate::pages::patients::page;
use crate::pages::words::spaced;
use crate::{folder, output};

pub(super) fn run(here: &Here, args: &PatientsArgs) -> Result<()> {
    let lang = args.lang.into();
    let Read { terms, header, order, dictionary, standing, .. } =
        Read::of(here, args.instruction.as_deref())?;
    let page = page(lang, &terms, &header, &order, &dictionary, &standing);
    let html = page.render().map_err(|_| PAGE.fault(""))?;
    let path = here.folder.path(args.output.as_deref(), "patients.html");
    folder::replace(&path, spaced(&html, lang).as_bytes())?;
    output::line(format!("{}: of an order that is {}", path.display(), standing.name()));
    output::line(
        "Add the legal basis and how long the laboratory keeps its records: the order does not say them.",
    );
    output::document(&json!({ "made": path, "standing": standing.name() }));
    Ok(())
}
