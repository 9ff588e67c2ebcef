use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::Path;

use sha2::Digest as _;

use super::*;

const RUN: &str = "0123456789abcdef0123456789abcdef";

struct Here {
    _folder: tempfile::TempDir,
    old: PathBuf,
    new: PathBuf,
    files: Attached,
}

fn here() -> Here {
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (folder.path().join("old"), folder.path().join("new"));
    std::fs::create_dir_all(old.join("2024")).unwrap();
    std::fs::create_dir(&new).unwrap();
    let files = Attached::new(BTreeMap::from([("/old".to_owned(), old.clone())]), Some(new.clone()));
    Here { _folder: folder, old, new, files }
}

fn column() -> FileColumn {
    FileColumn {
        read: 0,
        write: 0,
        folder: "/old".to_owned(),
        prefix: String::new(),
        suffix: String::new(),
        missing_refuses: false,
        largest: 200 << 20,
    }
}

const COPY: Want<'_> = Want::Copy { run: RUN, row: "7Q4M-KD2E", verify: false };

impl Here {
    fn put(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.old.join(name), bytes).unwrap();
    }

    fn take(&self, name: &str, want: Want<'_>) -> Taken {
        self.files.take(&column(), &column().relative(name).unwrap(), want).unwrap()
    }

    fn code(&self, name: &str) -> &'static str {
        match self.take(name, COPY) {
            Taken::Refused(code) => code.id,
            other => panic!("{other:?}"),
        }
    }

    fn there(&self, name: &str) -> PathBuf {
        let Taken::There { digest, .. } = self.take(name, Want::Digest) else { panic!("no {name}") };
        self.new.join(arrives_as(RUN, &digest, "7Q4M-KD2E", &column().relative(name).unwrap()))
    }
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_file_arrives_whole_and_is_nobody_elses() {
    let here = here();
    here.put("2024/a.pdf", b"invented");
    let taken = here.take("2024/a.pdf", COPY);
    let digest = HEXLOWER.encode(&sha2::Sha256::digest(b"invented"));
    assert_eq!(taken, Taken::There { digest: digest.clone(), bytes: 8 });
    let path = here.there("2024/a.pdf");
    assert_eq!(std::fs::read(&path).unwrap(), b"invented");
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
    // once more: nothing is written again
    let inode = std::fs::metadata(&path).unwrap().ino();
    here.take("2024/a.pdf", COPY);
    assert_eq!(std::fs::metadata(&path).unwrap().ino(), inode);
    let names = here.files.kept(RUN).unwrap();
    assert_eq!(names.len(), 1, "{names:?}");
    assert_eq!(here.files.stands(&names[0], &digest).unwrap(), Stands::Whole);
    // damaged with its size kept: seen when it is read back, and put right where that was ordered
    std::fs::write(&path, b"INVENTED").unwrap();
    assert_eq!(here.files.stands(&names[0], &digest).unwrap(), Stands::Altered);
    here.take("2024/a.pdf", COPY);
    assert_eq!(std::fs::read(&path).unwrap(), b"INVENTED");
    here.take("2024/a.pdf", Want::Copy { run: RUN, row: "7Q4M-KD2E", verify: true });
    assert_eq!(std::fs::read(&path).unwrap(), b"invented");
    here.files.remove(RUN, &names[0]).unwrap();
    assert_eq!(here.files.stands(&names[0], &digest).unwrap(), Stands::Missing);
    assert_eq!(std::fs::read_dir(&here.new).unwrap().count(), 0);
}

#[test]
fn links_pipes_and_folders_are_no_files() {
    let here = here();
    here.put("a.pdf", b"a");
    let outside = here.old.parent().unwrap().join("outside");
    std::fs::create_dir(&outside).unwrap();
    std::fs::write(outside.join("secret"), b"s").unwrap();
    symlink(outside.join("secret"), here.old.join("link.pdf")).unwrap();
    symlink("a.pdf", here.old.join("inner.pdf")).unwrap();
    symlink(&outside, here.old.join("linked")).unwrap();
    std::fs::hard_link(outside.join("secret"), here.old.join("hard.pdf")).unwrap();
    rustix::fs::mknodat(CWD, here.old.join("pipe"), rustix::fs::FileType::Fifo, Mode::RUSR, 0).unwrap();
    for name in ["link.pdf", "inner.pdf", "linked/secret", "hard.pdf", "pipe", "2024", "a.pdf/b"] {
        assert_eq!(here.code(name), "ECL-FIL-012", "{name}");
    }
    assert_eq!(here.take("b.pdf", COPY), Taken::Missing);
    assert_eq!(here.take("nowhere/b.pdf", COPY), Taken::Missing);
    assert_eq!(here.files.kept(RUN).unwrap(), Vec::<String>::new());
    // and none of them is counted as lying there, but for the second name of a file
    let mut lies = Vec::new();
    here.files.lie("/old", &mut |name| lies.push(name.to_owned())).unwrap();
    lies.sort();
    assert_eq!(lies, ["a.pdf", "hard.pdf"]);
}

#[test]
fn a_file_that_is_larger_than_ordered_is_refused() {
    let here = here();
    here.put("a.pdf", &[7; 100]);
    let small = FileColumn { largest: 99, ..column() };
    let taken = here.files.take(&small, &small.relative("a.pdf").unwrap(), COPY).unwrap();
    assert!(matches!(taken, Taken::Refused(code) if code.id == "ECL-FIL-015"), "{taken:?}");
    let fits = FileColumn { largest: 100, ..column() };
    assert!(matches!(
        here.files.take(&fits, &fits.relative("a.pdf").unwrap(), Want::Look).unwrap(),
        Taken::There { bytes: 100, .. }
    ));
}

/// Between the first byte read and the last, something is done to the folder.
fn meanwhile(here: &Here, act: &dyn Fn()) -> bool {
    let root = here.files.source("/old").unwrap();
    let Found::File(file) = source::open(root, &column().relative("a.pdf").unwrap()).unwrap() else {
        panic!("no file")
    };
    let read = file.read(200 << 20, &mut |_| {
        act();
        Ok(())
    });
    matches!(read.unwrap(), Read::Changed)
}

#[test]
fn a_file_that_is_exchanged_between_its_reading_and_its_digest_is_found_out() {
    let here = here();
    let path = here.old.join("a.pdf");
    let again = || here.put("a.pdf", b"the patient's own");
    again();
    assert!(!meanwhile(&here, &|| ()));
    // another file under its name, of the same size
    assert!(meanwhile(&here, &|| {
        std::fs::write(here.old.join("b.pdf"), b"somebody else's..").unwrap();
        std::fs::rename(here.old.join("b.pdf"), &path).unwrap();
    }));
    // other bytes in the same file
    again();
    assert!(meanwhile(&here, &|| std::fs::write(&path, b"somebody else's..").unwrap()));
    // taken away, replaced by a link to one that holds the same, given a second name
    again();
    assert!(meanwhile(&here, &|| std::fs::remove_file(&path).unwrap()));
    again();
    assert!(meanwhile(&here, &|| {
        std::fs::rename(&path, here.old.join("c.pdf")).unwrap();
        symlink("c.pdf", &path).unwrap();
    }));
    std::fs::remove_file(&path).unwrap();
    again();
    assert!(meanwhile(&here, &|| std::fs::hard_link(&path, here.old.join("d.pdf")).unwrap()));
}

#[test]
fn what_a_killed_process_left_of_a_file_is_written_anew() {
    let here = here();
    let bytes = vec![9; 5 << 20];
    here.put("a.pdf", &bytes);
    let folder = here.new.join("0123456789abcdef");
    std::fs::create_dir(&folder).unwrap();
    // a link in the place of the part is not written through
    std::fs::write(here.new.join("else"), b"somebody's").unwrap();
    symlink(here.new.join("else"), folder.join("part")).unwrap();
    here.take("a.pdf", COPY);
    assert_eq!(std::fs::read(here.there("a.pdf")).unwrap(), bytes);
    assert_eq!(std::fs::read(here.new.join("else")).unwrap(), b"somebody's");
    assert_eq!(here.files.kept(RUN).unwrap().len(), 1);
    // nor is a folder of the run's that is a link gone through
    std::fs::remove_dir_all(&folder).unwrap();
    std::fs::create_dir(here.new.join("elsewhere")).unwrap();
    symlink(here.new.join("elsewhere"), &folder).unwrap();
    let name = column().relative("a.pdf").unwrap();
    assert_eq!(here.files.take(&column(), &name, COPY).unwrap_err().code().id, "ECL-FIL-031");
    assert_eq!(std::fs::read_dir(here.new.join("elsewhere")).unwrap().count(), 0);
}
