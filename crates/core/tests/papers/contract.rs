//! The contract: complete or refused, each fault by its own name.

use ecluse_core::contract::{self, Contract};
use ecluse_core::template;
use ecluse_testkit::papers::{Paper, Papers};
use jiff::{SignedDuration, Timestamp, ToSpan};

use crate::support::{codes, contract as in_force, contract_at, ids, now, papers};

/// The codes that a changed contract gets, validly signed after the change.
fn edited(from: &str, to: &str) -> Vec<&'static str> {
    let mut papers = papers();
    papers.edit(Paper::Contract, from, to);
    codes(in_force(&papers))
}

/// The contract without the lines from the first that begins with `from` to the next empty one.
fn without_section(text: &str, section: &str) -> String {
    let mut out = String::new();
    let mut dropping = false;
    for line in text.lines() {
        dropping = if dropping { !line.is_empty() } else { line.starts_with(section) };
        if !dropping {
            out.push_str(line);
            out.push('\n');
        }
    }
    assert_ne!(out.len(), text.len(), "{section} stands in the contract");
    out
}

fn without_line(text: &str, key: &str) -> String {
    let line = |line: &&str| !line.starts_with(key);
    let out: Vec<&str> = text.lines().filter(line).collect();
    assert_eq!(out.len(), text.lines().count() - 1, "one line begins with {key}");
    out.join("\n")
}

#[test]
fn a_complete_contract_signed_by_both_sides_is_in_force() {
    let papers = papers();
    let contract = in_force(&papers).unwrap();
    assert_eq!(contract.digest(), papers.digest(Paper::Contract));
    assert_eq!(contract.terms().clauses.len(), 8);
    let signers: Vec<&str> = contract.signers().iter().map(|s| s.person.as_str()).collect();
    assert_eq!(signers, ["Claire Fontaine", "Paul Serrano"]);
}

// Everything that opens a processing operation (survey, instruction, session) asks for a
// `Contract`, which only `in_force` makes: each field dropped means there is none.
// proves: CTR-01
#[test]
fn each_mandatory_field_that_is_dropped_is_named_by_its_own_code_and_blocks() {
    let whole = papers().text(Paper::Contract);
    for (field, code) in [
        ("subject_matter", "CTR-012"),
        ("duration", "CTR-013"),
        ("nature", "CTR-014"),
        ("purpose", "CTR-015"),
        ("data ", "CTR-016"),
        ("persons", "CTR-017"),
        ("safeguards", "CTR-018"),
    ] {
        let text = without_line(&whole, field);
        assert_eq!(ids(&contract::check(&text, now())), [code], "{field} dropped");
        let emptied = whole.replace(&line_of(&whole, field), &format!("{field} = \"…\"\n"));
        let emptied = ids(&contract::check(&emptied, now()));
        assert!(emptied.contains(&code), "{field} left at the template's …: {emptied:?}");
    }
    for (section, code) in [("[controller]", "CTR-010"), ("[processor]", "CTR-011"), ("[[site]]", "CTR-019")]
    {
        let text = without_section(&whole, section);
        assert_eq!(ids(&contract::check(&text, now())), [code], "{section} dropped");
    }
    for field in ["name", "address", "registration", "representative"] {
        let (before, after) = whole.split_once("[processor]").unwrap();
        let (section, rest) = after.split_once("\n\n").unwrap();
        let text = format!("{before}[processor]{}\n\n{rest}", without_line(section, field));
        assert_eq!(ids(&contract::check(&text, now())), ["CTR-011"], "the processor's {field} dropped");
    }
}

fn line_of(text: &str, key: &str) -> String {
    format!("{}\n", text.lines().find(|line| line.starts_with(key)).unwrap())
}

// proves: CTR-02
#[test]
fn each_missing_letter_is_named_and_blocks() {
    let whole = papers().text(Paper::Contract);
    for (at, letter) in ["a", "b", "c", "d", "e", "f", "g", "h"].into_iter().enumerate() {
        let findings = contract::check(&without_section(&whole, &format!("[clauses.{letter}]")), now());
        let code = format!("ECL-CTR-02{}", at + 1);
        assert_eq!(findings.len(), 1, "({letter})");
        assert_eq!(findings[0].code.id, code);
        assert!(findings[0].message.starts_with(&format!("({letter}) ")), "{}", findings[0].message);
        assert_eq!(findings[0].law, Some(format!("GDPR Art. 28(3)({letter})").as_str()));
    }
    let findings =
        contract::check(&without_section(&whole, "[clauses.a]").replace("[clauses.", "[other."), now());
    assert_eq!(ids(&findings)[..3], ["CTR-002", "CTR-021", "CTR-022"], "no clauses at all: every letter");
}

// The words that CNIL's case had instead of a contract: terms of sale and a maintenance contract.
// proves: CTR-02
#[test]
fn sales_terms_and_a_maintenance_contract_are_no_contract() {
    let head = head();
    let text = format!(
        "{}{}",
        template::header(ecluse_core::document::Kind::Contract, &head),
        include_str!("sales-terms.toml")
    );
    let found: String = contract::check(&text, now())
        .iter()
        .map(|finding| format!("{} {}\n", finding.code.id, finding.message))
        .collect();
    assert_eq!(found, include_str!("sales-terms.findings"));
}

fn head() -> template::Head {
    template::Head {
        id: *b"sixteen!_letters",
        version: 1,
        supersedes: None,
        contract: None,
        issued: now(),
        not_before: now(),
        not_after: now() + SignedDuration::from_hours(24 * 300),
        seen: None,
        trial: false,
    }
}

#[test]
fn the_template_is_read_whole_and_refused_field_by_field() {
    let findings = contract::check(&template::contract(&head()), now());
    let found = ids(&findings);
    for code in ["CTR-010", "CTR-011", "CTR-012", "CTR-018", "CTR-021", "CTR-028", "CTR-040", "CTR-043"] {
        assert!(found.contains(&code), "{code} among {found:?}");
    }
    for code in ["CTR-001", "CTR-002", "SGN-012", "SGN-013", "SGN-002"] {
        assert!(!found.contains(&code), "the template has a wrong form: {code}");
    }
}

#[test]
fn one_text_for_two_clauses_is_refused() {
    let text = papers().text(Paper::Contract);
    let words = |letter: &str| {
        let (_, after) = text.split_once(&format!("[clauses.{letter}]")).unwrap();
        after.lines().find(|line| line.starts_with("words")).unwrap().to_owned()
    };
    // (f)'s words speak of security too, so that only their doubling is wrong
    let text = text.replace(&words("c"), &words("f"));
    assert_eq!(ids(&contract::check(&text, now())), ["CTR-029"]);
}

// proves: CTR-10
#[test]
fn a_key_or_a_person_on_both_sides_is_refused() {
    let mut shared_key = papers();
    shared_key.processor.seed = shared_key.signatory.seed;
    assert!(codes(in_force(&shared_key)).contains(&"CTR-042"));

    for name in ["Claire Fontaine", "Dr FONTAINE Claire", "claire fontaine"] {
        let mut shared_person = papers();
        shared_person.operator.name = name;
        assert!(codes(in_force(&shared_person)).contains(&"CTR-042"), "{name}");
    }
    let mut shared_address = papers();
    shared_address.operator.email = shared_address.biologist.email;
    assert!(codes(in_force(&shared_address)).contains(&"CTR-042"));

    let mut one_key_two_persons = papers();
    one_key_two_persons.biologist.seed = one_key_two_persons.signatory.seed;
    assert!(codes(in_force(&one_key_two_persons)).contains(&"CTR-042"));
}

// proves: CTR-10
#[test]
fn without_a_fingerprint_from_outside_the_controller_is_not_established() {
    let papers = papers();
    let contract = in_force(&papers).unwrap();
    let signatory = papers.signatory.key().public().unwrap().fingerprint();
    let stranger = papers.operator.key().public().unwrap().fingerprint();
    for given in [vec![], vec![stranger.clone()]] {
        let fault = contract.established(&given).unwrap_err();
        assert_eq!(fault.code().title, "the controller is not established");
        assert_eq!(fault.code().exit.status(), 1);
        assert!(fault.detail().contains("Claire Fontaine"));
    }
    assert_eq!(contract.established(&[stranger, signatory]), Ok(()));
}

#[test]
fn a_key_needs_a_role_a_person_and_an_enrolment_by_somebody_else() {
    assert_eq!(
        edited("by  = \"Marc Vernier\"", "by  = \"Nadia Petit\""),
        ["CTR-044"],
        "checked by its own holder"
    );
    assert_eq!(
        edited("how = \"empreinte relue au téléphone, au numéro publié\"", "how = \"…\""),
        ["CTR-044"; 4]
    );
    assert_eq!(
        edited("paper  = \"annexe 3, page 14\"", ""),
        ["CTR-003", "CTR-003"],
        "no place in the paper contract"
    );
    assert!(edited("role   = \"operator\"", "role   = \"opérator\"").contains(&"CTR-004"));
    assert!(edited("Nadia Petit", "Service Migration").contains(&"CTR-040"));
    assert!(edited("nadia.petit@", "info@").contains(&"CTR-040"));
}

#[test]
fn a_key_counts_for_two_years_at_most() {
    let until = "until  = 2028-10-23";
    assert!(papers().text(Paper::Contract).contains(until), "two years after the enrolment");
    assert_eq!(edited(until, "until  = 2028-10-24"), ["CTR-043"; 4]);
    assert_eq!(edited(until, "until  = 2026-10-01")[..4], ["CTR-043"; 4], "before its enrolment");
}

#[test]
fn no_operator_or_no_signatory_is_refused() {
    let text = papers().text(Paper::Contract);
    for role in ["operator", "processor-signatory", "controller-signatory"] {
        let text = without_section(
            &text.replace("\n[key.enrolment]", "[key.enrolment]").replace("[[key]]\nrole   = ", "[[key]] #"),
            &format!("[[key]] #\"{role}\""),
        )
        .replace("[[key]] #", "[[key]]\nrole   = ")
        .replace("[key.enrolment]", "\n[key.enrolment]");
        assert_eq!(ids(&contract::check(&text, now())), ["CTR-041"], "{role}");
    }
}

// The journal of a run can only be opened through a session, and a session only under a contract.
// proves: CTR-05
#[test]
fn an_operator_has_no_right_before_a_dated_commitment_to_confidentiality() {
    let dated = "confidentiality = 2026-10-23";
    assert_eq!(edited(dated, ""), ["CTR-045"], "no date: the contract itself is refused");

    let mut later = papers();
    later.edit(Paper::Contract, dated, "confidentiality = 2026-11-23");
    let contract = in_force(&later).unwrap();
    let session = |now: Timestamp| {
        let text = later.text(Paper::Session);
        ecluse_core::session::Session::in_force(
            text.as_bytes(),
            &later.signatures(Paper::Session),
            &contract,
            now,
        )
    };
    assert_eq!(codes(session(now())), ["SES-012"], "the day before the commitment");
    later.period(Paper::Session, now() + 20.hours(), now() + 30.hours());
    let session = ecluse_core::session::Session::in_force(
        later.text(Paper::Session).as_bytes(),
        &later.signatures(Paper::Session),
        &contract,
        now() + 24.hours(),
    );
    assert_eq!(codes(session), Vec::<&str>::new(), "the day of the commitment");
}

fn certified_until(day: &str) -> Papers {
    let mut papers = papers();
    papers.edit(Paper::Contract, "expires = 2999-12-31", &format!("expires = {day}"));
    papers
}

// A contract that is not in force opens nothing: no run starts, nothing is deposited.
// proves: CTR-08
#[test]
fn an_hds_certificate_is_warned_of_90_days_before_its_end_and_blocks_the_day_after() {
    let papers = certified_until("2027-03-31");
    let at = |day: &str| -> Timestamp { format!("{day}T12:00:00Z").parse().unwrap() };
    let warned = |day| ids(&contract_at(&papers, at(day)).unwrap().warnings(at(day)));
    assert_eq!(warned("2026-12-30"), Vec::<&str>::new(), "91 days before");
    assert_eq!(warned("2026-12-31"), ["CTR-052"], "90 days before");
    assert_eq!(warned("2027-03-31"), ["CTR-052"], "the last day");
    assert_eq!(codes(contract_at(&papers, at("2027-04-01"))), ["CTR-051"], "the day after");
}

// proves: CTR-08
#[test]
fn a_site_needs_a_certificate_where_health_data_are_hosted() {
    let certificate = r#"hds      = { holder = "Hébergeur Exemple SAS", certificate = "HDS-2024-0099", activities = [1, 2, 3, 4, 5, 6], expires = 2999-12-31 }"#;
    assert_eq!(edited(certificate, ""), ["CTR-050"]);
    assert_eq!(edited("controller_premises = true", ""), ["CTR-050"]);
    assert_eq!(edited(certificate, &certificate.replace("[1, 2, 3, 4, 5, 6]", "[7]"))[0], "CTR-004");
    assert_eq!(edited(certificate, &certificate.replace("[1, 2, 3, 4, 5, 6]", "[]")), ["CTR-003"]);
    assert_eq!(edited("country  = \"FR\"\nhds", "country  = \"US\"\nhds"), ["CTR-053"], "outside the EEA");

    let mut not_required = papers();
    not_required.edit(Paper::Contract, "hds_required = true", "hds_required = false");
    not_required.edit(Paper::Contract, certificate, "");
    assert!(in_force(&not_required).is_ok());
}

const SITE: &str = "[[site]]\nname     = \"Hébergeur des sauvegardes\"";

fn with_sub_processor(authorised: &str, until: &str) -> Papers {
    let mut papers = papers();
    let entry = format!(
        "[[sub_processor]]\nname = \"Transcodage SARL\"\ntasks = \"relecture des codes\"\n\
         authorised = {authorised}\nflow_down = \"article 6\"\nuntil = {until}\n\n{SITE}"
    );
    papers.edit(Paper::Contract, SITE, &entry);
    papers
}

#[test]
fn a_sub_processor_outside_the_days_of_its_authorisation_is_refused() {
    let codes_of = |authorised, until| codes(in_force(&with_sub_processor(authorised, until)));
    assert_eq!(codes_of("2026-11-22", "2026-11-22"), Vec::<&str>::new(), "authorised for this day alone");
    assert_eq!(codes_of("2026-01-01", "2026-11-21"), ["CTR-054"], "ended yesterday");
    assert_eq!(codes_of("2026-11-23", "2027-11-21"), ["CTR-054"], "begins tomorrow");
    let soon = |until| ids(&in_force(&with_sub_processor("2026-01-01", until)).unwrap().warnings(now()));
    assert_eq!(soon("2026-12-22"), ["CTR-055"], "30 days before");
    assert_eq!(soon("2026-12-23"), Vec::<&str>::new());
    let mut empty = with_sub_processor("2026-01-01", "2027-01-01");
    empty.edit(Paper::Contract, "relecture des codes", "…");
    assert_eq!(codes(in_force(&empty)), ["CTR-004"]);
}

#[test]
fn another_text_under_the_contracts_name_is_found() {
    let signed = b"Contrat de sous-traitance";
    let mut papers = papers();
    let text = papers.text(Paper::Contract);
    let line = text.lines().find(|line| line.starts_with("text_digest")).unwrap();
    let digest = ecluse_core::digest::of_bytes(signed);
    papers.edit(Paper::Contract, line, &format!("text_digest = \"{digest}\""));
    let contract = in_force(&papers).unwrap();
    assert_eq!(contract.terms().text_is(signed), Ok(()));
    let fault = contract.terms().text_is(b"Contrat de sous-traitance.").unwrap_err();
    assert_eq!(fault.code().id, "ECL-CTR-062");
    let name = contract.terms().text.clone();
    papers.edit(Paper::Contract, &name, &format!("../{name}"));
    assert_eq!(codes(in_force(&papers)), ["CTR-004"], "a file elsewhere");
}

#[test]
fn a_contract_out_of_its_dates_unknown_or_undated_is_refused() {
    let mut expired = papers();
    expired.expire(Paper::Contract);
    assert_eq!(codes(in_force(&expired)), ["SGN-007"]);
    let mut early = papers();
    early.period(Paper::Contract, now() + 1.hour(), now() + 2.hours());
    let early = codes(in_force(&early));
    assert_eq!(early, ["SGN-010"], "issued in the future");
    assert_eq!(
        edited("ecluse-contract/1", "ecluse-contract/2"),
        ["SGN-001"],
        "an unknown format is said alone"
    );
    assert_eq!(edited("policy            = \"all of\"", "policy            = \"any of\""), ["CTR-032"]);
    assert_eq!(edited("reference    =", "refrence    ="), ["CTR-003", "CTR-002"]);
}

#[test]
fn what_is_not_toml_or_not_utf8_is_refused() {
    let in_force = |bytes: &[u8]| codes(Contract::in_force(bytes, &[], now()));
    assert_eq!(in_force(b"[document\n"), ["SGN-011"]);
    assert_eq!(in_force(b"[document]\nid = \"\xff\"\n"), ["SGN-011"]);
    assert!(!in_force(b"").is_empty());
}

#[test]
fn faults_of_keys_and_sites_point_at_their_line() {
    let mut papers = papers();
    papers.edit(Paper::Contract, "confidentiality = 2026-10-23", "");
    let text = papers.text(Paper::Contract);
    let findings = contract::check(&text, now());
    let span = findings[0].span.clone().unwrap();
    assert_eq!(text.get(span), Some("[[key]]"));
}

// A reader that panics on a broken document would stop a run that only needed another paper.
#[test]
fn a_contract_cut_anywhere_is_refused_and_never_panics() {
    let text = papers().text(Paper::Contract);
    for (at, _) in text.trim_end().char_indices() {
        assert!(!contract::check(text.get(..at).unwrap(), now()).is_empty(), "cut at byte {at}");
    }
}

// A check that refuses the law's own words would only teach people to write around it.
#[test]
fn the_laws_own_words_pass_in_english_and_french() {
    let law: Vec<&str> = include_str!("law.txt").lines().collect();
    for words in law.chunks(8) {
        let mut text = papers().text(Paper::Contract);
        for (letter, words) in ["a", "b", "c", "d", "e", "f", "g", "h"].into_iter().zip(words) {
            let (before, after) = text.split_once(&format!("[clauses.{letter}]\n")).unwrap();
            let (section, rest) = after.split_once("\n\n").unwrap();
            let place = section.lines().next().unwrap();
            text = format!("{before}[clauses.{letter}]\n{place}\nwords = \"{words}\"\n\n{rest}");
        }
        assert_eq!(contract::check(&text, now()), []);
    }
}

#[test]
fn an_auditor_verifies_every_signature_with_openssh_alone() {
    use std::process::{Command, Stdio};
    if Command::new("ssh-keygen").arg("-?").stderr(Stdio::null()).status().is_err() {
        ecluse_testkit::not_checked("no ssh-keygen on this machine");
        return;
    }
    let papers = papers();
    let folder = tempfile::tempdir().unwrap();
    papers.write(folder.path());
    let allowed = folder.path().join("allowed_signers");
    std::fs::write(&allowed, in_force(&papers).unwrap().allowed_signers()).unwrap();
    let verify = |paper: Paper, person: &ecluse_testkit::papers::Person, namespace: &str| {
        let document = folder.path().join(paper.file());
        let signature =
            ecluse_testkit::papers::signatures_of(&document).join(format!("{}.sig", person.short));
        Command::new("ssh-keygen")
            .args([
                "-Y",
                "verify",
                "-O",
                "verify-time=20261122090000Z",
                "-n",
                namespace,
                "-I",
                person.email,
                "-f",
            ])
            .arg(&allowed)
            .arg("-s")
            .arg(signature)
            .stdin(std::fs::File::open(&document).unwrap())
            .output()
            .unwrap()
            .status
            .success()
    };
    for paper in Paper::ALL {
        for person in papers.signers(paper) {
            assert!(verify(paper, person, paper.kind().namespace()), "{paper:?} by {}", person.name);
            let other = if paper == Paper::Contract { "ecluse-session-v1" } else { "ecluse-contract-v1" };
            assert!(!verify(paper, person, other), "{paper:?}: another namespace");
        }
    }
}
