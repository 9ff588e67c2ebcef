//! The compiler on moments, on a text's bytes and on booleans in disguise.

use super::tests::Case;
use super::*;
use crate::catalog::Column;
use crate::zone::Fold;

const ZERO: &str = "birth_date = { column = \"ddn\", zero_date = \"null\" }";

fn patient(case: &Case) -> TablePlan {
    case.plan().tables().iter().find(|t| t.source() == "patient").unwrap().clone()
}

/// A local time at the source, an instant at the destination.
fn timed(mut case: Case, at: Type, there: Type) -> Case {
    let retype = |columns: &mut Vec<Column>, name: &str, ty: Type| {
        columns.iter_mut().find(|c| c.name == name).unwrap().ty = Some(ty);
    };
    retype(&mut case.source_table("patient").columns, "ddn", at);
    retype(&mut case.destination_table("patient").columns, "birth_date", there);
    case
}

#[test]
fn a_zero_date_means_null_where_nothing_else_is_decided_by_it() {
    let plan = patient(&Case::new().mapping("birth_date = \"ddn\"", ZERO));
    assert_eq!(plan.write()[2].from, Expression::Moment { column: 2, zone: None, zero_null: true });
    let nulls: Vec<bool> = (0..4).map(|column| plan.zero_as_null(column)).collect();
    assert_eq!(nulls, [false, false, true, false]);
    let refusals = |case: Case| case.mapping("birth_date = \"ddn\"", ZERO).refused();
    let filter = "rows = 'id in chosen.dossier.id_patient'";
    // the database would choose by 0000-00-00, the process by NULL
    let filtered = Case::new().instruction(filter, "rows = 'ddn >= date(\"1950-01-01\")'");
    assert_eq!(refusals(filtered), ["ECL-PLN-060"]);
    let twice = Case::new()
        .mapping("gender = { code = \"sexe\", table = \"sex\" }", "gender = { cast = \"ddn\" }")
        .instruction("\"ddn\", \"sexe\"", "\"ddn\"")
        .mapping("[[code_table]]\nname = \"sex\"\nfile = \"codes/sex.toml\"\ndigest = \"sha256:…\"\n", "");
    assert_eq!(refusals(twice), ["ECL-PLN-060"]);
}

#[test]
fn a_zero_date_may_be_null_and_so_it_may_not_go_where_null_may_not() {
    let mut case = Case::new().mapping("birth_date = \"ddn\"", ZERO);
    let columns = &mut case.destination_table("patient").columns;
    columns.iter_mut().find(|c| c.name == "birth_date").unwrap().nullable = false;
    case.source_table("patient").columns.iter_mut().find(|c| c.name == "ddn").unwrap().nullable = false;
    assert_eq!(case.refused(), ["ECL-PLN-013"]);
}

#[test]
fn a_zone_makes_a_local_time_an_instant_and_nothing_else() {
    let zoned = "birth_date = { column = \"ddn\", zone = \"Europe/Paris\", fold = \"later\" }";
    let case = || Case::new().mapping("birth_date = \"ddn\"", zoned);
    let plan = patient(&timed(case(), Type::Timestamp, Type::Instant));
    let Expression::Moment { column: 2, zone: Some(zone), zero_null: false } = &plan.write()[2].from else {
        panic!("{:?}", plan.write()[2].from)
    };
    assert_eq!(*zone, Zone::named("Europe/Paris", Fold::Later).unwrap());
    for (at, there, code) in [
        (Type::Date, Type::Instant, "ECL-PLN-016"),
        (Type::Instant, Type::Instant, "ECL-PLN-016"),
        (Type::Timestamp, Type::Timestamp, "ECL-PLN-011"),
    ] {
        assert_eq!(timed(case(), at, there).refused(), [code], "{at} to {there}");
    }
    let plain = timed(Case::new(), Type::Timestamp, Type::Instant);
    assert_eq!(plain.refused(), ["ECL-PLN-011"], "without a zone it stays what it is");
}

#[test]
fn the_bytes_of_a_text_are_said_of_texts_alone() {
    let said = |from: &str, to: &str| format!("{to} = {{ column = \"{from}\", bytes = \"utf-8\" }}");
    let plan = patient(&Case::new().mapping("family_name = \"nom\"", &said("nom", "family_name")));
    let name = plan.write().iter().find(|c| c.name == "family_name").unwrap();
    let at = plan.read().iter().position(|c| c.name == "nom").unwrap();
    assert!(name.from == Expression::Utf8(at) && name.from.carries(at));
    let date = Case::new().mapping("birth_date = \"ddn\"", &said("ddn", "birth_date"));
    assert_eq!(date.refused(), ["ECL-PLN-016"]);
    let number = Case::new().mapping("birth_date = \"ddn\"", &said("nom", "birth_date"));
    assert_eq!(number.refused(), ["ECL-MAP-011", "ECL-PLN-011"], "`ddn` goes nowhere then");
    let key = Case::new().mapping("id = \"id\"", &said("id", "id"));
    assert!(key.refused().contains(&"ECL-PLN-021"), "the key arrives as it is");
}

#[test]
fn a_boolean_in_disguise_is_a_table_of_two_lists() {
    let make = "gender = { column = \"sexe\", boolean = { true = [\"1\"], false = [\"2\", \"0\"] } }";
    let without = "[[code_table]]\nname = \"sex\"\nfile = \"codes/sex.toml\"\ndigest = \"sha256:…\"\n";
    let case = |make: &str| {
        let mut case =
            Case::new().mapping("gender = { code = \"sexe\", table = \"sex\" }", make).mapping(without, "");
        let columns = &mut case.destination_table("patient").columns;
        let gender = columns.iter_mut().find(|c| c.name == "gender").unwrap();
        (gender.ty, gender.max_length) = (Some(Type::Bool), None);
        case
    };
    let plan = patient(&case(make));
    let table = [0, 1, 2].map(|code| (Value::Int(code), Value::Bool(code == 1))).to_vec();
    assert_eq!(plan.write()[3].from, Expression::Code { column: 3, table });
    assert_eq!(case(&make.replace("\"0\"", "\"non\"")).refused(), ["ECL-PLN-018"]);
    let mut number = case(make);
    let columns = &mut number.destination_table("patient").columns;
    columns.iter_mut().find(|c| c.name == "gender").unwrap().ty = Some(Type::Int);
    let plan = patient(&number);
    let Expression::Code { table, .. } = &plan.write()[3].from else { panic!() };
    assert_eq!(table[1], (Value::Int(1), Value::Int(1)), "MariaDB has no booleans");
    let text =
        Case::new().mapping("gender = { code = \"sexe\", table = \"sex\" }", make).mapping(without, "");
    assert_eq!(text.refused(), ["ECL-PLN-011"], "a text is no boolean");
}

#[test]
fn what_is_said_beside_a_column_is_read_strictly() {
    let codes = |make: &str| -> Vec<&str> {
        let text = format!(
            "[mapping]\nformat = \"ecluse-mapping/1\"\n[[table]]\nfrom = \"t\"\nto = \"t\"\n[table.columns]\na = {{ {make} }}\n"
        );
        crate::mapping::parse(&text).err().unwrap_or_default().iter().map(|f| f.code.id).collect()
    };
    for right in [
        "column = \"a\", zone = \"Europe/Paris\"",
        "column = \"a\", zone = \"UTC\", fold = \"earlier\", zero_date = \"null\", required = true",
        "column = \"a\", boolean = { true = [\"O\"], false = [] }",
        "column = \"a\", bytes = \"utf-8\", required = true",
    ] {
        assert_eq!(codes(right), Vec::<&str>::new(), "{right}");
    }
    for (wrong, code) in [
        ("column = \"a\", zone = \"Paris\"", "ECL-MAP-004"),
        ("column = \"a\", fold = \"later\"", "ECL-MAP-004"),
        ("column = \"a\", zone = \"Europe/Paris\", fold = \"first\"", "ECL-MAP-004"),
        ("column = \"a\", zero_date = \"1900-01-01\"", "ECL-MAP-004"),
        ("column = \"a\", zone = \"UTC\", boolean = { true = [], false = [] }", "ECL-MAP-004"),
        ("column = \"a\", boolean = { true = [\"O\"], false = [\"N\", \"O\"] }", "ECL-MAP-005"),
        ("column = \"a\", boolean = { true = [\"O\"], no = [\"N\"] }", "ECL-MAP-002"),
        ("column = \"a\", bytes = \"latin1\"", "ECL-MAP-004"),
        ("column = \"a\", bytes = \"utf-8\", zone = \"UTC\"", "ECL-MAP-004"),
        ("column = \"a\", bytes = \"utf-8\", boolean = { true = [], false = [] }", "ECL-MAP-004"),
        ("cast = \"a\", zone = \"Europe/Paris\"", "ECL-MAP-002"),
    ] {
        assert_eq!(codes(wrong), [code], "{wrong}");
    }
}
