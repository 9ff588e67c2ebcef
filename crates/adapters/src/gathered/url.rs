//! What the URLs of gathered sources have in common: a path, and options that say how to read it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

use ecluse_core::fault::Result;
use percent_encoding::percent_decode_str;

use crate::url::{INCOMPLETE, NOT_A_URL, OPTION};

/// Bytes that are held at most where the URL does not say.
const MEMORY: usize = 1 << 30;

/// A path and its options, decoded.
pub(crate) struct Place {
    pub(crate) path: String,
    options: BTreeMap<String, String>,
    /// What to write, for who left something out.
    form: &'static str,
}

impl Place {
    /// Reads `PATH?option=value&…`; any option beside `known` is refused.
    ///
    /// # Errors
    ///
    /// [`NOT_A_URL`], [`OPTION`].
    pub(crate) fn read(text: &str, known: &[&str], form: &'static str) -> Result<Self> {
        let (path, rest) = text.split_once('?').unwrap_or((text, ""));
        let mut options = BTreeMap::new();
        for option in rest.split('&').filter(|o| !o.is_empty()) {
            let (name, value) = option.split_once('=').unwrap_or((option, ""));
            if !known.contains(&name) {
                return Err(OPTION
                    .fault("a source in files")
                    .help(format!("known options: {}", known.join(", "))));
            }
            if value.is_empty() || options.insert(name.to_owned(), decoded(value)?).is_some() {
                return Err(OPTION.fault(format!("{name} is empty or stands twice")));
            }
        }
        Ok(Self { path: decoded(path)?, options, form })
    }

    /// An option that may be absent.
    pub(crate) fn take(&mut self, name: &str) -> Option<String> {
        self.options.remove(name)
    }

    /// An option that is demanded.
    ///
    /// # Errors
    ///
    /// [`INCOMPLETE`].
    pub(crate) fn demand(&mut self, name: &str) -> Result<String> {
        self.take(name).ok_or_else(|| self.missing(name))
    }

    /// The fault of something left out.
    pub(crate) fn missing(&self, what: &str) -> ecluse_core::fault::Fault {
        INCOMPLETE.fault(format!("{what} is missing")).help(self.form)
    }

    /// `memory=512M`, `memory=4G`.
    ///
    /// # Errors
    ///
    /// [`OPTION`].
    pub(crate) fn memory(&mut self) -> Result<usize> {
        let Some(text) = self.take("memory") else { return Ok(MEMORY) };
        let units = [("M", 20), ("G", 30)];
        let parsed = units.iter().find_map(|(unit, bits)| {
            let number: usize = text.strip_suffix(unit)?.parse().ok()?;
            number.checked_mul(1 << bits).filter(|n| *n > 0)
        });
        parsed.ok_or_else(|| OPTION.fault("memory").help("write memory=512M or memory=4G"))
    }
}

/// `PATH?…schema=FILE…` with both paths made `root`'s where they are relative.
pub(crate) fn rooted(text: &str, root: &Path) -> String {
    let at = |path: &str| {
        let relative = path != "-" && !path.is_empty() && Path::new(path).is_relative();
        if relative { root.join(path).display().to_string() } else { path.to_owned() }
    };
    let (path, options) = text.split_once('?').unwrap_or((text, ""));
    let options = options.split('&').map(|option| match option.split_once('=') {
        Some(("schema", path)) => format!("schema={}", at(path)),
        _ => option.to_owned(),
    });
    format!("{}?{}", at(path), options.collect::<Vec<_>>().join("&"))
}

fn decoded(text: &str) -> Result<String> {
    let decoded = percent_decode_str(text).decode_utf8();
    decoded.map(Cow::into_owned).map_err(|_may_quote| NOT_A_URL.fault("a source in files"))
}
