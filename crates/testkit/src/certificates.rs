//! A throw-away certificate authority and a server certificate for 127.0.0.1 and
//! `localhost`, made by `openssl`.

use std::path::Path;

use crate::tools::Tools;

/// Makes `ca.pem`, `server.pem` and `server.key` in `folder`; false where `openssl` is absent.
///
/// # Panics
///
/// When `openssl` is there and fails.
#[must_use]
pub fn make(tools: &Tools, folder: &Path) -> bool {
    if tools.find("openssl").is_none() {
        return false;
    }
    std::fs::create_dir(folder).expect("a folder for certificates");
    let run = |arguments: &[&str]| {
        let output = tools.command("openssl").args(arguments).current_dir(folder).output().expect("openssl");
        assert!(output.status.success(), "openssl: {}", String::from_utf8_lossy(&output.stderr));
    };
    let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    run(&[
        &["req", "-x509"],
        &key[..],
        &["-keyout", "ca.key", "-out", "ca.pem", "-days", "30", "-subj", "/CN=test authority"],
        &["-addext", "basicConstraints=critical,CA:TRUE"],
    ]
    .concat());
    run(&[&["req"], &key[..], &["-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=localhost"]]
        .concat());
    std::fs::write(
        folder.join("server.ext"),
        "subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\n",
    )
    .expect("the extensions");
    run(&[
        "x509",
        "-req",
        "-in",
        "server.csr",
        "-CA",
        "ca.pem",
        "-CAkey",
        "ca.key",
        "-CAcreateserial",
        "-days",
        "30",
        "-extfile",
        "server.ext",
        "-out",
        "server.pem",
    ]);
    crate::only_owner(&folder.join("server.key"));
    true
}
