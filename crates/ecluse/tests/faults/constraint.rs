//! One row among hundreds of thousands that the destination refuses.

use crate::base::Base;
use crate::pair::{Pair, migrated, reconciled};

/// The row, in its table; and a patient whose ten results go with it.
const RESULT: u64 = 150_001;
const PATIENT: u64 = 1_234;

#[test]
fn one_row_in_two_hundred_thousand_is_refused_alone_and_its_children_with_it() {
    let (Some(from), Some(to)) = (Base::postgres("one"), Base::postgres("one")) else { return };
    let pair = Pair::new(from, to, 20_000);
    pair.to.sql(&format!(
        "alter table patient add constraint known check (id <> {PATIENT});
         alter table resultat add constraint known check (id <> {RESULT})"
    ));
    let mut made = pair.direct();
    let answer = migrated(&made, &pair.run("strict"), &[]);
    answer.is(1, "ECL-RUN-012");
    let code = |code: &str, rows| (code.to_owned(), rows);
    assert_eq!(
        pair.refused("strict"),
        [
            code("ECL-RUN-104 patient", 1),
            code("ECL-RUN-101 resultat.patient_id", 10),
            code("ECL-RUN-104 resultat", 1)
        ]
    );
    let missing = format!(
        "select (select count(*) from patient), (select count(*) from patient where id = {PATIENT}),
                (select count(*) from resultat), (select count(*) from resultat where patient_id = {PATIENT}),
                (select count(*) from resultat where id = {RESULT})"
    );
    assert_eq!(pair.to.sql(&missing), "19999|0|199989|0|0", "the others moved");
    assert!(!answer.said().contains("Nom-invente"), "{answer:?}");

    // one refused row, where the order tolerates one
    pair.empty();
    pair.to.sql("alter table patient drop constraint known");
    Pair::tolerate_one(&mut made);
    migrated(&made, &pair.run("tolerant"), &[]).holds();
    assert_eq!(pair.refused("tolerant"), [code("ECL-RUN-104 resultat", 1)]);
    assert_eq!(pair.to.sql(&missing), "20000|1|199999|10|0");
    reconciled(&made, &pair.run("tolerant")).holds();
}
