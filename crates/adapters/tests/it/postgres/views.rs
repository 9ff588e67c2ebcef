//! The administrator's views are the printed script's: the server's own text of both, compared.

use ecluse_adapters::postgres::{Source, grants};
use ecluse_core::filter::{Comparison, Filter};
use ecluse_core::plan::Plan;
use ecluse_core::value::Value;
use ecluse_flow::ports::{Scope, Source as _};
use ecluse_testkit::server::{self, PostgresDatabase};

use super::help::{at, at_as};
use crate::common::{Wanted, every, planned};

const SCHEMA: &str = "ecluse_0a1b2c3e";
const TABLES: &str = "
    create schema lab;
    create table lab.patient (id int primary key, nom varchar(40), prenom varchar(40), naissance date, service char(4),
        vu timestamp, recu timestamptz, poids numeric(8,3), actif bool, cle uuid, empreinte bytea, heure time);
    create table lab.resultat (id int8 primary key, patient_id int not null, valeur text);
    insert into lab.patient (id, nom, prenom) values (1, 'Fontenelle', 'Aude'), (2, 'Sauvageot', 'Luc');
    insert into lab.resultat values (10, 1, '5.1'), (11, 2, '6');
    revoke create on schema public from public;";

const PATIENT: [&str; 12] = [
    "id",
    "nom",
    "prenom",
    "naissance",
    "service",
    "vu",
    "recu",
    "poids",
    "actif",
    "cle",
    "empreinte",
    "heure",
];

struct Wall {
    database: PostgresDatabase,
    plan: Plan,
    role: String,
}

impl Wall {
    /// The script run for patients under this filter, and the results of those chosen.
    fn new(hint: &str, filter: Filter) -> Option<Self> {
        let database = server::postgres()?.database(hint);
        database.sql(TABLES);
        let catalog = Source::connect(&at(&database)).unwrap().catalog(Scope::Everything).unwrap();
        let view = |name: &str| Some(format!("{SCHEMA}.{name}"));
        let plan = planned(
            &catalog,
            &[
                Wanted { filter, view: view("patient"), ..every("lab.patient", &PATIENT) },
                Wanted {
                    filter: Filter::Chosen { column: 1, table: 0, other: 0 },
                    view: view("resultat"),
                    ..every("lab.resultat", &[])
                },
            ],
        );
        let role = format!("v_{}", database.name());
        database.sql(&grants(&plan, &role, database.name()).unwrap().give);
        Some(Self { database, plan, role })
    }

    fn source(&self) -> Source {
        Source::connect(&at_as(&self.database, &self.role)).unwrap()
    }

    /// The code with which the snapshot is refused, and the view it names.
    fn refused(&self) -> (&'static str, String) {
        let fault = self.source().open(&self.plan, false).unwrap_err();
        (fault.code().id, fault.detail().to_owned())
    }

    /// Statements of the role that ask a view or a table for rows.
    fn reads(&self) -> Vec<String> {
        let asks = |text: &str| {
            let text = text.trim_start().to_lowercase();
            ["copy", "select", "declare"].iter().any(|verb| text.starts_with(verb))
                && ["patient", "resultat"]
                    .iter()
                    .any(|name| text.contains(&format!("from \"{SCHEMA}\".\"{name}")))
        };
        self.database.statements().into_iter().map(|s| s.text).filter(|text| asks(text)).collect()
    }
}

impl Drop for Wall {
    fn drop(&mut self) {
        let _ = self.database.try_sql(&format!("drop owned by {0}; drop role {0}", self.role));
    }
}

/// One filter of every shape, over every type that a filter may ask about.
fn every_shape() -> Filter {
    let is = |column, op, value| Filter::Compare { column, op, value };
    let text = |text: &str| Value::Text(text.to_owned());
    Filter::Or(vec![
        Filter::And(vec![
            is(0, Comparison::Ge, Value::Int(-5)),
            is(1, Comparison::Ne, text("d'Août\\ \"x\"")),
            Filter::OneOf { column: 2, values: vec![text("Aude"), text("Élise 🩸")] },
            Filter::OneOf { column: 2, values: vec![text("Aude")] },
            Filter::StartsWith { column: 4, prefix: "A%_".to_owned() },
        ]),
        Filter::Not(Box::new(Filter::IsNull { column: 3 })),
        is(3, Comparison::Lt, Value::Date(17_897)),
        is(5, Comparison::Le, Value::Timestamp(1_500_000)),
        is(6, Comparison::Gt, Value::Instant(-1)),
        is(7, Comparison::Eq, Value::Decimal { unscaled: -1_500, scale: 3 }),
        is(8, Comparison::Eq, Value::Bool(true)),
        is(9, Comparison::Eq, Value::Uuid([7; 16])),
        is(10, Comparison::Ne, Value::Bytes(vec![0, 255])),
        is(11, Comparison::Lt, Value::Time(43_200_000_001)),
        Filter::Not(Box::new(Filter::Every)),
    ])
}

#[test]
fn the_views_of_the_script_are_known_again_whatever_their_filter() {
    for (hint, filter) in [("views_shape", every_shape()), ("views_every", Filter::Every)] {
        let Some(wall) = Wall::new(hint, filter) else { return };
        let mut source = wall.source();
        assert_eq!(source.excess(&wall.plan).unwrap(), []);
        let opened = source.open(&wall.plan, false).unwrap();
        assert!(opened.limits.iter().all(|limit| !limit.contains("text")), "{opened:?}");
        // nothing of ours is left behind
        let left = wall.database.sql("select count(*) from pg_class where relname like 'ecluse\\_%'");
        assert_eq!(left.trim(), "0");
    }
}

/// Fails with the guard off: every one of these opens, gives rows that pass the filter in
/// process, and loses or exchanges values in silence.
#[test]
fn a_narrower_view_a_swapped_column_or_another_table_is_refused_before_a_row() {
    let Some(wall) = Wall::new("views_other", Filter::IsNull { column: 3 }) else { return };
    let columns = PATIENT.map(|c| format!("\"{c}\"")).join(", ");
    let swapped = columns.replace("\"nom\", \"prenom\"", "\"prenom\" as nom, \"nom\" as prenom");
    let right = "naissance is null";
    wall.database.sql("create table lab.patient2 (like lab.patient)");
    let (code, view) = ("ECL-SRC-522", format!("{SCHEMA}.patient"));
    for (what, body) in [
        ("narrower", format!("select {columns} from lab.patient where {right} and id <> 2 order by id")),
        ("wider", format!("select {columns} from lab.patient order by id")),
        ("limited", format!("select {columns} from lab.patient where {right} order by id limit 1")),
        ("swapped", format!("select {swapped} from lab.patient where {right} order by id")),
        ("another table", format!("select {columns} from lab.patient2 where {right} order by id")),
    ] {
        wall.database
            .sql(&format!("create or replace view {SCHEMA}.patient with (security_barrier) as {body}"));
        assert_eq!(wall.refused(), (code, view.clone()), "{what}");
    }
    // in the script's own words it is known again
    wall.database.sql(&format!(
        "create or replace view {SCHEMA}.patient with (security_barrier) as select {columns} from lab.patient where {right} order by id"
    ));
    let mut source = wall.source();
    source.open(&wall.plan, false).unwrap();
    assert_eq!(wall.reads(), Vec::<String>::new());
    source.count(&wall.plan.tables()[0]).unwrap();
    assert_eq!(wall.reads().len(), 1, "the search of the log sees a read");
}

/// The lock on the view, taken before its text is compared, stands until the snapshot ends.
#[test]
fn a_view_cannot_be_replaced_while_it_is_read() {
    let Some(wall) = Wall::new("views_lock", Filter::Every) else { return };
    let mut source = wall.source();
    source.open(&wall.plan, false).unwrap();
    let columns = PATIENT.join(", ");
    let replace = format!(
        "set lock_timeout = '100ms'; create or replace view {SCHEMA}.patient with (security_barrier) as \
         select {columns} from lab.patient where id = 1"
    );
    assert!(wall.database.try_sql(&replace).unwrap_err().contains("lock timeout"));
    source.close().unwrap();
    wall.database.sql(&replace);
    assert_eq!(wall.refused().0, "ECL-SRC-522");
}

#[test]
fn a_role_with_which_the_text_cannot_be_compared_is_refused() {
    let Some(wall) = Wall::new("views_rights", Filter::Every) else { return };
    let (database, role) = (wall.database.name().to_owned(), &wall.role);
    for (take, give) in [
        (
            format!("revoke temporary on database {database} from {role}, public"),
            format!("grant temporary on database {database} to {role}"),
        ),
        (format!("revoke usage on schema lab from {role}"), format!("grant usage on schema lab to {role}")),
    ] {
        wall.database.sql(&take);
        assert_eq!(wall.refused().0, "ECL-SRC-523", "{take}");
        wall.database.sql(&give);
        wall.source().open(&wall.plan, false).unwrap();
    }
}
