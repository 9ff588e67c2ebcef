//! Files that rows name, in an archive: sealed behind the rows, brought to the recipient's folder under the digest of
//! their bytes; one that is missing, beside, another's or changed is told.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use ecluse_core::{digest, manifest};
use ecluse_seal::Identity;
use ecluse_seal::archive::{FileNote, FilePart, Files, Index, Label, Opener, Sealer};
use ecluse_testkit::kill::{CHUNK_ROWS, VARIABLE, failpoints};
use ecluse_testkit::leak::Search;
use rusqlite::Connection;

use crate::large::{most, peak};
use crate::reference::refused;
use crate::sealed::{cited, label, recipients};
use crate::{program, succeed};

/// Rows 1 to 6 have a file, of 4 and 5 the same bytes; of row 7 it is gone; 8 has none; 9 was not ordered.
const OLD: &str = "
    CREATE TABLE report (id INTEGER PRIMARY KEY, title VARCHAR(20), path VARCHAR(100), done INTEGER);
    INSERT INTO report VALUES
        (1, 'QyTitleOfOne', '2024/QyIone.pdf', 1), (2, 'p2', '2024/QyItwo.PDF', 1), (3, 'p3', 'three', 1),
        (4, 'p4', '2023/same.pdf', 1), (5, 'p5', '2023/copy.pdf', 1), (6, 'p6', 'large.bin', 1),
        (7, 'p7', 'gone.pdf', 1), (8, 'p8', NULL, 1), (9, 'p9', 'ZxOthersOwn.pdf', 0);
";

/// Of names, of what is in files, of rows.
const CANARIES: [&str; 5] = ["QyIone.pdf", "QyItwo.PDF", "QyIfirst", "QyIsecond", "QyTitleOfOne"];

/// Bytes that no packing makes less of.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let next = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    (0..length.div_ceil(8)).flat_map(next).take(length).collect()
}

fn hexadecimal(bytes: &[u8]) -> String {
    digest::of_bytes(bytes).trim_start_matches("sha256:").to_owned()
}

fn held() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("2024/QyIone.pdf", b"%PDF QyIfirst".to_vec()),
        ("2024/QyItwo.PDF", b"%PDF QyIsecond".to_vec()),
        ("three", Vec::new()),
        ("2023/same.pdf", b"%PDF the same bytes".to_vec()),
        ("2023/copy.pdf", b"%PDF the same bytes".to_vec()),
        ("large.bin", noise((40 << 20) + 17)),
        ("ZxOthersOwn.pdf", b"ZxOthersOwn's".to_vec()),
    ]
}

/// An archive as its own sender, whose folder is `lab`, would have made it otherwise: the index bent, parts added, all
/// of it signed.
pub(crate) fn bent(
    archive: &Path,
    identity: &Identity,
    lab: &Path,
    bend: impl FnOnce(&mut Index, &mut Sealer) -> Vec<(u64, Vec<u8>)>,
) {
    let part = |number: usize| std::fs::read(archive.join(manifest::part_name(number))).unwrap();
    let mut sealer = Sealer::new(label(archive), identity.recipient());
    let mut index = Opener::new(label(archive), identity).index(&part(0)).unwrap();
    let more = bend(&mut index, &mut sealer);
    std::fs::write(archive.join(manifest::part_name(0)), sealer.index(&index).unwrap().bytes).unwrap();
    for (number, bytes) in more {
        let name = manifest::part_name(usize::try_from(number).unwrap());
        std::fs::write(archive.join(name), bytes).unwrap();
    }
    let text = std::fs::read_to_string(archive.join(manifest::FILE)).unwrap();
    let mut anew = text.split("\n[[part]]").next().unwrap().to_owned();
    for number in 0..=index.parts() {
        let bytes = part(number);
        anew += &format!(
            "\n[[part]]\nindex  = {number}\nsize   = {}\nsha256 = \"{}\"\n",
            bytes.len(),
            digest::of_bytes(&bytes)
        );
    }
    std::fs::write(archive.join(manifest::FILE), anew).unwrap();
    let key = lab.join("keys/operator").display().to_string();
    let sign = ["-Y", "sign", "-q", "-n", "ecluse-manifest-v1", "-f", &key, manifest::FILE];
    let signed = Command::new("ssh-keygen").current_dir(archive).args(sign).output().unwrap();
    assert!(signed.status.success(), "{}", said(&signed));
    std::fs::rename(archive.join("manifest.toml.sig"), archive.join("manifest.toml.sigs/sender.sig"))
        .unwrap();
}

/// A part with a file that nobody ordered, behind the others.
pub(crate) fn beside(index: &mut Index, sealer: &mut Sealer) -> Vec<(u64, Vec<u8>)> {
    let beside = b"a report that nobody ordered";
    let sha256 = hexadecimal(beside);
    let piece = ecluse_batch::pieces::Piece { sha256: &sha256, place: 0, bytes: beside };
    let place = u64::try_from(index.parts()).unwrap() + 1;
    let part = sealer.files(place, &[ecluse_batch::pieces::rows(&[piece]).unwrap()]).unwrap();
    let (plain, bytes, unpacked) = (part.plain_sha256, part.bytes, part.unpacked);
    let mut files = index.files.clone();
    files.parts.push(FilePart { index: place, rows: 1, sha256: plain, unpacked });
    files.files.push(FileNote { sha256, bytes: beside.len() as u64, part: files.parts.len() - 1 });
    index.hold(files);
    vec![(place, bytes)]
}

/// The laboratory's folder, whose signed order is to a recipient; the files lie beside it.
struct Way {
    here: tempfile::TempDir,
}

impl Way {
    fn new(files: &[(&str, Vec<u8>)]) -> Self {
        let this = Self { here: tempfile::tempdir().unwrap() };
        Connection::open(this.at("old.db")).unwrap().execute_batch(OLD).unwrap();
        for (name, bytes) in files {
            let path = this.at("files").join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
        let lab = cited(this.here.path(), "sqlite:old.db", "sqlite:new.db", &["report"]);
        let path = lab.join("instruction.toml");
        let order = std::fs::read_to_string(&path).unwrap();
        let rows = order.lines().find(|line| line.starts_with("rows")).unwrap().to_owned();
        let order = order.replace(&rows, "rows = 'done == 1'");
        let files = "\n[[table.files]]\ncolumn = \"path\"\nfolder = \"/srv/files\"\n";
        std::fs::write(&path, format!("{order}{files}")).unwrap();
        let connections = std::fs::read_to_string(lab.join("connections.toml")).unwrap();
        let folders =
            format!("{connections}\n[folders]\n\"/srv/files\" = \"{}\"\n", this.at("files").display());
        std::fs::write(lab.join("connections.toml"), folders).unwrap();
        succeed(&lab, &["instruction", "sign"]);
        this
    }

    fn at(&self, name: &str) -> PathBuf {
        self.here.path().canonicalize().unwrap().join(name)
    }

    fn lab(&self) -> PathBuf {
        self.at("lab")
    }

    /// The recipient's folder, as before any load.
    fn theirs(&self) -> PathBuf {
        let theirs = self.at("theirs");
        let _ = std::fs::remove_dir_all(&theirs);
        recipients(&self.lab(), &theirs);
        std::fs::create_dir(theirs.join("reports")).unwrap();
        theirs
    }

    fn extract(&self, more: &[(&str, &str)]) -> Output {
        let mut command = Command::new(program());
        std::fs::create_dir_all(self.at("tmp")).unwrap();
        command.current_dir(self.lab()).args(["extract", "-o", "../archive"]).env(CHUNK_ROWS, "3");
        command.env("TMPDIR", self.at("tmp")).envs(more.iter().copied()).output().unwrap()
    }

    fn extracted(&self) -> String {
        let output = self.extract(&[]);
        assert!(output.status.success(), "{}", said(&output));
        said(&output)
    }

    fn identity(&self) -> Identity {
        Identity::parse(&std::fs::read_to_string(self.lab().join("keys/recipient.age")).unwrap()).unwrap()
    }

    fn label(&self) -> Label {
        label(&self.at("archive"))
    }

    fn part(&self, number: usize) -> Vec<u8> {
        std::fs::read(self.at("archive").join(manifest::part_name(number))).unwrap()
    }

    fn index(&self) -> Index {
        Opener::new(self.label(), &self.identity()).index(&self.part(0)).unwrap()
    }

    /// See [`bent`].
    fn bent(&self, bend: impl FnOnce(&mut Index, &mut Sealer) -> Vec<(u64, Vec<u8>)>) {
        bent(&self.at("archive"), &self.identity(), &self.lab(), bend);
    }

    /// Every ordered row's file stands in the recipient's folder as it was, and nothing else does.
    #[track_caller]
    fn arrived(&self, theirs: &Path, said: &str) {
        let files: std::collections::BTreeMap<_, _> = held().into_iter().collect();
        let old = Connection::open(self.at("old.db")).unwrap();
        let new = Connection::open(theirs.join("loaded.db")).unwrap();
        let path = |base: &Connection, id: i64| -> Option<String> {
            base.query_row("SELECT path FROM report WHERE id = ?", [id], |row| row.get(0)).unwrap()
        };
        let mut names = Vec::new();
        for id in 1..=6 {
            let (was, is) = (path(&old, id).unwrap(), path(&new, id).unwrap());
            let bytes = std::fs::read(theirs.join("reports").join(&is)).unwrap();
            assert!(bytes == files[was.as_str()], "{id}: {said}");
            assert!(is.replace('/', "").contains(&hexadecimal(&bytes)), "{is}");
            names.push(is);
        }
        assert!(path(&new, 7).unwrap().contains("/missing") && path(&new, 8).is_none(), "{said}");
        let rows: i64 = new.query_row("SELECT count(*) FROM report", [], |row| row.get(0)).unwrap();
        assert_eq!((rows, below(&theirs.join("reports"))), (8, names.len()), "{said}");
        assert!(!theirs.join("keys/recipient.age").exists(), "{said}");
    }
}

const LOAD: [&str; 7] = ["load", "../archive", "--to", "sqlite:loaded.db", "--ddl", "--files", "reports"];

fn below(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder).unwrap().flatten();
    entries.map(|entry| if entry.path().is_dir() { below(&entry.path()) } else { 1 }).sum()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned()
}

// fails with the guard off: a file beside the ordered rows is carried along, or one of theirs is not
#[test]
fn files_of_sealed_rows_arrive_under_the_digest_of_their_bytes_and_no_others_are_carried() {
    let way = Way::new(&held());
    let told = way.extracted();
    assert!(told.contains("report.path: 7 files named, 6 sealed, 1 missing, 0 refused"), "{told}");
    let index = way.index();
    let Files { parts, files } = &index.files;
    // the large one alone takes three parts; two rows' bytes are the same, and lie there once
    assert!(parts.len() >= 3 && files.len() == 5, "{parts:?} {files:?}");
    // names and bytes of patients' files: sealed, and nowhere else; of rows that were not ordered, not even there
    let places = ["lab", "archive", "tmp"];
    let (ours, theirs) = (Search::new(&CANARIES), Search::new(&["ZxOthersOwn"]));
    for place in places {
        assert_eq!(ours.folder(&way.at(place)), [], "{place}");
        assert_eq!(theirs.folder(&way.at(place)), [], "{place}");
    }
    let identity = std::fs::read_to_string(way.lab().join("keys/recipient.age")).unwrap();
    let identity = identity.lines().find(|line| line.starts_with("AGE-SECRET-KEY-")).unwrap().to_owned();
    let opened = |search: Search| search.opening(&[&identity]).folder(&way.at("archive"));
    assert!(opened(Search::new(&["QyIsecond"])).iter().any(|found| found.form.contains("Parquet")));
    assert_eq!(opened(Search::new(&["ZxOthersOwn"])), []);
    assert_eq!(opened(Search::new(&["QyIone.pdf"])), [], "the old names do not travel");

    let theirs = way.theirs();
    assert!(succeed(&theirs, &["open", "../archive"]).contains("5 files that rows name"));
    let without = crate::ecluse(&theirs, &LOAD[..5]);
    assert!(
        said(&without).contains("ECL-LOA-036") && !theirs.join("loaded.db").exists(),
        "{}",
        said(&without)
    );
    let told = succeed(&theirs, &LOAD);
    way.arrived(&theirs, &told);
    for name in ["receipt.toml", "receipt.toml.sigs/"] {
        let copied = Command::new("cp").arg("-r").arg(theirs.join(name)).arg(way.lab()).status().unwrap();
        assert!(copied.success());
    }
    succeed(&way.lab(), &["receipt", "verify", "--archive", "../archive"]);
    assert_eq!(ours.folder(&theirs.join("load")), []);
}

// fails with the guard off: a recipient takes files that no row names, or other bytes than the row says
#[test]
fn files_that_are_lacking_beside_exchanged_or_changed_are_refused_and_nothing_is_received() {
    let small: Vec<_> = held().into_iter().filter(|(name, _)| *name != "large.bin").collect();
    let way = Way::new(&[small, vec![("large.bin", b"not so large".to_vec())]].concat());
    way.extracted();
    let kept = way.at("kept");
    assert!(Command::new("cp").arg("-a").arg(way.at("archive")).arg(&kept).status().unwrap().success());
    let anew = || {
        std::fs::remove_dir_all(way.at("archive")).unwrap();
        assert!(Command::new("cp").arg("-a").arg(&kept).arg(way.at("archive")).status().unwrap().success());
        way.theirs()
    };
    let refuses = |theirs: &Path, code: &str| {
        let said = refused(theirs, &LOAD, code);
        assert!(
            !theirs.join("receipt.toml").exists() && theirs.join("keys/recipient.age").exists(),
            "{said}"
        );
    };
    // a byte of the last part, which holds files
    let theirs = anew();
    let last = way.at("archive").join(manifest::part_name(way.index().parts()));
    let mut bytes = std::fs::read(&last).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&last, bytes).unwrap();
    refuses(&theirs, "ECL-LOA-021");

    let theirs = anew();
    way.bent(|index, _| {
        index.files.files.pop();
        Vec::new()
    });
    refuses(&theirs, "ECL-LOA-038");

    // two files change places: each row would lead to the other's
    let theirs = anew();
    way.bent(|index, sealer| {
        let identity = way.identity();
        let opener = Opener::new(way.label(), &identity);
        let part = &mut index.files.parts[0];
        let sealed = way.part(usize::try_from(part.index).unwrap());
        let rows = opener.files(&sealed, part).unwrap();
        let pieces: Vec<_> = rows.iter().flat_map(|batch| ecluse_batch::pieces::of(batch).unwrap()).collect();
        let mut swapped = pieces.clone();
        (swapped[0].sha256, swapped[1].sha256) = (pieces[1].sha256, pieces[0].sha256);
        let anew = sealer.files(part.index, &[ecluse_batch::pieces::rows(&swapped).unwrap()]).unwrap();
        part.sha256.clone_from(&anew.plain_sha256);
        part.unpacked = anew.unpacked;
        vec![(part.index, anew.bytes)]
    });
    refuses(&theirs, "ECL-LOA-033");
    assert_eq!(below(&theirs.join("reports")), 0, "nothing of it arrives");

    let theirs = anew();
    way.bent(beside);
    refuses(&theirs, "ECL-LOA-034");
    assert!(!Search::new(&["nobody ordered"]).folder(&theirs).iter().any(|found| !found.place.is_empty()));

    // a row that names somebody else's file in the folder that receives
    let theirs = anew();
    std::fs::write(theirs.join("reports/theirs.pdf"), b"of another laboratory").unwrap();
    way.bent(|index, sealer| {
        let identity = way.identity();
        let opener = Opener::new(way.label(), &identity);
        let (note, table) = (&mut index.chunks[0], &index.tables[0]);
        let rows = opener.chunk(&way.part(1), note, table).unwrap();
        let column = table.columns.iter().position(|column| column.name == "path").unwrap();
        let texts = rows[0].texts(column).unwrap();
        let texts: Vec<_> = texts.into_iter().map(|_| Some("theirs.pdf".to_owned())).collect();
        let anew = sealer.chunk(1, table, &[rows[0].with_texts(column, &texts).unwrap()]).unwrap();
        note.sha256.clone_from(&anew.plain_sha256);
        note.unpacked = anew.unpacked;
        vec![(1, anew.bytes)]
    });
    refuses(&theirs, "ECL-RUN-012");
    let figures = std::fs::read_to_string(theirs.join("load/figures.json")).unwrap();
    assert!(figures.contains("ECL-FIL-016"), "{figures}");
    assert_eq!(std::fs::read(theirs.join("reports/theirs.pdf")).unwrap(), b"of another laboratory");

    let theirs = anew();
    succeed(&theirs, &LOAD);
}

#[test]
fn a_link_and_a_file_with_a_second_name_refuse_their_rows_and_no_archive_stands() {
    let way = Way::new(&held());
    std::fs::remove_file(way.at("files/three")).unwrap();
    symlink(way.at("old.db"), way.at("files/three")).unwrap();
    let output = way.extract(&[]);
    assert!(!output.status.success() && said(&output).contains("ECL-RUN-012"), "{}", said(&output));
    assert!(!way.at("archive").exists());
    let figures = std::fs::read_to_string(way.lab().join("run/figures.json")).unwrap();
    assert!(figures.contains("ECL-FIL-012"), "{figures}");
    std::fs::remove_file(way.at("files/three")).unwrap();
    std::fs::hard_link(way.at("files/2023/same.pdf"), way.at("files/three")).unwrap();
    assert!(!way.extract(&[]).status.success() && !way.at("archive").exists());
    std::fs::remove_file(way.at("files/three")).unwrap();
    std::fs::write(way.at("files/three"), b"").unwrap();
    way.extracted();
}

// fails with the guard off: the rest of the files arrives in another folder, and the first ones stay where they are
#[test]
fn killed_where_files_are_sealed_and_where_they_arrive_the_same_command_goes_on() {
    let way = Way::new(&held());
    let search = Search::new(&CANARIES);
    // parts 1 to 3 hold rows
    for place in
        ["archive.settle.fsync.before:4", "archive.settle.fsync.after:5", "archive.settle.fsync.after:6"]
    {
        let died = way.extract(&[(VARIABLE, place)]);
        assert!(died.status.code().is_none() && !way.at("archive").exists(), "{place}: {}", said(&died));
        for folder in ["lab", "archive.part", "tmp"] {
            assert_eq!(search.folder(&way.at(folder)), [], "{place} {folder}");
        }
    }
    way.extracted();
    let places: Vec<_> = failpoints().into_iter().filter(|name| name.starts_with("attached.")).collect();
    let mut deaths = 0;
    for place in places.iter().flat_map(|place| [format!("{place}:1"), format!("{place}:4")]) {
        let theirs = way.theirs();
        let mut command = Command::new(program());
        command.current_dir(&theirs).args(LOAD).env(CHUNK_ROWS, "3").env(VARIABLE, &place);
        let died = command.output().unwrap();
        if died.status.success() {
            continue;
        }
        assert!(died.status.code().is_none(), "{place}: {}", said(&died));
        deaths += 1;
        // files that stand in clear would be nobody's: the first start's folder receives the rest too
        std::fs::create_dir(theirs.join("reports2")).unwrap();
        let elsewhere: Vec<&str> = LOAD[..6].iter().copied().chain(["reports2"]).collect();
        refused(&theirs, &elsewhere, "ECL-LOA-040");
        assert_eq!(below(&theirs.join("reports2")), 0, "{place}");
        assert!(!theirs.join("receipt.toml").exists(), "{place}");
        way.arrived(&theirs, &format!("{place}: {}", succeed(&theirs, &LOAD)));
    }
    assert!(deaths >= 8, "{deaths}");
}

// fails with the guard off: a row names the bytes that were there, and the archive holds those that came after
#[test]
fn a_file_that_changes_behind_its_sealed_row_stands_in_no_archive() {
    let way = Way::new(&held());
    let (first, file) =
        (way.at("archive.part").join(manifest::part_name(1)), way.at("files/2024/QyIone.pdf"));
    // the first rows are sealed, and the large file still to be read
    let changes = std::thread::spawn(move || {
        for _ in 0..60_000 {
            if first.exists() {
                return std::fs::write(&file, b"%PDF QyIanother").unwrap();
            }
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        panic!("nothing was sealed");
    });
    let output = way.extract(&[]);
    changes.join().unwrap();
    assert!(!output.status.success() && said(&output).contains("ECL-ARC-023"), "{}", said(&output));
    assert!(!way.at("archive").exists());
    // nobody writes there any more: the same command, the same run
    way.extracted();
}

// A file of 100 MiB passes through pieces, at both ends.
#[test]
fn a_file_of_a_hundred_mebibytes_takes_no_more_memory_than_its_parts() {
    let files: Vec<_> = held().into_iter().filter(|(name, _)| *name != "large.bin").collect();
    let way = Way::new(&[files, vec![("large.bin", noise(100 << 20))]].concat());
    let mut extract = Command::new(program());
    extract.current_dir(way.lab()).args(["extract", "-o", "../archive"]);
    let sealing = peak(extract);
    let theirs = way.theirs();
    let mut load = Command::new(program());
    load.current_dir(&theirs).args(LOAD);
    let loading = peak(load);
    eprintln!("most memory: {} MB sealing, {} MB loading", sealing >> 20, loading >> 20);
    // five parts' worth, and far from three times the file
    assert!(sealing.max(loading) < most(32 << 20), "{} MB, {} MB", sealing >> 20, loading >> 20);
    let path: String = Connection::open(theirs.join("loaded.db"))
        .unwrap()
        .query_row("SELECT path FROM report WHERE id = 6", [], |row| row.get(0))
        .unwrap();
    assert!(std::fs::read(theirs.join("reports").join(path)).unwrap() == noise(100 << 20));
}
