//! `ecluse journal tail`: the last entries in words, and those that come.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use ecluse_adapters::log;
use ecluse_core::fault::Result;
use ecluse_flow::event::Leaf;
use serde_json::json;

use super::Here;
use crate::cli::TailArgs;
use crate::journal::{fhir, reading, sessions};
use crate::ready::STOP;
use crate::{journal, output};

/// How often it is looked whether something came.
const MOMENT: Duration = Duration::from_millis(250);

pub(super) fn run(here: &Here, args: &TailArgs) -> Result<()> {
    let log = log::Folder::open(&journal::path(&here.folder))?;
    let tree = log.signed()?.checkpoint().clone();
    reading::noted(here, &tree.origin);
    let operators = sessions::operators(&here.folder, here.now)?;
    let mut next = tree.size.saturating_sub(args.lines).max(log.kept()?.first);
    if args.follow {
        let _ = signal_hook::flag::register(signal_hook::consts::SIGINT, Arc::clone(&STOP));
    }
    loop {
        let tree = log.signed()?.checkpoint().clone();
        log.entries(&tree, next, |index, entry| line(index, entry, &operators))?;
        next = tree.size;
        if !args.follow || STOP.load(Ordering::Relaxed) {
            return Ok(());
        }
        std::thread::sleep(MOMENT);
    }
}

fn line(index: u64, entry: &[u8], operators: &BTreeMap<String, String>) {
    let Some(leaf) = Leaf::parse(entry) else {
        return output::line(format!("{index}   no event of écluse"));
    };
    // a word of écluse's own (timer, writer, no session) is no statement's id
    let is_id = leaf.session.len() == 32 && leaf.session.bytes().all(|byte| byte.is_ascii_hexdigit());
    let short = leaf.session.get(..8).filter(|_| is_id).map(|short| format!("session {short}"));
    let who = operators.get(&leaf.session).cloned().or(short).unwrap_or_else(|| leaf.session.clone());
    let act = fhir::name(leaf.act);
    let object = leaf.object.get(..8).unwrap_or(&leaf.object);
    output::line(format!("{index}   {}   {who}   {act} {object}   {}", leaf.time, leaf.outcome));
    output::event(
        &json!({ "event": "entry", "index": index, "who": operators.get(&leaf.session), "leaf": leaf }),
    );
}
