//! The names at the head of `COPY` and `INSERT`: identifiers, quoted or not, and lists of them.

use super::script::is_name;

/// The head of a statement, word by word.
pub(super) struct Names<'a> {
    rest: &'a [u8],
    quote: u8,
}

impl<'a> Names<'a> {
    /// `quote`: what an identifier is quoted with.
    pub(super) const fn of(text: &'a [u8], quote: u8) -> Self {
        Self { rest: text, quote }
    }

    /// The next word in capitals; empty where none stands there.
    pub(super) fn word(&mut self) -> String {
        self.rest = self.rest.trim_ascii_start();
        let length = self.rest.iter().take_while(|b| is_name(**b)).count();
        let (word, rest) = self.rest.split_at_checked(length).unwrap_or_default();
        self.rest = rest;
        String::from_utf8_lossy(word).to_uppercase()
    }

    /// `a`, `a.b`, with or without quotes.
    pub(super) fn relation(&mut self) -> Option<Vec<String>> {
        let mut parts = vec![self.name()?];
        while self.eat(b'.') {
            parts.push(self.name()?);
        }
        Some(parts)
    }

    /// `(a, b, …)`.
    pub(super) fn list(&mut self) -> Option<Vec<String>> {
        if !self.eat(b'(') {
            return None;
        }
        let mut names = Vec::new();
        if self.eat(b')') {
            return Some(names);
        }
        loop {
            names.push(self.name()?);
            if self.eat(b')') {
                return Some(names);
            }
            if !self.eat(b',') {
                return None;
            }
        }
    }

    /// `(a, b.c, …)`: relations.
    pub(super) fn relations(&mut self) -> Option<Vec<Vec<String>>> {
        if !self.eat(b'(') {
            return None;
        }
        let mut relations = vec![self.relation()?];
        while self.eat(b',') {
            relations.push(self.relation()?);
        }
        self.eat(b')').then_some(relations)
    }

    /// Whether nothing follows.
    pub(super) fn is_at_end(&self) -> bool {
        self.rest.trim_ascii().is_empty()
    }

    fn eat(&mut self, wanted: u8) -> bool {
        self.rest = self.rest.trim_ascii_start();
        let hit = self.rest.first() == Some(&wanted);
        if hit {
            self.rest = self.rest.get(1..).unwrap_or_default();
        }
        hit
    }

    /// A name; what stands in quotes keeps its case, what does not is written in small letters already.
    fn name(&mut self) -> Option<String> {
        self.rest = self.rest.trim_ascii_start();
        let quote = self.quote;
        let mut name = Vec::new();
        if self.rest.first() == Some(&quote) {
            let mut rest = self.rest.get(1..)?;
            loop {
                let at = rest.iter().position(|b| *b == quote)?;
                name.extend_from_slice(rest.get(..at)?);
                rest = rest.get(at + 1..)?;
                if rest.first() != Some(&quote) {
                    self.rest = rest;
                    break;
                }
                // a doubled quote is one of the name's
                name.push(quote);
                rest = rest.get(1..)?;
            }
        } else {
            let length = self.rest.iter().take_while(|b| is_name(**b)).count();
            let (word, rest) = self.rest.split_at_checked(length)?;
            name.extend_from_slice(word);
            self.rest = rest;
        }
        String::from_utf8(name).ok().filter(|n| !n.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_the_servers_write_them() {
        let mut names = Names::of(b"COPY public.\"Na\"\"me. x\" (id, \"a,b\") FROM stdin", b'"');
        assert_eq!(names.word(), "COPY");
        assert_eq!(names.relation().unwrap(), ["public", "Na\"me. x"]);
        assert_eq!(names.list().unwrap(), ["id", "a,b"]);
        assert_eq!(
            (names.word().as_str(), names.word().as_str(), names.is_at_end()),
            ("FROM", "STDIN", true)
        );
        for bad in ["(a", "(a b)", "()x", "a", "(,)", "(\"a)"] {
            let mut names = Names::of(bad.as_bytes(), b'"');
            let list = names.list();
            assert!(list.is_none() || !names.is_at_end(), "{bad}");
        }
    }
}
