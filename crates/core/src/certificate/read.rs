//! Reading a certificate, key by key.

use super::{Artefact, DECLARES, Stated};
use crate::erasure::{Beyond, Erased, Held, Looked, Side};
use crate::fault::Code;
use crate::finding::Finding;
use crate::reader::{self, Codes, Fields, Reader};

static SYNTAX: Code = Code::refused("ECL-CRT-001", "the certificate is not TOML");
static UNKNOWN_KEY: Code = Code::refused("ECL-CRT-002", "unknown key in the certificate");
static MISSING_KEY: Code = Code::refused("ECL-CRT-003", "the certificate lacks a key");
static WRONG_VALUE: Code = Code::refused("ECL-CRT-004", "a value of the certificate has the wrong form");

static CODES: Codes =
    Codes { syntax: &SYNTAX, unknown: &UNKNOWN_KEY, missing: &MISSING_KEY, wrong: &WRONG_VALUE };

/// Reads a certificate, its header apart.
///
/// # Errors
/// Everything that is wrong with it; another declaration than [`DECLARES`]; a path twice, or one that leads out
/// of the evidence.
pub fn parse(text: &str) -> Result<Stated, Vec<Finding>> {
    reader::stated(text, &CODES, "certificate", read)
}

fn read(r: &mut Reader<'_>, mut t: Fields<'_, '_>, root: &mut Fields<'_, '_>) -> Option<Stated> {
    let run = t.text(r, "run");
    let [instruction, acceptance, erasure, residue] =
        ["instruction", "acceptance", "erasure", "residue"].map(|key| t.digest(r, key));
    let declares = t.texts(r, "declares");
    if declares.iter().map(|text| text.value.as_str()).ne(DECLARES) {
        let at = declares.first().map_or_else(|| t.span.clone(), |text| text.span.clone());
        let finding = Finding::new(&WRONG_VALUE, "`declares` is not what a certificate declares").at(at);
        r.find(finding.help("ecluse certify propose writes it; a certificate claims no more and no less"));
    }
    t.end(r);
    let done = root.tables(r, "done").into_iter().filter_map(|t| erased(r, t)).collect();
    let looked = root.tables(r, "looked").into_iter().filter_map(|t| looked(r, t)).collect();
    let held = root.tables(r, "held").into_iter().filter_map(|t| held(r, t)).collect();
    let out_of_reach = root.tables(r, "out_of_reach").into_iter().filter_map(|t| beyond(r, t)).collect();
    let artefacts = artefacts(r, root);
    Some(Stated {
        run: run?.value,
        instruction: instruction?.value,
        acceptance: acceptance?.value,
        erasure: erasure?.value,
        residue: residue?.value,
        done,
        looked,
        held,
        out_of_reach,
        artefacts,
    })
}

fn erased(r: &mut Reader<'_>, mut t: Fields<'_, '_>) -> Option<Erased> {
    let side = t.text(r, "side");
    let [place, what, method, at] = ["place", "what", "method", "at"].map(|key| text(r, &mut t, key));
    let rows = t.maybe_number(r, "rows").map(|n| n.value);
    let files = t.maybe_number(r, "files").map(|n| n.value);
    t.end(r);
    let side = side.and_then(|side| {
        let known = [Side::Source, Side::Copy].into_iter().find(|known| known.name() == side.value);
        if known.is_none() {
            r.find(Finding::new(&WRONG_VALUE, "`side` is \"source\" or \"copy\"").at(side.span));
        }
        known
    });
    Some(Erased { side: side?, place: place?, what: what?, method: method?, rows, files, at: at? })
}

fn looked(r: &mut Reader<'_>, mut t: Fields<'_, '_>) -> Option<Looked> {
    let [place, sought] = ["place", "sought"].map(|key| text(r, &mut t, key));
    let [files, bytes] = ["files", "bytes"].map(|key| t.maybe_number(r, key).map_or(0, |n| n.value));
    let unread = t.texts(r, "unread").into_iter().map(|one| one.value).collect();
    t.end(r);
    Some(Looked { place: place?, sought: sought?, files, bytes, unread })
}

fn held(r: &mut Reader<'_>, mut t: Fields<'_, '_>) -> Option<Held> {
    let [place, what, reason, approver, until] =
        ["place", "what", "reason", "approver", "until"].map(|key| text(r, &mut t, key));
    t.end(r);
    Some(Held { place: place?, what: what?, reason: reason?, approver: approver?, until: until? })
}

fn beyond(r: &mut Reader<'_>, mut t: Fields<'_, '_>) -> Option<Beyond> {
    let [place, what, owner, until] = ["place", "what", "owner", "until"].map(|key| text(r, &mut t, key));
    t.end(r);
    Some(Beyond { place: place?, what: what?, owner: owner?, until: until? })
}

fn artefacts(r: &mut Reader<'_>, root: &mut Fields<'_, '_>) -> Vec<Artefact> {
    let mut artefacts: Vec<Artefact> = Vec::new();
    for mut t in root.tables(r, "artefact") {
        let (path, sha256) = (t.text(r, "path"), t.text(r, "sha256"));
        t.end(r);
        let (Some(path), Some(sha256)) = (path, sha256) else { continue };
        let outside =
            path.value.starts_with('/') || path.value.split('/').any(|step| matches!(step, "" | "." | ".."));
        if outside || path.value.contains('\\') {
            let finding = Finding::new(&WRONG_VALUE, "`path` leads out of the evidence");
            r.find(finding.at(path.span.clone()));
        }
        if artefacts.iter().any(|earlier| earlier.path == path.value) {
            r.find(Finding::new(&WRONG_VALUE, "this path stands here twice").at(path.span));
        }
        if !crate::digest::well_formed(&format!("sha256:{}", sha256.value)) {
            let message = "`sha256` wants 64 lower-case hexadecimal digits";
            r.find(Finding::new(&WRONG_VALUE, message).at(sha256.span));
        }
        artefacts.push(Artefact { path: path.value, sha256: sha256.value });
    }
    artefacts
}

fn text(r: &mut Reader<'_>, t: &mut Fields<'_, '_>, key: &'static str) -> Option<String> {
    t.text(r, key).map(|text| text.value)
}
