//! LabBook as a source that can only dump: the same papers, the same figures, from a pipe.

use crate::migration::Migration;
use crate::moves::counts;

// proves: EXT-01
#[test]
fn labbook_moves_out_of_a_dump_with_the_figures_that_it_counts_itself() {
    let Some(m) = Migration::new() else { return };
    m.becomes_a_dump();
    // four specimens without a date that a calendar has, as the live path refuses them
    let requests = "select id_data from sigl_02_data where rec_date_receipt >= '2015-01-01' and statut = 256";
    m.source.sql(&format!(
        "set sql_mode = ''; update sigl_01_data set samp_date = '0000-00-00' \
         where id_dos in ({requests}) order by id_data limit 4"
    ));
    let plan = m.piped(&["plan", "--json"]);
    let figures: serde_json::Value = serde_json::from_str(plan.text.lines().next().unwrap_or_default())
        .unwrap_or_else(|_| panic!("{}", plan.text));
    let tables = figures["figures"]["tables"].as_array().unwrap();
    for (table, wanted) in counts(&m) {
        let found = tables.iter().find(|t| t["destination"] == table).unwrap();
        let wanted: u64 = wanted.parse().unwrap();
        let refused = if table == "specimen" { 4 } else { 0 };
        assert_eq!(
            (&found["asked"], &found["moved"]),
            (&wanted.into(), &(wanted - refused).into()),
            "{table}"
        );
    }
    m.source.sql("update sigl_01_data set samp_date = '2020-01-01' where samp_date < '0001-01-01'");
    m.witnessed();
    let migrate = m.piped(&["migrate"]);
    assert_eq!(migrate.code, Some(0), "{}", migrate.text);
    for (table, wanted) in counts(&m) {
        assert_eq!(m.destination.sql(&format!("select count(*) from {table}")).trim(), wanted, "{table}");
    }
    let reconcile = m.piped(&["reconcile", "--full"]);
    assert_eq!(reconcile.code, Some(0), "{}", reconcile.text);
}
