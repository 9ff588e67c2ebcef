//! Where one statement of a dump ends and the next begins, and nothing more.
//!
//! The clients' own rules, as far as dumps need them (PostgreSQL manual, 4.1 and "psql";
//! MariaDB manual, "Comment Syntax", "Delimiters"): quotes, comments, dollar quotes, brackets,
//! `DELIMITER`. What a statement means is read by the parser of `sqlparser`, never here. What only
//! a client would act on (a backslash outside quotes: `\!`, `\i`, `\.`) is refused.

use ecluse_core::fault::{Code, Fault, Result};
use ecluse_core::types::Engine;

use super::input::Input;

/// A statement, a command or a value that has no place in a dump.
pub(super) static HOSTILE: Code =
    Code::refused("ECL-SRC-603", "the dump holds a statement that écluse does not know in dumps");

/// What comes next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Nothing.
    End,
    /// A comment of one line.
    Comment(Vec<u8>),
    /// A line for psql, beginning with a backslash.
    Client(Vec<u8>),
    /// `INSERT` is ahead, unread: it may be longer than memory.
    Insert,
    /// A statement, without comments.
    Statement(Text),
}

/// A statement's text.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Text {
    pub(super) bytes: Vec<u8>,
    /// Where its first outermost bracket closes, if it has one.
    pub(super) bracket: Option<usize>,
}

/// A dump, statement by statement.
pub(super) struct Script {
    pub(super) input: Input,
    engine: Engine,
    delimiter: Vec<u8>,
}

impl Script {
    pub(super) fn new(input: Input, engine: Engine) -> Self {
        Self { input, engine, delimiter: b";".to_vec() }
    }

    /// A refusal of what stands here.
    pub(super) fn hostile(&self, what: &str) -> Fault {
        HOSTILE
            .fault(format!("{}: {what}", self.input.place()))
            .help("make the dump with pg_dump or mariadb-dump and leave it as it is; nothing was executed, nothing was written")
    }

    /// What comes next.
    ///
    /// # Errors
    ///
    /// [`HOSTILE`]; the input's.
    pub(super) fn next(&mut self) -> Result<Next> {
        let mariadb = self.engine == Engine::Mariadb;
        loop {
            let delimiter = self.delimiter.clone();
            let ahead = self.input.ahead(64)?;
            let Some(first) = ahead.first() else { return Ok(Next::End) };
            let is_word = |word: &[u8]| {
                ahead.get(..word.len()).is_some_and(|a| a.eq_ignore_ascii_case(word))
                    && ahead.get(word.len()).is_none_or(|b| !b.is_ascii_alphanumeric() && *b != b'_')
            };
            if first.is_ascii_whitespace() {
                self.input.skip(1);
            } else if ahead.starts_with(&delimiter) {
                self.input.skip(delimiter.len());
            } else if is_line_comment(ahead, mariadb) {
                let mut line = Vec::new();
                self.input.line(&mut line)?;
                return Ok(Next::Comment(line));
            } else if ahead.starts_with(b"/*") && !(mariadb && is_conditional(ahead)) {
                self.block_comment()?;
            } else if *first == b'\\' {
                if mariadb {
                    return Err(self.hostile("a backslash command"));
                }
                let mut line = Vec::new();
                self.input.line(&mut line)?;
                return Ok(Next::Client(line));
            } else if mariadb && is_word(b"DELIMITER") {
                self.set_delimiter()?;
            } else if is_word(b"INSERT") {
                if delimiter != b";" {
                    return Err(self.hostile("rows under another delimiter"));
                }
                return Ok(Next::Insert);
            } else {
                let text = self.statement()?;
                if text.bytes.iter().any(|b| !b.is_ascii_whitespace()) {
                    return Ok(Next::Statement(text));
                }
            }
        }
    }

    fn set_delimiter(&mut self) -> Result<()> {
        let mut line = Vec::new();
        self.input.line(&mut line)?;
        let new = line.get(b"DELIMITER".len()..).unwrap_or_default().trim_ascii();
        if new.is_empty()
            || new.len() > 16
            || new.iter().any(|b| b.is_ascii_whitespace() || is_special(*b) || b.is_ascii_alphanumeric())
        {
            return Err(self.hostile("a delimiter that cannot be one"));
        }
        self.delimiter = new.to_vec();
        Ok(())
    }

    /// A statement up to its delimiter, comments left out; MariaDB's conditional comments are
    /// statements like others: whether a server of some version would skip them is not asked.
    fn statement(&mut self) -> Result<Text> {
        let mariadb = self.engine == Engine::Mariadb;
        let mut text = Text::default();
        let (mut depth, mut conditional) = (0_usize, false);
        loop {
            self.input.bounded(text.bytes.len())?;
            let delimiter = self.delimiter.clone();
            let ahead = self.input.ahead(64)?;
            let Some(first) = ahead.first().copied() else { return Err(self.input.truncated()) };
            if depth == 0 && ahead.starts_with(&delimiter) {
                self.input.skip(delimiter.len());
                if conditional {
                    return Err(self.hostile("a comment that is not closed"));
                }
                return Ok(text);
            }
            if is_line_comment(ahead, mariadb) {
                self.input.until(|b| b == b'\n', None)?;
                text.bytes.push(b' ');
            } else if mariadb && !conditional && is_conditional(ahead) {
                let head = version(ahead);
                let sandbox = ahead.get(head..).is_some_and(|rest| rest.starts_with(b"\\-"));
                if sandbox && text.bytes.is_empty() {
                    // "enable the sandbox mode", the first line of newer dumps: for the client
                    self.block_comment()?;
                    return Ok(text);
                }
                self.input.skip(head);
                text.bytes.push(b' ');
                conditional = true;
            } else if conditional && ahead.starts_with(b"*/") {
                self.input.skip(2);
                text.bytes.push(b' ');
                conditional = false;
            } else if ahead.starts_with(b"/*") {
                self.block_comment()?;
                text.bytes.push(b' ');
            } else if first == b'\'' || first == b'"' || (mariadb && first == b'`') {
                let escapes =
                    if mariadb { first != b'`' } else { first == b'\'' && is_escape_string(&text.bytes) };
                self.quoted(first, escapes, &mut text.bytes)?;
            } else if let Some(tag) = dollar_tag(ahead).filter(|_| !mariadb) {
                self.dollar_quoted(&tag, &mut text.bytes)?;
            } else if first == b'\\' {
                return Err(self.hostile("a backslash outside quotes"));
            } else if is_plain(first) {
                self.input.until(|b| !is_plain(b), Some(&mut text.bytes))?;
            } else {
                self.input.skip(1);
                text.bytes.push(first);
                match first {
                    b'(' => depth += 1,
                    b')' => {
                        depth = depth.saturating_sub(1);
                        if depth == 0 && text.bracket.is_none() {
                            text.bracket = Some(text.bytes.len());
                        }
                    }
                    _ => {}
                }
            }
        }
    }

    /// A quoted text with its quotes; a doubled quote closes one and opens the next.
    fn quoted(&mut self, quote: u8, escapes: bool, out: &mut Vec<u8>) -> Result<()> {
        out.push(self.input.demand()?);
        loop {
            let stop = self.input.until(|b| b == quote || (escapes && b == b'\\'), Some(out))?;
            out.push(self.input.demand()?);
            if stop == quote {
                return Ok(());
            }
            out.push(self.input.demand()?);
        }
    }

    fn dollar_quoted(&mut self, tag: &[u8], out: &mut Vec<u8>) -> Result<()> {
        out.extend_from_slice(tag);
        self.input.skip(tag.len());
        loop {
            self.input.until(|b| b == b'$', Some(out))?;
            if self.input.ahead(tag.len())?.starts_with(tag) {
                out.extend_from_slice(tag);
                self.input.skip(tag.len());
                return Ok(());
            }
            out.push(self.input.demand()?);
        }
    }

    /// Past a comment in `/* … */`; PostgreSQL's may hold others.
    fn block_comment(&mut self) -> Result<()> {
        let mut depth = 0_usize;
        loop {
            let ahead = self.input.ahead(2)?;
            if ahead.starts_with(b"/*") && (depth == 0 || self.engine == Engine::Postgresql) {
                depth += 1;
                self.input.skip(2);
            } else if ahead.starts_with(b"*/") {
                depth = depth.saturating_sub(1);
                self.input.skip(2);
                if depth == 0 {
                    return Ok(());
                }
            } else {
                self.input.demand()?;
            }
        }
    }
}

/// MariaDB's `--` wants a blank behind it.
fn is_line_comment(ahead: &[u8], mariadb: bool) -> bool {
    if mariadb {
        let blank = ahead.get(2).is_none_or(u8::is_ascii_whitespace);
        ahead.first() == Some(&b'#') || (ahead.starts_with(b"--") && blank)
    } else {
        ahead.starts_with(b"--")
    }
}

/// `/*!40101 …` or `/*M!100100 …`: executed by servers of that version and later.
fn is_conditional(ahead: &[u8]) -> bool {
    ahead.starts_with(b"/*!") || ahead.starts_with(b"/*M!")
}

/// How long the head of a conditional comment is, its version included.
fn version(ahead: &[u8]) -> usize {
    let mark = if ahead.starts_with(b"/*M!") { 4 } else { 3 };
    mark + ahead.iter().skip(mark).take_while(|b| b.is_ascii_digit()).count()
}

/// Whether a quote that follows belongs to `E'…'`, where a backslash escapes.
fn is_escape_string(before: &[u8]) -> bool {
    let mut back = before.iter().rev();
    back.next().is_some_and(|b| b.eq_ignore_ascii_case(&b'e')) && back.next().is_none_or(|b| !is_name(*b))
}

/// `$$` or `$tag$`.
fn dollar_tag(ahead: &[u8]) -> Option<Vec<u8>> {
    let rest = ahead.strip_prefix(b"$")?;
    let name = rest.iter().take_while(|b| is_name(**b) && **b != b'$').count();
    let begins_well = rest.first().is_none_or(|b| !b.is_ascii_digit());
    (begins_well && rest.get(name) == Some(&b'$')).then(|| ahead.iter().take(name + 2).copied().collect())
}

/// A byte of an identifier that needs no quotes.
pub(super) const fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$') || byte >= 0x80
}

/// A byte that means nothing beyond itself wherever it stands.
const fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b' ' | b'_')
}

const fn is_special(byte: u8) -> bool {
    matches!(byte, b'\'' | b'"' | b'`' | b'\\' | b'(' | b')' | b',')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(engine: Engine, text: &str) -> Script {
        Script::new(
            Input::new(Box::new(std::io::Cursor::new(text.as_bytes().to_vec())), 1 << 20, false),
            engine,
        )
    }

    fn all(engine: Engine, text: &str) -> Result<Vec<String>> {
        let mut script = script(engine, text);
        let mut found = Vec::new();
        loop {
            match script.next()? {
                Next::End => return Ok(found),
                Next::Statement(text) => found.push(String::from_utf8(text.bytes).unwrap().trim().to_owned()),
                Next::Comment(line) => found.push(String::from_utf8(line).unwrap()),
                Next::Client(line) => found.push(String::from_utf8(line).unwrap()),
                Next::Insert => {
                    found.push("INSERT".to_owned());
                    script.input.until(|b| b == b';', None).unwrap();
                }
            }
        }
    }

    #[test]
    fn statements_end_where_the_servers_say() {
        let text = "SELECT 'a;''b;', E'c\\';', \"d;\", $$;$$, $t$;$$;$t$ /* ; /* ; */ */ -- ;\n; \
                    CREATE RULE r AS DO (SELECT 1; SELECT 2);\n\\restrict x\n-- end\n";
        let found = all(Engine::Postgresql, text).unwrap();
        assert_eq!(found.len(), 4, "{found:?}");
        assert!(found[0].ends_with("$t$;$$;$t$"), "{found:?}");
        assert_eq!(found[3], "-- end");
        let text = "/*M!999999\\- enable the sandbox mode */ \n-- MariaDB dump\n/*!40101 SET NAMES utf8mb4 */;\n\
                    DELIMITER ;;\n/*!50003 CREATE*/ /*!50003 TRIGGER t BEGIN a; b; END */;;\nDELIMITER ;\n\
                    SET x='a\\';', y=\"b;\", z=`c;` # ;\n;INSERT INTO t VALUES (1);\n";
        let found = all(Engine::Mariadb, text).unwrap();
        let expected = [
            "-- MariaDB dump",
            "SET NAMES utf8mb4",
            "CREATE    TRIGGER t BEGIN a; b; END",
            "SET x='a\\';', y=\"b;\", z=`c;`",
            "INSERT",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn what_only_a_client_acts_on_or_never_ends_is_refused() {
        for (engine, text, code) in [
            (Engine::Postgresql, "SELECT 1 \\! rm\n;", "ECL-SRC-603"),
            (Engine::Mariadb, "\\! rm\n", "ECL-SRC-603"),
            (Engine::Mariadb, "SET a = 1 \\. file\n;", "ECL-SRC-603"),
            (Engine::Mariadb, "/*!50000 SET a = 1 ;", "ECL-SRC-603"),
            (Engine::Mariadb, "DELIMITER '\nx", "ECL-SRC-603"),
            (Engine::Mariadb, "DELIMITER ;;\nINSERT INTO t VALUES (1);;", "ECL-SRC-603"),
            (Engine::Postgresql, "SELECT 'never closed;", "ECL-SRC-602"),
            (Engine::Postgresql, "SELECT $a$ never closed $b$;", "ECL-SRC-602"),
            (Engine::Postgresql, "SELECT (1;", "ECL-SRC-602"),
            (Engine::Mariadb, "/* never closed ", "ECL-SRC-602"),
            (Engine::Postgresql, "SELECT \0;", "ECL-SRC-611"),
        ] {
            assert_eq!(all(engine, text).unwrap_err().code().id, code, "{text}");
        }
        let long = format!("SELECT '{}';", "x".repeat(2 << 20));
        assert_eq!(all(Engine::Postgresql, &long).unwrap_err().code().id, "ECL-SRC-610");
    }
}
