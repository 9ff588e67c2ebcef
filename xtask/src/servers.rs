//! The private servers alone, for a developer at work.

use ecluse_testkit::server::{Purpose, Servers};
use ecluse_testkit::tools::Tools;

use crate::{Outcome, packages, say};

/// Starts both servers, prints the environment that tests read, waits until this process
/// ends; the servers end with it, however it ends.
pub(crate) fn run() -> Outcome {
    let servers = start(&packages::ready(false)?, Purpose::Tests);
    for (name, folder) in servers.environment() {
        say(&format!("export {name}={}", folder.display()));
    }
    let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
    Ok(())
}

/// Both servers, running.
pub(crate) fn start(tools: &Tools, purpose: Purpose) -> Servers {
    let mut servers = Servers::new(tools, purpose);
    let _ = servers.start_postgres();
    let _ = servers.start_mariadb();
    servers
}
