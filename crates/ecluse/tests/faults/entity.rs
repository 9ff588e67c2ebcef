//! Three laboratories in one base: one instructs its own rows, and the others' are never read.

use std::path::Path;

use ecluse_testkit::migration::{Migration, Ordered};
use ecluse_testkit::papers::Paper;

use crate::base::Base;
use crate::laboratory::now;
use crate::pair::{plainly, reconciled};

const TABLES: &str = "
create table examen (code varchar(20) not null primary key, libelle varchar(40));
create table patient (id integer not null primary key, nom varchar(40) not null);
create table demande (id integer not null primary key, site integer not null,
  patient_id integer not null references patient (id));
create table resultat (id integer not null primary key, demande_id integer not null references demande (id),
  valeur varchar(40));
";

/// Sites 1, 2 and 3 in turn; patient 4 goes to two of them.
const ROWS: &str = "
insert into examen values ('GLY', 'Glycemie'), ('NA', 'Sodium');
insert into patient values (1, 'Voisin-1'), (2, 'Nom-2'), (3, 'Voisin-3'), (4, 'Nom-4'), (5, 'Nom-5');
insert into demande values (1, 1, 1), (2, 2, 2), (3, 3, 3), (4, 1, 4), (5, 2, 4), (6, 2, 5);
insert into resultat values (1, 1, 'Voisin'), (2, 2, 'V2'), (3, 3, 'Voisin'), (4, 4, 'Voisin'), (5, 5, 'V5'), (6, 6, 'V6');
";

const ENTITY: &str =
    "[entity]\nfiness = \"340012345\"\ncolumns = [\"demande.site\"]\nvalue = 2\n\n[source]\n";

fn order(patients: &'static str) -> Vec<Ordered> {
    let some = |table, rows, columns| Ordered { table, rows, columns, reasoned: vec![] };
    vec![
        some("examen", "true", vec!["code", "libelle"]),
        some("demande", "site == 2", vec!["id", "site", "patient_id"]),
        some("patient", patients, vec!["id", "nom"]),
        some("resultat", "demande_id in chosen.demande", vec!["id", "demande_id", "valeur"]),
    ]
}

/// The papers of the laboratory of site 2.
fn made(from: &Base, to: &Base, folder: &Path, patients: &'static str) -> Migration {
    std::fs::create_dir(folder).unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_ecluse"));
    let (source, destination) = (from.as_source(), to.as_destination());
    let mut made = Migration::new(program, folder, now(), &source, &destination, &order(patients));
    made.papers().edit(Paper::Instruction, "[source]\n", ENTITY);
    made.papers().write(folder);
    made
}

/// Says why the tests are every laboratory's, as the laboratory would.
fn share(made: &mut Migration) {
    let label = "label = \"examen\"\n";
    made.papers().edit(Paper::Instruction, label, &format!("{label}shared = \"tests, the same for all\"\n"));
    let folder = made.folder().to_owned();
    made.papers().write(&folder);
}

fn neighbours_are_never_read(from: &Base, to: &Base, home: &Path) {
    from.sql(&format!("{TABLES}{ROWS}"));
    to.sql(TABLES);
    // the tests are nobody's, and patients would be everybody's
    let mut wide = made(from, to, &home.join("wide"), "true");
    let refused = plainly(&wide, &home.join("run-wide"), &[]);
    refused.is(1, "ECL-PLN-047");
    assert_eq!(refused.errors.matches("error[ECL-PLN-047]").count(), 2, "{refused:?}");
    share(&mut wide);
    let refused = plainly(&wide, &home.join("run-wide"), &[]);
    refused.is(1, "ECL-PLN-047");
    assert!(refused.errors.contains("patient may hold rows of another legal entity"), "{refused:?}");

    let mut made = made(from, to, &home.join("lab"), "id in chosen.demande.patient_id");
    share(&mut made);
    if let Base::Postgres(source) = from {
        made.grant_reader(source);
    }
    let run = home.join("run");
    plainly(&made, &run, &[]).holds();
    reconciled(&made, &run).holds();
    assert_eq!(to.sql("select id, nom from patient order by id"), "2|Nom-2\n4|Nom-4\n5|Nom-5");
    assert_eq!(to.sql("select id from demande order by id"), "2\n5\n6");
    assert_eq!(to.sql("select id, valeur from resultat order by id"), "2|V2\n5|V5\n6|V6");
    assert_eq!(to.sql("select count(*) from examen"), "2");
}

#[test]
fn neighbours_in_one_base_are_never_read_from_postgresql() {
    let home = tempfile::tempdir().unwrap();
    let (Some(from), Some(to)) = (Base::postgres("entity"), Base::postgres("entity")) else { return };
    neighbours_are_never_read(&from, &to, home.path());
    // what the server itself was asked: the administrator's views, which hold the filters, and no table
    // (a temporary view is made to compare its text with the administrator's; nobody reads it)
    let mut statements = from.statements_of_the_program();
    statements.retain(|s| !s.starts_with("CREATE TEMPORARY VIEW"));
    let reads: Vec<&String> =
        statements.iter().filter(|s| s.contains("\"nom\"") || s.contains("\"valeur\"")).collect();
    assert!(reads.iter().any(|s| s.contains("\"ecluse_")), "{statements:#?}");
    let tables = ["\"public\".\"patient\"", "\"public\".\"demande\"", "\"public\".\"resultat\""];
    for table in tables {
        let asked: Vec<&String> = statements.iter().filter(|s| s.contains(table)).collect();
        assert!(asked.iter().all(|s| !s.contains("\"nom\"") && !s.contains("\"valeur\"")), "{asked:#?}");
    }
}

#[test]
fn neighbours_in_one_base_are_never_read_from_sqlite() {
    let home = tempfile::tempdir().unwrap();
    let (from, to) = (Base::sqlite(home.path(), "old.db"), Base::sqlite(home.path(), "new.db"));
    neighbours_are_never_read(&from, &to, home.path());
}
