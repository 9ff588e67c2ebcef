//! The flow, drawn: a band per table as wide as its rows; what stays bends away; refused
//! rows are a thin thread with a number. Inline SVG that needs no colour to be understood.

use std::fmt::Write as _;

use ecluse_core::language::Language;

use super::figure::Figure;

/// One table's band: drawn from the figures as they are printed, so that a hidden count cannot be
/// measured.
#[derive(Debug, Default)]
pub(crate) struct Band {
    /// What the table is called.
    pub(crate) label: String,
    pub(crate) moved: Figure,
    pub(crate) refused: Figure,
    /// Rows left where they are.
    pub(crate) stays: Figure,
    /// What becomes of the rows that stay.
    pub(crate) fate: String,
}

/// User units: the viewBox is 520 wide, so that text stays readable on a telephone.
const WIDTH: f64 = 520.0;
const LEFT: f64 = 10.0;
const RIGHT: f64 = 510.0;
/// Where what stays ends.
const AWAY: f64 = 200.0;
/// The widest band.
const WIDEST: f64 = 46.0;
/// A band of one row among millions is still seen.
const THINNEST: f64 = 1.5;

/// The drawing; `source` and `destination` label the two sides.
pub(crate) fn draw(source: &str, destination: &str, bands: &[Band], lang: Language) -> String {
    let whole = |b: &Band| [b.moved, b.refused, b.stays].map(Figure::width).into_iter().sum();
    let most: u64 = bands.iter().map(whole).max().unwrap_or(1).max(1);
    let width = |rows: u64| match rows {
        0 => 0.0,
        rows => (ratio(rows, most) * WIDEST).max(THINNEST),
    };
    let mut body = String::new();
    let mut y = 44.0;
    for band in bands {
        y = draw_band(&mut body, band, y, &width, lang);
    }
    let height = y + 6.0;
    let tables = bands.len();
    let title = escape(&lang.of(
        format!("Rows of {tables} tables moving from {source} to {destination}"),
        format!("Lignes de {tables} tables passant de {source} à {destination}"),
    ));
    format!(
        r##"<svg viewBox="0 0 {WIDTH} {height:.0}" role="img" aria-label="{title}" font-size="13">
<text x="{LEFT}" y="16" font-weight="600">{}</text>
<text x="{RIGHT}" y="16" font-weight="600" text-anchor="end">{}</text>
<path d="M{LEFT} 26V{height:.0}M{RIGHT} 26V{height:.0}" stroke="#1a1a1a" stroke-width="2" fill="none"/>
{body}</svg>"##,
        escape(source),
        escape(destination),
    )
}

/// Draws one band below `y`; returns where the next one begins.
fn draw_band(out: &mut String, band: &Band, y: f64, width: &dyn Fn(u64) -> f64, lang: Language) -> f64 {
    let moved = width(band.moved.width());
    let refused = if band.refused.width() > 0 { THINNEST } else { 0.0 };
    let stays = width(band.stays.width());
    let top = y + 18.0;
    let _ = writeln!(
        out,
        r#"<text x="{}" y="{:.1}">{}</text><text x="{}" y="{:.1}" text-anchor="end">{}</text>"#,
        LEFT + 8.0,
        y + 12.0,
        escape(&band.label),
        RIGHT - 8.0,
        y + 12.0,
        escape(&band.moved.told(lang)),
    );
    if moved > 0.0 {
        let _ = writeln!(
            out,
            r##"<rect x="{LEFT}" y="{top:.1}" width="{:.1}" height="{moved:.1}" fill="#1f4e8c"/>"##,
            RIGHT - LEFT
        );
    }
    let mut below = top + moved;
    if refused > 0.0 {
        let end = below + 12.0;
        let _ = writeln!(
            out,
            r##"<path d="M{LEFT} {b:.1}H330C360 {b:.1} 360 {end:.1} 384 {end:.1}" stroke="#1a1a1a" stroke-width="{THINNEST}" stroke-dasharray="4 3" fill="none"/><circle cx="387" cy="{end:.1}" r="2.5" fill="#1a1a1a"/><text x="395" y="{:.1}" font-size="12">{}</text>"##,
            end + 4.0,
            escape(&band.refused.of(lang, lang.of("refused", "refusée"), lang.of("refused", "refusées"))),
            b = below + 0.75,
        );
        below += 2.5;
    }
    let mut bottom = if refused > 0.0 { below + 16.0 } else { below };
    if stays > 0.0 {
        let (drop, end) = (14.0, AWAY);
        let low = below + drop;
        let _ = writeln!(
            out,
            r##"<path d="M{LEFT} {below:.1}H80C135 {below:.1} 135 {low:.1} {end} {low:.1}V{lower:.1}C135 {lower:.1} 135 {bend:.1} 80 {bend:.1}H{LEFT}Z" fill="#c9c9c6"/><text class="quiet" x="{}" y="{:.1}" font-size="12">{}{}</text>"##,
            end + 8.0,
            low + stays / 2.0 + 4.0,
            escape(&band.stays.of(lang, lang.of("stays", "reste"), lang.of("stay", "restent"))),
            if band.fate.is_empty() {
                String::new()
            } else {
                format!("{} {}", lang.of(":", " :"), escape(&band.fate))
            },
            lower = low + stays,
            bend = below + stays,
        );
        bottom = bottom.max(low + stays);
    }
    bottom + 14.0
}

/// A share in 0..=1, exact enough for a picture.
fn ratio(part: u64, whole: u64) -> f64 {
    let thousandths = u128::from(part) * 100_000 / u128::from(whole.max(1));
    f64::from(u32::try_from(thousandths).unwrap_or(100_000)) / 100_000.0
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hidden_count_is_not_in_the_drawing() {
        let band = Band {
            label: "HIV <tests>".into(),
            moved: Figure::Small,
            refused: Figure::Small,
            stays: Figure::About(1_000_000),
            fate: "kept".into(),
        };
        let svg = draw("a", "b", &[band], Language::English);
        assert!(svg.contains("HIV &lt;tests&gt;") && svg.contains("&lt;5 refused"));
        assert!(!svg.contains(">3<") && !svg.contains(">1 refused<"));
    }
}
