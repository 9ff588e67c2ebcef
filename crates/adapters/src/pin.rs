//! The server's key that an instruction binds (`tls_spki`), and the connection it is asked of.

use ecluse_core::fault::{Code, Result};

use crate::url::{self, Host, Trust, Url};

static NO_TLS: Code =
    Code::refused("ECL-SEC-012", "a server's key was signed for, and this connection has none");
static OTHER_KEY: Code =
    Code::refused("ECL-SEC-013", "the URL pins another key than the one that was signed for");

/// The URL, its server bound to prove that it holds the signed key, whatever the URL itself
/// trusts; on the loopback too. Unchanged where nothing was signed.
///
/// A file and a Unix socket have no key to prove: the signatory named a server beyond them.
///
/// # Errors
///
/// `ECL-SEC-012` for a file or a socket; `ECL-SEC-013` where the URL pins another key.
pub fn bound(url: Url, signed: Option<&str>) -> Result<Url> {
    let Some(signed) = signed else { return Ok(url) };
    let key = url::pin(signed)?;
    let place = url.to_string();
    let Url::Server(mut server) = url else { return Err(no_tls(&place)) };
    if matches!(server.host, Host::Socket(_)) {
        return Err(no_tls(&place));
    }
    match server.trust {
        Trust::Pinned(other) if other != key => Err(OTHER_KEY
            .fault(place)
            .help("take spki= out of the URL; if the server's key was changed, have a new version of the instruction signed")),
        _ => {
            server.trust = Trust::Pinned(key);
            Ok(Url::Server(server))
        }
    }
}

fn no_tls(place: &str) -> ecluse_core::fault::Fault {
    NO_TLS.fault(place).help(
        "connect over TLS to the server that was signed for, or have a version of the instruction without tls_spki signed",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "sha256:0101010101010101010101010101010101010101010101010101010101010101";

    fn bound_to(url: &str, signed: Option<&str>) -> Result<Url> {
        bound(Url::parse(url).unwrap(), signed)
    }

    // fails with the guard off: returning the URL as it came leaves its own trust in place
    #[test]
    fn the_signed_key_is_the_one_that_is_asked_for() {
        for url in [
            "postgresql://anne@db/lab",
            "postgresql://anne@127.0.0.1/lab",
            "postgresql://anne@db/lab?ca=/etc/ca.pem",
            &format!("postgresql://anne@db/lab?spki={KEY}"),
            "mariadb://anne@db/lab",
        ] {
            let Url::Server(server) = bound_to(url, Some(KEY)).unwrap() else { panic!("a server") };
            assert_eq!(server.trust, Trust::Pinned([1; 32]), "{url}");
        }
        let other = format!("postgresql://anne@db/lab?spki=sha256:{}", "02".repeat(32));
        assert_eq!(bound_to(&other, Some(KEY)).unwrap_err().code().id, "ECL-SEC-013");
        assert_eq!(bound_to(&other, None).unwrap(), Url::parse(&other).unwrap());
    }

    #[test]
    fn what_has_no_key_cannot_prove_one() {
        for url in
            ["sqlite:a.db", "postgresql://anne@/lab?socket=/run/pg", "mariadb://anne@/lab?socket=/run/m.sock"]
        {
            assert_eq!(bound_to(url, Some(KEY)).unwrap_err().code().id, "ECL-SEC-012", "{url}");
            assert!(bound_to(url, None).is_ok());
        }
    }
}
