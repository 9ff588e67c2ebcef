//! Debian's packages that the tests need: installed where we are root, else unpacked.

use std::path::{Path, PathBuf};
use std::process::Command;

use ecluse_testkit::tools::Tools;

use crate::{Outcome, say};

/// A program that tests start, and the package that holds it.
const PROGRAMS: &[(&str, &str)] = &[
    ("postgres", "postgresql"),
    ("initdb", "postgresql"),
    ("psql", "postgresql-client"),
    ("mariadbd", "mariadb-server"),
    ("mariadb-install-db", "mariadb-server"),
    ("mariadb", "mariadb-client"),
    ("openssl", "openssl"),
    ("ssh-keygen", "openssh-client"),
    ("age", "age"),
    ("zstd", "zstd"),
    ("sqlite3", "sqlite3"),
];

/// The programs the tests need, found, installed or unpacked.
///
/// `unpacked` unpacks even what is installed: the way of a machine without root, tried on one with.
pub(crate) fn ready(unpacked: bool) -> Outcome<Tools> {
    let installed = Tools::installed();
    if !unpacked && missing(&installed).is_empty() {
        return Ok(installed);
    }
    let root = cache()?.join("debian");
    let tools = Tools::unpacked(&root);
    // a folder that an earlier run filled, whole
    if root.join(".complete").exists() && missing(&tools).is_empty() {
        return Ok(tools);
    }
    let packages = if unpacked { all() } else { missing(&installed) };
    if !unpacked && is_root() {
        install(&packages)?;
        return complete(installed);
    }
    unpack(&packages, &root, unpacked)?;
    let tools = complete(tools)?;
    std::fs::write(root.join(".complete"), "").map_err(|e| e.to_string())?;
    Ok(tools)
}

/// Whether a program that only the benchmark compares with is here, or could be installed; said
/// loudly where not.
pub(crate) fn peer(program: &str, package: &'static str) -> bool {
    let here = || Tools::installed().find(program).is_some();
    let had = here() || (is_root() && install(&[package]).is_ok() && here());
    if !had {
        say(&format!("{program} is not measured: Debian's package {package} is not installed"));
    }
    had
}

/// A browser that prints and measures pages, where the machine has one.
pub(crate) fn browser() -> Option<PathBuf> {
    let found = Tools::installed().find("chromium");
    if found.is_none() {
        say("NOT CHECKED: the pages, in a browser: no chromium on this machine");
    }
    found
}

/// The folder outside the repository where downloads are kept between runs.
pub(crate) fn cache() -> Outcome<PathBuf> {
    let base = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")))
        .ok_or("neither XDG_CACHE_HOME nor HOME is set: no place for downloads")?;
    let folder = base.join("ecluse-ci");
    std::fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    Ok(folder)
}

fn missing(tools: &Tools) -> Vec<&'static str> {
    let mut packages: Vec<&str> = PROGRAMS
        .iter()
        .filter(|(program, _)| tools.find(program).is_none())
        .map(|(_, package)| *package)
        .collect();
    packages.dedup();
    packages
}

fn all() -> Vec<&'static str> {
    let mut packages: Vec<&str> = PROGRAMS.iter().map(|(_, package)| *package).collect();
    packages.dedup();
    packages
}

fn complete(tools: Tools) -> Outcome<Tools> {
    let still = missing(&tools);
    if still.is_empty() { Ok(tools) } else { Err(format!("still missing after all: {}", still.join(", "))) }
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|m| std::os::unix::fs::MetadataExt::uid(&m) == 0)
}

/// Installs; services that the packages bring are kept from starting.
fn install(packages: &[&str]) -> Outcome {
    say(&format!("installing {}", packages.join(" ")));
    let policy = Path::new("/usr/sbin/policy-rc.d");
    let ours = !policy.exists();
    if ours {
        std::fs::write(policy, "#!/bin/sh\nexit 101\n").map_err(|e| e.to_string())?;
        run(Command::new("chmod").arg("755").arg(policy))?;
    }
    let installed = run(Command::new("apt-get").args(["-qq", "update"])).and_then(|()| {
        run(Command::new("apt-get")
            .args(["-qq", "install", "-y", "--no-install-recommends"])
            .args(packages)
            .env("DEBIAN_FRONTEND", "noninteractive"))
    });
    if ours {
        std::fs::remove_file(policy).map_err(|e| e.to_string())?;
    }
    installed
}

/// Downloads the packages and what they lack, and unpacks them below `root`; needs no rights.
fn unpack(packages: &[&str], root: &Path, all: bool) -> Outcome {
    say(&format!("unpacking {} into {}", packages.join(" "), root.display()));
    let lists = root.join("lists");
    let downloads = root.join("downloads");
    for folder in [lists.join("partial"), downloads.clone()] {
        std::fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    }
    // our own package lists: the machine's may be absent, and are not ours to renew
    let options = [
        format!("-oDir::State::lists={}", lists.display()),
        format!("-oDir::Cache={}", root.join("cache").display()),
        "-oDebug::NoLocking=1".to_owned(),
        "-oAPT::Sandbox::User=".to_owned(),
    ];
    run(Command::new("apt-get").args(&options).args(["-qq", "update"]))?;
    let mut simulation = Command::new("apt-get");
    simulation.args(&options).args(["-s", "install", "--no-install-recommends"]);
    if all {
        simulation.arg("--reinstall");
    }
    let output = simulation.args(packages).output().map_err(|e| e.to_string())?;
    // Inst NAME [old] (VERSION …)
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut wanted: Vec<String> =
        text.lines().filter_map(|l| l.strip_prefix("Inst ")?.split(' ').next().map(str::to_owned)).collect();
    if all {
        // the packages above are names for others that hold the programs
        wanted.extend(depended(&options, packages)?);
    }
    wanted.sort();
    wanted.dedup();
    if wanted.is_empty() {
        return Err(format!("apt knows no way to {}", packages.join(" ")));
    }
    run(Command::new("apt-get")
        .args(&options)
        .args(["-qq", "download"])
        .args(&wanted)
        .current_dir(&downloads))?;
    for entry in std::fs::read_dir(&downloads).map_err(|e| e.to_string())?.flatten() {
        run(Command::new("dpkg").arg("-x").arg(entry.path()).arg(root))?;
    }
    for folder in [lists, downloads, root.join("cache")] {
        std::fs::remove_dir_all(&folder).or_else(gone).map_err(|e| format!("{}: {e}", folder.display()))?;
    }
    Ok(())
}

fn gone(error: std::io::Error) -> std::io::Result<()> {
    if error.kind() == std::io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
}

/// The database packages that the wanted ones depend on, whether installed or not.
fn depended(options: &[String], packages: &[&str]) -> Outcome<Vec<String>> {
    let output = Command::new("apt-cache")
        .args(options)
        .args(["depends", "--recurse", "--no-recommends", "--no-suggests", "--no-enhances"])
        .args(["--no-conflicts", "--no-breaks", "--no-replaces"])
        .args(packages)
        .output()
        .map_err(|e| e.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok(text
        .lines()
        .filter(|l| l.starts_with("postgresql") || l.starts_with("mariadb") || l.starts_with("libmariadb"))
        .filter(|l| !l.contains("plpy") && !l.contains(':'))
        .map(str::to_owned)
        .collect())
}

pub(crate) fn run(command: &mut Command) -> Outcome {
    let status = command.status().map_err(|e| format!("{:?} does not start: {e}", command.get_program()))?;
    if status.success() { Ok(()) } else { Err(format!("{:?} ended with {status}", command.get_program())) }
}
