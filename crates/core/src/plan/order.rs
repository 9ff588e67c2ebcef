//! The order in which tables are read.

/// Orders `count` tables so that every `chosen` edge and, as far as those allow, every
/// relation leads to an earlier table. Edges are (the table that refers, the one it refers to).
///
/// What a filter chooses from must have been read, so `chosen` edges win: a parent whose rows
/// are chosen by its children (validators by their validations) comes after them.
///
/// # Errors
/// The tables of a circle of `chosen` edges.
pub(super) fn order(
    count: usize,
    chosen: &[(usize, usize)],
    relations: &[(usize, usize)],
) -> Result<Vec<usize>, Vec<usize>> {
    let mut done: Vec<usize> = Vec::with_capacity(count);
    while done.len() < count {
        let waiting = |edges: &[(usize, usize)], table: usize| {
            edges.iter().any(|(from, to)| *from == table && from != to && !done.contains(to))
        };
        let open: Vec<usize> = (0..count).filter(|t| !done.contains(t) && !waiting(chosen, *t)).collect();
        // the document's order decides between equals; a relation waits only while something else can be read
        let next = open.iter().find(|t| !waiting(relations, **t)).or_else(|| open.first());
        match next {
            Some(table) => done.push(*table),
            None => return Err((0..count).filter(|t| !done.contains(t)).collect()),
        }
    }
    Ok(done)
}

#[cfg(test)]
mod tests {
    use super::order;

    #[test]
    fn parents_come_first() {
        assert_eq!(order(3, &[], &[(0, 1), (1, 2)]), Ok(vec![2, 1, 0]));
        assert_eq!(order(3, &[(0, 2)], &[]), Ok(vec![1, 2, 0]));
    }

    #[test]
    fn what_is_chosen_from_comes_before_its_parent() {
        // 0 users, chosen by 1 validations, which refer to users
        assert_eq!(order(2, &[(0, 1)], &[(1, 0)]), Ok(vec![1, 0]));
    }

    #[test]
    fn relations_in_a_circle_are_no_obstacle_but_choices_are() {
        assert_eq!(order(2, &[], &[(0, 1), (1, 0)]), Ok(vec![0, 1]));
        assert_eq!(order(1, &[], &[(0, 0)]), Ok(vec![0]));
        assert_eq!(order(3, &[(0, 1), (1, 0)], &[]), Err(vec![0, 1]));
    }
}
