//! The few options of the tools, without a parser's weight.

use crate::Outcome;

/// Takes `name VALUE` out of the arguments, as often as it is there.
pub(crate) fn values(arguments: &mut Vec<String>, name: &str) -> Outcome<Vec<String>> {
    let mut found = Vec::new();
    while let Some(at) = arguments.iter().position(|a| a == name) {
        arguments.remove(at);
        if at >= arguments.len() {
            return Err(format!("{name} needs a value"));
        }
        found.push(arguments.remove(at));
    }
    Ok(found)
}

/// Takes a bare option out of the arguments.
pub(crate) fn flag(arguments: &mut Vec<String>, name: &str) -> bool {
    let before = arguments.len();
    arguments.retain(|a| a != name);
    arguments.len() != before
}

/// Refuses what is left.
pub(crate) fn finished(arguments: &[String]) -> Outcome {
    match arguments.first() {
        None => Ok(()),
        Some(left) => Err(format!("what is {left}? see cargo xtask help")),
    }
}
