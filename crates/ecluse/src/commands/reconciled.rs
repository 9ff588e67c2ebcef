//! Whether the last reconciliation still is the last word on the destination.

use std::path::Path;

use ecluse_adapters::folder::RECONCILIATION;
use ecluse_flow::event::{Act, Head, Verified};
use ecluse_flow::figures::Figures;

use super::reconcile::Recorded;

/// What is known of a destination.
#[derive(Clone, Debug)]
pub(crate) enum Reconciled {
    /// Nobody has read it back.
    Never,
    /// It was read back, but another run was compared, or the run has taken the destination
    /// since: whatever was found then says nothing now. When.
    Stale(String),
    /// It was read back, and écluse has not changed it since.
    Done(Box<Recorded>),
}

impl Reconciled {
    /// What was found, where it still counts.
    pub(crate) fn found(&self) -> Option<&Recorded> {
        match self {
            Self::Done(found) => Some(found),
            Self::Never | Self::Stale(_) => None,
        }
    }
}

/// Judges what the run folder holds. A run takes an older reconciliation away before it
/// changes anything; here it is compared with the figures and the journal all the same, because
/// files can be copied and put back.
pub(crate) fn of(run: &Path, figures: &Figures, journal: &Verified) -> Reconciled {
    let Some(found) =
        std::fs::read(run.join(RECONCILIATION)).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok())
    else {
        return Reconciled::Never;
    };
    judge(found, figures, journal)
}

fn judge(found: Recorded, figures: &Figures, journal: &Verified) -> Reconciled {
    let same_run = found.run == figures.run && found.instruction == figures.instruction;
    let head = Head { lines: found.lines, digest: found.journal.clone() };
    let since = journal.since(&head);
    let untouched = since.is_some_and(|leaves| leaves.iter().all(|leaf| leaf.act != Act::Destination));
    if figures.whole && same_run && untouched {
        Reconciled::Done(Box::new(found))
    } else {
        Reconciled::Stale(found.at)
    }
}

#[cfg(test)]
mod tests {
    use ecluse_flow::event::{Leaf, Outcome};
    use ecluse_flow::world::World;

    use super::*;

    fn journal(acts: &[Act]) -> Verified {
        let stop = std::sync::atomic::AtomicBool::new(false);
        let chance = |bytes: &mut [u8]| {
            bytes.fill(7);
            Ok(())
        };
        let clock = || jiff::Timestamp::UNIX_EPOCH;
        let world = World { clock: &clock, chance: &chance, stop: &stop };
        let mut bytes = Vec::new();
        let mut head = Head::default();
        for act in acts {
            let leaf = Leaf::new(&world, "session", *act, "object", &Outcome::Done).unwrap();
            let (line, next) = head.next(leaf).unwrap();
            bytes.extend(line);
            head = next;
        }
        ecluse_flow::event::verify(&bytes).unwrap()
    }

    const RUN: [Act; 4] = [Act::Open, Act::Destination, Act::Close, Act::Reconcile];

    fn found(at: &Verified) -> Recorded {
        Recorded {
            at: "2026-11-22T05:00:00Z".into(),
            run: "3f9c".into(),
            instruction: "sha256:00".into(),
            lines: at.head.lines,
            journal: at.head.digest.clone(),
            holds: true,
            rows: 7,
            differences: 0,
            since: 0,
            overrides: vec![],
            list: vec![],
        }
    }

    fn figures() -> Figures {
        let (run, instruction) = ("3f9c".into(), "sha256:00".into());
        Figures { run, instruction, whole: true, ..Figures::default() }
    }

    #[test]
    fn a_reconciliation_holds_until_the_destination_is_taken_again() {
        let then = journal(&RUN);
        let judged = |figures: &Figures, journal: &Verified| judge(found(&then), figures, journal);
        let counts = |reconciled: Reconciled| reconciled.found().is_some();
        assert!(counts(judged(&figures(), &then)));
        let with = |more: &[Act]| journal(&[&RUN, more].concat());
        // a row was looked up, a refused start changed nothing
        assert!(counts(judged(&figures(), &with(&[Act::Locate, Act::Plan, Act::Open, Act::Close]))));
        assert!(!counts(judged(&figures(), &with(&[Act::Open, Act::Destination]))));
        // a journal that never stood there, another run, another instruction, a run under way
        assert!(!counts(judged(&figures(), &journal(&RUN[..3]))));
        assert!(!counts(judged(&Figures { run: "4a".into(), ..figures() }, &then)));
        assert!(!counts(judged(&Figures { instruction: "sha256:01".into(), ..figures() }, &then)));
        assert!(!counts(judged(&Figures { whole: false, ..figures() }, &then)));
    }
}
