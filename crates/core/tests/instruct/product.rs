//! Products' dictionaries: read, compared with a survey, laid over it.

use ecluse_core::catalog::{Catalog, Table};
use ecluse_core::class::Class;
use ecluse_core::dictionary::{self, Dictionary};
use ecluse_core::product::{self, Named, Product};
use ecluse_core::types::Engine;
use jiff::Timestamp;

use crate::dump;

const KALYS: &str = r#"
[product]
format  = "ecluse-product/1"
name    = "kalys"
title   = "Kalys"
version = "7.2"
engine  = "mariadb"

[[table]]
name  = "pers"
label = "Patients"
patients = true
columns = [
  { name = "id", type = "int(10) unsigned", class = "technical" },
  { name = "libelle", type = "varchar(80)", class = "identity", label = "Family name" },
  { name = "mdp", type = "varchar(80)", class = "technical" },
]

[[table]]
name  = "dos"
label = "Requests"
columns = [
  { name = "id", type = "int(11)", class = "technical" },
  { name = "x1", type = "int(11)", class = "technical" },
]
relations = [{ column = "x1", table = "pers", to = "id" }]
"#;

fn table(name: &str, columns: &[(&str, &str)]) -> Table {
    Table { columns: columns.iter().map(|(c, ty)| dump::column(c, ty)).collect(), ..dump::table(name) }
}

fn survey(tables: Vec<Table>) -> (String, Dictionary) {
    let catalog =
        Catalog { engine: Engine::Mariadb, database: "LAB".to_owned(), identity: "x".to_owned(), tables };
    let text = dictionary::draft(&catalog, Timestamp::UNIX_EPOCH, "sha256:0");
    let read = dictionary::parse(&text).unwrap();
    (text, read)
}

fn of_this_version() -> Vec<Table> {
    let pers = [("id", "int unsigned"), ("libelle", "varchar(80)"), ("mdp", "varchar(80)")];
    vec![
        table("autre", &[("id", "int(11)"), ("note", "text")]),
        table("dos", &[("id", "int(11)"), ("x1", "int(11)")]),
        table("pers", &pers),
    ]
}

fn kalys() -> Product {
    product::parse(KALYS).unwrap()
}

fn codes(product: &Product, survey: &Dictionary) -> Vec<(&'static str, String)> {
    product::fit(product, survey).differences.into_iter().map(|f| (f.code.id, f.message)).collect()
}

#[test]
fn a_products_dictionary_is_laid_over_a_survey_of_its_version() {
    let (text, survey) = survey(of_this_version());
    assert_eq!(codes(&kalys(), &survey), []);
    let applied = product::apply(&text, &survey, &kalys()).unwrap();
    assert_eq!((applied.classified, applied.unclassified, applied.relations), (5, 0, 1));
    let read = dictionary::parse(&applied.text).unwrap();
    let pers = read.table("pers").unwrap();
    assert_eq!((pers.label.as_str(), pers.patients), ("Patients", true));
    let name = pers.column("libelle").unwrap();
    assert_eq!(
        (name.class, name.label.as_str(), name.reason.as_str()),
        (Class::Identity, "Family name", "Kalys 7.2")
    );
    assert_eq!(pers.column("mdp").unwrap().class, Class::Credential, "a credential by its name stays one");
    let relation = &read.table("dos").unwrap().relations[0];
    assert_eq!((relation.table.as_str(), relation.declared), ("pers", false));
    assert_eq!(read.table("autre"), survey.table("autre"), "a table that nobody read keeps its proposal");
    // once more, nothing changes
    assert_eq!(product::apply(&applied.text, &read, &kalys()).unwrap().text, applied.text);
}

// fails where `apply` gives an unknown column the class of anything that needs no reason
#[test]
fn another_version_is_told_and_what_is_new_needs_a_reason() {
    let pers = [("id", "int(10) unsigned"), ("libelle", "text"), ("nir2", "varchar(15)"), ("x9", "int(11)")];
    let (text, survey) = survey(vec![table("pers", &pers)]);
    let missing = "ECL-DIC-011";
    assert_eq!(
        codes(&kalys(), &survey),
        [
            ("ECL-DIC-012", "pers.libelle is text, in Kalys 7.2 varchar(80)".to_owned()),
            (missing, "pers.mdp".to_owned()),
            ("ECL-DIC-013", "pers.nir2".to_owned()),
            ("ECL-DIC-013", "pers.x9".to_owned()),
            ("ECL-DIC-010", "dos".to_owned()),
        ]
    );
    assert!(product::fit(&kalys(), &survey).differences.iter().all(|f| f.help.is_some()));
    let applied = product::apply(&text, &survey, &kalys()).unwrap();
    let read = dictionary::parse(&applied.text).unwrap();
    for column in ["libelle", "nir2", "x9"] {
        let column = read.table("pers").unwrap().column(column).unwrap();
        assert!(column.class.needs_reason(), "{}: {}", column.name.value, column.class);
        assert!(column.reason.contains("nobody has classified it"), "{}", column.reason);
    }
    assert_eq!((applied.classified, applied.unclassified, applied.relations), (1, 3, 0));
}

#[test]
fn a_dictionary_of_another_engine_or_product_is_not_this_ones() {
    let (_, survey) = survey(vec![table("autre", &[("id", "int(11)")])]);
    assert!(!product::fit(&kalys(), &survey).resembles());
    let other = product::parse(&KALYS.replace("\"mariadb\"", "\"postgresql\"")).unwrap();
    assert_eq!(codes(&other, &survey)[0].0, "ECL-DIC-014");
}

#[test]
fn engineers_own_words_around_it_stay() {
    let (text, read) = survey(of_this_version());
    let edited = text.replace("[dictionary]\n", "# read with Mrs Petit\n[dictionary]\n").replace(
        "relations = [\n]",
        "relations = [ # none is declared\n  { column = \"id\", table = \"autre\", to = \"id\" }\n]",
    );
    let again = dictionary::parse(&edited).unwrap();
    assert_ne!(again.tables[1].relations, read.tables[1].relations);
    let applied = product::apply(&edited, &again, &kalys()).unwrap();
    assert!(applied.text.contains("# read with Mrs Petit") && applied.text.contains("# none is declared"));
    assert_eq!(dictionary::parse(&applied.text).unwrap().table("dos").unwrap().relations.len(), 2);
}

#[test]
fn what_is_made_of_a_survey_holds_names_and_classes_only() {
    let (text, read) = survey(of_this_version());
    let applied = product::apply(&text, &read, &kalys()).unwrap();
    let read = dictionary::parse(&applied.text).unwrap();
    let named = Named { name: "kalys", title: "Kalys", version: "7.2" };
    let made = product::draft(&read, named, &["pers".to_owned(), "dos".to_owned()]);
    assert!(!made.contains("LAB") && !made.contains("sha256") && !made.contains("1970"), "{made}");
    let made = product::parse(&made).unwrap();
    assert_eq!(codes(&made, &read), []);
    assert_eq!(made.tables.len(), 2);
    assert_eq!(made.table("dos").unwrap().relations.len(), 1);
}

#[test]
fn what_has_no_place_in_it_is_refused() {
    for (from, to, code) in [
        ("version = \"7.2\"", "version = \"7.2\"\nidentity = \"a1b2c3\"", "ECL-DIC-002"),
        ("class = \"identity\"", "class = \"identity\", example = \"Durand\"", "ECL-DIC-002"),
        ("class = \"identity\"", "class = \"names\"", "ECL-DIC-004"),
        ("type = \"varchar(80)\", class = \"identity\"", "class = \"identity\"", "ECL-DIC-003"),
        ("name = \"libelle\"", "name = \"id\"", "ECL-DIC-005"),
        ("name  = \"dos\"", "name  = \"pers\"", "ECL-DIC-005"),
        ("to = \"id\"", "to = \"cle\"", "ECL-DIC-006"),
    ] {
        assert!(KALYS.contains(from), "{from}");
        let found = product::parse(&KALYS.replacen(from, to, 1)).unwrap_err();
        assert_eq!(found[0].code.id, code, "{to}");
    }
}

/// Every dictionary in `dictionaries/`, read from the folder, so that none is forgotten.
fn shipped() -> Vec<(String, Product)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../dictionaries");
    let mut found: Vec<(String, Product)> = std::fs::read_dir(folder)
        .unwrap()
        .map(|file| {
            let path = file.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap();
            (path.file_stem().unwrap().to_str().unwrap().to_owned(), product::parse(&text).unwrap())
        })
        .collect();
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

#[test]
fn every_shipped_dictionary_is_read_and_tells_of_nobody() {
    let shipped = shipped();
    assert!(shipped.len() >= 2);
    for (file, product) in shipped {
        assert_eq!(file, product.id());
        let mut classes: Vec<Class> = Vec::new();
        for table in &product.tables {
            let labels: Vec<&String> = table.columns.iter().map(|c| &c.label).chain([&table.label]).collect();
            for label in labels.iter().filter(|label| !label.is_empty()) {
                assert!(product.french.contains_key(*label), "{file}: no French word for {label}");
            }
            let french = labels.iter().filter_map(|label| product.french.get(*label));
            for label in labels.iter().copied().chain(french) {
                let digits = label.chars().filter(char::is_ascii_digit).count();
                assert!(digits <= 3 && !label.contains('@') && !label.contains("://"), "{label}");
            }
            classes.extend(table.columns.iter().map(|c| c.class));
        }
        assert_eq!(
            product.tables.iter().filter(|t| t.patients).count(),
            1,
            "{file}: whose rows are the patients"
        );
        assert!(classes.contains(&Class::FreeText) && classes.contains(&Class::Credential), "{file}");
    }
}

#[test]
fn every_label_of_a_worked_order_has_its_french_word() {
    let orders = [
        ("labbook-3.5", include_str!("../../../../docs/labbook/instruction.toml")),
        ("openelis-3.5", include_str!("../../../../docs/openelis/instruction.toml")),
    ];
    for (file, order) in orders {
        let (_, product) = shipped().into_iter().find(|(name, _)| name == file).unwrap();
        let labels: Vec<&str> =
            order.lines().filter_map(|line| line.strip_prefix("label = \"")?.strip_suffix('"')).collect();
        assert!(labels.len() > 10);
        for label in labels {
            assert!(product.french.contains_key(label), "{file}: no French word for {label}");
        }
    }
}

#[test]
fn labbooks_dictionary_is_that_of_its_published_schema() {
    let Some(catalog) = dump::labbook() else { return };
    let text = dictionary::draft(&catalog, Timestamp::UNIX_EPOCH, "sha256:0");
    let survey = dictionary::parse(&text).unwrap();
    let (_, labbook) = shipped().into_iter().find(|(file, _)| file == "labbook-3.5").unwrap();
    assert_eq!(codes(&labbook, &survey), []);
    let applied = product::apply(&text, &survey, &labbook).unwrap();
    let read = dictionary::parse(&applied.text).unwrap();
    assert_eq!((applied.unclassified, applied.relations), (0, 13));
    assert_eq!(read.table("sigl_03_data").unwrap().column("nom").unwrap().class, Class::Identity);
}
