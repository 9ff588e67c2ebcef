//! `ecluse instruction exclude`: the persons whose rows never move, sealed on the laboratory's side.
//!
//! What is typed or read here is personal: of it nothing is shown but how many persons there are.

use std::collections::BTreeSet;
use std::io::{IsTerminal as _, Read as _};
use std::path::Path;

use ecluse_core::copies::Store;
use ecluse_core::count::{number, plural};
use ecluse_core::dictionary::{self, Dictionary, Table};
use ecluse_core::digest::of_bytes;
use ecluse_core::fault::{Code, Result};
use ecluse_core::instruction;
use ecluse_core::plan::typed;
use ecluse_seal::Recipient;
use ecluse_seal::list::List;
use serde_json::json;
use zeroize::Zeroizing;

use super::{Here, erasing, runs, survey};
use crate::cli::ExcludeArgs;
use crate::copies::{self, Born};
use crate::papers::{Paper, chain, excluded, standing};
use crate::{folder, output};

static NO_TABLE: Code = Code::usage("ECL-CLI-036", "it is not said of which table's rows the list is");
static NO_KEY: Code = Code::refused("ECL-CLI-037", "a line of the list is no key of a person's row");
static NOBODY: Code = Code::usage("ECL-CLI-038", "nobody is on the list");
static THERE: Code = Code::usage("ECL-CLI-039", "there is a sealed list already");

pub(super) fn run(here: &Here, args: &ExcludeArgs) -> Result<()> {
    let path = here.folder.path(args.output.as_deref(), excluded::FILE);
    if path.exists() {
        let clear = args.list.as_deref().filter(|list| list.exists());
        let clear = clear.map_or_else(String::new, |list| {
            format!("; {} still lies there, and is not erased by this", list.display())
        });
        return Err(THERE.fault(path.display().to_string()).help(format!(
            "an order may cite it: move it away first; the new list needs a new version of the order{clear}",
        )));
    }
    if let Some(digest) = erasing::finished(&path, args.list.as_deref())? {
        output::line(format!("{}: sealed before; what was left in clear is erased.", path.display()));
        cite(&digest);
        output::document(&json!({ "made": path, "digest": digest, "erased": true }));
        return Ok(());
    }
    let surveyed = Paper::read(&here.folder.path(None, survey::FILE), "ecluse survey")?;
    let dictionary = surveyed.judge(dictionary::parse(surveyed.text()))?;
    let table = table(&dictionary, args.table.as_deref())?;
    let key = key(here, table)?;
    let recipients = recipients(here, &args.to)?;
    let text = read(args)?;
    let (persons, twice) = persons(&text, table, &key)?;
    let count = number(persons.len());
    let until = copies::day_of_draft(&here.folder);
    let place = runs::name(&here.folder, &path);
    let born = Born { store: Store::Excluded, place: &place, copies: until, marker: "" };
    copies::born(&here.folder, here.now, &[born])?;
    let sealed = List::new(&table.name.value, &key, persons).seal(&recipients)?;
    match args.list.as_deref().filter(|_| args.erase) {
        // until nothing is left in clear the sealed list has not its name: the same command goes on
        Some(list) => erasing::sealed(&path, &sealed, list)?,
        None => folder::replace(&path, &sealed)?,
    }
    let digest = of_bytes(&sealed);
    output::line(format!(
        "{}: {} sealed to {}.",
        path.display(),
        plural(count, "person", "persons"),
        plural(number(recipients.len()), "operator", "operators")
    ));
    if twice > 0 {
        output::line(format!("{} said again what another says.", plural(twice, "line", "lines")));
    }
    cite(&digest);
    match &args.list {
        Some(list) if args.erase => {
            output::line(format!("{}: overwritten and removed.", list.display()));
        }
        Some(list) => output::warning(format!(
            "{} holds these persons in clear: erase it, or give --erase the next time",
            list.display()
        )),
        None => {}
    }
    output::document(&json!({
        "made": path, "table": table.name.value, "persons": count, "digest": digest, "erased": args.erase,
    }));
    Ok(())
}

fn cite(digest: &str) {
    output::line("Cite it under [instruction] before the order is signed:");
    output::line(format!("  persons_excluded = \"{digest}\""));
}

/// The table that was named, or the only one whose rows are the patients.
fn table<'a>(dictionary: &'a Dictionary, named: Option<&str>) -> Result<&'a Table> {
    let ask = |what: String| {
        let names: Vec<_> =
            dictionary.tables.iter().filter(|t| t.patients).map(|t| t.name.value.as_str()).collect();
        NO_TABLE.fault(what).help(match names.as_slice() {
            [] => "--table NAME".to_owned(),
            names => format!("--table NAME; the dictionary's patients: {}", names.join(", ")),
        })
    };
    if let Some(name) = named {
        return dictionary.table(name).ok_or_else(|| ask(format!("the dictionary has no table {name}")));
    }
    let mut patients = dictionary.tables.iter().filter(|t| t.patients);
    match (patients.next(), patients.next()) {
        (Some(table), None) => Ok(table),
        _ => Err(ask(String::new())),
    }
}

/// The key's columns: the survey's, or the draft order's where the database declares none.
fn key(here: &Here, table: &Table) -> Result<Vec<String>> {
    if !table.key.is_empty() {
        return Ok(table.key.clone());
    }
    let path = here.folder.path(None, super::instruction::FILE);
    let order = folder::read(&path, "").ok().and_then(|bytes| {
        instruction::parse(&super::instruction::with_digests(&String::from_utf8_lossy(&bytes))).ok()
    });
    let key =
        order.and_then(|order| order.table(&table.name.value).map(|t| t.key.clone())).unwrap_or_default();
    if key.is_empty() {
        return Err(NO_KEY
            .fault(format!("table {} has no key", table.name.value))
            .help("name one in the order first: key = [\"…\"]"));
    }
    Ok(key.into_iter().map(|column| column.value).collect())
}

/// Those that were named, and the operator's whose session is in force here.
fn recipients(here: &Here, named: &[String]) -> Result<Vec<Recipient>> {
    if !named.is_empty() {
        return named.iter().map(|text| text.parse()).collect();
    }
    let (contract, _) = standing::contract(&here.folder, None, here.now)?;
    if contract.header().trial {
        super::session::open_for_trial(here, None)?;
    }
    let (session, _) = chain::session(&here.folder, None, &contract, here.now)?;
    output::remark(format!("sealed to {}, whose session this is", session.operator()));
    session.recipient().parse().map(|one| vec![one])
}

fn read(args: &ExcludeArgs) -> Result<Zeroizing<String>> {
    let bytes = match &args.list {
        Some(path) => {
            output::remark(format!(
                "{} holds persons in clear; of it only their number is shown",
                path.display()
            ));
            Zeroizing::new(folder::read(path, "give the file of the list, or type it")?)
        }
        None => {
            if std::io::stdin().is_terminal() {
                output::remark(
                    "One person per line: the key of the row, its columns split by a tab. Ctrl-D ends.",
                );
            }
            let mut bytes = Zeroizing::new(Vec::new());
            std::io::stdin()
                .read_to_end(&mut bytes)
                .map_err(|error| folder::unwritable(Path::new("-"), &error))?;
            bytes
        }
    };
    if bytes.contains(&0) {
        return Err(NO_KEY.fault("it holds bytes of zero").help("save it as plain text"));
    }
    let text = std::str::from_utf8(&bytes)
        .map_err(|_| NO_KEY.fault("it is not UTF-8").help("save it as UTF-8 text"))?;
    Ok(Zeroizing::new(text.trim_start_matches('\u{feff}').to_owned()))
}

/// Each person once, and how many lines said one again.
fn persons(text: &str, table: &Table, key: &[String]) -> Result<(Vec<Vec<String>>, u64)> {
    let (mut seen, mut list, mut twice) = (BTreeSet::new(), Vec::new(), 0);
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        // blanks at a text's end do not count anywhere (`flow::excluded`); those before it are the key's own
        let person: Vec<String> =
            line.split('\t').map(|value| value.trim_end_matches(' ').to_owned()).collect();
        let refuse = |why: String| {
            let names = key.join(", ");
            NO_KEY
                .fault(format!("line {}: {why}", index + 1))
                .help(format!("write the row's {names} of table {}, split by a tab", table.name.value))
        };
        if person.len() != key.len() {
            return Err(refuse(format!("{} of {} values", person.len(), key.len())));
        }
        let values = person.iter().zip(key).map(|(value, column)| {
            let ty = table.type_of(column);
            ty.and_then(|ty| typed(value, ty)).ok_or_else(|| refuse(format!("it is no {column}")))
        });
        if seen.insert(values.collect::<Result<Vec<_>>>()?) {
            list.push(person);
        } else {
            twice += 1;
        }
    }
    if list.is_empty() {
        return Err(NOBODY
            .fault("")
            .help("write one person per line, or leave persons_excluded out of the order"));
    }
    Ok((list, twice))
}
