//! The contract: who may sign, and that both sides did.

use super::{At, Found, Seen, YOU, missing, refused};
use crate::papers::{quietly, standing};

pub(super) fn contract(at: At<'_>, seen: &mut Seen) -> Found {
    if !at.folder.has("contract.toml") {
        return missing(at.lang.of("not there yet", "pas encore là"), YOU, &["ecluse contract new"]);
    }
    match quietly(|| standing::contract(at.folder, None, at.now)) {
        Ok((contract, _)) => {
            let until = at.lang.day(contract.header().not_after.to_zoned(jiff::tz::TimeZone::UTC).date());
            let trial = if at.trial { at.lang.of("TRIAL, ", "ESSAI, ") } else { "" };
            let signed = at.lang.of("both sides signed, until", "signé des deux parties, jusqu’au");
            let words = format!("{trial}{signed} {until}");
            seen.contract = Some(contract);
            Found::Done(words)
        }
        Err(fault) => {
            let absent = fault.code().id == ecluse_core::signatures::ABSENT.id;
            let mut found = refused(
                at,
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
