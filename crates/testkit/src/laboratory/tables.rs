//! The invented laboratory's tables, and their DDL in each engine's words.

use std::fmt::Write as _;

/// An engine the laboratory can be written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// PostgreSQL.
    Postgresql,
    /// MariaDB.
    Mariadb,
    /// SQLite.
    Sqlite,
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A whole number of 64 bits.
    Int,
    /// `numeric(12,3)`.
    Decimal,
    /// Text of at most so many characters.
    Text(u16),
    /// Text of any length.
    LongText,
    /// A calendar date.
    Date,
    /// A local date and time, microseconds.
    Timestamp,
    /// A point in time, microseconds (MariaDB and SQLite: as UTC without a zone).
    Instant,
    /// True or false.
    Bool,
    /// Bytes.
    Bytes,
}

/// A column.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Whether NULL is allowed.
    pub nullable: bool,
}

/// A table of the invented laboratory; its key is the first column, `id`, from 1 without gaps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Table {
    /// Patients: identity, contact, a portal account's password hash.
    Patient,
    /// Their spouses: third parties.
    Spouse,
    /// Accounts of the laboratory's staff.
    Staff,
    /// The catalogue of tests.
    Analysis,
    /// Requests.
    Request,
    /// Specimens: one per request.
    Specimen,
    /// Results, numeric or text.
    Result,
    /// PDF documents: one per 50 requests.
    Document,
    /// Invoices: one per request.
    Invoice,
}

const fn column(name: &'static str, kind: Kind) -> Column {
    Column { name, kind, nullable: false }
}

const fn nullable(name: &'static str, kind: Kind) -> Column {
    Column { name, kind, nullable: true }
}

impl Table {
    /// All tables, parents first.
    pub const ALL: [Self; 9] = [
        Self::Patient,
        Self::Spouse,
        Self::Staff,
        Self::Analysis,
        Self::Request,
        Self::Specimen,
        Self::Result,
        Self::Document,
        Self::Invoice,
    ];

    /// The name in the database.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Patient => "patient",
            Self::Spouse => "spouse",
            Self::Staff => "staff",
            Self::Analysis => "analysis",
            Self::Request => "request",
            Self::Specimen => "specimen",
            Self::Result => "result",
            Self::Document => "document",
            Self::Invoice => "invoice",
        }
    }

    /// The columns, in order.
    #[must_use]
    pub const fn columns(self) -> &'static [Column] {
        match self {
            Self::Patient => {
                const {
                    &[
                        column("id", Kind::Int),
                        nullable("ins", Kind::Text(15)),
                        nullable("ins_oid", Kind::Text(40)),
                        column("family_name", Kind::Text(80)),
                        column("given_name", Kind::Text(80)),
                        column("birth_date", Kind::Date),
                        column("sex", Kind::Text(1)),
                        nullable("phone", Kind::Text(20)),
                        nullable("address", Kind::Text(200)),
                        nullable("portal_password", Kind::Text(120)),
                        column("created_at", Kind::Timestamp),
                    ]
                }
            }
            Self::Spouse => {
                const {
                    &[
                        column("id", Kind::Int),
                        column("patient_id", Kind::Int),
                        column("family_name", Kind::Text(80)),
                        column("given_name", Kind::Text(80)),
                        nullable("phone", Kind::Text(20)),
                    ]
                }
            }
            Self::Staff => {
                const {
                    &[
                        column("id", Kind::Int),
                        column("login", Kind::Text(40)),
                        column("full_name", Kind::Text(120)),
                        column("role", Kind::Text(30)),
                        column("password_hash", Kind::Text(120)),
                    ]
                }
            }
            Self::Analysis => {
                const {
                    &[
                        column("id", Kind::Int),
                        column("code", Kind::Text(10)),
                        column("loinc", Kind::Text(10)),
                        column("name", Kind::Text(80)),
                        nullable("unit", Kind::Text(12)),
                    ]
                }
            }
            Self::Request => {
                const {
                    &[
                        column("id", Kind::Int),
                        column("patient_id", Kind::Int),
                        column("number", Kind::Text(16)),
                        column("requested_at", Kind::Timestamp),
                        column("urgent", Kind::Bool),
                        column("status", Kind::Text(1)),
                        nullable("prescriber", Kind::Text(80)),
                        nullable("clinical_note", Kind::LongText),
                    ]
                }
            }
            Self::Specimen => {
                const {
                    &[
                        column("id", Kind::Int),
                        column("request_id", Kind::Int),
                        column("kind", Kind::Text(20)),
                        column("barcode", Kind::Text(20)),
                        column("collected_at", Kind::Timestamp),
                    ]
                }
            }
            Self::Result => {
                const {
                    &[
                        column("id", Kind::Int),
                        column("request_id", Kind::Int),
                        column("patient_id", Kind::Int),
                        column("analysis_id", Kind::Int),
                        nullable("value_num", Kind::Decimal),
                        nullable("value_text", Kind::Text(80)),
                        nullable("unit", Kind::Text(12)),
                        column("abnormal", Kind::Bool),
                        nullable("validated_at", Kind::Instant),
                        nullable("validator", Kind::Text(80)),
                        nullable("comment", Kind::LongText),
                    ]
                }
            }
            Self::Document => {
                const {
                    &[
                        column("id", Kind::Int),
                        column("request_id", Kind::Int),
                        column("name", Kind::Text(60)),
                        column("content", Kind::Bytes),
                    ]
                }
            }
            Self::Invoice => {
                const {
                    &[
                        column("id", Kind::Int),
                        column("request_id", Kind::Int),
                        column("amount", Kind::Decimal),
                        column("paid", Kind::Bool),
                    ]
                }
            }
        }
    }

    /// Columns that refer to another table's `id`.
    #[must_use]
    pub const fn relations(self) -> &'static [(&'static str, Self)] {
        match self {
            Self::Spouse | Self::Request => &[("patient_id", Self::Patient)],
            Self::Specimen | Self::Document | Self::Invoice => &[("request_id", Self::Request)],
            Self::Result => &[
                ("request_id", Self::Request),
                ("patient_id", Self::Patient),
                ("analysis_id", Self::Analysis),
            ],
            Self::Patient | Self::Staff | Self::Analysis => &[],
        }
    }

    /// `create table`, with the primary key when `keyed`; no other constraint.
    #[must_use]
    pub fn create(self, dialect: Dialect, keyed: bool) -> String {
        let mut text = format!("create table {} (", self.name());
        for (index, column) in self.columns().iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            let null = if column.nullable { "" } else { " not null" };
            let key = if keyed && index == 0 { " primary key" } else { "" };
            let _ =
                write!(text, "{comma}\n    {} {}{null}{key}", column.name, sql_type(dialect, column.kind));
        }
        text.push_str(if dialect == Dialect::Mariadb { "\n) engine = InnoDB;\n" } else { "\n);\n" });
        text
    }

    /// The statements that add the foreign keys and their indexes (none on SQLite, where a
    /// foreign key cannot be added later).
    #[must_use]
    pub fn constraints(self, dialect: Dialect) -> Vec<String> {
        let name = self.name();
        let mut statements = Vec::new();
        for (column, parent) in self.relations() {
            statements.push(format!("create index {name}_{column}_index on {name} ({column});"));
            if dialect != Dialect::Sqlite {
                statements.push(format!(
                    "alter table {name} add constraint {name}_{column}_key foreign key ({column}) references {} (id);",
                    parent.name()
                ));
            }
        }
        statements
    }
}

fn sql_type(dialect: Dialect, kind: Kind) -> String {
    use Dialect::{Mariadb, Postgresql, Sqlite};
    match (kind, dialect) {
        (Kind::Int, Sqlite) => "integer".to_owned(),
        (Kind::Int, _) => "bigint".to_owned(),
        (Kind::Decimal, Postgresql) => "numeric(12,3)".to_owned(),
        (Kind::Decimal, _) => "decimal(12,3)".to_owned(),
        (Kind::Text(length), _) => format!("varchar({length})"),
        (Kind::LongText, _) => "text".to_owned(),
        (Kind::Date, _) => "date".to_owned(),
        (Kind::Timestamp, Postgresql) => "timestamp".to_owned(),
        (Kind::Instant, Postgresql) => "timestamptz".to_owned(),
        (Kind::Timestamp | Kind::Instant, Mariadb) => "datetime(6)".to_owned(),
        (Kind::Timestamp | Kind::Instant, Sqlite) => "datetime".to_owned(),
        (Kind::Bool, Mariadb) => "tinyint(1)".to_owned(),
        (Kind::Bool, _) => "boolean".to_owned(),
        (Kind::Bytes, Postgresql) => "bytea".to_owned(),
        (Kind::Bytes, Mariadb) => "longblob".to_owned(),
        (Kind::Bytes, Sqlite) => "blob".to_owned(),
    }
}
