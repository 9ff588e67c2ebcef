//! What the order asks for, counted and listed by SQL that this test wrote itself.

use ecluse_testkit::server::PostgresDatabase;

/// The order's rows again: (source table, destination table, condition). `{TABLE}` stands for the
/// condition of another table of this list.
const CHOSEN: [(&str, &str, &str); 19] = [
    ("sample", "lab_order", "received_date >= '2024-01-01' and status_id = 3"),
    ("sample_human", "order_subject", "samp_id in (select id from sample where {sample})"),
    ("patient", "patient", "id in (select patient_id from sample_human where {sample_human})"),
    (
        "patient_identity",
        "patient_number",
        "identity_type_id in (1, 9) and patient_id in (select id from patient where {patient})",
    ),
    ("provider", "prescriber", "id in (select provider_id from sample_human where {sample_human})"),
    (
        "person",
        "person",
        "id in (select person_id from patient where {patient} union select person_id from provider where {provider})",
    ),
    ("sample_item", "specimen", "samp_id in (select id from sample where {sample})"),
    (
        "analysis",
        "analysis",
        "status_id = 6 and sampitem_id in (select id from sample_item where {sample_item})",
    ),
    ("result", "result", "analysis_id in (select id from analysis where {analysis})"),
    ("referral", "referral", "not canceled and analysis_id in (select id from analysis where {analysis})"),
    ("organization", "laboratory", "id in (select organization_id from referral where {referral})"),
    ("test", "test", "true"),
    ("test_section", "section", "true"),
    ("panel", "panel", "true"),
    ("panel_item", "panel_test", "true"),
    ("type_of_sample", "specimen_kind", "true"),
    ("unit_of_measure", "unit", "true"),
    ("dictionary", "term", "true"),
    ("status_of_sample", "state", "true"),
];

/// (source table, destination table, condition in plain SQL).
pub(crate) fn chosen() -> Vec<(&'static str, &'static str, String)> {
    let plain = |condition: &str| {
        let mut words = condition.to_owned();
        for (name, _, its) in CHOSEN.iter().rev() {
            words = words.replace(&format!("{{{name}}}"), its);
        }
        words
    };
    CHOSEN.iter().map(|(from, to, condition)| (*from, *to, plain(condition))).collect()
}

/// (destination table, rows OpenELIS itself counts).
pub(crate) fn counts(source: &PostgresDatabase) -> Vec<(&'static str, u64)> {
    let count = |table: &str, condition: &str| {
        source
            .sql(&format!("set search_path = clinlims; select count(*) from {table} where {condition}"))
            .trim()
            .parse()
            .unwrap()
    };
    chosen().into_iter().map(|(from, to, condition)| (to, count(from, &condition))).collect()
}

/// Pairs of lists that must be equal: (what, at the destination, at the source).
pub(crate) fn lists() -> Vec<(&'static str, String, String)> {
    let all = chosen();
    let condition = |table: &str| all.iter().find(|(from, ..)| *from == table).unwrap().2.clone();
    vec![
        (
            "every result's kind, value and parent",
            "select id, kind, value, part_of from result order by id".to_owned(),
            format!(
                "select id, result_type, value, parent_id from result where {} order by id",
                condition("result")
            ),
        ),
        (
            "every result's limits, open ones too",
            "select id, normal_low, normal_high from result order by id".to_owned(),
            format!(
                "select id, min_normal, max_normal from result where {} order by id",
                condition("result")
            ),
        ),
        (
            "every patient's gender through the code table, birth date and number",
            "select id, gender, birth_date, national_id from patient order by id".to_owned(),
            format!(
                "select id, case gender when 'M' then 'male' when 'F' then 'female' end, birth_date::date, national_id \
                 from patient where {} order by id",
                condition("patient")
            ),
        ),
        (
            "names of patients and prescribers",
            "select id, family_name, given_name, middle_name from person order by id".to_owned(),
            format!(
                "select id, last_name, first_name, middle_name from person where {} order by id",
                condition("person")
            ),
        ),
        (
            "which patient each order is of, across every relation",
            "select o.accession, p.family_name, v.family_name from lab_order o \
             join order_subject s on s.order_id = o.id join patient q on q.id = s.patient_id \
             join person p on p.id = q.person_id left join prescriber d on d.id = s.provider_id \
             left join person v on v.id = d.person_id order by o.id"
                .to_owned(),
            format!(
                "select o.accession_number, p.last_name, v.last_name from (select * from sample where {}) o \
                 join sample_human s on s.samp_id = o.id join patient q on q.id = s.patient_id \
                 join person p on p.id = q.person_id left join provider d on d.id = s.provider_id \
                 left join person v on v.id = d.person_id order by o.id",
                condition("sample")
            ),
        ),
    ]
}
