//! Where a database's own code writes: read from the words of triggers and routines, and rather too much than too
//! little. No statement is parsed: whoever names a table and says a word that writes is taken at both.

use std::collections::{BTreeMap, BTreeSet};

use ecluse_flow::shadow::Shadow;

/// Words without which no statement of the three engines changes a row.
const WRITING: [&str; 6] = ["insert", "replace", "update", "delete", "merge", "copy"];
/// Words behind which a statement is made at run time: what it names cannot be read.
const MADE: [&str; 2] = ["execute", "prepare"];

/// A trigger, a rule.
pub(crate) struct Trigger {
    /// Its table, by its catalogue name.
    pub(crate) of: String,
    pub(crate) name: String,
    /// Its statements; `None` where this account may not read them, or they are of a language of the machine.
    pub(crate) text: Option<String>,
    /// Whether it fires when we delete.
    pub(crate) fires: bool,
}

/// What is known of a database's code.
#[derive(Default)]
pub(crate) struct Written {
    pub(crate) triggers: Vec<Trigger>,
    /// Routines by their bare name, each text of that name; `None` as of [`Trigger::text`].
    pub(crate) routines: BTreeMap<String, Vec<Option<String>>>,
    /// Every table, by its catalogue name.
    pub(crate) tables: Vec<String>,
}

impl Written {
    /// What writes elsewhere when a row of these tables is written, over triggers of triggers and routines too.
    pub(crate) fn shadows(&self, ordered: &[&str]) -> Vec<Shadow> {
        let of_ordered = |trigger: &&Trigger| ordered.contains(&trigger.of.as_str());
        let mut shadows = BTreeSet::new();
        for trigger in self.triggers.iter().filter(of_ordered) {
            for table in self.reached(trigger) {
                let (of, by) = (trigger.of.clone(), trigger.name.clone());
                shadows.insert(Shadow { of, by, table, fires: trigger.fires });
            }
        }
        shadows.into_iter().collect()
    }

    /// Tables that the trigger may write to; `None` for those that cannot be told.
    fn reached(&self, trigger: &Trigger) -> BTreeSet<Option<String>> {
        let mut reached = BTreeSet::new();
        let mut texts: Vec<Option<&str>> = vec![trigger.text.as_deref()];
        let mut called: BTreeSet<&str> = BTreeSet::new();
        while let Some(text) = texts.pop() {
            let Some(text) = text else {
                reached.insert(None);
                continue;
            };
            let words = words(text);
            for (name, bodies) in self.routines.iter().filter(|(name, _)| words.contains(*name)) {
                if called.insert(name) {
                    texts.extend(bodies.iter().map(Option::as_deref));
                }
            }
            if MADE.iter().any(|word| words.contains(*word)) {
                reached.insert(None);
            }
            if !WRITING.iter().any(|word| words.contains(*word)) {
                continue;
            }
            for table in self.tables.iter().filter(|table| names(&words, table) && **table != trigger.of) {
                if reached.insert(Some(table.clone())) {
                    let next = self.triggers.iter().filter(|other| other.of == *table);
                    texts.extend(next.map(|other| other.text.as_deref()));
                }
            }
        }
        reached
    }
}

/// Whether a table is named: each word of its name stands, its schema's too where that is not the connection's.
fn names(text: &BTreeSet<String>, table: &str) -> bool {
    words(table).is_subset(text)
}

/// Runs of letters, digits, `_` and `$`, in small letters.
fn words(text: &str) -> BTreeSet<String> {
    let apart = |c: char| !(c.is_alphanumeric() || c == '_' || c == '$');
    text.split(apart).filter(|word| !word.is_empty()).map(str::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trigger(of: &str, name: &str, text: Option<&str>) -> Trigger {
        Trigger { of: of.to_owned(), name: name.to_owned(), text: text.map(str::to_owned), fires: false }
    }

    fn reached(text: Option<&str>) -> Vec<Option<String>> {
        let written = Written {
            triggers: vec![
                trigger("patient", "t", text),
                trigger("history", "u", Some("INSERT INTO far SELECT 1")),
            ],
            routines: [("keep".to_owned(), vec![Some("update `Old Log` set n = 1".to_owned())])].into(),
            tables: ["patient", "history", "far", "Old Log", "other.log"].map(str::to_owned).to_vec(),
        };
        written.shadows(&["patient"]).into_iter().map(|shadow| shadow.table).collect()
    }

    #[test]
    fn a_trigger_reaches_what_it_names_and_what_that_reaches() {
        let some = |names: &[&str]| names.iter().map(|name| Some((*name).to_owned())).collect::<Vec<_>>();
        assert_eq!(reached(Some("insert into HISTORY values (OLD.id)")), some(&["far", "history"]));
        assert_eq!(reached(Some("BEGIN CALL keep(); END")), some(&["Old Log"]).to_vec());
        assert_eq!(reached(Some("DELETE FROM `other`.`log` WHERE n = NEW.id")), some(&["other.log"]));
        assert_eq!(reached(Some("SELECT count(*) INTO @n FROM history")), []);
        assert_eq!(reached(Some("SET NEW.log = 'insert'")), []);
        // what cannot be read may be anything
        assert_eq!(reached(None), [None]);
        assert_eq!(reached(Some("PREPARE s FROM @text")), [None]);
    }
}
