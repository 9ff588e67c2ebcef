//! The nearest right name: what "did you mean" says.

/// Letters of a word at most that anybody could have meant to write as another: two words are compared letter by
/// letter, which would take minutes where a paper has names of a hundred thousand.
const LONGEST: usize = 128;

/// The candidate nearest to a word, if one is near enough to be a slip of the hand:
/// an optimal-string-alignment distance of at most a third of the longer word, letters
/// compared without case. The first of several equally near ones.
#[must_use]
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let mut best: Option<(usize, &'a str)> = None;
    for candidate in candidates {
        let longer = word.chars().count().max(candidate.chars().count());
        if longer > LONGEST {
            continue;
        }
        let allowed = (longer / 3).max(1);
        let far = distance(word, candidate);
        if far <= allowed && best.is_none_or(|(least, _)| far < least) {
            best = Some((far, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// `did you mean X?`, or the whole list where it is short, or nothing.
#[must_use]
pub fn suggestion<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str> + Clone) -> Option<String> {
    if let Some(near) = nearest(word, candidates.clone()) {
        return Some(format!("did you mean `{near}`?"));
    }
    let all: Vec<&str> = candidates.into_iter().collect();
    (1..=14).contains(&all.len()).then(|| format!("one of: {}", all.join(", ")))
}

/// Edits (insert, delete, replace, swap of neighbours) between two words, without case.
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().flat_map(char::to_lowercase).collect();
    let b: Vec<char> = b.chars().flat_map(char::to_lowercase).collect();
    // three rows of the dynamic programme: two before, before, now
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, cb) in b.iter().enumerate() {
            let at = |r: &Vec<usize>, k: usize| r.get(k).copied().unwrap_or(usize::MAX - 1);
            let mut least = at(&last, j) + usize::from(ca != cb);
            least = least.min(at(&last, j + 1) + 1).min(at(&row, j) + 1);
            let swapped =
                i > 0 && j > 0 && a.get(i - 1) == Some(cb) && b.get(j - 1) == Some(ca) && !before.is_empty();
            if swapped {
                least = least.min(at(&before, j - 1) + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_counts_edits() {
        for (a, b, want) in [
            ("", "", 0),
            ("nom", "nom", 0),
            ("NOM", "nom", 0),
            ("nom", "num", 1),
            ("prneom", "prenom", 1),
            ("", "abc", 3),
            ("sexe", "", 4),
            ("commentaire", "comentaire", 1),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(distance(a, b), want, "{a} {b}");
            assert_eq!(distance(b, a), want, "{b} {a}");
        }
    }

    #[test]
    fn only_slips_are_suggested() {
        let names = ["id_data", "nom", "prenom", "ddn"];
        assert_eq!(nearest("prneom", names), Some("prenom"));
        assert_eq!(nearest("address", names), None);
    }

    #[test]
    fn a_name_that_no_hand_wrote_is_compared_with_none() {
        let long = |letters: usize| format!("{}x", "a".repeat(letters - 1));
        let (most, more) = (long(LONGEST), long(LONGEST + 1));
        assert_eq!(nearest(&"a".repeat(LONGEST), [most.as_str()]), Some(most.as_str()));
        assert_eq!(nearest(&"a".repeat(LONGEST), [more.as_str()]), None);
        assert_eq!(nearest(&more, ["a"]), None);
    }
}
