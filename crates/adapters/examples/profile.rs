//! Where a run's time goes, on the invented laboratory, without papers: for whoever profiles
//! the pipeline. `cargo run --release -p ecluse-adapters --example profile -- ROWS [keep]`.
//! The benchmark that counts is `cargo xtask bench`.

use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use ecluse_adapters::folder::RunFolder;
use ecluse_adapters::postgres::{Destination, Source};
use ecluse_adapters::url::{Server, Url};
use ecluse_core::catalog::{Catalog, Table as CatalogTable};
use ecluse_core::digest;
use ecluse_core::filter::Filter;
use ecluse_core::plan::assertion::{TableFields, plan, table};
use ecluse_core::plan::{Expression, Plan, ReadColumn, Relation, WriteColumn};
use ecluse_flow::orders::assertion::{self as asserted, Fields};
use ecluse_flow::orders::{Bound, Orders};
use ecluse_flow::ports::{Destination as _, Scope, Source as _};
use ecluse_flow::reconcile::reconcile;
use ecluse_flow::run::{Options, Progress, run};
use ecluse_flow::world::World;
use ecluse_seal::Identity;
use ecluse_testkit::laboratory::{Laboratory, Size, Table};
use ecluse_testkit::server::{PostgresDatabase, Purpose, Servers};
use ecluse_testkit::tools::Tools;

const TABLES: [Table; 3] = [Table::Patient, Table::Request, Table::Result];

fn at(database: &PostgresDatabase) -> Server {
    // a file of our own: the server's belongs to the account it runs under
    let mut file = tempfile::NamedTempFile::new().unwrap();
    std::io::Write::write_all(&mut file, database.server().password().as_bytes()).unwrap();
    let (_, path) = file.keep().unwrap();
    let url = format!("{}?password-file={}", database.url(), path.display());
    match Url::parse(&url).unwrap() {
        Url::Server(server) => server,
        Url::Sqlite(_) => panic!("a file"),
    }
}

fn fields(number: usize, found: &CatalogTable, relations: Vec<Relation>) -> TableFields {
    let read = found
        .columns
        .iter()
        .map(|c| ReadColumn {
            name: c.name.clone(),
            ty: c.ty.unwrap(),
            sql_type: c.sql_type.clone(),
            moved: true,
        })
        .collect();
    let write = found
        .columns
        .iter()
        .enumerate()
        .map(|(i, c)| WriteColumn {
            name: c.name.clone(),
            ty: c.ty.unwrap(),
            sql_type: c.sql_type.clone(),
            nullable: c.nullable,
            max_length: c.max_length,
            int_bounds: c.int_bounds,
            from: Expression::Column(i),
            relation: false,
        })
        .collect();
    TableFields {
        number,
        source: found.name.clone(),
        view: None,
        destination: found.name.clone(),
        read,
        write_key: vec![0],
        key: vec![0],
        filter: Filter::Every,
        write,
        relations,
    }
}

fn planned(catalog: &Catalog) -> Plan {
    let tables = TABLES.iter().enumerate().map(|(number, t)| {
        let found = catalog.table(t.name()).unwrap();
        let relations = t
            .relations()
            .iter()
            .filter_map(|(column, parent)| {
                Some(Relation {
                    column: found.columns.iter().position(|c| c.name == *column)?,
                    parent: TABLES.iter().position(|t| t == parent)?,
                    parent_column: 0,
                    declared: true,
                })
            })
            .collect();
        table(fields(number, found, relations))
    });
    plan(tables.collect())
}

fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let after: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    (after[11].parse::<f64>().unwrap() + after[12].parse::<f64>().unwrap()) / 100.0
}

fn peak() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    status.lines().find(|l| l.starts_with("VmHWM")).unwrap_or("").to_owned()
}

fn main() {
    let rows: u64 = std::env::args().nth(1).map_or(5_000_000, |a| a.parse().unwrap());
    let rounds: usize = std::env::args().nth(2).map_or(1, |a| a.parse().unwrap());
    let mut servers = Servers::new(&Tools::installed(), Purpose::Benchmarks);
    let postgres = servers.start_postgres();
    let (from, to) = (postgres.database("source"), postgres.database("destination"));
    Laboratory::new(1, Size::of_patients(rows / 10)).write_postgres(&from, &TABLES);
    from.sql("vacuum (freeze, analyze);");
    println!("laboratory written");
    for _ in 0..rounds {
        to.sql("drop schema if exists ecluse_ledger cascade; drop schema public cascade; create schema public; checkpoint;");
        Laboratory::new(1, Size { patients: 0, requests: 0, results: 0 }).write_postgres(&to, &TABLES);
        round(&from, &to);
    }
}

fn round(from: &PostgresDatabase, to: &PostgresDatabase) {
    let folder = tempfile::tempdir().unwrap();
    let mut source = Source::connect(&at(from)).unwrap();
    let mut destination = Destination::connect(&at(to)).unwrap();
    let plan = planned(&destination.catalog(Scope::Everything).unwrap());
    let names: Vec<String> = plan.tables().iter().map(|t| t.source().to_owned()).collect();
    let schema = digest::of_schema(&source.catalog(Scope::Tables(&names)).unwrap(), &names);
    let (here, there) = (source.identity().unwrap(), destination.identity().unwrap());
    let identity = Identity::generate();
    let recipients = [identity.recipient()];
    let stop = AtomicBool::new(false);
    let standing = || Ok(());
    let clock = || "2026-11-22T05:00:00Z".parse().unwrap();
    let chance = |bytes: &mut [u8]| {
        std::io::Read::read_exact(&mut std::fs::File::open("/dev/urandom").unwrap(), bytes).unwrap();
        Ok(())
    };
    let world = World { clock: &clock, chance: &chance, stop: &stop };
    let orders = asserted::orders(Fields {
        plan: &plan,
        instruction: "sha256:00",
        session: "profile",
        source: Bound { identity: &here, schema: &schema },
        destination: Bound { identity: &there, schema: "" },
        standing: &standing,
        recipients: &recipients,
        identity: &identity,
    });
    let options = Options { override_reason: Some("profile"), ..Options::default() };
    let (start, used) = (Instant::now(), cpu());
    let mut at_phase = start;
    let moved = {
        let mut record = RunFolder::open(folder.path().join("run").as_path()).unwrap();
        run(orders, options, &mut source, &mut destination, &mut record, world, &mut |p| match p {
            Progress::Rows(..) => {}
            other => {
                println!("  {:6.2} s  {other:?}", at_phase.elapsed().as_secs_f64());
                at_phase = Instant::now();
            }
        })
        .unwrap()
    };
    let chunks: u64 = moved.figures.tables.iter().map(|t| t.chunks).sum();
    println!(
        "move {:.2} s, own cpu {:.2} s, {chunks} chunks, {} rows, {}",
        start.elapsed().as_secs_f64(),
        cpu() - used,
        moved.figures.moved_rows(),
        peak()
    );
    compare(orders, options, folder.path(), from, to, world);
}

fn compare(
    orders: Orders<'_>,
    options: Options<'_>,
    folder: &Path,
    from: &PostgresDatabase,
    to: &PostgresDatabase,
    world: World<'_>,
) {
    let (start, used) = (Instant::now(), cpu());
    let mut destination = Destination::connect(&at(to)).unwrap();
    let mut record = RunFolder::existing(&folder.join("run")).unwrap();
    let mut connect = || {
        let source: Box<dyn ecluse_flow::ports::Source> = Box::new(Source::connect(&at(from))?);
        Ok(source)
    };
    let found =
        reconcile(orders, options, &mut connect, &mut destination, &mut record, world, &mut |_| {}).unwrap();
    assert!(found.holds(), "{found:?}");
    println!("reconcile {:.2} s, own cpu {:.2} s, {}", start.elapsed().as_secs_f64(), cpu() - used, peak());
}
