//! Sentences that a run recorded in the program's language, in the page's.
//!
//! The run folder keeps what the adapters said, in English: barriers, limits. What has a counterpart
//! here is told in French; what has none stands as it was recorded, marked as English.

use ecluse_core::language::Language;

use super::page::Said;

/// What adapters record, and the same in French; `{}` stands for a name or a number.
const SENTENCES: [(&str, &str); 21] = [
    ("a sealed archive", "une archive scellée"),
    ("{} (a dump, {})", "{} (un export, {})"),
    ("{} (CSV files)", "{} (fichiers CSV)"),
    (
        "PostgreSQL: a role that reads one security_barrier view per instructed table",
        "PostgreSQL : un rôle qui lit une vue security_barrier par table ordonnée",
    ),
    ("écluse's own SQL, without a view, for {}", "le seul SQL d’écluse, sans vue, pour {}"),
    (
        "one view per instructed table, and an account that reads nothing else: the server returns no other column and no \
         other row; its errors and timing can still tell of an excluded row",
        "une vue par table ordonnée, et un compte qui ne lit rien d’autre : le serveur ne rend aucune autre colonne ni \
         aucune autre ligne ; ses erreurs et ses délais peuvent encore trahir une ligne exclue",
    ),
    (
        "écluse's own statements only, for {}: no view stands in front",
        "les seules requêtes d’écluse, pour {} : aucune vue ne s’interpose",
    ),
    (
        "SQLite has no roles: the barrier is écluse's own authorizer inside the engine, which refuses every column that \
         is not planned, over a file opened read-only",
        "SQLite n’a pas de rôles : la barrière est le contrôleur d’écluse dans le moteur, qui refuse toute colonne non \
         prévue, sur un fichier ouvert en lecture seule",
    ),
    (
        "none but écluse: a dump can deny nothing; all that was dumped passed through écluse's memory, and what was not \
         ordered was let go there and touched no disk of écluse's",
        "aucune sauf écluse : un export ne peut rien refuser ; tout ce qui a été exporté est passé par la mémoire \
         d’écluse, et ce qui n’était pas ordonné y a été abandonné sans toucher aucun disque d’écluse",
    ),
    (
        "none but écluse: a folder of CSV files can deny nothing; only the ordered tables' files were opened, and what \
         was not ordered in them was let go in memory",
        "aucune sauf écluse : un dossier de fichiers CSV ne peut rien refuser ; seuls les fichiers des tables ordonnées \
         ont été ouverts, et ce qui n’y était pas ordonné a été abandonné en mémoire",
    ),
    (
        "{} was locked by reading no row of it: the role may read columns of it only",
        "{} a été verrouillée sans en lire de ligne : le rôle n’en peut lire que des colonnes",
    ),
    (
        "the views' text was not compared with the printed script: a standby server cannot make the temporary view that \
         this takes",
        "le texte des vues n’a pas été comparé au script imprimé : un serveur de secours ne peut créer la vue temporaire \
         qu’il y faut",
    ),
    (
        "the role may connect to {} other database(s) of the instance; what it could read there was not probed",
        "le rôle peut se connecter à {} autre(s) base(s) de l’instance ; ce qu’il pourrait y lire n’a pas été sondé",
    ),
    (
        "{}: its storage engine cannot be seen with this account",
        "{} : son moteur de stockage ne se voit pas avec ce compte",
    ),
    (
        "{}: {} has no transactions; that nobody wrote is the operator's word (--frozen)",
        "{} : {} n’a pas de transactions ; que personne n’a écrit est la parole de l’opérateur (--frozen)",
    ),
    (
        "{}: sorted by the server, whose index does not follow bytes",
        "{} : triée par le serveur, dont l’index ne suit pas les octets",
    ),
    (
        "{}: no index gives the key's order; SQLite sorts it in memory",
        "{} : aucun index ne donne l’ordre de la clé ; SQLite la trie en mémoire",
    ),
    (
        "{} bytes were dumped; that they are one moment of database {}, and all of it, is the word of whoever dumped it",
        "{} octets ont été exportés ; qu’ils soient un seul instant de la base {}, et toute celle-ci, est la parole de \
         qui l’a exportée",
    ),
    (
        "the dump lay in clear in a file ({} bytes, {}, path {}): it is erased by the day of [erasure] copies",
        "l’export se trouvait en clair dans un fichier ({} octets, {}, chemin {}) : il est effacé au plus tard le jour \
         des copies ([erasure])",
    ),
    ("{} lay in clear: {} bytes, {}", "{} se trouvait en clair : {} octets, {}"),
    (
        "the folder (path {}) holds {} files in clear, {} bytes: it is erased by the day of [erasure] copies; that the \
         files are whole and of one moment is the word of whoever exported them",
        "le dossier (chemin {}) contient {} fichiers en clair, {} octets : il est effacé au plus tard le jour des copies \
         ([erasure]) ; que les fichiers soient entiers et d’un seul instant est la parole de qui les a exportés",
    ),
];

/// The sentence in this language; in English, and marked so, where it has no counterpart.
pub(crate) fn recorded(words: &str, lang: Language) -> Said {
    if lang == Language::English {
        return Said::from(words.to_owned());
    }
    let french = SENTENCES.iter().find_map(|(english, french)| told(words, english, french));
    french.map_or_else(|| Said { words: words.to_owned(), english: true }, Said::from)
}

/// `words` read by the English pattern, said by the French one.
fn told(words: &str, english: &str, french: &str) -> Option<String> {
    let mut fixed = english.split("{}");
    let mut rest = words.strip_prefix(fixed.next()?)?;
    let mut names = Vec::new();
    let pieces: Vec<&str> = fixed.collect();
    for (at, piece) in pieces.iter().enumerate() {
        let end = match at + 1 == pieces.len() {
            true => rest.len().checked_sub(piece.len()).filter(|end| rest.get(*end..) == Some(piece))?,
            false => rest.find(piece)?,
        };
        names.push(rest.get(..end)?);
        rest = rest.get(end + piece.len()..)?;
    }
    if !rest.is_empty() {
        return None;
    }
    let mut said = french.split("{}");
    let mut text = said.next()?.to_owned();
    for (name, piece) in names.into_iter().zip(said) {
        text += name;
        text += piece;
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recorded_sentence_keeps_its_names_and_one_that_is_not_known_stays_english() {
        let french = |words| recorded(words, Language::French);
        assert_eq!(
            french("PATIENTS: Aria has no transactions; that nobody wrote is the operator's word (--frozen)")
                .words,
            "PATIENTS : Aria n’a pas de transactions ; que personne n’a écrit est la parole de l’opérateur (--frozen)"
        );
        assert_eq!(
            french("écluse's own SQL, without a view, for a, b"),
            "le seul SQL d’écluse, sans vue, pour a, b".to_owned().into()
        );
        let unknown = french("something that a later adapter records");
        assert!(unknown.english && unknown.words == "something that a later adapter records");
        assert!(!recorded("anything", Language::English).english);
    }

    #[test]
    fn both_languages_name_the_same() {
        for (english, french) in SENTENCES {
            assert_eq!(english.matches("{}").count(), french.matches("{}").count(), "{english}");
        }
    }
}
