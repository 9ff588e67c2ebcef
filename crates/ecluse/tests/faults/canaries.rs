//! Canaries outside the order are found nowhere; those inside it only in the two databases
//! and their traffic.

use std::io::{Read as _, Seek as _};
use std::process::Output;

use ecluse_testkit::canary::Side;
use ecluse_testkit::laboratory::{Size, Table};
use ecluse_testkit::leak::{Found, Search};
use ecluse_testkit::proxy::Traffic;

use crate::base::Base;
use crate::laboratory::{World, run_folder};

fn in_traffic(search: &Search, traffic: &[Traffic]) -> Vec<Found> {
    traffic
        .iter()
        .flat_map(|session| {
            [search.bytes("sent", &session.sent), search.bytes("received", &session.received)]
        })
        .flatten()
        .collect()
}

const SIZE: Size = Size { patients: 400, requests: 1_200, results: 4_000 };

// proves: INS-02, EXT-03, AUD-04
#[test]
fn nothing_outside_the_order_leaves_the_source() {
    let Some(world) = World::postgres(SIZE) else { return };
    nothing_leaves(&world);
}

// proves: INS-02, EXT-03, AUD-04
#[test]
fn nothing_outside_the_order_leaves_a_mariadb_source() {
    let (Some(source), Some(destination)) = (Base::mariadb("from"), Base::postgres("to")) else { return };
    nothing_leaves(&World::between(source, destination, tempfile::tempdir().unwrap(), SIZE));
}

// proves: INS-02, EXT-03, AUD-04
#[test]
fn nothing_outside_the_order_reaches_a_mariadb_destination() {
    let (Some(source), Some(destination)) = (Base::mariadb("from"), Base::mariadb("to")) else { return };
    nothing_leaves(&World::between(source, destination, tempfile::tempdir().unwrap(), SIZE));
}

fn nothing_leaves(world: &World) {
    let (from_proxy, from) = world.source.through_a_proxy();
    let (to_proxy, to) = world.destination.through_a_proxy();
    let made = world.migration(&from, &to);
    let run = run_folder(world, "run");
    let scratch = tempfile::tempdir().unwrap();
    let run_name = run.display().to_string();
    let arguments = [
        "migrate",
        "--run",
        &run_name,
        "--without-views",
        "a test",
        "--accept-wider-role",
        "a test",
        "--json",
    ];

    // while it runs, what it holds open is searched again and again, unlinked files too
    let said = [tempfile::tempfile().unwrap(), tempfile::tempfile().unwrap()];
    let mut child = made
        .command(&arguments)
        .env("TMPDIR", scratch.path())
        .stdout(said[0].try_clone().unwrap())
        .stderr(said[1].try_clone().unwrap())
        .spawn()
        .unwrap();
    let mut held = Vec::new();
    let mut looks = 0;
    while child.try_wait().unwrap().is_none() {
        held.extend(world.search(Side::Outside).process(child.id()));
        held.extend(world.search(Side::Inside).process(child.id()));
        looks += 1;
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let [stdout, stderr] = said.map(|mut file| {
        let mut bytes = Vec::new();
        file.rewind().and_then(|()| file.read_to_end(&mut bytes)).unwrap();
        bytes
    });
    let output = Output { status: child.wait().unwrap(), stdout, stderr };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(looks > 1);
    let reconciled = made.run(&["reconcile", &run_name]);
    assert!(reconciled.status.success(), "{}", String::from_utf8_lossy(&reconciled.stderr));
    let report = run.join("report.html").display().to_string();
    let reported = made.run(&["report", &run_name, "-o", &report]);
    assert!(reported.status.success(), "{}", String::from_utf8_lossy(&reported.stderr));

    let (expected, moved) = world.expected_and_moved();
    assert_eq!(expected, moved);
    let outside = world.search(Side::Outside);
    let inside = world.search(Side::Inside);
    assert_eq!(held, []);
    for place in [world.folder.path(), scratch.path()] {
        assert_eq!(world.leaks(place), []);
    }
    for said in [&output, &reconciled, &reported] {
        assert_eq!(world.said(said), []);
    }
    assert_eq!(in_traffic(&outside, &from_proxy.traffic()), [], "the source sent what was not ordered");
    assert_eq!(in_traffic(&outside, &to_proxy.traffic()), []);
    let arrived: Vec<u8> = Table::ALL[..7]
        .iter()
        .filter(|table| crate::laboratory::TABLES.contains(table))
        .flat_map(|table| world.destination.sql(&format!("select * from {}", table.name())).into_bytes())
        .collect();
    assert_eq!(outside.bytes("destination", &arrived), []);

    // the searches above can find: what was ordered is in both databases' traffic, in clear on the loopback
    assert_ne!(in_traffic(&inside, &from_proxy.traffic()), []);
    assert_ne!(in_traffic(&inside, &to_proxy.traffic()), []);
    assert_ne!(inside.bytes("destination", &arrived), []);
    let stored = world.source.sql("select * from patient; select * from spouse; select * from staff;");
    assert_ne!(outside.bytes("source", stored.as_bytes()), []);

    // and the source was never asked for a column by another name
    for statement in world.source.statements_of_the_program() {
        for word in ["portal_password", "address", "phone", "spouse", "staff", "select *", "SELECT *"] {
            assert!(!statement.contains(word), "{statement}");
        }
    }
}
