//! The contract: who may sign, and that both sides did.

use jiff::Timestamp;

use super::{Found, Seen, YOU, missing, refused};
use crate::folder::Folder;
use crate::papers::{quietly, standing};

pub(super) fn contract(folder: &Folder, trial: bool, now: Timestamp, seen: &mut Seen) -> Found {
    if !folder.has("contract.toml") {
        return missing("not there yet", YOU, &["ecluse contract new"]);
    }
    match quietly(|| standing::contract(folder, None, now)) {
        Ok((contract, _)) => {
            let until = contract.header().not_after.to_zoned(jiff::tz::TimeZone::UTC).date();
            let words = format!("{}both sides signed, until {until}", if trial { "TRIAL, " } else { "" });
            seen.contract = Some(contract);
            Found::Done(words)
        }
        Err(fault) => {
            let absent = fault.code().id == ecluse_core::signatures::ABSENT.id;
            let mut found = refused(
                &fault,
                if absent { Some("both sides") } else { YOU },
                "ecluse contract check; ecluse contract verify",
            );
            if let Found::Missing { advice, .. } = &mut found
                && absent
            {
                advice.push("Each signatory signs:  ecluse contract sign --key FILE   or   ssh-keygen -Y sign -n ecluse-contract-v1 -f KEY contract.toml".into());
            }
            found
        }
    }
}
