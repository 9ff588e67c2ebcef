//! From a server's URL to a connection's options: password, socket, TLS.

use ecluse_core::fault::{Code, Result};
use mysql_async::{OptsBuilder, SslOpts};

use crate::url::{Host, Server, Trust};
use crate::{secret, tls};

static NO_PIN: Code = Code::refused("ECL-SRC-212", "a pinned key is not supported for MariaDB");

/// The options of a connection.
///
/// # Errors
///
/// What [`secret`] and [`tls`] refuse; `ECL-SRC-212` for a pinned key: the driver verifies
/// certificates only, and a pin that is not checked would be worse than none.
pub(super) fn options(server: &Server) -> Result<OptsBuilder> {
    let password = secret::password(server)?.map(|p| p.expose().to_string());
    let mut options = OptsBuilder::default()
        .user(Some(server.user.clone()))
        .pass(password)
        .db_name(Some(server.database.clone()));
    options = match &server.host {
        Host::Name(host) => options.ip_or_hostname(host.clone()).tcp_port(server.port),
        Host::Socket(path) => options.socket(Some(path.to_string_lossy().into_owned())),
    };
    // where TLS is due is decided once, for every engine
    if tls::client(server)?.is_none() {
        return Ok(options);
    }
    let ssl = match &server.trust {
        Trust::Native => {
            // the machine's own roots, not a list compiled in
            let roots = rustls_native_certs::load_native_certs().certs;
            SslOpts::default().with_root_certs(roots.into_iter().map(|root| root.to_vec().into()).collect())
        }
        Trust::Roots(path) => SslOpts::default().with_root_certs(vec![path.clone().into()]),
        Trust::Pinned(_) => {
            return Err(NO_PIN.fault(server.to_string()).help(
                "Save the server's certificate as a PEM file and name it with ?ca=PATH, or use a tunnel to a socket.",
            ));
        }
    };
    Ok(options.ssl_opts(Some(ssl.with_disable_built_in_roots(true))))
}
