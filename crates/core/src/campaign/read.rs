//! Reads a campaign's paper.

use std::collections::BTreeSet;
use std::path::{Component, Path};

use super::{
    Campaign, ELSEWHERE, FORMAT, Laboratory, MISSING_KEY, NO_PRODUCT, Product, SYNTAX, TWICE, UNKNOWN_KEY,
    WRONG_VALUE,
};
use crate::finding::Finding;
use crate::instruction::is_finess;
use crate::nearest::suggestion;
use crate::reader::{Codes, Fields, Reader, Spanned};

static CODES: Codes =
    Codes { syntax: &SYNTAX, unknown: &UNKNOWN_KEY, missing: &MISSING_KEY, wrong: &WRONG_VALUE };

/// Reads a campaign.
///
/// # Errors
/// Everything that is wrong with it, in the order of the document.
pub fn parse(text: &str) -> Result<Campaign, Vec<Finding>> {
    let mut r = Reader::new(text, &CODES);
    let campaign = r.document().and_then(|tree| {
        let mut root = Fields::new(&tree, 0..0, String::new());
        let campaign = read(&mut r, &mut root);
        root.end(&mut r);
        campaign
    });
    if let Some(campaign) = &campaign {
        check(&mut r, campaign);
    }
    r.finish(campaign)
}

fn read(r: &mut Reader<'_>, root: &mut Fields<'_, '_>) -> Option<Campaign> {
    let mut head = root.table(r, "campaign")?;
    let format = head.text(r, "format");
    if let Some(format) = format.filter(|f| f.value != FORMAT) {
        let finding = Finding::new(&WRONG_VALUE, format!("the format `{}` is not known", format.value));
        r.find(finding.at(format.span).help(format!("this version reads {FORMAT}")));
    }
    let name = head.text(r, "name");
    head.end(r);
    let products = root.tables(r, "product").into_iter().filter_map(|t| product(r, t)).collect();
    let laboratories = root.tables(r, "laboratory").into_iter().filter_map(|t| laboratory(r, t)).collect();
    Some(Campaign { name: name?.value, products, laboratories })
}

fn product(r: &mut Reader<'_>, mut t: Fields<'_, '_>) -> Option<Product> {
    let (name, folder) = (t.text(r, "name"), t.text(r, "folder"));
    let dictionary = t.maybe_text(r, "dictionary");
    t.end(r);
    Some(Product { name: name?, folder: folder?, dictionary })
}

fn laboratory(r: &mut Reader<'_>, mut t: Fields<'_, '_>) -> Option<Laboratory> {
    let (name, folder) = (t.text(r, "name"), t.text(r, "folder"));
    let (finess, product) = (t.maybe_text(r, "finess"), t.maybe_text(r, "product"));
    let (from, to) = (t.maybe_text(r, "from"), t.maybe_text(r, "to"));
    t.end(r);
    if let Some(wrong) = finess.as_ref().filter(|number| !is_finess(&number.value)) {
        r.find(Finding::new(&WRONG_VALUE, "a FINESS number has nine characters").at(wrong.span.clone()));
    }
    Some(Laboratory { name: name?, folder: folder?, finess, product, from, to })
}

/// What form alone does not show: names twice, folders elsewhere, products that are not there.
fn check(r: &mut Reader<'_>, campaign: &Campaign) {
    let Campaign { name: _, products, laboratories } = campaign;
    once(r, "product", products.iter().map(|p| &p.name));
    once(r, "laboratory", laboratories.iter().map(|l| &l.name));
    // one folder is one migration, and one number one legal entity
    once(r, "folder", products.iter().map(|p| &p.folder).chain(laboratories.iter().map(|l| &l.folder)));
    once(r, "FINESS number", laboratories.iter().filter_map(|l| l.finess.as_ref()));
    for folder in products.iter().map(|p| &p.folder).chain(laboratories.iter().map(|l| &l.folder)) {
        if !is_within(&folder.value) {
            let finding = Finding::new(&ELSEWHERE, format!("`{}`", folder.value)).at(folder.span.clone());
            r.find(finding.help("a laboratory's folder lies in the campaign's: folder = \"tilleuls\""));
        }
    }
    for wanted in laboratories.iter().filter_map(|l| l.product.as_ref()) {
        let names = || products.iter().map(|p| p.name.value.as_str());
        if names().all(|name| name != wanted.value) {
            let mut finding =
                Finding::new(&NO_PRODUCT, format!("`{}`", wanted.value)).at(wanted.span.clone());
            if let Some(help) = suggestion(&wanted.value, names()) {
                finding = finding.help(help);
            }
            r.find(finding);
        }
    }
}

fn once<'a>(r: &mut Reader<'_>, what: &str, names: impl Iterator<Item = &'a Spanned<String>>) {
    let mut seen = BTreeSet::new();
    for name in names {
        if !seen.insert(name.value.as_str()) {
            r.find(Finding::new(&TWICE, format!("{what} `{}`", name.value)).at(name.span.clone()));
        }
    }
}

/// A path of plain names, from the campaign's folder down; one spelling a folder.
fn is_within(folder: &str) -> bool {
    let plain = Path::new(folder).components().all(|part| matches!(part, Component::Normal(_)));
    // `a//b`, `a/` and `a/./b` are `a/b` to the file system, and other names to this paper
    plain && folder.split('/').all(|part| !part.is_empty() && part != ".")
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "[campaign]\nformat = \"ecluse-campaign/1\"\nname = \"LabBook, 2026\"\n\
        [[product]]\nname = \"labbook\"\nfolder = \"product\"\ndictionary = \"labbook-3.5\"\n\
        [[laboratory]]\nname = \"Tilleuls\"\nfolder = \"tilleuls\"\nfiness = \"750000001\"\nproduct = \"labbook\"\n\
        [[laboratory]]\nname = \"Lilas\"\nfolder = \"nord/lilas\"\n";

    fn codes(text: &str) -> Vec<&'static str> {
        parse(text).expect_err("a mistake").iter().map(|f| f.code.id).collect()
    }

    #[test]
    fn a_campaign_is_read() {
        let campaign = parse(GOOD).unwrap();
        assert_eq!((campaign.laboratories.len(), campaign.products.len()), (2, 1));
        assert_eq!(campaign.product(&campaign.laboratories[0]).unwrap().folder.value, "product");
        assert_eq!(campaign.product(&campaign.laboratories[1]), None);
    }

    #[test]
    fn two_laboratories_never_share_a_folder_a_name_or_a_number() {
        assert_eq!(codes(&GOOD.replace("\"nord/lilas\"", "\"tilleuls\"")), ["ECL-CAM-005"]);
        assert_eq!(codes(&GOOD.replace("\"nord/lilas\"", "\"product\"")), ["ECL-CAM-005"]);
        assert_eq!(codes(&GOOD.replace("\"Lilas\"", "\"Tilleuls\"")), ["ECL-CAM-005"]);
        let numbered = GOOD.replace("\"nord/lilas\"\n", "\"lilas\"\nfiness = \"750000001\"\n");
        assert_eq!(codes(&numbered), ["ECL-CAM-005"]);
    }

    #[test]
    fn a_folder_lies_in_the_campaigns_own() {
        for folder in ["../lilas", "/lilas", "./lilas", "lilas/", "nord//lilas", "nord/./lilas", "."] {
            let text = GOOD.replace("nord/lilas", folder);
            assert_eq!(codes(&text), ["ECL-CAM-006"], "{folder}");
        }
    }

    #[test]
    fn slips_are_named() {
        assert_eq!(codes(&GOOD.replace("product = \"labbook\"", "product = \"labook\"")), ["ECL-CAM-007"]);
        assert_eq!(codes(&GOOD.replace("750000001", "75000001")), ["ECL-CAM-004"]);
        assert_eq!(codes(&GOOD.replace("name = \"Lilas\"\n", "")), ["ECL-CAM-003"]);
        assert_eq!(codes(&GOOD.replace("finess", "finesse")), ["ECL-CAM-002"]);
        assert_eq!(codes("[campaign"), ["ECL-CAM-001"]);
    }
}
