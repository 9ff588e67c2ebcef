//! A campaign: one publisher's migrations of one year, told on one board.
//!
//! The paper names laboratories and where the folder of each lies, and the products whose mapping and
//! dictionary they begin from. Nothing in it is signed and nothing in it moves a row: what is ordered
//! stands in each laboratory's own folder, under its own controller's signature.

mod departures;
mod read;

use crate::fault::Code;
use crate::reader::Spanned;

pub use departures::{dictionary, document};
pub use read::parse;

/// The format this version reads.
pub const FORMAT: &str = "ecluse-campaign/1";

/// The file's name in the campaign's folder.
pub const FILE: &str = "campaign.toml";

/// Not TOML.
pub static SYNTAX: Code = Code::refused("ECL-CAM-001", "the campaign is not TOML");
/// An unknown key.
pub static UNKNOWN_KEY: Code = Code::refused("ECL-CAM-002", "unknown key in the campaign");
/// A missing key.
pub static MISSING_KEY: Code = Code::refused("ECL-CAM-003", "the campaign lacks a key");
/// A value of the wrong kind.
pub static WRONG_VALUE: Code = Code::refused("ECL-CAM-004", "a value of the campaign has the wrong form");
/// Two laboratories of one name, one folder or one number; two products of one name.
pub static TWICE: Code = Code::refused("ECL-CAM-005", "the campaign names this twice");
/// A folder elsewhere.
pub static ELSEWHERE: Code = Code::refused("ECL-CAM-006", "this is no folder of the campaign's own");
/// A product that is not there.
pub static NO_PRODUCT: Code = Code::refused("ECL-CAM-007", "the campaign has no such product");

/// What a campaign's paper says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Campaign {
    /// How people call it.
    pub name: String,
    /// What laboratories begin from, in the document's order.
    pub products: Vec<Product>,
    /// The laboratories, in the document's order.
    pub laboratories: Vec<Laboratory>,
}

/// One product's papers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Product {
    /// The product in one word.
    pub name: Spanned<String>,
    /// The folder with `mapping.toml` and `codes/`, within the campaign's.
    pub folder: Spanned<String>,
    /// Its dictionary: a shipped one's name, or a file of its folder ending in `.toml`.
    pub dictionary: Option<Spanned<String>>,
}

/// One laboratory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Laboratory {
    /// Its name, as people call it.
    pub name: Spanned<String>,
    /// Its migration folder, within the campaign's.
    pub folder: Spanned<String>,
    /// Its legal entity's FINESS number.
    pub finess: Option<Spanned<String>>,
    /// The product it begins from.
    pub product: Option<Spanned<String>>,
    /// The source's URL, for laying its folder out; no secret.
    pub from: Option<Spanned<String>>,
    /// The destination's URL, for laying its folder out; no secret.
    pub to: Option<Spanned<String>>,
}

impl Campaign {
    /// The product that a laboratory begins from.
    #[must_use]
    pub fn product(&self, of: &Laboratory) -> Option<&Product> {
        let name = &of.product.as_ref()?.value;
        self.products.iter().find(|product| product.name.value == *name)
    }
}
