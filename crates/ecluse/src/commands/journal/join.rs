//! `ecluse journal join`: this migration's journal is kept by the writer of another account.

use std::io::ErrorKind;
use std::os::unix::fs::symlink;

use ecluse_adapters::log::{self, JOINED, Remote};
use ecluse_core::fault::{Code, Result};
use serde_json::json;

use super::Here;
use crate::cli::JoinArgs;
use crate::{folder, journal, output};

static BEGUN: Code = Code::refused("ECL-LOG-053", "this migration's journal was begun already");

/// What an application reads of the writer's folder. What others bring back lies beside it.
const READ: [&str; 5] = ["checkpoint", "kept.json", "log.pub", "taken.json", "tile"];

pub(super) fn run(here: &Here, args: &JoinArgs) -> Result<()> {
    let path = journal::path(&here.folder);
    if log::Folder::find(&path).is_some() {
        return Err(BEGUN.fault(path.display().to_string()).help(
            "a journal is joined before anything is noted; this one is kept where it is until the migration is closed",
        ));
    }
    let socket = args.socket.canonicalize().unwrap_or_else(|_| args.socket.clone());
    let (remote, kept) = Remote::ask(&socket)?;
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
