//! What somebody did, since the move, in columns that no run fills.

use crate::base::Base;
use crate::undo::{moved, pairs, rows, undone};

/// Columns beside the written ones: one empty, one with a constant, one that is computed from others, one that the
/// clock fills (SQLite adds none of these two to a table that stands).
fn widened(to: &Base) {
    to.sql("alter table patient add column note varchar(20)");
    to.sql("alter table patient add column statut varchar(10) not null default 'N'");
    to.sql("alter table patient add column taux numeric(6,2) default 0");
    if !matches!(to, Base::Sqlite(_)) {
        to.sql("alter table patient add column lu varchar(50) generated always as (nom) stored");
        to.sql("alter table patient add column vu timestamp default current_timestamp");
    }
}

// proves: EXT-08
#[test]
fn work_in_a_column_that_nothing_filled_keeps_its_rows_and_is_named() {
    for (pair, _home) in pairs(60) {
        widened(&pair.to);
        let made = pair.direct();
        moved(&made, &pair, "run", &[]).holds();
        let dry = undone(&made, &pair, "run", &["--dry-run"]);
        dry.holds();
        assert_eq!(dry.out.contains("by itself"), dry.out.contains("patient.vu"), "{dry:?}");
        assert_eq!(dry.out.contains("patient.vu"), !matches!(pair.to, Base::Sqlite(_)), "{dry:?}");

        // `n` is `N` to a collation; `0.00` is the default
        pair.to.sql("update patient set note = 'A-rappeler' where id = 7");
        pair.to.sql("update patient set statut = 'n', taux = 0.00 where id = 9");
        undone(&made, &pair, "run", &["--dry-run"]).is(1, "ECL-UND-014");
        let answer = undone(&made, &pair, "run", &["--json"]);
        answer.is(1, "ECL-UND-014");
        let told: serde_json::Value = serde_json::from_str(&answer.out).unwrap();
        assert_eq!(
            (&told["tables"][0]["gone"], &told["tables"][1]["gone"]),
            (&0.into(), &600.into()),
            "{told}"
        );
        assert_eq!((&told["kept"][0]["table"], &told["kept"][0]["rows"]), (&"patient".into(), &60.into()));
        let differ = told["kept"][0]["differ"].as_array().unwrap();
        let named =
            differ.iter().map(|row| (row["column"].as_str().unwrap(), row["row"].as_str().unwrap().len()));
        assert_eq!(named.collect::<Vec<_>>(), [("note", 32), ("statut", 32)], "{told}");
        assert!(!answer.said().contains("A-rappeler"), "{answer:?}");
        assert_eq!(pair.to.sql("select count(*) from patient"), "60");
        let token = differ[0]["row"].as_str().unwrap();
        let shown = undone(&made, &pair, "run", &[]);
        assert!(shown.out.contains(&format!("row {token}   column note")), "{shown:?}");

        pair.to.sql("update patient set note = null, statut = 'N'");
        undone(&made, &pair, "run", &[]).holds();
        assert_eq!(rows(&pair), "");
    }
}

// fails with the guard off: what a partition's own trigger wrote is taken for somebody's work, in every row
#[test]
fn what_the_trigger_of_a_partition_fills_is_no_work() {
    for (pair, _home) in pairs(60).into_iter().filter(|(pair, _)| matches!(pair.to, Base::Postgres(_))) {
        pair.to.sql(
            "drop table patient;
             create table patient (id bigint not null primary key, nom varchar(40) not null, vu varchar(9),
                 note varchar(9)) partition by range (id);
             create table patient_une partition of patient default;
             create function vu() returns trigger language plpgsql as
                 $$ begin new.vu := 'vu'; return new; end $$;
             create trigger vu before insert on patient_une for each row execute function vu()",
        );
        let made = pair.direct();
        moved(&made, &pair, "run", &[]).holds();
        assert_eq!(pair.to.sql("select count(*) from patient where vu = 'vu'"), "60");
        let dry = undone(&made, &pair, "run", &["--dry-run"]);
        dry.holds();
        assert!(dry.out.contains("by itself") && dry.out.contains("patient.vu"), "{dry:?}");
        undone(&made, &pair, "run", &[]).holds();
        assert_eq!(rows(&pair), "");
    }
}
