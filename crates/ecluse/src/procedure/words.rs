//! The sheet's words, in English and in French.

use ecluse_core::class::Class;
use ecluse_core::instruction::Fate;
use ecluse_core::language::Language;

use crate::pages::words::class as class_of;

/// Labels of the page; the program itself speaks English.
#[derive(Debug)]
pub(crate) struct Words {
    pub(crate) lang: &'static str,
    pub(crate) sheet: &'static str,
    pub(crate) trial: &'static str,
    pub(crate) dated: &'static str,
    pub(crate) step: &'static str,
    pub(crate) who: &'static str,
    pub(crate) state: &'static str,
    pub(crate) date: &'static str,
    pub(crate) unknown: &'static str,
    pub(crate) since_unknown: &'static str,
    pub(crate) waiting: &'static str,
    pub(crate) since: &'static str,
    pub(crate) deadlines: &'static str,
    pub(crate) no_deadline: &'static str,
    pub(crate) day: &'static str,
    pub(crate) what: &'static str,
    pub(crate) source: &'static str,
    pub(crate) objections: &'static str,
    pub(crate) no_objection: &'static str,
    pub(crate) objected: &'static str,
    pub(crate) answered: &'static str,
    pub(crate) open: &'static str,
    pub(crate) boxes: &'static str,
    pub(crate) name: &'static str,
    pub(crate) sign_here: &'static str,
    pub(crate) note: &'static str,
    pub(crate) language: Language,
}

pub(crate) static ENGLISH: Words = Words {
    lang: "en",
    sheet: "Sheet of the migration",
    trial: "TRIAL: this sheet proves nothing.",
    dated: "As of",
    step: "Step",
    who: "Who",
    state: "State",
    date: "Date, and where it stands",
    unknown: "date unknown",
    since_unknown: "since when is unknown",
    waiting: "waiting for",
    since: "since",
    deadlines: "Deadlines",
    no_deadline: "None is written yet.",
    day: "Day",
    what: "What",
    source: "Where it stands",
    objections: "Objections and answers",
    no_objection: "None was recorded.",
    objected: "objected on",
    answered: "answered on",
    open: "Not answered: nothing is planned or moved.",
    boxes: "To sign",
    name: "Name and role",
    sign_here: "Date and signature",
    note: "Each date is the one that stands in the named file; a date that stands nowhere is unknown. A signature by \
           hand on this sheet replaces no electronic one.",
    language: Language::English,
};

pub(crate) static FRENCH: Words = Words {
    lang: "fr",
    sheet: "Fiche de la migration",
    trial: "ESSAI : cette fiche ne prouve rien.",
    dated: "État au",
    step: "Étape",
    who: "Qui",
    state: "État",
    date: "Date, et où elle figure",
    unknown: "date inconnue",
    since_unknown: "depuis une date inconnue",
    waiting: "en attente de :",
    since: "depuis le",
    deadlines: "Échéances",
    no_deadline: "Aucune n’est encore écrite.",
    day: "Jour",
    what: "Quoi",
    source: "Où elle figure",
    objections: "Objections et réponses",
    no_objection: "Aucune n’a été consignée.",
    objected: "objection du",
    answered: "réponse du",
    open: "Sans réponse : rien n’est planifié ni déplacé.",
    boxes: "À signer",
    name: "Nom et rôle",
    sign_here: "Date et signature",
    note: "Chaque date est celle qui figure dans le fichier nommé ; une date qui ne figure nulle part est inconnue. Une \
           signature à la main sur cette fiche ne remplace aucune signature électronique.",
    language: Language::French,
};

impl Words {
    fn is_french(&self) -> bool {
        self.language == Language::French
    }

    /// A word of the board.
    pub(crate) fn of(&self, word: &'static str) -> &'static str {
        if !self.is_french() {
            return word;
        }
        match word {
            "connections" => "connexions",
            "contract" => "contrat",
            "survey" => "relevé du catalogue",
            "order" => "ordre de migration",
            "status" => "état de l’ordre",
            "session" => "session de l’opérateur",
            "run" => "passage",
            "reconciliation" => "contrôle de concordance",
            "statement" => "déclaration du destinataire",
            "load" => "chargement",
            "receipt" => "accusé de réception",
            "the recipient" => "le destinataire",
            "comparison" => "comparaison de dossiers",
            "known persons" => "personnes déjà connues",
            "freeze" => "arrêt de la source",
            "catch-up" => "dernier rattrapage",
            "acceptance" => "recette",
            "report" => "rapport",
            "done" => "fait",
            "missing" => "à faire",
            "later" => "plus tard",
            "the laboratory" => "le laboratoire",
            "both sides" => "les deux parties",
            "the operator" => "l’opérateur",
            "controller-signatory" => "signataire du laboratoire",
            "controller-biologist" => "biologiste du laboratoire",
            "controller-administrator" => "administrateur du laboratoire",
            "processor-signatory" => "signataire du sous-traitant",
            "operator" => "opérateur",
            other => other,
        }
    }

    /// A day as this language writes it; as it stands where it is none.
    pub(crate) fn date(&self, day: &str) -> String {
        day.parse().map_or_else(|_| day.to_owned(), |day| self.language.day(day))
    }

    /// For how many days somebody is waited for.
    pub(crate) fn days(&self, days: &i64) -> String {
        match (*days, self.is_french()) {
            (0, false) => "since today".to_owned(),
            (0, true) => "depuis aujourd’hui".to_owned(),
            (1, false) => "1 day".to_owned(),
            (1, true) => "1 jour".to_owned(),
            (days, false) => format!("{days} days"),
            (days, true) => format!("{days} jours"),
        }
    }

    pub(crate) fn contract_ends(&self) -> String {
        if self.is_french() { "fin du contrat" } else { "the contract ends" }.to_owned()
    }

    pub(crate) fn order_ends(&self) -> String {
        if self.is_french() { "fin de validité de l’ordre" } else { "the order ends" }.to_owned()
    }

    pub(crate) fn copies_erased(&self) -> String {
        let words = if self.is_french() {
            "toute copie de données de patients faite par écluse est effacée"
        } else {
            "every copy of patients' data that écluse made is erased"
        };
        words.to_owned()
    }

    pub(crate) fn record_erased(&self) -> String {
        let words = if self.is_french() {
            "ce qui rend compte de la migration (journal, nombres, rapports, preuves) est effacé"
        } else {
            "what tells of the migration (journal, counts, reports, evidence) is erased"
        };
        words.to_owned()
    }

    pub(crate) fn source_erased(&self) -> String {
        let words = if self.is_french() {
            "ce qui a été déplacé est effacé à la source"
        } else {
            "what moved is erased at the source"
        };
        words.to_owned()
    }

    /// `billing, quality: kept until then`.
    pub(crate) fn fate(&self, classes: &[Class], fate: Fate) -> String {
        let what = match (self.is_french(), fate) {
            (_, Fate::Return) => return String::new(),
            (false, Fate::Keep { .. }) => "kept until then",
            (false, Fate::Destroy { .. }) => "to be destroyed by then",
            (true, Fate::Keep { .. }) => "conservé jusque-là",
            (true, Fate::Destroy { .. }) => "à détruire d’ici là",
        };
        let classes: Vec<&str> = classes.iter().map(|class| class_of(*class, self.language)).collect();
        let colon = if self.is_french() { "\u{a0}:" } else { ":" };
        format!("{}{colon} {what}", classes.join(", "))
    }
}
