//! Whether the two databases are named.

use super::{Found, YOU, missing, refused};
use crate::connect;
use crate::connections::{self, End};
use crate::folder::Folder;

pub(super) fn databases(folder: &Folder) -> Found {
    for (end, name) in [(End::Source, "source"), (End::Destination, "destination")] {
        match connections::written(folder, end) {
            Ok(Some(url)) => {
                if let Err(fault) = connect::parse(&url).and_then(|url| connect::password(&url)) {
                    return refused(&fault, YOU, "edit connections.toml");
                }
            }
            Ok(None) => {
                let words = format!("the {name} is not named yet");
                return missing(
                    words,
                    YOU,
                    &[
                        "Write the two databases' URLs into connections.toml (it has examples), then:  ecluse next",
                    ],
                );
            }
            Err(fault) => return refused(&fault, YOU, "edit connections.toml"),
        }
    }
    Found::Done("source and destination named".into())
}
