//! `ecluse plan`: what would move, what is refused, what stays.

mod orphans;
mod stays;
mod tell;

use ecluse_adapters::folder::RunFolder;
use ecluse_core::fault::Result;
use ecluse_flow::orders::Orders;
use ecluse_flow::ports::Source;
use ecluse_flow::rehearse::{Rehearsed, rehearse, room};
use ecluse_flow::run::{Options, Progress};
use serde_json::json;

use super::Here;
use crate::cli::PlanArgs;
use crate::copies;
use crate::output;
use crate::papers::chain::Chain;
use crate::papers::objections;
use crate::progress::Teller;
use crate::ready::{self, Parts, Ready};

pub(super) fn run(here: &Here, args: &PlanArgs) -> Result<()> {
    if args.ddl {
        return ddl(here, args);
    }
    if args.stays {
        return stays::run(here, args);
    }
    objections::answered(&here.folder, args.papers.instruction.as_deref(), here.now)?;
    let (ready, (mut source, mut destination)) = Ready::to_plan(here, &args.papers)?;
    if args.statements {
        statements(&ready, source.as_ref());
        return Ok(());
    }
    let path = here.folder.path(args.papers.run.as_deref(), "run");
    copies::run(&here.folder, here.now, &path, ready.chain.instruction.order(), None)?;
    let mut record = RunFolder::open(&path, &here.journal())?;
    ready.swept(&mut record)?;
    let sealed = RunFolder::sealed_state(&path)?;
    let mut teller = Teller::new();
    let (mut found, room) = ready.with_orders(|orders| {
        // told after the figures: whoever empties a table wants to know what would fill it
        let room = destination
            .as_mut()
            .map_or(Ok(()), |there| room(&orders, sealed.as_deref(), &ready.missing, there.as_mut()));
        rehearsed(&ready, orders, ready.options(), source.as_mut(), &mut record, &mut teller)
            .map(|found| (found, room))
    })?;
    if let Some(there) = &mut destination {
        found.orphans.look_up(&ready.compiled.plan, there.as_mut())?;
    }
    tell::told(&ready, &found, room)
}

/// The dry run itself.
///
/// # Errors
///
/// As [`rehearse`].
pub(super) fn rehearsed(
    ready: &Ready,
    orders: Orders<'_>,
    options: Options<'_>,
    source: &mut dyn Source,
    record: &mut RunFolder,
    teller: &mut Teller,
) -> Result<Rehearsed> {
    // a person's code is nobody's to read: only its rows are counted
    let tellable = |table: &str, column: &str| {
        let known = ready.chain.dictionary.table(table).and_then(|t| t.column(column));
        known.is_some_and(|c| !c.class.names_a_person())
    };
    let (engine, tell) = (ready.engine(), &mut |p: Progress<'_>| teller.tell(p));
    rehearse(orders, options, source, engine, &tellable, record, ready::world(), tell)
}

fn statements(ready: &Ready, source: &dyn Source) {
    let plan = &ready.compiled.plan;
    let list: Vec<_> = plan.tables().iter().map(|t| (t.source(), source.statement(t, plan))).collect();
    for (table, sql) in &list {
        output::line(format!("-- {table}\n{sql}\n"));
    }
    let list: Vec<_> = list.iter().map(|(table, sql)| json!({ "table": table, "sql": sql })).collect();
    output::document(&json!({ "statements": list }));
}

fn ddl(here: &Here, args: &PlanArgs) -> Result<()> {
    let chain = Chain::read(&here.folder, &args.papers, here.now)?;
    let statements = Parts::connect(here, &args.papers, chain)?.missing_tables()?;
    if statements.is_empty() {
        output::remark("The destination has every table.");
    }
    for statement in &statements {
        output::line(format!("{};\n", statement.trim_end().trim_end_matches(';')));
    }
    output::document(&json!({ "ddl": statements }));
    Ok(())
}
