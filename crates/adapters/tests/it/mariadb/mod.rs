//! MariaDB, a real server, as a source and as a destination.

pub(crate) mod destination;
mod faults;
mod labbook;
mod reads;
mod types;
mod views;
mod wall;
mod written;

use ecluse_adapters::mariadb::Source;
use ecluse_adapters::url::Url;
use ecluse_core::plan::Plan;
use ecluse_flow::ports::{Scope, Source as _};
use ecluse_testkit::server::MariadbDatabase;

use crate::common::{Wanted, planned};

pub(crate) fn connect(database: &MariadbDatabase) -> Source {
    connect_as(database, "ecluse", &database.server().password_file())
}

fn connect_as(database: &MariadbDatabase, account: &str, password: &std::path::Path) -> Source {
    let url = format!("{}?password-file={}", database.url_as(account), password.display());
    let Url::Server(server) = Url::parse(&url).unwrap() else { panic!("not a server") };
    Source::connect(&server).unwrap()
}

/// A plan of these tables as the administrator sees them.
fn plan_of(database: &MariadbDatabase, wanted: &[Wanted<'_>]) -> Plan {
    planned(&connect(database).catalog(Scope::Everything).unwrap(), wanted)
}
