//! `ecluse plan` on LabBook, each figure held against LabBook's own count.

use crate::migration::Migration;
use crate::moves::counts;

/// Destination table → source table.
const FROM: [(&str, &str); 11] = [
    ("request", "sigl_02_data"),
    ("patient", "sigl_03_data"),
    ("specimen", "sigl_01_data"),
    ("analysis_request", "sigl_04_data"),
    ("result", "sigl_09_data"),
    ("validation", "sigl_10_data"),
    ("validator", "sigl_user_data"),
    ("analysis", "sigl_05_data"),
    ("variable", "sigl_07_data"),
    ("analysis_variable", "sigl_05_07_data"),
    ("term", "sigl_dico_data"),
];

fn plan(m: &Migration, more: &[&str]) -> serde_json::Value {
    let plan = m.operator(&[&["plan", "--json"], more].concat());
    let line = plan.text.lines().next().unwrap_or_default();
    serde_json::from_str(line).unwrap_or_else(|_| panic!("{}", plan.text))
}

/// The figures of a destination's table.
fn of<'a>(plan: &'a serde_json::Value, table: &str) -> &'a serde_json::Value {
    let tables = plan["figures"]["tables"].as_array().unwrap();
    tables.iter().find(|t| t["destination"] == table).unwrap()
}

// proves: EXT-04
// fails where the plan counts rows it did not read: the specimens planted below would move
#[test]
fn the_plans_figures_are_those_that_labbook_counts() {
    let Some(m) = Migration::new() else { return };
    let requests = "select id_data from sigl_02_data where rec_date_receipt >= '2015-01-01' and statut = 256";
    // three that no biologist has validated; some say nothing of their state
    m.source.sql(&format!(
        "update sigl_02_data set statut = case id_data % 2 when 0 then null else 254 end where id_data in \
         (select id_data from ({requests} order by id_data limit 3) r)"
    ));
    // four specimens without a date that a calendar has
    m.source.sql(&format!(
        "set sql_mode = ''; update sigl_01_data set samp_date = '0000-00-00' \
         where id_dos in ({requests}) order by id_data limit 4"
    ));
    let count = |sql: &str| m.source.sql(sql).trim().parse::<u64>().unwrap();
    let zero = count(&format!(
        "select count(*) from sigl_01_data where id_dos in ({requests}) and cast(samp_date as char) like '0000%'"
    ));
    assert_eq!(zero, 4);

    let viewed = plan(&m, &[]);
    let administrator = m.administrator();
    let reason = "to count what is available";
    let whole =
        plan(&m, &["--from", &administrator, "--without-views", reason, "--accept-wider-role", reason]);
    for (table, asked) in counts(&m) {
        let asked: u64 = asked.parse().unwrap();
        let source = FROM.iter().find(|(to, _)| *to == table).unwrap().1;
        let refused = if table == "specimen" { zero } else { 0 };
        for plan in [&viewed, &whole] {
            let found = of(plan, table);
            assert_eq!(found["asked"], asked, "{table}");
            assert_eq!(found["moved"], asked - refused, "{table}");
            let by_code = found["refused"].as_object().unwrap();
            assert_eq!(by_code.values().map(|n| n.as_u64().unwrap()).sum::<u64>(), refused, "{table}");
        }
        assert_eq!(
            of(&whole, table)["available"],
            count(&format!("select count(*) from {source}")),
            "{table}"
        );
        // who may read a view only cannot count the table
        assert!(of(&viewed, table)["available"].is_null(), "{table}");
    }
    let pending = count(
        "select count(*) from sigl_02_data where rec_date_receipt >= '2015-01-01' and (statut <> 256 or statut is null)",
    );
    assert!(pending >= 3);
    assert_eq!(of(&whole, "request")["unfinished"], pending);
    assert_eq!(of(&whole, "request")["pending"], "stay");
    // the view leaves them out, and so does its count: that is said
    assert!(of(&viewed, "request")["unfinished"].is_null());
    let said = m.operator(&["plan"]).text;
    assert!(said.contains("sigl_02_data: pending rows are left; how many is not known"), "{said}");
    for plan in [&viewed, &whole] {
        assert_eq!((&plan["ready"], &plan["missing"]), (&false.into(), &serde_json::json!([])));
    }
}
