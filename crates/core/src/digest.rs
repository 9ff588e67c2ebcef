//! Digests of documents and of the instructed tables' catalogue.

use sha2::{Digest as _, Sha256};

use crate::catalog::{Catalog, Table};

/// The digest of a document's exact bytes, as papers cite it: `sha256:<hex>`.
#[must_use]
pub fn of_bytes(bytes: &[u8]) -> String {
    let hash = Sha256::digest(bytes);
    format!("sha256:{}", data_encoding::HEXLOWER.encode(&hash))
}

/// Whether a text is a digest as papers write it: `sha256:` and 64 lower-case hexadecimal digits.
#[must_use]
pub fn well_formed(text: &str) -> bool {
    text.strip_prefix("sha256:").is_some_and(|hex| {
        hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    })
}

/// The digest of these tables' part of a catalogue, as an instruction binds it: [`of_tables`]
/// over each table's [`of_table`]. A table that is not in the catalogue is left out; the
/// plan's compiler refuses it by name.
#[must_use]
pub fn of_schema(catalog: &Catalog, tables: &[String]) -> String {
    let found: Vec<(String, String)> =
        tables.iter().filter_map(|n| catalog.table(n)).map(|t| (t.name.clone(), of_table(t))).collect();
    of_tables(&found)
}

/// The digest of tables by (name, digest): SHA-256 over `ecluse/schema/1`, a line feed, and the
/// RFC 8785 JSON of the pairs, sorted by name, each once.
#[must_use]
pub fn of_tables(tables: &[(String, String)]) -> String {
    let mut pairs: Vec<&(String, String)> = tables.iter().collect();
    pairs.sort();
    pairs.dedup();
    sealed("ecluse/schema/1\n", &serde_json::json!(pairs))
}

/// The digest of one table's part of a catalogue: SHA-256 over `ecluse/table/1`, a line feed,
/// and the RFC 8785 JSON of one object.
///
/// Covered: name, relation kind, object identifier, owner or storage engine, the columns in the
/// engine's order (name, the engine's words for the type, collation, generated expression), a
/// view's definition, row-security state, triggers. Not covered: estimates, comments, keys,
/// indexes, defaults. What an engine leaves invisible to a role stands as empty, so
/// that two roles may see two digests: survey with the role that will run.
#[must_use]
pub fn of_table(table: &Table) -> String {
    sealed("ecluse/table/1\n", &canonical(table))
}

fn sealed(domain: &str, value: &serde_json::Value) -> String {
    // texts and lists only: this cannot fail; if it did, an empty digest equals no signed one
    let Ok(json) = serde_json_canonicalizer::to_vec(value) else { return String::new() };
    let mut bytes = domain.as_bytes().to_vec();
    bytes.extend_from_slice(&json);
    of_bytes(&bytes)
}

fn canonical(table: &Table) -> serde_json::Value {
    // every field is named here: a new one in the catalogue stops the build until somebody decides
    let Table {
        name,
        kind,
        oid,
        storage,
        columns,
        row_security,
        triggers,
        definition,
        key: _,
        uniques: _,
        foreign_keys: _,
        estimated_rows: _,
    } = table;
    let columns: Vec<_> = columns
        .iter()
        .map(|c| {
            serde_json::json!({
                "name": c.name, "type": c.sql_type, "collation": c.collation, "generated": c.generated,
            })
        })
        .collect();
    serde_json::json!({
        "name": name, "kind": kind, "oid": oid.map(|o| o.to_string()), "storage": storage, "columns": columns,
        "row_security": row_security, "triggers": triggers, "definition": definition,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Column;
    use crate::types::{Engine, Type};

    fn column(name: &str) -> Column {
        Column {
            name: name.to_owned(),
            sql_type: "integer".to_owned(),
            ty: Some(Type::Int),
            max_length: None,
            int_bounds: None,
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

    fn catalog() -> Catalog {
        let table = |name: &str| Table {
            name: name.to_owned(),
            kind: "table".to_owned(),
            oid: Some(7),
            storage: "owner".to_owned(),
            columns: vec![column("a"), column("b")],
            key: vec!["a".to_owned()],
            uniques: vec![],
            foreign_keys: vec![],
            triggers: vec!["t sha256:00".to_owned()],
            row_security: String::new(),
            definition: String::new(),
            estimated_rows: Some(5),
        };
        Catalog {
            engine: Engine::Postgresql,
            database: "x".to_owned(),
            identity: "1".to_owned(),
            tables: vec![table("p"), table("q")],
        }
    }

    fn digest(c: &Catalog) -> String {
        of_schema(c, &["q".to_owned(), "p".to_owned()])
    }

    /// One change at a time.
    type Change = fn(&mut Catalog);

    #[test]
    fn every_covered_field_changes_the_digest() {
        let was = digest(&catalog());
        let changes: [(&str, Change); 11] = [
            ("kind", |c| c.tables[0].kind = "view".to_owned()),
            ("oid", |c| c.tables[0].oid = Some(8)),
            ("owner", |c| c.tables[0].storage = "other".to_owned()),
            ("order", |c| c.tables[0].columns.reverse()),
            ("column", |c| c.tables[0].columns.push(column("c"))),
            ("type", |c| c.tables[0].columns[0].sql_type = "bigint".to_owned()),
            ("collation", |c| c.tables[0].columns[0].collation = "C".to_owned()),
            ("generated", |c| c.tables[0].columns[0].generated = "a + 1".to_owned()),
            ("row security", |c| c.tables[0].row_security = "enabled".to_owned()),
            ("trigger", |c| c.tables[0].triggers.clear()),
            ("definition", |c| c.tables[0].definition = "select 1".to_owned()),
        ];
        for (what, change) in changes {
            let mut c = catalog();
            change(&mut c);
            assert_ne!(digest(&c), was, "{what} is not covered");
        }
    }

    #[test]
    fn what_is_not_covered_does_not() {
        let was = digest(&catalog());
        let mut c = catalog();
        c.tables[0].estimated_rows = Some(6);
        c.tables[0].columns[0].comment = "x".to_owned();
        c.tables.reverse();
        assert_eq!(digest(&c), was);
        let mut other = catalog();
        other.tables[1].storage = "other".to_owned();
        assert_eq!(of_schema(&other, &["p".to_owned()]), of_schema(&catalog(), &["p".to_owned()]));
    }
}
