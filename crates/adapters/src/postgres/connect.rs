//! One connection with its own single-threaded runtime.
//!
//! The path is synchronous; the driver is not. A [`Link`] keeps the runtime inside: its
//! calls block until the server has answered, and nothing runs between two calls.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use ecluse_core::fault::Result;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::config::{ChannelBinding as Binding, SslMode};
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, NoTls, TlsConnect, TlsStream};
use tokio_postgres::types::ToSql;
use tokio_postgres::{CancelToken, Client, Config, CopyInSink, Error, Row, Statement};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream as RustlsStream;

use super::error::Side;
use crate::secret;
use crate::tls;
use crate::url::{Host, Server};

/// What every session sets. Dates and numbers travel in binary; still, expressions that the
/// server prints for us must not depend on the account's own settings.
const SESSION: &str = "SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0; \
     SET lock_timeout = '20s'; SET standard_conforming_strings = on; SET row_security = off; \
     SET jit = off; SET work_mem = '64MB'; SET maintenance_work_mem = '256MB'";

/// What a source's session sets beyond: a type that travels as the engine's own text has one text per
/// value. Not at a destination, whose triggers may rely on the account's zone.
const PRINT: &str = "SET DateStyle = 'ISO, YMD'; SET IntervalStyle = 'iso_8601'; SET TimeZone = 'UTC'; \
     SET bytea_output = 'hex'; SET extra_float_digits = 1; SET xmlbinary = 'base64'";

/// One connection.
pub(super) struct Link {
    // before the runtime: the client must be dropped first, so that the goodbye can be sent
    client: Client,
    runtime: Runtime,
    side: Side,
    tls: Option<Arc<rustls::ClientConfig>>,
    patience: Duration,
}

impl Link {
    /// Connects, under TLS beyond loopback and sockets. A server that takes the connection and then says
    /// nothing is given up after `server.patience`.
    pub(super) fn connect(server: &Server, side: Side) -> Result<Self> {
        let tls = tls::client(server)?;
        let mut config = Config::new();
        config
            .user(&server.user)
            .dbname(&server.database)
            .port(server.port)
            .application_name("ecluse")
            .keepalives(true)
            .ssl_mode(if tls.is_some() { SslMode::Require } else { SslMode::Disable })
            .channel_binding(Binding::Disable);
        match &server.host {
            Host::Name(name) => config.host(name),
            Host::Socket(path) => config.host_path(path),
        };
        if let Some(password) = secret::password(server)? {
            config.password(password.expose().as_str());
        }
        let runtime =
            Builder::new_current_thread().enable_all().build().map_err(|_| side.gone("the runtime"))?;
        let connected = async {
            match tls.clone() {
                None => join(config.connect(NoTls).await),
                Some(tls) => join(config.connect(Rustls(TlsConnector::from(tls))).await),
            }
        };
        // the driver's own `connect_timeout` ends with TCP, and would begin anew at every address
        let client = runtime
            .block_on(async { tokio::time::timeout(server.patience, connected).await })
            .map_err(|_elapsed| side.silent(server))?
            .map_err(|e| side.unreached(&e, server))?;
        let link = Self { client, runtime, side, tls, patience: server.patience };
        link.batch(SESSION, "the session's settings")?;
        if side == Side::Source {
            link.batch(PRINT, "the session's settings")?;
        }
        // such a database promises nothing about its text: asked for UTF-8, the server would end
        // the whole read at the first byte that is not; as it is, each value is judged alone
        let encoding: String =
            link.one("SELECT current_setting('server_encoding')", &[], "the session's settings")?;
        if side == Side::Source && encoding == "SQL_ASCII" {
            link.batch("SET client_encoding = 'SQL_ASCII'", "the session's settings")?;
        }
        Ok(link)
    }

    /// The driver's client, for use inside [`Link::run`].
    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// Asks the server to stop the statement that still runs. Best effort: where it fails,
    /// the rest of the answer is read and thrown away.
    pub(super) fn cancel(&self) {
        self.canceller().cancel(self);
    }

    /// What stops this connection's statement from elsewhere.
    pub(super) fn canceller(&self) -> Canceller {
        Canceller { token: self.client.cancel_token(), tls: self.tls.clone(), patience: self.patience }
    }

    pub(super) fn side(&self) -> Side {
        self.side
    }

    /// Runs a future to its end.
    pub(super) fn run<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    /// Statements without parameters or answer; `place` names a table or a step for the fault.
    pub(super) fn batch(&self, sql: &str, place: &str) -> Result<()> {
        self.run(self.client.batch_execute(sql)).map_err(|e| self.side.fault(&e, place))
    }

    pub(super) fn query(
        &self,
        sql: &str,
        parameters: &[&(dyn ToSql + Sync)],
        place: &str,
    ) -> Result<Vec<Row>> {
        self.run(self.client.query(sql, parameters)).map_err(|e| self.side.fault(&e, place))
    }

    pub(super) fn execute(&self, sql: &str, parameters: &[&(dyn ToSql + Sync)], place: &str) -> Result<u64> {
        self.run(self.client.execute(sql, parameters)).map_err(|e| self.side.fault(&e, place))
    }

    /// One value of one row.
    pub(super) fn one<T>(&self, sql: &str, parameters: &[&(dyn ToSql + Sync)], place: &str) -> Result<T>
    where
        T: for<'a> tokio_postgres::types::FromSql<'a>,
    {
        self.run(async { self.client.query_one(sql, parameters).await.and_then(|row| row.try_get(0)) })
            .map_err(|e| self.side.fault(&e, place))
    }

    pub(super) fn prepare(&self, sql: &str, place: &str) -> Result<Statement> {
        self.run(self.client.prepare(sql)).map_err(|e| self.side.fault(&e, place))
    }
}

/// Stops one connection's statement by way of another's runtime.
pub(super) struct Canceller {
    token: CancelToken,
    tls: Option<Arc<rustls::ClientConfig>>,
    patience: Duration,
}

impl Canceller {
    /// See [`Link::cancel`]; waits no longer than for a connection.
    pub(super) fn cancel(&self, by: &Link) {
        by.run(async {
            let asked = async {
                match self.tls.clone() {
                    None => self.token.cancel_query(NoTls).await,
                    Some(tls) => self.token.cancel_query(Rustls(TlsConnector::from(tls))).await,
                }
            };
            let _ = tokio::time::timeout(self.patience, asked).await;
        });
    }
}

/// The sink of a COPY.
pub(super) type Copy = Pin<Box<CopyInSink<Bytes>>>;

/// Lets the connection's own task run beside the caller's statements.
fn join<S, T>(connected: Result<(Client, tokio_postgres::Connection<S, T>), Error>) -> Result<Client, Error>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (client, connection) = connected?;
    tokio::spawn(async move {
        // its error reaches the caller through the statement that waits
        let _ = connection.await;
    });
    Ok(client)
}

/// rustls for the driver.
#[derive(Clone)]
struct Rustls(TlsConnector);

struct Handshake {
    connector: TlsConnector,
    name: rustls::pki_types::ServerName<'static>,
}

struct Encrypted<S>(RustlsStream<S>);

impl<S> MakeTlsConnect<S> for Rustls
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    type Stream = Encrypted<S>;
    type TlsConnect = Handshake;
    type Error = rustls::pki_types::InvalidDnsNameError;

    fn make_tls_connect(&mut self, domain: &str) -> Result<Handshake, Self::Error> {
        let name = rustls::pki_types::ServerName::try_from(domain)?.to_owned();
        Ok(Handshake { connector: self.0.clone(), name })
    }
}

impl<S> TlsConnect<S> for Handshake
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    type Stream = Encrypted<S>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Encrypted<S>>> + Send>>;

    fn connect(self, stream: S) -> Self::Future {
        Box::pin(async move { self.connector.connect(self.name, stream).await.map(Encrypted) })
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> TlsStream for Encrypted<S> {
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Encrypted<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Encrypted<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
