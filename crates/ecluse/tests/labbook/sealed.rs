//! LabBook in a sealed archive, as `docs/walk-through-labbook-sealed.md` has it typed: planned, and seen by the
//! laboratory before a row moves; extracted, opened and loaded by another user of the machine who has the
//! recipient's key and nothing of the sender's; received, accepted, erased at the source, certified, closed.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use ecluse_sign::PublicKey;
use ecluse_testkit::account::Stranger;
use ecluse_testkit::canary::{Canaries, Side};
use ecluse_testkit::leak::Search;
use ecluse_testkit::papers::{signatures_of, worked};

use crate::canaries::plant;
use crate::migration::{Migration, now};
use crate::moves::counts;

const PAGE: &str = include_str!("../../../../docs/walk-through-labbook-sealed.md");

/// The page's blocks, in their order: who types, what.
struct Page(std::vec::IntoIter<(&'static str, &'static str)>);

impl Page {
    fn new() -> Self {
        let blocks = PAGE.split("```sh ").skip(1).map(|rest| {
            let (who, rest) = rest.split_once('\n').unwrap();
            (who, rest.split_once("```").unwrap().0)
        });
        Self(blocks.collect::<Vec<_>>().into_iter())
    }

    /// The next block, which that person types, and which holds those words.
    #[track_caller]
    fn next(&mut self, who: &str, what: &str) -> &'static str {
        let (by, block) = self.0.next().expect("a block");
        assert!(by == who && block.contains(what), "{by} types {block}, not {who} {what}");
        block
    }
}

/// The recipient: another user of the machine, in a folder that is the recipient's alone.
struct Recipient {
    who: Stranger,
    home: PathBuf,
    to: String,
}

impl Recipient {
    fn new(who: Stranger, outer: &Path) -> Self {
        let home = outer.join("recipient");
        for folder in ["lab", "tmp"] {
            std::fs::create_dir_all(home.join(folder)).unwrap();
        }
        // a copy of the program: where it was built need not be anybody else's to read
        std::fs::copy(env!("CARGO_BIN_EXE_ecluse"), home.join("ecluse")).unwrap();
        who.gets(&home);
        Self { who, home, to: String::new() }
    }

    fn lab(&self) -> PathBuf {
        self.home.join("lab")
    }

    /// Is given a file or a folder, which then lies at this place of the own folder.
    fn gets(&self, from: &Path, to: &str) {
        copied(from, &self.home.join(to));
        self.who.gets(&self.home.join(to));
    }

    fn gets_paper(&self, from: &Path, name: &str) {
        self.gets(&from.join(name), &format!("lab/{name}"));
        self.gets(&signatures_of(&from.join(name)), &format!("lab/{name}.sigs"));
    }

    fn types(&self, block: &str) -> Output {
        let mut command = self.who.command("bash");
        command.args(["-euo", "pipefail", "-c", block]).current_dir(self.lab());
        command.env("HOME", &self.home).env("TMPDIR", self.home.join("tmp")).env("TO", &self.to);
        command.env("KEY", self.home.join("martin"));
        command.env("PATH", format!("{}:/usr/bin:/bin", self.home.display())).output().unwrap()
    }
}

/// A file, or a folder with everything in it.
fn copied(from: &Path, to: &Path) {
    if !from.is_dir() {
        std::fs::copy(from, to).unwrap();
        return;
    }
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        copied(&entry.path(), &to.join(entry.file_name()));
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned()
}

#[track_caller]
fn done(output: &Output) -> String {
    let said = said(output);
    assert!(output.status.success(), "{said}");
    said
}

/// A block at the sender, typed by the person of this key.
fn types(m: &Migration, key: &str, block: &str) -> Output {
    let built = Path::new(env!("CARGO_BIN_EXE_ecluse")).parent().unwrap();
    let path = format!("{}:{}", built.display(), "/usr/bin:/bin");
    let controller = std::fs::read_to_string(m.path("keys/fontaine.pub")).unwrap();
    let trust = PublicKey::from_openssh(&controller).unwrap().fingerprint();
    Command::new("bash")
        .args(["-euo", "pipefail", "-c", block])
        .current_dir(m.home())
        .env("PATH", path)
        .env("TMPDIR", m.path("../tmp"))
        .env("KEY", m.path("keys").join(key))
        .env("ADMIN", m.administrator())
        .env("TRUST", trust)
        .env("ARCHIVE", archive(m))
        .output()
        .unwrap()
}

/// The archive's id in the ledger of copies; nothing where there is none yet.
fn archive(m: &Migration) -> String {
    let bytes = std::fs::read(m.path("copies.json")).unwrap_or_else(|_| b"{}".to_vec());
    let ledger: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    let copies = ledger["copies"].as_array().cloned().unwrap_or_default();
    let one = copies.iter().find(|copy| copy["store"] == "archive").map(|copy| copy["id"].clone());
    one.and_then(|id| id.as_str().map(|id| id.chars().take(8).collect::<String>())).unwrap_or_default()
}

/// The direct order, changed as the page says: to a recipient, the source erased, nothing kept in what goes, and what
/// becomes of the rows that name it.
fn order(direct: &str, age: &str, statement: &str) -> String {
    let blocks: Vec<&str> =
        PAGE.split("```toml\n").skip(1).map(|rest| rest.split_once("```").unwrap().0).collect();
    let [recipient, erasure, beside] = blocks[..] else { panic!("{blocks:?}") };
    let (before, rest) = direct.split_once("[destination]").unwrap();
    let (_, rest) = rest.split_once("[erasure]").unwrap();
    let (_, rest) = rest.split_once("[stays]\n").unwrap();
    let (stays, after) = rest.split_once("\n[").unwrap();
    let erasure = worked(erasure, now());
    let (day, beside) = (erasure.split_whitespace().last().unwrap(), worked(beside, now()));
    let destroyed = stays.lines().filter_map(|line| line.split_once('=')).map(|(class, _)| {
        format!("{class}= {{ fate = \"destroy\", reason = \"the old system ends\", by = {day} }}\n")
    });
    let recipient = recipient.replace("{age}", age).replace("{statement}", statement);
    format!("{before}{recipient}\n{erasure}\n[stays]\n{}\n[{after}\n{beside}", destroyed.collect::<String>())
}

/// Both parties, ready to extract: the recipient's statement came first, the order cites it.
fn parties(page: &mut Page) -> Option<(Migration, Recipient)> {
    let who = Stranger::new()?;
    let mut recipient = None;
    let m = Migration::under("", |papers, lab| {
        let outer = lab.parent().unwrap();
        // the recipient may pass, and list nothing
        std::fs::set_permissions(outer, std::fs::Permissions::from_mode(0o711)).unwrap();
        for folder in ["lab", "tmp"] {
            std::fs::create_dir_all(outer.join(folder)).unwrap();
            std::fs::set_permissions(outer.join(folder), std::fs::Permissions::from_mode(0o700)).unwrap();
        }
        papers.receive();
        let drafts = tempfile::tempdir().unwrap();
        papers.write(drafts.path());
        let her = Recipient::new(who, outer);
        her.gets_paper(drafts.path(), "contract.toml");
        her.gets(&drafts.path().join("fingerprints.txt"), "lab/fingerprints.txt");
        for name in ["martin", "martin.pub"] {
            her.gets(&drafts.path().join("keys").join(name), name);
        }
        done(&her.types(page.next("recipient", "ecluse recipient new")));
        let shown: serde_json::Value =
            serde_json::from_slice(&her.types("ecluse recipient show --json").stdout).unwrap();
        let word = |name: &str| shown[name].as_str().unwrap().to_owned();
        papers.instruction = order(&papers.instruction, &word("age"), &word("digest"));
        papers.write(lab);
        // the statement that travelled; the recipient's key was never here
        let _ = std::fs::remove_dir_all(lab.join("recipient.toml.sigs"));
        for name in ["recipient.toml", "recipient.toml.sigs"] {
            copied(&her.lab().join(name), &lab.join(name));
        }
        for name in ["martin", "martin.pub"] {
            std::fs::remove_file(lab.join("keys").join(name)).unwrap();
        }
        recipient = Some(her);
    })?;
    let mut her = recipient?;
    let password = m.path("kalys.password");
    m.to();
    her.gets(&password, "password");
    her.to = format!("{}?password-file={}", m.destination.url(), her.home.join("password").display());
    Some((m, her))
}

/// What both sides are compared by: SQL that this test wrote itself, per table, at the source and at the
/// destination; texts in hexadecimal, so that no client changes them.
const COMPARED: [(&str, &str); 4] = [
    (
        "select concat_ws('|', id_data, hex(convert(code using utf8mb4)), ifnull(hex(convert(nom using utf8mb4)), '-'),
            ifnull(hex(convert(prenom using utf8mb4)), '-'), ifnull(ddn, '-'), if(sexe = 1, 'male', if(sexe = 2, 'female', '-')))
         from sigl_03_data where id_data in (select id_patient from sigl_02_data where rec_date_receipt >= '2015-01-01' and statut = 256)
         order by id_data",
        "select concat_ws('|', id, upper(encode(convert_to(code, 'UTF8'), 'hex')), coalesce(upper(encode(convert_to(family_name, 'UTF8'), 'hex')), '-'),
            coalesce(upper(encode(convert_to(given_name, 'UTF8'), 'hex')), '-'), coalesce(birth_date::text, '-'),
            case when gender in ('male', 'female') then gender else '-' end)
         from patient order by id",
    ),
    (
        "select concat_ws('|', r.id_data, r.id_analyse, r.ref_variable, ifnull(hex(convert(r.valeur using utf8mb4)), '-'))
         from sigl_09_data r join sigl_04_data a on a.id_data = r.id_analyse join sigl_02_data q on q.id_data = a.id_dos
         where q.rec_date_receipt >= '2015-01-01' and q.statut = 256 order by r.id_data",
        "select concat_ws('|', id, analysis_request_id, variable_id, coalesce(upper(encode(convert_to(value, 'UTF8'), 'hex')), '-'))
         from result order by id",
    ),
    (
        "select concat_ws('|', v.id_data, v.id_resultat, v.utilisateur, ifnull(hex(convert(v.commentaire using utf8mb4)), '-'))
         from sigl_10_data v join sigl_09_data r on r.id_data = v.id_resultat join sigl_04_data a on a.id_data = r.id_analyse
         join sigl_02_data q on q.id_data = a.id_dos
         where q.rec_date_receipt >= '2015-01-01' and q.statut = 256 and v.type_validation = 252 and v.motif_annulation is null
         order by v.id_data",
        "select concat_ws('|', id, result_id, validator_id, coalesce(upper(encode(convert_to(comment, 'UTF8'), 'hex')), '-'))
         from validation order by id",
    ),
    (
        "select concat_ws('|', id_data, id_patient, rec_date_receipt, ifnull(hex(convert(service_interne using utf8mb4)), '-'))
         from sigl_02_data where rec_date_receipt >= '2015-01-01' and statut = 256 order by id_data",
        "select concat_ws('|', id, patient_id, received, coalesce(upper(encode(convert_to(ward, 'UTF8'), 'hex')), '-'))
         from request order by id",
    ),
];

/// What goes over has words of its own too: a name, a result, a comment.
fn mark(m: &Migration, canaries: &Canaries) {
    let stem = canaries.stem(Side::Inside);
    let moves =
        "select q.id_data from sigl_02_data q where q.rec_date_receipt >= '2015-01-01' and q.statut = 256";
    m.source.sql(&format!(
        "set sql_mode = '';
         update sigl_03_data set nom = '{stem}-Nom' where id_data in (select * from (select id_patient from sigl_02_data where id_data in ({moves})) p) limit 3;
         update sigl_09_data set valeur = '{stem}-9.4' where id_analyse in (select id_data from sigl_04_data where id_dos in ({moves})) limit 3;
         update sigl_10_data set commentaire = '{stem} à revoir' where commentaire is not null"
    ));
}

/// Who answers for what no SQL reaches.
fn answered_for(m: &Migration, dry: &Output) {
    let said = done(dry);
    let mut lines = String::new();
    for line in said.lines().filter(|line| line.starts_with("what = ")) {
        lines.push_str(&format!("[[place]]\n{line}\nowner = \"Jean Roux\"\nuntil = \"2099-01-31\"\n"));
    }
    assert!(!lines.is_empty(), "{said}");
    std::fs::write(m.path("places.toml"), lines).unwrap();
}

// proves: SEA-01, ERA-09, REC-04
#[test]
fn labbook_goes_sealed_to_another_user_and_the_migration_is_closed() {
    let mut page = Page::new();
    let Some((m, her)) = parties(&mut page) else { return };
    let canaries = Canaries::new();
    mark(&m, &canaries);
    plant(&m, &canaries);
    let outer = m.home().parent().unwrap().to_owned();
    let search = Search::new(&[canaries.needles(Side::Inside), canaries.needles(Side::Outside)].concat());
    let nowhere = |when: &str| {
        for place in [outer.as_path(), Path::new("/dev/shm")] {
            assert_eq!(search.folder(place), [], "{when}");
        }
    };
    let mut words = String::new();
    let mut hears = |output: &Output| words.push_str(&done(output));

    hears(&types(&m, "petit", page.next("operator", "ecluse plan")));
    let seen_by_the_laboratory = page.next("laboratory", "ecluse instruction status");
    let extract = page.next("operator", "ecluse extract");
    // counted, and nobody of the laboratory has seen it yet: no archive is begun
    let unseen = types(&m, "petit", extract);
    assert!(!unseen.status.success() && said(&unseen).contains("ECL-LOG-044"), "{}", said(&unseen));
    assert!(!outer.join("labbook.archive").exists() && !outer.join("labbook.archive.part").exists());
    hears(&types(&m, "fontaine", seen_by_the_laboratory));
    hears(&types(&m, "petit", extract));
    hears(&types(&m, "petit", page.next("operator", "ecluse inspect")));
    nowhere("extracted");
    // the searches can find: opened with the recipient's identity, every canary that moves, and no other
    let identity = std::fs::read_to_string(her.home.join("labbook.age")).unwrap();
    let opened = |side| {
        let key = identity.lines().find(|line| line.starts_with("AGE-SECRET-KEY-1")).unwrap();
        Search::new(&[canaries.stem(side)]).opening(&[key]).folder(&outer.join("labbook.archive"))
    };
    assert!(opened(Side::Inside).iter().any(|found| found.form == "age: Parquet: UTF-8"));
    assert_eq!(opened(Side::Outside), []);
    // what is carried over, and nothing else
    her.gets(&outer.join("labbook.archive"), "labbook.archive");
    her.gets_paper(&m.home(), "status.toml");
    for kept in
        ["", "keys/petit", "keys/petit.age", "keys/fontaine", "instruction.toml", "run", "lab.password"]
    {
        assert!(!her.who.reads(&m.path(kept)), "the recipient reads {kept}");
    }
    assert!(!her.who.reads(&outer.join("labbook.archive")) && her.who.reads(&her.lab()));

    let theirs: Vec<String> = COMPARED.iter().map(|(at_source, _)| m.source.sql(at_source)).collect();
    let counted = counts(&m);
    hears(&her.types(page.next("recipient", "ecluse load")));
    for (table, rows) in &counted {
        assert_eq!(&m.destination.sql(&format!("select count(*) from {table}")), rows, "{table}");
    }
    for ((_, at_destination), theirs) in COMPARED.iter().zip(&theirs) {
        assert!(theirs.lines().count() > 100);
        assert!(m.destination.sql(at_destination) == *theirs, "{at_destination}");
    }
    let stem = canaries.stem(Side::Inside);
    let marked = format!("select count(*) from validation where comment like '{stem}%'");
    assert_ne!(m.destination.sql(&marked), "0", "the search looks for what moved");
    assert!(!her.home.join("labbook.age").exists(), "the identity is destroyed");
    nowhere("loaded");

    // what comes back; the archive that was carried over is of no use any more
    for name in ["receipt.toml", "receipt.toml.sigs"] {
        copied(&her.lab().join(name), &m.path(name));
    }
    std::fs::remove_dir_all(her.home.join("labbook.archive")).unwrap();
    hears(&types(&m, "petit", page.next("operator", "ecluse receipt verify")));
    hears(&types(&m, "fontaine", page.next("laboratory", "ecluse accept sign")));

    answered_for(&m, &types(&m, "petit", page.next("operator", "--source --dry-run")));
    let erase = page.next("operator", "ecluse erase --source");
    // one value at the source that did not move holds everything up
    let one = "id_data = (select * from (select min(id_data) from sigl_09_data where valeur like 'QyI%') o)";
    m.source.sql(&format!("update sigl_09_data set valeur = concat(valeur, '1') where {one}"));
    let held = types(&m, "petit", erase);
    assert!(!held.status.success() && said(&held).contains("ECL-ERA-010"), "{}", said(&held));
    m.source.sql(&format!("update sigl_09_data set valeur = left(valeur, length(valeur) - 1) where {one}"));
    let reports = "select count(*) from sigl_11_data where id_dos in
        (select id_data from sigl_02_data where rec_date_receipt >= '2015-01-01' and statut = 256)";
    m.source.sql("insert into sigl_11_data (id_owner, id_dos, file, date) select 1, max(id_data), 'a report that left', now() from sigl_02_data where rec_date_receipt >= '2015-01-01' and statut = 256");
    assert_ne!(m.source.sql(reports).trim(), "0");
    let kept = m.source.sql("select count(*) from sigl_11_data").trim().parse::<u64>().unwrap()
        - m.source.sql(reports).trim().parse::<u64>().unwrap();
    let erased = types(&m, "petit", erase);
    assert!(said(&erased).contains("table sigl_02_data to sigl_03_data: "), "{}", said(&erased));
    hears(&erased);
    assert_eq!(m.source.sql("select count(*) from sigl_11_data").trim(), kept.to_string());
    for (at_source, _) in &COMPARED {
        assert_eq!(m.source.sql(at_source), "", "{at_source}");
    }
    // a request that did not move stands as it stood
    assert_ne!(m.source.sql("select count(*) from sigl_02_data"), "0");
    let looked = types(&m, "petit", page.next("operator", "ecluse erase --copy"));
    assert!(!said(&looked).contains(" 0 values drawn"), "{}", said(&looked));
    hears(&looked);
    assert!(!outer.join("labbook.archive").exists());
    nowhere("erased");
    hears(&types(&m, "petit", page.next("operator", "ecluse certify propose")));
    hears(&types(&m, "serrano", page.next("publisher", "ecluse certify sign")));
    hears(&types(&m, "petit", page.next("operator", "ecluse close")));
    let ledger = "select count(*) from information_schema.tables where table_schema = 'ecluse_ledger'";
    assert_ne!(m.destination.sql(ledger).trim(), "0");
    hears(&her.types(page.next("recipient", "ecluse close")));
    assert_eq!(m.destination.sql(ledger).trim(), "0");
    assert!(!her.lab().join("load/state.age").exists());
    let verified = types(&m, "petit", page.next("operator", "ecluse verify"));
    // it was judged, and by the laboratory's status, that somebody had seen the plan before a row moved
    let words = said(&verified);
    let judged = words.lines().find(|line| line.contains("among them the plan (entry ")).unwrap_or_default();
    assert!(judged.contains("✓ holds: It wants") && judged.contains(" journal/statuses/"), "{words}");
    hears(&verified);
    assert!(page.0.next().is_none(), "a block of the page that nobody typed");
    nowhere("closed");
    assert_eq!(search.bytes("said", words.as_bytes()), []);
}
