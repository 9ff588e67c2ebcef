//! `cargo xtask verifier`: the evidence's check as one page that runs in a browser, offline.
//!
//! The crate `ecluse-verifier` is compiled to WebAssembly with Debian's `rustc-web` (the standard library from
//! `rust-web-src`), packed into `crates/verifier/page.html`, and the page's script is bound by its digest in the
//! page's own policy, which lets it reach nothing.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use data_encoding::BASE64;
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest as _, Sha256};

use crate::{Outcome, cargo, root, say, target};

const TARGET: &str = "wasm32-unknown-unknown";

/// What it takes, and the Debian package that has it.
const NEEDED: [(&str, &str); 3] = [
    ("/usr/bin/rustc", "rustc-web"),
    ("/usr/lib/rustlib/src/rust/library/std/Cargo.toml", "rust-web-src"),
    ("/usr/bin/wasm-ld", "lld"),
];

/// Makes the page, prints where it is.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    let page = match arguments {
        [] => target().join("verifier.html"),
        [flag, path] if flag == "-o" => PathBuf::from(path),
        _ => return Err("cargo xtask verifier [-o FILE.html]".to_owned()),
    };
    if let Some((_, package)) = missing() {
        return Err(format!(
            "Debian's package {package} is needed: apt-get install rustc-web rust-web-src lld"
        ));
    }
    make(&target().join("verifier"), &page)?;
    say(&page.display().to_string());
    Ok(())
}

/// The page that was made last, for the test that looks at it; said loudly where there is none. Making it takes
/// minutes: that is `cargo xtask verifier`'s.
pub(crate) fn made() -> Option<PathBuf> {
    let page = target().join("verifier.html");
    if page.exists() {
        return Some(page);
    }
    say("NOT CHECKED: the verifier's page, in a browser: cargo xtask verifier makes it");
    None
}

fn missing() -> Option<(&'static str, &'static str)> {
    NEEDED.into_iter().find(|(path, _)| !Path::new(path).exists())
}

fn make(build: &Path, page: &Path) -> Outcome {
    let wasm = compile(build)?;
    let said = |e: std::io::Error| e.to_string();
    let folder = root().join("crates/verifier");
    let text = |name: &str| std::fs::read_to_string(folder.join(name)).map_err(|e| format!("{name}: {e}"));
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    packed.write_all(&wasm).map_err(said)?;
    let packed = BASE64.encode(&packed.finish().map_err(said)?);
    let script = text("page.js")?.replace("{{wasm}}", &packed);
    let digest = format!("sha256-{}", BASE64.encode(&Sha256::digest(script.as_bytes())));
    let html = text("page.html")?
        .replace("{{version}}", env!("CARGO_PKG_VERSION"))
        .replace("{{script digest}}", &digest)
        .replace("{{script}}", &script);
    std::fs::write(page, html).map_err(|e| format!("{}: {e}", page.display()))
}

/// The crate as WebAssembly: small, without names, and aborting where it would unwind.
fn compile(build: &Path) -> Outcome<Vec<u8>> {
    let settings = [
        ("OPT_LEVEL", "s"),
        ("LTO", "fat"),
        ("CODEGEN_UNITS", "1"),
        ("PANIC", "abort"),
        ("STRIP", "symbols"),
        ("DEBUG", "0"),
    ];
    let mut command = cargo();
    command
        .args(["build", "--release", "--locked", "--package", "ecluse-verifier", "--target", TARGET])
        .args(["-Z", "build-std=std,panic_abort"])
        // the compiler is Debian's own: of the same year, with a standard library for this target
        .env("RUSTC", NEEDED[0].0)
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", "wasm-ld")
        .env("CARGO_INCREMENTAL", "0")
        .env("CARGO_TARGET_DIR", build)
        // what this very program was built with is not this build's
        .env_remove("RUSTFLAGS");
    for (name, value) in settings {
        command.env(format!("CARGO_PROFILE_RELEASE_{name}"), value);
    }
    let output = command.output().map_err(|e| format!("cargo does not start: {e}"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let made = build.join(TARGET).join("release/ecluse_verifier.wasm");
    std::fs::read(&made).map_err(|e| format!("{}: {e}", made.display()))
}
