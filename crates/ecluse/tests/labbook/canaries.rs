//! LabBook with a canary in every column and row that was not ordered: found nowhere.

use std::fmt::Write as _;
use std::io::{Read as _, Seek as _};
use std::process::Command;
use std::time::Duration;

use ecluse_testkit::canary::{Canaries, Side};
use ecluse_testkit::leak::{Found, Search};
use ecluse_testkit::papers::granted_by;
use ecluse_testkit::proxy::{Proxy, Traffic};

use crate::migration::{INSTRUCTION, Migration};

/// The order's filters again, in SQL that this test wrote itself: tables of which rows stay.
const CHOSEN: [(&str, &str); 8] = [
    ("sigl_02_data", "rec_date_receipt >= '2015-01-01' and statut = 256"),
    ("sigl_03_data", "id_data in (select id_patient from sigl_02_data where {sigl_02_data})"),
    ("sigl_01_data", "id_dos in (select id_data from sigl_02_data where {sigl_02_data})"),
    ("sigl_04_data", "id_dos in (select id_data from sigl_02_data where {sigl_02_data})"),
    ("sigl_09_data", "id_analyse in (select id_data from sigl_04_data where {sigl_04_data})"),
    (
        "sigl_10_data",
        "id_resultat in (select id_data from sigl_09_data where {sigl_09_data}) \
         and type_validation = 252 and motif_annulation is null",
    ),
    ("sigl_user_data", "id_data in (select utilisateur from sigl_10_data where {sigl_10_data})"),
    (
        "sigl_dico_data",
        "binary dico_name in ('unite_valeur', 'famille_analyse', 'type_prel', 'type_resultat', 'prel_statut')",
    ),
];

/// The rows of each table that stay, by their keys: planting must not change which they are.
fn staying(m: &Migration) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    for (table, _) in CHOSEN {
        let mut condition = format!("{{{table}}}");
        for (name, words) in CHOSEN.iter().rev() {
            condition = condition.replace(&format!("{{{name}}}"), words);
        }
        let keys =
            m.source.sql(&format!("select id_data from {table} where not coalesce(({condition}), false)"));
        if !keys.is_empty() {
            found.push((table, format!("id_data in ({})", keys.replace('\n', ","))));
        }
    }
    found
}

/// Plants in every column that was not ordered, and in every row that stays.
pub(crate) fn plant(m: &Migration, canaries: &Canaries) {
    let granted = granted_by(INSTRUCTION);
    let outside = |table: &str, column: &str| {
        column != "id_data"
            && !granted.iter().any(|(name, columns)| name == table && columns.iter().any(|c| c == column))
    };
    let staying = staying(m);
    assert!(staying.len() >= 4, "{staying:?}");
    let rows: Vec<(&str, &str)> = staying.iter().map(|(table, keys)| (*table, keys.as_str())).collect();
    let missed = canaries.plant_mariadb(&m.source, outside, &rows);
    let mut unexplained = String::new();
    for miss in missed.iter().filter(|miss| !miss.ends_with("is too narrow")) {
        let _ = writeln!(unexplained, "{miss}");
    }
    assert_eq!(unexplained, "");
    // a request that stays because of its date must not look like a later one
    let requests = rows.iter().find(|(table, _)| *table == "sigl_02_data").unwrap().1;
    m.source.sql(&format!("update sigl_02_data set rec_date_receipt = '2010-01-01' where {requests}"));
}

fn in_traffic(search: &Search, traffic: &[Traffic]) -> Vec<Found> {
    let both = |session: &Traffic| {
        [search.bytes("sent", &session.sent), search.bytes("received", &session.received)].concat()
    };
    traffic.iter().flat_map(both).collect()
}

// proves: EXT-03, AUD-04
#[test]
fn nothing_that_was_not_ordered_leaves_labbook() {
    let Some(m) = Migration::new() else { return };
    let canaries = Canaries::new();
    plant(&m, &canaries);
    let search = Search::new(&canaries.needles(Side::Outside));
    let from = Proxy::to(m.source.server().port());
    let to = Proxy::to(m.destination.server().port());
    let through = |url: &str, port: u16, proxy: &Proxy| {
        url.replace(&format!("127.0.0.1:{port}/"), &format!("127.0.0.1:{}/", proxy.port()))
    };
    let from_url = through(&m.from(), m.source.server().port(), &from);
    let to_url = through(&m.to(), m.destination.server().port(), &to);
    let scratch = tempfile::tempdir().unwrap();

    let mut said = Vec::new();
    for step in ["plan", "migrate", "reconcile", "report"] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ecluse"));
        command.arg("-C").arg(m.path("")).arg(step).env("TMPDIR", scratch.path());
        if step != "report" {
            command.args(["--from", &from_url, "--to", &to_url, "--identity"]).arg(m.path("keys/petit.age"));
        }
        // while it runs, what it holds open is searched again and again, unlinked files too
        let mut words = tempfile::tempfile().unwrap();
        let (out, errors) = (words.try_clone().unwrap(), words.try_clone().unwrap());
        let mut child = command.stdout(out).stderr(errors).spawn().unwrap();
        while child.try_wait().unwrap().is_none() {
            assert_eq!(search.process(child.id()), [], "{step}");
            std::thread::sleep(Duration::from_millis(20));
        }
        words.rewind().and_then(|()| words.read_to_end(&mut said)).unwrap();
        assert!(child.wait().unwrap().success(), "{step}: {}", String::from_utf8_lossy(&said));
        if step == "plan" {
            m.witnessed();
        }
    }

    assert_eq!(search.bytes("said", &said), []);
    assert_eq!(search.folder(&m.path("")), []);
    assert_eq!(search.folder(scratch.path()), []);
    assert_eq!(in_traffic(&search, &from.traffic()), [], "the source sent what was not ordered");
    assert_eq!(in_traffic(&search, &to.traffic()), []);
    let tables = m.destination.sql("select tablename from pg_tables where schemaname = 'public'");
    let arrived: String = tables.lines().map(|t| m.destination.sql(&format!("select * from {t}"))).collect();
    assert!(arrived.contains("Vauquelin"), "what was ordered arrived");
    assert_eq!(search.bytes("destination", arrived.as_bytes()), []);

    // the searches above can find: each line carried what was ordered, the source holds canaries
    let ordered = Search::new(&["Vauquelin"]);
    assert_ne!(in_traffic(&ordered, &from.traffic()), []);
    assert_ne!(in_traffic(&ordered, &to.traffic()), []);
    for table in ["sigl_user_data", "sigl_03_data", "sigl_02_data"] {
        let rows = m.source.sql(&format!("select * from {table}"));
        assert_ne!(search.bytes(table, rows.as_bytes()), []);
    }
}
