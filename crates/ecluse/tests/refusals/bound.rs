//! What an instruction binds: change one thing, and nothing is read.

use ecluse_testkit::papers::{Paper, signatures_of};

use crate::migration::{Legacy, Migration};

/// An instruction that says something else in one place, validly signed.
fn otherwise<D: Legacy>(migration: &mut Migration<D>, from: &str, to: &str) {
    migration.papers.edits.clear();
    migration.papers.edit(Paper::Instruction, from, to);
    migration.write();
}

const ZERO: &str = "sha256:0000000000000000000000000000000000000000000000000000000000000000";

/// The value that stands behind `key = ` in the instruction, in its `nth` place.
fn value<D: Legacy>(migration: &Migration<D>, key: &str, nth: usize) -> String {
    let text = migration.papers.text(Paper::Instruction);
    let line = text.lines().filter(|line| line.starts_with(&format!("{key} = "))).nth(nth).unwrap();
    line.split('"').nth(1).unwrap().to_owned()
}

// proves: INS-10
#[test]
fn another_contract_source_destination_schema_mapping_or_run_reads_nothing() {
    if let Some(migration) = Migration::new("bound") {
        something_else_bound(migration);
    }
    if let Some(migration) = Migration::mariadb("bound") {
        something_else_bound(migration);
    }
}

fn something_else_bound<D: Legacy>(mut migration: Migration<D>) {
    let contract = migration.papers.digest(Paper::Contract);
    otherwise(&mut migration, &contract, ZERO);
    migration.is_refused("another contract", "SGN-008");

    let schema = value(migration_clean(&mut migration), "schema", 0);
    otherwise(&mut migration, &schema, ZERO);
    migration.is_refused("another schema", "PLN-003");

    for (nth, (what, code)) in
        [("another source", "PLN-002"), ("another destination", "PLN-004")].into_iter().enumerate()
    {
        let identity = value(migration_clean(&mut migration), "identity", nth);
        otherwise(&mut migration, &identity, "someone-else");
        migration.is_refused(what, code);
    }

    migration_clean(&mut migration);
    let mapping = std::fs::read_to_string(migration.path("mapping.toml")).unwrap();
    std::fs::write(migration.path("mapping.toml"), format!("{mapping}\n# changed\n")).unwrap();
    migration.is_refused("another mapping", "MAP-014");

    let dictionary = std::fs::read_to_string(migration.path("dictionary.toml")).unwrap();
    migration_clean(&mut migration);
    std::fs::write(migration.path("dictionary.toml"), format!("{dictionary}\n# changed\n")).unwrap();
    migration.is_refused("another dictionary", "INS-018");

    migration_clean(&mut migration);
    migration.papers.edit(Paper::Instruction, "version    = 1", "version    = 2");
    migration.write();
    migration.is_refused("a later version that supersedes nothing", "SGN-003");

    migration_clean(&mut migration);
    migration.source.run("alter table resultat add column ajout text");
    migration.is_refused("a schema that changed since", "PLN-003");
    migration.source.run("alter table resultat drop column ajout");
}

fn migration_clean<D: Legacy>(migration: &mut Migration<D>) -> &Migration<D> {
    migration.papers.edits.clear();
    migration.write();
    migration
}

/// The public key of the test server, as an instruction binds it; `None` without `openssl`.
fn key(migration: &Migration) -> Option<String> {
    let certificate = migration.source.server().authority().with_file_name("server.pem");
    let digest = format!(
        "openssl x509 -in {} -noout -pubkey | openssl pkey -pubin -outform DER | sha256sum | cut -c1-64",
        certificate.display()
    );
    let digest = std::process::Command::new("sh").arg("-c").arg(digest).output().unwrap();
    certificate.exists().then(|| format!("sha256:{}", String::from_utf8(digest.stdout).unwrap().trim()))
}

/// `tls_spki` of the source, signed.
fn pinned(migration: &mut Migration, key: &str) {
    migration.papers.edits.clear();
    let destination = format!("tls_spki = \"{key}\"\n[destination]");
    migration.papers.edit(Paper::Instruction, "[destination]", &destination);
    migration.write();
}

// proves: INS-10
#[test]
fn a_server_that_does_not_hold_the_signed_key_reads_nothing_though_the_url_says_nothing_of_it() {
    let Some(mut migration) = Migration::new("pin") else { return };
    let Some(key) = key(&migration) else { return };
    pinned(&mut migration, ZERO);
    migration.is_refused("another server", "SRC-508");
    // a URL that pins the server's real key does not stand against the signed one
    migration.options = format!("&spki={key}");
    migration.is_refused("a URL with a pin of its own", "SEC-013");
    migration.options.clear();

    let binding = migration_clean(&mut migration).papers.text(Paper::Instruction);
    let destination = binding.lines().filter(|l| l.starts_with("identity")).nth(1).unwrap().to_owned();
    let with_key = format!("{destination}\ntls_spki = \"{key}\"");
    migration.papers.edit(Paper::Instruction, &destination, &with_key);
    migration.write();
    migration.is_refused("a file that should prove a key", "SEC-012");

    pinned(&mut migration, &key);
    let answer = migration.migrate();
    assert_eq!(answer.code, Some(0), "the key that was signed for: {}", answer.text);
}

const UNITS: &str = "[codes]\nformat = \"ecluse-codes/1\"\ntitle = \"Valeurs\"\naccepted_by = \"Bruno Aubry\"\n\
    changes_result = true\n\n[[code]]\nfrom = \"5.1\"\nto = \"5,1\"\n[[code]]\nfrom = \"6\"\nto = \"6,0\"\n\
    [[code]]\nfrom = \"4.9\"\nto = \"4,9\"\n";

// proves: INS-10, REC-05
#[test]
fn a_code_table_that_changed_or_that_no_biologist_accepted_reads_nothing() {
    let Some(mut migration) = Migration::new("codes") else { return };
    let mapping = &migration.papers.mapping;
    migration.papers.mapping = format!(
        "{}\n[[code_table]]\nname = \"valeurs\"\nfile = \"codes/valeurs.toml\"\ndigest = \"{{codes/valeurs.toml}}\"\n",
        mapping.replace("valeur = \"valeur\"", "valeur = { code = \"valeur\", table = \"valeurs\" }")
    );
    migration.papers.codes = vec![("valeurs.toml".to_owned(), UNITS.to_owned())];
    migration.write();
    let table = migration.path("codes/valeurs.toml");
    std::fs::write(&table, UNITS.replace("6,0", "60")).unwrap();
    migration.is_refused("a code table that changed", "CLI-021");

    migration.write();
    std::fs::remove_dir_all(signatures_of(&table)).unwrap();
    migration.is_refused("a code table nobody signed", "SGN-020");

    migration.write();
    assert_eq!(migration.migrate().code, Some(0), "the same table, signed, is used");
}

// proves: INS-10
#[test]
fn a_second_run_beyond_the_number_ordered_reads_nothing() {
    let Some(migration) = Migration::new("runs") else { return };
    assert_eq!(migration.migrate().code, Some(0));
    let before = migration.reads().len();
    let answer = migration.migrate_into("second-run");
    assert_eq!(answer.code, Some(1), "{}", answer.text);
    assert_eq!(migration.reads().len(), before, "{}", answer.text);
}
