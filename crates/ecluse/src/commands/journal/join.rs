//! `ecluse journal join`: this migration's journal is kept by the writer of another account.

use std::io::ErrorKind;
use std::os::unix::fs::symlink;

use ecluse_adapters::log::{self, JOINED, LOOKED, MIGRATION, Remote};
use ecluse_core::fault::{Code, Result};
use serde_json::json;

use super::Here;
use crate::cli::JoinArgs;
use crate::{folder, journal, output, ready};

static BEGUN: Code = Code::refused("ECL-LOG-053", "this migration's journal was begun already");

/// What an application reads of the writer's folder. What others bring back lies beside it.
pub(crate) const READ: [&str; 6] = ["checkpoint", "kept.json", "log.pub", LOOKED, "taken.json", "tile"];

pub(super) fn run(here: &Here, args: &JoinArgs) -> Result<()> {
    let path = journal::path(&here.folder);
    if log::Folder::find(&path).is_some() {
        return Err(BEGUN.fault(path.display().to_string()).help(
            "a journal is joined before anything is noted; this one is kept where it is until the migration is closed",
        ));
    }
    let socket = args.socket.canonicalize().unwrap_or_else(|_| args.socket.clone());
    // whoever may not append is told before anything is written
    Remote::ask(&socket, "")?;
    // durable before the writer hears it: it keeps the journal of this one from then on, and of no other
    let of = path.join(MIGRATION);
    if !of.exists() {
        let id = format!("{}\n", ready::world().id()?);
        folder::replace(&of, id.as_bytes())?;
    }
    let name = String::from_utf8_lossy(&folder::read(&of, "")?).trim_end().to_owned();
    let (remote, kept) = Remote::ask(&socket, &name)?;
    for name in READ {
        let link = path.join(name);
        folder::make_parent(&link)?;
        match symlink(kept.join(name), &link) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => {
                return Err(folder::unwritable(&link, &error));
            }
            Ok(()) | Err(_) => {}
        }
    }
    // last: without it nothing is joined, and the links alone are in nobody's way
    folder::replace(&path.join(JOINED), remote.file().as_bytes())?;
    output::line(format!("The journal is kept in {} by the account that runs the writer.", kept.display()));
    output::line(
        "  Every act is noted there before it is done. What stands there already:  ecluse journal verify",
    );
    output::document(&json!({ "folder": kept, "socket": socket }));
    Ok(())
}
