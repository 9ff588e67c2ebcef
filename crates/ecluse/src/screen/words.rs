//! What stands around the values on the laboratory's screen.

use ecluse_core::comparison::Reason;
use ecluse_core::language::Language;
use ecluse_flow::compare::State;

/// The screen's language.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Words(pub(crate) Language);

impl Words {
    /// What stands over the two columns of values.
    pub(crate) fn sides(self) -> [&'static str; 2] {
        self.0.of(["OLD", "NEW"], ["ANCIEN", "NOUVEAU"])
    }

    pub(crate) fn title(self, number: usize, of: usize, token: &str, kinds: &str) -> String {
        let kinds = if kinds.is_empty() { String::new() } else { format!("   {kinds}") };
        format!("écluse   {} {number} / {of}   {token}{kinds}", self.0.of("dossier", "dossier"))
    }

    /// A row's place among its table's, and where it stands.
    pub(crate) fn state(self, state: State) -> &'static str {
        match state {
            State::Both => "",
            State::Refused => self.0.of(
                "not moved: the run refused it, the report says why",
                "non transféré : refusé par le passage, le rapport dit pourquoi",
            ),
            State::Missing => self.0.of("MISSING in the new system", "ABSENT du nouveau système"),
            State::Surplus => self.0.of("NOT in this old dossier", "ABSENT de l'ancien dossier"),
        }
    }

    /// The sign of that state, read without colour.
    pub(crate) const fn sign(state: State) -> &'static str {
        match state {
            State::Both => " ",
            State::Refused => "·",
            State::Missing => "−",
            State::Surplus => "+",
        }
    }

    pub(crate) fn found(self, places: u64) -> String {
        match places {
            0 => self
                .0
                .of(
                    "No difference found by the program. Your own eyes decide.",
                    "Aucun écart relevé par le programme. Vos yeux décident.",
                )
                .to_owned(),
            n => self.0.of(
                format!("{} marked ≠, − or +", ecluse_core::count::plural(n, "place", "places")),
                format!("{} avec ≠, − ou +", self.0.plural(n, "endroit marqué", "endroits marqués")),
            ),
        }
    }

    pub(crate) fn keys(self) -> &'static str {
        self.0.of(
            "t same   x differs   s skip   b back   ↑↓ or space: page   q stop",
            "t identique   x diffère   s passer   b retour   ↑↓ ou espace : page   q arrêter",
        )
    }

    pub(crate) fn why(self) -> &'static str {
        self.0.of("What differs?  (Esc: back)", "Qu'est-ce qui diffère ?  (Échap : retour)")
    }

    pub(crate) fn reason(self, reason: Reason) -> &'static str {
        let (english, french) = match reason {
            Reason::Value => ("a value is another one", "une valeur est une autre"),
            Reason::Missing => ("something is missing", "quelque chose manque"),
            Reason::Surplus => ("something is there that was not", "quelque chose est en trop"),
            Reason::Misplaced => {
                ("it belongs to another patient or dossier", "appartient à un autre patient ou dossier")
            }
            Reason::Meaning => (
                "a code, unit or test means something else",
                "un code, une unité ou une analyse a un autre sens",
            ),
            Reason::Unclear => ("it cannot be judged", "impossible à juger"),
        };
        self.0.of(english, french)
    }

    pub(crate) fn said(self, verdict: &str) -> String {
        self.0.of(format!("you said: {verdict}"), format!("votre réponse : {verdict}"))
    }

    pub(crate) fn same(self) -> &'static str {
        self.0.of("same", "identique")
    }

    pub(crate) fn differs(self, reason: Reason) -> String {
        format!("{}: {}", self.0.of("differs", "diffère"), self.reason(reason))
    }

    pub(crate) fn only_here(self) -> &'static str {
        self.0.of(
            "Personal data: on this screen only, cleared at the end.",
            "Données personnelles : sur cet écran seulement, effacées à la fin.",
        )
    }

    pub(crate) fn through(self, said: usize, of: usize) -> [String; 2] {
        self.0.of(
            [
                format!("{said} of {of} dossiers answered."),
                "b back to the first that is open   q end".to_owned(),
            ],
            [
                format!("{said} dossiers sur {of} ont une réponse."),
                "b retour au premier sans réponse   q terminer".to_owned(),
            ],
        )
    }

    pub(crate) fn code_table(self, name: &str) -> String {
        self.0.of(format!("codes {name}"), format!("table {name}"))
    }

    pub(crate) fn constant(self) -> &'static str {
        self.0.of("(fixed by the mapping)", "(fixé par la correspondance)")
    }
}
