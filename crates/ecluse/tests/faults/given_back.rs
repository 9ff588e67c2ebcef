//! What goes back to the laboratory, and its receipt, killed wherever the two commands write: in clear on no volume.

use std::path::Path;
use std::process::Command;

use ecluse_testkit::account::Stranger;
use ecluse_testkit::canary::Side;
use rusqlite::Connection;

use crate::consigned::EXTRACT;
use crate::volumes::{Step, Volumes, said};

pub(crate) const RETURN: Step = Step {
    arguments: &["return", "-o", "../archive"],
    folder: "lab",
    // by the code of an extraction: where that dies
    dies: EXTRACT.dies,
    made: "ECL-ARC-001",
};
pub(crate) const RECEIVED: Step = Step {
    arguments: &["open", "../archive", "--receipt"],
    folder: "own",
    dies: &["papers.replace.fsync", "papers.replace.rename"],
    made: "",
};

/// The publisher, whose order has free texts returned, and the laboratory, which alone has the key: in a folder each.
fn parties() -> Volumes {
    // another user than the other test's, which may run beside this one
    let who = Stranger::new().map(Stranger::neighbour);
    let mut all = Volumes::new(who, &["archive", "archive.part"], &["lab", "own"]);
    for folder in ["bases", "tmp", "own/keys"] {
        std::fs::create_dir_all(all.at(folder)).unwrap();
    }
    let (inside, outside) = (all.canaries.stem(Side::Inside), all.canaries.stem(Side::Outside));
    Connection::open(all.at("bases/old.db"))
        .unwrap()
        .execute_batch(&format!(
            "create table patient (id integer primary key, nom varchar(60) not null, commentaire text);
             create table examen (id integer primary key, patient_id integer not null references patient (id), valeur varchar(40), commentaire text);
             with recursive n(i) as (select 1 union all select i + 1 from n where i < 40)
             insert into patient select i, '{outside}-Nom-' || i, '{inside}-dit-' || i from n;
             with recursive n(i) as (select 1 union all select i + 1 from n where i < 90)
             insert into examen select i, 1 + i % 40, '{outside}-' || i, '{inside}-' || i from n"
        ))
        .unwrap();
    let ecluse = |folder: &Path, arguments: &[&str]| {
        let output =
            Command::new(env!("CARGO_BIN_EXE_ecluse")).current_dir(folder).args(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", said(&output));
        String::from_utf8(output.stdout).unwrap()
    };
    ecluse(
        all.here(),
        &["new", "lab", "--trial", "--from", "sqlite:bases/old.db", "--to", "sqlite:bases/new.db"],
    );
    let (lab, own) = (all.at("lab"), all.at("own"));
    ecluse(&lab, &["survey"]);
    ecluse(&lab, &["instruction", "new", "--table", "patient", "--table", "examen", "--grant-proposed"]);
    ecluse(&lab, &["recipient", "new", "--return", "--days", "366"]);
    ecluse(&lab, &["recipient", "sign", "--return"]);
    let shown: serde_json::Value =
        serde_json::from_str(&ecluse(&lab, &["recipient", "show", "--return", "--json"])).unwrap();
    let order = std::fs::read_to_string(lab.join("instruction.toml")).unwrap();
    let returned = |line: &str| match line.starts_with("\"free text\"") {
        true => "\"free text\" = \"return\"\n".to_owned(),
        false => format!("{line}\n"),
    };
    let to = format!("[return]\nage = {}\nstatement = {}\nalone = true\n", shown["age"], shown["digest"]);
    let order: String = order.lines().map(returned).collect();
    assert!(order.contains("\"free text\" = \"return\"") && order.contains("\n[erasure]\n"), "{order}");
    let order = order.replacen("\n[erasure]\n", &format!("\n{to}\n[erasure]\n"), 1);
    std::fs::write(lab.join("instruction.toml"), order).unwrap();
    ecluse(&lab, &["instruction", "sign"]);
    for name in ["contract.toml", "contract.toml.sigs", "return-recipient.toml", "return-recipient.toml.sigs"]
    {
        all.put(&["lab/", name].concat(), "own");
    }
    for name in ["fingerprints.txt", "keys"] {
        all.put(&["lab/", name].concat(), "own");
    }
    // the key is the laboratory's: the publisher never has it
    all.take("lab/keys/controller-signatory.age");
    // whose state is sealed to this one, where a session was opened
    ecluse(&lab, &["session", "new"]);
    let secret = std::fs::read_to_string(lab.join("keys/operator.age")).unwrap();
    all.identities
        .extend(secret.lines().filter(|line| line.starts_with("AGE-SECRET-KEY-")).map(str::to_owned));
    assert_eq!(all.identities.len(), 1);
    assert!(own.join("keys/controller-signatory.age").exists());
    all.given();
    all
}

// proves: SEA-01
#[test]
fn what_is_returned_is_in_clear_on_no_volume_wherever_it_died() {
    let all = parties();
    all.killed(&RETURN);
    all.done(RETURN.folder, RETURN.arguments);
    all.searches_find();
    // the laboratory's key opens it, and what was not to be returned is not in it
    let own = std::fs::read_to_string(all.at("own/keys/controller-signatory.age")).unwrap();
    let secret = own.lines().find(|line| line.starts_with("AGE-SECRET-KEY-")).unwrap();
    let opened = |side| all.search(&[side]).opening(&[secret]).folder(&all.at("archive"));
    assert!(opened(Side::Inside).iter().any(|found| found.form == "age: Parquet: UTF-8"));
    assert_eq!(opened(Side::Outside), []);
    all.killed(&RECEIVED);
    all.done(RECEIVED.folder, RECEIVED.arguments);
    all.done("own", &["receipt", "sign", "--return"]);
    for name in ["return-receipt.toml", "return-receipt.toml.sigs"] {
        all.put(&["own/", name].concat(), "lab");
    }
    all.done("lab", &["receipt", "verify", "--return", "--archive", "../archive"]);
}
