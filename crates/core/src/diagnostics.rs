//! Findings drawn as a compiler draws them: the place, what is wrong, the law, what to write.

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

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

/// Draws findings one after the other, without colour unless `colour`. The first source
/// is the one that findings without a file point into.
#[must_use]
pub fn render(findings: &[Finding], sources: &[Source<'_>], colour: bool) -> String {
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() }.term_width(WIDTH);
    let mut out = String::new();
    // of what is drawn a screen obeys nothing, and every place stays where it was
    let texts: Vec<String> = sources.iter().map(|source| shown(source.text)).collect();
    let sources: Vec<Source<'_>> =
        sources.iter().zip(&texts).map(|(source, text)| Source { text, ..*source }).collect();
    for finding in findings {
        let mut finding = finding.clone();
        finding.message = shown(&finding.message);
        finding.help = finding.help.as_deref().map(shown);
        out += renderer.render(&[group(&finding, &sources)]).trim_end();
        out += "\n\n";
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
