//! The flow, drawn: a band per table as wide as its rows; what stays bends away; refused
//! rows are a thin thread with a number. Inline SVG that needs no colour to be understood.

use std::fmt::Write as _;

use ecluse_core::count::number;
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

/// Characters of a line beside what bends away, and of a table's name: on a telephone the letters are larger,
/// and what is longer would be cut at the right edge.
const FATE_LINE: usize = 38;
const NAME: usize = 42;

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
    let tables = lang.plural(number(bands.len()), "table", "tables");
    let title = escape(&lang.of(
        format!("Rows of {tables} moving from {source} to {destination}"),
        format!("Lignes de {tables} passant de {source} à {destination}"),
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
        escape(&shortened(&band.label)),
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
            r##"<path d="M{LEFT} {below:.1}H80C135 {below:.1} 135 {low:.1} {end} {low:.1}V{lower:.1}C135 {lower:.1} 135 {bend:.1} 80 {bend:.1}H{LEFT}Z" fill="#c9c9c6"/>"##,
            lower = low + stays,
            bend = below + stays,
        );
        let said = band.stays.of(lang, lang.of("stays", "reste"), lang.of("stay", "restent"));
        let fate = if band.fate.is_empty() {
            String::new()
        } else {
            format!("{} {}", lang.of(":", " :"), band.fate)
        };
        let lines = wrapped(&format!("{said}{fate}"));
        // in the middle of what bends away, and below the band that moves
        let above = f64::from(u32::try_from(lines.len().saturating_sub(1)).unwrap_or(u32::MAX)) * 7.5;
        let mut at = (low + stays / 2.0 + 4.0 - above).max(below + 14.0);
        for line in &lines {
            let (x, text) = (end + 8.0, escape(line));
            let _ = writeln!(out, r#"<text class="quiet" x="{x}" y="{at:.1}" font-size="12">{text}</text>"#);
            at += 15.0;
        }
        bottom = bottom.max(low + stays).max(at - 11.0);
    }
    bottom + 14.0
}

/// As few lines as [`FATE_LINE`] allows, of about one length: no word is left alone on the last.
fn wrapped(text: &str) -> Vec<String> {
    let fewest = lines_of(text, FATE_LINE);
    let even = (1..FATE_LINE).map(|most| lines_of(text, most)).find(|lines| lines.len() == fewest.len());
    even.unwrap_or(fewest)
}

/// Lines of `most` characters at most, a longer word on a line of its own.
fn lines_of(text: &str, most: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= most => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// A table's name as far as it fits; the tables of the page have it whole.
fn shortened(name: &str) -> String {
    if name.chars().count() <= NAME {
        return name.to_owned();
    }
    let cut: String = name.chars().take(NAME - 1).collect();
    format!("{}…", cut.trim_end())
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

    #[test]
    fn no_line_of_the_drawing_is_longer_than_a_telephone_shows() {
        let band = Band {
            label: "Names of patients and of prescribers, which the product keeps in one table".into(),
            moved: Figure::Exact(40),
            stays: Figure::Exact(5_400_000),
            fate: "non ordonné, ou d’aucun dossier de l’échantillon".into(),
            ..Band::default()
        };
        let svg = draw("a", "b", &[band], Language::French);
        let quiet: Vec<&str> = svg.lines().filter(|line| line.contains(r#"class="quiet""#)).collect();
        let said: Vec<&str> =
            quiet.iter().map(|line| line.split_once('>').unwrap().1.trim_end_matches("</text>")).collect();
        assert_eq!(said.len(), 2, "{said:?}");
        assert!(said.iter().all(|line| line.chars().count() <= FATE_LINE), "{said:?}");
        assert_eq!(
            said.join(" ").replace('\u{202f}', " "),
            "5 400 000 restent : non ordonné, ou d’aucun dossier de l’échantillon"
        );
        assert!(svg.contains("Names of patients and of prescribers, whi…<"), "{svg}");
    }
}
