//! `ecluse verify EVIDENCE`: what a stranger asks of an evidence file. Reads one file and nothing else.

use ecluse_adapters::regular::{self, Unread};
use ecluse_core::fault::{Code, Result};
use ecluse_core::language::Language;
use ecluse_evidence::{Line, Outcome, State, Verdict, verify};

use crate::cli::{self, VerifyArgs};
use crate::evidence::MOST;
use crate::output;

static FINGERPRINT: Code = Code::usage("ECL-EVI-006", "this is no fingerprint of a key");
static UNREADABLE: Code = Code::outside("ECL-EVI-007", "the evidence file cannot be read");

pub(crate) fn run(args: &VerifyArgs) -> Result<()> {
    if let Some(other) = args.trust.iter().find(|given| !is_fingerprint(given.trim())) {
        let help = "copy it whole, as ssh-keygen -l prints it: SHA256: and 43 characters";
        return Err(FINGERPRINT.fault(other.escape_default().to_string()).help(help));
    }
    let bytes = regular::read(&args.evidence, MOST).map_err(|unread| {
        let why = match unread {
            Unread::Io(kind) => kind.to_string(),
            Unread::NotRegular => "no plain file".to_owned(),
            Unread::TooLarge => format!("more than {} MiB", MOST >> 20),
        };
        UNREADABLE.fault(format!("{}: {why}", args.evidence.display())).help("name an evidence.tar")
    })?;
    let verdict = verify(&bytes, &args.trust);
    output::document(&verdict);
    let language = match args.lang {
        cli::Language::En => Language::English,
        cli::Language::Fr => Language::French,
    };
    told(&verdict, language);
    verdict.judge()
}

/// A fingerprint of OpenSSH's: SHA-256, base64 without padding.
fn is_fingerprint(text: &str) -> bool {
    let base64 = |b: u8| b.is_ascii_alphanumeric() || b == b'+' || b == b'/';
    text.strip_prefix("SHA256:").is_some_and(|rest| rest.len() == 43 && rest.bytes().all(base64))
}

/// Every check, under the file it is about.
fn told(verdict: &Verdict, language: Language) {
    let mut of = "";
    for line in &verdict.lines {
        if of != line.of {
            of = &line.of;
            output::line(of);
        }
        output::line(format!("  {}", one(line, language)));
    }
    output::line("");
    output::line(verdict.outcome.words(language));
    if verdict.outcome != Outcome::Refused {
        output::line(language.of(
            "Judged as of the days that the papers name: a signature bears no time.",
            "Jugé aux jours que les documents indiquent : une signature ne porte pas d’heure.",
        ));
    }
}

fn one(line: &Line, language: Language) -> String {
    let sign = match line.state {
        State::Holds => "✓",
        State::Fails => "✗",
        State::Lost | State::Absent | State::Uncovered => "·",
    };
    let finding = line.finding.as_ref().map(|finding| format!("\n      {finding}")).unwrap_or_default();
    format!("{sign} {}: {}{finding}", line.state.words(language), line.words.of(language))
}
