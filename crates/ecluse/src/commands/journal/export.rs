//! `ecluse journal export`: every entry as FHIR R4 AuditEvent.

use ecluse_adapters::log;
use ecluse_core::fault::{Code, Result};
use ecluse_flow::event::Leaf;
use serde_json::{Value, json};

use super::Here;
use crate::cli::ExportArgs;
use crate::journal::{fhir, reading, sessions};
use crate::{folder, journal, output};

static FOREIGN: Code = Code::refused("ECL-LOG-042", "an entry of the journal cannot be exported");

pub(super) fn run(here: &Here, args: &ExportArgs) -> Result<()> {
    let log = log::Folder::open(&journal::path(&here.folder))?;
    let signed = log.signed()?;
    let tree = signed.checkpoint();
    reading::noted(here, &tree.origin);
    let operators = sessions::operators(&here.folder, here.now)?;
    let (mut events, mut foreign): (Vec<Value>, Option<u64>) = (Vec::new(), None);
    log.whole(tree, |index, entry| match Leaf::parse(entry) {
        Some(_) if index < args.from => {}
        Some(leaf) => events.push(fhir::event(index, &leaf, &tree.origin, operators.get(&leaf.session))),
        None => foreign = foreign.or(Some(index)),
    })?;
    if let Some(index) = foreign {
        return Err(FOREIGN.fault(format!("entry {index} is no event")).help("ecluse journal verify"));
    }
    let number = ecluse_core::count::number(events.len());
    let text = if args.bundle {
        format!("{}\n", fhir::bundle(events))
    } else {
        events.iter().map(|event| format!("{event}\n")).collect()
    };
    folder::create(&args.output, text.as_bytes())?;
    output::line(format!("{}: {}, as FHIR R4 AuditEvent", args.output.display(), super::entries(number)));
    output::line("  Operators' names are personal data: hand it on as such.");
    output::document(&json!({ "made": args.output, "events": number, "bundle": args.bundle }));
    Ok(())
}
