//! LabBook, read whole.

use crate::common::{Wanted, every, planned, read_all, rows};
use arrow_array::{Int64Array, StringArray};
use ecluse_core::types::Type;
use ecluse_flow::ports::{Scope, Source as _};
use ecluse_testkit::server::{Mariadb, MariadbDatabase, mariadb};

use super::connect;

fn labbook(server: &Mariadb) -> Option<MariadbDatabase> {
    let folder = ecluse_testkit::outside_data("labbook")?;
    let database = server.database("labbook");
    for file in ["sigl-schema.sql.gz", "sigl-filled.sql.gz"] {
        let zcat = std::process::Command::new("zcat").arg(folder.join(file)).output().unwrap();
        assert!(zcat.status.success());
        let script = String::from_utf8_lossy(&zcat.stdout);
        // the dump names its database; this test has one of its own
        let script: String = script
            .lines()
            .filter(|l| !l.starts_with("CREATE DATABASE") && !l.starts_with("USE "))
            .map(|l| format!("{}\n", l.replace(" USE SIGL;", "")))
            .collect();
        database.sql(&format!("set foreign_key_checks=0;\n{script}"));
    }
    Some(database)
}

#[test]
fn labbook_is_read_whole_with_counts_equal_to_the_servers() {
    let Some(server) = mariadb() else { return };
    let Some(database) = labbook(&server) else { return };
    let mut source = connect(&database);
    let catalog = source.catalog(Scope::Everything).unwrap();
    assert_eq!(catalog.tables.len(), 107);
    let refused: Vec<String> = catalog
        .tables
        .iter()
        .flat_map(|t| {
            t.columns
                .iter()
                .filter(|c| c.ty.is_none())
                .map(|c| format!("{}.{} {}", t.name, c.name, c.sql_type))
        })
        .collect();
    assert_eq!(refused, Vec::<String>::new(), "every type LabBook has is understood");
    let wanted: Vec<Wanted<'_>> = catalog.tables.iter().map(|t| every(&t.name, &[])).collect();
    let plan = planned(&catalog, &wanted);
    source.open(&plan, false).unwrap();
    let (mut total, mut zero_dates) = (0, 0);
    for (number, table) in plan.tables().iter().enumerate() {
        let name = table.source();
        let batches = read_all(&mut source, &plan, number);
        // every column, by a sum the server makes itself; a zero date counts as unreadable
        let mut sums = vec!["count(*)".to_owned()];
        let mut ours = vec![rows(&batches).to_string()];
        for (place, column) in table.read().iter().enumerate() {
            let arrays = || batches.iter().map(|b| &b.columns()[place]);
            let c = format!("`{}`", column.name);
            let (sum, own) = match column.ty {
                Type::Int => {
                    let values = arrays()
                        .flat_map(|a| a.as_any().downcast_ref::<Int64Array>().unwrap().iter().flatten());
                    (format!("coalesce(sum({c}), 0)"), values.map(i128::from).sum::<i128>().to_string())
                }
                Type::Text => {
                    let values = arrays()
                        .flat_map(|a| a.as_any().downcast_ref::<StringArray>().unwrap().iter().flatten());
                    let bytes: usize = values.map(str::len).sum();
                    (format!("coalesce(sum(length(convert({c} using utf8mb4))), 0)"), bytes.to_string())
                }
                Type::Date | Type::Timestamp => {
                    let present: usize = arrays().map(|a| a.len() - a.null_count()).sum();
                    (format!("coalesce(sum({c} > '0001-01-01'), 0)"), present.to_string())
                }
                _ => (
                    format!("count({c})"),
                    arrays().map(|a| a.len() - a.null_count()).sum::<usize>().to_string(),
                ),
            };
            sums.push(sum);
            ours.push(own);
        }
        let told = database.sql(&format!("select {} from `{name}`", sums.join(", ")));
        assert_eq!(ours, told.trim().split('\t').collect::<Vec<_>>(), "{name}");
        total += rows(&batches);
        for unreadable in batches.iter().flat_map(|b| b.unreadable()) {
            assert_eq!(unreadable.code.id, "ECL-SRC-008", "{name}");
            zero_dates += 1;
        }
    }
    // LabBook's own accounts table holds them: three columns of ten accounts
    assert_eq!(zero_dates, 30);
    assert!(total > 100_000, "{total} rows");
}

// -- memory -------------------------------------------------------------------------------
