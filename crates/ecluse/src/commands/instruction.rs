//! `ecluse instruction …`: the controller's order, from draft to revocation.

use std::borrow::Cow;
use std::path::Path;

use ecluse_adapters::url::Url;
use ecluse_core::contract::Contract;
use ecluse_core::count::{number, plural};
use ecluse_core::diff::changes;
use ecluse_core::document::{self, Kind};
use ecluse_core::fault::{Code, Result};
use ecluse_core::instruction::{self, Drafting, Instruction as InForce, Side};
use ecluse_core::nearest::nearest;
use ecluse_core::status::State;
use ecluse_core::{dictionary, mapping, plan, template};
use jiff::SignedDuration;
use serde_json::json;

use super::{Here, runs, sign, survey};
use crate::cli::{
    FileArg, Instruction, InstructionCheckArgs, InstructionNewArgs, MappingNewArgs, SignArgs, StatusArgs,
};
use crate::connections::{self, End};
use crate::papers::examined::{Draft, Examined, examined};
use crate::papers::stopped::{set_aside, stopped};
use crate::papers::{Paper, draft, quietly, recipient, refusal, returned, signatures_of, standing};
use crate::{connect, folder, output};

static NO_TABLE: Code = Code::usage("ECL-CLI-022", "the dictionary has no such table");
static NO_REASON: Code = Code::usage("ECL-CLI-029", "it is not said why the order is stopped");
static REVOKED: Code = Code::refused("ECL-STA-015", "a revoked order is not put in force again");
static SIGNED: Code = Code::refused("ECL-CLI-023", "a signed paper is not changed");

/// The file's name in the migration folder.
pub(crate) const FILE: &str = "instruction.toml";
const STATUS: &str = "status.toml";
const MADE_BY: &str = "ecluse instruction new";

/// An order is for one migration, not for good.
const LASTS: SignedDuration = SignedDuration::from_hours(24 * 92);

pub(super) fn run(here: &Here, command: &Instruction) -> Result<()> {
    match command {
        Instruction::New(args) => new(here, args),
        Instruction::Check(args) => check(here, args),
        Instruction::Diff { old, new } => diff(here, old, new.as_deref()),
        Instruction::Sign(args) => sign_it(here, args),
        Instruction::Verify(args) => verify(here, args),
        Instruction::Revoke(args) => say(here, args, State::Revoked),
        Instruction::Suspend(args) => say(here, args, State::Suspended),
        Instruction::Status(args) => say(here, args, State::InForce),
        Instruction::Object(args) => super::objections::object(here, args),
        Instruction::Answer(args) => super::objections::answer(here, args),
        Instruction::Exclude(args) => super::exclude::run(here, args),
    }
}

fn new(here: &Here, args: &InstructionNewArgs) -> Result<()> {
    let (contract, _) = standing::contract(&here.folder, None, here.now)?;
    let trial = contract.header().trial;
    let paper = Paper::read(&here.folder.path(args.dictionary.as_deref(), survey::FILE), "ecluse survey")?;
    let dictionary = paper.judge(dictionary::parse(paper.text()))?;
    if let Some(wrong) = args.tables.iter().find(|t| dictionary.table(t).is_none()) {
        let names = dictionary.tables.iter().map(|t| t.name.value.as_str());
        let near = nearest(wrong, names).map_or(String::new(), |near| format!("did you mean `{near}`? "));
        return Err(NO_TABLE
            .fault(wrong.clone())
            .help(format!("{near}the tables are in {}", paper.path.display())));
    }
    let url = connect::parse(&connections::url(&here.folder, End::Destination, args.to.url().as_deref())?)?;
    let side = Side {
        engine: url.engine(),
        database: connect::database(&url),
        identity: connect::destination(&url)?.identity()?,
        tls_spki: connect::pin(&url),
    };
    let source = connect::parse(&connections::url(&here.folder, End::Source, args.from.url().as_deref())?)?;
    let head = draft::witnessing(here, &contract, LASTS)?;
    let mut text = instruction::draft(&Drafting {
        head: &head,
        dictionary: &dictionary,
        mapping: None,
        tables: &args.tables,
        destination: Some(&side),
        source_tls_spki: connect::pin(&source).as_deref(),
    });
    if args.grant_proposed {
        text = granted(&text);
    }
    if trial && args.grant_proposed {
        text = fated(&text, head.not_after.to_zoned(jiff::tz::TimeZone::UTC).date());
    }
    if trial && args.grant_proposed {
        text = known(&text, &source);
    }
    if trial {
        text = text.replace("purpose        = \"…\"", "purpose        = \"TRIAL: to see what would move\"");
    }
    let path = here.folder.path(args.output.as_deref(), FILE);
    if let Some(worked) = &args.worked {
        return take_over(here, &path, &text, worked);
    }
    folder::create(&path, text.as_bytes())?;
    output::line(format!("{}: drafted.", path.display()));
    let mapped = here.folder.has("mapping.toml");
    if trial && args.grant_proposed {
        output::line(
            "What stays is kept until this order ends, in this trial: in a real order the controller decides, class by class.",
        );
    }
    if trial && args.grant_proposed && !mapped {
        super::mapping::new(here, &MappingNewArgs::default())?;
    } else if args.grant_proposed {
        output::line(
            "Every column of these tables that needs no reason is granted. Say which rows, and under [stays] what",
        );
        output::line("becomes of each class that stays; then:");
        output::line(mapping_next(mapped));
    } else {
        output::line(
            "Take the # away before each column that shall move, say which rows, and under [stays] what",
        );
        output::line("becomes of each class that stays; then:");
        output::line(mapping_next(mapped));
    }
    output::document(&json!({ "made": path, "tables": args.tables }));
    Ok(())
}

/// The draft, with everything but its own from an order that somebody worked out.
fn take_over(here: &Here, path: &Path, draft: &str, worked: &Path) -> Result<()> {
    let theirs = Paper::read(worked, "name the order that was worked out for this product")?;
    let today = here.now.to_zoned(jiff::tz::TimeZone::UTC).date();
    folder::create(path, instruction::over(draft, theirs.text(), today).as_bytes())?;
    fill(here, path)?;
    output::line(format!("{}: drafted; header and databases are this migration's.", path.display()));
    output::line("Read what it orders, and whether its dates and fates are this laboratory's; then:");
    output::line("  ecluse mapping new --worked FILE");
    output::document(&json!({ "made": path, "worked": worked }));
    Ok(())
}

/// How the mapping is made: one that is there was made for an earlier draft or order.
pub(crate) fn mapping_next(mapped: bool) -> &'static str {
    if mapped {
        "  mv mapping.toml mapping.old.toml && ecluse mapping new   (the mapping here is an earlier order's)"
    } else {
        "  ecluse mapping new"
    }
}

/// Takes the `#` away before the columns of the chosen tables that need no reason.
fn granted(draft: &str) -> String {
    let mut open = false;
    let mut out = String::with_capacity(draft.len());
    for line in draft.lines() {
        match line {
            "columns = [" => open = true,
            "]" => open = false,
            _ => {}
        }
        match line.strip_prefix("#   \"") {
            Some(rest) if open && !line.ends_with("a type this version cannot read") => {
                out.push_str("    \"");
                out.push_str(rest);
            }
            _ => out.push_str(line),
        }
        out.push('\n');
    }
    out
}

/// Takes the `#` away before what the controller has to know of this source: whoever tries it knows.
fn known(draft: &str, source: &Url) -> String {
    let in_clear = match source {
        Url::Dump(dump) => dump.origin.file().is_some(),
        Url::Csv(_) => true,
        Url::Sqlite(_) | Url::Server(_) => false,
    };
    let text = draft.replacen("\n# cannot_deny = true ", "\ncannot_deny = true   ", 1);
    if in_clear { text.replacen("\n# in_clear = true ", "\nin_clear = true   ", 1) } else { text }
}

/// Takes the `#` away before the fates that the draft proposes; what is kept is kept until this day.
fn fated(draft: &str, day: jiff::civil::Date) -> String {
    let mut open = false;
    let mut out = String::with_capacity(draft.len());
    for line in draft.lines() {
        open = line.starts_with("[stays]") || (open && !line.starts_with('['));
        match line.strip_prefix("# \"") {
            Some(rest) if open => {
                out.push('"');
                out.push_str(&rest.replace(instruction::UNDECIDED, &day.to_string()));
            }
            _ => out.push_str(line),
        }
        out.push('\n');
    }
    out
}

fn check(here: &Here, args: &InstructionCheckArgs) -> Result<()> {
    let path = here.folder.path(args.file.as_deref(), FILE);
    if args.fill {
        fill(here, &path)?;
    }
    let paper = Paper::read(&path, MADE_BY)?;
    // places are found in the text that was read, so they are drawn on that one
    let text = with_digests(paper.text());
    let order = instruction::parse(&text).map_err(|findings| refusal(&paper.path, &text, &findings))?;
    let header = paper.judge(document::header(paper.text(), Kind::Instruction))?;
    let surveyed = Paper::read(&here.folder.path(None, survey::FILE), "ecluse survey")?;
    let dictionary = surveyed.judge(dictionary::parse(surveyed.text()))?;
    let mut findings: Vec<_> = header.objection(here.now).into_iter().collect();
    findings.extend(instruction::check(&order, &dictionary));
    findings.extend(instruction::fates(&order, &header, &dictionary));
    // without a mapping nothing can be compiled
    let mut notes: Vec<_> = instruction::moves_no_result(&order, &dictionary).into_iter().collect();
    notes.extend(instruction::not_carried_out(&order, &dictionary));
    if order.back.is_some() && findings.is_empty() {
        findings.extend(plan::objections(&order, &header, &dictionary));
    }
    let mut alone = Some("there is no mapping yet".to_owned());
    let mapped = here.folder.path(None, "mapping.toml");
    if mapped.exists() {
        let mapped = Paper::read(&mapped, "")?;
        let mapping = mapped.judge(mapping::parse(mapped.text()))?;
        // a name that is nobody's would be found twice more, and proposed to the mapping
        if !findings.iter().any(instruction::is_unknown_name) {
            findings.extend(mapping::against(&mapping, &order));
        }
        if findings.is_empty() {
            let draft = Draft { order: &order, header: &header, dictionary: &dictionary, mapping: &mapping };
            let Examined { found, alone: not_asked } = examined(&here.folder, &draft)?;
            alone = not_asked;
            notes = found.map_err(|findings| refusal(&paper.path, &text, &findings))?;
        }
    }
    if !findings.is_empty() {
        return Err(refusal(&paper.path, &text, &findings));
    }
    let recipient = match order.recipient() {
        Some(_) => {
            let (contract, _) = standing::contract(&here.folder, None, here.now)?;
            recipient::cited(&here.folder, (&paper.path, &text), (&order, &header), &contract, here.now)?
        }
        None => None,
    };
    let returned = returned::named(&here.folder, (&paper.path, &text), (&order, &header), here.now)?;
    let columns: usize = order.tables.iter().map(|t| t.columns.len()).sum();
    output::line(format!(
        "{}: {}, {}. Nothing was read.",
        path.display(),
        plural(number(order.tables.len()), "table", "tables"),
        plural(number(columns), "column", "columns"),
    ));
    if let Some((recipient, _)) = &recipient {
        output::line(format!("note: an archive sealed to {}: ecluse extract makes it", recipient.entity()));
    }
    if let Some(returned) = &returned {
        let age = returned.age();
        output::line(format!("note: what is to be returned is sealed to {}, key {age}.", returned.entity()));
    }
    for note in &notes {
        output::line(format!("note: {}: {}.", note.code.title, note.message));
    }
    if order.dossier.is_none() {
        output::line(
            "note: no [dossier]: whole dossiers cannot be rehearsed (migrate --sample, ECL-RUN-060).",
        );
    }
    if let Some(why) = &alone {
        output::line(format!("note: the destination's own tables were not looked at: {why}."));
    }
    let notes: Vec<_> = notes.iter().map(|n| json!({ "code": n.code.id, "message": n.message })).collect();
    output::document(&json!({
        "holds": true, "tables": order.tables.len(), "columns": columns, "digest": paper.digest(), "notes": notes,
        "destination": alone.is_none(), "recipient": recipient.map(|(recipient, _)| recipient.entity().to_owned()),
        "dossier": order.dossier.is_some(),
    }));
    Ok(())
}

/// A draft's text with zeros for the digests that are not known yet, so that the rest of it can
/// be read.
pub(crate) fn with_digests(text: &str) -> Cow<'_, str> {
    if text.contains(UNKNOWN) {
        text.replace(UNKNOWN, &format!("sha256:{}", "0".repeat(64))).into()
    } else {
        text.into()
    }
}

/// Whether a draft still lacks a digest; its comments show one that a person may add.
pub(crate) fn is_unfilled(text: &str) -> bool {
    text.lines().any(|line| !line.trim_start().starts_with('#') && line.contains(UNKNOWN))
}

/// A digest that `ecluse mapping new` fills in.
const UNKNOWN: &str = "sha256:…";

/// Writes the digests that a draft cites; a signed paper is left as it was signed.
pub(super) fn fill(here: &Here, path: &Path) -> Result<()> {
    let paper = Paper::read(path, MADE_BY)?;
    if !paper.signatures.is_empty() {
        return Err(SIGNED
            .fault(path.display().to_string())
            .help(format!("take its signatures away first: rm -r {}", signatures_of(path).display())));
    }
    let surveyed = Paper::read(&here.folder.path(None, survey::FILE), "ecluse survey")?;
    let dictionary = surveyed.judge(dictionary::parse(surveyed.text()))?;
    let mapped = here.folder.path(None, "mapping.toml");
    let mapping = if mapped.exists() {
        let mapped = Paper::read(&mapped, "")?;
        Some(mapped.judge(mapping::parse(mapped.text()))?)
    } else {
        None
    };
    if let Some(text) = instruction::fill(paper.text(), &dictionary, mapping.as_ref()) {
        folder::replace(path, text.as_bytes())?;
    }
    Ok(())
}

fn diff(here: &Here, old: &Path, new: Option<&Path>) -> Result<()> {
    let read = |path: &Path| {
        let paper = Paper::read(path, "give the paths of two versions: ecluse instruction diff OLD NEW")?;
        let header = paper.judge(document::header(paper.text(), Kind::Instruction))?;
        let order = paper.judge(instruction::parse(paper.text()))?;
        Ok((header, order))
    };
    let was = read(old)?;
    let is = read(&here.folder.path(new, FILE))?;
    let list = changes((&was.0, &was.1), (&is.0, &is.1));
    if list.is_empty() {
        output::line("Nothing changes.");
    }
    for change in &list {
        output::line(change.to_string());
    }
    let list: Vec<_> = list.iter().map(|c| json!({ "field": c.field, "was": c.was, "is": c.is })).collect();
    output::document(&json!({ "changes": list }));
    Ok(())
}

/// In a trial a draft's digests are filled in first, and the status is stated at once.
fn sign_it(here: &Here, args: &SignArgs) -> Result<()> {
    let path = here.folder.path(args.file.as_deref(), FILE);
    let trial = crate::steps::is_trial(&here.folder);
    if trial && Paper::read(&path, MADE_BY)?.signatures.is_empty() {
        fill(here, &path)?;
    }
    check(here, &InstructionCheckArgs { file: args.file.clone(), fill: false })?;
    sign::run(here, Kind::Instruction, FILE, args)?;
    if trial && args.key.is_none() {
        let status = StatusArgs { file: None, key: None, signer: None, reason: None };
        say(here, &status, State::InForce)?;
    }
    Ok(())
}

fn verify(here: &Here, args: &FileArg) -> Result<()> {
    let (contract, _) = standing::contract(&here.folder, None, here.now)?;
    let paper = Paper::read(&here.folder.path(args.file.as_deref(), FILE), MADE_BY)?;
    let order = paper.judge(InForce::in_force(&paper.bytes, &paper.signatures, &contract, here.now))?;
    let drawn = (paper.path.as_path(), paper.text());
    recipient::cited(&here.folder, drawn, (order.order(), order.header()), &contract, here.now)?;
    returned::cited(&here.folder, drawn, (order.order(), order.header()), &contract, here.now)?;
    if let Some(stop) = stopped(&here.folder, &contract, &order, here.now)? {
        return Err(stop);
    }
    sign::told(&paper.path, order.signers(), order.header(), order.digest());
    Ok(())
}

/// The controller's word on the order: a new version of the status, signed.
fn say(here: &Here, args: &StatusArgs, state: State) -> Result<()> {
    let path = here.folder.path(None, STATUS);
    let (contract, _) = standing::contract(&here.folder, None, here.now)?;
    let trial = contract.header().trial;
    let order = Paper::read(&here.folder.path(args.file.as_deref(), FILE), MADE_BY)?;
    let last = stopped_by(here, &path, &order.digest())?;
    // without a key nobody gives a word: a trial's own keys lift no suspension by themselves
    if args.key.is_none() && (!trial || (state == State::InForce && last.is_some())) {
        return shown(&path);
    }
    // revoking once more ends what a death left half done
    if last == Some(State::Revoked) && state != State::Revoked {
        return Err(REVOKED.fault(sign::short(&order.digest())).help(format!(
            "draft and sign a new instruction: {} && ecluse instruction new",
            set_aside(&order.digest())
        )));
    }
    if state == State::InForce {
        unsigned_or_wrong(here, &order, &contract);
    }
    let reason = args.reason.clone().filter(|reason| !reason.trim().is_empty());
    if state != State::InForce && reason.is_none() {
        return Err(NO_REASON
            .fault(state.name())
            .help("--reason 'why': it is signed, and shown to whoever asks"));
    }
    let mut head = draft::witnessing(here, &contract, LASTS)?;
    if path.exists() {
        head = draft::next(Kind::Status, &Paper::read(&path, "")?, head)?;
        let _ = std::fs::remove_dir_all(signatures_of(&path));
    }
    let text = template::status(&head, &order.digest(), state, reason.as_deref());
    folder::replace(&path, text.as_bytes())?;
    let with = SignArgs { key: args.key.clone(), signer: args.signer.clone(), ..SignArgs::default() };
    sign::document_with(here, Kind::Status, &path, &with)?;
    output::line(format!(
        "{}: the order {} is {}",
        path.display(),
        sign::short(&order.digest()),
        state.name()
    ));
    output::document(&json!({ "made": path, "instruction": order.digest(), "state": state.name() }));
    Ok(())
}

/// Warns of an order that is said to be in force and is not: nobody signed it, or not everybody who must, or its time is
/// another one; or its draft would be refused. The word counts for nothing by itself, and whoever reads it may think so.
fn unsigned_or_wrong(here: &Here, order: &Paper, contract: &Contract) {
    let stands =
        order.judge(InForce::in_force(&order.bytes, &order.signatures, contract, here.now)).map(drop);
    let stands = stands.and_then(|()| quietly(|| crate::steps::checked(&here.folder)));
    // a signatory's own folder may not hold the survey
    if let Err(fault) =
        stands.or_else(|fault| if fault.code().id == "ECL-CLI-003" { Ok(()) } else { Err(fault) })
    {
        output::warning(format!(
            "this order does not stand as it lies here, whatever its status says: {} ({}). ecluse instruction check; ecluse instruction verify",
            fault.code().title,
            fault.code().id
        ));
    }
}

/// Whether the last word about this order, or one that a run met, stops it.
fn stopped_by(here: &Here, path: &Path, order: &str) -> Result<Option<State>> {
    if runs::met(&here.folder, order)?.revoked {
        return Ok(Some(State::Revoked));
    }
    if !path.exists() {
        return Ok(None);
    }
    let paper = Paper::read(path, "")?;
    let word = paper.judge(ecluse_core::status::read(paper.text()))?;
    Ok(Some(word.state).filter(|state| *state != State::InForce && word.instruction.value == order))
}

fn shown(path: &Path) -> Result<()> {
    let paper = Paper::read(path, "the signatory states it: ecluse instruction status --key FILE")?;
    let word = paper.judge(ecluse_core::status::read(paper.text()))?;
    let header = paper.judge(document::header(paper.text(), Kind::Status))?;
    let why = word.reason.as_ref().map_or_else(String::new, |why| format!(": {why}"));
    output::line(format!(
        "the order {} is {}, as of {}{why}",
        sign::short(&word.instruction.value),
        word.state.name(),
        header.issued
    ));
    match word.state {
        State::InForce => {}
        State::Suspended => {
            output::line("The signatory lifts it by a new word:  ecluse instruction status --key FILE");
        }
        State::Revoked => output::line("For good: a new instruction has to be drafted and signed."),
    }
    output::document(&json!({
        "instruction": word.instruction.value, "state": word.state.name(), "as_of": header.issued.to_string(), "reason": word.reason,
    }));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::granted;

    #[test]
    fn only_columns_of_chosen_tables_that_need_no_reason_are_granted() {
        let draft = "[[table]]\ncolumns = [\n#   \"id\",   # key\n#   { name = \"nom\", reason = \"…\" }, # staff\n\
                     #   pwd: credential; never moves\n#   \"odd\", # a type this version cannot read\n]\n\
                     # [[table]]\n# columns = [\n#   \"other\",\n# ]\n";
        let seen = granted(draft);
        assert!(seen.contains("\n    \"id\",   # key\n"));
        assert_eq!(seen.lines().filter(|l| l.starts_with("    ")).count(), 1, "{seen}");
    }
}
