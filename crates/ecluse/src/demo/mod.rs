//! `ecluse demo`: the main job on an invented laboratory, embedded: no server, no network. Two migrations, each to its
//! certificate: straight into a database, and sealed to a recipient who is connected to nothing.
//!
//! It goes through the same functions as the commands do, or types the commands themselves ([`typed`]); only the
//! papers are written beforehand, and every role is played with keys made for the occasion.
//!
//! | file | tells |
//! |---|---|
//! | `direct.rs` | the laboratory and its papers; moved, stopped, resumed, damaged, repaired |
//! | `sealed.rs` | planned before a witness, the same rows in an archive; loaded by its recipient, received |
//! | `ending.rs` | accepted, erased, looked for, certified, closed |
//! | `returned.rs` | what stays behind and goes back to the laboratory |
//! | `laboratory.rs`, `papers.rs` | who lives in it, and what was ordered |

mod direct;
mod ending;
mod laboratory;
mod papers;
mod returned;
mod sealed;
mod typed;

use std::path::{Path, PathBuf};
use std::time::Instant;

use ecluse_core::fault::{Code, Result};
use jiff::SignedDuration;
use serde_json::json;

use self::direct::Direct;
use self::ending::Ending;
use self::typed::typed;
use crate::cli::DemoArgs;
use crate::{folder, output};

static UNLIKELY: Code = Code::refused("ECL-CLI-026", "the demonstration did not go as it must");

/// Long enough for the walk, short enough that nobody keeps these papers.
const LASTS: SignedDuration = SignedDuration::from_hours(24 * 31);

/// Runs the demonstration in a new folder.
///
/// # Errors
///
/// Any step's fault; [`UNLIKELY`] where a step finds something else than was planted.
pub(crate) fn run(args: &DemoArgs) -> Result<()> {
    let began = Instant::now();
    let shown = args.dir.clone().unwrap_or_else(|| PathBuf::from("ecluse-demo"));
    let dir = std::path::absolute(&shown).unwrap_or_else(|_| shown.clone());
    let direct = Direct::begin(&dir, args.patients)?;
    // what is typed is typed there
    std::env::set_current_dir(&dir).map_err(|error| folder::unwritable(&dir, &error))?;
    output::line(format!("What follows a $ is what you would type in {}.", shown.display()));
    output::line("\nDirect: straight into the new system's database.");
    let fingerprint = direct.papers()?;
    let figures = direct.migrate()?;
    let first = direct.reconcile()?;
    let found = direct.swap_and_repair()?;
    let mut evidence = Vec::new();
    if !args.leave_open {
        evidence.push(ended_directly(&dir)?);
        output::line("\nSealed: to a recipient who connects to nothing, and to whom nobody connects.");
        evidence.push(sealed::way(&direct)?);
    }
    let page = direct.report()?;
    let seconds = began.elapsed().as_secs();
    if evidence.is_empty() {
        output::line(format!("\nThe report: {}   ({seconds} s)", shown.join(name(&page)).display()));
        output::line(format!("To go on by hand:  cd {} && ecluse next", shown.display()));
    } else {
        output::line(
            "\nWhoever has the evidence and the laboratory's fingerprint checks it, and needs nothing else:",
        );
        for file in &evidence {
            typed(&format!("ecluse verify {} --trust {fingerprint}", name(file)))?;
        }
        output::line(
            "verify       both hold. In écluse's repository: cargo xtask verifier makes a page that checks them in a browser,",
        );
        output::line("             and docs/verify.md checks them with none of our code");
        output::line(format!("\nThe report: {}   ({seconds} s)", shown.join(name(&page)).display()));
    }
    output::line(format!("controller fingerprint: {fingerprint}"));
    output::document(&json!({
        "report": page, "figures": figures, "reconciled": first.holds, "swap_found": found.differences,
        "seconds": seconds, "controller_fingerprint": fingerprint, "evidence": evidence,
    }));
    Ok(())
}

/// The direct way from what was read back to its end.
fn ended_directly(dir: &Path) -> Result<PathBuf> {
    let ending = Ending { ecluse: "ecluse".to_owned(), folder: dir.to_owned(), identity: "" };
    ending.accepted()?;
    let evidence = ending.certified()?;
    ending.closed()?;
    Ok(evidence)
}

/// A file's name.
fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
