//! Where a migration stands: every step of the chain, looked at as the step itself would.

use std::path::Path;

use ecluse_adapters::folder::{REPORT, figures};
use ecluse_core::contract::Contract;
use ecluse_core::count::{count, number, plural};
use ecluse_core::document::{self, Kind};
use ecluse_core::fault::{Fault, Result};
use ecluse_core::instruction;
use ecluse_core::mandate::Mandate;
use ecluse_core::status::{REVOKED, SUSPENDED};
use ecluse_core::{dictionary, mapping};
use jiff::Timestamp;

use crate::cli::PaperArgs;
use crate::commands::reconciled::{self, Reconciled};
use crate::commands::{Here, instruction as draft, mandate, ordered, runs};
use crate::connect;
use crate::connections::{self, End};
use crate::folder::{self, Folder};
use crate::papers::chain::{self, Chain, StatusFile};
use crate::papers::stopped::set_aside;
use crate::papers::{Paper, quietly, standing};
use crate::proposed;

/// The whole board, as `ecluse next` shows it.
#[derive(Debug)]
pub(crate) struct Board {
    pub(crate) title: String,
    pub(crate) trial: bool,
    pub(crate) steps: Vec<Step>,
}

/// One step.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) mark: Mark,
    pub(crate) words: String,
    /// Who has to do it.
    pub(crate) waits: Option<&'static str>,
    /// What to read and type.
    pub(crate) advice: Vec<String>,
}

/// How a step stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    Done,
    Missing,
    Later,
}

impl Mark {
    pub(crate) const fn sign(self) -> &'static str {
        match self {
            Self::Done => "✓",
            Self::Missing => "✗",
            Self::Later => "·",
        }
    }

    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Missing => "missing",
            Self::Later => "later",
        }
    }
}

/// What a step found.
enum Found {
    Done(String),
    Missing { words: String, waits: Option<&'static str>, advice: Vec<String> },
}

type Look<'a> = (&'static str, Box<dyn FnOnce(&mut Seen) -> Found + 'a>);

/// What earlier steps found that later ones need.
#[derive(Default)]
struct Seen {
    contract: Option<Contract>,
    chain: Option<Chain>,
}

const LAB: Option<&str> = Some("the laboratory");
const YOU: Option<&str> = None;

/// Looks at every step; after the first that is missing, the rest is for later.
///
/// # Errors
///
/// Where there is no migration folder.
pub(crate) fn look(here: &Here) -> Result<Board> {
    let folder = Folder::find(Some(here.folder.root()).filter(|r| *r != Path::new(".")))?;
    let trial = is_trial(&folder);
    let now = here.now;
    let f = &folder;
    let looks: Vec<Look<'_>> = vec![
        ("connections", Box::new(move |_| databases(f))),
        ("contract", Box::new(move |seen| contract(f, trial, now, seen))),
        ("survey", Box::new(move |seen| survey(f, trial, now, seen))),
        ("order", Box::new(move |seen| order(f, trial, now, seen))),
        ("status", Box::new(move |seen| status(f, trial, now, seen))),
        ("session", Box::new(move |seen| session(f, trial, now, seen))),
        ("run", Box::new(move |_| run(f, trial))),
        ("reconciliation", Box::new(move |_| reconciliation(f))),
        ("report", Box::new(move |_| report(f))),
    ];
    let mut seen = Seen::default();
    let mut steps: Vec<Step> = Vec::new();
    for (name, look) in looks {
        if steps.iter().any(|s| s.mark == Mark::Missing) {
            steps.push(Step {
                name,
                mark: Mark::Later,
                words: String::new(),
                waits: None,
                advice: Vec::new(),
            });
            continue;
        }
        steps.push(match look(&mut seen) {
            Found::Done(words) => Step { name, mark: Mark::Done, words, waits: None, advice: Vec::new() },
            Found::Missing { words, waits, advice } => {
                Step { name, mark: Mark::Missing, words, waits, advice }
            }
        });
    }
    Ok(Board { title: title(&folder, trial, &seen), trial, steps })
}

fn title(folder: &Folder, trial: bool, seen: &Seen) -> String {
    let end = |end| {
        connections::written(folder, end)
            .ok()
            .flatten()
            .and_then(|url| connect::parse(&url).ok())
            .map_or_else(|| "?".to_owned(), |url| connect::name(&url))
    };
    let of = match (&seen.contract, trial) {
        (_, true) => "TRIAL".to_owned(),
        (Some(c), _) => format!("Migration of {}", c.terms().controller.name),
        (None, _) => "Migration".to_owned(),
    };
    let order = seen.chain.as_ref().map_or(String::new(), |c| format!("   order {}", c.order()));
    format!("{of}   {} → {}{order}", end(End::Source), end(End::Destination))
}

/// Whether the folder's contract says TRIAL.
pub(crate) fn is_trial(folder: &Folder) -> bool {
    folder::read(&folder.path(None, "contract.toml"), "")
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .is_some_and(|text| document::header(&text, Kind::Contract).is_ok_and(|h| h.trial))
}

fn missing(words: impl Into<String>, waits: Option<&'static str>, advice: &[&str]) -> Found {
    Found::Missing { words: words.into(), waits, advice: advice.iter().map(|s| (*s).to_owned()).collect() }
}

/// A step that its own check refuses: the code, the words, and the thing to type.
fn refused(fault: &Fault, waits: Option<&'static str>, show: &str) -> Found {
    let mut advice = vec![format!("{}: {}", fault.code().id, fault.detail())];
    if !fault.advice().is_empty() {
        advice.push(fault.advice().to_owned());
    }
    advice.push(format!("All of it:  {show}"));
    Found::Missing { words: fault.code().title.to_owned(), waits, advice }
}

fn databases(folder: &Folder) -> Found {
    for (end, name) in [(End::Source, "source"), (End::Destination, "destination")] {
        match connections::written(folder, end) {
            Ok(Some(url)) => {
                if let Err(fault) = connect::parse(&url).and_then(|url| connect::password(&url)) {
                    return refused(&fault, YOU, "edit connections.toml");
                }
            }
            Ok(None) => {
                let words = format!("the {name} is not named yet");
                return missing(
                    words,
                    YOU,
                    &[
                        "Write the two databases' URLs into connections.toml (it has examples), then:  ecluse next",
                    ],
                );
            }
            Err(fault) => return refused(&fault, YOU, "edit connections.toml"),
        }
    }
    Found::Done("source and destination named".into())
}

fn contract(folder: &Folder, trial: bool, now: Timestamp, seen: &mut Seen) -> Found {
    if !folder.has("contract.toml") {
        return missing("not there yet", YOU, &["ecluse contract new"]);
    }
    match quietly(|| standing::contract(folder, None, now)) {
        Ok((contract, _)) => {
            let until = contract.header().not_after.to_zoned(jiff::tz::TimeZone::UTC).date();
            let words = format!("{}both sides signed, until {until}", if trial { "TRIAL, " } else { "" });
            seen.contract = Some(contract);
            Found::Done(words)
        }
        Err(fault) => {
            let absent = fault.code().id == ecluse_core::signatures::ABSENT.id;
            let mut found = refused(
                &fault,
                if absent { Some("both sides") } else { YOU },
                "ecluse contract check; ecluse contract verify",
            );
            if let Found::Missing { advice, .. } = &mut found
                && absent
            {
                advice.push("Each signatory signs:  ecluse contract sign --key FILE   or   ssh-keygen -Y sign -n ecluse-contract-v1 -f KEY contract.toml".into());
            }
            found
        }
    }
}

fn survey(folder: &Folder, trial: bool, now: Timestamp, seen: &Seen) -> Found {
    if folder.has("dictionary.toml") {
        let read = Paper::read(&folder.path(None, "dictionary.toml"), "")
            .and_then(|p| quietly(|| p.judge(dictionary::parse(p.text()))));
        return match read {
            Ok(d) => {
                let columns: usize = d.tables.iter().map(|t| t.columns.len()).sum();
                Found::Done(format!(
                    "{}, {}, catalogue only",
                    plural(number(d.tables.len()), "table", "tables"),
                    plural(number(columns), "column", "columns"),
                ))
            }
            Err(fault) => refused(&fault, YOU, "ecluse instruction check"),
        };
    }
    if trial {
        return missing(
            "not done yet",
            YOU,
            &["Read the source's catalogue (names and types, no value):  ecluse survey"],
        );
    }
    if !folder.has(mandate::FILE) || mandate::is_template(&folder.path(None, mandate::FILE)) {
        return missing(
            "no mandate yet",
            YOU,
            &[
                "Say why the laboratory lets you look, under `purpose` in mandate.toml; then fill in the rest:",
                "  ecluse mandate new",
            ],
        );
    }
    let Some(contract) = &seen.contract else { return missing("no contract", YOU, &[]) };
    let mandate = Paper::read(&folder.path(None, "mandate.toml"), "")
        .and_then(|p| quietly(|| p.judge(Mandate::in_force(&p.bytes, &p.signatures, contract, now))));
    match mandate {
        Ok(_) => missing("the mandate is signed", YOU, &["ecluse survey"]),
        Err(fault) => refused(&fault, LAB, "ecluse mandate verify; to sign: ecluse mandate sign --key FILE"),
    }
}

fn order(folder: &Folder, trial: bool, now: Timestamp, seen: &mut Seen) -> Found {
    if !folder.has("instruction.toml") {
        return not_drafted(folder, trial);
    }
    if let Some(found) = unfilled(folder) {
        return found;
    }
    if let Err(fault) = quietly(|| checked(folder)) {
        return refused(&fault, YOU, "ecluse instruction check");
    }
    match quietly(|| Chain::read(folder, &PaperArgs::default(), now)) {
        Ok(chain) => {
            let names: Vec<_> = chain.instruction.signers().iter().map(|s| s.person.as_str()).collect();
            let note = instruction::moves_no_result(chain.instruction.order(), &chain.dictionary);
            let note = note.map_or(String::new(), |note| format!("   note: {}", note.code.title));
            let words = format!("signed by {}{note}", names.join(", "));
            seen.chain = Some(chain);
            Found::Done(words)
        }
        Err(fault) if fault.code().id == ecluse_core::signatures::ABSENT.id && trial => missing(
            "not signed yet",
            YOU,
            &[
                "Read instruction.toml and mapping.toml once more, then sign for every role:  ecluse instruction sign",
            ],
        ),
        Err(fault) if fault.code().id == ecluse_core::signatures::ABSENT.id => missing(
            fault.detail().to_owned(),
            LAB,
            &[
                "The signatory reads instruction.toml and signs:",
                "  ecluse instruction sign --key FILE",
                "  or: ssh-keygen -Y sign -n ecluse-instruction-v1 -f KEY instruction.toml, then mv instruction.toml.sig instruction.toml.sigs/NAME.sig",
            ],
        ),
        Err(fault) => refused(&fault, YOU, "ecluse instruction verify"),
    }
}

/// A draft whose digests are not known yet: the mapping comes next, and writes them.
fn unfilled(folder: &Folder) -> Option<Found> {
    let paper = Paper::read(&folder.path(None, "instruction.toml"), "").ok()?;
    let mapped = folder.has("mapping.toml");
    if !paper.signatures.is_empty() || (mapped && !draft::is_unfilled(paper.text())) {
        return None;
    }
    let mut advice = vec![
        "Take the # away in instruction.toml before each column that shall move, say which rows, then:",
        draft::mapping_next(mapped),
    ];
    if mapped {
        advice.push("or, where the mapping here is this order's:  ecluse instruction check --fill");
    }
    Some(missing("drafted, the mapping is not made for it yet", YOU, &advice))
}

/// How many tables are named; the dictionary has all.
const NAMED: usize = 12;

/// Names the tables that hold patients, requests and results, which is where most orders begin.
fn not_drafted(folder: &Folder, trial: bool) -> Found {
    let surveyed = Paper::read(&folder.path(None, "dictionary.toml"), "");
    let dictionary = surveyed.and_then(|p| quietly(|| p.judge(dictionary::parse(p.text()))));
    let surveyed = dictionary.map(|d| d.tables).unwrap_or_default();
    let mut advice = vec![
        "Name the tables that shall move: one that is not named stays, with all its rows. dictionary.toml has them all."
            .to_owned(),
    ];
    let names = proposed::about_patients(&surveyed, NAMED);
    if !names.is_empty() {
        advice.push(format!("Patients or results seem to be in:  {}", names.join(", ")));
    }
    if surveyed.len() > 1 && surveyed.iter().all(|t| t.relations.is_empty()) {
        advice.push("The database declares no relation, so nobody could see that a result changed its patient. Add them".into());
        advice.push(
            "in dictionary.toml, under the table that refers to another, before the order is drafted:".into(),
        );
        advice.push("  relations = [{ column = \"COLUMN\", table = \"OTHER\", to = \"ITS_KEY\", given = \"engineer\" }]".into());
    }
    let first: Vec<_> = proposed::beginning(&surveyed).iter().map(|n| format!("--table {n}")).collect();
    let example = if first.is_empty() { "--table TABLE".to_owned() } else { first.join(" ") };
    if trial {
        advice.push(
            "Of these, each column that needs no reason is granted at once with --grant-proposed:".into(),
        );
        advice.push(format!("  ecluse instruction new {example} --grant-proposed"));
    } else {
        advice.push(format!("  ecluse instruction new {example}"));
    }
    Found::Missing { words: "not drafted yet".into(), waits: YOU, advice }
}

/// The order and the mapping, read and compared without their signatures.
fn checked(folder: &Folder) -> Result<()> {
    let paper = Paper::read(&folder.path(None, "instruction.toml"), "")?;
    let order = paper.judge(instruction::parse(paper.text()))?;
    let surveyed = Paper::read(&folder.path(None, "dictionary.toml"), "ecluse survey")?;
    let dictionary = surveyed.judge(dictionary::parse(surveyed.text()))?;
    let mapped = Paper::read(&folder.path(None, "mapping.toml"), "ecluse mapping new")?;
    let mapping = mapped.judge(mapping::parse(mapped.text()))?;
    let mut findings = instruction::check(&order, &dictionary);
    findings.extend(mapping::against(&mapping, &order));
    paper.judge(if findings.is_empty() { Ok(()) } else { Err(findings) })
}

fn status(folder: &Folder, trial: bool, now: Timestamp, seen: &Seen) -> Found {
    let Some(chain) = &seen.chain else { return missing("no order", YOU, &[]) };
    let digest = chain.instruction.digest();
    let asked = quietly(|| {
        let mut met = runs::met(folder, digest)?;
        let keep = |met| runs::meet(folder, digest, met);
        StatusFile::new(folder, None, chain).ask(&chain.contract, now, &mut met, keep)
    });
    match asked {
        Ok(word) => Found::Done(format!("the order stands, as of {}", word.as_of())),
        Err(fault) if fault.code().id == SUSPENDED.id => {
            let mut found = refused(&fault, LAB, "ecluse instruction status");
            if let (Found::Missing { advice, .. }, true) = (&mut found, trial) {
                advice.push("In this trial you are the signatory: --key keys/controller-signatory".into());
            }
            found
        }
        Err(fault) if fault.code().id == REVOKED.id => Found::Missing {
            words: fault.code().title.to_owned(),
            waits: LAB,
            advice: vec![
                format!("{}: {}", fault.code().id, fault.detail()),
                "A new order is needed, with a mapping of its own; this one and its run stay as they are:"
                    .to_owned(),
                format!("  {}", set_aside(digest)),
                "  ecluse instruction new     (ecluse next then says with which tables)".to_owned(),
            ],
        },
        Err(_) if trial => missing("the order's status is not stated", YOU, &["ecluse instruction status"]),
        Err(fault) => {
            let mut found = refused(&fault, LAB, "ecluse instruction status");
            if let Found::Missing { advice, .. } = &mut found {
                advice.push(
                    "The signatory states that the order stands:  ecluse instruction status --key FILE"
                        .into(),
                );
            }
            found
        }
    }
}

fn session(folder: &Folder, trial: bool, now: Timestamp, seen: &Seen) -> Found {
    let Some(contract) = &seen.contract else { return missing("no contract", YOU, &[]) };
    match quietly(|| chain::session(folder, None, contract, now)) {
        Ok((session, _)) => {
            Found::Done(format!("{} until {}", session.operator(), session.header().not_after))
        }
        Err(_) if trial => Found::Done("opens by itself in a trial".into()),
        Err(_) => missing("none is open", Some("the operator"), &["ecluse session new --key FILE"]),
    }
}

fn run(folder: &Folder, trial: bool) -> Found {
    let figures = match figures(&folder.path(None, "run")) {
        Ok(figures) => figures,
        Err(fault) => return refused(&fault, YOU, "ecluse status"),
    };
    match figures {
        Some(f) if ordered::under(folder, &f).is_err() => Found::Missing {
            words: "not begun under this order".to_owned(),
            waits: YOU,
            advice: ordered::way_out(&folder.path(None, "run"), &f),
        },
        Some(f) if f.whole && f.is_beyond_tolerance() => missing(
            format!(
                "{} refused, {} tolerated: not the run that was ordered",
                plural(f.refused_rows(), "row", "rows"),
                count(f.tolerated)
            ),
            YOU,
            &[
                "Why, by code:  ecluse report;  which rows, by token:  ecluse status",
                "Mend the mapping, a code table or the source (or have an order signed that tolerates as many), then:",
                "  ecluse migrate",
            ],
        ),
        Some(f) if f.whole => Found::Done(format!(
            "{} moved, {} refused",
            plural(f.moved_rows(), "row", "rows"),
            count(f.refused_rows())
        )),
        Some(_) => missing(
            "begun, not through",
            YOU,
            &["The same command goes on where it stopped:  ecluse migrate"],
        ),
        None if trial => missing(
            "not begun",
            YOU,
            &[
                "Make the tables that the destination lacks, and move:  ecluse migrate --ddl",
                "Or look first, nothing moves and nothing is made:      ecluse plan",
            ],
        ),
        None => missing(
            "not begun",
            YOU,
            &[
                "The role that may read these rows only (the administrator runs the script):  ecluse grants",
                "The tables that the destination lacks:                                       ecluse plan --ddl",
                "What would move:                                                             ecluse plan",
                "Move:                                                                        ecluse migrate",
            ],
        ),
    }
}

fn reconciliation(folder: &Folder) -> Found {
    let run = folder.path(None, "run");
    let reconciled =
        figures(&run).and_then(|figures| figures.map_or(Ok(Reconciled::Never), |f| reconciled::of(&run, &f)));
    let reconciled = match reconciled {
        Ok(reconciled) => reconciled,
        Err(fault) => return refused(&fault, YOU, "ecluse status"),
    };
    match reconciled {
        Reconciled::Done(found) if found.holds => {
            Found::Done(format!("{} read back, no difference", plural(found.rows, "row", "rows")))
        }
        Reconciled::Done(found) => missing(
            plural(found.differences, "difference", "differences"),
            YOU,
            &[
                "See them again:          ecluse reconcile",
                "Put right from the source:  ecluse migrate --repair",
            ],
        ),
        Reconciled::Stale(_) => missing(
            "older than the run",
            YOU,
            &["The run has gone on since; read the destination back again:  ecluse reconcile"],
        ),
        Reconciled::Never => {
            missing("not done yet", YOU, &["A fresh process reads the destination back:  ecluse reconcile"])
        }
    }
}

fn report(folder: &Folder) -> Found {
    let path = folder.path(None, "run").join(REPORT);
    if path.exists() {
        Found::Done(path.display().to_string())
    } else {
        missing(
            "not written yet",
            YOU,
            &["Write the page for a biologist, a lawyer and an auditor:  ecluse report"],
        )
    }
}
