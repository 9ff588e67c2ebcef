//! The two ends as options: where they are, and which file holds their passwords.

use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};

/// The source.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct FromArgs {
    /// The source: `postgresql://…`, `mariadb://…`, `sqlite:PATH`, `csv:FOLDER?…` or a dump, `dump+postgresql:-?…`; a password in it is refused.
    #[arg(long, value_name = "URL")]
    pub(crate) from: Option<String>,

    /// A file that only you can read, with the source's password.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "from")]
    pub(crate) from_password_file: Option<PathBuf>,

    /// The program whose output is the dump, with its arguments: `'pg_dump lab'`. No shell reads it.
    #[arg(long, value_name = "COMMAND", requires = "from", conflicts_with = "from_password_file")]
    pub(crate) source_command: Option<String>,
}

impl FromArgs {
    /// The URL with the password file or the program as its option, if a URL was given.
    pub(crate) fn url(&self) -> Option<String> {
        if let (Some(url), Some(command)) = (&self.from, &self.source_command) {
            return Some(ecluse_adapters::dump::url::with_command(url, command));
        }
        with_password_file(self.from.as_deref(), self.from_password_file.as_deref())
    }
}

/// The destination.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct ToArgs {
    /// The destination: `postgresql://…`, `mariadb://…` or `sqlite:PATH`; a password in it is refused.
    #[arg(long, value_name = "URL")]
    pub(crate) to: Option<String>,

    /// A file that only you can read, with the destination's password.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "to")]
    pub(crate) to_password_file: Option<PathBuf>,
}

impl ToArgs {
    /// The URL with the password file as its option, if a URL was given.
    pub(crate) fn url(&self) -> Option<String> {
        with_password_file(self.to.as_deref(), self.to_password_file.as_deref())
    }
}

/// A password file is an option of its URL, so that one text says how to connect.
fn with_password_file(url: Option<&str>, file: Option<&Path>) -> Option<String> {
    let (url, file) = (url?, file.map(|f| std::path::absolute(f).unwrap_or_else(|_| f.to_owned())));
    Some(file.map_or_else(
        || url.to_owned(),
        |file| {
            let joint = if url.contains('?') { '&' } else { '?' };
            format!("{url}{joint}password-file={}", file.display())
        },
    ))
}
