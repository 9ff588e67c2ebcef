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
    output::line(if args.remove { &take } else { &give });
    output::document(&json!({ "role": role, "give": give, "take": take }));
    Ok(())
}
