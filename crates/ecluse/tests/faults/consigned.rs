//! An order to a recipient, from the extraction to the erased source, killed on its way: rows are in clear in the
//! two databases alone, wherever on this machine the processes could write.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use ecluse_adapters::sqlite::{Source, create_from};
use ecluse_flow::ports::Source as _;
use ecluse_testkit::account::Stranger;
use ecluse_testkit::canary::Side;
use ecluse_testkit::migration::{End, Migration};
use ecluse_testkit::papers::{IDENTITY, Papers, RECIPIENT};

use crate::laboratory::now;
use crate::volumes::{Step, Volumes, said};

pub(crate) const EXTRACT: Step = Step {
    arguments: &["extract", "-o", "../archive", "--key", "keys/petit"],
    folder: "lab",
    dies: &[
        "archive.below.fsync",
        "archive.entry.fsync",
        "archive.folder.fsync",
        "archive.made.fsync",
        "archive.part.fsync",
        "archive.rename",
        "archive.settle.fsync",
        "copies.entry.fsync",
        "folder.event",
        "folder.event.fsync",
        "folder.remove.fsync",
        "folder.replace.entry.fsync",
        "folder.replace.fsync",
        "folder.replace.rename",
        "log.event",
        "log.folder.fsync",
        "log.key.rename",
        "log.replace.fsync",
        "log.replace.rename",
        "papers.create.fsync",
        "papers.replace.fsync",
        "papers.replace.rename",
        "papers.sealed.fsync",
    ],
    made: "ECL-ARC-001",
};
pub(crate) const OPENED: Step = Step {
    arguments: &["open", "../archive", "--identity", "../own.age"],
    folder: "theirs/lab",
    dies: &["papers.replace.fsync", "papers.replace.rename"],
    made: "",
};
pub(crate) const LOAD: Step = Step {
    arguments: &[
        "load",
        "../archive",
        "--identity",
        "../own.age",
        "--to",
        "sqlite:../../bases/new.db",
        "--ddl",
        "--files",
        "../../bases/reports",
        "--key",
        "martin",
    ],
    folder: "theirs/lab",
    dies: &[
        "attached.folder.fsync",
        "attached.fsync",
        "attached.made.fsync",
        "attached.rename",
        "copies.entry.fsync",
        "folder.event",
        "folder.event.fsync",
        "folder.remove.fsync",
        "folder.replace.entry.fsync",
        "folder.replace.fsync",
        "folder.replace.rename",
        "log.event",
        "log.folder.fsync",
        "log.key.rename",
        "log.replace.fsync",
        "log.replace.rename",
        "overwrite.entry.fsync",
        "overwrite.fsync",
        "papers.create.fsync",
        "papers.replace.fsync",
        "papers.replace.rename",
        "sqlite_chunk.commit",
        "sqlite_finish.commit",
        "sqlite_open.commit",
    ],
    made: "",
};
pub(crate) const ERASE: Step = Step {
    arguments: &["erase", "--source"],
    folder: "lab",
    dies: &[
        "attached.erase.aside.rename",
        "attached.erase.folder.fsync",
        "attached.erase.fsync",
        "attached.erase.rename",
        "attached.erase.sweep.fsync",
        "erase.source.commit",
        "erase.source.forget",
        "folder.event",
        "folder.event.fsync",
        "folder.replace.entry.fsync",
        "folder.replace.fsync",
        "folder.replace.rename",
        "log.event",
        "log.folder.fsync",
        "log.replace.fsync",
        "log.replace.rename",
        "overwrite.fsync",
        "sqlite_erase.commit",
    ],
    made: "",
};

/// Both parties in one folder each, side by side, the databases and the archive beside them.
fn parties() -> Volumes {
    let sealed = &["archive", "archive.part", "theirs/archive", "backup"];
    let mut all = Volumes::new(Stranger::new(), sealed, &["lab", "theirs/lab", "theirs/own.age"]);
    all.identities.push(IDENTITY.to_owned());
    for folder in ["bases", "bases/files", "bases/reports", "lab", "theirs", "tmp"] {
        std::fs::create_dir(all.at(folder)).unwrap();
    }
    let (inside, outside) = (all.canaries.stem(Side::Inside), all.canaries.stem(Side::Outside));
    let old = all.at("bases/old.db").canonicalize().unwrap_or_else(|_| all.at("bases/old.db"));
    create_from(
        &old,
        &format!(
            "create table patient (id integer primary key, nom varchar(60) not null, adresse varchar(60));
             create table examen (id integer primary key, patient_id integer not null references patient (id), valeur varchar(40),
                                  lettre varchar(100));
             with recursive n(i) as (select 1 union all select i + 1 from n where i < 40)
             insert into patient select i, '{inside}-Nom-' || i, '{outside}-Rue-' || i from n;
             with recursive n(i) as (select 1 union all select i + 1 from n where i < 90)
             insert into examen select i, 1 + i % 40, '{inside}-' || i,
                 case when i < 5 then '{inside}-' || i || '/lettre.pdf' end from n"
        ),
    )
    .unwrap();
    for i in 1..5 {
        let folder = all.at(&format!("bases/files/{inside}-{i}"));
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("lettre.pdf"), format!("%PDF {inside}-Lettre-{i}")).unwrap();
    }
    let source = End::sqlite(&old, Source::open(&old).unwrap().identity().unwrap());
    let nowhere = End::sqlite(&all.at("bases/none.db"), String::new());
    let mut papers = Papers::new(now());
    papers.receive();
    papers.instruction = order(&source.identity());
    papers.mapping = MAPPING.to_owned();
    let program = Path::new(env!("CARGO_BIN_EXE_ecluse"));
    let mut made = Migration::under(program, &all.at("lab"), &source, &nowhere, papers);
    made.papers().write(&all.at("lab"));
    let connections =
        format!("[source]\nurl = \"{}\"\n\n[folders]\n\"/srv/lettres\" = \"../bases/files\"\n", source.url());
    std::fs::write(all.at("lab/connections.toml"), connections).unwrap();
    for name in ["contract.toml", "recipient.toml", "status.toml"] {
        all.put(&["lab/", name].concat(), "theirs/lab");
        all.put(&["lab/", name, ".sigs"].concat(), "theirs/lab");
    }
    for name in ["lab/fingerprints.txt", "lab/keys/martin", "lab/keys/martin.pub"] {
        all.put(name, "theirs/lab");
    }
    all.take("lab/keys/martin");
    std::fs::write(all.at("theirs/own.age"), format!("{IDENTITY}\n")).unwrap();
    std::fs::set_permissions(all.at("theirs/own.age"), std::fs::Permissions::from_mode(0o600)).unwrap();
    all.given();
    all
}

/// Somebody answers for every place beyond reach.
fn answered_for(all: &Volumes) {
    let said = all.done("lab", &["erase", "--source", "--dry-run"]);
    let lines = said.lines().filter(|line| line.starts_with("what = "));
    let lines =
        lines.map(|line| format!("[[place]]\n{line}\nowner = \"Jean Roux\"\nuntil = \"2099-01-31\"\n"));
    std::fs::write(all.at("lab/places.toml"), lines.collect::<String>()).unwrap();
    all.gets(&all.at("lab/places.toml"));
}

/// A row that was changed, added or taken away since the extraction: nothing goes.
#[track_caller]
fn other_rows_hold_the_erasure_up(all: &Volumes) {
    let sql =
        |script: &str| rusqlite::Connection::open(all.at("bases/old.db")).unwrap().execute_batch(script);
    let row = format!("insert into examen values (7, 8, '{}-7', null)", all.canaries.stem(Side::Inside));
    for (there, back) in [
        (
            "update examen set valeur = valeur || '.' where id = 90",
            "update examen set valeur = rtrim(valeur, '.') where id = 90",
        ),
        ("insert into examen values (91, 1, 'x', null)", "delete from examen where id = 91"),
        ("delete from examen where id = 7", row.as_str()),
    ] {
        sql(there).unwrap();
        let held = all.command(ERASE.folder, ERASE.arguments).output().unwrap();
        assert!(!held.status.success() && said(&held).contains("ECL-ERA-010"), "{there}: {}", said(&held));
        sql(back).unwrap();
    }
}

const MAPPING: &str = "[mapping]\nformat = \"ecluse-mapping/1\"\n
[[table]]\nfrom = \"patient\"\nto = \"patient\"\n[table.columns]\nid = \"id\"\nnom = \"nom\"\n
[[table]]\nfrom = \"examen\"\nto = \"examen\"\n[table.columns]\nid = \"id\"\npatient_id = \"patient_id\"\nvaleur = \"valeur\"\nlettre = \"lettre\"\n";

fn order(identity: &str) -> String {
    let none = format!("sha256:{}", "0".repeat(64));
    let day = (now() + jiff::SignedDuration::from_hours(24 * 60)).to_zoned(jiff::tz::TimeZone::UTC).date();
    let classes = [
        "identity",
        "contact",
        "national identifier",
        "third party",
        "staff",
        "result",
        "sensitive result",
        "free text",
        "attachment",
        "credential",
        "billing",
        "quality",
        "audit",
        "technical",
    ];
    let stays = classes.map(|class| {
        format!("\"{class}\" = {{ fate = \"destroy\", reason = \"the old system ends\", by = {day} }}\n")
    });
    format!(
        "[instruction]\nkind = \"targeted\"\npurpose = \"Continuity of the patients' records\"\n\
         dictionary = \"{none}\"\nmapping = \"{none}\"\nmax_runs = 1000\nsuite = \"ecluse-1\"\n\
         status_max_age = \"24h\"\ntolerance = 0\n\n\
         [source]\nengine = \"sqlite\"\ndatabase = \"main\"\nidentity = \"{identity}\"\nschema = \"{none}\"\n\n\
         [[recipient]]\nage = \"{RECIPIENT}\"\nstatement = \"{{recipient}}\"\n\n\
         [erasure]\nsource = {day}\ncopies = {day}\n\n[stays]\n{}\n[pending]\nrule = \"stay\"\n\n\
         [[table]]\nname = \"patient\"\nlabel = \"Patients\"\nrows = 'true'\ncolumns = [\"id\", \"nom\"]\n\n\
         [[table]]\nname = \"examen\"\nlabel = \"Results\"\nrows = 'true'\ncolumns = [\"id\", \"patient_id\", \"valeur\", \"lettre\"]\n\n\
         [[table.files]]\ncolumn = \"lettre\"\nfolder = \"/srv/lettres\"\n",
        stays.concat()
    )
}

// proves: SEA-01, ERA-02
#[test]
fn from_extraction_to_erasure_nothing_is_in_clear_on_any_volume_wherever_it_died() {
    let mut all = parties();
    let done = |all: &Volumes, step: &Step| all.done(step.folder, step.arguments);
    all.killed(&EXTRACT);
    done(&all, &EXTRACT);
    // the searches find: what lies where everybody may write; with the identity what moves, and what stays does not
    all.searches_find();
    let opened = |side| all.search(&[side]).opening(&[IDENTITY]).folder(&all.at("archive"));
    assert!(opened(Side::Inside).iter().any(|found| found.form == "age: Parquet: UTF-8"));
    assert_eq!(opened(Side::Outside), []);
    all.put("archive", "theirs");
    all.put("archive", "backup");
    all.killed(&OPENED);
    done(&all, &OPENED);
    all.killed(&LOAD);
    done(&all, &LOAD);
    let base = all.search(&[Side::Inside]).folder(&all.at("bases/new.db"));
    assert_ne!(base, [], "the rows arrived, where they belong");
    let letters = all.search(&[Side::Inside]).folder(&all.at("bases/reports"));
    assert_eq!(letters.len(), 4, "and their files with them: {letters:?}");
    for name in ["receipt.toml", "receipt.toml.sigs"] {
        all.put(&["theirs/lab/", name].concat(), "lab");
    }
    all.done("lab", &["receipt", "verify", "--archive", "../archive"]);
    all.done("lab", &["accept", "propose", "--lang", "en"]);
    all.done("lab", &["accept", "sign", "--key", "keys/fontaine"]);
    answered_for(&all);
    other_rows_hold_the_erasure_up(&all);
    all.sought_by = Some("lab/run/state.age");
    all.killed(&ERASE);
    done(&all, &ERASE);
    let rows = all.search(&[Side::Inside, Side::Outside]).folder(&all.at("bases/old.db"));
    assert_eq!(rows, [], "the source's file holds nothing of what went");
    assert_eq!(std::fs::read_dir(all.at("bases/files")).unwrap().count(), 0, "nor does its folder");
    // the publisher's own archive goes with it; in what somebody kept aside of it nothing can be read
    let copies: serde_json::Value = serde_json::from_str(&all.done("lab", &["copies", "--json"])).unwrap();
    let archive =
        copies["copies"].as_array().unwrap().iter().find(|copy| copy["store"] == "archive").unwrap();
    all.done("lab", &["erase", "--copy", archive["id"].as_str().unwrap()]);
    assert!(!all.at("archive").exists() && all.at("backup/archive").exists());
    // in clear, that is: sealed to the operator they stand in the run's state, until closing
    let everywhere: Vec<_> = all
        .search(&[Side::Inside, Side::Outside])
        .folder(all.here())
        .into_iter()
        .filter(|found| !found.place.ends_with("bases/new.db") && !found.place.contains("/bases/reports/"))
        .collect();
    assert_eq!(everywhere, [], "after the erasure the rows stand in the recipient's base alone");
    looked_for(&all);
}

/// What went at the source is still sought, by values that were sealed with the run's state before it went.
#[track_caller]
fn looked_for(all: &Volumes) {
    let look = ["erase", "--look"];
    let found = all.done("lab", &look);
    // each part by the share in its header, and all of them by what an opened one says
    let kept = std::fs::read_dir(all.at("backup/archive")).unwrap().flatten();
    let parts = kept.filter(|part| part.path().extension().is_some_and(|end| end == "age")).count();
    let sought = format!("Sought in each: 64 values drawn from the source, {} markers", parts + 1);
    assert!(found.contains(&sought), "{sought}: {found}");
    let survivor = all.at("lab/export.csv");
    std::fs::write(&survivor, format!("1;{}-Nom-1;1960\n", all.canaries.stem(Side::Inside))).unwrap();
    all.gets(&survivor);
    let held = all.command("lab", &look).output().unwrap();
    assert!(!held.status.success() && said(&held).contains("ECL-ERA-023"), "{}", said(&held));
    std::fs::remove_file(&survivor).unwrap();
    all.done("lab", &look);
    // put back from a backup: the source holds what should be gone
    let row = format!("insert into patient values (1, '{}-Nom-1', '')", all.canaries.stem(Side::Inside));
    rusqlite::Connection::open(all.at("bases/old.db")).unwrap().execute_batch(&row).unwrap();
    let held = all.command("lab", &look).output().unwrap();
    assert!(!held.status.success() && said(&held).contains("ECL-ERA-023"), "{}", said(&held));
}
