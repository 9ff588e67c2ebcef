//! `docs/first-migration.md`, typed block by block as it stands.

use std::process::{Command, Stdio};

use ecluse_testkit::server;

use crate::migration::labbook;

const PAGE: &str = include_str!("../../../../docs/first-migration.md");

/// What is typed: the blocks marked `sh`, in their order.
fn blocks() -> Vec<&'static str> {
    PAGE.split("```sh\n").skip(1).map(|rest| rest.split_once("```").unwrap().0).collect()
}

#[test]
fn a_stranger_who_types_the_page_gets_to_a_green_report() {
    let Some(base) = server::mariadb().and_then(|server| labbook(&server)) else { return };
    let home = tempfile::tempdir().unwrap();
    let socket = base.server().socket();
    let mut script = String::from("set -euo pipefail\n");
    for block in blocks() {
        // three lines say what is true of the reader's machine; the program is built already
        let block = block
            .replace("cargo build --release\n", "")
            .replace("PATH=\"$PWD/target/release:$PATH\"", "PATH=\"$BUILT:$PATH\"")
            .replace("SOCKET=/run/mysqld/mysqld.sock", &format!("SOCKET={}", socket.display()))
            .replace("LABBOOK=SIGL", &format!("LABBOOK={}", base.name()));
        script.push_str(&block);
    }
    let built = std::path::Path::new(env!("CARGO_BIN_EXE_ecluse")).parent().unwrap();
    let output = Command::new("bash")
        .args(["-c", &script])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
        .env("HOME", home.path())
        .env("BUILT", built)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}");
    for words in [
        "3,615 rows read back; every one is as the order and the mapping say.",
        "56,909 rows read back; every one is as the order and the mapping say.",
        "1 of 56,909 rows differ.",
        "Catch-up 2: 0 added, 0 changed, 0 deleted",
        "56,909 rows taken away; nothing of the run is left.",
    ] {
        assert!(said.contains(words), "not said: {words}\n{said}");
    }
    assert!(!said.contains("forged"), "a value was said");
    // the trial's stands; an undo withdraws that of its own run
    assert!(home.path().join("first-migration/lab/run/report.html").exists());
    assert_eq!(said.matches("run/report.html\n").count(), 4);
}
