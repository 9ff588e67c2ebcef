//! Rights of a role, told in a few lines: what reaches widest first, what is many of a kind as a count.

/// So many of a kind are told one by one.
const FEW: usize = 3;

/// Rights that are named where many are held: each alone reaches every row, or past the database.
const GRAVE: [&str; 5] = ["SUPER", "FILE", "SELECT", "UPDATE", "DELETE"];

/// The rights as a person reads them. A right on one table of many becomes "can read 104 tables, for
/// instance SIGL.sigl_user_data"; the full list stays where the figures are.
#[must_use]
pub fn told<S: AsRef<str>>(rights: &[S]) -> Vec<String> {
    let (narrow, broad): (Vec<&str>, Vec<&str>) =
        rights.iter().map(AsRef::as_ref).partition(|right| object(right).is_some());
    let mut told: Vec<String> = Vec::new();
    let mut wide: Vec<(&str, Vec<&str>)> = Vec::new();
    for right in broad {
        match right.strip_prefix("has ").and_then(|r| r.split_once(" on the whole ")) {
            Some((name, place)) => match wide.iter_mut().find(|(known, _)| *known == place) {
                Some((_, names)) => names.push(name),
                None => wide.push((place, vec![name])),
            },
            None => told.push(right.to_owned()),
        }
    }
    for (place, names) in wide {
        let grave: Vec<&str> = GRAVE.into_iter().filter(|g| names.contains(g)).collect();
        if names.len() <= FEW {
            told.extend(names.iter().map(|name| format!("has {name} on the whole {place}")));
        } else if grave.is_empty() {
            told.push(format!("has {} rights on the whole {place}", names.len()));
        } else {
            let grave = grave.join(", ");
            told.push(format!("has {} rights on the whole {place}, among them {grave}", names.len()));
        }
    }
    let mut kinds: Vec<(&str, Vec<&str>)> = Vec::new();
    for right in narrow {
        let kind = object(right).map_or(right, |(kind, _)| kind);
        match kinds.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, all)) => all.push(right),
            None => kinds.push((kind, vec![right])),
        }
    }
    for (kind, all) in kinds {
        match all.first().and_then(|first| object(first)) {
            Some((_, first)) if all.len() > FEW => {
                told.push(format!("{kind} {} tables and routines, for instance {first}", all.len()));
            }
            _ => told.extend(all.into_iter().map(str::to_owned)),
        }
    }
    told
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_widest_rights_stand_first_and_the_many_as_a_count() {
        let mut rights: Vec<String> = (0..104)
            .map(|i| format!("can read SIGL.table_{i} (9 columns outside the instruction)"))
            .collect();
        rights.push("has SELECT on the whole database SIGL".into());
        rights.push("can see the structure of SIGL.a (2 columns outside the instruction)".into());
        rights.push("has, as everybody (PUBLIC): EXECUTE ON PROCEDURE SIGL.p".into());
        rights.push("has FILE on the whole server".into());
        assert_eq!(
            told(&rights),
            [
                "has, as everybody (PUBLIC): EXECUTE ON PROCEDURE SIGL.p",
                "has SELECT on the whole database SIGL",
                "has FILE on the whole server",
                "can read 104 tables and routines, for instance SIGL.table_0",
                "can see the structure of SIGL.a (2 columns outside the instruction)",
            ]
        );
        let server = ["ALTER", "FILE", "PROCESS", "SELECT"].map(|r| format!("has {r} on the whole server"));
        assert_eq!(told(&server), ["has 4 rights on the whole server, among them FILE, SELECT"]);
        assert_eq!(told(&["can read a.b", "can read a.c"]), ["can read a.b", "can read a.c"]);
    }
}
