//! The two ends as the operator gives them: the environment, passwords, engines without transactions.

use crate::migration::Migration;

/// Variables that the engines' own clients obey.
const CLIENTS: [&str; 9] = [
    "PGHOST",
    "PGHOSTADDR",
    "PGPORT",
    "PGUSER",
    "PGDATABASE",
    "PGOPTIONS",
    "PGSERVICE",
    "MYSQL_HOST",
    "MYSQL_TCP_PORT",
];

// With the environment read, the right password in it would open the source.
#[test]
fn a_password_in_the_environment_opens_nothing_and_one_in_the_file_counts() {
    if let Some(mut migration) = Migration::new("pgpassword") {
        let server = migration.source.server().clone();
        let pgpass = migration.path("pgpass");
        std::fs::write(&pgpass, format!("*:*:*:*:{}\n", server.password())).unwrap();
        std::fs::set_permissions(&pgpass, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        migration.environment =
            vec![("PGPASSWORD", server.password()), ("PGPASSFILE", pgpass.display().to_string())];
        migration.password = Some("not-the-password");
        migration.is_refused("the right password in PGPASSWORD and PGPASSFILE", "SRC-506");
        let answer = migration.migrate();
        assert!(answer.text.contains(&migration.path("password").display().to_string()), "{}", answer.text);
        assert!(!answer.text.contains("not-the-password") && !answer.text.contains(&server.password()));

        migration.password = None;
        migration.environment = vec![("PGPASSWORD", "not-the-password".to_owned())];
        migration.environment.extend(CLIENTS.map(|name| (name, "nowhere.invalid".to_owned())));
        let answer = migration.migrate();
        assert_eq!(answer.code, Some(0), "{}", answer.text);
    }
    if let Some(mut migration) = Migration::mariadb("mysqlpwd") {
        migration.environment = vec![("MYSQL_PWD", migration.source.server().password())];
        migration.password = Some("not-the-password");
        migration.is_refused("the right password in MYSQL_PWD", "SRC-202");
        migration.password = None;
        migration.environment = vec![("MYSQL_PWD", "not-the-password".to_owned())];
        migration.environment.extend(CLIENTS.map(|name| (name, "nowhere.invalid".to_owned())));
        let answer = migration.migrate();
        assert_eq!(answer.code, Some(0), "{}", answer.text);
    }
}

#[test]
fn tables_without_transactions_move_only_on_the_operators_word() {
    let Some(mut migration) = Migration::mariadb_with(
        "myisam",
        "create or replace table resultat (id int primary key, patient_id int not null, valeur text) engine = myisam;
         insert into resultat values (10, 1, '5.1'), (11, 2, '6'), (12, 3, null), (13, 1, '4.9');",
    ) else {
        return;
    };
    migration.is_refused("MyISAM", "SRC-208");
    let answer = migration.migrate();
    assert!(answer.text.contains("resultat, MyISAM") && answer.text.contains("--frozen"), "{}", answer.text);
    migration.arguments.push("--frozen");
    let answer = migration.migrate();
    assert_eq!(answer.code, Some(0), "{}", answer.text);
    assert_eq!((migration.moved("patient"), migration.moved("resultat")), (3, 4));
    let figures = std::fs::read_to_string(migration.path("run/figures.json")).unwrap();
    assert!(
        figures.contains("MyISAM") && figures.contains("--frozen"),
        "the report's limits say it: {figures}"
    );
}
