//! What a return compiles to, and what an archive of one may hold.

use super::tests::Case;
use super::{Laden, Plan, consigned_back, give_back, laden};
use crate::filter::Filter;
use crate::finding::Finding;
use crate::instruction::Instruction;

const BACK: &str = "[return]\nage = \"age13aqzx3vd4nakuwmjguylnrzamfhqxxupl0hkvk9p4scha9et2c0q8nsdnj\"\n\
    statement = \"sha256:f83f07d2e5c16b9480da37e620f3a9c41d7be52806a1c94e3f25b7d80c6e19a4\"\nalone = true\n\n[stays]\n";

fn case() -> Case {
    Case::new().instruction("[stays]\n", BACK)
}

fn ordered(case: &Case) -> Instruction {
    case.in_force(&case.mapped().0)
}

fn plan(case: &Case) -> Plan {
    give_back(&ordered(case), &case.dictionary, &case.source, false)
        .unwrap_or_else(|r| panic!("{:#?}", r.findings))
        .plan
}

fn codes(findings: &[Finding]) -> Vec<&'static str> {
    findings.iter().map(|finding| finding.code.id).collect()
}

#[test]
fn a_return_reads_the_class_and_the_key_of_every_row() {
    let case = case();
    let plan = plan(&case);
    let told: Vec<(&str, Vec<&str>)> = plan
        .tables()
        .iter()
        .map(|table| (table.source(), table.read().iter().map(|column| column.name.as_str()).collect()))
        .collect();
    // the order moves this column of the rows that it chooses, and nothing of the others
    assert_eq!(told, [("resultat", vec!["id", "commentaire"])]);
    assert!(plan.tables().iter().all(|table| *table.filter() == Filter::Every));
    assert_eq!(plan.tolerance(), 0);
    let credential = case.instruction("credential = { fate = \"destroy\", reason = \"it opens the old system, and nothing else\", by = 2027-01-31 }", "credential = \"return\"");
    let refused =
        give_back(&ordered(&credential), &credential.dictionary, &credential.source, false).unwrap_err();
    assert_eq!(codes(&refused.findings), ["ECL-RET-003"]);
}

#[test]
fn an_archive_of_anything_else_is_no_return_of_this_order() {
    let case = case();
    let (order, plan) = (ordered(&case), plan(&case));
    let all: Vec<Laden> = plan.tables().iter().map(|table| laden(&plan, table)).collect();
    let held =
        |tables: Vec<Laden>| consigned_back(&order, &case.dictionary, tables).map(|held| held.tables().len());
    assert_eq!(held(all.clone()).unwrap(), 1);
    let bent = |bend: &dyn Fn(&mut Vec<Laden>)| {
        let mut tables = all.clone();
        bend(&mut tables);
        codes(&held(tables).unwrap_err())
    };
    let more = |tables: &mut Vec<Laden>| {
        let mut column = tables[0].table.columns[1].clone();
        column.name = "valeur".to_owned();
        tables[0].table.columns.push(column);
    };
    assert_eq!(bent(&more), ["ECL-LOA-029"]);
    assert_eq!(bent(&|tables| tables[0].table.columns.truncate(1)), ["ECL-LOA-029"]);
    assert_eq!(bent(&Vec::clear), ["ECL-LOA-029", "ECL-LOA-029"]);
    let other =
        |tables: &mut Vec<Laden>| tables.push(Laden { source: "patient".to_owned(), ..tables[0].clone() });
    assert!(bent(&other).contains(&"ECL-LOA-004"));
}
