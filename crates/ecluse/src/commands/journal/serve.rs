//! `ecluse journal serve`: the journal's writer as a process of an account of its own.
//!
//! The kernel says which account asks (`SO_PEERCRED`, unix(7)); what it may ask is to append. Once a day it erases
//! what is older than it keeps.

use std::fs::{DirBuilder, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt as _, FileTypeExt as _, PermissionsExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ecluse_adapters::log::{Keep, Looked, Served};
use ecluse_core::fault::{Code, Result};
use jiff::{SignedDuration, Timestamp};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::Mode;
use serde_json::json;

use super::prune::period;
use crate::cli::ServeArgs;
use crate::folder::{self, Folder};
use crate::journal::{self, key};
use crate::{output, ready};

static SELF: Code = Code::usage("ECL-LOG-063", "the journal's writer and its application are one account");
static LISTEN: Code = Code::outside("ECL-LOG-064", "the journal's writer cannot listen there");
static STRANGER: Code = Code::refused("ECL-LOG-065", "this account may not append to the journal");

/// How long a signal to stop is not noticed at most.
const PAUSE: Timespec = Timespec { tv_sec: 1, tv_nsec: 0 };
/// Who connects and says nothing holds up the others for so long.
const PATIENCE: Duration = Duration::from_secs(5);
/// When a look that failed is tried again.
const AGAIN: SignedDuration = SignedDuration::from_hours(1);

pub(super) fn run(args: &ServeArgs) -> Result<()> {
    let own = rustix::process::getuid().as_raw();
    if args.from.contains(&own) {
        return Err(SELF.fault(own.to_string()).help(
            "run it as an account of its own: who can append and who keeps the journal are two, or nothing is won",
        ));
    }
    period(args.months, args.reason.as_deref())?;
    let keep = Keep { months: args.months, reason: args.reason.clone(), held: args.held.clone() };
    // the group reads the journal; nobody else anything
    let _before = rustix::process::umask(Mode::WGRP | Mode::RWXO);
    let store = &args.store;
    match DirBuilder::new().mode(0o750).create(store) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => {
            return Err(folder::unwritable(store, &error));
        }
        Ok(()) | Err(_) => {}
    }
    let store = store.canonicalize().map_err(|error| folder::unwritable(store, &error))?;
    let signer = key::signer(&Folder::at(&store))?;
    let mut served = Served::open(store.join(journal::FOLDER), &signer)?;
    let next = looked(&mut served, &keep);
    let listener = listen(&args.socket)?;
    output::line(format!("journal {} is kept in {}", signer.verifier().name(), store.display()));
    output::line(format!("  signed by {}", signer.verifier()));
    output::line(format!("  listens at {}", args.socket.display()));
    output::document(&json!({ "key": signer.verifier().to_string(), "socket": args.socket }));
    answer(&listener, &args.from, &mut served, (&keep, next))?;
    std::fs::remove_file(&args.socket).map_err(|error| folder::unwritable(&args.socket, &error))
}

/// Answers one connection after the other until it is told to stop (SIGINT, SIGTERM).
fn answer(
    listener: &UnixListener,
    from: &[u32],
    served: &mut Served,
    (keep, mut next): (&Keep, Timestamp),
) -> Result<()> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        let _as_ever_where_it_fails = signal_hook::flag::register(signal, Arc::clone(&stop));
    }
    while !stop.load(Ordering::Relaxed) {
        if ready::world().now() >= next {
            next = looked(served, keep);
        }
        let waiting = poll(&mut [PollFd::new(listener, PollFlags::IN)], Some(&PAUSE));
        if !matches!(waiting, Ok(1)) {
            continue;
        }
        // a connection that is gone again, or one that could not be had, is its caller's to try anew
        let Ok((stream, _)) = listener.accept() else { continue };
        if let Err(fault) = one(&stream, from, served) {
            output::warning(fault.to_string());
        }
    }
    Ok(())
}

/// Erases what is older than it keeps, and says when to look again. What fails is tried again within the hour, and
/// whoever reads the journal sees that the last look is late.
fn looked(served: &mut Served, keep: &Keep) -> Timestamp {
    let now = ready::world().now();
    let after = match served.look(keep, &ready::world()) {
        Ok(0) => Looked::every(),
        Ok(gone) => {
            output::line(format!("{} erased from the front.", super::entries(gone)));
            Looked::every()
        }
        Err(fault) => {
            output::warning(fault.to_string());
            AGAIN
        }
    };
    now.saturating_add(after).unwrap_or(now)
}

/// One connection: who it is, then what it asks.
fn one(stream: &UnixStream, from: &[u32], served: &mut Served) -> Result<()> {
    let own = rustix::process::getuid().as_raw();
    let who = rustix::net::sockopt::socket_peercred(stream).map(|peer| peer.uid.as_raw());
    match who {
        Ok(uid) if from.contains(&uid) => {}
        // a second writer that looks whether this one is there
        Ok(uid) if uid == own => return Ok(()),
        Ok(uid) => {
            let fault = STRANGER.fault(format!("account {uid}")).help("--from names those that may");
            return Err(served.told(fault, &format!("account-{uid}"), &ready::world()));
        }
        Err(_) => return Err(STRANGER.fault("an account that the kernel does not tell")),
    }
    let patience = |error: std::io::Error| LISTEN.fault(error.kind().to_string());
    stream.set_read_timeout(Some(PATIENCE)).map_err(patience)?;
    stream.set_write_timeout(Some(PATIENCE)).map_err(patience)?;
    served.answer(stream, &ready::world())
}

/// Listens there; the group may connect. A socket that nobody answers at was left by a writer that died.
fn listen(path: &Path) -> Result<UnixListener> {
    let failed = |error: std::io::Error| {
        LISTEN
            .fault(format!("{}: {}", path.display(), error.kind()))
            .help("name a path in a folder of this account, which the application's account can enter")
    };
    if let Ok(about) = path.symlink_metadata() {
        if !about.file_type().is_socket() || UnixStream::connect(path).is_ok() {
            return Err(failed(ErrorKind::AddrInUse.into()));
        }
        std::fs::remove_file(path).map_err(failed)?;
    }
    let listener = UnixListener::bind(path).map_err(failed)?;
    std::fs::set_permissions(path, Permissions::from_mode(0o660)).map_err(failed)?;
    Ok(listener)
}
