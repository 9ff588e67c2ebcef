//! The processor's objections, and the controller's answers (GDPR Art. 28(3), last sentence).

use ecluse_core::document::Kind;
use ecluse_core::objection::{self, Answer, FILE};

use super::Chain;
use super::opened::open;
use crate::bench::Bench;
use crate::verdict::Words;

/// Checks the record's chain, and that every objection has its signed answer.
pub(super) fn check(bench: &mut Bench<'_>, chain: &Chain) {
    let Some(record) = bench.bytes(FILE) else { return };
    let record = match objection::read(record) {
        Ok(record) => record,
        Err(fault) => {
            let words = Words::new(
                "The record of objections is not what was written.",
                "Le registre des objections n’est pas ce qui fut écrit.",
            );
            bench.fails(FILE, words, fault.to_string());
            return;
        }
    };
    let mut answered = true;
    for (index, (said, cited)) in record.iter().enumerate() {
        let name = format!("answers/{}.toml", index + 1);
        let answer = open(bench, &chain.contract, (&name, Kind::Answer), |paper, now| {
            Answer::read(paper.bytes, &paper.signatures, &chain.contract, cited, now)
        });
        let of_this = chain.order.as_ref().is_none_or(|order| order.digest == said.instruction);
        answered &= answer.is_some() || !of_this;
    }
    if answered {
        // each line binds the one before, and the last one's digest is signed
        bench.vouch(FILE);
    }
    let words = Words::new(
        "Every objection to this order has its signed answer.",
        "Chaque objection à cet ordre a sa réponse signée.",
    );
    bench.check(FILE, answered, words, || "an answer is missing or does not hold".to_owned());
}
