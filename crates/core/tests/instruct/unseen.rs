//! Systems that nobody of this project had seen when its words were chosen: BLIS, OpenEMR, OpenMRS, GNU Health,
//! lims-lite (Supabase) and Django. Their tables by their real names, shortened.

use ecluse_core::catalog::{Catalog, Table};
use ecluse_core::class::Class::{
    self, Attachment, Audit, Billing, Contact, Credential, FreeText, Identity, NationalIdentifier, Result,
    SensitiveResult, Staff, Technical, ThirdParty,
};
use ecluse_core::classify::{Context, is_credential, propose};
use ecluse_core::dictionary::{self, Dictionary};
use ecluse_core::instruction::{self, Drafting, beginning};
use ecluse_core::types::{Engine, Type};
use jiff::Timestamp;

use crate::dump;

/// Name, type, class that a person would give.
type Columns = &'static [(&'static str, &'static str, Class)];

fn table(name: &str, columns: &[(&str, &str, Class)]) -> Table {
    let key = columns.iter().take(1).map(|(name, ..)| (*name).to_owned()).collect();
    let column = |(name, ty, _): &(&str, &str, Class)| match *ty {
        "bool" => {
            let mut column = dump::column(name, "tinyint(1)");
            column.ty = Some(Type::Bool);
            column
        }
        ty if ty.starts_with("enum") => {
            let mut column = dump::column(name, ty);
            column.ty = Some(Type::Text);
            column
        }
        ty => dump::column(name, ty),
    };
    Table { columns: columns.iter().map(column).collect(), key, ..dump::table(name) }
}

const TABLES: &[(&str, Columns)] = &[
    // Django REST framework, Tryton, OpenEMR, Django: what opens the old system
    ("authtoken_token", &[("key", "varchar(40)", Credential), ("user_id", "int", Audit)]),
    ("ir_session", &[("id", "int", Technical), ("key", "text", Credential)]),
    ("res_user_application", &[("id", "int", Technical), ("key", "text", Credential)]),
    ("users_sessions", &[("id", "int", Technical), ("sid", "varchar(255)", Credential)]),
    // OpenMRS
    ("patient_identifier", &[("identifier", "varchar(50)", Identity), ("patient_id", "int", Identity)]),
    (
        "patient",
        &[
            ("patient_id", "int", Identity),
            ("birthdate", "date", Identity),
            ("tribe", "int", Identity),
            ("citizenship", "varchar(50)", Identity),
            ("birthplace", "varchar(50)", Identity),
            ("civil_status", "int", Identity),
            // few words, but of a person
            ("regime", "enum('a','b')", Identity),
            ("mothers_name", "varchar(50)", ThirdParty),
            ("cause_of_death", "varchar(50)", SensitiveResult),
            // BLIS
            ("addl_id", "varchar(40)", Identity),
            ("surr_id", "varchar(45)", Identity),
            ("hash_value", "varchar(100)", Identity),
        ],
    ),
    ("patient_custom_data", &[("id", "int", Technical), ("field_value", "varchar(45)", Identity)]),
    (
        "specimen",
        &[
            ("specimen_id", "int", Technical),
            ("patient_id", "int", Technical),
            ("referred_to_name", "varchar(70)", ThirdParty),
            ("date_collected", "date", Result),
        ],
    ),
    (
        "test",
        &[
            ("test_id", "int", Technical),
            ("result", "varchar(190)", Result),
            ("specimen_id", "int", Technical),
        ],
    ),
    (
        "test_type",
        &[
            ("test_type_id", "int", Technical),
            ("name", "varchar(45)", Technical),
            ("description", "varchar(100)", FreeText),
            ("hide_patient_name", "int", Technical),
            ("ts", "timestamp", Technical),
        ],
    ),
    (
        "reference_range",
        &[
            ("id", "int", Technical),
            ("sex", "varchar(10)", Identity),
            ("range_lower", "varchar(45)", Technical),
        ],
    ),
    ("bills", &[("id", "int", Technical), ("patient_id", "int", Technical)]),
    // GNU Health
    (
        "party_contact_mechanism",
        &[("id", "int", Technical), ("value", "text", Contact), ("comment", "text", FreeText)],
    ),
    (
        "gnuhealth_patient",
        &[
            ("id", "int", Technical),
            ("party", "int", Technical),
            ("active", "bool", Technical),
            ("crit_allergic", "bool", Result),
            ("crit_cancer", "bool", SensitiveResult),
            ("hb", "varchar(20)", Identity),
            ("blood_type", "varchar(5)", SensitiveResult),
        ],
    ),
    (
        "party_party",
        &[
            ("id", "int", Technical),
            ("lastname", "text", Identity),
            ("dob", "date", Identity),
            ("ethnic_group", "int", Identity),
            ("residence", "int", Identity),
        ],
    ),
    // OpenEMR: the laboratory is called procedures
    (
        "phones",
        &[
            ("id", "bigint", Technical),
            ("area_code", "varchar(5)", Contact),
            ("prefix", "varchar(5)", Contact),
            ("number", "varchar(10)", Contact),
        ],
    ),
    (
        "patient_insurances",
        &[
            ("id", "bigint", Technical),
            ("subscriberSurname", "varchar(80)", Identity),
            ("subscriberSS", "varchar(80)", NationalIdentifier),
            ("image", "mediumtext", Attachment),
        ],
    ),
    (
        "procedure_result",
        &[
            ("procedure_result_id", "bigint", Result),
            ("procedure_report_id", "bigint", Technical),
            ("date", "datetime", Result),
            ("result", "varchar(255)", Result),
            ("abnormal", "varchar(31)", Result),
            ("comments", "text", FreeText),
        ],
    ),
    (
        "procedure_report",
        &[
            ("procedure_report_id", "bigint", Technical),
            ("procedure_order_id", "bigint", Technical),
            ("date_report", "datetime", Result),
        ],
    ),
    (
        "procedure_order",
        &[
            ("procedure_order_id", "bigint", Technical),
            ("patient_id", "bigint", Technical),
            ("date_collected", "datetime", Result),
        ],
    ),
    // lims-lite, Django
    (
        "clients",
        &[
            ("id", "int", Technical),
            ("health_insurance_num", "varchar(30)", NationalIdentifier),
            ("reference", "varchar(30)", Identity),
        ],
    ),
    (
        "lis_patient",
        &[
            ("uid", "int", Technical),
            ("cnic", "varchar(15)", NationalIdentifier),
            ("mrn", "varchar(30)", Identity),
        ],
    ),
    (
        "lis_catalog",
        &[
            ("id", "int", Technical),
            ("state", "enum('draft','done')", Technical),
            ("price", "decimal(8,2)", Billing),
        ],
    ),
    // too much the other way: a form's switches, a remark's author
    (
        "lab_config",
        &[("lab_config_id", "int", Technical), ("name", "char(45)", Technical), ("dob", "int", Identity)],
    ),
    (
        "comment",
        &[("id", "int", Technical), ("username", "varchar(45)", Staff), ("page", "varchar(45)", Technical)],
    ),
];

// proves: INS-03, INS-04
#[test]
fn what_names_a_person_or_opens_a_system_is_never_called_harmless() {
    let mut wrong = Vec::new();
    for (name, columns) in TABLES {
        let table = table(name, columns);
        let context = Context::of(&table);
        for (column, (_, _, wanted)) in table.columns.iter().zip(*columns) {
            let proposal = propose(&context, column);
            if proposal.class != *wanted {
                wrong.push(format!("{name}.{}: {}, {}", column.name, proposal.class, proposal.reason));
            }
        }
        assert_eq!(
            context.patients(),
            ["patient", "patient_insurances", "party_party", "lis_patient"].contains(name),
            "{name}"
        );
    }
    assert_eq!(wrong, [""; 0]);
}

// proves: INS-04
#[test]
fn a_key_of_a_session_is_a_credential_and_a_key_of_a_setting_is_none() {
    for (table, column) in [("authtoken_token", "key"), ("oauth_access_tokens", "hash"), ("Sessions", "SID")]
    {
        assert!(is_credential(table, column), "{table}.{column}");
    }
    for (table, column) in
        [("site_settings", "key"), ("patient", "hash"), ("ir_session", "session"), ("", "")]
    {
        assert!(!is_credential(table, column), "{table}.{column}");
    }
}

fn surveyed(names: &[&str]) -> Dictionary {
    let chosen = TABLES.iter().filter(|(name, _)| names.contains(name));
    let tables = chosen.map(|(name, columns)| table(name, columns)).collect();
    let catalog = Catalog { engine: Engine::Mariadb, database: "x".into(), identity: "x".into(), tables };
    let text = dictionary::draft(&catalog, Timestamp::UNIX_EPOCH, "sha256:00");
    dictionary::parse(&text).unwrap_or_else(|f| panic!("{f:#?}\n{text}"))
}

const BLIS: [&str; 7] =
    ["patient", "patient_custom_data", "specimen", "test", "test_type", "reference_range", "bills"];

#[test]
fn an_order_begins_with_patients_results_and_what_lies_between_them() {
    let blis = surveyed(&BLIS);
    assert_eq!(beginning(&blis.tables), ["patient", "specimen", "test"]);
    let openemr = surveyed(&[
        "patient_insurances",
        "procedure_result",
        "procedure_report",
        "procedure_order",
        "phones",
    ]);
    assert_eq!(
        beginning(&openemr.tables),
        ["patient_insurances", "procedure_order", "procedure_report", "procedure_result"]
    );
}

#[test]
fn relations_that_the_names_say_stand_commented_out_and_hold_once_the_mark_is_gone() {
    let tables =
        TABLES.iter().filter(|(name, _)| BLIS.contains(name)).map(|(name, columns)| table(name, columns));
    let catalog = Catalog {
        engine: Engine::Mariadb,
        database: "x".into(),
        identity: "x".into(),
        tables: tables.collect(),
    };
    let text = dictionary::draft(&catalog, Timestamp::UNIX_EPOCH, "sha256:00");
    let line = "  # { column = \"specimen_id\", table = \"specimen\", to = \"specimen_id\", given = \"engineer\" },   # by its name\n";
    assert!(text.contains(line), "{text}");
    assert!(
        dictionary::parse(&text).unwrap().tables.iter().all(|t| t.relations.is_empty()),
        "nothing holds yet"
    );
    let accepted = dictionary::parse(&text.replace("  # { column", "  { column")).unwrap();
    let leads = |name: &str| -> Vec<String> {
        let table = accepted.table(name).unwrap();
        table.relations.iter().map(|r| format!("{} {}.{}", r.column.value, r.table, r.to)).collect()
    };
    assert_eq!(leads("test"), ["specimen_id specimen.specimen_id"]);
    assert_eq!(leads("bills"), ["patient_id patient.patient_id"]);
    assert_eq!(leads("patient"), [""; 0]);
}

#[test]
fn reference_data_are_catalogues_and_no_patients_rows() {
    let all: Vec<&str> = TABLES.iter().map(|(name, _)| *name).collect();
    let dictionary = surveyed(&all);
    let hinted = |name: &str| {
        let tables = [name.to_owned()];
        let head = crate::drafts::head();
        let draft = instruction::draft(&Drafting {
            head: &head,
            dictionary: &dictionary,
            mapping: None,
            tables: &tables,
            destination: None,
            source_tls_spki: None,
        });
        draft.contains("# reference = true")
    };
    let hints: Vec<&str> = all.into_iter().filter(|name| hinted(name)).collect();
    assert_eq!(hints, ["test_type", "reference_range"]);
}
