//! A real dump of a real PostgreSQL in each form that pg_dump has for rows, with what such databases hold
//! besides plain tables: partitions, enumerations, domains. Each arrives as the server's own rows do.

use std::path::Path;
use std::process::{Command, Stdio};

use ecluse_testkit::migration::{End, Migration, Ordered};

use crate::base::Base;
use crate::dumps::{dump, output};
use crate::laboratory::now;
use crate::pair::Answer;

const SOURCE: &str = "
    create schema lab;
    create type mood as enum ('gai', 'l''un; (l\\autre)');
    create domain lab.positive as integer check (value > 0);
    create domain lab.code as character(8) not null;
    create table patient (id bigint generated always as identity primary key, nom text, humeur mood,
        note lab.positive, code lab.code, ok boolean, poids numeric(10,3), reel real, double double precision,
        vu timestamptz, jour date, brut bytea, uid uuid, doc jsonb, deux bigint generated always as (3 * 2) stored);
    insert into patient (nom, humeur, note, code, ok, poids, reel, double, vu, jour, brut, uid, doc)
        select case i % 4 when 0 then null when 1 then 'l''un' || chr(10) || '\\.' || chr(9) || i
                   when 2 then '\\N);--' else 'É ' || i end,
               case when i % 3 = 0 then null when i % 3 = 1 then 'gai' else 'l''un; (l\\autre)' end::mood,
               i, 'C' || i, i % 2 = 0, i / 7.0, i / 3.0, i / 3.0, timestamptz '2024-01-01 00:00:00.5+02' + i * interval '1 hour',
               date '1900-01-01' + i, decode(lpad(to_hex(i), 8, '0'), 'hex'),
               ('00000000-0000-0000-0000-' || lpad(i::text, 12, '0'))::uuid, jsonb_build_object('i', i, 'q', 'l''un\"')
        from generate_series(1, 300) i;
    create table evenement (id bigint not null, jour date not null, quoi text, primary key (id, jour))
        partition by range (jour);
    create table evenement_2023 partition of evenement for values from ('2023-01-01') to ('2024-01-01');
    create table evenement_2024 partition of evenement for values from ('2024-01-01') to ('2025-01-01')
        partition by range (id);
    create table lab.\"Evénement, bas\" partition of evenement_2024 for values from (0) to (200);
    create table lab.evenement_reste partition of evenement_2024 default;
    create table evenement_vide partition of evenement for values from ('2025-01-01') to ('2026-01-01');
    insert into evenement select i, date '2023-07-01' + i, 'quoi ' || i from generate_series(1, 400) i;
    create table vide (id bigint primary key, x text);
    create table autre (id bigint primary key, secret text);
    insert into autre select i, 'ne part pas' from generate_series(1, 10) i;
";

fn order() -> Vec<Ordered> {
    let patient = vec![
        "id", "nom", "humeur", "note", "code", "ok", "poids", "reel", "double", "vu", "jour", "brut", "uid",
        "doc",
    ];
    let of = |table, columns, reasoned| Ordered { table, rows: "true", columns, reasoned };
    vec![
        of("patient", patient, vec!["nom", "humeur"]),
        of("evenement", vec!["id", "jour", "quoi"], vec!["quoi"]),
        of("vide", vec!["id", "x"], vec!["x"]),
    ]
}

const ARRIVED: &str = "select id, nom, humeur, note, code, ok, poids, reel, double, vu, jour, hex(brut), hex(uid), doc \
    from patient order by id; select * from evenement order by id; select count(*) from vide; \
    select count(*), (select count(*) from evenement), (select count(*) from vide) from patient;";

/// Moves into a new SQLite file; what arrived there, and the figures of each table.
fn moved(home: &Path, name: &str, from: &End, more: &[&str], rows: Option<Command>) -> (String, String) {
    let folder = home.join(name);
    std::fs::create_dir(&folder).unwrap();
    let destination = Base::sqlite(&folder, "new.db");
    let exe = Path::new(env!("CARGO_BIN_EXE_ecluse"));
    let made = Migration::new(exe, &folder, now(), from, &destination.as_destination(), &order());
    let run = folder.join("run").display().to_string();
    let mut command = made.command(&["migrate", "--ddl", "--run", &run]);
    command.args(more);
    let mut dumping = rows.map(|mut rows| rows.stdout(Stdio::piped()).spawn().unwrap());
    if let Some(dumped) = dumping.as_mut().and_then(|d| d.stdout.take()) {
        command.stdin(dumped);
    }
    Answer::of(&command.output().unwrap()).holds();
    let figures = std::fs::read_to_string(folder.join("run/figures.json")).unwrap();
    let figures: serde_json::Value = serde_json::from_str(&figures).unwrap();
    let told = figures["tables"].as_array().unwrap().iter().map(|t| {
        format!("{} {} {} {} {}\n", t["source"], t["available"], t["asked"], t["moved"], t["refused"])
    });
    (destination.sql(ARRIVED), told.collect())
}

// proves: EXT-01
#[test]
fn a_dump_in_any_form_of_pg_dump_arrives_as_the_servers_own_rows_do() {
    let Some(source) = Base::postgres("forms") else { return };
    source.sql(SOURCE);
    let home = tempfile::tempdir().unwrap();
    let overrides = ["--without-views", "a test", "--accept-wider-role", "a test"];
    let (live, figures) = moved(home.path(), "live", &source.as_source(), &overrides, None);
    assert!(live.ends_with("300|400|0"), "{live}");
    let Base::Postgres(database) = &source else { return };
    let schema = home.path().join("schema.sql");
    std::fs::write(&schema, output(dump(&source, &["--schema-only"]))).unwrap();
    let from = End::dump("postgresql", database.name(), "-", &schema);
    let forms: [&[&str]; 7] = [
        &[],
        &["--inserts"],
        &["--column-inserts"],
        &["--inserts", "--rows-per-insert=50"],
        &["--column-inserts", "--rows-per-insert=7", "--no-privileges"],
        &["--load-via-partition-root"],
        &["--load-via-partition-root", "--inserts", "--no-owner"],
    ];
    for form in forms {
        let (arrived, told) =
            moved(home.path(), &format!("dump{}", form.concat()), &from, &[], Some(dump(&source, form)));
        assert_eq!(arrived, live, "{form:?}");
        assert_eq!(told, figures, "{form:?}");
    }
}
