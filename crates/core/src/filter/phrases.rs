//! The words of a filter's sentence, in both languages: the sentence itself is built once.

use jiff::civil::DateTime;

use crate::language::Language;

/// What stands before and after what varies.
pub(super) type Around = (&'static str, &'static str);

/// One language's words. They agree with no noun: a column may be called anything.
pub(super) struct Phrases {
    pub(super) language: Language,
    pub(super) every: &'static str,
    pub(super) none: &'static str,
    pub(super) and: &'static str,
    pub(super) or: &'static str,
    pub(super) yes: &'static str,
    pub(super) no: &'static str,
    pub(super) one_of: &'static str,
    pub(super) empty: &'static str,
    pub(super) not_empty: &'static str,
    pub(super) begins: &'static str,
    pub(super) quoted: Around,
    pub(super) stands: Around,
    pub(super) not: Around,
    pub(super) or_it_is_empty: &'static str,
    /// A literal that is not said.
    pub(super) a_value: &'static str,
    pub(super) values: Around,
    pub(super) a_text: &'static str,
    pub(super) is: Around,
    pub(super) is_not: Around,
    pub(super) of_numbers: Order,
    pub(super) of_dates: Order,
}

/// The four comparisons that order.
pub(super) struct Order {
    pub(super) less: Around,
    pub(super) at_most: Around,
    pub(super) more: Around,
    pub(super) at_least: Around,
}

impl Phrases {
    pub(super) const fn of(language: Language) -> &'static Self {
        match language {
            Language::English => &ENGLISH,
            Language::French => &FRENCH,
        }
    }

    /// A moment without zone; its time where it has one.
    pub(super) fn moment(&self, at: DateTime, timed: bool) -> String {
        let time = at.time();
        match (self.language, timed) {
            (Language::English, false) => at.date().to_string(),
            (Language::English, true) => format!("{} {time}", at.date()),
            (Language::French, false) => format!("le {}", self.language.day(at.date())),
            (Language::French, true) => format!("le {} à {time}", self.language.day(at.date())),
        }
    }

    /// Digits with the language's decimal mark.
    pub(super) const fn mark(&self) -> char {
        match self.language {
            Language::English => '.',
            Language::French => ',',
        }
    }
}

static ENGLISH: Phrases = Phrases {
    language: Language::English,
    every: "every row",
    none: "no row",
    and: ", and ",
    or: ", or ",
    yes: "yes",
    no: "no",
    one_of: "is one of ",
    empty: "is empty",
    not_empty: "is not empty",
    begins: "begins with ",
    quoted: ("“", "”"),
    stands: ("stands in ", " of a chosen row"),
    not: ("not (", ")"),
    or_it_is_empty: ", or it is empty",
    a_value: "a value written in the order",
    values: ("is one of ", " values written in the order"),
    a_text: "a text written in the order",
    is: ("is ", ""),
    is_not: ("is filled in and is not ", ""),
    of_numbers: Order {
        less: ("is less than ", ""),
        at_most: ("is at most ", ""),
        more: ("is more than ", ""),
        at_least: ("is at least ", ""),
    },
    of_dates: Order {
        less: ("is before ", ""),
        at_most: ("is up to ", ", that moment included"),
        more: ("is after ", ""),
        at_least: ("is from ", " on"),
    },
};

static FRENCH: Phrases = Phrases {
    language: Language::French,
    every: "toutes les lignes",
    none: "aucune ligne",
    and: ", et ",
    or: ", ou ",
    yes: "oui",
    no: "non",
    one_of: "est l’une des valeurs ",
    empty: "est vide",
    not_empty: "n’est pas vide",
    begins: "commence par ",
    quoted: ("« ", " »"),
    stands: ("figure parmi les lignes retenues de ", ""),
    not: ("il n’est pas vrai que (", ")"),
    or_it_is_empty: ", ou la valeur manque",
    a_value: "une valeur écrite dans l’ordre",
    values: ("est l’une de ", " valeurs écrites dans l’ordre"),
    a_text: "un texte écrit dans l’ordre",
    is: ("vaut ", ""),
    is_not: ("a une valeur autre que ", ""),
    of_numbers: Order {
        less: ("vaut moins de ", ""),
        at_most: ("vaut au plus ", ""),
        more: ("vaut plus de ", ""),
        at_least: ("vaut au moins ", ""),
    },
    of_dates: Order {
        less: ("est avant ", ""),
        at_most: ("est au plus tard ", ", ce moment compris"),
        more: ("est après ", ""),
        at_least: ("est au plus tôt ", ""),
    },
};
