//! Reads a contract's text: each mandatory field has its own code.

use ecluse_sign::{Demands, PublicKey, Refused};
use jiff::civil::Date;

use super::clauses;
use super::{Held, Party, Processing, Site, SubProcessor, Terms};
use crate::digest;
use crate::fault::Code;
use crate::finding::Finding;
use crate::keys::{Enrolment, Key, OnPaper};
use crate::person::{self, Role, Side};
use crate::reader::{Codes, Fields, Reader, Spanned};
use crate::template::filled;

/// Not TOML.
pub static SYNTAX: Code = Code::refused("ECL-CTR-001", "the contract is not TOML");
/// An unknown key.
pub static UNKNOWN_KEY: Code = Code::refused("ECL-CTR-002", "unknown key in the contract");
/// A missing key.
pub static MISSING_KEY: Code = Code::refused("ECL-CTR-003", "the contract lacks a key");
/// A value of the wrong kind.
pub static WRONG_VALUE: Code = Code::refused("ECL-CTR-004", "a value of the contract has the wrong form");
/// No controller.
pub static CONTROLLER: Code = Code::refused("ECL-CTR-010", "the contract does not say who the controller is");
/// No processor.
pub static PROCESSOR: Code = Code::refused("ECL-CTR-011", "the contract does not say who the processor is");
/// No subject-matter.
pub static SUBJECT: Code = Code::refused("ECL-CTR-012", "the contract has no subject-matter");
/// No duration.
pub static DURATION: Code = Code::refused("ECL-CTR-013", "the contract has no duration");
/// No nature.
pub static NATURE: Code =
    Code::refused("ECL-CTR-014", "the contract does not say the nature of the processing");
/// No purpose.
pub static PURPOSE: Code = Code::refused("ECL-CTR-015", "the contract has no purpose");
/// No kinds of data.
pub static DATA: Code = Code::refused("ECL-CTR-016", "the contract names no kinds of personal data");
/// No categories of persons.
pub static PERSONS: Code = Code::refused("ECL-CTR-017", "the contract names no categories of persons");
/// No safeguards.
pub static SAFEGUARDS: Code =
    Code::refused("ECL-CTR-018", "the contract names no safeguards for sensitive data");
/// No sites.
pub static SITES: Code = Code::refused("ECL-CTR-019", "the contract does not say where data rest");
/// Another policy than "all of".
pub static POLICY: Code = Code::refused("ECL-CTR-032", "the only signature policy is \"all of\"");

static CODES: Codes =
    Codes { syntax: &SYNTAX, unknown: &UNKNOWN_KEY, missing: &MISSING_KEY, wrong: &WRONG_VALUE };

const ART_28: &str = "GDPR Art. 28(3)";

/// Reads the terms; the header is [`crate::document::header`]'s.
pub(super) fn terms(text: &str) -> Result<Terms, Vec<Finding>> {
    let mut r = Reader::new(text, &CODES);
    let terms = r.document().and_then(|tree| {
        let mut root = Fields::new(&tree, 0..0, String::new());
        root.get("document");
        let terms = read(&mut r, &mut root);
        root.end(&mut r);
        terms
    });
    r.finish(terms)
}

fn read(r: &mut Reader<'_>, root: &mut Fields<'_, '_>) -> Option<Terms> {
    let head = root.table(r, "contract").and_then(|t| head(r, t));
    let processing = processing(r, root);
    let controller = party(r, root, "controller", &CONTROLLER);
    let processor = party(r, root, "processor", &PROCESSOR);
    let table = root.maybe_table(r, "clauses");
    let clauses = clauses::read(r, table);
    let evidence = root.maybe_table(r, "evidence").and_then(|mut t| {
        let (place, words) = (t.text(r, "place"), t.text(r, "words"));
        t.end(r);
        Some(super::Clause { letter: "evidence", place: place?.value, words: words?.value })
    });
    let sub_processors =
        root.tables(r, "sub_processor").into_iter().filter_map(|t| sub_processor(r, t)).collect();
    let sites: Vec<Site> = root.tables(r, "site").into_iter().filter_map(|t| site(r, t)).collect();
    if sites.is_empty() && root.get("site").is_none() {
        let finding = Finding::new(&SITES, "there is no [[site]]");
        r.find(
            finding
                .law("CSP Art. L.1111-8")
                .help("write one [[site]] per place where data rest, the controller's own premises too"),
        );
    }
    let keys: Vec<Key> = root.tables(r, "key").into_iter().filter_map(|t| key(r, t)).collect();
    let demands = root.table(r, "signatures").and_then(|t| demands(r, t));
    let (reference, text, text_digest, hds_required) = head?;
    Some(Terms {
        reference,
        text,
        text_digest,
        hds_required,
        processing: processing?,
        controller: controller?,
        processor: processor?,
        clauses,
        evidence,
        sub_processors,
        sites,
        keys,
        demands: demands?,
    })
}

fn head(r: &mut Reader<'_>, mut t: Fields<'_, '_>) -> Option<(String, String, String, bool)> {
    let reference = t.text(r, "reference");
    let text = t.text(r, "text");
    let text_digest = t.text(r, "text_digest");
    if let Some(wrong) = text_digest.as_ref().filter(|d| !digest::well_formed(&d.value)) {
        let finding =
            Finding::new(&WRONG_VALUE, "`text_digest` wants sha256: and 64 lower-case hexadecimal digits");
        r.find(finding.at(wrong.span.clone()).help("sha256sum of the file that holds the contract's text"));
    }
    // it lies beside the contract: a path elsewhere would have any file read
    if let Some(wrong) = text.as_ref().filter(|t| t.value.contains('/')) {
        let finding = Finding::new(&WRONG_VALUE, "`text` wants a file's name, without a folder");
        r.find(finding.at(wrong.span.clone()).help("put the file beside contract.toml"));
    }
    let hds_required = if t.get("hds_required").is_none() { true } else { t.flag(r, "hds_required") };
    t.end(r);
    Some((reference?.value, text?.value, text_digest?.value, hds_required))
}

/// A text that a law demands: absent, empty or still the template's placeholder, it is a
/// finding of its own code.
fn demanded(
    r: &mut Reader<'_>,
    t: &mut Fields<'_, '_>,
    key: &'static str,
    code: &'static Code,
    law: &'static str,
) -> Option<String> {
    let text = t.maybe_text(r, key);
    if let Some(text) = text.as_ref().filter(|text| filled(&text.value)) {
        return Some(text.value.clone());
    }
    let span = text.map_or_else(|| t.span.clone(), |text| text.span);
    r.find(Finding::new(code, format!("`{key}` is missing")).at(span).law(law));
    None
}

fn demanded_list(
    r: &mut Reader<'_>,
    t: &mut Fields<'_, '_>,
    key: &'static str,
    code: &'static Code,
    law: &'static str,
) -> Option<Vec<String>> {
    let texts: Vec<String> = t.texts(r, key).into_iter().map(|t| t.value).filter(|t| filled(t)).collect();
    if texts.is_empty() {
        r.find(Finding::new(code, format!("`{key}` names none")).at(t.span.clone()).law(law));
        return None;
    }
    Some(texts)
}

fn processing(r: &mut Reader<'_>, root: &mut Fields<'_, '_>) -> Option<Processing> {
    let Some(mut t) = root.maybe_table(r, "processing") else {
        for code in [&SUBJECT, &DURATION, &NATURE, &PURPOSE, &DATA, &PERSONS, &SAFEGUARDS] {
            r.find(Finding::new(code, "there is no [processing]").law(ART_28));
        }
        return None;
    };
    let subject_matter = demanded(r, &mut t, "subject_matter", &SUBJECT, ART_28);
    let duration = demanded(r, &mut t, "duration", &DURATION, ART_28);
    let nature = demanded(r, &mut t, "nature", &NATURE, ART_28);
    let purpose = demanded(r, &mut t, "purpose", &PURPOSE, ART_28);
    let data = demanded_list(r, &mut t, "data", &DATA, ART_28);
    let persons = demanded_list(r, &mut t, "persons", &PERSONS, ART_28);
    let safeguards =
        demanded_list(r, &mut t, "safeguards", &SAFEGUARDS, "GDPR Art. 9; Decision (EU) 2021/915, annex II");
    t.end(r);
    Some(Processing {
        subject_matter: subject_matter?,
        duration: duration?,
        nature: nature?,
        purpose: purpose?,
        data: data?,
        persons: persons?,
        safeguards: safeguards?,
    })
}

fn party(
    r: &mut Reader<'_>,
    root: &mut Fields<'_, '_>,
    side: &'static str,
    code: &'static Code,
) -> Option<Party> {
    let Some(mut t) = root.maybe_table(r, side) else {
        r.find(Finding::new(code, format!("there is no [{side}]")).law(ART_28));
        return None;
    };
    let name = demanded(r, &mut t, "name", code, ART_28);
    let address = demanded(r, &mut t, "address", code, ART_28);
    let registration = demanded(r, &mut t, "registration", code, ART_28);
    let representative = demanded(r, &mut t, "representative", code, ART_28);
    let dpo = t.maybe_text(r, "dpo").map(|dpo| dpo.value);
    t.end(r);
    Some(Party {
        name: name?,
        address: address?,
        registration: registration?,
        representative: representative?,
        dpo,
    })
}

fn sub_processor(r: &mut Reader<'_>, mut t: Fields<'_, '_>) -> Option<SubProcessor> {
    let name = t.text(r, "name");
    let tasks = t.text(r, "tasks");
    let authorised = date(r, &mut t, "authorised");
    let flow_down = t.text(r, "flow_down");
    let until = date(r, &mut t, "until");
    for text in [&name, &tasks, &flow_down].into_iter().flatten().filter(|text| !filled(&text.value)) {
        r.find(Finding::new(&WRONG_VALUE, "a sub-processor is not filled in").at(text.span.clone()));
    }
    let span = t.span.clone();
    t.end(r);
    Some(SubProcessor {
        name: name?.value,
        tasks: tasks?.value,
        authorised: authorised?,
        flow_down: flow_down?.value,
        until: until?,
        span,
    })
}

fn site(r: &mut Reader<'_>, mut t: Fields<'_, '_>) -> Option<Site> {
    let name = t.text(r, "name");
    let location = t.text(r, "location");
    let country = t.text(r, "country");
    if let Some(wrong) =
        country.as_ref().filter(|c| c.value.len() != 2 || !c.value.bytes().all(|b| b.is_ascii_uppercase()))
    {
        let finding = Finding::new(&WRONG_VALUE, "`country` wants two capital letters, like FR");
        r.find(finding.at(wrong.span.clone()));
    }
    let premises = t.flag(r, "controller_premises");
    let hds = t.maybe_table(r, "hds");
    let held = match (premises, hds) {
        (true, Some(hds)) => {
            let finding =
                Finding::new(&WRONG_VALUE, "a site is the controller's own premises or a certified host's");
            r.find(finding.at(hds.span.clone()));
            None
        }
        (true, None) => Some(Held::ControllerPremises),
        (false, Some(hds)) => certificate(r, hds),
        (false, None) => Some(Held::Nothing),
    };
    let span = t.span.clone();
    t.end(r);
    Some(Site { name: name?.value, location: location?.value, country: country?.value, held: held?, span })
}

fn certificate(r: &mut Reader<'_>, mut t: Fields<'_, '_>) -> Option<Held> {
    let holder = t.text(r, "holder");
    let certificate = t.text(r, "certificate");
    let mut activities = Vec::new();
    let listed = t.list(r, "activities");
    let none = listed.is_empty();
    for value in listed {
        match value.get_ref().as_integer().and_then(|n| n.as_str().parse::<u64>().ok()) {
            Some(activity @ 1..=6) => activities.push(activity),
            _ => {
                let finding = Finding::new(&WRONG_VALUE, "`activities` are whole numbers from 1 to 6");
                r.find(finding.at(value.span()).law("CSP Art. R.1111-9"));
            }
        }
    }
    if none {
        let finding = Finding::new(&MISSING_KEY, "`activities` names none of the six covered activities");
        r.find(finding.at(t.span.clone()).law("CSP Art. R.1111-9"));
    }
    let expires = date(r, &mut t, "expires");
    t.end(r);
    Some(Held::Hds { holder: holder?.value, certificate: certificate?.value, activities, expires: expires? })
}

fn key(r: &mut Reader<'_>, mut t: Fields<'_, '_>) -> Option<Key> {
    let role = t.text(r, "role").and_then(|role| {
        let known = Role::from_name(&role.value);
        if known.is_none() {
            let names: Vec<&str> = Role::ALL.into_iter().map(Role::name).collect();
            let finding =
                Finding::new(&WRONG_VALUE, format!("`{}` is no role", role.value)).at(role.span.clone());
            let help = crate::nearest::suggestion(&role.value, names.iter().copied()).unwrap_or_default();
            r.find(finding.help(help));
        }
        known
    });
    let person = t.text(r, "person");
    let email = t.text(r, "email");
    if let (Some(person), Some(email)) = (&person, &email) {
        for finding in person::natural(person, email) {
            r.find(finding);
        }
    }
    let on_paper = t.maybe_table(r, "signs_on_paper").and_then(|route| on_paper(r, route));
    let public = public(r, &mut t, role, on_paper.is_some());
    let paper = t.maybe_text(r, "paper").filter(|paper| filled(&paper.value));
    let entity = t.maybe_text(r, "entity");
    match (role, &entity) {
        (Some(Role::Recipient), None) => {
            let finding = Finding::new(&MISSING_KEY, "`entity` does not say for whom this person receives");
            r.find(
                finding
                    .at(t.span.clone())
                    .help("write the name of the processor or of a [[sub_processor]], as it stands there"),
            );
        }
        (Some(other), Some(entity)) if other != Role::Recipient => {
            let finding = Finding::new(&WRONG_VALUE, "only a recipient has an `entity`");
            r.find(finding.at(entity.span.clone()));
        }
        _ => {}
    }
    let signs = public.is_some() || on_paper.is_some();
    if paper.is_none() && signs && role.is_some_and(|role| role.side() == Side::Controller) {
        let finding = Finding::new(
            &MISSING_KEY,
            "`paper` does not say where the fingerprint stands in the paper contract",
        );
        r.find(
            finding
                .at(t.span.clone())
                .help("print the fingerprint (ssh-keygen -l -f KEY.pub) into the paper contract"),
        );
    }
    let until = date(r, &mut t, "until");
    let enrolment = t.table(r, "enrolment").and_then(|t| enrolment(r, t));
    let confidentiality = t.maybe_date(r, "confidentiality").map(|d| d.value);
    let training = t.maybe_date(r, "training").map(|d| d.value);
    let span = t.span.clone();
    t.end(r);
    Some(Key {
        role: role?,
        person: person?.value,
        email: email?.value.to_lowercase(),
        public,
        on_paper,
        paper: paper.map(|p| p.value),
        until: until?,
        enrolment: enrolment?,
        entity: entity.map(|entity| entity.value),
        confidentiality,
        training,
        span,
    })
}

/// `signs_on_paper = { checked_by = "…" }`.
fn on_paper(r: &mut Reader<'_>, mut t: Fields<'_, '_>) -> Option<OnPaper> {
    let checker = t.text(r, "checked_by");
    t.end(r);
    Some(OnPaper { checker: checker?.value.to_lowercase() })
}

fn public(
    r: &mut Reader<'_>,
    t: &mut Fields<'_, '_>,
    role: Option<Role>,
    on_paper: bool,
) -> Option<PublicKey> {
    let given = t.get("public");
    if let Some(given) = given.filter(|_| on_paper) {
        let finding = Finding::new(&WRONG_VALUE, "a [[key]] has `public` or `signs_on_paper`, not both");
        r.find(finding.at(given.span()).help("write a [[key]] of its own for each"));
    }
    if given.is_none() && (on_paper || role == Some(Role::ControllerAdministrator)) {
        return None;
    }
    let line: Spanned<String> = t.text(r, "public")?;
    match PublicKey::from_openssh(&line.value) {
        Ok(key) => Some(key),
        Err(refused) => {
            let finding = Finding::new(&super::KEY, format!("`public`: {refused}")).at(line.span);
            let help = if refused == Refused::NotAPublicKey {
                "copy the one line of the .pub file"
            } else {
                "ssh-keygen -t ed25519-sk (with a hardware key), or -t ed25519"
            };
            r.find(finding.help(help));
            None
        }
    }
}

fn enrolment(r: &mut Reader<'_>, mut t: Fields<'_, '_>) -> Option<Enrolment> {
    let how = t.text(r, "how");
    let by = t.text(r, "by");
    let on = date(r, &mut t, "on");
    t.end(r);
    let (how, by) = (how?, by?);
    for text in [&how, &by].into_iter().filter(|text| !filled(&text.value)) {
        r.find(
            Finding::new(&super::ENROLMENT, "the enrolment record is not filled in").at(text.span.clone()),
        );
    }
    Some(Enrolment { how: how.value, by: by.value, on: on? })
}

fn demands(r: &mut Reader<'_>, mut t: Fields<'_, '_>) -> Option<Demands> {
    let policy = t.text(r, "policy");
    if let Some(other) = policy.as_ref().filter(|policy| policy.value != "all of") {
        let finding = Finding::new(&POLICY, format!("`{}` is not \"all of\"", other.value));
        r.find(finding.at(other.span.clone()));
    }
    let rsa = t.flag(r, "rsa");
    let user_verification = t.flag(r, "user_verification");
    t.end(r);
    policy.map(|_| Demands { rsa, user_verification })
}

/// A day that must be there.
fn date(r: &mut Reader<'_>, t: &mut Fields<'_, '_>, key: &'static str) -> Option<Date> {
    if t.get(key).is_none() {
        r.find(Finding::new(&MISSING_KEY, format!("`{key}` is missing")).at(t.span.clone()));
        return None;
    }
    t.maybe_date(r, key).map(|date| date.value)
}
