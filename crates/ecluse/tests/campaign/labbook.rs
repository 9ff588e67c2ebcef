//! An invented laboratory of a few patients in LabBook's own tables.

use std::process::Command;

use ecluse_testkit::server::{Mariadb, MariadbDatabase};

/// The statements that make LabBook's tables, those of them that its dictionary knows; `None` (said
/// loudly) where LabBook's schema is absent.
pub(crate) fn tables() -> Option<String> {
    let folder = ecluse_testkit::outside_data("labbook")?;
    let zcat = Command::new("zcat").arg(folder.join("sigl-schema.sql.gz")).output().unwrap();
    assert!(zcat.status.success());
    let schema = String::from_utf8_lossy(&zcat.stdout).into_owned();
    let dictionary = include_str!("../../../../dictionaries/labbook-3.5.toml");
    let known = dictionary.lines().filter_map(|l| l.strip_prefix("name  = \"")?.strip_suffix('"'));
    let mut script = String::from("set sql_mode = ''; set foreign_key_checks = 0;\n");
    for table in known {
        let head = format!("CREATE TABLE `{table}` (");
        let (_, after) = schema.split_once(&head).unwrap_or_else(|| panic!("{table}"));
        let (body, _) = after.split_once(";\n").unwrap();
        script += &format!("{head}{body};\n");
    }
    Some(script)
}

/// What stays: an address, a telephone, an account's password.
pub(crate) fn canaries(laboratory: usize) -> [String; 3] {
    ["rue", "tel", "mdp"].map(|what| format!("{what}-never-moves-{laboratory:02}x"))
}

/// What moves: a name that no other laboratory has.
pub(crate) fn family(laboratory: usize) -> String {
    format!("Inventé{laboratory:02}")
}

/// A database with three patients, four requests and their results.
pub(crate) fn database(server: &Mariadb, tables: &str, laboratory: usize) -> MariadbDatabase {
    let database = server.database(&format!("lab{laboratory:02}"));
    let [street, telephone, password] = canaries(laboratory);
    let family = family(laboratory);
    let mut rows = format!(
        "insert into sigl_dico_data (id_data, dico_name, label, short_label) values (1, 'unite_valeur', 'mmol/L', 'mmol/L');
         insert into sigl_05_data (id_data, id_owner, code, nom) values (1, 1, 'B0552', 'Glycémie');
         insert into sigl_07_data (id_data, id_owner, libelle, code_var, unite) values (1, 1, 'Glucose', 'V1', 1);
         insert into sigl_05_07_data (id_data, id_owner, id_refanalyse, id_refvariable, position) values (1, 1, 1, 1, 1);
         insert into sigl_user_data (id_data, id_owner, firstname, lastname, username, password, status)
             values (100, 1, 'Élise', 'Vauquelin', 'evauquelin', '{password}', 'A');\n"
    );
    for patient in 1..=3 {
        rows += &format!(
            "insert into sigl_03_data (id_data, id_owner, code, nom, prenom, ddn, sexe, adresse, tel) values
                 ({patient}, 1, 'P{patient}', '{family}', 'Prénom{patient}', '1980-0{patient}-01', {}, '{street}', '{telephone}');\n",
            patient % 2 + 1
        );
    }
    for request in 1..=4 {
        rows += &asked(request, request % 3 + 1);
    }
    // what the order's filter leaves: a request that nobody validated
    rows += "insert into sigl_02_data (id_data, id_owner, id_patient, date_prescription, rec_date_receipt, statut)
                 values (9, 1, 1, '2020-03-01', '2020-03-01 08:00:00', 253);";
    database.sql(&format!("{tables}{rows}"));
    database
}

/// A request of a patient, with its specimen, its analysis, its result and its validation.
pub(crate) fn asked(request: usize, patient: usize) -> String {
    format!(
        "insert into sigl_02_data (id_data, id_owner, id_patient, date_prescription, rec_date_receipt, statut)
             values ({request}, 1, {patient}, '2020-02-0{request}', '2020-02-0{request} 08:00:00', 256);
         insert into sigl_01_data (id_data, id_owner, id_dos, type_prel, statut, samp_date)
             values ({request}, 1, {request}, 1, 8, '2020-02-0{request}');
         insert into sigl_04_data (id_data, id_owner, id_dos, ref_analyse) values ({request}, 1, {request}, 1);
         insert into sigl_09_data (id_data, id_owner, id_analyse, ref_variable, valeur) values ({request}, 1, {request}, 1, '5.{request}');
         insert into sigl_10_data (id_data, id_owner, id_resultat, type_validation, utilisateur, date_validation)
             values ({request}, 1, {request}, 252, 100, '2020-02-0{request} 10:00:00');\n"
    )
}
