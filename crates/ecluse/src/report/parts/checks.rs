//! What a stranger can check, with fingerprints obtained elsewhere.

use ecluse_core::document::Kind;
use ecluse_core::signatures::{Signer, Way};

use crate::pages::words;
use crate::report::fill::Sources;
use crate::report::page::{Block, Check, Part};

pub(crate) fn part(from: &Sources<'_>) -> Part {
    let lang = from.lang;
    let ask = lang.of(
        "Ask the laboratory, by telephone or on paper, for the fingerprint of its key, and compare it with the one below. \
         Then run the commands on the files you were given; they need neither our server nor our word.",
        "Demandez au laboratoire, par téléphone ou sur papier, l’empreinte de sa clé, et comparez-la à celle qui suit. \
         Puis lancez les commandes sur les fichiers reçus ; elles n’ont besoin ni de notre serveur ni de notre parole.",
    );
    Part::new(lang.of("For checking", "Pour vérifier"))
        .with(Block::Text(ask.to_owned()))
        .with(Block::Checks(checks(from)))
}

/// Whose key a signature's fingerprint is.
fn key_of(signer: &Signer) -> &str {
    match &signer.way {
        Way::Key => &signer.person,
        Way::Paper { checker } | Way::Word { checker } => checker,
    }
}

fn checks(from: &Sources<'_>) -> Vec<Check> {
    let lang = from.lang;
    let signers = from.chain.instruction.signers();
    let key = |s: &Signer| {
        let (whose, role) = (key_of(s), words::role(s.role, lang));
        Check {
            what: lang.of(
                format!("The order's signature: the key of {whose} ({role}) has the fingerprint"),
                format!("La signature de l’ordre : la clé de {whose} ({role}) a l’empreinte"),
            ),
            how: s.fingerprint.clone(),
        }
    };
    let digests = "sha256sum contract.toml instruction.toml mapping.toml dictionary.toml";
    let mut checks: Vec<Check> = signers.iter().map(key).collect();
    let email = signers.first().map(|s| s.email.as_str()).unwrap_or_default();
    let mut tell = |english: &str, french: &str, how: String| {
        checks.push(Check { what: lang.of(english, french).to_owned(), how });
    };
    tell(
        "Write that key into a file “allowed” as: ADDRESS namespaces=\"ecluse-instruction-v1\" KEY; then",
        "Écrivez cette clé dans un fichier « allowed », ainsi : ADRESSE namespaces=\"ecluse-instruction-v1\" CLÉ ; puis",
        format!(
            "ssh-keygen -Y verify -n {} -f allowed -I {email} -s instruction.toml.sigs/NAME.sig < instruction.toml",
            Kind::Instruction.namespace(),
        ),
    );
    tell(
        "The papers' digests: their first 8 characters stand in the chain above",
        "Les empreintes des documents : leurs 8 premiers caractères figurent dans la chaîne ci-dessus",
        match from.handed {
            Some(_) => format!("{digests} recipient.toml manifest.toml receipt.toml"),
            None => digests.to_owned(),
        },
    );
    tell(
        "The papers, the figures and the run's journal, each line following from the one before",
        "Les documents, les nombres et le journal de la migration, chaque ligne découlant de la précédente",
        "ecluse instruction verify; ecluse status run".into(),
    );
    checks
}
