//! Classes proposed for invented laboratory systems, French and English.

use ecluse_core::catalog::Table;
use ecluse_core::class::Class;
use ecluse_core::classify::{Context, is_credential, propose};

use crate::dump;

fn table(name: &str, columns: &[(&str, &str)]) -> Table {
    let key = columns.iter().take(1).map(|(name, _)| (*name).to_owned()).collect();
    let columns = columns.iter().map(|(name, ty)| dump::column(name, ty)).collect();
    Table { columns, key, ..dump::table(name) }
}

/// A table's name, and per column its name, type and the class it should get.
type Case = (&'static str, &'static [(&'static str, &'static str, Class)]);

// proves: INS-03, INS-04
#[test]
fn an_invented_system_in_two_languages() {
    let cases: &[Case] = &[
        (
            "PATIENT",
            &[
                ("PAT_ID", "int", Class::Technical),
                ("NOM_USUEL", "varchar(50)", Class::Identity),
                ("DateNaissance", "date", Class::Identity),
                ("NumeroTelephone", "varchar(20)", Class::Contact),
                ("NIR", "varchar(15)", Class::NationalIdentifier),
                ("INS", "varchar(15)", Class::NationalIdentifier),
                ("NomConjoint", "varchar(50)", Class::ThirdParty),
                ("MedecinTraitant", "varchar(50)", Class::ThirdParty),
                ("MDP_PORTAIL", "varchar(60)", Class::Credential),
                ("usernameToken", "varchar(60)", Class::Credential),
                ("resetToken", "varchar(60)", Class::Credential),
                ("OBSERVATIONS", "text", Class::FreeText),
                ("RENSEIGNEMENTS_CLINIQUES", "varchar(80)", Class::FreeText),
                ("GroupeSanguin", "varchar(3)", Class::SensitiveResult),
                ("photo", "blob", Class::Attachment),
                ("divers", "text", Class::FreeText),
            ],
        ),
        (
            "app_user",
            &[
                ("id", "int NOT NULL AUTO_INCREMENT", Class::Technical),
                ("first_name", "varchar(50)", Class::Staff),
                ("email", "varchar(50)", Class::Staff),
                ("password_hash", "varchar(100)", Class::Credential),
                ("pwd2", "varchar(100)", Class::Credential),
                ("api_key", "varchar(100)", Class::Credential),
                ("totp_secret", "varchar(100)", Class::Credential),
                ("mot_de_passe", "varchar(100)", Class::Credential),
                ("password_reset_date", "date", Class::Credential),
                ("token_expiry", "date", Class::Staff),
            ],
        ),
        (
            "test_result",
            &[
                ("result_id", "int", Class::Result),
                ("value_numeric", "decimal(10,3)", Class::Result),
                ("hiv_flag", "tinyint(1)", Class::SensitiveResult),
                ("comments", "varchar(200)", Class::FreeText),
                ("validated_by_user", "varchar(40)", Class::Staff),
                ("report_pdf", "blob", Class::Attachment),
                ("invoice_amount", "decimal(8,2)", Class::Billing),
            ],
        ),
        (
            "prescripteurs",
            &[("nom", "varchar(40)", Class::ThirdParty), ("tel", "varchar(40)", Class::ThirdParty)],
        ),
        (
            // keys and references of numeric(10,0), as some systems keep them
            "analysis_result",
            &[
                ("id", "decimal(10,0)", Class::Technical),
                ("test_id", "decimal(10,0)", Class::Technical),
                ("parent_analysis_id", "decimal(10,0)", Class::Technical),
                ("parent", "varchar(40)", Class::ThirdParty),
                ("min_normal", "double", Class::Result),
                ("lastupdated", "datetime", Class::Audit),
            ],
        ),
        (
            "persons",
            &[
                ("id", "int", Class::Technical),
                ("birth_date", "date", Class::Identity),
                ("first_name", "varchar(40)", Class::Identity),
                ("last_name", "varchar(40)", Class::Identity),
                ("national_id", "varchar(255)", Class::NationalIdentifier),
                ("medicare_id", "varchar(240)", Class::NationalIdentifier),
            ],
        ),
        (
            "pending_code",
            &[
                ("test_name", "varchar(40)", Class::Technical),
                ("first_seen_at", "datetime", Class::Technical),
            ],
        ),
        // a specimen's table with a birth in it is not the patients'
        (
            "sample_newborn",
            &[
                ("id", "int", Class::Technical),
                ("weight", "decimal(5,2)", Class::Result),
                ("multi_birth", "char(1)", Class::Identity),
            ],
        ),
        ("qc_control", &[("lot_value", "decimal(8,2)", Class::Quality), ("operator", "int", Class::Audit)]),
    ];
    for (name, columns) in cases {
        let shape: Vec<(&str, &str)> = columns.iter().map(|(c, ty, _)| (*c, *ty)).collect();
        let table = table(name, &shape);
        let context = Context::of(&table);
        for (column, (_, _, wanted)) in table.columns.iter().zip(*columns) {
            let proposal = propose(&context, column);
            assert_eq!(proposal.class, *wanted, "{name}.{}: {}", column.name, proposal.reason);
            assert!(!proposal.reason.is_empty());
        }
    }
}

#[test]
fn a_number_without_a_precision_is_no_text_however_it_travels() {
    let mut table = table("note", &[("id", "int"), ("reference_id", "text"), ("value", "text")]);
    for column in table.columns.iter_mut().skip(1) {
        column.sql_type = "numeric".to_owned();
    }
    let context = Context::of(&table);
    let class = |column: usize| propose(&context, &table.columns[column]).class;
    assert_eq!((class(1), class(2)), (Class::Technical, Class::Result));
}

// proves: INS-04
#[test]
fn a_credential_shows_by_its_name_alone() {
    for name in [
        "mdp",
        "MDP",
        "password",
        "Passwort",
        "PASSWD",
        "password_hash",
        "user_pwd",
        "token",
        "auth_token",
        "sessionToken",
        "api_key",
        "apiKey",
        "otp",
        "pin",
        "secret",
        "salt",
        "motDePasse",
        "mot_de_passe",
        "passwordHash",
        "md5",
        "sha1",
        "privateKey",
        "codeAcces",
        "userpassword",
        "pwd1",
        "totpSeed",
        "hash_mdp",
        "password_number",
    ] {
        assert!(is_credential("patient", name), "{name}");
    }
    for name in [
        "passage",
        "compass",
        "pinene",
        "commentaire",
        "otp_phone_number",
        "token_count",
        "saline",
        "opinion",
        "hashtag",
        "nom",
        "cle",
    ] {
        assert!(!is_credential("patient", name), "{name}");
    }
}
