//! The state's plaintext, written and read in this file only: two lines of JSON. The first says
//! the format and who wrote the second ([`crate::author`]); the second is the state.
//!
//! Keys are personal data; they exist here as bytes that are wiped, and in no message.

use data_encoding::HEXLOWER;
use ecluse_core::fault::Result;
use ecluse_core::value::{Key, Value};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::known::{AgreeBy, KnownList, KnownPair};
use crate::state::{
    CatchUp, Frozen, Noted, PartingFile, Reasons, RunState, Seal, Seen, Sought, TableState, Undo,
};
use crate::{DAMAGED, FAILED, FOREIGN, Identity, VERSION, author};

const FORMAT: &str = "ecluse-run-state/2";

/// What every version's first line says.
#[derive(Deserialize)]
struct Format {
    format: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    format: String,
    /// [`author::mark`] of the second line, hexadecimal.
    author: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct State {
    run: String,
    instruction: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    destination: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    files: String,
    tally: String,
    token: String,
    object: String,
    journal_lines: u64,
    journal_head: String,
    whole: bool,
    noted: Vec<Noted>,
    #[serde(default)]
    catch_ups: Vec<CatchUp>,
    #[serde(default)]
    frozen: Option<Frozen>,
    #[serde(default)]
    sample: Option<u64>,
    #[serde(default)]
    seen: Option<Seen>,
    #[serde(default)]
    made: Vec<String>,
    #[serde(default)]
    undo: Option<Undo>,
    #[serde(default)]
    known: Option<Known>,
    #[serde(default, skip_serializing_if = "Vec::is_empty", with = "texts")]
    sought: Vec<Zeroizing<String>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    parting: Vec<File>,
    tables: Vec<Table>,
}

/// As of [`PartingFile`].
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    table: usize,
    column: usize,
    #[serde(with = "text")]
    name: Zeroizing<String>,
    sha256: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    stays: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    object: String,
    closed: bool,
    ends: Vec<Vec<Part>>,
    open_line: Option<u64>,
    kept: Vec<Vec<Part>>,
    refused: Vec<Vec<Part>>,
    #[serde(default)]
    reasons: Reasons,
    #[serde(default)]
    flawed: Vec<Vec<Part>>,
    #[serde(default)]
    flaws: Reasons,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Known {
    source: String,
    table: String,
    key: Vec<String>,
    pairs: Vec<Pair>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pair {
    here: Vec<Part>,
    arrived: Vec<Part>,
    stood: Vec<Part>,
    by: AgreeBy,
}

/// One key column's value: `{"int": 7}`, `{"text": "…"}`.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Part {
    Bool(bool),
    Int(i64),
    /// Unscaled digits as text (they may pass 64 bits), and the scale.
    Decimal(String, u8),
    Text(String),
    /// Hexadecimal.
    Bytes(String),
    Date(i32),
    Timestamp(i64),
    Instant(i64),
    Time(i64),
    /// Hexadecimal.
    Uuid(String),
}

/// A text that is wiped.
mod text {
    use serde::{Deserialize as _, Deserializer, Serializer};
    use zeroize::Zeroizing;

    pub(super) fn serialize<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(text)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Zeroizing<String>, D::Error> {
        String::deserialize(deserializer).map(Zeroizing::new)
    }
}

/// Texts that are wiped.
mod texts {
    use serde::{Deserialize as _, Deserializer, Serializer};
    use zeroize::Zeroizing;

    pub(super) fn serialize<S: Serializer>(
        texts: &[Zeroizing<String>],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(texts.iter().map(|text| text.as_str()))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<Zeroizing<String>>, D::Error> {
        Ok(Vec::<String>::deserialize(deserializer)?.into_iter().map(Zeroizing::new).collect())
    }
}

/// The state as bytes to seal, marked as written by this identity's holder.
pub(crate) fn write(state: &RunState, author: &Identity) -> Result<Zeroizing<Vec<u8>>> {
    let RunState {
        run,
        instruction,
        destination,
        files,
        tally,
        token,
        object,
        journal,
        whole,
        noted,
        catch_ups,
        frozen,
        sample,
        seen,
        made,
        undo,
        known,
        sought,
        parting,
        tables,
    } = state;
    let failed = || FAILED.fault("a key holds a NULL");
    let tables = tables
        .iter()
        .map(|t| {
            let TableState { object, ends, closed, open_line, kept, refused, reasons, flawed, flaws } = t;
            Some(Table {
                object: object.clone(),
                closed: *closed,
                ends: parts(ends)?,
                open_line: *open_line,
                kept: parts(kept)?,
                refused: parts(refused)?,
                reasons: reasons.clone(),
                flawed: parts(flawed)?,
                flaws: flaws.clone(),
            })
        })
        .collect::<Option<Vec<Table>>>()
        .ok_or_else(failed)?;
    let known = known.as_ref().map(|list| known_parts(list).ok_or_else(failed)).transpose()?;
    let pairs = known.as_ref().map_or(0, |list| list.pairs.len());
    let keys: usize = pairs
        + sought.expose().count()
        + parting.len()
        + tables
            .iter()
            .map(|t| t.ends.len() + t.kept.len() + t.refused.len() + t.flawed.len())
            .sum::<usize>();
    let state = State {
        run: run.clone(),
        instruction: instruction.clone(),
        destination: destination.clone(),
        files: files.clone(),
        tally: HEXLOWER.encode(tally.expose()),
        token: HEXLOWER.encode(token.expose()),
        object: object.clone(),
        journal_lines: journal.0,
        journal_head: journal.1.clone(),
        whole: *whole,
        noted: noted.clone(),
        catch_ups: catch_ups.clone(),
        frozen: frozen.clone(),
        sample: *sample,
        seen: seen.clone(),
        made: made.clone(),
        undo: undo.clone(),
        known,
        sought: sought.expose().cloned().collect(),
        parting: parting.iter().cloned().map(File::from).collect(),
        tables,
    };
    // room enough that the buffer seldom moves: an abandoned copy would not be wiped
    let mut second = Zeroizing::new(Vec::with_capacity(4096 + keys * 256));
    serde_json::to_writer(&mut *second, &state).map_err(|_| FAILED.fault("encoding"))?;
    let head = Head { format: FORMAT.to_owned(), author: author::mark(author, &second).to_hex().to_string() };
    let mut bytes = Zeroizing::new(Vec::with_capacity(second.len() + 256));
    serde_json::to_writer(&mut *bytes, &head).map_err(|_| FAILED.fault("encoding"))?;
    bytes.push(b'\n');
    bytes.extend_from_slice(&second);
    Ok(bytes)
}

/// The state of opened bytes, if the holder of this identity wrote it.
pub(crate) fn read(bytes: &[u8], identity: &Identity) -> Result<RunState> {
    let damaged = || DAMAGED.fault("its content is not what this version writes");
    let (first, second) = match bytes.iter().position(|byte| *byte == b'\n') {
        Some(end) => bytes.split_at(end),
        None => (bytes, [].as_slice()),
    };
    let Format { format } = serde_json::from_slice(first).map_err(|_| damaged())?;
    if format != FORMAT {
        return Err(VERSION.fault("").help("use the version of écluse that began this run"));
    }
    let head: Head = serde_json::from_slice(first).map_err(|_| damaged())?;
    let second = second.strip_prefix(b"\n").ok_or_else(damaged)?;
    if !author::is_by(identity, second, &head.author) {
        return Err(FOREIGN.fault("").help(
            "keep the folder as it is and tell the controller; restore the run folder from a copy of your own",
        ));
    }
    let state: State = serde_json::from_slice(second).map_err(|_| damaged())?;
    let State {
        run,
        instruction,
        destination,
        files,
        tally,
        token,
        object,
        journal_lines,
        journal_head,
        whole,
        noted,
        catch_ups,
        frozen,
        sample,
        seen,
        made,
        undo,
        known,
        sought,
        parting,
        tables,
    } = state;
    let known = known.map(|list| known_list(list).ok_or_else(damaged)).transpose()?;
    let tables = tables
        .into_iter()
        .map(|Table { object, closed, ends, open_line, kept, refused, reasons, flawed, flaws }| {
            let (ends, kept, refused, flawed) = (keys(ends)?, keys(kept)?, keys(refused)?, keys(flawed)?);
            Some(TableState { object, closed, ends, open_line, kept, refused, reasons, flawed, flaws })
        })
        .collect::<Option<Vec<TableState>>>()
        .ok_or_else(damaged)?;
    Ok(RunState {
        run,
        instruction,
        destination,
        files,
        tally: seal(&tally).ok_or_else(damaged)?,
        token: seal(&token).ok_or_else(damaged)?,
        object,
        journal: (journal_lines, journal_head),
        whole,
        noted,
        catch_ups,
        frozen,
        sample,
        seen,
        made,
        undo,
        known,
        sought: Sought::new(sought),
        parting: parting.into_iter().map(PartingFile::from).collect(),
        tables,
    })
}

impl From<PartingFile> for File {
    fn from(PartingFile { table, column, name, sha256, stays }: PartingFile) -> Self {
        Self { table, column, name, sha256, stays }
    }
}

impl From<File> for PartingFile {
    fn from(File { table, column, name, sha256, stays }: File) -> Self {
        Self { table, column, name, sha256, stays }
    }
}

fn seal(hex: &str) -> Option<Seal> {
    let bytes = Zeroizing::new(HEXLOWER.decode(hex.as_bytes()).ok()?);
    <[u8; 32]>::try_from(bytes.as_slice()).ok().map(Seal::new)
}

fn known_parts(list: &KnownList) -> Option<Known> {
    let KnownList { source, table, key, pairs } = list;
    let pair = |pair: &KnownPair| {
        let KnownPair { here, arrived, stood, by } = pair;
        Some(Pair { here: of(here)?, arrived: of(arrived)?, stood: of(stood)?, by: *by })
    };
    let pairs = pairs.iter().map(pair).collect::<Option<_>>()?;
    Some(Known { source: source.clone(), table: table.clone(), key: key.clone(), pairs })
}

fn known_list(list: Known) -> Option<KnownList> {
    let Known { source, table, key, pairs } = list;
    let pair = |Pair { here, arrived, stood, by }| {
        Some(KnownPair { here: one(here)?, arrived: one(arrived)?, stood: one(stood)?, by })
    };
    let pairs = pairs.into_iter().map(pair).collect::<Option<_>>()?;
    Some(KnownList { source, table, key, pairs })
}

fn of(key: &Key) -> Option<Vec<Part>> {
    key.0.iter().map(part).collect()
}

fn one(key: Vec<Part>) -> Option<Key> {
    key.into_iter().map(value).collect::<Option<_>>().map(Key)
}

fn parts(keys: &[Key]) -> Option<Vec<Vec<Part>>> {
    keys.iter().map(of).collect()
}

/// Keys that ascend; anything else is not what was written.
fn keys(parts: Vec<Vec<Part>>) -> Option<Vec<Key>> {
    let keys: Option<Vec<Key>> = parts.into_iter().map(one).collect();
    keys.filter(|keys| keys.is_sorted_by(|a, b| a < b))
}

fn part(value: &Value) -> Option<Part> {
    Some(match value {
        Value::Null => return None,
        Value::Bool(b) => Part::Bool(*b),
        Value::Int(i) => Part::Int(*i),
        Value::Decimal { unscaled, scale } => Part::Decimal(unscaled.to_string(), *scale),
        Value::Text(t) => Part::Text(t.clone()),
        Value::Bytes(b) => Part::Bytes(HEXLOWER.encode(b)),
        Value::Date(d) => Part::Date(*d),
        Value::Timestamp(t) => Part::Timestamp(*t),
        Value::Instant(t) => Part::Instant(*t),
        Value::Time(t) => Part::Time(*t),
        Value::Uuid(u) => Part::Uuid(HEXLOWER.encode(u)),
    })
}

fn value(part: Part) -> Option<Value> {
    Some(match part {
        Part::Bool(b) => Value::Bool(b),
        Part::Int(i) => Value::Int(i),
        Part::Decimal(unscaled, scale) => Value::Decimal { unscaled: unscaled.parse().ok()?, scale },
        Part::Text(t) => Value::Text(t),
        Part::Bytes(b) => Value::Bytes(HEXLOWER.decode(b.as_bytes()).ok()?),
        Part::Date(d) => Value::Date(d),
        Part::Timestamp(t) => Value::Timestamp(t),
        Part::Instant(t) => Value::Instant(t),
        Part::Time(t) => Value::Time(t),
        Part::Uuid(u) => Value::Uuid(HEXLOWER.decode(u.as_bytes()).ok()?.try_into().ok()?),
    })
}
