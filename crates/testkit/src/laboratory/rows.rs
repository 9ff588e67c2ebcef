//! The rows: each a pure function of the seed, the table and the row's number, so that any
//! row can be made alone, in any order, without a memory of the others.

use super::names;
use super::{Cell, Laboratory, Table};

/// SplitMix64 (Steele, Lea, Flood 2014): enough for invented data, never for a secret.
#[derive(Clone, Debug)]
struct Chance(u64);

impl Chance {
    fn new(seed: u64, table: Table, id: u64) -> Self {
        let mut chance = Self(
            seed ^ (table as u64 + 1).wrapping_mul(0xA076_1D64_78BD_642F)
                ^ id.wrapping_mul(0xE703_7ED1_A0B4_28DB),
        );
        chance.next();
        chance
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// 0..bound, as near uniform as invented data needs.
    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    /// lowest..=highest.
    fn between(&mut self, lowest: i64, highest: i64) -> i64 {
        let width = highest.abs_diff(lowest).saturating_add(1);
        lowest.saturating_add_unsigned(self.below(width))
    }

    /// True `part` times out of `whole`.
    fn once(&mut self, part: u64, whole: u64) -> bool {
        self.below(whole) < part
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        let index = usize::try_from(self.below(from.len() as u64)).expect("an index");
        *from.get(index).expect("a list that is not empty")
    }

    fn hex(&mut self, length: usize) -> String {
        let mut text = String::new();
        while text.len() < length {
            text.push_str(&format!("{:016x}", self.next()));
        }
        text.truncate(length);
        text
    }
}

/// Days from 1970-01-01 to 2016-01-01, when the laboratory opened.
const OPENED: i64 = 16_801;
/// Days it has been open: until 2025-12-31.
const OPEN_DAYS: u64 = 3_652;
const DAY: i64 = 86_400_000_000;

fn text(value: impl Into<String>) -> Cell {
    Cell::Text(value.into())
}

fn id_cell(id: u64) -> Cell {
    Cell::Int(i64::try_from(id).expect("a row number"))
}

/// The row of that number (1 is the first).
pub(super) fn row(lab: &Laboratory, table: Table, id: u64) -> Vec<Cell> {
    let mut chance = Chance::new(lab.seed, table, id);
    let c = &mut chance;
    match table {
        Table::Patient => patient(c, id),
        Table::Spouse => spouse(lab, c, id),
        Table::Staff => staff(c, id),
        Table::Analysis => analysis(id),
        Table::Request => request(lab, c, id),
        Table::Specimen => vec![
            id_cell(id),
            id_cell(id),
            text(c.pick(&["Sang veineux", "Urines", "Écouvillon", "LCR"])),
            text(format!("{:010}{}", id, c.below(10))),
            Cell::Timestamp(requested_at(lab, id) + c.between(0, 7_200) * 1_000_000),
        ],
        Table::Result => result(lab, c, id),
        Table::Document => document(lab, c, id),
        Table::Invoice => vec![
            id_cell(id),
            id_cell(id),
            Cell::Decimal { unscaled: c.between(2_700, 480_000).into(), scale: 3 },
            Cell::Bool(c.once(19, 20)),
        ],
    }
}

fn patient(c: &mut Chance, id: u64) -> Vec<Cell> {
    let sex = c.below(2);
    let born = c.between(-14_600, OPENED + 3_000);
    let with_ins = c.once(97, 100);
    let town = c.pick(names::TOWNS);
    vec![
        id_cell(id),
        if with_ins { text(ins(c, sex, born)) } else { Cell::Null },
        if with_ins { text(names::TEST_INS_OID) } else { Cell::Null },
        text(c.pick(names::FAMILY)),
        text(c.pick(names::GIVEN[usize::from(sex == 1)])),
        Cell::Date(i32::try_from(born).expect("a date")),
        text(if sex == 0 { "M" } else { "F" }),
        // numbers that the regulator keeps for fiction (ARCEP decision 2018-0881: 06 39 98 xx xx)
        if c.once(9, 10) { text(format!("063998{:04}", c.below(10_000))) } else { Cell::Null },
        if c.once(9, 10) {
            text(format!("{} {}, {} {}", c.between(1, 180), c.pick(names::STREETS), town.1, town.0))
        } else {
            Cell::Null
        },
        if c.once(1, 3) { text(password_hash(c)) } else { Cell::Null },
        Cell::Timestamp((OPENED + c.between(0, 3_650)) * DAY + c.between(0, DAY - 1)),
    ]
}

/// A test INS: sex, year, month, department, commune, order, key.
fn ins(c: &mut Chance, sex: u64, born: i64) -> String {
    let (year, month, _) = super::civil(born);
    let department = if c.once(1, 200) { "2A".to_owned() } else { format!("{:02}", c.between(1, 89)) };
    let nir = format!(
        "{}{:02}{month:02}{department}{:03}{:03}",
        sex + 1,
        year.rem_euclid(100),
        c.between(1, 560),
        c.between(1, 560)
    );
    let key = names::nir_key(&nir).expect("thirteen characters");
    format!("{nir}{key:02}")
}

fn password_hash(c: &mut Chance) -> String {
    format!("$argon2id$v=19$m=19456,t=2,p=1${}${}", c.hex(22), c.hex(43))
}

fn spouse(lab: &Laboratory, c: &mut Chance, id: u64) -> Vec<Cell> {
    let sex = usize::from(c.once(1, 2));
    vec![
        id_cell(id),
        id_cell(1 + c.below(lab.size.patients)),
        text(c.pick(names::FAMILY)),
        text(c.pick(names::GIVEN[sex])),
        if c.once(1, 2) { text(format!("063998{:04}", c.below(10_000))) } else { Cell::Null },
    ]
}

fn staff_name(seed: u64, id: u64) -> String {
    let mut c = Chance::new(seed, Table::Staff, id);
    let sex = usize::from(c.once(1, 2));
    format!("{} {}", c.pick(names::GIVEN[sex]), c.pick(names::FAMILY))
}

fn staff(c: &mut Chance, id: u64) -> Vec<Cell> {
    let sex = usize::from(c.once(1, 2));
    let full = format!("{} {}", c.pick(names::GIVEN[sex]), c.pick(names::FAMILY));
    vec![
        id_cell(id),
        text(format!("agent{id:03}")),
        text(full),
        text(c.pick(&["biologiste", "technicien", "secrétaire", "administrateur"])),
        text(password_hash(c)),
    ]
}

fn analysis(id: u64) -> Vec<Cell> {
    let (code, loinc, name, unit, ..) = names::ANALYSES[analysis_index(id)];
    vec![
        id_cell(id),
        text(code),
        text(loinc),
        text(name),
        if unit.is_empty() { Cell::Null } else { text(unit) },
    ]
}

fn analysis_index(id: u64) -> usize {
    usize::try_from(id.saturating_sub(1)).unwrap_or_default() % names::ANALYSES.len()
}

/// Requests come in order of time, at any hour of the day.
fn requested_at(lab: &Laboratory, request: u64) -> i64 {
    let mut c = Chance::new(lab.seed, Table::Specimen, request ^ 0x5EED);
    let day = (request - 1).saturating_mul(OPEN_DAYS) / lab.size.requests.max(1);
    (OPENED + i64::try_from(day).expect("a day")) * DAY + c.between(0, DAY / 1_000_000 - 1) * 1_000_000
}

/// Whose request it is.
fn patient_of(lab: &Laboratory, request: u64) -> u64 {
    1 + Chance::new(lab.seed, Table::Invoice, request ^ 0x0A7_1E47).below(lab.size.patients)
}

fn request(lab: &Laboratory, c: &mut Chance, id: u64) -> Vec<Cell> {
    vec![
        id_cell(id),
        id_cell(patient_of(lab, id)),
        text(format!("D{id:09}")),
        Cell::Timestamp(requested_at(lab, id)),
        Cell::Bool(c.once(1, 12)),
        text(c.pick(&["V", "V", "V", "V", "V", "V", "V", "P", "A"])),
        if c.once(4, 5) { text(format!("Dr {}", c.pick(names::FAMILY))) } else { Cell::Null },
        if c.once(1, 4) { text(c.pick(names::NOTES)) } else { Cell::Null },
    ]
}

fn result(lab: &Laboratory, c: &mut Chance, id: u64) -> Vec<Cell> {
    let size = &lab.size;
    // results follow their requests in order; every request up to the last has some
    let request = 1 + (id - 1).saturating_mul(size.requests) / size.results.max(1);
    let analysis = 1 + c.below(Laboratory::ANALYSES);
    let (_, _, _, unit, low, high) = names::ANALYSES[analysis_index(analysis)];
    let numeric = high > 0;
    let value = c.between(low / 2, high + high / 2);
    let validated = c.once(24, 25);
    vec![
        id_cell(id),
        id_cell(request),
        id_cell(patient_of(lab, request)),
        id_cell(analysis),
        if numeric { Cell::Decimal { unscaled: value.into(), scale: 3 } } else { Cell::Null },
        if numeric { Cell::Null } else { text(c.pick(names::TEXTS)) },
        if unit.is_empty() { Cell::Null } else { text(unit) },
        Cell::Bool(numeric && (value < low || value > high)),
        if validated {
            Cell::Instant(
                requested_at(lab, request) + c.between(3_600, 172_800) * 1_000_000 + c.between(0, 999_999),
            )
        } else {
            Cell::Null
        },
        if validated { text(staff_name(lab.seed, 1 + c.below(6))) } else { Cell::Null },
        if c.once(1, 12) {
            text(c.pick(names::COMMENTS))
        } else if c.once(1, 40) {
            text("")
        } else {
            Cell::Null
        },
    ]
}

fn document(lab: &Laboratory, c: &mut Chance, id: u64) -> Vec<Cell> {
    let request = 1 + c.below(lab.size.requests);
    let mut content = format!(
        "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n% compte rendu {request} de {}\n",
        c.pick(names::FAMILY)
    )
    .into_bytes();
    for _ in 0..c.between(64, 512) {
        content.extend_from_slice(&c.next().to_le_bytes());
    }
    content.extend_from_slice(b"\ntrailer<</Root 1 0 R>>\n%%EOF\n");
    vec![id_cell(id), id_cell(request), text(format!("CR-{request}.pdf")), Cell::Bytes(content)]
}
