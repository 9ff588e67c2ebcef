//! The order in which tables are read.

use std::collections::BTreeSet;

/// Orders `count` tables so that every `chosen` edge and, as far as those allow, every
/// relation leads to an earlier table. Edges are (the table that refers, the one it refers to).
///
/// What a filter chooses from must have been read, so `chosen` edges win: a parent whose rows
/// are chosen by its children (validators by their validations) comes after them. The document's
/// order decides between equals. Time grows with tables and edges, not with their product.
///
/// # Errors
/// The tables of a circle of `chosen` edges.
pub(super) fn order(
    count: usize,
    chosen: &[(usize, usize)],
    relations: &[(usize, usize)],
) -> Result<Vec<usize>, Vec<usize>> {
    let (mut must, mut should) = (Waiting::of(count, chosen), Waiting::of(count, relations));
    // what may be read now, and of that, what no relation would rather have later
    let mut open: BTreeSet<usize> = (0..count).filter(|t| must.is_free(*t)).collect();
    let mut ready: BTreeSet<usize> = open.iter().copied().filter(|t| should.is_free(*t)).collect();
    let mut done: Vec<usize> = Vec::with_capacity(count);
    // a relation waits only while something else can be read
    while let Some(table) = ready.first().or_else(|| open.first()).copied() {
        ready.remove(&table);
        open.remove(&table);
        done.push(table);
        for freed in must.read(table) {
            open.insert(freed);
            if should.is_free(freed) {
                ready.insert(freed);
            }
        }
        for freed in should.read(table) {
            if open.contains(&freed) {
                ready.insert(freed);
            }
        }
    }
    if done.len() == count {
        return Ok(done);
    }
    let read: BTreeSet<usize> = done.into_iter().collect();
    Err((0..count).filter(|t| !read.contains(t)).collect())
}

/// Who waits for whom, along one kind of edges.
struct Waiting {
    /// Per table, how many others it waits for.
    left: Vec<usize>,
    /// Per table, those that wait for it.
    behind: Vec<Vec<usize>>,
}

impl Waiting {
    fn of(count: usize, edges: &[(usize, usize)]) -> Self {
        let mut this = Self { left: vec![0; count], behind: vec![Vec::new(); count] };
        let once: BTreeSet<&(usize, usize)> = edges.iter().filter(|(from, to)| from != to).collect();
        for (from, to) in once {
            if let (Some(left), Some(behind)) = (this.left.get_mut(*from), this.behind.get_mut(*to)) {
                *left += 1;
                behind.push(*from);
            }
        }
        this
    }

    fn is_free(&self, table: usize) -> bool {
        self.left.get(table) == Some(&0)
    }

    /// A table has been read: those that waited for it alone.
    fn read(&mut self, table: usize) -> Vec<usize> {
        let behind = self.behind.get_mut(table).map(std::mem::take).unwrap_or_default();
        behind
            .into_iter()
            .filter(|waiting| {
                self.left.get_mut(*waiting).is_some_and(|left| {
                    *left = left.saturating_sub(1);
                    *left == 0
                })
            })
            .collect()
    }
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

    #[test]
    fn ten_thousand_tables_in_a_row_are_ordered() {
        let count = 10_000;
        let chain: Vec<(usize, usize)> = (1..count).map(|t| (t - 1, t)).collect();
        let backwards: Vec<usize> = (0..count).rev().collect();
        assert_eq!(order(count, &chain, &chain), Ok(backwards.clone()));
        assert_eq!(order(count, &[], &chain), Ok(backwards));
    }
}
