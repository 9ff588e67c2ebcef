//! `ecluse grants`: the script that puts a wall of the controller's own around the order.

use std::collections::BTreeSet;

use ecluse_adapters::url::Url;
use ecluse_adapters::{mariadb, postgres};
use ecluse_core::fault::{Code, Result};
use ecluse_core::instruction::{Referring, referring};
use ecluse_core::plan::{Plan, return_digest};
use ecluse_core::types::Engine;
use ecluse_flow::erase::{Beside, Needs, tables};
use ecluse_flow::ports::Scope;
use serde_json::json;

use super::Here;
use crate::cli::{GrantsArgs, PaperArgs};
use crate::connect;
use crate::output;
use crate::papers::chain::Chain;
use crate::ready;

static NO_ROLES: Code = Code::refused("ECL-CLI-027", "this engine has no roles");

pub(super) fn run(here: &Here, args: &GrantsArgs) -> Result<()> {
    let papers = PaperArgs {
        instruction: args.instruction.clone(),
        mapping: args.mapping.clone(),
        from: args.from.clone(),
        ..PaperArgs::default()
    };
    let chain = Chain::read(&here.folder, &papers, here.now)?;
    let digest = match args.back {
        true => return_digest(chain.instruction.digest()),
        false => chain.instruction.digest().to_owned(),
    };
    let short: String = digest.trim_start_matches("sha256:").chars().take(8).collect();
    let kind = if args.erasing { "erase" } else { "ro" };
    let role = args.role.clone().unwrap_or_else(|| format!("ecluse_{short}_{kind}"));
    let (source, plan) = match args.back {
        true => ready::returning(here, &papers, &chain)?,
        false => ready::reading(here, &papers, &chain)?,
    };
    let database = connect::database(&source);
    if matches!(source, Url::Dump(_) | Url::Csv(_)) {
        return Err(NO_ROLES.fault("files").help(
            "go on without: they can deny nothing, which the instruction says with cannot_deny = true",
        ));
    }
    if args.erasing {
        return erasing(args, &chain, &source, &plan, &role);
    }
    let (give, take) = match source.engine() {
        Engine::Postgresql => {
            let script = postgres::grants(&plan, &role, &database)?;
            (script.give, script.take)
        }
        Engine::Mariadb => {
            let script = mariadb::grants(&plan, &role, &args.host, &database)?;
            (script.give, script.take)
        }
        Engine::Sqlite | Engine::Csv => {
            return Err(NO_ROLES
                .fault("sqlite")
                .help("go on without: the barrier is écluse's own, and the report says so"));
        }
    };
    let (earlier, made) = match args.remove {
        true => (None, false),
        false => {
            let mut source = connect::source(&source)?;
            (source.granted(&role, &args.host)?, source.has_schema(&format!("ecluse_{short}"))?)
        }
    };
    let stands = match &earlier {
        Some(spaces) => of_role(source.engine(), spaces, made, &short),
        None if made => of_views(source.engine(), &short),
        None => Vec::new(),
    };
    if !stands.is_empty() {
        output::warning(stands.join(" "));
    }
    // what the administrator reads first in a script that would stop on its way; the role's name, which
    // somebody typed, is not repeated in a comment
    let give = stands.iter().map(|line| format!("-- {line}\n")).collect::<String>() + &give;
    output::line(if args.remove { &take } else { &give });
    output::document(&json!({ "role": role, "give": give, "take": take, "earlier": earlier, "made": made }));
    Ok(())
}

/// The script for whoever erases at the source: what refers to ordered rows from tables beside the order is in it too.
fn erasing(args: &GrantsArgs, chain: &Chain, url: &Url, plan: &Plan, role: &str) -> Result<()> {
    let catalog = connect::source(url)?.catalog(Scope::Everything)?;
    let referring = referring(chain.instruction.order(), &chain.dictionary);
    let there = |one: &Referring| catalog.table(&one.table).is_some_and(|t| t.column(&one.column).is_some());
    let unseen: BTreeSet<&str> =
        referring.iter().filter(|one| !there(one)).map(|one| one.table.as_str()).collect();
    if !unseen.is_empty() {
        output::warning(format!(
            "This account does not see {}, whose rows name ordered ones by the dictionary: printed by an account that sees everything, the script gives the sight of what is still there.",
            unseen.into_iter().collect::<Vec<_>>().join(", ")
        ));
    }
    let database = connect::database(url);
    let order = chain.instruction.order();
    let goes = |one: &ecluse_core::instruction::Beside| Beside { along: one.along(), goes: one.goes() };
    let beside: Vec<Beside> = order.beside.iter().map(goes).collect();
    let tables = tables(plan, &beside);
    let needs = Needs { plan, tables: &tables, catalog: &catalog, referring: &referring };
    let (give, take) = match url.engine() {
        Engine::Postgresql => postgres::erasing(&needs, role, &database),
        Engine::Mariadb => mariadb::erasing(&needs, role, &args.host, &database),
        Engine::Sqlite | Engine::Csv => {
            return Err(NO_ROLES
                .fault("sqlite")
                .help("go on without: whoever may write the file may erase in it"));
        }
    };
    output::line(if args.remove { &take } else { &give });
    output::document(&json!({ "role": role, "give": give, "take": take }));
    Ok(())
}

/// That this order's views are there, and the role is not.
fn of_views(engine: Engine, short: &str) -> Vec<String> {
    let left = match engine {
        Engine::Mariadb => "and leaves an account that reads nothing",
        _ => "and leaves nothing behind",
    };
    vec![
        format!(
            "The views' own ecluse_{short} exists at this server already, without this role: the script stops at its CREATE {left}."
        ),
        "Run first what `ecluse grants --remove` prints with the --role for which it was made.".to_owned(),
    ]
}

/// That the role is there, whose views it reads, and what comes first; `made`: this order's views are there.
fn of_role(engine: Engine, spaces: &[String], made: bool, short: &str) -> Vec<String> {
    let orders: Vec<&str> = spaces.iter().filter_map(|space| space.strip_prefix("ecluse_")).collect();
    let mut lines = vec![
        match engine {
            Engine::Mariadb => "The role exists at this server already: run by `mariadb < FILE`, the script stops at CREATE and leaves nothing behind; `source` at the prompt would go on.",
            _ => "The role exists at this server already: the script stops at CREATE and leaves nothing behind.",
        }
        .to_owned(),
    ];
    lines.extend(orders.iter().map(|order| match *order == short {
        true => "It reads the views of this very order: this script has been run.".to_owned(),
        false => format!("It reads the views of an earlier order, whose digest begins with sha256:{order}."),
    }));
    lines.push(match orders.iter().any(|order| *order != short) {
        true => {
            "Run first what `ecluse grants --remove` prints with that order's papers, and the same --role."
                .to_owned()
        }
        false if orders.is_empty() && made => format!("It reads no script's views, and this order's ecluse_{short} exists: the script was run in part, or for another role. Run first what `ecluse grants --remove` prints."),
        false if orders.is_empty() => {
            "It reads no script's views: name another with --role, or have its owner drop it.".to_owned()
        }
        false => "To make it anew, run first what `ecluse grants --remove` prints.".to_owned(),
    });
    lines
}
