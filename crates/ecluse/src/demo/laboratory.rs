//! An invented laboratory, as SQL for an SQLite file: the demonstration's source.
//!
//! Nobody in it exists. The same number of patients always gives the same laboratory, so
//! that two demonstrations can be compared. It has what a real one has and what must not
//! move: spouses, free comments, staff accounts with password hashes, invoices.

use std::fmt::Write as _;

use jiff::ToSpan as _;
use jiff::civil::{Date, date};

/// The legacy system's tables, in its publisher's own style.
pub(super) const SCHEMA: &str = "
CREATE TABLE PATIENT (
  ID INTEGER PRIMARY KEY, NOM VARCHAR(60) NOT NULL, PRENOM VARCHAR(60) NOT NULL, DDN DATE, SEXE VARCHAR(1),
  NIR VARCHAR(15), TEL VARCHAR(20), ADRESSE VARCHAR(120), CONJOINT VARCHAR(60), ACTIF BOOLEAN NOT NULL);
CREATE TABLE DEMANDE (
  ID INTEGER PRIMARY KEY, PAT_ID INTEGER NOT NULL REFERENCES PATIENT(ID), NUMERO VARCHAR(12) NOT NULL,
  DATE_DEM DATE NOT NULL, PRESCRIPTEUR VARCHAR(60), RENS_CLIN TEXT, ETAT VARCHAR(1) NOT NULL);
CREATE TABLE RESULTAT (
  ID INTEGER PRIMARY KEY, DEM_ID INTEGER NOT NULL REFERENCES DEMANDE(ID), CODE VARCHAR(8) NOT NULL,
  VALEUR VARCHAR(20), UNITE VARCHAR(8), COMMENTAIRE TEXT, VALIDEUR VARCHAR(60), DATE_VALID DATETIME,
  ETAT VARCHAR(1) NOT NULL);
CREATE TABLE PORTAIL (ID INTEGER PRIMARY KEY, PAT_ID INTEGER NOT NULL REFERENCES PATIENT(ID), MDP_HASH VARCHAR(60));
CREATE TABLE UTILISATEUR (ID INTEGER PRIMARY KEY, LOGIN VARCHAR(20) NOT NULL, MDP_HASH VARCHAR(60) NOT NULL, NOM VARCHAR(60));
CREATE TABLE FACTURE (
  ID INTEGER PRIMARY KEY, DEM_ID INTEGER NOT NULL REFERENCES DEMANDE(ID), MONTANT DECIMAL(10,2), MUTUELLE VARCHAR(60));
";

/// The new system's tables, empty.
pub(super) const DESTINATION: &str = "
CREATE TABLE patient (
  id INTEGER PRIMARY KEY, family_name VARCHAR(80) NOT NULL, given_name VARCHAR(80) NOT NULL,
  birth_date DATE, sex VARCHAR(10) NOT NULL);
CREATE TABLE request (
  id INTEGER PRIMARY KEY, patient_id INTEGER NOT NULL REFERENCES patient(id), number VARCHAR(20) NOT NULL,
  ordered_on DATE NOT NULL, origin VARCHAR(20) NOT NULL);
CREATE TABLE result (
  id INTEGER PRIMARY KEY, request_id INTEGER NOT NULL REFERENCES request(id), test VARCHAR(20) NOT NULL,
  value VARCHAR(80), unit VARCHAR(20), comment TEXT, validated_by VARCHAR(80), validated_at DATETIME);
CREATE INDEX request_patient ON request(patient_id);
CREATE INDEX result_request ON result(request_id);
";

/// Two requests of two patients, given to each other.
pub(super) const SWAP: &str = "
CREATE TEMP TABLE swapped AS
  SELECT id, patient_id FROM request WHERE id IN ((SELECT min(id) FROM request), (SELECT max(id) FROM request));
UPDATE request SET patient_id = (SELECT s.patient_id FROM swapped s WHERE s.id <> request.id)
  WHERE id IN (SELECT id FROM swapped);
";

const FAMILY: [&str; 24] = [
    "Martin", "Bernard", "Petit", "Durand", "Leroy", "Moreau", "Lefèvre", "Fournier", "Girard", "Bonnet",
    "Dupont", "Lambert", "Fontaine", "Rousseau", "Vincent", "Muller", "Faure", "Blanc", "N'Guyen",
    "Gauthier", "Perrin", "Le Goff", "Da Silva", "Haddad",
];
const GIVEN: [&str; 20] = [
    "Élise",
    "Louis",
    "Chloé",
    "Hugo",
    "Inès",
    "Noël",
    "Zoé",
    "Adam",
    "Maëlys",
    "Jules",
    "Anaïs",
    "Gaël",
    "Léa",
    "Théo",
    "Fatou",
    "Yanis",
    "Clémence",
    "Rémi",
    "Soizic",
    "Paul",
];
const TESTS: [(&str, &str, u64, u64); 8] = [
    ("GLY", "g/L", 70, 60),
    ("CREA", "mg/L", 600, 700),
    ("HB", "g/dL", 1_150, 500),
    ("K", "mmol/L", 350, 170),
    ("TSH", "mUI/L", 40, 400),
    ("CRP", "mg/L", 50, 900),
    ("HBA1C", "%", 500, 400),
    ("VIH", "", 0, 0),
];
const REMARKS: [&str; 4] = [
    "À contrôler dans un mois.",
    "Échantillon légèrement hémolysé.",
    "Résultat téléphoné au prescripteur.",
    "Patient non à jeun selon ses dires.",
];
const BIOLOGISTS: [&str; 3] = ["Dr Claire Fontenay", "Dr Hervé Lacaze", "Dr Amina Belkacem"];

/// The schema and the rows, as one script.
pub(super) fn source(patients: u32) -> String {
    let mut sql = String::from("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN;\n");
    sql.push_str(SCHEMA);
    let mut dice = Dice(0x1E57_AB0A_70B1_E001);
    let (mut request, mut result) = (0_u64, 0_u64);
    for id in 1..=u64::from(patients) {
        patient(&mut sql, &mut dice, id);
        for _ in 0..1 + dice.below(5) {
            request += 1;
            let day = request_row(&mut sql, &mut dice, request, id);
            for _ in 0..1 + dice.below(6) {
                result += 1;
                result_row(&mut sql, &mut dice, result, request, day);
            }
        }
    }
    for (id, name) in (1_u64..).zip(BIOLOGISTS) {
        let hash = dice.hex();
        let _ = writeln!(sql, "INSERT INTO UTILISATEUR VALUES({id},'bio{id}','$2y$10${hash}','{name}');");
    }
    sql.push_str("END;\n");
    sql
}

fn patient(sql: &mut String, dice: &mut Dice, id: u64) {
    let (family, given) = (dice.pick(&FAMILY), quoted(dice.pick(&GIVEN)));
    // some names are one person's alone: by these is sought what should be gone
    let second = usize::try_from(id / 7).ok().and_then(|n| FAMILY.get(n % FAMILY.len()));
    let family = match second.filter(|second| id.is_multiple_of(7) && **second != family) {
        Some(second) => quoted(&format!("{family}-{second}")),
        None => quoted(family),
    };
    let born = date(1931, 1, 1).saturating_add(dice.days(33_000).days());
    // what twenty years of data entry leave behind
    let sex = dice.pick(&["F", "F", "M", "M", "1", "2"]);
    let spouse = if dice.below(4) == 0 { quoted(dice.pick(&GIVEN)) } else { "NULL".into() };
    let active = u64::from(dice.below(50) != 0);
    let (nir, password) = (100_000_000_000_000 + dice.below(99_999_999), dice.hex());
    let _ = writeln!(
        sql,
        "INSERT INTO PATIENT VALUES({id},{family},{given},'{born}','{sex}','{nir}','05 55 00 {:02} {:02}',\
         '{} allée des Glycines',{spouse},{active});\n\
         INSERT INTO PORTAIL VALUES({id},{id},'$2y$10${password}');",
        dice.below(100),
        dice.below(100),
        1 + dice.below(120),
    );
}

fn request_row(sql: &mut String, dice: &mut Dice, id: u64, patient: u64) -> Date {
    let day = date(2021, 1, 4).saturating_add(dice.days(2_140).days());
    let state = if dice.below(40) == 0 { "E" } else { "V" };
    let clinical =
        if dice.below(3) == 0 { "'Asthénie, perte de poids. Conjoint suivi pour VHC.'" } else { "NULL" };
    let _ = writeln!(
        sql,
        "INSERT INTO DEMANDE VALUES({id},{patient},'T{id:07}','{day}',{},{clinical},'{state}');\n\
         INSERT INTO FACTURE VALUES({id},{id},{}.{:02},'Mutuelle des Marais');",
        quoted(&format!("Dr {}", dice.pick(&FAMILY))),
        dice.below(180),
        dice.below(100),
    );
    day
}

fn result_row(sql: &mut String, dice: &mut Dice, id: u64, request: u64, day: Date) {
    let (test, unit, low, spread) = dice.pick(&TESTS);
    let value = if spread == 0 {
        if dice.below(60) == 0 { "positif".to_owned() } else { "négatif".to_owned() }
    } else {
        let n = low + dice.below(spread);
        format!("{},{:02}", n / 100, n % 100)
    };
    let comment = if dice.below(12) == 0 { quoted(dice.pick(&REMARKS)) } else { "NULL".into() };
    let state = if dice.below(30) == 0 { "P" } else { "V" };
    let _ = writeln!(
        sql,
        "INSERT INTO RESULTAT VALUES({id},{request},'{test}','{value}','{unit}',{comment},'{}','{day} {:02}:{:02}:00','{state}');",
        dice.pick(&BIOLOGISTS),
        8 + dice.below(10),
        dice.below(60),
    );
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// SplitMix64 (Steele, Lea & Flood 2014): not for keys, for invented people.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next() % n.max(1)
    }

    fn days(&mut self, n: u64) -> i64 {
        i64::try_from(self.below(n)).unwrap_or_default()
    }

    fn pick<T: Copy + Default>(&mut self, of: &[T]) -> T {
        let n = self.below(u64::try_from(of.len()).unwrap_or(1));
        usize::try_from(n).ok().and_then(|i| of.get(i)).copied().unwrap_or_default()
    }

    fn hex(&mut self) -> String {
        format!("{:016x}{:016x}", self.next(), self.next())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_number_gives_the_same_laboratory() {
        assert_eq!(source(20), source(20));
        assert!(source(20).matches("INSERT INTO PATIENT ").count() == 20);
    }
}
