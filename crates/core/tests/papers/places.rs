//! A finding's place can be drawn, and is found soon, whatever the paper holds.

use std::fmt::Write as _;

use ecluse_core::document::{self, Kind};
use ecluse_core::{codes, dictionary, instruction, mandate, mapping, session, status};

#[test]
fn a_text_that_ends_in_a_letter_of_two_bytes_has_whole_places() {
    for text in ["é", "a = \"é", "a = 'é", "a = \"\"\"é", "[é", "a = [é", "a = {é", "a = \"x\" é", "a.é"]
    {
        let refused = [
            document::header(text, Kind::Contract).err(),
            mandate::read(text).err(),
            session::read(text).err(),
            status::read(text).err(),
            codes::parse(text).err(),
            dictionary::parse(text).err(),
            mapping::parse(text).err(),
            instruction::parse(text).err(),
        ];
        for findings in refused {
            for finding in findings.expect("a broken paper is refused") {
                let span = finding.span.unwrap_or_default();
                assert!(text.get(span.clone()).is_some(), "{text}: {span:?}");
            }
        }
    }
}

/// Compared pair with pair, these would be five thousand million comparisons.
#[test]
fn a_hundred_thousand_codes_are_read_and_the_one_given_twice_is_told() {
    let mut text =
        "[codes]\nformat = \"ecluse-codes/1\"\ntitle = \"LOINC\"\nchanges_result = false\n".to_owned();
    for code in 0..100_000 {
        write!(text, "[[code]]\nfrom = \"{code}\"\nto = \"x\"\n").unwrap();
    }
    assert_eq!(codes::parse(&text).unwrap().pairs.len(), 100_000);
    text.push_str("[[code]]\nfrom = \"7\"\nto = \"y\"\n");
    let findings = codes::parse(&text).unwrap_err();
    assert!(matches!(findings.as_slice(), [one] if one.code == &codes::TWICE), "{findings:?}");
}
