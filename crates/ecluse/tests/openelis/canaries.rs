//! OpenELIS with a canary in every column and row that was not ordered.

use ecluse_testkit::canary::Canaries;
use ecluse_testkit::papers::granted_by;
use ecluse_testkit::server::PostgresDatabase;

use crate::figures::chosen;
use crate::laboratory::INSTRUCTION;

/// Filled tables beside the ordered ones: other data about the same persons, staff, settings.
const NEIGHBOURS: [&str; 7] = [
    "note",
    "observation_history",
    "result_signature",
    "patient_photo",
    "system_user",
    "referral_result",
    "site_information",
];

/// Why a column carries none: it has no room, or takes words of a list only.
const EXPLAINED: [&str; 3] = ["is too narrow", "value too long", "violates check constraint"];

/// Plants in every column that was not ordered, and in every row that stays.
pub(crate) fn plant(canaries: &Canaries, source: &PostgresDatabase) {
    let granted = granted_by(INSTRUCTION);
    let outside = |table: &str, column: &str| {
        let of_order = granted.iter().find(|(name, _)| name == table);
        let near = NEIGHBOURS.iter().any(|name| table.strip_prefix("clinlims.") == Some(name));
        column != "id"
            && (near || of_order.is_some())
            && !of_order.is_some_and(|(_, columns)| columns.iter().any(|c| c == column))
    };
    // rows that stay, by key: planting must not change which they are
    let mut staying = Vec::new();
    for (table, _, condition) in chosen() {
        let keys = source.sql(&format!(
            "set search_path = clinlims; select id from {table} where not coalesce(({condition}), false)"
        ));
        if !keys.is_empty() {
            let keys = keys.trim().replace('\n', ",");
            staying.push((format!("clinlims.{table}"), format!("id in ({keys})")));
        }
    }
    assert!(staying.len() >= 8, "{staying:?}");
    let rows: Vec<(&str, &str)> = staying.iter().map(|(t, c)| (t.as_str(), c.as_str())).collect();
    let missed = canaries.plant_postgres(source, outside, &rows);
    let explained = |miss: &String| EXPLAINED.iter().any(|why| miss.contains(why));
    let unexplained: Vec<&String> = missed.iter().filter(|miss| !explained(miss)).collect();
    assert_eq!(unexplained, Vec::<&String>::new());
    // an order that stays because of its date must not look like a later one
    let orders = rows.iter().find(|(table, _)| *table == "clinlims.sample").unwrap().1;
    source.sql(&format!("update clinlims.sample set received_date = '2010-01-01' where {orders}"));
}
