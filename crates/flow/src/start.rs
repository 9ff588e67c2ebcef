//! The kinds of start. One function serves them all; they differ in what they demand and where they end.

/// What a start of the run is for; of a reconciliation, what is read back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Start {
    /// All that was ordered: the first start, one that goes on, and one that catches up.
    #[default]
    Whole,
    /// As [`Start::Whole`], and chunks whose rows at the destination no longer are what the ledger says
    /// are replaced from the source; any other start stops at them.
    Repair,
    /// The last catch-up: it demands that the source was frozen, and looks at its marks again.
    CatchUp,
    /// The reference data alone: the run ends after them and is not through.
    Reference,
    /// Some whole dossiers only, so many drawn at least: the rehearsal.
    Sample(u64),
}

impl Start {
    /// Whether all that was ordered stands at the destination when it came to its end.
    #[must_use]
    pub const fn is_of_all(self) -> bool {
        !matches!(self, Self::Reference | Self::Sample(_))
    }

    /// Whether what somebody changed at the destination is replaced from the source.
    #[must_use]
    pub const fn repairs(self) -> bool {
        matches!(self, Self::Repair)
    }

    /// Whether the source must have been frozen.
    #[must_use]
    pub const fn cuts_over(self) -> bool {
        matches!(self, Self::CatchUp)
    }

    /// Whether reference data alone are meant.
    #[must_use]
    pub const fn is_of_reference(self) -> bool {
        matches!(self, Self::Reference)
    }

    /// Dossiers asked for, where it is a sample.
    #[must_use]
    pub const fn sample(self) -> Option<u64> {
        match self {
            Self::Sample(asked) => Some(asked),
            _ => None,
        }
    }
}
