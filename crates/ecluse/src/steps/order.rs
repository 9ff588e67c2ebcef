//! The order: drafted, mapped, signed.

use ecluse_adapters::folder::figures;
use ecluse_core::dictionary::BY_NAME;
use ecluse_core::document::{self, Kind};
use ecluse_core::fault::{Fault, Result};
use ecluse_core::language::Language;
use ecluse_core::{dictionary, instruction, mapping};

use super::{At, Found, LAB, Seen, YOU, missing, refused};
use crate::cli::PaperArgs;
use crate::commands::instruction as draft;
use crate::folder::Folder;
use crate::papers::chain::Chain;
use crate::papers::examined::{self, Draft};
use crate::papers::{Paper, quietly};
use crate::proposed;

pub(super) fn order(at: At<'_>, seen: &mut Seen) -> Found {
    let At { folder, trial, now, lang } = at;
    if !folder.has("instruction.toml") {
        return not_drafted(at);
    }
    if let Some(found) = unfilled(at) {
        return found;
    }
    if let Err(fault) = quietly(|| checked(folder)) {
        return refused(at, &fault, YOU, "ecluse instruction check");
    }
    match quietly(|| Chain::read(folder, &PaperArgs::default(), now)) {
        Ok(chain) if chain.instruction.order().recipient().is_some() => {
            let names: Vec<_> = chain.instruction.signers().iter().map(|s| s.told(lang)).collect();
            let signed = format!("{} {}", lang.of("signed by", "signé par"), names.join(", "));
            let witnessed = chain.instruction.order().witnessed;
            seen.chain = Some(chain);
            match figures(&folder.path(None, "run")) {
                Ok(Some(figures)) if figures.whole => Found::Done(format!(
                    "{signed}; {}",
                    lang.of("the archive was made", "l’archive a été faite")
                )),
                _ => missing(
                    format!("{signed}; {}", lang.of("no archive yet", "pas encore d’archive")),
                    YOU,
                    if witnessed {
                        &[
                            "Count first, noted in the journal:                                        ecluse plan",
                            "The laboratory, which has the journal before it, states the order again:  ecluse instruction status --key FILE",
                            "Make the archive:                                                         ecluse extract -o ARCHIVE --key FILE",
                        ]
                    } else {
                        &[
                            "Count first:  ecluse plan",
                            "Make the archive:  ecluse extract -o ARCHIVE --key FILE",
                        ]
                    },
                ),
            }
        }
        Ok(chain) => {
            let names: Vec<_> = chain.instruction.signers().iter().map(|s| s.told(lang)).collect();
            let note = instruction::moves_no_result(chain.instruction.order(), &chain.dictionary);
            let note = note.map_or(String::new(), |note| match lang {
                Language::English => format!("   note: {}", note.code.title),
                Language::French => format!("   remarque : {}", note.code.id),
            });
            let words = format!("{} {}{note}", lang.of("signed by", "signé par"), names.join(", "));
            seen.chain = Some(chain);
            Found::Done(words)
        }
        Err(fault)
            if fault.code().id == ecluse_core::signatures::ABSENT.id && !unjudged(folder).is_empty() =>
        {
            judgement_due(at, &unjudged(folder))
        }
        Err(fault) if fault.code().id == ecluse_core::signatures::ABSENT.id && trial => missing(
            lang.of("not signed yet", "pas encore signé"),
            YOU,
            &[
                "Read instruction.toml and mapping.toml once more, then sign for every role:  ecluse instruction sign",
            ],
        ),
        Err(fault) if fault.code().id == ecluse_core::signatures::ABSENT.id => missing(
            lang.of(fault.detail(), "pas encore signé"),
            LAB,
            &[
                "Compared with the destination as it is, before anybody reads it:  ecluse instruction check",
                "The signatory reads instruction.toml and signs:",
                "  ecluse instruction sign --key FILE",
                "  or: ssh-keygen -Y sign -n ecluse-instruction-v1 -f KEY instruction.toml, then mv instruction.toml.sig instruction.toml.sigs/NAME.sig",
            ],
        ),
        Err(fault) => refused(at, &fault, YOU, "ecluse instruction verify"),
    }
}

/// What waits for a biologist, where the order itself bears a signature: the commands that sign it.
fn unjudged(folder: &Folder) -> Vec<String> {
    let read = |name: &str| Paper::read(&folder.path(None, name), "");
    let parsed = |name: &str| {
        let paper = read(name)?;
        let mapping = quietly(|| paper.judge(mapping::parse(paper.text())))?;
        Ok::<_, Fault>((paper, mapping))
    };
    let (Ok(order), Ok((paper, mapping))) = (read("instruction.toml"), parsed(mapping::FILE)) else {
        return Vec::new();
    };
    if order.signatures.is_empty() {
        return Vec::new();
    }
    let dictionary = read("dictionary.toml").and_then(|p| quietly(|| p.judge(dictionary::parse(p.text()))));
    let own = dictionary.map(|known| mapping::own(&mapping, &known).iter().any(|own| own.judged));
    let files = mapping.codes.into_iter().map(|cited| cited.file.value);
    let unsigned = |file: &String| read(file).is_ok_and(|paper| paper.signatures.is_empty());
    let codes = files.filter(unsigned).map(|file| format!("ecluse codes sign {file}"));
    let mapping = own.unwrap_or(false) && paper.signatures.is_empty();
    codes.chain(mapping.then(|| "ecluse mapping sign".to_owned())).collect()
}

fn judgement_due(At { trial, lang, .. }: At<'_>, commands: &[String]) -> Found {
    let key = if trial { "" } else { " --key FILE" };
    let mut advice = vec![
        "A biologist accepts what gives other values. With the rows of each:  ecluse reference print"
            .to_owned(),
    ];
    advice.extend(commands.iter().map(|command| format!("  {command}{key}")));
    let words = if commands.iter().any(|command| command.starts_with("ecluse codes")) {
        lang.of("a code table is not signed yet", "une table de codes n’est pas encore signée")
    } else {
        lang.of("the mapping waits for a biologist", "la table de correspondance attend un biologiste")
    };
    Found::Missing { words: words.to_owned(), waits: if trial { YOU } else { LAB }, advice, code: None }
}

/// A draft whose digests are not known yet: the mapping comes next, and writes them.
fn unfilled(At { folder, lang, .. }: At<'_>) -> Option<Found> {
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
    let words =
        lang.of("drafted, the mapping is not made for it yet", "rédigé, sans sa table de correspondance");
    Some(missing(words, YOU, &advice))
}

/// How many tables are named; the dictionary has all.
const NAMED: usize = 12;

/// Names the tables that hold patients, requests and results, which is where most orders begin.
fn not_drafted(At { folder, trial, lang, .. }: At<'_>) -> Found {
    let surveyed = Paper::read(&folder.path(None, "dictionary.toml"), "");
    let by_name = surveyed.as_ref().map_or(0, |p| p.text().lines().filter(|l| l.ends_with(BY_NAME)).count());
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
    if by_name > 0 {
        advice.push(format!(
            "By their names, {by_name} more columns lead to another table: they stand commented out in dictionary.toml (`{BY_NAME}`)."
        ));
        advice.push("Take the # away where it holds, before the order is drafted: dossiers, orphans and the rows of a refused patient follow relations.".into());
    } else if surveyed.len() > 1 && surveyed.iter().all(|t| t.relations.is_empty()) {
        advice.push("The database declares no relation, so nobody could see that a result changed its patient. Add them".into());
        advice.push(
            "in dictionary.toml, under the table that refers to another, before the order is drafted:".into(),
        );
        advice.push("  relations = [{ column = \"COLUMN\", table = \"OTHER\", to = \"ITS_KEY\", given = \"engineer\" }]".into());
    }
    let example = proposed::typed(&surveyed);
    if trial {
        advice.push(
            "Of these, each column that needs no reason is granted at once with --grant-proposed:".into(),
        );
        advice.push(format!("  ecluse instruction new {example} --grant-proposed"));
    } else {
        advice.push(format!("  ecluse instruction new {example}"));
    }
    let words = lang.of("not drafted yet", "pas encore rédigé").to_owned();
    Found::Missing { words, waits: YOU, advice, code: None }
}

/// The order and the mapping, read and compared without their signatures.
pub(crate) fn checked(folder: &Folder) -> Result<()> {
    let paper = Paper::read(&folder.path(None, "instruction.toml"), "")?;
    let order = paper.judge(instruction::parse(paper.text()))?;
    let surveyed = Paper::read(&folder.path(None, "dictionary.toml"), "ecluse survey")?;
    let dictionary = surveyed.judge(dictionary::parse(surveyed.text()))?;
    let mapped = Paper::read(&folder.path(None, "mapping.toml"), "ecluse mapping new")?;
    let mapping = mapped.judge(mapping::parse(mapped.text()))?;
    let mut findings = instruction::check(&order, &dictionary);
    let header = paper.judge(document::header(paper.text(), Kind::Instruction))?;
    findings.extend(instruction::fates(&order, &header, &dictionary));
    findings.extend(mapping::against(&mapping, &order));
    // of what is signed the plan speaks; and a board asks no laboratory's server
    if findings.is_empty() && paper.signatures.is_empty() {
        let draft = Draft { order: &order, header: &header, dictionary: &dictionary, mapping: &mapping };
        findings.extend(examined::alone(folder, &draft).err().into_iter().flatten());
    }
    paper.judge(if findings.is_empty() { Ok(()) } else { Err(findings) })
}
