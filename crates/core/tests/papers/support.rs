//! Papers in force at one frozen moment.

use ecluse_core::contract::Contract;
use ecluse_core::finding::Finding;
use ecluse_testkit::papers::{Paper, Papers};
use jiff::Timestamp;

/// The frozen moment.
pub(crate) fn now() -> Timestamp {
    "2026-11-22T09:00:00Z".parse().unwrap()
}

pub(crate) fn papers() -> Papers {
    let mut papers = Papers::new(now());
    papers.instruction = include_str!("instruction-body.toml").to_owned();
    papers
}

pub(crate) fn contract(papers: &Papers) -> Result<Contract, Vec<Finding>> {
    contract_at(papers, now())
}

pub(crate) fn contract_at(papers: &Papers, now: Timestamp) -> Result<Contract, Vec<Finding>> {
    let text = papers.text(Paper::Contract);
    Contract::in_force(text.as_bytes(), &papers.signatures(Paper::Contract), now)
}

/// The codes of findings, without `ECL-`.
pub(crate) fn codes<T>(result: Result<T, Vec<Finding>>) -> Vec<&'static str> {
    match result {
        Ok(_) => Vec::new(),
        Err(findings) => ids(&findings),
    }
}

pub(crate) fn ids(findings: &[Finding]) -> Vec<&'static str> {
    findings.iter().map(|finding| finding.code.id.trim_start_matches("ECL-")).collect()
}
