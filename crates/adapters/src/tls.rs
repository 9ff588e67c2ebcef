//! TLS to a server: always verified beyond loopback and sockets, never optional there.
//!
//! | [`Trust`] | the server proves |
//! |---|---|
//! | `Native` | a certificate for its name, signed by one of the machine's roots |
//! | `Roots` | a certificate for its name, signed by one of the file's roots |
//! | `Pinned` | that it holds the private key whose public half has this SHA-256 (RFC 7469's SPKI digest) |
//!
//! TLS 1.2 or 1.3 with the suites of rustls' aws-lc-rs provider (ECDHE and AEAD only).

use std::error::Error;
use std::io;
use std::net::{IpAddr, ToSocketAddrs};
use std::sync::Arc;

use ecluse_core::fault::{Code, Result};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use sha2::{Digest, Sha256};

use crate::url::{Host, Server, Trust};

/// The certificates to trust cannot be read.
pub static ROOTS: Code = Code::refused("ECL-SEC-010", "the certificates to trust cannot be read");
/// The host's name does not resolve.
pub static UNKNOWN_HOST: Code = Code::outside("ECL-SEC-011", "the server's name has no address");

/// What to do about a server that did not prove itself.
pub(crate) const PROVE: &str = "see that this is the server that was meant; then name its authority (?ca=PATH) or its key (?spki=sha256:…), or have the new key signed where the instruction pins one (tls_spki)";

/// How to reach a server: in clear to a socket or loopback, else under TLS.
///
/// # Errors
///
/// [`ROOTS`] where the certificates to trust cannot be read or there are none,
/// [`UNKNOWN_HOST`] where the name has no address.
pub fn client(server: &Server) -> Result<Option<Arc<ClientConfig>>> {
    let wanted = server.trust != Trust::Native;
    match &server.host {
        // a socket never leaves the machine
        Host::Socket(_) => Ok(None),
        Host::Name(name) if !wanted && is_loopback(name, server.port)? => Ok(None),
        Host::Name(_) => config(&server.trust).map(Some),
    }
}

/// Whether a connection failed because the server did not prove who it is: no retry helps, unlike
/// with a server that is away. Looks through a driver's error for the handshake's.
pub(crate) fn is_unproven(error: &(dyn Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        // an io::Error does not count what it wraps as its source
        let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        let handshake = match wrapped {
            Some(wrapped) => wrapped.downcast_ref(),
            None => error.downcast_ref(),
        };
        if matches!(handshake, Some(rustls::Error::InvalidCertificate(_))) {
            return true;
        }
        next = error.source();
    }
    false
}

/// Whether every address of a name is the machine itself: one that is not would carry rows in clear.
fn is_loopback(name: &str, port: u16) -> Result<bool> {
    if let Ok(ip) = name.parse::<IpAddr>() {
        return Ok(ip.is_loopback());
    }
    if name != "localhost" {
        return Ok(false);
    }
    let mut any = false;
    for address in (name, port)
        .to_socket_addrs()
        .map_err(|_| UNKNOWN_HOST.fault(name).help("check the URL and the resolver"))?
    {
        any = true;
        if !address.ip().is_loopback() {
            return Ok(false);
        }
    }
    Ok(any)
}

fn config(trust: &Trust) -> Result<Arc<ClientConfig>> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let algorithms = provider.signature_verification_algorithms;
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| ROOTS.fault("no protocol version"))?;
    let mut config = match trust {
        Trust::Native => builder.with_root_certificates(native()?).with_no_client_auth(),
        Trust::Roots(path) => {
            let place = path.display().to_string();
            let bad = |_quotes| {
                ROOTS
                    .fault(place.clone())
                    .help("give a PEM file of certificates, -----BEGIN CERTIFICATE-----")
            };
            let mut roots = RootCertStore::empty();
            for certificate in CertificateDer::pem_file_iter(path).map_err(bad)? {
                roots.add(certificate.map_err(bad)?).map_err(|_| ROOTS.fault(place.clone()))?;
            }
            if roots.is_empty() {
                return Err(ROOTS.fault(place).help("the file holds no certificate"));
            }
            builder.with_root_certificates(roots).with_no_client_auth()
        }
        Trust::Pinned(spki) => builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Pin { spki: *spki, algorithms }))
            .with_no_client_auth(),
    };
    // nothing of a session is kept for a later one
    config.resumption = rustls::client::Resumption::disabled();
    Ok(Arc::new(config))
}

fn native() -> Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        return Err(ROOTS
            .fault("the machine's own")
            .help("install ca-certificates, or name the laboratory's: ?ca=PATH or ?spki=sha256:…"));
    }
    Ok(roots)
}

/// Accepts exactly one public key, whatever certificate carries it; the handshake's
/// signature is still verified, so that only the holder of the private key passes.
#[derive(Debug)]
struct Pin {
    spki: [u8; 32],
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for Pin {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let parsed = ParsedCertificate::try_from(end_entity)?;
        let spki = parsed.subject_public_key_info();
        if Sha256::digest(spki.as_ref()).as_slice() == self.spki {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(rustls::Error::InvalidCertificate(rustls::CertificateError::ApplicationVerificationFailure))
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
