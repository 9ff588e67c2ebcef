//! Text that is not in the encoding its column declares: its row is refused by code, the
//! others move, and no byte of it is said.

use ecluse_testkit::leak::Search;
use ecluse_testkit::server;

use crate::base::Base;
use crate::pair::{Pair, migrated};

/// What stands before the byte that no UTF-8 holds.
const BEFORE: &str = "QyILiesAbout";
/// The row that holds it.
const ROW: u64 = 7;

/// The result 7 lies. Refused with tolerance 0, refused alone and tolerated with 1.
fn the_row_is_refused_and_no_other(pair: &Pair, code: &str, more: &[&str]) {
    let mut made = pair.direct();
    let search = Search::new(&[BEFORE]);
    if !more.is_empty() {
        migrated(&made, &pair.run("strict"), &[]).is(1, "ECL-SRC-208");
    }
    let strict = migrated(&made, &pair.run("strict"), more);
    strict.is(1, "ECL-RUN-012");
    let refused = [(format!("{code} resultat.valeur"), 1)];
    assert_eq!(pair.refused("strict"), refused);
    let there = format!("select count(*), sum(case when id = {ROW} then 1 else 0 end) from resultat");
    assert_eq!(pair.to.sql(&there), "199|0", "the others moved");

    pair.empty();
    Pair::tolerate_one(&mut made);
    let tolerant = migrated(&made, &pair.run("tolerant"), more);
    tolerant.holds();
    assert_eq!(pair.refused("tolerant"), refused);
    assert_eq!(pair.to.sql(&there), "199|0");
    let run = pair.run("tolerant").display().to_string();
    let arguments = [&["reconcile", &run][..], if more.is_empty() { &[] } else { &["--frozen"] }].concat();
    let read_back = made.run(&arguments);
    assert!(read_back.status.success(), "{read_back:?}");
    for said in [strict.said(), tolerant.said()] {
        assert_eq!(search.bytes("said", said.as_bytes()), []);
    }
    for run in ["strict", "tolerant"] {
        assert_eq!(search.folder(&pair.run(run)), []);
    }
}

#[test]
fn a_sqlite_text_that_is_no_utf_8_refuses_its_row() {
    let home = tempfile::tempdir().unwrap();
    let pair = Pair::new(Base::sqlite(home.path(), "old.db"), Base::sqlite(home.path(), "new.db"), 20);
    let bytes = data_encoding::HEXLOWER.encode(&[BEFORE.as_bytes(), b"\xff"].concat());
    pair.from.sql(&format!("update resultat set valeur = cast(x'{bytes}' as text) where id = {ROW}"));
    the_row_is_refused_and_no_other(&pair, "ECL-SRC-003", &[]);
}

#[test]
fn a_text_of_a_postgresql_without_encoding_refuses_its_row() {
    let (Some(server), Some(to)) = (server::postgres(), Base::postgres("lies")) else { return };
    let from = Base::Postgres(server.database_in("ascii", "encoding 'SQL_ASCII' locale 'C'"));
    let pair = Pair::new(from, to, 20);
    pair.from.sql(&format!(
        "update resultat set valeur = E'{BEFORE}\\xe9' where id = {ROW};
         update resultat set valeur = E'caf\\xc3\\xa9' where id = 8"
    ));
    the_row_is_refused_and_no_other(&pair, "ECL-SRC-511", &[]);
    assert_eq!(pair.to.sql("select valeur from resultat where id = 8"), "café", "what is UTF-8 moves");
}

/// A MariaDB checks text on its way in; a table's file that came under another definition is
/// believed. And a `latin1` column into which a program wrote UTF-8 says what it says: its
/// characters move as the server itself converts them, nothing is guessed.
#[test]
fn a_mariadb_text_that_lies_refuses_its_row_and_latin1_moves_as_it_says() {
    let (Some(from), Some(to)) = (Base::mariadb("lies"), Base::postgres("lies")) else { return };
    let pair = Pair::new(from, to, 20);
    pair.from.sql(&format!(
        "alter table patient modify nom varchar(40) character set latin1 not null;
         update patient set nom = _latin1 x'52656ec3a965' where id = 3;
         create table raw (id bigint not null primary key, patient_id bigint not null, valeur varbinary(120)) engine = myisam;
         insert into raw select * from resultat;
         update raw set valeur = concat('{BEFORE}', x'e9') where id = {ROW};
         drop table resultat;
         create table resultat (id bigint not null primary key, patient_id bigint not null,
             valeur varchar(40) character set utf8mb3) engine = myisam;
         flush tables;"
    ));
    let Base::Mariadb(database) = &pair.from else { return };
    let folder = database.server().data_folder().join(database.name());
    for end in ["MYD", "MYI"] {
        std::fs::copy(folder.join(format!("raw.{end}")), folder.join(format!("resultat.{end}"))).unwrap();
    }
    pair.from.sql("flush tables; drop table raw;");
    the_row_is_refused_and_no_other(&pair, "ECL-SRC-003", &["--frozen"]);
    let name = "select nom from patient where id = 3";
    assert_eq!(pair.to.sql(name), "RenÃ©e");
    assert_eq!(pair.to.sql(name), pair.from.sql(name), "as the server converts it");
}
