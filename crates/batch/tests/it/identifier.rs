//! National identifiers: nobody is lost by a wrong number, and no number is repaired.

use std::sync::Arc;

use arrow_array::cast::AsArray as _;
use arrow_array::{Array as _, ArrayRef, Int64Array, StringArray};
use ecluse_batch::{Batch, Writer, Written};
use ecluse_core::filter::Filter;
use ecluse_core::ins::Numbers;
use ecluse_core::instruction::Invalid;
use ecluse_core::plan::assertion::{TableFields, table};
use ecluse_core::plan::{Expression, Identifier, Part, ReadColumn, WriteColumn};
use ecluse_core::types::{Engine, Type};

/// The OID of test numbers.
const TEST: &str = "1.2.250.1.213.1.4.10";
/// The published test identity's number, and its key.
const NUMBER: &str = "2790351215189";

/// (number, key, authority, a trait, status)
type Person = (Option<&'static str>, Option<i64>, Option<&'static str>, &'static str, Option<&'static str>);

const PEOPLE: [Person; 8] = [
    (Some(NUMBER), Some(89), Some(TEST), "DESCARTES", Some("VALI")),
    (Some(NUMBER), Some(88), Some(TEST), "DESCARTES", Some("VALI")),
    (Some("279035121518"), Some(89), Some(TEST), "DESCARTES", None),
    (Some(NUMBER), Some(89), None, "DESCARTES", Some("VALI")),
    (Some(NUMBER), Some(89), Some("1.2.250.1.213.1.4.8"), "DESCARTES", Some("VALI")),
    (Some(NUMBER), Some(89), Some(TEST), "  ", Some("VALI")),
    (None, None, None, "DESCARTES", Some("PROV")),
    (Some(""), Some(89), None, "DESCARTES", None),
];

fn written(invalid: Invalid) -> Written {
    let texts = |of: &dyn Fn(&Person) -> Option<&'static str>| -> ArrayRef {
        Arc::new(PEOPLE.iter().map(of).collect::<StringArray>())
    };
    let arrays: Vec<ArrayRef> = vec![
        texts(&|p| p.0),
        Arc::new(PEOPLE.iter().map(|p| p.1).collect::<Int64Array>()),
        texts(&|p| p.2),
        texts(&|p| Some(p.3)),
        texts(&|p| p.4),
    ];
    let types = [Type::Text, Type::Int, Type::Text, Type::Text, Type::Text];
    let column = |part| WriteColumn {
        name: "w".into(),
        ty: Type::Text,
        sql_type: String::new(),
        nullable: true,
        max_length: None,
        int_bounds: None,
        labels: Vec::new(),
        from: Expression::Identifier(Box::new(Identifier {
            part,
            number: 0,
            key: Some(1),
            authority: 2,
            traits: vec![3],
            status: Some(4),
            provisional: "PROV".into(),
            invalid,
            numbers: Numbers::Test,
        })),
        relation: false,
    };
    let read = |ty: &Type| ReadColumn { name: "r".into(), ty: *ty, sql_type: String::new(), moved: true };
    let plan = table(TableFields {
        number: 0,
        source: "t".into(),
        view: None,
        destination: "t".into(),
        read: types.iter().map(read).collect(),
        key: Vec::new(),
        filter: Filter::Every,
        write: [Part::Number, Part::Authority, Part::Local, Part::Status].into_iter().map(column).collect(),
        write_key: Vec::new(),
        relations: Vec::new(),
    });
    let batch = Batch::new(&types, arrays, PEOPLE.len()).unwrap();
    Writer::new(&plan, Engine::Postgresql).unwrap().write(&batch).unwrap()
}

fn column(written: &Written, index: usize) -> Vec<Option<String>> {
    let array = written.batch.columns()[index].as_string::<i32>();
    (0..array.len()).map(|i| (!array.is_null(i)).then(|| array.value(i).to_owned())).collect()
}

fn codes(of: &[ecluse_batch::Refused]) -> Vec<(usize, &'static str)> {
    of.iter().map(|r| (r.row, r.reason.code().id)).collect()
}

const FLAWS: [(usize, &str); 5] =
    [(1, "ECL-BAT-132"), (2, "ECL-BAT-131"), (3, "ECL-BAT-133"), (4, "ECL-BAT-134"), (5, "ECL-BAT-135")];

// proves: EXT-06
#[test]
fn a_number_that_does_not_hold_moves_as_a_local_one_and_the_identity_is_provisional() {
    let written = written(Invalid::Local);
    assert!(written.refused.is_empty());
    assert_eq!(codes(&written.flawed), FLAWS);
    let some = |text: &str| Some(text.to_owned());
    let whole = some("279035121518989");
    assert_eq!(column(&written, 0), [whole, None, None, None, None, None, None, None]);
    assert_eq!(column(&written, 1), [some(TEST), None, None, None, None, None, None, None]);
    let number = some(NUMBER);
    let local =
        [None, number.clone(), some("279035121518"), number.clone(), number.clone(), number, None, None];
    assert_eq!(column(&written, 2), local);
    let (valid, provisional) = (some("VALI"), some("PROV"));
    let bad = provisional.clone();
    let status = [valid, bad.clone(), bad.clone(), bad.clone(), bad.clone(), bad, provisional, None];
    assert_eq!(column(&written, 3), status);
}

// proves: EXT-06
#[test]
fn a_withheld_number_stands_in_no_column_and_nobody_is_lost() {
    let written = written(Invalid::Withhold);
    assert!(written.refused.is_empty());
    assert_eq!(codes(&written.flawed), FLAWS);
    assert_eq!(written.batch.rows(), PEOPLE.len());
    assert_eq!(column(&written, 2), vec![None; PEOPLE.len()]);
    assert_eq!(column(&written, 0).iter().flatten().count(), 1);
}

// proves: EXT-06
#[test]
fn where_the_controller_says_so_the_row_is_refused_by_what_is_wrong() {
    let written = written(Invalid::Refuse);
    assert_eq!(codes(&written.refused), FLAWS);
    assert!(written.flawed.is_empty());
    assert_eq!(written.batch.rows(), 3);
}
