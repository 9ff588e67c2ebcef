//! `ecluse codes print|sign`: tables that may change how a result reads.

use ecluse_core::codes;
use ecluse_core::document::Kind;
use ecluse_core::fault::{Code, Result};
use serde_json::json;

use super::reference::does_told;
use super::{Here, sign};
use crate::cli::{Codes, FileArg};
use crate::output;
use crate::papers::Paper;

static NO_FILE: Code = Code::usage("ECL-CLI-024", "it is not said which code table");

pub(super) fn run(here: &Here, command: &Codes) -> Result<()> {
    match command {
        Codes::Print(args) => print(args),
        Codes::Sign(args) if args.file.is_none() => {
            Err(NO_FILE.fault("").help("ecluse codes sign codes/FILE.toml --key FILE"))
        }
        Codes::Sign(args) => sign::run(here, Kind::Codes, "codes", args),
    }
}

fn print(args: &FileArg) -> Result<()> {
    let path =
        args.file.as_ref().ok_or_else(|| NO_FILE.fault("").help("ecluse codes print codes/FILE.toml"))?;
    let paper = Paper::read(path, "give the code table's path")?;
    let table = paper.judge(codes::parse(paper.text()))?;
    output::line(format!("{}   fingerprint {}", table.title, sign::short(&table.digest)));
    let width = table.pairs.iter().map(|p| p.from.value.chars().count()).max().unwrap_or(0);
    let does = does_told(&table);
    for (pair, does) in table.pairs.iter().zip(&does) {
        let pad = " ".repeat(width - pair.from.value.chars().count());
        let line = format!("  {}{pad}   →   {}   {does}", pair.from.value, pair.to.value);
        output::line(line.trim_end());
    }
    output::line(match table.changes_result {
        true => "It changes how results read: a biologist of the laboratory accepts it by signing.",
        false => "Whether it changes how results read, a biologist of the laboratory judges, and signs it.",
    });
    output::line("With the rows of each code, as a page to read and sign:  ecluse reference print");
    let pairs = table.pairs.iter().zip(&does);
    let pairs: Vec<_> =
        pairs.map(|(p, does)| json!({ "from": p.from.value, "to": p.to.value, "does": does })).collect();
    output::document(
        &json!({ "title": table.title, "digest": table.digest, "changes_result": table.changes_result, "codes": pairs }),
    );
    Ok(())
}
