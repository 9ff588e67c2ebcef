//! The compiler on a small invented laboratory.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::*;
use crate::catalog::{Catalog, Column, Table};
use crate::codes::{self, CodeTable};
use crate::dictionary::{self, Dictionary};
use crate::document::{self, Kind};
use crate::filter::Comparison;
use crate::instruction::{self, Instruction, assertion};
use crate::mapping::{self, Mapping};
use crate::types::Engine;

const INSTRUCTION: &str = include_str!("../../tests/instruct/laboratory/instruction.toml");
const MAPPING: &str = include_str!("../../tests/instruct/laboratory/mapping.toml");
const SEX: &str = include_str!("../../tests/instruct/laboratory/sex.toml");

fn column(name: &str, sql_type: &str, ty: Type) -> Column {
    Column {
        name: name.to_owned(),
        sql_type: sql_type.to_owned(),
        ty: Some(ty),
        max_length: None,
        int_bounds: (ty == Type::Int).then_some((0, 4_294_967_295)),
        nullable: true,
        has_default: false,
        identity: false,
        generated: String::new(),
        collation: String::new(),
        choice: false,
        labels: Vec::new(),
        comment: String::new(),
    }
}

fn table(name: &str, columns: Vec<Column>) -> Table {
    let mut columns = columns;
    columns[0].nullable = false;
    Table {
        name: name.to_owned(),
        kind: "table".to_owned(),
        oid: None,
        storage: "InnoDB".to_owned(),
        key: vec![columns[0].name.clone()],
        columns,
        uniques: vec![],
        foreign_keys: vec![],
        triggers: vec![],
        row_security: String::new(),
        definition: String::new(),
        estimated_rows: None,
    }
}

fn text(name: &str, length: u32) -> Column {
    Column { max_length: Some(length), ..column(name, &format!("varchar({length})"), Type::Text) }
}

fn int(name: &str) -> Column {
    column(name, "int(10) unsigned", Type::Int)
}

fn source() -> Catalog {
    let unlimited = Column { max_length: None, ..text("commentaire", 0) };
    let mut result = table(
        "resultat",
        vec![int("id"), int("id_dossier"), text("valeur", 120), unlimited, int("utilisateur")],
    );
    result.foreign_keys.push(crate::catalog::ForeignKey {
        name: String::new(),
        columns: vec!["id_dossier".to_owned()],
        references: "dossier".to_owned(),
        referenced: vec!["id".to_owned()],
    });
    Catalog {
        engine: Engine::Mariadb,
        database: "LAB".to_owned(),
        identity: "srv-1".to_owned(),
        tables: vec![
            table(
                "dossier",
                vec![int("id"), int("id_patient"), column("date_recu", "date", Type::Date), int("statut")],
            ),
            table(
                "patient",
                vec![
                    int("id"),
                    text("nom", 40),
                    column("ddn", "date", Type::Date),
                    int("sexe"),
                    text("adresse", 80),
                ],
            ),
            result,
            table(
                "utilisateurs",
                vec![int("id"), text("username", 50), text("password", 81), text("lastname", 50)],
            ),
        ],
    }
}

fn destination() -> Catalog {
    let big =
        |name: &str| Column { int_bounds: Some((i64::MIN, i64::MAX)), ..column(name, "bigint", Type::Int) };
    let must = |c: Column| Column { nullable: false, ..c };
    Catalog {
        engine: Engine::Postgresql,
        database: "kalys".to_owned(),
        identity: "7301/16384".to_owned(),
        tables: vec![
            table(
                "patient",
                vec![
                    big("id"),
                    text("family_name", 60),
                    column("birth_date", "date", Type::Date),
                    text("gender", 10),
                ],
            ),
            table(
                "request",
                vec![big("id"), must(big("patient_id")), column("received", "date", Type::Date)],
            ),
            table(
                "result",
                vec![
                    big("id"),
                    big("request_id"),
                    text("value", 120),
                    Column { max_length: None, ..text("comment", 0) },
                    must(text("origin", 8)),
                ],
            ),
        ],
    }
}

/// Papers that compile, to be spoiled one thing at a time.
pub(super) struct Case {
    pub(super) source: Catalog,
    pub(super) destination: Catalog,
    pub(super) dictionary: Dictionary,
    instruction: String,
    mapping: String,
    codes: String,
}

impl Case {
    pub(super) fn new() -> Self {
        let source = source();
        let text = dictionary::draft(&source, Timestamp::UNIX_EPOCH, "sha256:00");
        let mut dictionary = dictionary::parse(&text).unwrap();
        dictionary.tables.iter_mut().find(|t| t.name.value == "dossier").unwrap().relations.push(
            dictionary::Relation {
                column: crate::reader::Spanned::new("id_patient".to_owned(), 0..0),
                table: "patient".to_owned(),
                to: "id".to_owned(),
                declared: false,
            },
        );
        Self {
            source,
            destination: destination(),
            dictionary,
            instruction: INSTRUCTION.to_owned(),
            mapping: MAPPING.to_owned(),
            codes: SEX.to_owned(),
        }
    }

    pub(super) fn instruction(mut self, was: &str, is: &str) -> Self {
        assert!(self.instruction.contains(was), "{was}");
        self.instruction = self.instruction.replacen(was, is, 1);
        self
    }

    pub(super) fn mapping(mut self, was: &str, is: &str) -> Self {
        assert!(self.mapping.contains(was), "{was}");
        self.mapping = self.mapping.replacen(was, is, 1);
        self
    }

    pub(super) fn source_table(&mut self, name: &str) -> &mut Table {
        self.source.tables.iter_mut().find(|t| t.name == name).unwrap()
    }

    pub(super) fn destination_table(&mut self, name: &str) -> &mut Table {
        self.destination.tables.iter_mut().find(|t| t.name == name).unwrap()
    }

    /// The order, in force on nobody's word.
    pub(super) fn in_force(&self, mapping: &Mapping) -> Instruction {
        let filled = instruction::fill(&self.instruction, &self.dictionary, Some(mapping)).unwrap();
        let header = document::header(&filled, Kind::Instruction).unwrap();
        let order = instruction::parse(&filled).unwrap();
        assertion::in_force(order, header, &crate::digest::of_bytes(filled.as_bytes()))
    }

    /// The mapping and its one code table.
    pub(super) fn mapped(&self) -> (Mapping, CodeTable) {
        let sex = codes::parse(&self.codes).unwrap();
        let citing = self.mapping.replacen("sha256:…", &sex.digest, 1);
        (mapping::parse(&citing).unwrap(), sex)
    }

    pub(super) fn compile(&self) -> Result<Compiled, Refusal> {
        let (mapping, sex) = self.mapped();
        let codes: BTreeMap<String, CodeTable> = [("sex".to_owned(), sex)].into();
        let instruction = self.in_force(&mapping);
        compile(&Inputs {
            instruction: &instruction,
            dictionary: &self.dictionary,
            mapping: &mapping,
            codes: &codes,
            source: &self.source,
            destination: &self.destination,
            views: true,
        })
    }

    pub(super) fn plan(&self) -> Plan {
        match self.compile() {
            Ok(compiled) => compiled.plan,
            Err(refusal) => panic!("{:#?}", refusal.findings),
        }
    }

    /// The codes of everything refused.
    pub(super) fn refused(&self) -> Vec<&'static str> {
        match self.compile() {
            Ok(_) => Vec::new(),
            Err(refusal) => {
                for finding in &refusal.findings {
                    assert!(finding.help.is_some(), "no fix: {finding:?}");
                    assert!(finding.file.is_some(), "no file: {finding:?}");
                }
                refusal.findings.iter().map(|f| f.code.id).collect()
            }
        }
    }
}

fn names(table: &TablePlan) -> Vec<&str> {
    table.read().iter().map(|c| c.name.as_str()).collect()
}

#[test]
fn tables_come_in_the_order_their_choices_need() {
    let plan = Case::new().plan();
    let order: Vec<&str> = plan.tables().iter().map(TablePlan::source).collect();
    // patients are chosen by their requests, so they come after them, though requests refer to patients
    assert_eq!(order, ["dossier", "resultat", "patient"]);
    for (i, table) in plan.tables().iter().enumerate() {
        assert_eq!(table.number(), i);
    }
}

#[test]
fn indices_point_at_what_they_mean() {
    let plan = Case::new().plan();
    let [request, result, patient] = plan.tables() else { panic!() };
    assert_eq!(names(request), ["id", "id_patient", "date_recu"]);
    assert_eq!(names(patient), ["id", "nom", "ddn", "sexe"]);
    assert_eq!(*result.filter(), Filter::Chosen { column: 1, table: 0, other: 0 });
    assert_eq!(*patient.filter(), Filter::Chosen { column: 0, table: 0, other: 1 });
    let Filter::Compare { column: 2, op: Comparison::Ge, value: Value::Date(17_897) } = request.filter()
    else {
        panic!("{:?}", request.filter())
    };
    assert_eq!(result.key(), [0]);
    assert_eq!(result.write_key(), [0]);
    assert_eq!(result.relations(), [Relation { column: 1, parent: 0, parent_column: 0, declared: false }]);
    let written: Vec<&str> = result.write().iter().map(|c| c.name.as_str()).collect();
    assert_eq!(written, ["id", "request_id", "value", "comment", "origin"]);
    assert_eq!(result.write()[4].from, Expression::Constant(Value::Text("LAB".to_owned())));
    let Expression::Code { column: 3, table } = &patient.write()[3].from else { panic!() };
    assert_eq!(table[0], (Value::Int(1), Value::Text("male".to_owned())));
}

#[test]
fn a_relation_that_leads_to_patients_is_known() {
    let plan = Case::new().plan();
    let relation = |table: usize| -> Vec<&str> {
        plan.tables()[table].write().iter().filter(|c| c.relation).map(|c| c.name.as_str()).collect()
    };
    assert_eq!(relation(0), ["patient_id"]);
    // a result moved to another request may have moved to another patient
    assert_eq!(relation(1), ["request_id"]);
    assert_eq!(relation(2), Vec::<&str>::new());
}

#[test]
fn views_bear_the_instructions_digest() {
    let plan = Case::new().plan();
    let view = plan.tables()[0].view().unwrap();
    assert!(
        view.starts_with("ecluse_")
            && view.ends_with(".dossier")
            && view.len() == "ecluse_12345678.dossier".len()
    );
}

#[test]
fn a_column_read_for_the_filter_alone_is_not_moved() {
    let case = Case::new().instruction("rows = 'date_recu >= date(\"2019-01-01\")'", "rows = 'statut == 3'");
    let plan = case.plan();
    let read: Vec<(&str, bool)> =
        plan.tables()[0].read().iter().map(|c| (c.name.as_str(), c.moved)).collect();
    assert_eq!(read, [("id", true), ("id_patient", true), ("date_recu", true), ("statut", false)]);
}

#[test]
fn nothing_is_planned_while_a_class_that_stays_has_no_fate() {
    let compiled = Case::new().compile().unwrap();
    assert!(compiled.stays.iter().all(|s| (s.table.as_str(), s.column.as_str()) != ("patient", "nom")));
    assert!(compiled.notes.iter().any(|n| n.code.id == "ECL-PLN-080"));
    let staff = "staff = { fate = \"keep\", until = 2027-12-31 }\n";
    assert_eq!(Case::new().instruction(staff, "").refused(), ["ECL-PLN-009"]);
}

#[test]
fn trial_papers_bound_the_rows() {
    assert_eq!(Case::new().plan().row_limit(), None);
    let trial = Case::new().instruction("version = 1\n", "version = 1\ntrial = true\n");
    assert_eq!(trial.plan().row_limit(), Some(1_000));
}

/// One thing spoiled at a time, and the one code it is refused with.
type Spoil = fn(Case) -> Case;

#[test]
fn every_bound_thing_that_differs_is_refused() {
    let cases: [(&str, Spoil, &str); 9] = [
        (
            "source database",
            |mut c| {
                c.source.database = "OTHER".to_owned();
                c
            },
            "ECL-PLN-002",
        ),
        (
            "source instance",
            |mut c| {
                c.source.identity = "srv-2".to_owned();
                c
            },
            "ECL-PLN-002",
        ),
        (
            "source engine",
            |mut c| {
                c.source.engine = Engine::Sqlite;
                c
            },
            "ECL-PLN-002",
        ),
        (
            "destination instance",
            |mut c| {
                c.destination.identity = "x".to_owned();
                c
            },
            "ECL-PLN-004",
        ),
        (
            "destination database",
            |mut c| {
                c.destination.database = "x".to_owned();
                c
            },
            "ECL-PLN-004",
        ),
        (
            "schema",
            |mut c| {
                c.source_table("patient").columns[1].sql_type = "varchar(41)".to_owned();
                c
            },
            "ECL-PLN-003",
        ),
        (
            "collation",
            |mut c| {
                c.source_table("patient").columns[1].collation = "x".to_owned();
                c
            },
            "ECL-PLN-003",
        ),
        (
            "column order",
            |mut c| {
                c.source_table("patient").columns.swap(1, 2);
                c
            },
            "ECL-PLN-003",
        ),
        (
            "trigger",
            |mut c| {
                c.source_table("patient").triggers.push("t".to_owned());
                c
            },
            "ECL-PLN-003",
        ),
    ];
    assert_eq!(Case::new().refused(), Vec::<&str>::new(), "the papers are good");
    for (what, spoil, code) in cases {
        assert_eq!(spoil(Case::new()).refused(), [code], "{what}");
    }
}

#[test]
fn each_obstacle_has_its_code() {
    let cases: [(&str, Spoil, &str); 21] = [
        (
            "no destination table",
            |mut c| {
                c.destination.tables.remove(2);
                c
            },
            "ECL-PLN-008",
        ),
        (
            "no destination column",
            |mut c| {
                c.destination_table("result").columns.remove(2);
                c
            },
            "ECL-PLN-010",
        ),
        (
            "other type",
            |mut c| {
                c.destination_table("patient").columns[2].ty = Some(Type::Text);
                c
            },
            "ECL-PLN-011",
        ),
        (
            "narrower text",
            |mut c| {
                c.destination_table("patient").columns[1].max_length = Some(39);
                c
            },
            "ECL-PLN-012",
        ),
        (
            "unlimited into limited",
            |mut c| {
                c.destination_table("result").columns[3].max_length = Some(9);
                c
            },
            "ECL-PLN-012",
        ),
        (
            "narrower number",
            |mut c| {
                c.destination_table("result").columns[1].int_bounds = Some((-2_147_483_648, 2_147_483_647));
                c
            },
            "ECL-PLN-012",
        ),
        (
            "NULL may arrive",
            |mut c| {
                c.destination_table("patient").columns[2].nullable = false;
                c
            },
            "ECL-PLN-013",
        ),
        (
            "not filled",
            |mut c| {
                c.destination_table("patient").columns.push(Column { nullable: false, ..int("site") });
                c
            },
            "ECL-PLN-014",
        ),
        (
            "generated",
            |mut c| {
                c.destination_table("patient").columns[2].generated = "x".to_owned();
                c
            },
            "ECL-PLN-015",
        ),
        (
            "no cast",
            |c| c.mapping("birth_date = \"ddn\"", "birth_date = { cast = \"nom\" }\nfamily_name2 = \"ddn\""),
            "ECL-PLN-010",
        ),
        (
            "constant too long",
            |c| c.mapping("constant = \"LAB\"", "constant = \"LABORATOIRE\""),
            "ECL-PLN-017",
        ),
        (
            "code of another type",
            |mut c| {
                c.codes = c.codes.replace("from = \"2\"", "from = \"F\"");
                c
            },
            "ECL-PLN-018",
        ),
        (
            "code too long",
            |mut c| {
                c.codes = c.codes.replace("female", "female or other");
                c
            },
            "ECL-PLN-018",
        ),
        (
            "circle",
            |c| {
                c.instruction(
                    "rows = 'date_recu >= date(\"2019-01-01\")'",
                    "rows = 'id in chosen.resultat.id_dossier'",
                )
            },
            "ECL-PLN-019",
        ),
        ("screening", |c| c.instruction("report\" }", "report\", screen = \"withhold\" }"), "ECL-PLN-020"),
        ("key cast", |c| c.mapping("id = \"id\"", "id = { cast = \"id\" }"), "ECL-PLN-021"),
        (
            "other key",
            |mut c| {
                c.destination_table("patient").key = vec!["family_name".to_owned()];
                c
            },
            "ECL-PLN-022",
        ),
        (
            "unsupported at the source",
            |mut c| {
                c.source_table("patient").columns[1].ty = None;
                c
            },
            "ECL-PLN-006",
        ),
        (
            "unsupported at the destination",
            |mut c| {
                c.destination_table("patient").columns[1].ty = None;
                c
            },
            "ECL-PLN-026",
        ),
        (
            "key that engines order differently",
            |mut c| {
                c.source_table("patient").columns[0].ty = Some(Type::Float);
                c
            },
            "ECL-PLN-007",
        ),
        (
            "a relation of two types",
            |c| {
                c.instruction("columns = [\"id\", \"id_patient\", \"date_recu\"]", "columns = [\"id\", \"id_patient\", \"date_recu\"]\nrelations = [{ column = \"date_recu\", table = \"patient\", to = \"id\" }]")
            },
            "ECL-PLN-025",
        ),
    ];
    for (what, spoil, code) in cases {
        let refused = spoil(Case::new()).refused();
        assert!(refused.contains(&code), "{what}: {refused:?}");
    }
}

#[test]
fn a_missing_table_is_proposed_as_it_would_have_to_be() {
    let mut case = Case::new();
    case.destination.tables.clear();
    let refusal = case.compile().unwrap_err();
    let result = refusal.missing.iter().find(|t| t.name == "result").unwrap();
    let columns: Vec<(&str, Option<Type>, bool)> =
        result.columns.iter().map(|c| (c.name.as_str(), c.ty, c.nullable)).collect();
    assert_eq!(
        columns,
        [
            ("id", Some(Type::Int), false),
            ("request_id", Some(Type::Int), true),
            ("value", Some(Type::Text), true),
            ("comment", Some(Type::Text), true),
            ("origin", Some(Type::Text), false),
        ]
    );
    assert_eq!(result.key, ["id"]);
    // what was proposed is what compiles
    case.destination.tables = refusal.missing;
    assert_eq!(case.refused(), Vec::<&str>::new());
}
