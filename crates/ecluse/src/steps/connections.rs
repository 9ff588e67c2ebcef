//! Whether the two databases are named.

use super::{At, Found, YOU, missing, refused, sealed};
use crate::connect;
use crate::connections::{self, End};

pub(super) fn databases(at: At<'_>) -> Found {
    let sides = [
        (End::Source, at.lang.of("the source", "la source")),
        (End::Destination, at.lang.of("the destination", "la destination")),
    ];
    // an order to a recipient names no destination: nobody connects to one
    let sealed = sealed::is_sealed(at);
    for (end, name) in sides.into_iter().filter(|(end, _)| !(sealed && *end == End::Destination)) {
        match connections::written(at.folder, end) {
            Ok(Some(url)) => {
                if let Err(fault) = connect::parse(&url).and_then(|url| connect::password(&url)) {
                    return refused(at, &fault, YOU, "edit connections.toml");
                }
            }
            Ok(None) => {
                let words = format!("{name} {}", at.lang.of("is not named yet", "n’est pas encore nommée"));
                return missing(
                    words,
                    YOU,
                    &[
                        "Write the two databases' URLs into connections.toml (it has examples), then:  ecluse next",
                    ],
                );
            }
            Err(fault) => return refused(at, &fault, YOU, "edit connections.toml"),
        }
    }
    if sealed {
        return Found::Done(at.lang.of("source named", "source nommée").into());
    }
    Found::Done(at.lang.of("source and destination named", "source et destination nommées").into())
}
