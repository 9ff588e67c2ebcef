//! Passwords: from a file only its owner can read, the engine's own convention, or a
//! systemd credential. Never from a command line, a URL or the environment.
//!
//! A file is opened once, without following a link in its last step, and what is checked
//! is the opened file, not a path that could change in between (CWE-367).

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use ecluse_core::fault::{Code, Result};
use ecluse_core::personal::Secret;
use zeroize::Zeroizing;

use crate::url::{Host, PasswordAt, Server};

/// The file is not there, or cannot be opened.
pub static UNREADABLE: Code = Code::refused("ECL-SEC-001", "the password's file cannot be read");
/// Others can read the file, or somebody else owns it.
pub static OPEN_TO_OTHERS: Code =
    Code::refused("ECL-SEC-002", "the password's file can be read by others than its owner");
/// The file does not hold what it should.
pub static CONTENT: Code = Code::refused("ECL-SEC-003", "the password's file does not hold a password");

/// A password file larger than this is not one.
const MOST: u64 = 64 * 1024;

/// The password of a server's account; `None` where the URL names no place for one.
///
/// # Errors
///
/// [`UNREADABLE`], [`OPEN_TO_OTHERS`], [`CONTENT`]; the message names the path, never the content.
pub fn password(server: &Server) -> Result<Option<Secret<Zeroizing<String>>>> {
    let Some(at) = &server.password else { return Ok(None) };
    let (path, text) = match at {
        PasswordAt::File(path) | PasswordAt::Pgpass(path) | PasswordAt::MyCnf(path) => {
            (path, owned(path, false)?)
        }
        PasswordAt::Credential(path) => (path, owned(path, true)?),
    };
    let found = match at {
        PasswordAt::File(_) | PasswordAt::Credential(_) => text.lines().next().map(str::to_owned),
        PasswordAt::Pgpass(_) => from_pgpass(&text, server),
        PasswordAt::MyCnf(_) => from_option_file(&text),
    };
    match found.filter(|p| !p.is_empty()) {
        Some(password) => Ok(Some(Secret::new(Zeroizing::new(password)))),
        None => Err(CONTENT.fault(path.display().to_string()).help(match at {
            PasswordAt::Pgpass(_) => "add a line host:port:database:user:password that fits this URL",
            PasswordAt::MyCnf(_) => "add password=… under [client]",
            _ => "write the password on the first line",
        })),
    }
}

/// What to do where a server refused the account: which file the password came from, if any.
pub(crate) fn advice(server: &Server) -> String {
    match &server.password {
        None => "no password was given: name a file that only you can read (?password-file=PATH; the environment is not read), then check the account and the database's name".to_owned(),
        Some(
            PasswordAt::File(path)
            | PasswordAt::Credential(path)
            | PasswordAt::Pgpass(path)
            | PasswordAt::MyCnf(path),
        ) => format!(
            "the password came from {} (the environment is not read): see that it is this account's, then check the account and the database's name",
            path.display()
        ),
    }
}

/// The text of a file that nobody but its owner (us) can read.
///
/// systemd owns a service's credential itself and admits the service by an access
/// list, which shows as the group's bits; the folder is the service's alone.
fn owned(path: &Path, credential: bool) -> Result<Zeroizing<String>> {
    let name = || path.display().to_string();
    let unreadable = |_may_quote: std::io::Error| {
        let help = if path.is_symlink() {
            "it is a link, and links are refused: give the path of the file itself"
        } else {
            "give the path of a file you own"
        };
        UNREADABLE.fault(name()).help(help)
    };
    // a link could point into another account's files; O_NONBLOCK: a pipe must not hang us
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    let mut file: File = std::fs::OpenOptions::new()
        .read(true)
        .custom_flags(i32::try_from(flags.bits()).unwrap_or_default())
        .open(path)
        .map_err(unreadable)?;
    let meta = file.metadata().map_err(unreadable)?;
    if !meta.is_file() || meta.len() > MOST {
        return Err(CONTENT.fault(name()).help("give a small regular file"));
    }
    let ours = meta.uid() == rustix::process::geteuid().as_raw();
    let others = meta.mode() & 0o077;
    let fits = if credential && path.starts_with("/run/credentials") {
        (ours || meta.uid() == 0) && others & 0o037 == 0
    } else {
        ours && others == 0
    };
    if !fits {
        return Err(OPEN_TO_OTHERS
            .fault(format!("{} (mode {:04o})", name(), meta.mode() & 0o7777))
            .help(format!("own it yourself and type: chmod 600 {}", name())));
    }
    let mut text = Zeroizing::new(String::new());
    file.read_to_string(&mut text).map_err(unreadable)?;
    Ok(text)
}

/// `host:port:database:user:password`, `*` fits anything, `\` escapes (PostgreSQL manual, 34.16).
fn from_pgpass(text: &str, server: &Server) -> Option<String> {
    let host = match &server.host {
        Host::Name(name) => name.as_str(),
        // the manual: a socket in the default directory is written localhost
        Host::Socket(_) => "localhost",
    };
    let socket = match &server.host {
        Host::Socket(path) => path.to_str(),
        Host::Name(_) => None,
    };
    let port = server.port.to_string();
    text.lines().filter(|line| !line.starts_with('#')).find_map(|line| {
        let fields = pgpass_fields(line);
        let [h, p, d, u, password] = fields.as_slice() else { return None };
        let fits = |pattern: &str, value: &str| pattern == "*" || pattern == value;
        ((fits(h, host) || socket.is_some_and(|s| fits(h, s)))
            && fits(p, &port)
            && fits(d, &server.database)
            && fits(u, &server.user))
        .then(|| password.clone())
    })
}

fn pgpass_fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        let last = fields.len() == 5;
        match c {
            '\\' => push(&mut fields, chars.next()),
            ':' if !last => fields.push(String::new()),
            c => push(&mut fields, Some(c)),
        }
    }
    fields
}

fn push(fields: &mut [String], c: Option<char>) {
    if let (Some(field), Some(c)) = (fields.last_mut(), c) {
        field.push(c);
    }
}

/// `password` under `[client]` (MariaDB: "Configuring with option files").
fn from_option_file(text: &str) -> Option<String> {
    let mut client = false;
    let mut found = None;
    for line in text.lines().map(str::trim) {
        if let Some(group) = line.strip_prefix('[') {
            client = matches!(group.trim_end_matches(']'), "client" | "client-mariadb");
        } else if client
            && let Some((name, value)) = line.split_once('=')
            && name.trim() == "password"
        {
            let value = value.trim();
            let bare = value
                .strip_prefix('"')
                .and_then(|v| v.strip_suffix('"'))
                .or_else(|| value.strip_prefix('\'').and_then(|v| v.strip_suffix('\'')));
            found = Some(bare.unwrap_or(value).to_owned());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::url::Url;
    use std::os::unix::fs::PermissionsExt;

    fn server(url: &str) -> Server {
        match Url::parse(url).unwrap() {
            Url::Server(server) => server,
            _ => panic!("no server"),
        }
    }

    fn file(mode: u32, text: &str) -> (tempfile::TempDir, String) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pw");
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        let path = path.to_str().unwrap().to_owned();
        (dir, path)
    }

    fn read(kind: &str, path: &str) -> Result<String> {
        let engine = if kind == "my-cnf" { "mariadb" } else { "postgresql" };
        password(&server(&format!("{engine}://anne@db:5432/lab?{kind}={path}")))
            .map(|p| p.unwrap().expose().to_string())
    }

    #[test]
    fn a_private_file_is_read() {
        let (_dir, path) = file(0o600, "s3 cret\nnot this\n");
        assert_eq!(read("password-file", &path).unwrap(), "s3 cret");
        assert!(password(&server("postgresql://anne@db/lab")).unwrap().is_none());
    }

    // fails with the guard off: with the mode unchecked these files are read
    #[test]
    fn a_file_others_can_read_is_refused() {
        for mode in [0o644, 0o640, 0o604, 0o666, 0o610] {
            let (_dir, path) = file(mode, "Tr0ub4dor");
            let fault = read("password-file", &path).unwrap_err();
            assert_eq!(fault.code(), &OPEN_TO_OTHERS);
            assert!(!fault.to_string().contains("Tr0ub4dor"));
        }
    }

    #[test]
    fn a_link_a_folder_a_pipe_and_nothing_are_refused() {
        let (dir, path) = file(0o600, "x");
        let link = dir.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        let refused = read("password-file", link.to_str().unwrap()).unwrap_err();
        assert_eq!(refused.code(), &UNREADABLE);
        assert!(refused.advice().contains("links are refused"), "{}", refused.advice());
        assert!(read("password-file", dir.path().to_str().unwrap()).is_err());
        assert_eq!(read("password-file", "/nowhere/pw").unwrap_err().code(), &UNREADABLE);
        let (_dir, empty) = file(0o600, "\n");
        assert_eq!(read("password-file", &empty).unwrap_err().code(), &CONTENT);
    }

    #[test]
    fn the_engines_own_files_are_read() {
        let (_dir, path) = file(0o600, "# c\nother:5432:lab:anne:no\ndb:*:lab:anne:a\\:b:c\n");
        assert_eq!(read("pgpass", &path).unwrap(), "a:b:c");
        let (_dir, path) = file(0o600, "other:*:*:*:no\n");
        assert_eq!(read("pgpass", &path).unwrap_err().code(), &CONTENT);
        let (_dir, path) = file(0o600, "[mysqld]\npassword=no\n[client]\nuser = a\npassword = \"a b\"\n");
        assert_eq!(read("my-cnf", &path).unwrap(), "a b");
    }
}
