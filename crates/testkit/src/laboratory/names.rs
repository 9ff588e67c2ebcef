//! French words for invented people, and the national identifier's arithmetic.

/// Family names: accents, particles, apostrophes, hyphens, a ligature, a long one.
pub(super) const FAMILY: &[&str] = &[
    "MARTIN",
    "BERNARD",
    "DUBOIS",
    "LEFÈVRE",
    "MOREL",
    "GARNIER",
    "ROUSSEL",
    "BLANCHET",
    "LE GOFF",
    "KERBRAT",
    "D'ALENÇON",
    "DE LA TOUR",
    "NOËL",
    "MÜLLER",
    "N'GUESSAN",
    "BŒUF",
    "HÉRITIER-PUYJALON",
    "ÉTIENNE",
    "GÎTON",
    "LABBÉ",
    "PÉREZ Y GARCÍA",
    "O'NEILL",
    "VAN DEN BROECKE",
    "CHÂTELAIN",
    "QUÉMÉNER",
    "AÏT BELKACEM",
    "DÍAZ",
    "ŻUKOWSKI",
    "TRẦN",
    "FAŸ",
    "L'HOSTIS",
    "CAZENAVE",
    "POULAIN",
    "JACQUEMIN",
    "VERDIER",
    "TESSIER",
    "BARRÉ",
    "MAÎTREJEAN",
    "SAINT-AMAND",
    "COLLOMB",
    "DUPUY",
    "FLEURY",
    "GUÉRIN",
    "HUCHET",
    "IMBERT",
    "JOUVE",
    "LÉVÊQUE",
];

/// Given names.
pub(super) const GIVEN: [&[&str]; 2] = [
    &[
        "Jean",
        "Noé",
        "François",
        "Hervé",
        "Mathéo",
        "Loïc",
        "Gaël",
        "Anaël",
        "Théo",
        "Émile",
        "Jérôme",
        "Yves",
        "Rémi",
        "Benoît",
        "Côme",
        "Léo-Paul",
        "Ismaël",
        "Zoltán",
        "Aurélien",
        "Père-Marie",
    ],
    &[
        "Anne",
        "Zoé",
        "Françoise",
        "Héloïse",
        "Chloé",
        "Maëlys",
        "Inès",
        "Éléonore",
        "Cécile",
        "Noémie",
        "Agnès",
        "Marie-Ève",
        "Océane",
        "Aïcha",
        "Solène",
        "Bénédicte",
        "Gwenaëlle",
        "Joëlle",
        "Andrée",
        "Léa",
    ],
];

/// Towns with their postcodes.
pub(super) const TOWNS: &[(&str, &str)] = &[
    ("Rennes", "35000"),
    ("Saint-Étienne", "42000"),
    ("L'Haÿ-les-Roses", "94240"),
    ("Brest", "29200"),
    ("Aix-en-Provence", "13100"),
    ("Béziers", "34500"),
    ("Ajaccio", "20000"),
    ("Le Mans", "72000"),
    ("Nîmes", "30000"),
    ("Mâcon", "71000"),
    ("Épinal", "88000"),
    ("Besançon", "25000"),
];

/// Streets.
pub(super) const STREETS: &[&str] = &[
    "rue des Tilleuls",
    "allée du Moulin",
    "impasse de l'Écluse",
    "boulevard Pasteur",
    "chemin des Prés",
    "place de la Mairie",
    "quai Sœur-Rosalie",
    "avenue du 8-Mai-1945",
];

/// Comments on a result: what hurts encoders is among them (quotes, tabs, line ends,
/// backslashes, a NULL's spelling, composed and decomposed accents, four-byte characters).
pub(super) const COMMENTS: &[&str] = &[
    "Contrôlé sur second prélèvement.",
    "Sérum hémolysé, résultat à interpréter avec prudence.",
    "Appelé au Dr au téléphone ; \"valeur critique\" transmise.",
    "Voir dossier de l'épouse.",
    "Ligne 1\nLigne 2\r\nLigne 3",
    "tabulation\tici",
    "C:\\labo\\export\\N",
    "\\N",
    "NULL",
    "'); drop table result; --",
    "e\u{301}quilibre e\u{301}lectrolytique",
    "Patient ravi 🙂",
    "Résultat rendu sous réserve (échantillon > 6 h).",
];

/// Notes a prescriber wrote on a request.
pub(super) const NOTES: &[&str] = &[
    "Suivi diabète",
    "Bilan préopératoire",
    "AVK, cible 2-3",
    "Fièvre au retour de voyage",
    "Grossesse 12 SA",
    "Contrôle à 3 mois, conjoint suivi pour la même affection",
];

/// Tests of the laboratory: code, LOINC, name, unit, lowest and highest usual value
/// (thousandths); text results have no unit.
pub(super) const ANALYSES: &[(&str, &str, &str, &str, i64, i64)] = &[
    ("GLU", "14749-6", "Glucose", "mmol/L", 3_900, 6_100),
    ("CREA", "14682-9", "Créatinine", "µmol/L", 45_000, 104_000),
    ("K", "2823-3", "Potassium", "mmol/L", 3_500, 5_100),
    ("NA", "2951-2", "Sodium", "mmol/L", 136_000, 145_000),
    ("HB", "718-7", "Hémoglobine", "g/dL", 11_500, 17_500),
    ("CRP", "1988-5", "Protéine C réactive", "mg/L", 0, 5_000),
    ("TSH", "3016-3", "Thyréostimuline", "mUI/L", 400, 4_000),
    ("HBA1C", "4548-4", "Hémoglobine glyquée", "%", 4_000, 6_000),
    ("FERR", "2276-4", "Ferritine", "µg/L", 15_000, 300_000),
    ("INR", "6301-6", "INR", "", 900, 1_200),
    ("VIH", "56888-1", "Sérologie VIH 1+2", "", 0, 0),
    ("ECBU", "630-4", "Culture d'urines", "", 0, 0),
    ("RAI", "890-4", "Recherche d'agglutinines irrégulières", "", 0, 0),
];

/// Text results.
pub(super) const TEXTS: &[&str] =
    &["Négatif", "Positif", "Absence de germe", "Escherichia coli > 10^6 UFC/mL", "Indéterminé"];

/// The OID of test INS numbers (ANS, "Référentiel INS": test NIR).
pub const TEST_INS_OID: &str = "1.2.250.1.213.1.4.10";

/// The key of a 13-character NIR: 97 − (number mod 97), Corsica's `2A` as 19 and `2B` as 18
/// (INSEE; art. R.115-1 CSS). `None` where it is not a NIR.
#[must_use]
pub fn nir_key(nir: &str) -> Option<u8> {
    if nir.chars().count() != 13 {
        return None;
    }
    let digits = nir.replacen("2A", "19", 1).replacen("2B", "18", 1);
    let number: u64 = digits.parse().ok()?;
    u8::try_from(97 - number % 97).ok()
}

#[cfg(test)]
mod tests {
    use super::nir_key;

    // the test identity that the ANS publishes: 2 79 03 51 215 189, key 89
    #[test]
    fn the_published_test_identity_has_its_key() {
        assert_eq!(nir_key("2790351215189"), Some(89));
        assert_eq!(nir_key("279035121518"), None);
        assert_eq!(nir_key("279035121518x"), None);
    }
}
