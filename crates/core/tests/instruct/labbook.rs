//! LabBook's real schema: names nobody of this project chose, and the worked papers for it.

use ecluse_core::catalog::Catalog;
use ecluse_core::class::Class;
use ecluse_core::classify::{Context, propose};
use ecluse_core::dictionary::{self, Dictionary};
use ecluse_core::{codes, digest, instruction, mapping};
use ecluse_testkit::papers::worked;
use jiff::Timestamp;

use crate::dump;

const INSTRUCTION: &str = include_str!("../../../../docs/labbook/instruction.toml");
const MAPPING: &str = include_str!("../../../../docs/labbook/mapping.toml");
const SEX: &str = include_str!("../../../../docs/labbook/codes/sex.toml");

fn class(catalog: &Catalog, table: &str, column: &str) -> Class {
    let table = catalog.table(table).unwrap();
    propose(&Context::of(table), table.column(column).unwrap()).class
}

// proves: INS-03
#[test]
fn labbooks_columns_get_the_classes_a_person_would_give() {
    let Some(catalog) = dump::labbook() else { return };
    assert_eq!(catalog.tables.len(), 107);
    let wanted = [
        ("sigl_user_data", "password", Class::Credential),
        ("dhis2_setting", "dhs_pwd", Class::Credential),
        ("lite_setting", "lite_pwd", Class::Credential),
        ("lite_setting", "lite_report_pwd", Class::Credential),
        ("sigl_user_data", "username", Class::Staff),
        ("sigl_user_data", "lastname", Class::Staff),
        ("sigl_user_data", "otp_phone_number", Class::Staff),
        ("sigl_user_data", "commentaire", Class::FreeText),
        ("sigl_user_data", "cv", Class::Attachment),
        ("sigl_03_data", "nom", Class::Identity),
        ("sigl_03_data", "nom_jf", Class::Identity),
        ("sigl_03_data", "prenom", Class::Identity),
        ("sigl_03_data", "ddn", Class::Identity),
        ("sigl_03_data", "sexe", Class::Identity),
        ("sigl_03_data", "adresse", Class::Contact),
        ("sigl_03_data", "tel", Class::Contact),
        ("sigl_03_data", "pat_email", Class::Contact),
        ("sigl_03_data", "pat_blood_group", Class::SensitiveResult),
        ("sigl_01_data", "commentaire", Class::FreeText),
        ("sigl_01_data", "preleveur", Class::Staff),
        ("sigl_02_data", "rc", Class::FreeText),
        ("sigl_02_data", "med_prescripteur", Class::ThirdParty),
        ("sigl_02_data", "prix", Class::Billing),
        ("sigl_08_data", "nom", Class::ThirdParty),
        ("sigl_08_data", "tel", Class::ThirdParty),
        ("sigl_09_data", "valeur", Class::Result),
        ("sigl_09_data", "res_recovery", Class::Result),
        ("sigl_10_data", "commentaire", Class::FreeText),
        ("sigl_10_data", "utilisateur", Class::Audit),
        ("sigl_11_data", "file", Class::Attachment),
        ("internal_messaging", "ime_body", Class::FreeText),
        ("sigl_evtlog_data", "message", Class::FreeText),
        ("control_internal", "cti_result", Class::Result),
        ("sigl_05_data", "nom", Class::Technical),
        ("sigl_02_data", "id_data", Class::Technical),
    ];
    for (table, column, class_wanted) in wanted {
        assert_eq!(class(&catalog, table, column), class_wanted, "{table}.{column}");
    }
}

#[test]
fn no_text_that_may_hold_anything_is_called_technical() {
    let Some(catalog) = dump::labbook() else { return };
    for table in &catalog.tables {
        for column in &table.columns {
            let open = column.sql_type.ends_with("text") || column.max_length.is_some_and(|n| n >= 200);
            if open {
                let class = class(&catalog, &table.name, &column.name);
                assert_ne!(class, Class::Technical, "{}.{} {}", table.name, column.name, column.sql_type);
            }
        }
    }
}

fn surveyed(catalog: &Catalog) -> Dictionary {
    let text = dictionary::draft(catalog, Timestamp::UNIX_EPOCH, "sha256:00");
    dictionary::parse(&text).unwrap_or_else(|f| panic!("{f:#?}"))
}

#[test]
fn the_dictionary_says_what_the_catalogue_says() {
    let Some(catalog) = dump::labbook() else { return };
    let dictionary = surveyed(&catalog);
    assert_eq!(dictionary.tables.len(), catalog.tables.len());
    for (read, table) in dictionary.tables.iter().zip(&catalog.tables) {
        assert_eq!(read.name.value, table.name);
        assert_eq!(read.key, table.key);
        assert_eq!(read.digest, digest::of_table(table));
        assert_eq!(read.patients, table.name == "sigl_03_data", "{}", table.name);
        let names =
            |c: &dictionary::Column| (c.name.value.clone(), c.sql_type.clone(), dictionary::type_of(&c.ty));
        let read: Vec<_> = read.columns.iter().map(names).collect();
        let there: Vec<_> =
            table.columns.iter().map(|c| (c.name.clone(), c.sql_type.clone(), c.ty)).collect();
        assert_eq!(read, there);
    }
}

#[test]
fn the_worked_papers_hold_together() {
    let Some(catalog) = dump::labbook() else { return };
    let dictionary = surveyed(&catalog);
    let sex = codes::parse(SEX).unwrap_or_else(|f| panic!("{f:#?}"));
    let mapping = MAPPING.replace("{codes/sex.toml}", &sex.digest);
    let mapping = mapping::parse(&mapping).unwrap_or_else(|f| panic!("{f:#?}"));
    let filled =
        instruction::fill(&worked(INSTRUCTION, Timestamp::UNIX_EPOCH), &dictionary, Some(&mapping)).unwrap();
    let order = instruction::parse(&filled).unwrap_or_else(|f| panic!("{f:#?}"));
    assert_eq!(instruction::check(&order, &dictionary), []);
    assert_eq!(mapping::against(&mapping, &order), []);
    for left in ["adresse", "tel", "pat_email", "med_prescripteur", "password", "username", "prix"] {
        assert!(order.tables.iter().all(|t| t.column(left).is_none()), "{left} stays");
    }
    // every class of what stays has its fate
    let without: Vec<_> =
        instruction::staying(&order, &dictionary).into_iter().filter(|s| s.fate.is_none()).collect();
    assert_eq!(without, []);
}
