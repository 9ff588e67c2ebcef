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
        assert!(is_credential(name), "{name}");
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
        assert!(!is_credential(name), "{name}");
    }
}
