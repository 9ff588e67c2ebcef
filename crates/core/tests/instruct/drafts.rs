//! Drafts: every column listed, every one denied.

use ecluse_core::document::{self, Kind};
use ecluse_core::instruction::{self, Drafting, Side};
use ecluse_core::template::Head;
use ecluse_core::types::Engine;
use ecluse_core::{dictionary, mapping};

use crate::{dump, laboratory};

pub(crate) fn head() -> Head {
    Head {
        id: *b"\x7b\x1d\x0c\x9a\x4e\x6f\x25\x83\x8d\x90\xab\x1c\x2e\x3f\x4a\x5b",
        version: 1,
        supersedes: None,
        contract: Some(format!("sha256:{}", "1".repeat(64))),
        issued: "2026-11-20T09:00:00Z".parse().unwrap(),
        not_before: "2026-11-20T09:00:00Z".parse().unwrap(),
        not_after: "2027-01-31T00:00:00Z".parse().unwrap(),
        seen: None,
        trial: false,
    }
}

fn destination() -> Side {
    Side {
        engine: Engine::Postgresql,
        database: "kalys".to_owned(),
        identity: "7301/16384".to_owned(),
        tls_spki: None,
    }
}

fn draft(tables: &[String]) -> String {
    let mapping = mapping::parse(&laboratory::mapping()).unwrap();
    instruction::draft(&Drafting {
        head: &head(),
        dictionary: &laboratory::dictionary(),
        mapping: Some(&mapping),
        tables,
        destination: Some(&destination()),
        source_tls_spki: None,
    })
}

/// A draft with its blanks filled in.
fn filled(text: &str) -> String {
    let text = text.replace("purpose        = \"…\"", "purpose = \"x\"");
    let mapping = mapping::parse(&laboratory::mapping()).unwrap();
    instruction::fill(&text, &laboratory::dictionary(), Some(&mapping)).unwrap()
}

// proves: INS-02
#[test]
fn a_draft_grants_nothing() {
    let text = draft(&[]);
    document::header(&text, Kind::Instruction).unwrap();
    let order = instruction::parse(&filled(&text)).unwrap();
    assert_eq!(order.tables, []);
    // and lists every column that can be granted, commented out
    for table in laboratory::dictionary().tables {
        for column in &table.columns {
            let name = &column.name.value;
            let line = text
                .lines()
                .find(|l| l.contains(&format!("\"{name}\"")) || l.contains(&format!("{name}: credential")));
            assert!(line.is_some_and(|l| l.starts_with('#')), "{}.{name}", table.name.value);
        }
    }
    assert!(text.contains("#   password: credential; never moves"));
}

// proves: INS-02
#[test]
fn a_chosen_table_still_grants_no_column() {
    let text = draft(&["patient".to_owned()]);
    let order = instruction::parse(&filled(&text)).unwrap();
    assert_eq!(order.tables.len(), 1);
    assert_eq!(order.tables[0].columns, []);
    let codes: Vec<&str> =
        instruction::check(&order, &laboratory::dictionary()).iter().map(|f| f.code.id).collect();
    assert_eq!(codes, ["ECL-INS-010"]);
}

/// A database's own names steer no screen that the draft is read on, and its header and comments are read again.
#[test]
fn a_name_that_steers_a_screen_is_drafted_by_its_number() {
    let mut catalog = laboratory::catalog();
    let (table, column) = ("vi\u{202e}site", "no\u{202e}m\u{9b}31m");
    catalog.tables[0].columns[0].name = column.to_owned();
    let mut named = catalog.tables[0].clone();
    named.name = table.to_owned();
    catalog.tables.push(named);
    let text = dictionary::draft(&catalog, jiff::Timestamp::UNIX_EPOCH, "sha256:00");
    let dictionary = dictionary::parse(&text).unwrap();
    assert!(dictionary.tables.iter().any(|t| t.name.value == table && t.columns[0].name.value == column));
    let text = instruction::draft(&Drafting {
        head: &head(),
        dictionary: &dictionary,
        mapping: None,
        tables: &[catalog.tables[0].name.clone()],
        destination: Some(&destination()),
        source_tls_spki: None,
    });
    assert!(!text.contains(['\u{202e}', '\u{9b}']) && text.contains("\\u202E"), "{text}");
    let text = text.replace("purpose        = \"…\"", "purpose = \"x\"");
    let findings = instruction::parse(&text).err().unwrap_or_default();
    assert!(!findings.iter().any(|finding| finding.message.contains("steers")), "{findings:#?}");
}

#[test]
fn taking_the_marks_away_grants_line_by_line() {
    let text = draft(&["patient".to_owned()]);
    let granted = text.replacen("#   \"nom\",", "    \"nom\",", 1);
    let order = instruction::parse(&filled(&granted)).unwrap();
    let names: Vec<&str> = order.tables[0].columns.iter().map(|c| c.name.value.as_str()).collect();
    assert_eq!(names, ["nom"]);
    assert_eq!(instruction::check(&order, &laboratory::dictionary()), []);
}

#[test]
fn every_line_of_a_draft_is_toml_once_its_mark_is_gone() {
    let text = draft(&[]);
    let body: String = text
        .lines()
        .skip_while(|l| !l.starts_with("[pending]"))
        .filter(|l| !l.contains("never moves"))
        .map(|l| format!("{}\n", l.strip_prefix("# ").or(l.strip_prefix("#")).unwrap_or(l)))
        .collect();
    let before: String =
        text.lines().take_while(|l| !l.starts_with("[pending]")).map(|l| format!("{l}\n")).collect();
    let order = instruction::parse(&filled(&format!("{before}{body}"))).unwrap_or_else(|f| panic!("{f:#?}"));
    assert_eq!(order.tables.len(), laboratory::dictionary().tables.len());
}

#[test]
fn the_mappings_columns_are_marked() {
    let text = draft(&[]);
    let line = |name: &str| text.lines().find(|l| l.contains(name)).unwrap().to_owned();
    assert!(line("\"ddn\"").contains("the mapping uses it"));
    assert!(!line("\"adresse\"").contains("the mapping uses it"));
}

#[test]
fn a_mapping_drafted_from_an_instruction_uses_all_it_grants() {
    let text = laboratory::instruction("version", "version", &laboratory::mapping());
    let order = instruction::parse(&text).unwrap();
    let drafted = mapping::draft(&order);
    let mapping = mapping::parse(&drafted).unwrap();
    let filled = instruction::fill(&text, &laboratory::dictionary(), Some(&mapping)).unwrap();
    assert_eq!(mapping::against(&mapping, &instruction::parse(&filled).unwrap()), []);
}

#[test]
fn filling_changes_three_digests_and_nothing_else() {
    let text = draft(&["patient".to_owned()]);
    let filled = filled(&text);
    let differ: Vec<(&str, &str)> = text.lines().zip(filled.lines()).filter(|(a, b)| a != b).collect();
    let keys: Vec<&str> = differ.iter().map(|(_, b)| b.split('=').next().unwrap().trim()).collect();
    assert_eq!(keys, ["purpose", "schema"], "dictionary and mapping stood there already");
    let dictionary = laboratory::dictionary();
    assert!(filled.contains(&dictionary.schema(&["patient".to_owned()])));
    assert!(filled.contains(&dictionary.digest));
}

#[test]
fn hostile_names_stay_names() {
    let mut catalog = laboratory::catalog();
    for name in ["a\"b", "a'b", "a\nb", "a\\b", "# x", "é", "a = 1", "[x]"] {
        let mut column = dump::column("x", "int");
        column.name = name.to_owned();
        column.comment = "say \"hi\"\n[[table]]".to_owned();
        catalog.tables[0].columns.push(column);
    }
    catalog.tables[1].name = "a]\"\n[x]".to_owned();
    let text = dictionary::draft(&catalog, jiff::Timestamp::UNIX_EPOCH, "sha256:00");
    let dictionary = dictionary::parse(&text).unwrap_or_else(|f| panic!("{text}\n{f:#?}"));
    assert_eq!(dictionary.tables[1].name.value, "a]\"\n[x]");
    let names: Vec<&str> = dictionary.tables[0].columns.iter().map(|c| c.name.value.as_str()).collect();
    let there: Vec<&str> = catalog.tables[0].columns.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(names, there);
    let drafted = instruction::draft(&Drafting {
        head: &head(),
        dictionary: &dictionary,
        mapping: None,
        tables: &[],
        destination: None,
        source_tls_spki: None,
    });
    let order = filled(&drafted.replace("sha256:…", &format!("sha256:{}", "0".repeat(64))));
    assert_eq!(instruction::parse(&order).unwrap().tables, []);
}
