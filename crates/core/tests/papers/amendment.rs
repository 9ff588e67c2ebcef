//! A contract's later versions: signed under the one before, back to the first.

use ecluse_core::contract::{Contract, Earlier};
use ecluse_core::digest;
use ecluse_core::finding::Finding;
use ecluse_core::signatures::SignatureFile;
use ecluse_testkit::papers::{Paper, Papers, Person};
use jiff::ToSpan;

use crate::support::{codes, now, papers};

fn signed(people: &[&Person], text: &str) -> Vec<SignatureFile> {
    let one = |person: &&Person| SignatureFile {
        name: format!("{}-{}.sig", person.short, person.seed[0]),
        armoured: person.key().sign("ecluse-contract-v1", text.as_bytes()).unwrap().into_bytes(),
        paper: None,
    };
    people.iter().map(one).collect()
}

fn version(papers: &Papers, people: &[&Person]) -> Earlier {
    let text = papers.text(Paper::Contract);
    Earlier { signatures: signed(people, &text), bytes: text.into_bytes() }
}

/// The same persons' contract, as the version `number` over these bytes.
fn next(before: &Earlier, number: u64) -> Papers {
    let mut papers = papers();
    let line = format!("version    = {number}\nsupersedes = \"{}\"", digest::of_bytes(&before.bytes));
    papers.edit(Paper::Contract, "version    = 1", &line);
    papers
}

fn read(new: &Earlier, earlier: &[Earlier]) -> Result<Contract, Vec<Finding>> {
    Contract::in_force_after(&new.bytes, &new.signatures, earlier, now())
}

fn both(papers: &Papers) -> [&Person; 2] {
    [&papers.signatory, &papers.processor]
}

#[test]
fn a_later_version_holds_beside_every_version_before_it() {
    let first = papers();
    let first = version(&first, &both(&first));
    let second = next(&first, 2);
    let second = version(&second, &both(&second));
    let third = next(&second, 3);
    let third = version(&third, &both(&third));
    assert_eq!(read(&second, std::slice::from_ref(&first)).unwrap().header().version, 2);
    assert_eq!(codes(read(&second, &[])), ["CTR-061"], "the version before is absent");
    assert_eq!(codes(read(&second, std::slice::from_ref(&third))), ["CTR-061"], "another is there");
    assert_eq!(codes(read(&third, &[first.clone(), second.clone()])), Vec::<&str>::new());
    assert_eq!(codes(read(&third, &[second])), ["CTR-061"], "the chain goes back to the first");
}

// Whoever writes an amendment could otherwise give the other side a key of their own making.
#[test]
fn a_key_exchanged_by_an_amendment_is_signed_for_by_the_one_before() {
    let old = papers();
    let first = version(&old, &both(&old));
    for side in ["controller", "processor"] {
        let mut new = next(&first, 2);
        let exchanged = if side == "controller" { &mut new.signatory } else { &mut new.processor };
        exchanged.seed = [77; 32];
        let before = if side == "controller" { &old.signatory } else { &old.processor };
        let [one, two] = both(&new);
        let forged = version(&new, &[one, two]);
        assert_eq!(
            codes(read(&forged, std::slice::from_ref(&first))),
            ["SGN-020"],
            "the {side}'s new key alone"
        );
        let amended = version(&new, &[one, two, before]);
        assert_eq!(codes(read(&amended, std::slice::from_ref(&first))), Vec::<&str>::new(), "{side}");
        let unsigned = version(&new, &[before]);
        assert!(
            codes(read(&unsigned, std::slice::from_ref(&first))).contains(&"SGN-020"),
            "{side}: the old key alone"
        );
    }
}

#[test]
fn a_version_before_that_was_not_signed_by_both_sides_is_no_ground() {
    let papers = papers();
    let first = version(&papers, &[&papers.processor]);
    let second = next(&first, 2);
    let second = version(&second, &both(&second));
    assert_eq!(codes(read(&second, &[first])), ["SGN-020"]);
}

#[test]
fn a_version_follows_the_one_before_in_number_date_and_trial() {
    let first = papers();
    let first = version(&first, &both(&first));
    let third = next(&first, 3);
    assert_eq!(
        codes(read(&version(&third, &both(&third)), std::slice::from_ref(&first))),
        ["CTR-061"],
        "two is left out"
    );

    let mut earlier = next(&first, 2);
    earlier.period(Paper::Contract, now() - (24 * 40).hours(), now() + 24.hours());
    let earlier = version(&earlier, &both(&earlier));
    assert_eq!(codes(read(&earlier, std::slice::from_ref(&first))), ["CTR-061"], "issued before it");

    let mut trial = next(&first, 2);
    trial.trial = true;
    let trial = version(&trial, &both(&trial));
    assert_eq!(codes(read(&trial, &[first])), ["CTR-061"], "a trial's");
}

// Contracts outlast keys: what was rightly signed on its day stays signed.
#[test]
fn a_key_of_the_version_before_counts_as_of_the_day_of_the_amendment() {
    let mut old = papers();
    old.edit(Paper::Contract, "until  = 2028-10-23", "until  = 2026-11-20");
    let first = version(&old, &both(&old));
    let at = |day: i64| {
        let mut new = next(&first, 2);
        new.period(Paper::Contract, now() - (24 * day).hours(), now() + 24.hours());
        // the enrolment's day and the last one move with the period
        for (from, to) in
            [("until  = 2028-11-1", "until  = 2028-10-1"), ("until  = 2028-11-2", "until  = 2028-10-2")]
        {
            if new.text(Paper::Contract).contains(from) {
                new.edit(Paper::Contract, from, to);
            }
        }
        version(&new, &both(&new))
    };
    assert_eq!(codes(read(&at(5), std::slice::from_ref(&first))), Vec::<&str>::new(), "issued on the 17th");
    let late = codes(read(&at(1), &[first]));
    assert!(
        !late.is_empty() && late.iter().all(|code| ["SGN-028", "SGN-020"].contains(code)),
        "on the 21st: {late:?}"
    );
}
