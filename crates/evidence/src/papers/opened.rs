//! A signed paper under the contract: its signatures, its dates, the version before it.

use ecluse_core::contract::Contract;
use ecluse_core::digest;
use ecluse_core::document::{self, Header, Kind};
use ecluse_core::finding::Finding;
use ecluse_core::language::Language;
use ecluse_core::person::Side;
use ecluse_core::signatures::Signer;
use jiff::Timestamp;

use crate::bench::{Bench, Paper, SeenBy, told};
use crate::moment;
use crate::verdict::Words;

/// A paper that holds.
pub(crate) struct Opened<T> {
    pub(crate) value: T,
    pub(crate) header: Header,
    pub(crate) digest: String,
}

/// Checks a paper that may not be there: its signatures, its dates, and what `read` asks of it. A paper that is
/// not there says nothing; one that does not hold is told.
pub(crate) fn open<T>(
    bench: &mut Bench<'_>,
    contract: &Contract,
    (name, kind): (&str, Kind),
    read: impl Fn(&Paper<'_>, Timestamp) -> Result<T, Vec<Finding>>,
) -> Option<Opened<T>> {
    let paper = bench.paper(name)?;
    let header = match document::text(paper.bytes).and_then(|text| document::header(text, kind)) {
        Ok(header) => header,
        Err(findings) => {
            refused(bench, name, &findings);
            return None;
        }
    };
    let begins = moment::of_terms(contract.terms()).into_iter().chain(moment::of_paper(&paper));
    let held = moment::first(header.issued, bench.closed, begins.chain([header.not_before]), |now| {
        let (_, signed) = contract.open(kind, paper.bytes, &paper.signatures, now)?;
        read(&paper, now).map(|value| (value, signed.signers().to_vec()))
    });
    match held {
        Err(findings) => {
            refused(bench, name, &findings);
            None
        }
        Ok((at, (value, signers))) => {
            paper.paths.iter().for_each(|path| bench.vouch(path));
            bench.holds(name, signed(&signers, at));
            before(bench, name, &header);
            let is_foreign = signers.iter().any(|signer| signer.role.side() == Side::Controller);
            let (name, issued) = (name.to_owned(), header.issued);
            bench.note_seen(header.seen.clone().map(|seen| SeenBy { name, seen, is_foreign, issued }));
            Some(Opened { value, header, digest: digest::of_bytes(paper.bytes) })
        }
    }
}

/// A paper that does not hold.
pub(crate) fn refused(bench: &mut Bench<'_>, name: &str, findings: &[Finding]) {
    let words = Words::new(
        "It is not signed by whom the contract names, or does not say what it must.",
        "Il n’est pas signé par qui le contrat désigne, ou ne dit pas ce qu’il doit.",
    );
    bench.fails(name, words, told(findings));
}

/// A paper that has to be there and is not.
pub(crate) fn missing(bench: &mut Bench<'_>, name: &str) {
    bench.fails(name, Words::new("It is missing in the file.", "Il manque dans le fichier."), None);
}

/// Who signed, and the day as of which it counts.
pub(crate) fn signed(signers: &[Signer], at: Timestamp) -> Words {
    let day = ecluse_core::keys::day(at);
    let names = |language: Language| {
        let mut names: Vec<String> = signers.iter().map(|signer| signer.told(language)).collect();
        names.dedup();
        names.join(language.of(" and ", " et "))
    };
    Words::new(
        format!("Signed by {}; in order as of {}.", names(Language::English), Language::English.day(day)),
        format!("Signé par {} ; en règle au {}.", names(Language::French), Language::French.day(day)),
    )
}

/// The version before, where it is in the file: the digest that this one supersedes.
fn before(bench: &mut Bench<'_>, name: &str, header: &Header) {
    let Some(cited) = &header.supersedes else { return };
    let stem = name.trim_end_matches(".toml");
    let mut earlier = format!("{stem}.v{}.toml", header.version.saturating_sub(1));
    // statuses that were met lie beside the log, by their ids
    let digest = |path: &&String| bench.digest(path).as_deref() == Some(cited);
    if bench.bytes(&earlier).is_none()
        && let Some(path) = bench.below("journal/statuses/").find(digest)
    {
        earlier.clone_from(path);
    }
    if bench.bytes(&earlier).is_some() {
        cites(bench, name, cited, &earlier);
        bench.paper(&earlier).into_iter().flat_map(|paper| paper.paths).for_each(|path| bench.vouch(&path));
    } else {
        let version = header.version;
        let words = Words::new(
            format!("Version {version}; the version that it supersedes is not in the file."),
            format!("Version {version} ; la version qu’elle remplace n’est pas dans le fichier."),
        );
        bench.absent(name, words);
    }
}

/// Compares the digest by which one paper cites another with that of the file here, and vouches for it.
pub(crate) fn cites(bench: &mut Bench<'_>, of: &str, cited: &str, path: &str) -> bool {
    let words = Words::new(format!("It cites {path}."), format!("Il cite {path}."));
    let Some(found) = bench.digest(path) else {
        bench.fails(of, words, format!("{path} is not in the file; cited is {cited}"));
        return false;
    };
    if found == cited {
        bench.vouch(path);
    }
    bench.check(of, found == cited, words, || format!("{path} is {found}; cited is {cited}"));
    found == cited
}

/// As [`cites`], of the order; a paper of another order belongs to another migration.
pub(crate) fn of_order(bench: &mut Bench<'_>, of: &str, cited: &str) -> bool {
    cites(bench, of, cited, ecluse_core::instruction::FILE)
}
