//! Refused rows over all readings of one run.
//!
//! A child is refused with its parent. Tables are read parents first, so mostly the parent's fate
//! is known when the child comes. It is not where rows of one table refer to each other, where
//! tables refer to each other in a circle, and where a parent is chosen by its children: then all
//! is read again, with the refused rows known from the start, until a reading finds no new one.

use std::sync::Mutex;

use ecluse_core::fault::{Code, Result};

use crate::excluded::Staying;
use crate::family::{self, Kin, Tie};
use crate::orders::Orders;
use crate::ports::Source;
use crate::step::lock;

pub(crate) static CHAIN: Code =
    Code::refused("ECL-RUN-022", "refused rows and their descendants lie too deep in each other");

/// Said to a person who waits.
pub(crate) const AGAIN: &str = "rows were refused whose descendants may have passed: reading once more";

/// Readings of one run at most. Each follows a whole descent that goes the way the rows are read
/// in; a further one is needed where it turns against it.
pub(crate) const MOST: u32 = 32;

/// The refused rows, and whether one more reading is needed.
pub(crate) struct Families<'p> {
    /// Random bytes of this process, under which values are remembered.
    pub(crate) key: [u8; 32],
    pub(crate) refused: Mutex<Kin>,
    /// Rows of persons who stay.
    pub(crate) staying: Option<Staying<'p>>,
    backward: Vec<Tie>,
    known: u64,
    readings: u32,
}

impl<'p> Families<'p> {
    /// Nobody refused yet; of the persons who stay, whatever has to be known before the first row is written.
    pub(crate) fn new(orders: &Orders<'p>, key: [u8; 32], source: &mut dyn Source) -> Result<Self> {
        let plan = orders.plan;
        let refused = Mutex::new(Kin::new(key, plan)?);
        let staying = Staying::of(orders, key)?;
        staying.as_ref().map_or(Ok(()), |staying| staying.foresee(source, orders))?;
        Ok(Self { key, refused, staying, backward: family::backward(plan), known: 0, readings: 0 })
    }

    /// Asked after each reading: whether it refused rows that were not known when it began, and
    /// whose children it may have let pass.
    ///
    /// # Errors
    ///
    /// [`CHAIN`] after [`MOST`] readings.
    pub(crate) fn again(&mut self) -> Result<bool> {
        let known = lock(&self.refused)?.named_by(&self.backward);
        if known == self.known {
            return Ok(false);
        }
        self.known = known;
        self.readings += 1;
        if self.readings < MOST {
            return Ok(true);
        }
        Err(CHAIN
            .fault(format!("after {MOST} readings"))
            .help("see the refused rows by code: ecluse report; mend the first of them at the source"))
    }
}
