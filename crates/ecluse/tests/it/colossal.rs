//! An archive of 500 GB, simulated by its parts: as many as 500 GB have, each opened as any part is, however large. What
//! grows with their number is the manifest, the index and the two lists of them; nothing of the rows.

use std::fmt::Write as _;
use std::process::Command;
use std::time::Instant;

use ecluse_core::manifest::{self, MOST_PARTS, part_name};
use ecluse_testkit::kill::VARIABLE;

use crate::large::{peak, peak_of};
use crate::load::Machine;
use crate::reference::refused;
use crate::{program, succeed};

/// Parts of 32 MiB that 500 GB have.
const PARTS: usize = 500_000_000_000 / (32 << 20) + 1;
const ROWS: usize = 3;

fn rows(parts: usize) -> Vec<Vec<i64>> {
    let row = |part: usize, row: usize| i64::try_from(part * ROWS + row).unwrap();
    (0..parts).map(|part| (0..ROWS).map(|at| row(part, at)).collect()).collect()
}

/// The memory and the time of a command that ends well.
fn measured(machine: &Machine, arguments: &[&str]) -> (u64, f64) {
    let mut command = Command::new(program());
    command.current_dir(machine.lab()).args(arguments);
    let began = Instant::now();
    (peak(command) >> 10, began.elapsed().as_secs_f64())
}

#[test]
fn as_many_parts_as_500_gb_have_take_little_memory_and_no_more_time_each() {
    let machine = Machine::new();
    let open = ["open", "../archive", "--identity", "../own.age"];
    let inspect = ["inspect", "../archive"];
    let mut told = String::new();
    let mut all = Vec::new();
    for parts in [PARTS / 8, PARTS] {
        let made = rows(parts);
        machine.forget();
        machine.seal_of(1, &made.iter().map(Vec::as_slice).collect::<Vec<_>>(), |_| {});
        let index = std::fs::metadata(machine.archive().join(part_name(0))).unwrap().len();
        let manifest = std::fs::metadata(machine.archive().join(manifest::FILE)).unwrap().len();
        let steps = [measured(&machine, &inspect), measured(&machine, &open)];
        // a load that dies in the middle goes on, through as many parts
        let mut died = Command::new(program());
        let died =
            died.current_dir(machine.lab()).args(machine.load(&[])).env(VARIABLE, "folder.event.after:9");
        assert!(died.output().unwrap().status.code().is_none());
        let load = measured(&machine, &machine.load(&[]));
        assert!(machine.loaded() == made.concat());
        let _ = writeln!(
            told,
            "{parts} parts: manifest {manifest} bytes, index {index} bytes sealed; KiB and seconds: inspect {:?}, open {:?}, load {load:?}",
            steps[0], steps[1],
        );
        all.push((parts, manifest, index, [steps[0], steps[1], load]));
    }
    eprintln!("{told}");
    let [(few, _, _, small), (many, manifest, index, large)] = all.as_slice() else { panic!("two") };
    // the index of 500 GB, and that of the most parts there may be, is far from the most that is opened
    assert!(*index < 32 << 20 && *manifest < manifest::LONGEST as u64, "{told}");
    assert!(*index * (MOST_PARTS as u64) / (PARTS as u64) < 64 << 20, "{told}");
    for ((small, quick), (large, slow)) in small.iter().zip(large) {
        // beside what the program takes at any rate, some bytes for each part
        let each = large.saturating_sub(*small) * 1024 / u64::try_from(many - few).unwrap();
        assert!(each < 8 << 10 && *large < 200 << 10, "{each} bytes a part: {told}");
        // eight times the parts; twice that for the noise of a machine at work. A quadratic list would take 64 times
        assert!(*slow < quick.max(0.5) * 20.0, "{told}");
    }
}

#[test]
fn an_archive_that_is_500_gb_by_its_manifest_is_refused_at_its_first_part_that_is_not_so() {
    let machine = Machine::new();
    let path = machine.archive().join(manifest::FILE);
    let text = std::fs::read_to_string(&path).unwrap();
    let (head, _) = text.split_once("\n[[part]]").unwrap();
    let part = |number: usize| {
        format!(
            "\n[[part]]\nindex  = {number}\nsize   = {}\nsha256 = \"sha256:{}\"\n",
            32 << 20,
            "0".repeat(64)
        )
    };
    let listed = |parts: usize| (0..parts).fold(head.to_owned(), |text, number| text + &part(number));
    let signed = |text: &str| {
        std::fs::write(&path, text).unwrap();
        machine.sign_text(text);
    };
    signed(&listed(PARTS));
    let said = refused(&machine.lab(), &["inspect", "../archive"], "ECL-LOA-021");
    assert!(said.contains("000000.age"), "{said}");
    // a hole of 2 GiB in the first part's place, and one where a part may be so large: neither fills the memory
    let hole = |number: usize, size: u64| {
        let hole = std::fs::File::create(machine.archive().join(part_name(number))).unwrap();
        hole.set_len(size).unwrap();
    };
    let whole = std::fs::read(machine.archive().join(part_name(0))).unwrap();
    let inspected = || {
        let mut command = Command::new(program());
        command.current_dir(machine.lab()).args(["inspect", "../archive"]);
        let (most, well) = peak_of(command);
        assert!(!well && most < 128 << 20, "{most}");
    };
    hole(0, 2 << 30);
    inspected();
    std::fs::write(machine.archive().join(part_name(0)), &whole).unwrap();
    for beside in [2, 3] {
        std::fs::remove_file(machine.archive().join(part_name(beside))).unwrap();
    }
    hole(1, 1 << 30);
    let own = format!("size   = {}\nsha256 = \"{}\"", whole.len(), ecluse_core::digest::of_bytes(&whole));
    let one = listed(2).replacen(
        &format!("size   = {}\nsha256 = \"sha256:{}\"", 32 << 20, "0".repeat(64)),
        &own,
        1,
    );
    signed(&one.replace(&(32 << 20).to_string(), &(1 << 30).to_string()));
    inspected();
    let said = refused(&machine.lab(), &["inspect", "../archive"], "ECL-LOA-021");
    assert!(said.contains("000001.age"), "{said}");
    // a million parts, and a manifest longer than any: refused before a part is looked at
    signed(&listed(MOST_PARTS + 1));
    refused(&machine.lab(), &["inspect", "../archive"], "ECL-MAN-007");
    signed(&listed(1_000_000));
    refused(&machine.lab(), &["inspect", "../archive"], "ECL-MAN-007");
    // sizes beyond every archive's, and beyond numbers
    for size in ["2147483649", "9223372036854775807", "18446744073709551616", "-1", "0", "1e30"] {
        signed(&listed(1).replace(&(32 << 20).to_string(), size));
        refused(&machine.lab(), &["inspect", "../archive"], "ECL-MAN-0");
    }
    // no key of a part names a file
    for more in ["name = \"../../keys/petit\"", "path = \"/etc/passwd\"", "file = \"000001.age\""] {
        signed(&(listed(1) + more + "\n"));
        refused(&machine.lab(), &["inspect", "../archive"], "ECL-MAN-002");
    }
    machine.forget();
    succeed(&machine.lab(), &["explain", "ECL-MAN-007"]);
}
