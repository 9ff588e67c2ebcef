//! Where in a filter's text a node was read from. The parser notes one token per node: an
//! operator, a bracket, a dot; the rest is found around it.

use std::ops::Range;

use cel::common::ast::operators as op;
use cel::common::ast::{Expr, SourceInfo};
use cel::parser::Expression;

/// The bytes that a node and everything under it was read from.
pub(super) fn span(text: &str, source: &SourceInfo, node: &Expression) -> Range<usize> {
    let (mut start, mut end) = (text.len(), 0);
    let mut todo = vec![node];
    while let Some(node) = todo.pop() {
        let bound = |n: u32| usize::try_from(n).unwrap_or(usize::MAX).min(text.len());
        let Some((first, last)) =
            source.offset_for(node.id).map(|(f, l)| (bound(f), bound(l.saturating_add(1))))
        else {
            continue;
        };
        start = start.min(first);
        end = end.max(last);
        match &node.expr {
            Expr::Call(call) => {
                // a function's name stands before its bracket
                if call.target.is_none() && is_name(&call.func_name) {
                    let before = text.get(..first).unwrap_or_default().trim_end();
                    start = start.min(before.strip_suffix(call.func_name.as_str()).map_or(first, str::len));
                }
                todo.extend(call.target.as_deref().into_iter().chain(&call.args));
            }
            Expr::Select(select) => {
                // a field's name follows its dot
                end = end.max((first + 1 + select.field.len()).min(text.len()));
                todo.push(&select.operand);
            }
            Expr::List(list) => todo.extend(&list.elements),
            _ => {}
        }
    }
    let bracketed = match &node.expr {
        Expr::Call(call) => is_name(&call.func_name) || is_index(node),
        Expr::List(_) => true,
        _ => false,
    };
    if bracketed {
        end = closing(text, end);
    }
    while end < text.len() && !text.is_char_boundary(end) {
        end += 1;
    }
    while start > 0 && !text.is_char_boundary(start) {
        start -= 1;
    }
    if start < end { start..end } else { 0..text.len() }
}

/// Past the next closing bracket, where nothing but blanks stands before it.
fn closing(text: &str, end: usize) -> usize {
    let rest = text.get(end..).unwrap_or_default();
    let blanks = rest.len() - rest.trim_start().len();
    if rest.trim_start().starts_with([')', ']']) { end + blanks + 1 } else { end }
}

/// The byte at a parser's line (from 1) and column (from 1, in characters).
pub(super) fn offset(text: &str, (line, column): (isize, isize)) -> usize {
    let line = usize::try_from(line).unwrap_or(1).max(1);
    let column = usize::try_from(column).unwrap_or(1).max(1);
    let start: usize = text.split_inclusive('\n').take(line - 1).map(str::len).sum();
    let rest = text.get(start..).unwrap_or_default();
    rest.char_indices().nth(column - 1).map_or(text.len(), |(i, _)| start + i)
}

/// A function's name, not one of the parser's names for operators (`_==_`, `!_`, `@in`).
fn is_name(function: &str) -> bool {
    function.starts_with(|c: char| c.is_ascii_alphabetic())
}

pub(super) fn is_index(node: &Expression) -> bool {
    matches!(&node.expr, Expr::Call(call) if call.func_name == op::INDEX)
}
