//! écluse's half: `ecluse extract`, and `ecluse load` at a recipient who has other papers and nothing else.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use ecluse_testkit::migration::{End, Migration};
use ecluse_testkit::papers::{IDENTITY, signatures_of};
use ecluse_testkit::server::PostgresDatabase;
use jiff::Timestamp;

use super::super::program::{self, Measured};
use super::super::{TABLES, processor};
use crate::Outcome;

/// The sender's folder, the recipient's, and the archive between them.
pub(super) struct Ways {
    sender: Migration,
    program: PathBuf,
    home: PathBuf,
}

impl Ways {
    /// All papers signed, the source's views made.
    pub(super) fn new(program: &Path, home: &Path, source: &PostgresDatabase) -> Outcome<Self> {
        let order: Vec<_> = TABLES.iter().map(|table| program::ordered(*table)).collect();
        let sender = home.join("sender");
        fs::create_dir(&sender).map_err(|e| e.to_string())?;
        let from = End::postgres(source, "postgres");
        let sender = Migration::to_recipient(program, &sender, Timestamp::now(), &from, &order);
        sender.grant_reader_as(source, &format!("sealer_of_{}", source.name()));
        Ok(Self { sender, program: program.to_owned(), home: home.to_owned() })
    }

    fn archive(&self) -> PathBuf {
        self.home.join("archive")
    }

    /// A migration folder of what a recipient has of the sender's papers: one for each load, since in one folder no load
    /// begins beside another.
    fn recipient(&self, number: usize) -> std::io::Result<PathBuf> {
        let (from, to) = (self.sender.folder(), self.home.join(format!("recipient-{number}")));
        fs::create_dir_all(to.join("keys"))?;
        for paper in ["contract.toml", "status.toml", "recipient.toml"] {
            fs::copy(from.join(paper), to.join(paper))?;
            let signatures = signatures_of(&to.join(paper));
            fs::create_dir(&signatures)?;
            for signature in fs::read_dir(signatures_of(&from.join(paper)))? {
                let signature = signature?;
                fs::copy(signature.path(), signatures.join(signature.file_name()))?;
            }
        }
        // the controller's fingerprint, as the recipient read it from the contract on paper
        fs::copy(from.join("fingerprints.txt"), to.join("fingerprints.txt"))?;
        fs::copy(from.join("keys/martin"), to.join("keys/martin"))?;
        Ok(to)
    }

    /// Extracts everything into a new archive; and bytes of it.
    pub(super) fn extract(&self, number: usize) -> Outcome<(Measured, u64)> {
        let archive = self.archive();
        let _ = fs::remove_dir_all(&archive);
        let mut command = self.sender.command(&["extract", "-o"]);
        command.arg(&archive).arg("--key").arg(self.sender.folder().join("keys/petit"));
        command.arg("--run").arg(self.sender.folder().join(format!("run-{number}")));
        let measured = program::measured(command)?;
        let size = |entry: std::io::Result<fs::DirEntry>| Ok(entry?.metadata()?.len());
        let bytes = fs::read_dir(&archive).and_then(|all| all.map(size).sum::<std::io::Result<u64>>());
        Ok((measured, bytes.map_err(|e| e.to_string())?))
    }

    /// Loads the archive into an empty destination, as a new load, with the identity that the last one destroyed.
    pub(super) fn load(&self, number: usize, to: &PostgresDatabase) -> Outcome<Measured> {
        let home = self.recipient(number).map_err(|e| e.to_string())?;
        let identity = home.join("own.age");
        fs::write(&identity, format!("{IDENTITY}\n")).map_err(|e| e.to_string())?;
        let own = fs::Permissions::from_mode(0o600);
        fs::set_permissions(&identity, own).map_err(|e| e.to_string())?;
        let mut command = Command::new(&self.program);
        command.arg("-C").arg(&home).arg("load").arg(self.archive()).arg("--identity").arg(&identity);
        command.args(["--to", End::postgres(to, "postgres").url(), "--key"]).arg(home.join("keys/martin"));
        program::measured(command)
    }
}

/// What the act cost the server, in seconds of a processor, beside what it gave.
pub(super) fn and_server<T>(
    source: &PostgresDatabase,
    act: impl FnOnce() -> Outcome<T>,
) -> Outcome<(T, f64)> {
    let before = processor::of_server(source.server())?;
    let done = act()?;
    Ok((done, processor::of_server(source.server())? - before))
}
