//! The filter's text, parsed by the CEL parser, then read into the typed subset.
//!
//! CEL: <https://github.com/google/cel-spec>. What the subset leaves out is refused by
//! name, never ignored: arithmetic, functions, macros, comparisons between columns.

use std::ops::Range;

use cel::common::ast::operators as op;
use cel::common::ast::{CallExpr, Expr, ListExpr, LiteralValue, SourceInfo};
use cel::parser::{Expression, Parser};

use super::names::Names;
use super::{Comparison, Filter, literal, place};
use crate::fault::Code;
use crate::finding::Finding;
use crate::types::Type;
use crate::value::Value;

/// The text is not an expression of CEL.
pub static SYNTAX: Code = Code::refused("ECL-FLT-001", "this row filter cannot be read");
/// A name that the table, or the instruction, does not have.
pub static UNKNOWN: Code = Code::refused("ECL-FLT-002", "unknown name in a row filter");
/// A construct of CEL outside the subset.
pub static OUTSIDE: Code = Code::refused("ECL-FLT-003", "a row filter does not go this far");
/// A literal of another type than its column's.
pub static MISTYPED: Code = Code::refused("ECL-FLT-004", "a value of another type than its column");
/// A comparison whose right side is no literal.
pub static SIDES: Code =
    Code::refused("ECL-FLT-005", "a comparison has its column on the left, a value on the right");
/// More text, nesting or values than a filter may have.
pub static TOO_LARGE: Code = Code::refused("ECL-FLT-006", "this row filter is too large");
/// A literal that does not exist: 30 February, 39 digits, U+0000.
pub static NO_VALUE: Code = Code::refused("ECL-FLT-007", "this value does not exist");
/// A column whose type has no comparison that all engines share.
pub static INCOMPARABLE: Code = Code::refused("ECL-FLT-008", "a column that cannot be compared");

/// Bytes of text at most: a page.
pub const MAX_BYTES: usize = 16 * 1024;
/// Room for a page of operators, several times over; only what is used is ever touched.
const STACK: usize = 256 * 1024 * 1024;
/// Nesting at most.
const MAX_DEPTH: usize = 32;
/// Literals at most: one statement can bind them all on every engine.
const MAX_VALUES: usize = 1000;

/// Reads a filter against the columns it may name.
///
/// Spans are bytes of `text`. All findings at once, in the order of the text.
///
/// # Errors
///
/// The findings, at least one.
pub fn parse(text: &str, names: &Names<'_>) -> Result<Filter, Vec<Finding>> {
    if text.len() > MAX_BYTES {
        return Err(vec![too_large(
            0..text.floor_char_boundary(MAX_BYTES),
            &format!("{} bytes of text, {MAX_BYTES} at most", text.len()),
        )]);
    }
    if let Some((at, c)) =
        text.char_indices().find(|(_, c)| c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
    {
        return Err(vec![
            Finding::new(&SYNTAX, format!("a control character (U+{:04X}) stands in it", u32::from(c)))
                .at(at..at + c.len_utf8())
                .help("remove it; inside a text write it as an escape"),
        ]);
    }
    if let Some(at) = deep(text) {
        return Err(vec![too_large(at..at + 1, &format!("brackets nested deeper than {MAX_DEPTH}"))]);
    }
    // The parser, and the tree it makes, recurse once per operator: `1+1+1+…` over a page would
    // overflow a common stack, which no code can catch. A panic of the parser ends here too.
    if cfg!(target_arch = "wasm32") {
        // no threads there: a stack that overflows stops the whole check, which the page then says
        return read(text, names);
    }
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK);
        let read = thread.spawn_scoped(scope, || read(text, names)).map(std::thread::ScopedJoinHandle::join);
        match read {
            Ok(Ok(read)) => read,
            _ => Err(vec![Finding::new(&SYNTAX, "the parser gives up").at(0..text.len())]),
        }
    })
}

fn read(text: &str, names: &Names<'_>) -> Result<Filter, Vec<Finding>> {
    let (tree, source) = Parser::new()
        .error_recovery_limit(4)
        .parse_with_source_info(text)
        .map_err(|errors| syntax(text, &errors))?;
    let mut reader = Reader { text, source: &source, names, findings: Vec::new(), values: 0 };
    let filter = reader.filter(&tree, 0);
    match (filter, reader.findings) {
        (Some(filter), findings) if findings.is_empty() => Ok(filter),
        (_, mut findings) => {
            findings.sort_by_key(|f| f.span.as_ref().map_or(0, |s| s.start));
            if findings.is_empty() {
                findings.push(Finding::new(&OUTSIDE, "the filter").at(0..text.len()));
            }
            Err(findings)
        }
    }
}

/// Where brackets nest too deep; checked before the parser, which recurses. Brackets within
/// texts count too: nobody writes that many.
fn deep(text: &str) -> Option<usize> {
    let mut depth = 0usize;
    for (at, b) in text.bytes().enumerate() {
        match b {
            b'(' | b'[' | b'{' => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return Some(at);
                }
            }
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}

/// What SQL's habits are called here.
fn meant(text: &str) -> &'static str {
    let bare: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let bare = ["==", "!=", "<=", ">="].iter().fold(bare, |text, op| text.replace(op, ""));
    let words: Vec<String> =
        text.split(|c: char| !c.is_alphanumeric() && c != '_').map(str::to_lowercase).collect();
    let has = |word: &str| words.iter().any(|w| w == word);
    if bare.contains('=') {
        "equal is written ==, not equal !="
    } else if has("like") {
        "write column.startsWith(\"A\") for like 'A%'"
    } else if has("or") || has("and") || has("not") {
        "write || for or, && for and, ! for not"
    } else {
        "for instance: status == 4 && date_prescr >= date(\"2019-01-01\")"
    }
}

fn syntax(text: &str, errors: &cel::ParseErrors) -> Vec<Finding> {
    let mut findings: Vec<Finding> = errors
        .errors
        .iter()
        .take(3)
        .map(|e| {
            let at = place::offset(text, e.pos);
            let end = text.char_indices().map(|(i, _)| i).find(|i| *i > at).unwrap_or(text.len());
            Finding::new(&SYNTAX, e.msg.lines().next().unwrap_or_default().trim().to_owned())
                .at(at..end)
                .help(meant(text))
        })
        .collect();
    if findings.is_empty() {
        findings
            .push(Finding::new(&SYNTAX, "it is empty").at(0..text.len()).help("write true for every row"));
    }
    findings
}

fn too_large(span: Range<usize>, what: &str) -> Finding {
    Finding::new(&TOO_LARGE, what)
        .at(span)
        .help("split the rows by a simpler rule, or mark them in a column of the source")
}

struct Reader<'a> {
    text: &'a str,
    source: &'a SourceInfo,
    names: &'a Names<'a>,
    findings: Vec<Finding>,
    values: usize,
}

/// A column of the table, found.
struct Found {
    index: usize,
    ty: Type,
}

impl<'a> Reader<'a> {
    /// Reads one node; `None` where a finding was made.
    fn filter(&mut self, node: &Expression, depth: usize) -> Option<Filter> {
        if depth > MAX_DEPTH {
            return self.refuse(too_large(self.span(node), &format!("nested deeper than {MAX_DEPTH}")));
        }
        match &node.expr {
            Expr::Literal(LiteralValue::Boolean(b)) if *b.inner() => Some(Filter::Every),
            Expr::Literal(LiteralValue::Boolean(_)) => {
                self.outside(node, "`false` chooses no row", "leave the table out of the instruction")
            }
            Expr::Call(call) => self.call(node, call, depth),
            Expr::Ident(_) | Expr::Select(_) => {
                // a yes-or-no column says it all by itself
                let column = self.column(node)?;
                if column.ty != Type::Bool {
                    let span = self.span(node);
                    return self.refuse(
                        Finding::new(
                            &MISTYPED,
                            format!("`{}` is {}, not a yes or no", self.slice(&span), column.ty),
                        )
                        .at(span)
                        .help("compare it with a value"),
                    );
                }
                Some(Filter::Compare { column: column.index, op: Comparison::Eq, value: Value::Bool(true) })
            }
            Expr::Comprehension(_) => {
                self.outside(node, "a macro", "compare columns with values; the macros of CEL are left out")
            }
            _ => self.outside(node, "this is no condition", "compare a column with a value"),
        }
    }

    fn call(&mut self, node: &Expression, call: &CallExpr, depth: usize) -> Option<Filter> {
        match (call.func_name.as_str(), &call.target, call.args.as_slice()) {
            (op::LOGICAL_AND | op::LOGICAL_OR, None, args) => {
                let and = call.func_name == op::LOGICAL_AND;
                let mut flat = Vec::new();
                flatten(&call.func_name, args, &mut flat);
                // every part is read, so that all findings come at once
                let parts: Vec<Option<Filter>> = flat.iter().map(|n| self.filter(n, depth + 1)).collect();
                let parts: Vec<Filter> = parts.into_iter().collect::<Option<_>>()?;
                Some(if and { Filter::And(parts) } else { Filter::Or(parts) })
            }
            (op::LOGICAL_NOT, None, [inner]) => Some(Filter::Not(Box::new(self.filter(inner, depth + 1)?))),
            (name, None, [left, right]) if comparison(name).is_some() => {
                let comparison = comparison(name)?;
                self.comparison(node, comparison, left, right)
            }
            (op::IN, None, [left, right]) => self.membership(left, right),
            ("startsWith", Some(target), [prefix]) => self.starts_with(target, prefix),
            (op::INDEX, None, _) => {
                let column = self.column(node)?;
                if column.ty == Type::Bool {
                    return Some(Filter::Compare {
                        column: column.index,
                        op: Comparison::Eq,
                        value: Value::Bool(true),
                    });
                }
                self.outside(node, "this is no condition", "compare it with a value")
            }
            (op::ADD | op::SUBSTRACT | op::MULTIPLY | op::DIVIDE | op::MODULO | op::NEGATE, ..) => {
                self.outside(node, "arithmetic", "write the value itself: nothing is computed")
            }
            (op::CONDITIONAL, ..) => self.outside(node, "a choice (`? :`)", "write it with && and ||"),
            (name, ..) => {
                let message = format!("`{name}` is not one of its functions");
                self.outside(node, &message, "only startsWith, date, timestamp and decimal exist here")
            }
        }
    }

    fn comparison(
        &mut self,
        node: &Expression,
        op: Comparison,
        left: &Expression,
        right: &Expression,
    ) -> Option<Filter> {
        if literal::is_literal(&left.expr) {
            return self.refuse(
                Finding::new(&SIDES, "the value stands on the left")
                    .at(self.span(node))
                    .help("write the column first, then the value"),
            );
        }
        let column = self.column(left);
        if matches!(right.expr, Expr::Ident(_) | Expr::Select(_)) || place::is_index(right) {
            return self.refuse(Finding::new(&SIDES, "two columns are compared").at(self.span(node)).help(
                "compare a column with a value; for another table's rows write `column in chosen.TABLE`",
            ));
        }
        let column = column?;
        if matches!(right.expr, Expr::Literal(LiteralValue::Null)) {
            let is_null = Filter::IsNull { column: column.index };
            return match op {
                Comparison::Eq => Some(is_null),
                Comparison::Ne => Some(Filter::Not(Box::new(is_null))),
                _ => self.refuse(
                    Finding::new(&MISTYPED, "null has no order")
                        .at(self.span(node))
                        .help("write == null or != null"),
                ),
            };
        }
        if column.ty == Type::Bool && !matches!(op, Comparison::Eq | Comparison::Ne) {
            return self.refuse(
                Finding::new(&MISTYPED, "yes and no have no order")
                    .at(self.span(node))
                    .help("write == or !="),
            );
        }
        let value = self.value(left, &column, right)?;
        Some(Filter::Compare { column: column.index, op, value })
    }

    fn membership(&mut self, left: &Expression, right: &Expression) -> Option<Filter> {
        let column = self.column(left);
        if let Expr::List(ListExpr { elements, .. }) = &right.expr {
            if elements.is_empty() {
                return self.outside(right, "an empty list chooses no row", "name the values");
            }
            let column = column?;
            let values: Vec<Option<Value>> = elements.iter().map(|e| self.value(left, &column, e)).collect();
            let mut values: Vec<Value> = values.into_iter().collect::<Option<_>>()?;
            values.sort();
            values.dedup();
            return Some(Filter::OneOf { column: column.index, values });
        }
        match path(right) {
            Some(path) if path.first().is_some_and(|p| p == "chosen") => {
                let column = column?;
                match self.names.other(path.get(1..).unwrap_or_default()) {
                    Ok((table, other, ty))
                        if ty == column.ty && !matches!(ty, Type::Float | Type::Single | Type::Json) =>
                    {
                        Some(Filter::Chosen { column: column.index, table, other })
                    }
                    Ok((_, _, ty)) => self.refuse(
                        Finding::new(&MISTYPED, format!("{} values are looked up among {ty}", column.ty))
                            .at(self.span(left).start..self.span(right).end)
                            .help("both columns must have the same type"),
                    ),
                    Err((message, help)) => {
                        self.refuse(Finding::new(&UNKNOWN, message).at(self.span(right)).help(help))
                    }
                }
            }
            _ => self.outside(
                right,
                "`in` looks into neither a list nor chosen rows",
                "write `in [1, 2]` or `in chosen.TABLE`",
            ),
        }
    }

    fn starts_with(&mut self, target: &Expression, prefix: &Expression) -> Option<Filter> {
        let column = self.column(target)?;
        if column.ty != Type::Text {
            return self.refuse(
                Finding::new(&MISTYPED, format!("startsWith asks about text, the column is {}", column.ty))
                    .at(self.span(target)),
            );
        }
        match self.value(target, &column, prefix)? {
            Value::Text(text) if text.is_empty() => {
                self.outside(prefix, "every text begins with nothing", "write `!= null`")
            }
            Value::Text(prefix) => Some(Filter::StartsWith { column: column.index, prefix }),
            _ => None,
        }
    }

    /// The literal, of exactly the column's type.
    fn value(&mut self, left: &Expression, column: &Found, node: &Expression) -> Option<Value> {
        self.values += 1;
        let span = self.span(node);
        if self.values > MAX_VALUES {
            if self.values == MAX_VALUES + 1 {
                self.findings.push(too_large(span, &format!("more than {MAX_VALUES} values")));
            }
            return None;
        }
        match literal::value(&node.expr, column.ty) {
            Ok(value) => Some(value),
            Err(wrong) => {
                let name = self.slice(&self.span(left)).to_owned();
                let written = self.slice(&span).to_owned();
                self.refuse(wrong.finding(&name, column.ty, &written).at(span))
            }
        }
    }

    fn column(&mut self, node: &Expression) -> Option<Found> {
        let span = self.span(node);
        let name = match path(node).as_deref() {
            Some([name]) => name.clone(),
            Some([col, name]) if col == "col" => name.clone(),
            Some(path) if path.first().is_some_and(|p| p == "chosen") => {
                return self.outside(
                    node,
                    "chosen rows stand to the right of `in`",
                    "write `column in chosen.TABLE`",
                );
            }
            Some(path) => {
                return self.refuse(
                    Finding::new(&UNKNOWN, format!("`{}` is no column of this table", path.join(".")))
                        .at(span)
                        .help("a filter names the columns of its own table, without the table's name"),
                );
            }
            None => {
                return self.outside(
                    node,
                    "a comparison begins with a column",
                    "write the column's name first",
                );
            }
        };
        match self.names.column(&name) {
            Ok((index, Some(ty))) => Some(Found { index, ty }),
            Ok((_, None)) => self.refuse(
                Finding::new(
                    &INCOMPARABLE,
                    format!("`{name}` has a type of its engine that has no counterpart"),
                )
                .at(span),
            ),
            Err(help) => {
                let finding = Finding::new(&UNKNOWN, format!("this table has no column `{name}`")).at(span);
                self.refuse(match help {
                    Some(help) => finding.help(help),
                    None => finding,
                })
            }
        }
    }

    fn outside<T>(&mut self, node: &Expression, message: &str, help: &str) -> Option<T> {
        let span = self.span(node);
        self.refuse(Finding::new(&OUTSIDE, message).at(span).help(help))
    }

    fn refuse<T>(&mut self, finding: Finding) -> Option<T> {
        self.findings.push(finding);
        None
    }

    fn slice(&self, span: &Range<usize>) -> &'a str {
        self.text.get(span.clone()).unwrap_or_default()
    }

    fn span(&self, node: &Expression) -> Range<usize> {
        place::span(self.text, self.source, node)
    }
}

fn comparison(name: &str) -> Option<Comparison> {
    Some(match name {
        op::EQUALS => Comparison::Eq,
        op::NOT_EQUALS => Comparison::Ne,
        op::LESS => Comparison::Lt,
        op::LESS_EQUALS => Comparison::Le,
        op::GREATER => Comparison::Gt,
        op::GREATER_EQUALS => Comparison::Ge,
        _ => return None,
    })
}

/// The parser makes a tree of `a && b && c`: its leaves in order.
fn flatten<'n>(name: &str, args: &'n [Expression], out: &mut Vec<&'n Expression>) {
    for arg in args {
        match &arg.expr {
            Expr::Call(call) if call.func_name == name => flatten(name, &call.args, out),
            _ => out.push(arg),
        }
    }
}

/// `a.b["c"]` as its names; `None` for anything else.
fn path(node: &Expression) -> Option<Vec<String>> {
    let mut names = Vec::new();
    let mut node = node;
    loop {
        match &node.expr {
            Expr::Ident(name) => {
                names.push(name.clone());
                names.reverse();
                return Some(names);
            }
            Expr::Select(select) if !select.test => {
                names.push(select.field.clone());
                node = &select.operand;
            }
            Expr::Call(call) if call.func_name == op::INDEX => {
                let [target, index] = call.args.as_slice() else { return None };
                let Expr::Literal(LiteralValue::String(name)) = &index.expr else { return None };
                names.push(name.inner().to_owned());
                node = target;
            }
            _ => return None,
        }
    }
}
