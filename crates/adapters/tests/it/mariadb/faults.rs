//! Errors and TLS.

use std::io::Write as _;

use ecluse_adapters::mariadb::Source;
use ecluse_adapters::url::Url;
use ecluse_flow::ports::{Scope, Source as _};
use ecluse_testkit::server::mariadb;

use super::connect;
use super::wall::Wall;
use crate::common::{every, fields};

#[test]
fn errors_name_the_place_and_never_a_value_or_the_servers_text() {
    let Some(server) = mariadb() else { return };
    let wall = Wall::build(&server);
    let mut wrong = tempfile::NamedTempFile::new().unwrap();
    write!(wrong, "CANARY-PASSWORD").unwrap();
    let url = format!("{}?password-file={}", wall.database.url_as(&wall.account), wrong.path().display());
    let Url::Server(address) = Url::parse(&url).unwrap() else { panic!() };
    let fault = Source::connect(&address).err().unwrap();
    assert_eq!(fault.code().id, "ECL-SRC-202");
    assert!(
        !format!("{fault:?}").contains(&wall.account) && !format!("{fault:?}").contains("CANARY"),
        "{fault}"
    );
    // a table the account may not read, named by a plan without a view
    let mut staff = fields(
        0,
        connect(&wall.database).catalog(Scope::Everything).unwrap().table("staff").unwrap(),
        &every("staff", &[]),
    );
    staff.view = None;
    let plan = ecluse_core::plan::assertion::plan(vec![ecluse_core::plan::assertion::table(staff)]);
    let fault = wall.source().open(&plan, false).unwrap_err();
    assert_eq!(fault.code().id, "ECL-SRC-205");
    assert!(fault.detail().starts_with("staff (errno 1142"), "{fault}");
    let nobody = Url::parse("mariadb://a@127.0.0.1:1/x").unwrap();
    let Url::Server(nobody) = nobody else { panic!() };
    assert_eq!(Source::connect(&nobody).err().unwrap().code().id, "ECL-SRC-201");
}

// Guard off: the account demands TLS, so without it there is no connection at all (second part).
#[test]
fn tls_is_spoken_where_a_certificate_is_named_and_the_wrong_one_is_refused() {
    let Some(server) = mariadb() else { return };
    if !server.authority().exists() {
        ecluse_testkit::not_checked("the server speaks no TLS");
        return;
    }
    let database = server.database("tls");
    let account = format!("tls_{}", database.name());
    server.sql("", &format!("create user `{account}`@`127.0.0.1` identified by 'only-over-tls' require ssl; grant all on {}.* to `{account}`@`127.0.0.1`", database.name()));
    let mut password = tempfile::NamedTempFile::new().unwrap();
    write!(password, "only-over-tls").unwrap();
    let reach = |option: &str| {
        let url =
            format!("{}?password-file={}{option}", database.url_as(&account), password.path().display());
        let Url::Server(address) = Url::parse(&url).unwrap() else { panic!("not a server") };
        Source::connect(&address)
    };
    let right = format!("&ca={}", server.authority().display());
    let mut source = reach(&right).unwrap();
    assert!(source.identity().unwrap().ends_with(database.name()));
    assert_eq!(reach("").err().unwrap().code().id, "ECL-SRC-202", "in clear the server refuses it");
    // an authority that did not sign the server's certificate
    let other = tempfile::tempdir().unwrap();
    assert!(ecluse_testkit::certificates::make(
        &ecluse_testkit::tools::Tools::installed(),
        &other.path().join("tls")
    ));
    let wrong = format!("&ca={}", other.path().join("tls/ca.pem").display());
    assert_eq!(reach(&wrong).err().unwrap().code().id, "ECL-SRC-216");
    let pin = format!("&spki=sha256:{}", "00".repeat(32));
    assert_eq!(reach(&pin).err().unwrap().code().id, "ECL-SRC-212");
    server.sql("", &format!("drop user `{account}`@`127.0.0.1`"));
}
