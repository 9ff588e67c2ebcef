//! Rights of a role, told in a few lines: how many, what reaches widest first, many of a kind as a count.

use std::borrow::Cow;

use ecluse_core::count::{number, plural};
use ecluse_seal::{Noted, What};

use crate::figures::Figures;

/// So many of a kind are told one by one.
const FEW: usize = 3;
/// Lines at most, the one that counts apart: a screen is read, a hundred lines are not.
const LINES: usize = 10;

/// The rights as a person reads them. Where there are more than a few the first line counts them; then
/// those on the whole server and on whole databases, then those on single tables, by kind: "can read
/// 104 tables and routines, for instance SIGL.sigl_user_data". The full list stays in the run's figures.
#[must_use]
pub fn told<S: AsRef<str>>(rights: &[S]) -> Vec<String> {
    let mut kinds: Vec<Kind<'_>> = Vec::new();
    for right in rights.iter().map(AsRef::as_ref) {
        let (rank, name, object) = place(right);
        match kinds.iter_mut().find(|k| k.rank == rank && k.name == name) {
            Some(kind) => kind.rights.push((right, object)),
            None => kinds.push(Kind { rank, name, rights: vec![(right, object)] }),
        }
    }
    kinds.sort_by_key(|kind| kind.rank);
    let mut lines: Vec<(usize, String)> = kinds.iter().flat_map(Kind::lines).collect();
    if lines.len() > LINES {
        let rest = lines.split_off(LINES - 1);
        let many: usize = rest.iter().map(|(rights, _)| rights).sum();
        lines.push((many, format!("has {} of other kinds", counted(many))));
    }
    let all = rights.iter().any(|right| everything(right.as_ref()));
    let head = match rights.len() {
        0..=LINES => None,
        many if all => Some(format!("can do everything: {} beyond the order", counted(many))),
        many => Some(format!("has {} beyond the order", counted(many))),
    };
    head.into_iter().chain(lines.into_iter().map(|(_, line)| line)).collect()
}

/// The same figures for an answer: rights beyond the order as [`told`], not one by one.
#[must_use]
pub fn brief(figures: &Figures) -> Figures {
    let mut brief = figures.clone();
    brief.excess = told(&figures.excess);
    brief.noted.retain(|noted| noted.what != What::Excess);
    let met: Vec<&Noted> = figures.noted.iter().filter(|noted| noted.what == What::Excess).collect();
    for of_a_start in met.chunk_by(|a, b| minute(&a.at) == minute(&b.at)) {
        let words: Vec<&str> = of_a_start.iter().map(|noted| noted.words.as_str()).collect();
        let at = of_a_start.first().map(|noted| noted.at.clone()).unwrap_or_default();
        let told = told(&words);
        brief.noted.extend(told.into_iter().map(|words| Noted { at: at.clone(), what: What::Excess, words }));
    }
    brief
}

/// The time to the minute: what one start met, it met within that.
#[must_use]
pub fn minute(at: &str) -> &str {
    at.get(..16).unwrap_or(at)
}

/// Rights that are named where many are held: each alone reaches every row, or past the database.
const GRAVE: [&str; 5] = ["SUPER", "FILE", "SELECT", "UPDATE", "DELETE"];

struct Kind<'a> {
    rank: Rank,
    name: Cow<'a, str>,
    /// Each right, and what it is about.
    rights: Vec<(&'a str, &'a str)>,
}

/// How far a right reaches; the widest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Server,
    Database,
    Other,
    Narrow,
}

impl Kind<'_> {
    /// Lines, each with how many rights it stands for.
    fn lines(&self) -> Vec<(usize, String)> {
        let many = self.rights.len();
        if many <= FEW {
            return self.rights.iter().map(|(right, _)| (1, (*right).to_owned())).collect();
        }
        let about: Vec<&str> = self.rights.iter().map(|(_, object)| *object).collect();
        let line = match self.rank {
            Rank::Server | Rank::Database => {
                let grave: Vec<&str> = GRAVE.into_iter().filter(|g| about.contains(g)).collect();
                let among = if grave.is_empty() {
                    String::new()
                } else {
                    format!(", among them {}", grave.join(", "))
                };
                format!("has {} {}{among}", counted(many), self.name)
            }
            Rank::Other => {
                format!("{}, and {} more such", about.first().copied().unwrap_or_default(), many - 1)
            }
            Rank::Narrow => {
                let first = about.first().copied().unwrap_or_default();
                format!("{} {many} tables and routines, for instance {first}", self.name)
            }
        };
        vec![(many, line)]
    }
}

/// How far it reaches, its kind, and what it is about.
fn place(right: &str) -> (Rank, Cow<'_, str>, &str) {
    if let Some(named) = right.strip_prefix("has ").and_then(|rest| rest.strip_suffix(" on the whole server"))
    {
        return (Rank::Server, Cow::Borrowed("on the whole server"), named);
    }
    if let Some((named, database)) =
        right.strip_prefix("has ").and_then(|rest| rest.split_once(" on the whole database "))
    {
        return (Rank::Database, Cow::Owned(format!("on the whole database {database}")), named);
    }
    match object(right) {
        Some((kind, object)) => (Rank::Narrow, Cow::Borrowed(kind), object),
        None if right.contains("(PUBLIC)") => (Rank::Other, Cow::Borrowed("(PUBLIC)"), right),
        None => (Rank::Other, Cow::Borrowed(right), right),
    }
}

/// Whether this one right stands for all.
fn everything(right: &str) -> bool {
    right == "has SUPER on the whole server" || right.contains("SUPERUSER")
}

/// "can read" and "SIGL.sigl_user_data", of a right that is about one table or routine.
fn object(right: &str) -> Option<(&str, &str)> {
    const WIDE: [&str; 3] = ["PUBLIC", "whole", ".*"];
    if WIDE.iter().any(|wide| right.contains(wide)) {
        return None;
    }
    let at = right.split(' ').find(|word| word.contains('.') && !word.ends_with('.'))?;
    let start = right.find(at)?;
    Some((right.get(..start)?.trim_end(), at.trim_end_matches([',', ';', ':'])))
}

/// `1,029 rights`.
fn counted(rights: usize) -> String {
    plural(number(rights), "right", "rights")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What an administrator's account can do on a server with LabBook's 107 tables.
    fn administrator() -> Vec<String> {
        let mut rights = Vec::new();
        for verb in ["read", "insert into", "update", "see the structure of"] {
            rights.extend(
                (0..107).map(|i| format!("can {verb} SIGL.table_{i} (9 columns outside the instruction)")),
            );
        }
        for right in ["ALTER", "CREATE", "DELETE", "DROP", "SUPER"] {
            rights.push(format!("has {right} on the whole server"));
        }
        for right in ["ALTER", "CREATE", "DELETE", "DROP"] {
            rights.push(format!("has {right} on the whole database SIGL"));
        }
        rights
    }

    #[test]
    fn an_administrators_rights_are_a_few_lines_the_widest_first() {
        let told = told(&administrator());
        assert_eq!(
            told,
            [
                "can do everything: 437 rights beyond the order",
                "has 5 rights on the whole server, among them SUPER, DELETE",
                "has 4 rights on the whole database SIGL, among them DELETE",
                "can read 107 tables and routines, for instance SIGL.table_0",
                "can insert into 107 tables and routines, for instance SIGL.table_0",
                "can update 107 tables and routines, for instance SIGL.table_0",
                "can see the structure of 107 tables and routines, for instance SIGL.table_0",
            ]
        );
    }

    #[test]
    fn no_account_takes_more_than_a_screen_and_none_is_lost_from_the_count() {
        let mut rights: Vec<String> = (0..40).map(|i| format!("can take the role r{i}")).collect();
        rights.extend(administrator());
        let told = told(&rights);
        assert_eq!(told.len(), 1 + LINES);
        assert_eq!(told[0], "can do everything: 477 rights beyond the order");
        // 9 lines before it: 5 and 4 wide rights in two lines, seven roles one by one
        assert_eq!(told[LINES], "has 461 rights of other kinds");
    }

    #[test]
    fn few_rights_are_told_one_by_one() {
        let rights = [
            "can see the structure of SIGL.a (2 columns outside the instruction)",
            "has, as everybody (PUBLIC): EXECUTE ON PROCEDURE SIGL.p",
            "has FILE on the whole server",
        ];
        assert_eq!(told(&rights), [rights[2], rights[1], rights[0]]);
        assert_eq!(told(&["can read a.b", "can read a.c"]), ["can read a.b", "can read a.c"]);
    }

    #[test]
    fn an_answer_tells_the_rights_of_each_start_in_a_few_lines() {
        let noted = |(i, words): (usize, String)| Noted {
            at: format!("2026-11-22T05:00:00.{i:09}Z"),
            what: What::Excess,
            words,
        };
        let figures = Figures {
            excess: administrator(),
            noted: administrator().into_iter().enumerate().map(noted).collect(),
            ..Figures::default()
        };
        let brief = brief(&figures);
        assert_eq!((brief.excess.len(), brief.noted.len()), (7, 7));
    }
}
