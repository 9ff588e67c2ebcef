//! Where a log's objects lie: tiles of hashes and bundles of entries, by C2SP tlog-tiles.
//!
//! A full tile holds 256 hashes, each the root of a full tile one level below (on level 0: a leaf's
//! hash); the rightmost of a level may hold fewer. A bundle holds the entries whose hashes the tile of the
//! same number holds on level 0.

use std::fmt::{self, Write as _};

use crate::hash::{Hash, LENGTH};

/// Entries of a full bundle, and hashes of a full tile.
pub const FULL: u64 = 256;

/// Heights of the tree that one level of tiles spans.
pub(crate) const HEIGHT: u32 = 8;

/// The highest level that a tree of 2^64 leaves has tiles on.
const HIGHEST: u8 = 7;

/// What an object holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Entries, as they were written.
    Entries,
    /// Hashes of the subtrees of 256^level leaves.
    Hashes(u8),
}

/// One object of a log, by its place and the number of what it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tile {
    kind: Kind,
    n: u64,
    width: u64,
}

impl Tile {
    /// The object number `n` of its kind that a tree of `size` leaves has; `None` where it has none.
    #[must_use]
    pub fn of(kind: Kind, n: u64, size: u64) -> Option<Self> {
        let level = kind.level();
        if level > HIGHEST {
            return None;
        }
        let whole = size >> (HEIGHT * u32::from(level));
        let width = whole.checked_sub(n.checked_mul(FULL)?)?.min(FULL);
        (width > 0).then_some(Self { kind, n, width })
    }

    /// The object that its last leaf filled, of a tree of `size` leaves; `None` where none was.
    pub(crate) fn closed(kind: Kind, size: u64) -> Option<Self> {
        let whole = size >> (HEIGHT * u32::from(kind.level().min(HIGHEST)));
        let is_at_end = size.checked_rem(FULL.checked_pow(u32::from(kind.level()) + 1)?) == Some(0);
        if is_at_end { Self::of(kind, (whole / FULL).checked_sub(1)?, size) } else { None }
    }

    /// A full object by its number, whether there is one or not.
    pub(crate) const fn named(kind: Kind, n: u64) -> Self {
        Self { kind, n, width: FULL }
    }

    /// Every object of a tree of `size` leaves, level by level, the entries first.
    pub fn all(size: u64) -> impl Iterator<Item = Self> {
        let kinds = [Kind::Entries].into_iter().chain((0..=HIGHEST).map(Kind::Hashes));
        kinds.flat_map(move |kind| (0..).map_while(move |n| Self::of(kind, n, size)))
    }

    /// What it holds.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// Its number among those of its kind.
    #[must_use]
    pub const fn n(&self) -> u64 {
        self.n
    }

    /// How many hashes or entries it holds: 1 to 256.
    #[must_use]
    pub const fn width(&self) -> u64 {
        self.width
    }

    /// Whether it holds as much as it ever will, and is never written again.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.width == FULL
    }

    /// The first leaf it does not tell of any more, where it is full (`end index` of C2SP tlog-tiles).
    #[must_use]
    pub fn end(&self) -> Option<u64> {
        let span = FULL.checked_pow(u32::from(self.kind.level()) + 1)?;
        self.n.checked_add(1)?.checked_mul(span)
    }

    /// The path below the log's folder: `tile/0/x001/x234/067`, `tile/entries/000.p/7`.
    #[must_use]
    pub fn path(&self) -> String {
        self.to_string()
    }

    /// Reads a path that [`Self::path`] gave; `None` for anything else.
    #[must_use]
    pub fn parse(path: &str) -> Option<Self> {
        let (kind, rest) = path.strip_prefix("tile/")?.split_once('/')?;
        let kind = match kind {
            "entries" => Kind::Entries,
            level => Kind::Hashes(level.parse().ok().filter(|level| *level <= HIGHEST)?),
        };
        let (number, width) = match rest.split_once(".p/") {
            Some((number, width)) => (number, width.parse().ok().filter(|width| (1..FULL).contains(width))?),
            None => (rest, FULL),
        };
        let digits = number.split('/').map(|part| part.strip_prefix('x').unwrap_or(part));
        let mut n: u64 = 0;
        for three in digits {
            n = n.checked_mul(1000)?.checked_add(three.parse().ok()?)?;
        }
        let tile = Self { kind, n, width };
        // only one spelling of a place is a path: no sign, no missing `x`, no leading zero
        (tile.path() == path).then_some(tile)
    }

    /// Reads the hashes of a tile; `None` where it does not hold as many as it says, or holds entries.
    #[must_use]
    pub fn hashes(&self, bytes: &[u8]) -> Option<Vec<Hash>> {
        let Kind::Hashes(_) = self.kind else { return None };
        let hashes: Vec<Hash> = bytes.chunks(LENGTH).map_while(Hash::from_bytes).collect();
        let told = usize::try_from(self.width).ok()?;
        (hashes.len() == told && bytes.len() == told * LENGTH).then_some(hashes)
    }
}

impl Kind {
    const fn level(self) -> u8 {
        match self {
            Self::Entries => 0,
            Self::Hashes(level) => level,
        }
    }
}

impl fmt::Display for Tile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            Kind::Entries => f.write_str("tile/entries/")?,
            Kind::Hashes(level) => write!(f, "tile/{level}/")?,
        }
        let mut digits = self.n.to_string();
        while !digits.len().is_multiple_of(3) {
            digits.insert(0, '0');
        }
        let last = digits.len() / 3 - 1;
        for (at, digit) in digits.chars().enumerate() {
            if at % 3 == 0 {
                if at > 0 {
                    f.write_char('/')?;
                }
                if at / 3 < last {
                    f.write_char('x')?;
                }
            }
            f.write_char(digit)?;
        }
        if self.is_full() { Ok(()) } else { write!(f, ".p/{}", self.width) }
    }
}
