//! What makes a well-formed contract stand: persons, keys, sites, dates.

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};

use super::{Held, SubProcessor, Terms};
use crate::document::Header;
use crate::fault::Code;
use crate::finding::Finding;
use crate::keys::{Key, day};
use crate::on_paper;
use crate::person::{Role, same_person_key};

/// A role that nobody holds.
pub static ROLES: Code = Code::refused("ECL-CTR-041", "a role that must be held is held by nobody");
/// A key or a person on both sides.
pub static BOTH_SIDES: Code = Code::refused("ECL-CTR-042", "a key or a person stands on both sides");
/// A key that cannot be accepted.
pub static KEY: Code = Code::refused("ECL-CTR-043", "a key of the contract is not acceptable");
/// An enrolment record that proves nothing.
pub static ENROLMENT: Code = Code::refused("ECL-CTR-044", "a key's enrolment record proves nothing");
/// An operator or recipient without a confidentiality commitment.
pub static NO_COMMITMENT: Code =
    Code::refused("ECL-CTR-045", "an operator or recipient has not committed to confidentiality");
/// A recipient of no party.
pub static ENTITY: Code =
    Code::refused("ECL-CTR-047", "a recipient receives for nobody whom the contract knows");
/// A key within 30 days of its last day.
pub static KEY_SOON: Code = Code::refused("ECL-CTR-046", "a key will soon not count any more");
/// A site without certificate.
pub static HDS: Code = Code::refused("ECL-CTR-050", "a site may not hold health data");
/// A site whose certificate has expired.
pub static HDS_EXPIRED: Code = Code::refused("ECL-CTR-051", "a site's HDS certificate has expired");
/// A site whose certificate expires within 90 days.
pub static HDS_SOON: Code = Code::refused("ECL-CTR-052", "a site's HDS certificate will soon expire");
/// A host outside the European Economic Area.
pub static NOT_EEA: Code = Code::refused("ECL-CTR-053", "a host of health data is outside the EEA");
/// A sub-processor outside the days of its authorisation.
pub static SUB_PROCESSOR: Code =
    Code::refused("ECL-CTR-054", "a sub-processor is not authorised on this day");

/// A sub-processor within 30 days of the last day of its authorisation.
static SUB_PROCESSOR_SOON: Code =
    Code::refused("ECL-CTR-055", "a sub-processor's authorisation will soon end");

/// The European Economic Area: the Union's 27, Iceland, Liechtenstein, Norway.
const EEA: [&str; 30] = [
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IS", "IT",
    "LI", "LT", "LU", "LV", "MT", "NL", "NO", "PL", "PT", "RO", "SE", "SI", "SK",
];

/// Everything that keeps a well-formed contract from standing at this moment, signatures apart.
pub(super) fn standing(header: &Header, terms: &Terms, now: Timestamp) -> Vec<Finding> {
    let mut findings: Vec<Finding> = header.objection(now).into_iter().collect();
    findings.extend(roles(terms));
    findings.extend(sides(terms));
    findings.extend(terms.keys.iter().flat_map(one_key));
    findings.extend(terms.keys.iter().filter_map(|key| of_no_party(terms, key)));
    findings.extend(on_paper::routes(&terms.keys));
    findings.extend(sites(terms, now));
    findings.extend(sub_processors(terms, now));
    findings
}

/// What will soon not be in order: certificates 90 days before their last day, keys
/// and sub-processors 30.
pub(super) fn warnings(terms: &Terms, now: Timestamp) -> Vec<Finding> {
    let today = day(now);
    let mut findings = Vec::new();
    for site in &terms.sites {
        if let Held::Hds { certificate, expires, .. } = &site.held
            && within(today, *expires, 90)
        {
            let message = format!("{}: certificate {certificate} expires on {expires}", site.name);
            findings.push(Finding::new(&HDS_SOON, message).at(site.span.clone()).law("CSP Art. L.1111-8"));
        }
    }
    for party in terms.sub_processors.iter().filter(|party| within(today, party.until, 30)) {
        let message = format!("{} is authorised until {}", party.name, party.until);
        findings.push(Finding::new(&SUB_PROCESSOR_SOON, message).at(party.span.clone()));
    }
    for key in &terms.keys {
        if within(today, key.until, 30) {
            let message =
                format!("the key of {} ({}) counts until {}", key.person, key.role.name(), key.until);
            findings.push(Finding::new(&KEY_SOON, message).at(key.span.clone()));
        }
    }
    findings
}

fn within(today: Date, last: Date, days: i64) -> bool {
    today <= last && today.saturating_add(days.days()) >= last
}

fn roles(terms: &Terms) -> Vec<Finding> {
    [Role::ControllerSignatory, Role::ProcessorSignatory, Role::Operator]
        .into_iter()
        .filter(|role| !terms.keys.iter().any(|key| key.role == *role))
        .map(|role| {
            Finding::new(&ROLES, format!("no [[key]] has the role {}", role.name()))
                .help("a contract has a signatory on each side and at least one operator")
        })
        .collect()
}

/// No key and no person on both sides, and no key for two persons.
fn sides(terms: &Terms) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (at, key) in terms.keys.iter().enumerate() {
        for other in terms.keys.iter().skip(at + 1) {
            let same_person =
                key.email == other.email || same_person_key(&key.person) == same_person_key(&other.person);
            let same_key = key.public.is_some() && key.public == other.public;
            let across = key.role.side() != other.role.side();
            let (one, two) = (side(key), side(other));
            let message = match (same_key, same_person) {
                (true, _) if across => format!("one key stands for {one} and for {two}"),
                (_, true) if across => format!("one person stands for {one} and for {two}"),
                (true, false) => {
                    format!("one key stands for two persons, {} and {}", key.person, other.person)
                }
                _ => continue,
            };
            findings.push(
                Finding::new(&BOTH_SIDES, message)
                    .at(other.span.clone())
                    .law("GDPR Art. 28(3): two parties")
                    .help("each side has its own persons, and each person an own key"),
            );
        }
    }
    findings
}

fn side(key: &Key) -> String {
    format!("the {} ({}, {})", key.role.side().name(), key.person, key.role.name())
}

fn one_key(key: &Key) -> Vec<Finding> {
    let mut findings = Vec::new();
    let who = format!("{} ({})", key.person, key.role.name());
    let enrolment = &key.enrolment;
    if same_person_key(&enrolment.by) == same_person_key(&key.person) {
        let message = format!("the key of {who} was checked by its own holder");
        findings.push(
            Finding::new(&ENROLMENT, message)
                .at(key.span.clone())
                .help("somebody else compares the fingerprint, and is named in `by`"),
        );
    }
    if key.until < enrolment.on {
        findings.push(
            Finding::new(&KEY, format!("the key of {who} ends before it was enrolled")).at(key.span.clone()),
        );
    }
    if key.until > enrolment.on.saturating_add(2.years()) {
        let message = format!("the key of {who} counts for more than two years");
        findings.push(
            Finding::new(&KEY, message)
                .at(key.span.clone())
                .help("write an `until` within two years of the enrolment; then enrol again"),
        );
    }
    if [Role::Operator, Role::Recipient].contains(&key.role) && key.confidentiality.is_none() {
        let message = format!("{} has no dated commitment", key.person);
        findings.push(
            Finding::new(&NO_COMMITMENT, message)
                .at(key.span.clone())
                .law("GDPR Art. 28(3)(b)")
                .help("write `confidentiality = ` the day on which it was signed"),
        );
    }
    findings
}

/// A recipient receives for the processor, or for a sub-processor that the controller authorised: nobody else
/// has a reason to hold the data (GDPR Art. 28(2)).
fn of_no_party(terms: &Terms, key: &Key) -> Option<Finding> {
    let entity = key.entity.as_ref()?;
    let is_known =
        *entity == terms.processor.name || terms.sub_processors.iter().any(|party| party.name == *entity);
    (!is_known).then(|| {
        let message = format!("{} would receive for {entity}", key.person);
        Finding::new(&ENTITY, message)
            .at(key.span.clone())
            .law("GDPR Art. 28(2)")
            .help("write the name of the processor or of a [[sub_processor]], as it stands there")
    })
}

fn sites(terms: &Terms, now: Timestamp) -> Vec<Finding> {
    let today = day(now);
    let mut findings = Vec::new();
    for site in &terms.sites {
        match &site.held {
            Held::ControllerPremises => continue,
            Held::Nothing if terms.hds_required => {
                let message = format!("{} is neither the controller's own premises nor certified", site.name);
                findings.push(
                    Finding::new(&HDS, message).at(site.span.clone()).law("CSP Art. L.1111-8").help(
                        "write the host's certificate under [site.hds], or `controller_premises = true`",
                    ),
                );
            }
            Held::Nothing => {}
            Held::Hds { certificate, expires, .. } if *expires < today => {
                let message = format!("{}: certificate {certificate} expired on {expires}", site.name);
                findings
                    .push(Finding::new(&HDS_EXPIRED, message).at(site.span.clone()).law("CSP Art. L.1111-8"));
            }
            Held::Hds { .. } => {}
        }
        if terms.hds_required && !EEA.contains(&site.country.as_str()) {
            let message = format!("{} is in {}", site.name, site.country);
            findings.push(
                Finding::new(&NOT_EEA, message)
                    .at(site.span.clone())
                    .law("HDS certification scheme, version 2 (order of 26 April 2024)"),
            );
        }
    }
    findings
}

/// Each sub-processor within the days for which the controller authorised it.
fn sub_processors(terms: &Terms, now: Timestamp) -> Vec<Finding> {
    let today = day(now);
    let outside = |party: &&SubProcessor| !(party.authorised..=party.until).contains(&today);
    let finding = |party: &SubProcessor| {
        let message = format!("{} is authorised from {} to {}", party.name, party.authorised, party.until);
        Finding::new(&SUB_PROCESSOR, message)
            .at(party.span.clone())
            .law("GDPR Art. 28(2)")
            .help("have the controller authorise it anew, or take it out: both are amendments")
    };
    terms.sub_processors.iter().filter(outside).map(finding).collect()
}
