//! The bytes of a dump, as they come: a buffer of fixed size, the line for messages, a digest
//! where one is wanted. Never a value in a message: a line's number.

use std::io::Read;

use ecluse_core::fault::{Code, Fault, Result};
use sha2::{Digest as _, Sha256};

static BROKEN: Code = Code::outside("ECL-SRC-601", "the dump cannot be read");
static TRUNCATED: Code = Code::refused("ECL-SRC-602", "the dump ends before its end");
static TOO_LONG: Code =
    Code::refused("ECL-SRC-610", "a line, a statement or a value of the dump is too long");
static NUL: Code = Code::refused("ECL-SRC-611", "the dump holds NUL bytes: it is not a dump in text");

const BUFFER: usize = 256 << 10;

/// The bytes that come.
pub(super) struct Input {
    inner: Box<dyn Read + Send>,
    buffer: Vec<u8>,
    at: usize,
    end: usize,
    line: u64,
    bytes: u64,
    digest: Option<Sha256>,
    /// No line, statement or value may take more.
    limit: usize,
}

impl Input {
    /// `limit`: bytes that one line, statement or value may take. `digest`: whether the bytes are
    /// summed up as they pass.
    pub(super) fn new(inner: Box<dyn Read + Send>, limit: usize, digest: bool) -> Self {
        let digest = digest.then(Sha256::new);
        Self { inner, buffer: vec![0; BUFFER], at: 0, end: 0, line: 1, bytes: 0, digest, limit }
    }

    /// Where it stands, for messages.
    pub(super) fn place(&self) -> String {
        format!("line {}", self.line)
    }

    /// How many bytes came, and the digest of all of them where it was wanted.
    pub(super) fn passed(self) -> (u64, Option<String>) {
        let digest = self.digest.map(|d| format!("sha256:{}", data_encoding::HEXLOWER.encode(&d.finalize())));
        (self.bytes, digest)
    }

    /// Whether `held` bytes are more than one value, line or statement may take.
    pub(super) fn bounded(&self, held: usize) -> Result<()> {
        if held <= self.limit {
            return Ok(());
        }
        let detail = format!("{}: more than {} MiB", self.place(), self.limit >> 20);
        Err(TOO_LONG.fault(detail).help("allow more: &memory=4G at the end of the source's URL"))
    }

    /// The fault of a dump that stops in the middle.
    pub(super) fn truncated(&self) -> Fault {
        TRUNCATED.fault(self.place()).help("dump it again, whole; nothing was written")
    }

    /// What comes next, `wanted` bytes of it at least unless the dump ends before.
    pub(super) fn ahead(&mut self, wanted: usize) -> Result<&[u8]> {
        while self.end - self.at < wanted && self.fill()? {}
        Ok(self.rest())
    }

    /// The next byte, and past it; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<u8>> {
        if self.at == self.end && !self.fill()? {
            return Ok(None);
        }
        let byte = self.rest().first().copied();
        self.skip(1);
        Ok(byte)
    }

    /// The next byte; a dump that ends here is cut off.
    pub(super) fn demand(&mut self) -> Result<u8> {
        self.next()?.ok_or_else(|| self.truncated())
    }

    /// The next byte, not past it; a dump that ends here is cut off.
    pub(super) fn peek(&mut self) -> Result<u8> {
        let first = self.ahead(1)?.first().copied();
        first.ok_or_else(|| self.truncated())
    }

    /// Past so many bytes that are known to be there.
    pub(super) fn skip(&mut self, bytes: usize) {
        let to = self.end.min(self.at + bytes);
        let lines = self.buffer.get(self.at..to).unwrap_or_default().iter().filter(|b| **b == b'\n').count();
        self.line += u64::try_from(lines).unwrap_or(0);
        self.at = to;
    }

    /// Up to the first of these bytes (which stays), appended to `out` where there is one.
    pub(super) fn until(&mut self, stop: impl Fn(u8) -> bool, mut out: Option<&mut Vec<u8>>) -> Result<u8> {
        let mut passed = 0;
        loop {
            if self.at == self.end && !self.fill()? {
                return Err(self.truncated());
            }
            let rest = self.rest();
            let found = rest.iter().position(|b| stop(*b));
            let taken = rest.get(..found.unwrap_or(rest.len())).unwrap_or_default();
            passed += taken.len();
            let (taken_len, stopped) = (taken.len(), found.and_then(|at| rest.get(at)).copied());
            let held = out.as_mut().map_or(passed, |out| {
                out.extend_from_slice(taken);
                out.len()
            });
            self.bounded(held)?;
            self.skip(taken_len);
            if let Some(byte) = stopped {
                return Ok(byte);
            }
        }
    }

    /// The rest of the line, without its end; cut off where the dump ends in it.
    pub(super) fn line(&mut self, out: &mut Vec<u8>) -> Result<()> {
        out.clear();
        self.until(|b| b == b'\n', Some(out))?;
        self.skip(1);
        if out.last() == Some(&b'\r') {
            out.pop();
        }
        Ok(())
    }

    fn rest(&self) -> &[u8] {
        self.buffer.get(self.at..self.end).unwrap_or_default()
    }

    /// More bytes behind those that are there; false at the end.
    fn fill(&mut self) -> Result<bool> {
        if self.at > 0 {
            self.buffer.copy_within(self.at..self.end, 0);
            self.end -= self.at;
            self.at = 0;
        }
        let room = self.buffer.get_mut(self.end..).unwrap_or_default();
        let read = loop {
            match self.inner.read(room) {
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                Err(e) => return Err(BROKEN.fault(e.kind().to_string())),
                Ok(read) => break read,
            }
        };
        let new = room.get(..read).unwrap_or_default();
        if new.contains(&0) {
            return Err(NUL
                .fault(format!("after line {}", self.line))
                .help("make the dump in plain text: pg_dump -Fp, mariadb-dump --hex-blob"));
        }
        if let Some(digest) = &mut self.digest {
            digest.update(new);
        }
        self.bytes += u64::try_from(read).unwrap_or(0);
        self.end += read;
        Ok(read > 0)
    }
}
