//! Whether what was committed has reached the server's disk.
//!
//! A commit waits for the disk where the server says so (`innodb_flush_log_at_trx_commit`, which no
//! session can change); elsewhere the server writes its log about once a second. Rows and ledger line
//! are one transaction and that log is sequential, so a power cut takes the last chunks with
//! their lines and the next run sends them again. The end of a run asks the server itself: the log must be
//! on disk up to where it stood after the run's last commit.

use std::time::{Duration, Instant};

use ecluse_core::fault::{Code, Result};

use super::session::{Session, number, text};

/// The server's log does not reach the disk.
static NOT_DURABLE: Code =
    Code::outside("ECL-DST-236", "the MariaDB destination does not say that its log is on disk");

/// The server flushes once a second; so long is waited for it.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(20);

/// Waits until everything that was committed before this call is on disk.
///
/// # Errors
///
/// [`NOT_DURABLE`] where the server does not say so within half a minute, or does not say it at all.
pub(super) fn wait(session: &mut Session) -> Result<()> {
    let refused = |what: &str| {
        NOT_DURABLE.fault(what).help(
            "See why the server does not write its log (SHOW GLOBAL STATUS LIKE 'Innodb_lsn%'), then run the same command again.",
        )
    };
    let (committed, mut flushed) = log(session)?.ok_or_else(|| refused("no Innodb_lsn_flushed"))?;
    let began = Instant::now();
    while flushed < committed {
        if began.elapsed() > PATIENCE {
            return Err(refused("not within 30 seconds"));
        }
        std::thread::sleep(PAUSE);
        (_, flushed) = log(session)?.ok_or_else(|| refused("no Innodb_lsn_flushed"))?;
    }
    Ok(())
}

/// Where the log stands: written, and on disk.
fn log(session: &mut Session) -> Result<Option<(u64, u64)>> {
    let sql = "SHOW GLOBAL STATUS WHERE variable_name IN ('Innodb_lsn_current', 'Innodb_lsn_flushed')";
    let rows = session.rows(sql, Vec::new(), "the server's log")?;
    let of = |name: &str| {
        rows.iter().find(|row| text(row, 0).eq_ignore_ascii_case(name)).and_then(|row| number(row, 1))
    };
    Ok(of("Innodb_lsn_current").zip(of("Innodb_lsn_flushed")))
}
