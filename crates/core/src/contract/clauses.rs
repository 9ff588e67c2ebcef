//! The eight clauses of GDPR Art. 28(3), each its own item with its own words and place.

use crate::fault::Code;
use crate::finding::Finding;
use crate::reader::{Fields, Reader};

use super::Clause;
use crate::template::filled;

static A: Code = Code::refused("ECL-CTR-021", "clause (a) is missing");
static B: Code = Code::refused("ECL-CTR-022", "clause (b) is missing");
static C: Code = Code::refused("ECL-CTR-023", "clause (c) is missing");
static D: Code = Code::refused("ECL-CTR-024", "clause (d) is missing");
static E: Code = Code::refused("ECL-CTR-025", "clause (e) is missing");
static F: Code = Code::refused("ECL-CTR-026", "clause (f) is missing");
static G: Code = Code::refused("ECL-CTR-027", "clause (g) is missing");
static H: Code = Code::refused("ECL-CTR-028", "clause (h) is missing");
/// The same words under two letters.
pub static TWICE: Code = Code::refused("ECL-CTR-029", "one text stands for two clauses");

/// A clause that must be there.
#[derive(Clone, Copy, Debug)]
pub struct Letter {
    /// `a` to `h`.
    pub letter: &'static str,
    /// What it must say, in a few words.
    pub about: &'static str,
    /// The law.
    pub law: &'static str,
    /// The finding where it is absent, or says something else.
    pub code: &'static Code,
    /// Beginnings of words, French or English, of which a clause on this subject uses one.
    /// General terms of sale and maintenance contracts, copied in its place, do not.
    stems: &'static [&'static str],
}

/// The eight, in order.
pub static CLAUSES: [Letter; 8] = [
    Letter {
        letter: "a",
        about: "processing only on documented instructions",
        law: "GDPR Art. 28(3)(a)",
        code: &A,
        stems: &["instruction"],
    },
    Letter {
        letter: "b",
        about: "confidentiality of the persons who process",
        law: "GDPR Art. 28(3)(b)",
        code: &B,
        stems: &["confidential", "confidentiel", "secret", "secrecy"],
    },
    Letter {
        letter: "c",
        about: "security measures under Art. 32",
        law: "GDPR Art. 28(3)(c)",
        code: &C,
        stems: &["sécur", "secur", "article 32", "art. 32"],
    },
    Letter {
        letter: "d",
        about: "other processors only with authorisation",
        law: "GDPR Art. 28(3)(d)",
        code: &D,
        stems: &[
            "autre sous-traitant",
            "sous-traitance ultérieure",
            "sous-traitants ultérieurs",
            "sous-traitant ultérieur",
            "recrute",
            "another processor",
            "other processor",
            "sub-processor",
            "subprocessor",
            "engage",
        ],
    },
    Letter {
        letter: "e",
        about: "help with data subjects' requests",
        law: "GDPR Art. 28(3)(e)",
        code: &E,
        stems: &["personnes concernées", "personne concernée", "droits des personnes", "data subject"],
    },
    Letter {
        letter: "f",
        about: "help with security, breaches and impact assessments (Art. 32 to 36)",
        law: "GDPR Art. 28(3)(f)",
        code: &F,
        stems: &[
            "violation",
            "breach",
            "analyse d'impact",
            "analyse d’impact",
            "impact assessment",
            "articles 32 à 36",
            "articles 32 to 36",
        ],
    },
    Letter {
        letter: "g",
        about: "erasure or return at the end",
        law: "GDPR Art. 28(3)(g)",
        code: &G,
        stems: &[
            "supprim",
            "suppression",
            "efface",
            "détrui",
            "destruction",
            "restitu",
            "renvoie",
            "delete",
            "deletion",
            "erase",
            "erasure",
            "return",
            "destroy",
        ],
    },
    Letter {
        letter: "h",
        about: "proof and audits",
        law: "GDPR Art. 28(3)(h)",
        code: &H,
        stems: &["audit", "inspection", "démontrer"],
    },
];

/// Fewer characters are a heading, no clause.
const SHORTEST: usize = 40;

/// Reads the clauses; each missing letter is a finding of its own, and blocks.
pub(super) fn read(r: &mut Reader<'_>, table: Option<Fields<'_, '_>>) -> Vec<Clause> {
    let Some(mut table) = table else {
        for letter in &CLAUSES {
            r.find(missing(letter, "nothing stands for it"));
        }
        return Vec::new();
    };
    let mut clauses: Vec<Clause> = Vec::new();
    for letter in &CLAUSES {
        let Some(fields) = table.maybe_table(r, letter.letter) else {
            r.find(missing(letter, "nothing stands for it").at(table.span.clone()));
            continue;
        };
        let Some(clause) = one(r, fields, letter) else { continue };
        if let Some(twin) = clauses.iter().find(|c| squeezed(&c.words) == squeezed(&clause.words)) {
            let message = format!("({}) and ({}) have the same words", twin.letter, clause.letter);
            r.find(Finding::new(&TWICE, message).law(letter.law).help("copy each clause's own words"));
        }
        clauses.push(clause);
    }
    table.end(r);
    clauses
}

fn one(r: &mut Reader<'_>, mut fields: Fields<'_, '_>, letter: &'static Letter) -> Option<Clause> {
    let header = fields.span.clone();
    let place = fields.maybe_text(r, "place").filter(|place| filled(&place.value));
    let words = fields.maybe_text(r, "words").filter(|words| filled(&words.value));
    fields.end(r);
    if place.is_none() {
        r.find(missing(letter, "`place` does not say where it stands in the contract").at(header.clone()));
    }
    let Some(words) = words else {
        r.find(missing(letter, "`words` does not hold the contract's own words").at(header));
        return None;
    };
    if words.value.trim().chars().count() < SHORTEST {
        r.find(missing(letter, "its words are too few to be a clause").at(words.span));
        return None;
    }
    let lower = squeezed(&words.value);
    if !letter.stems.iter().any(|stem| lower.contains(stem)) {
        let finding = missing(letter, "its words speak of something else").at(words.span);
        r.find(finding.help(format!(
            "copy the contract's clause on {}; looked for: {}",
            letter.about,
            letter.stems.join(", ")
        )));
        return None;
    }
    Some(Clause { letter: letter.letter, place: place?.value, words: words.value })
}

fn missing(letter: &'static Letter, why: &str) -> Finding {
    Finding::new(letter.code, format!("({}) {}: {why}", letter.letter, letter.about)).law(letter.law).help(
        format!("write [clauses.{}] with the place and the own words of the contract's text", letter.letter),
    )
}

/// Lower case, every run of white space one space.
fn squeezed(text: &str) -> String {
    text.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ")
}
