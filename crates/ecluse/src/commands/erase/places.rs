//! `places.toml`: who answers for what no SQL reaches, and by which day it is gone. A statement of the operator;
//! nobody signs it by itself, the certificate repeats it under the processor's signature.

use ecluse_core::copies::objection;
use ecluse_core::erasure::Beyond;
use ecluse_core::fault::{Code, Result};
use ecluse_core::person::nobodys_name;
use jiff::civil::Date;
use serde::Deserialize;

use crate::folder::{self, Folder};

static MALFORMED: Code = Code::refused("ECL-ERA-020", "the list of places beyond reach cannot be read");
static NOBODY: Code =
    Code::refused("ECL-ERA-041", "nobody can be held to a place beyond reach as it is listed");

/// The file in the migration folder.
pub(super) const FILE: &str = "places.toml";

/// One line of it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Place {
    /// What, in the words in which `--dry-run` names it.
    what: String,
    owner: String,
    until: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Places {
    #[serde(default)]
    place: Vec<Place>,
}

/// The lines; none where there is no file.
///
/// # Errors
///
/// [`MALFORMED`]: no TOML, an unknown key, an empty name, a day that is none. [`NOBODY`]: an owner who is no person by
/// first and last name, a day that has passed, a text that a certificate cannot hold.
pub(super) fn read(folder: &Folder, today: Date) -> Result<Vec<Place>> {
    let path = folder.path(None, FILE);
    if !path.exists() {
        return Ok(Vec::new());
    }
    let bad = |what: &str| {
        MALFORMED
            .fault(format!("{}: {what}", path.display()))
            .help("[[place]] with what = \"…\", owner = \"First Last\", until = \"2027-01-31\"")
    };
    let text = String::from_utf8(folder::read(&path, "")?).map_err(|_| bad("not UTF-8"))?;
    let places: Places = toml::from_str(&text).map_err(|_| bad("not of this form"))?;
    for place in &places.place {
        if place.owner.trim().is_empty() || place.what.trim().is_empty() {
            return Err(bad("an empty name"));
        }
        let until = place.until.parse::<Date>().map_err(|_| bad("until is no day"))?;
        // the certificate repeats it once the rows are gone, and nobody could put it right then
        let said = |key: &str, text: &str| objection(text).map(|why| format!("{key}: {why}"));
        let wrong = said("what", &place.what).or_else(|| said("owner", &place.owner));
        let wrong = wrong.or_else(|| nobodys_name(&place.owner).map(|why| format!("owner: {why}")));
        let past = (until < today).then(|| format!("until: {until} has passed"));
        if let Some(wrong) = wrong.or(past) {
            return Err(NOBODY.fault(format!("{}: {wrong}", path.display())).help(
                "owner = \"First Last\", one person who answers for it; until = the day by which it is gone, today or later",
            ));
        }
    }
    Ok(places.place)
}

/// Every place that is wanted, with its owner where one was named; and those that somebody named beside.
pub(super) fn matched(place: &str, wanted: &[String], known: &[Place]) -> Vec<Beyond> {
    let beyond = |what: &str, of: Option<&Place>| Beyond {
        place: place.to_owned(),
        what: what.to_owned(),
        owner: of.map(|one| one.owner.clone()).unwrap_or_default(),
        until: of.map(|one| one.until.clone()).unwrap_or_default(),
    };
    let asked = wanted.iter().map(|what| beyond(what, known.iter().find(|one| one.what == *what)));
    let more = known.iter().filter(|one| !wanted.contains(&one.what)).map(|one| beyond(&one.what, Some(one)));
    asked.chain(more).collect()
}

/// The lines that somebody fills in.
pub(super) fn draft(what: &str) -> String {
    let quoted = toml::Value::String(what.to_owned());
    format!("[[place]]\nwhat = {quoted}\nowner = \"\"\nuntil = \"\"")
}
