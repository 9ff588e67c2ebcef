//! Findings drawn as a compiler draws them: the place, what is wrong, the law, what to write.

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use crate::count::{number, plural};
use crate::finding::Finding;
use crate::plain::shown;

/// A document that findings point into.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// The name findings use (`instruction.toml`), or empty for the document under check.
    pub name: &'a str,
    /// The path to print.
    pub path: &'a str,
    /// Its text.
    pub text: &'a str,
}

/// Columns a drawing is fitted to.
const WIDTH: usize = 110;

/// Findings that are drawn; a reader mends these before the next look. Each drawing takes the whole text again: a
/// paper of a megabyte with a wrong key in every line would be drawn for an hour.
const MOST: usize = 50;

/// Draws findings one after the other, without colour unless `colour`; of very many the first, and how many more
/// there are. The first source is the one that findings without a file point into.
#[must_use]
pub fn render(findings: &[Finding], sources: &[Source<'_>], colour: bool) -> String {
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() }.term_width(WIDTH);
    let mut out = String::new();
    // of what is drawn a screen obeys nothing, and every place stays where it was
    let texts: Vec<String> = sources.iter().map(|source| shown(source.text)).collect();
    let sources: Vec<Source<'_>> =
        sources.iter().zip(&texts).map(|(source, text)| Source { text, ..*source }).collect();
    for finding in findings.iter().take(MOST) {
        let mut finding = finding.clone();
        finding.message = shown(&finding.message);
        finding.help = finding.help.as_deref().map(shown);
        out += renderer.render(&[group(&finding, &sources)]).trim_end();
        out += "\n\n";
    }
    if let more @ 1.. = findings.len().saturating_sub(MOST) {
        out +=
            &format!("and {}; mend these first\n\n", plural(number(more), "more mistake", "more mistakes"));
    }
    out
}

fn group<'a>(finding: &'a Finding, sources: &'a [Source<'a>]) -> Group<'a> {
    let title = Level::ERROR.primary_title(finding.code.title).id(finding.code.id);
    let file = finding.file.as_deref();
    let source = match file {
        Some(name) => sources.iter().find(|s| s.name == name),
        None => sources.first(),
    };
    let mut group = match (source, &finding.span) {
        (Some(source), Some(span)) if span.start < span.end && source.text.get(span.clone()).is_some() => {
            let mark = AnnotationKind::Primary.span(span.clone()).label(finding.message.as_str());
            let mut snippet = Snippet::source(source.text).path(source.path).annotation(mark);
            // a second place of the same document belongs into the same picture
            for place in finding.also.iter().filter(|p| p.file == source.name) {
                let mark = AnnotationKind::Context.span(clamped(source.text, &place.span));
                snippet = snippet.annotation(mark.label(place.label.as_str()));
            }
            title.element(snippet)
        }
        (source, _) => {
            let path = source.map(|s| s.path).or(file).unwrap_or_default();
            let group =
                if path.is_empty() { Group::with_title(title) } else { title.element(Origin::path(path)) };
            if finding.message.is_empty() {
                group
            } else {
                group.element(Level::NOTE.no_name().message(finding.message.as_str()))
            }
        }
    };
    for place in &finding.also {
        let other =
            sources.iter().find(|s| s.name == place.file && source.is_none_or(|first| first.name != s.name));
        if let Some(other) = other {
            let mark =
                AnnotationKind::Context.span(clamped(other.text, &place.span)).label(place.label.as_str());
            group = group.element(Snippet::source(other.text).path(other.path).annotation(mark));
        }
    }
    if let Some(law) = finding.law {
        group = group.element(Level::NOTE.with_name(Some("law")).message(law));
    }
    if let Some(help) = &finding.help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    group
}

/// A span inside the text, whatever it said.
fn clamped(text: &str, span: &std::ops::Range<usize>) -> std::ops::Range<usize> {
    if text.get(span.clone()).is_some() { span.clone() } else { 0..0 }
}

#[cfg(test)]
mod tests {
    use super::{MOST, Source, render};

    #[test]
    fn of_very_many_mistakes_the_first_are_drawn_and_the_others_counted() {
        let drawn = |keys: usize| {
            let text: String = (0..keys).map(|key| format!("a{key} = 1\n")).collect();
            let findings = crate::codes::parse(&text).unwrap_err();
            assert_eq!(findings.len(), keys + 1);
            let source = Source { name: "codes.toml", path: "codes.toml", text: &text };
            render(&findings, &[source], false)
        };
        let whole = drawn(MOST - 1);
        assert_eq!(whole.matches("error[").count(), MOST);
        assert!(!whole.contains("more mistake"), "{whole}");
        let cut = drawn(MOST + 1);
        assert_eq!(cut.matches("error[").count(), MOST);
        assert!(cut.ends_with("and 2 more mistakes; mend these first\n\n"), "{cut}");
    }
}
