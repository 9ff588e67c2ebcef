//! `ecluse new`: a migration folder, laid out.

use std::path::Path;

use ecluse_core::fault::{Code, Result};
use ecluse_core::template;
use jiff::Timestamp;
use serde_json::json;

use super::mandate;
use crate::cli::NewArgs;
use crate::connections::{self, TO_FILL};
use crate::folder::{self, Folder};
use crate::papers::draft;
use crate::papers::standing::FINGERPRINTS;
use crate::{connect, copies, output, trial};

static TAKEN: Code = Code::usage("ECL-CLI-020", "the folder is not empty");

pub(super) fn run(args: &NewArgs, now: Timestamp) -> Result<()> {
    laid_out(
        &args.dir,
        args.from.url().as_deref().map(absolute).as_deref(),
        args.to.url().as_deref().map(absolute).as_deref(),
        args.trial,
        now,
    )?;
    let dir = args.dir.display();
    if args.trial {
        output::line(format!("{dir}: a TRIAL. You play every role; at most 1,000 rows of a table move."));
    } else {
        output::line(format!("{dir}: laid out."));
    }
    output::line(format!("What to do now:  cd {dir} && ecluse next"));
    output::document(&json!({ "made": args.dir, "trial": args.trial }));
    Ok(())
}

/// Makes a whole migration folder: connections, and the first papers to fill in, or a trial's.
///
/// # Errors
///
/// As [`lay_out`].
pub(crate) fn laid_out(
    dir: &Path,
    from: Option<&str>,
    to: Option<&str>,
    is_trial: bool,
    now: Timestamp,
) -> Result<()> {
    let folder = lay_out(dir, from, to)?;
    if is_trial {
        return trial::contract(&folder, trial::CAST, true, now);
    }
    let head = draft::head(None, now, draft::YEAR, false)?;
    folder::create(&folder.path(None, "contract.toml"), template::contract(&head).as_bytes())?;
    let head = draft::head(None, now, mandate::LASTS, false)?;
    let text = template::mandate_to_fill(&head);
    folder::create(&folder.path(None, mandate::FILE), text.as_bytes())?;
    folder::create(&folder.path(None, FINGERPRINTS), FINGERPRINTS_TEMPLATE.as_bytes())
}

/// Makes the folder with `connections.toml`; URLs are checked before anything is written.
///
/// # Errors
///
/// [`TAKEN`], `ECL-CPY-030`; URLs that are none, or that hold a password.
pub(crate) fn lay_out(dir: &Path, from: Option<&str>, to: Option<&str>) -> Result<Folder> {
    for url in [from, to].into_iter().flatten() {
        connect::parse(url).and_then(|url| connect::password(&url))?;
    }
    // what the certificate will say of it
    copies::nameable(dir)?;
    if !folder::list(dir)?.is_empty() {
        return Err(TAKEN
            .fault(dir.display().to_string())
            .help("give the name of a folder that is not there yet"));
    }
    let folder = Folder::at(dir);
    let from = from.map_or_else(|| format!("{TO_FILL} mariadb://USER@HOST/DATABASE"), str::to_owned);
    let to = to.map_or_else(|| format!("{TO_FILL} postgresql://USER@HOST/DATABASE"), str::to_owned);
    let text = CONNECTIONS.replace("{from}", &draft_quote(&from)).replace("{to}", &draft_quote(&to));
    folder::create(&dir.join(connections::FILE), text.as_bytes())?;
    // what a repository of papers must never hold
    folder::create(&dir.join(".gitignore"), b"/keys/*\n!/keys/*.pub\n/journal.key\n/run/\n/secrets/\n")?;
    Ok(folder)
}

/// An SQLite path that was given from the current directory stays right inside the folder.
fn absolute(url: &str) -> String {
    match url.strip_prefix("sqlite:").map(Path::new) {
        Some(path) if path.is_relative() => std::env::current_dir()
            .map_or_else(|_| url.to_owned(), |here| format!("sqlite:{}", here.join(path).display())),
        _ => url.to_owned(),
    }
}

fn draft_quote(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

const CONNECTIONS: &str = r#"# Where the two databases are. Never a password: name a file that only you can read.
#
#   sqlite:PATH                                                   (relative to this folder)
#   mariadb://USER@HOST:3306/DATABASE?password-file=PATH
#   mariadb://USER@/DATABASE?socket=/run/mysqld/mysqld.sock
#   postgresql://USER@HOST:5432/DATABASE?password-file=PATH
#   postgresql://USER@/DATABASE?socket=/var/run/postgresql
#
# More options, after ? and joined by &; a server that is not on this machine is spoken to by TLS only:
#   ca=PATH           trust only these authorities (PEM)      spki=sha256:…   trust only this key
#   pgpass=PATH       PostgreSQL's own password file          my-cnf=PATH     MariaDB's own
#   credential=PATH   a systemd credential

[source]
url = {from}

[destination]
url = {to}
"#;

const FINGERPRINTS_TEMPLATE: &str = "\
# Fingerprints of the laboratory's keys, read from the paper contract or by telephone: one a line,
# then where you read it. Without them the contract only proves that somebody made two sides' keys.
#
# SHA256:…  Dr A. Morel, paper contract, annex 3; read back by telephone on 2026-11-02
";
