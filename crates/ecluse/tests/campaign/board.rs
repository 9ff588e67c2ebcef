//! What the board shows of folders that are broken or mixed up; what is inherited; what `each` refuses.

use std::fs;
use std::path::Path;
use std::process::Command;

use rusqlite::Connection;

use crate::{board, ecluse, ends, line};

/// A campaign of these folders.
fn listed(root: &Path, folders: &[&str]) {
    let mut text = "[campaign]\nformat = \"ecluse-campaign/1\"\nname = \"Essais\"\n\n\
        [[product]]\nname = \"old\"\nfolder = \"product\"\n"
        .to_owned();
    for folder in folders {
        text += &format!(
            "\n[[laboratory]]\nname = \"Laboratoire {folder}\"\nfolder = \"{folder}\"\nproduct = \"old\"\n"
        );
    }
    fs::write(root.join("campaign.toml"), text).unwrap();
}

/// A trial over an old system of its own, as far as its report.
fn reported(root: &Path, folder: &str) {
    let old = format!("{folder}-old.db");
    Connection::open(root.join(&old))
        .unwrap()
        .execute_batch(
            "CREATE TABLE patient (id INTEGER PRIMARY KEY, nom VARCHAR(60));
             INSERT INTO patient VALUES (1, 'Nom-inventé')",
        )
        .unwrap();
    let (from, to) = (format!("sqlite:{old}"), format!("sqlite:{folder}-new.db"));
    ends(root, &["new", folder, "--trial", "--from", &from, "--to", &to], 0);
    moved(&root.join(folder));
}

fn moved(lab: &Path) {
    ends(lab, &["survey"], 0);
    ends(lab, &["instruction", "new", "--table", "patient", "--grant-proposed"], 0);
    ends(lab, &["instruction", "sign"], 0);
    ends(lab, &["migrate", "--ddl"], 0);
    ends(lab, &["reconcile"], 0);
    ends(lab, &["report"], 0);
}

// fails where one folder's fault ends the look at the others
#[test]
fn a_broken_folder_is_a_line_with_its_code_and_never_the_end_of_the_board() {
    let here = tempfile::tempdir().unwrap();
    let root = here.path();
    ["whole", "bent", "beside"].iter().for_each(|folder| reported(root, folder));
    listed(root, &["whole", "bent", "gone"]);
    let file = root.join("bent/run/figures.json");
    let figures = fs::read_to_string(&file).unwrap();
    fs::write(&file, figures.replacen("\"moved\": 1", "\"moved\": 2", 1)).unwrap();

    let said = ends(root, &["campaign"], 1);
    assert!(said.contains("ECL-CAM-030: ecluse -C ./") && said.contains("2 of 3"), "{said}");
    assert!(said.contains("Not in campaign.toml: beside"), "{said}");
    for told in said.lines().skip(3).take(3) {
        assert!(told.chars().count() <= 80, "{told}");
    }
    let all = board(root);
    assert_eq!(line(&all, "gone")["code"], "ECL-CAM-012");
    assert_eq!(line(&all, "bent")["code"], "ECL-RUN-207");
    let whole = line(&all, "whole");
    assert_eq!((&whole["state"], &whole["last"]["read_back"]), (&"done".into(), &1.into()), "{whole}");
    assert_eq!(all["laboratories"][2]["folder"], "whole", "who needs nobody stands last");

    ends(root, &["campaign", "-o", "board.html"], 1);
    let page = fs::read_to_string(root.join("board.html")).unwrap();
    for wanted in ["<html lang=\"fr\">", "2 refusés, 1 où rien ne manque.", "1 sur 3", "ECL-CAM-012"] {
        assert!(page.contains(wanted), "{wanted}: {page}");
    }
    for never in ["<script", "http:", "https:", "refused</td>", "Nom-inventé"] {
        assert!(!page.contains(never), "{never}");
    }
    ends(root, &["campaign", "elsewhere"], 2);
}

// fails where a link is followed, or a pipe waited for
#[test]
fn a_link_a_pipe_or_a_device_in_a_papers_place_is_a_line_with_its_code() {
    let here = tempfile::tempdir().unwrap();
    let root = here.path();
    reported(root, "tilleuls");
    let folders = ["whole", "order", "figures", "signature", "runs", "elsewhere"];
    for folder in folders {
        let copied = Command::new("cp").args(["-r", "tilleuls", folder]).current_dir(root).status().unwrap();
        assert!(copied.success());
    }
    let pipe = |path: &str| {
        let _none = fs::remove_file(root.join(path));
        assert!(Command::new("mkfifo").arg(root.join(path)).status().unwrap().success());
    };
    let link = |path: &str, to: &str| {
        let _none = fs::remove_file(root.join(path)).or_else(|_| fs::remove_dir_all(root.join(path)));
        std::os::unix::fs::symlink(to, root.join(path)).unwrap();
    };
    pipe("order/instruction.toml");
    link("figures/run/figures.json", "../../tilleuls/run/figures.json");
    pipe("signature/instruction.toml.sigs/late.sig");
    link("runs/run", "../tilleuls/run");
    link("elsewhere", "tilleuls");
    listed(root, &folders);
    let all = board(root);
    for folder in folders.into_iter().skip(1) {
        assert_eq!(line(&all, folder)["code"], "ECL-CAM-016", "{folder}");
        assert!(line(&all, folder)["last"].is_null(), "{folder}: nothing of another's is shown");
    }
    assert!(line(&all, "whole")["code"].is_null());
    let each = ends(root, &["campaign", "each", ".", "--", "plan"], 0);
    assert_eq!(each.matches("not ready: ECL-CAM-016").count(), folders.len() - 1, "{each}");
    // a product's table that is a link is left out
    fs::create_dir_all(root.join("product/codes")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", root.join("product/codes/x.toml")).unwrap();
    assert!(line(&board(root), "whole")["code"].is_null());
}

// fails where a folder is looked at alone: each of these stands by itself
#[test]
fn a_folder_copied_for_the_next_laboratory_is_refused_and_so_is_one_source_under_two_orders() {
    let here = tempfile::tempdir().unwrap();
    let root = here.path();
    reported(root, "tilleuls");
    listed(root, &["tilleuls"]);
    ends(root, &["campaign"], 0);
    let copied = Command::new("cp").args(["-r", "tilleuls", "lilas"]).current_dir(root).status().unwrap();
    assert!(copied.success());
    listed(root, &["tilleuls", "lilas"]);
    ends(root, &["campaign"], 1);
    for folder in ["tilleuls", "lilas"] {
        assert_eq!(line(&board(root), folder)["code"], "ECL-CAM-020", "{folder}");
    }
    let each = ends(root, &["campaign", "each", ".", "--", "plan"], 1);
    assert!(each.contains("ECL-CAM-033"), "{each}");

    // papers of its own, over the first one's source
    fs::remove_dir_all(root.join("lilas")).unwrap();
    ends(
        root,
        &["new", "lilas", "--trial", "--from", "sqlite:tilleuls-old.db", "--to", "sqlite:lilas.db"],
        0,
    );
    moved(&root.join("lilas"));
    assert_eq!(line(&board(root), "lilas")["code"], "ECL-CAM-021");
    let each = ends(root, &["campaign", "each", ".", "--", "reconcile"], 1);
    assert!(each.contains("ECL-CAM-033"), "{each}");
}

// fails where a second inheritance writes over the first
#[test]
fn what_is_inherited_is_copied_once_and_each_departure_is_told() {
    let here = tempfile::tempdir().unwrap();
    let root = here.path();
    reported(root, "tilleuls");
    listed(root, &["tilleuls"]);
    let (product, lab) = (root.join("product"), root.join("tilleuls"));
    let codes = |to: &str| {
        format!(
            "[codes]\nformat = \"ecluse-codes/1\"\ntitle = \"Sex\"\n[[code]]\nfrom = \"1\"\nto = \"{to}\"\n"
        )
    };
    fs::create_dir_all(product.join("codes/sex.toml.sigs")).unwrap();
    fs::write(product.join("codes/sex.toml.sigs/x.sig"), "").unwrap();
    fs::write(product.join("codes/sex.toml"), codes("male")).unwrap();
    fs::write(product.join("codes/units.toml"), codes("g/L")).unwrap();
    // the laboratory has a mapping already, which its signed order cites
    let mapping = fs::read_to_string(lab.join("mapping.toml")).unwrap();
    fs::write(product.join("mapping.toml"), mapping.replace("\"patient\"\n[", "\"person\"\n[")).unwrap();

    let said = ends(root, &["campaign", "inherit", "."], 0);
    assert!(said.contains("codes/sex.toml   copied") && said.contains("of its own in 1 place"), "{said}");
    assert_eq!(fs::read_to_string(lab.join("mapping.toml")).unwrap(), mapping);
    assert!(!lab.join("codes/sex.toml.sigs").exists(), "nobody's signature is inherited");
    assert_eq!(line(&board(root), "tilleuls")["departs"], 1);

    // the laboratory corrects one and takes the other away; the product goes on
    fs::write(lab.join("codes/sex.toml"), codes("female")).unwrap();
    fs::remove_file(lab.join("codes/units.toml")).unwrap();
    let again = ends(root, &["campaign", "inherit", "."], 0);
    assert!(!again.contains("copied") && !lab.join("codes/units.toml").exists(), "{again}");
    assert_eq!(fs::read_to_string(lab.join("codes/sex.toml")).unwrap(), codes("female"));
    let told = ends(root, &["campaign", "diff", ".", "--only", "tilleuls"], 0);
    assert!(told.contains("~ code 1, to: \"male\" → \"female\""), "{told}");
    assert!(told.contains("~ table patient, to: \"person\" → \"patient\""), "{told}");
    fs::write(product.join("codes/sex.toml"), codes("unknown")).unwrap();
    let told = ends(root, &["campaign", "diff", "."], 0);
    assert!(told.contains("the product's changed since"), "{told}");
    assert!(ends(root, &["campaign", "diff", ".", "--only", "tileuls"], 2).contains("tilleuls"));
}

// fails where `each` takes any command: the signature would then be there
#[test]
fn nothing_that_signs_or_takes_back_is_given_to_several_laboratories_at_once() {
    let here = tempfile::tempdir().unwrap();
    let root = here.path();
    reported(root, "tilleuls");
    listed(root, &["tilleuls"]);
    let before = fs::read(root.join("tilleuls/status.toml")).unwrap();
    for command in [
        &["contract", "sign"][..],
        &["mandate", "sign"],
        &["instruction", "sign"],
        &["instruction", "status", "--key", "keys/controller-signatory"],
        &["instruction", "revoke", "--reason", "x"],
        &["codes", "sign", "codes/sex.toml"],
        &["differences", "sign"],
        &["undo"],
        &["freeze"],
        &["campaign", "each"],
        &["plan", "-C", "../lilas"],
        &["plan", "--from=sqlite:other.db"],
        &["migrate", "--contract", "other.toml"],
        &["session", "new", "--output", "../lilas/session.toml"],
        &["report", "-o../report.html"],
        &["migrate", "--frozen"],
        &["migrate", "--accept-wider-role=because"],
    ] {
        let said = ends(root, &[&["campaign", "each", ".", "--"], command].concat(), 2);
        assert!(said.contains("ECL-CAM-031"), "{said}");
    }
    assert_eq!(fs::read(root.join("tilleuls/status.toml")).unwrap(), before);
    let output = ecluse(root, &["--json", "campaign", "each", ".", "--", "reconcile"]);
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["laboratories"][0]["answer"]["holds"], true, "{answer:#}");
}
