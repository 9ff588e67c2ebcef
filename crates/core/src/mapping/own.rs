//! Values that the mapping makes and the source does not hold: booleans out of listed words, constants,
//! joined texts. Each can turn a result round, so a biologist signs the mapping that has one
//! (`docs/decisions/0055-what-a-biologist-signs-are-the-values.md`).

use super::{ColumnMap, Constant, Make, Mapping, Piece, TableMap};
use crate::classify::split;
use crate::dictionary::Dictionary;

/// Names under which a constant says where a row comes from and nothing else, their words joined. Whole
/// names: `site` alone may be a part of the body, `source` and `lab_code` a specimen's and a test's.
const ORIGINS: &str = "
    origin origine siteid idsite finess finessej finesseg finessid siret legalentity legalentityid
    entitejuridique entitejuridiqueid laboratoryid idlaboratory laboratoireid idlaboratoire labid idlab
    tenant tenantid organisationid organizationid facilityid establishmentid etablissementid
    migrated migratedat migratedon migratedfrom imported importedat importedon importedfrom
    importbatch migrationbatch sourcesystem legacysystem";

/// A destination column whose values are not the source's own.
#[derive(Clone, Debug)]
pub struct Own<'m> {
    /// Its table.
    pub table: &'m TableMap,
    /// The column, and how its value is made: a boolean, a constant or joined texts.
    pub column: &'m ColumnMap,
    /// The source column of the same name that it does not bring.
    pub instead: Option<String>,
    /// Whether a biologist answers for it: always, but for a constant that only says where a row comes from.
    pub judged: bool,
}

/// Every column whose values are not the source's own, in the document's order; code tables are apart:
/// each is a paper with signatures of its own.
#[must_use]
pub fn own<'m>(mapping: &'m Mapping, dictionary: &Dictionary) -> Vec<Own<'m>> {
    let mut all = Vec::new();
    for table in &mapping.tables {
        let surveyed = dictionary.table(&table.from.value);
        for column in table.columns.iter().filter(|column| column.make.is_own()) {
            let name = plain(&column.to.value);
            let uses = column.make.uses();
            let replaced = surveyed.into_iter().flat_map(|known| &known.columns).find(|source| {
                plain(&source.name.value) == name && uses.iter().all(|used| used.value != source.name.value)
            });
            let origin = ORIGINS.split_ascii_whitespace().any(|known| known == name);
            let constant = matches!(column.make, Make::Constant(_));
            let instead = replaced.map(|source| source.name.value.clone());
            // a table that nobody surveyed may hold a column of any name
            let judged = !(constant && origin && instead.is_none() && surveyed.is_some());
            all.push(Own { table, column, instead, judged });
        }
    }
    all
}

/// A name's words, joined: `Site_ID`, `siteId` and `site id` are one.
fn plain(name: &str) -> String {
    split(name).concat()
}

impl Own<'_> {
    /// `table.column` of the destination.
    #[must_use]
    pub fn place(&self) -> String {
        format!("{}.{}", self.table.to.value, self.column.to.value)
    }
}

impl Make {
    /// Whether it gives values that the source does not hold, by no code table. What stands in no list here
    /// follows a rule of the format: a cast is exact, a zone and a decoding are named, and what becomes of an
    /// identity number is the order's to say.
    const fn is_own(&self) -> bool {
        match self {
            Self::Boolean { .. } | Self::Constant(_) | Self::Concat(_) => true,
            Self::Column(_)
            | Self::Cast(_)
            | Self::Code { .. }
            | Self::Moment { .. }
            | Self::Utf8(_)
            | Self::Identifier { .. } => false,
        }
    }
}

/// What joined texts look like: `{nom} {prenom}`.
#[must_use]
pub fn joined(pieces: &[Piece]) -> String {
    let one = |piece: &Piece| match piece {
        Piece::Literal(text) => text.clone(),
        Piece::Column(name) => format!("{{{}}}", name.value),
    };
    pieces.iter().map(one).collect()
}

/// A constant as the mapping writes it, a text without its quotes.
#[must_use]
pub fn constant(value: &Constant) -> String {
    match value {
        Constant::Text(text) | Constant::Moment(text) => text.clone(),
        Constant::Int(number) => number.to_string(),
        Constant::Bool(yes) => yes.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::own;
    use crate::class::Class;
    use crate::dictionary::{Column, Dictionary, Table};
    use crate::mapping;
    use crate::reader::Spanned;
    use crate::types::Engine;

    fn surveyed(columns: &[&str]) -> Dictionary {
        let spanned = |name: &str| Spanned::new(name.to_owned(), 0..0);
        let column = |name: &&str| Column {
            name: spanned(name),
            label: String::new(),
            sql_type: String::new(),
            ty: String::new(),
            class: Class::Technical,
            reason: String::new(),
        };
        let table = Table {
            name: spanned("resultat"),
            label: String::new(),
            kind: "table".to_owned(),
            patients: false,
            digest: String::new(),
            key: vec!["id".to_owned()],
            columns: columns.iter().map(column).collect(),
            relations: Vec::new(),
        };
        let empty = String::new;
        let (digest, database, identity) = (empty(), empty(), empty());
        Dictionary {
            digest,
            engine: Engine::Sqlite,
            database,
            identity,
            mandate: String::new(),
            tables: vec![table],
        }
    }

    /// Which columns of one table are a biologist's; the source has `id`, `valeur`, `lu` and `Site_ID`.
    fn judged(columns: &str) -> Vec<String> {
        let text = format!(
            "[mapping]\nformat = \"ecluse-mapping/1\"\n[[table]]\nfrom = \"resultat\"\nto = \"result\"\n\
             [table.columns]\n{columns}"
        );
        let mapping = mapping::parse(&text).unwrap();
        let dictionary = surveyed(&["id", "valeur", "lu", "Site_ID"]);
        let judged = own(&mapping, &dictionary).into_iter().filter(|own| own.judged);
        judged
            .map(|own| {
                format!("{}{}", own.place(), own.instead.map_or(String::new(), |i| format!(" not {i}")))
            })
            .collect()
    }

    // proves: INS-10, REC-05
    #[test]
    fn whatever_gives_values_that_the_source_does_not_hold_is_a_biologists() {
        let none: [&str; 0] = [];
        assert_eq!(judged("id = \"id\"\nvalue = { cast = \"valeur\" }\nread = \"lu\""), none);
        assert_eq!(
            judged("read = { column = \"lu\", boolean = { true = [\"P\"], false = [\"N\"] } }"),
            ["result.read"]
        );
        assert_eq!(judged("value = { constant = \"0\" }"), ["result.value"]);
        assert_eq!(judged("valeur = { constant = \"0\" }"), ["result.valeur not valeur"]);
        assert_eq!(judged("value = { concat = [\"-\", { column = \"valeur\" }] }"), ["result.value"]);
        assert_eq!(judged("value = { concat = [\"negative\"] }"), ["result.value"]);
    }

    #[test]
    fn a_constant_that_says_where_a_row_comes_from_is_the_signatorys() {
        let none: [&str; 0] = [];
        for name in ["origin", "migrated", "legal_entity", "finess", "laboratoryId", "source_system"] {
            assert_eq!(judged(&format!("{name} = {{ constant = \"A\" }}")), none, "{name}");
        }
        // what the source has under that name is replaced; and no part of a name is enough
        assert_eq!(judged("siteId = { constant = 3 }"), ["result.siteId not Site_ID"]);
        for name in ["site", "source", "origin_value", "lab_code", "validated", "status", "unit"] {
            assert_eq!(judged(&format!("{name} = {{ constant = \"A\" }}")), [format!("result.{name}")]);
        }
        assert_eq!(judged("origin = { concat = [{ column = \"lu\" }, \" old\"] }"), ["result.origin"]);
    }
}
