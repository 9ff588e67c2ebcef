//! `ecluse grants`: the script that puts a wall of the controller's own around the order.

use ecluse_adapters::url::Url;
use ecluse_adapters::{mariadb, postgres};
use ecluse_core::fault::{Code, Result};
use ecluse_core::types::Engine;
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
    let short: String = chain.instruction.digest().trim_start_matches("sha256:").chars().take(8).collect();
    let role = args.role.clone().unwrap_or_else(|| format!("ecluse_{short}_ro"));
    let (source, plan) = ready::reading(here, &papers, &chain)?;
    let database = connect::database(&source);
    if matches!(source, Url::Dump(_) | Url::Csv(_)) {
        return Err(NO_ROLES.fault("files").help(
            "go on without: they can deny nothing, which the instruction says with cannot_deny = true",
        ));
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
    let earlier = if args.remove { None } else { connect::source(&source)?.granted(&role, &args.host)? };
    if let Some(spaces) = &earlier {
        output::warning(stands(spaces, &short).join(" "));
    }
    let give = earlier.as_ref().map_or_else(String::new, |spaces| noted(spaces, &short)) + &give;
    output::line(if args.remove { &take } else { &give });
    output::document(&json!({ "role": role, "give": give, "take": take, "earlier": earlier }));
    Ok(())
}

/// What the administrator reads first in a script that would stop at its first statement. The role's name,
/// which somebody typed, is not repeated in a comment.
fn noted(spaces: &[String], short: &str) -> String {
    stands(spaces, short).into_iter().map(|line| format!("-- {line}\n")).collect()
}

/// That the role is there, whose views it reads, and what comes first.
fn stands(spaces: &[String], short: &str) -> Vec<String> {
    let orders: Vec<&str> = spaces.iter().filter_map(|space| space.strip_prefix("ecluse_")).collect();
    let mut lines = vec![
        "The role exists at this server already: the script stops at CREATE and leaves nothing behind."
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
        false if orders.is_empty() => {
            "It reads no script's views: name another with --role, or have its owner drop it.".to_owned()
        }
        false => "To make it anew, run first what `ecluse grants --remove` prints.".to_owned(),
    });
    lines
}
