//! The words that say what a column holds. Order matters: the first rule that fits decides.

use crate::class::Class;

/// One rule: these words, under this condition, mean this class.
pub(super) struct Rule {
    pub class: Class,
    /// Separated by blanks, as everywhere in this file.
    pub words: &'static str,
    pub wants: Wants,
}

/// What a rule wants beside its word.
#[derive(Clone, Copy)]
pub(super) enum Wants {
    Anything,
    Text,
    NotText,
    /// A table about persons.
    Person,
    /// A text in a table about persons.
    PersonText,
}

/// Words of a credential.
pub(super) const CREDENTIAL: &str = "
    password passwd passwort passphrase pwd mdp passe pass secret token tokens jeton apikey salt otp
    totp hotp mfa pin credential credentials privkey bearer cookie bcrypt argon2 pbkdf2 scrypt phc
    md5 sha1";

/// Parts of a name written together that say credential wherever they stand.
pub(super) const CREDENTIAL_WITHIN: &str = "
    password passwd motdepasse apikey privatekey secretkey accesstoken refreshtoken resettoken
    sessiontoken sessionkey sessionid passcode userpass usertoken clientsecret loginhash userhash
    codesecret codeacces accesscode securityquestion securityanswer recoverycode recoverykey";

/// Names that are a credential's in a table about tokens or sessions, and a plain word elsewhere.
pub(super) const CREDENTIAL_IN_TABLE: &str = "key sid hash digest";

/// Words in the name of a table of tokens, sessions or the keys of programs.
pub(super) const CREDENTIAL_TABLES: &str = "
    token tokens authtoken jeton jetons session sessions apikey apikeys oauth jwt credential credentials
    userapplication userapplications apiclient apiclients";

/// A credential whatever stands beside it.
pub(super) const STRONG: &str = "password passwd motdepasse mdp pwd secret privatekey";

/// Last words after which a weaker credential word is about something else.
pub(super) const HARMLESS: &str = "
    count number phone tel date expiry expires expiration lifetime length type rate status";

/// Columns that only a table of persons has.
pub(super) const PERSON_MARKS: &str = "
    prenom prenoms firstname lastname surname givenname familyname ddn naissance birth birthdate
    birthday dob midname jf maiden fname lname mname";

/// Columns that, one of each, make a table one of accounts.
pub(super) const ACCOUNT_MARKS: &str = "username login";

/// See [`ACCOUNT_MARKS`].
pub(super) const ACCOUNT_SECRETS: &str = "password pwd mdp passwd";

/// Columns that say when somebody was born.
pub(super) const BORN_MARKS: &str = "ddn naissance birth dob birthdate";

/// The same, in a table that bears the patients' name.
pub(super) const PATIENT_MARKS: &str = "mrn ipp fullname nomprenom";

/// The same, of texts only.
pub(super) const PERSON_TEXT_MARKS: &str = "first";

/// Columns that make a table of persons one about staff.
pub(super) const STAFF_MARKS: &str =
    "username login password pwd mdp passwd embauche hired salaire salary rpps";

/// Columns of a request, a specimen or a result.
pub(super) const ACT_MARKS: &str = "patient dossier dos resultat result specimen samp analyse prel";

/// The same, and what stands in the tables of requests where these are called procedures.
pub(super) const PROCEDURE_ACT_MARKS: &str = "patient order report result specimen";

/// Words in the name of a table of requests, specimens or results.
pub(super) const ACT_TABLES: &str = "result results resultat resultats request requests sample specimen";

/// Words in the name of a table of patients, or of what is kept of each.
pub(super) const PERSON_TABLES: &str = "
    patient patients pat person persons personne personnes client clients subscriber subscribers party
    parties";

/// Last words in the name of a table that lists kinds, and nobody.
pub(super) const CATALOGUE_TABLES: &str = "
    type types category categories class classes kind kinds configuration config template";

/// Words in the name of a table of ways to reach somebody.
pub(super) const REACH_TABLES: &str = "phone phones telephone telephones mechanism mechanisms";

/// The same, where the name says a person too.
pub(super) const PERSON_REACH_TABLES: &str = "address addresses adresse adresses email emails telecom";

/// Columns of such a table that are plain words elsewhere.
pub(super) const REACH_WORDS: &str = "value number code prefix area";

/// Words in the name of a table about staff.
pub(super) const STAFF_TABLES: &str = "
    user users utilisateur utilisateurs staff personnel employee employees employe operateur
    operateurs account accounts compte comptes login logins";

/// Words in the name of a table about persons of other houses.
pub(super) const PROFESSIONAL_TABLES: &str = "
    prescripteur prescripteurs prescriber prescribers doctor doctors medecin medecins physician
    practitioner contact contacts fournisseur fournisseurs supplier suppliers correspondant
    correspondants";

/// Words in the name of a table about quality.
pub(super) const QUALITY_TABLES: &str = "
    control controls controle controles quality qualite conformite eqp equipement equipements
    calibration metrology reunion meeting manuel manuels manual qc cqi cqe maintenance";

/// The same, but of the laboratory's acts where a column says so ([`PROCEDURE_ACT_MARKS`]).
pub(super) const PROCEDURE_TABLES: &str = "procedure procedures";

/// A column's own word for a result, which no table about something else takes from it.
pub(super) const RESULT_WORDS: &str = "resultat resultats result results";

/// The rules.
pub(super) const RULES: &[Rule] = &[
    Rule { class: Class::Contact, wants: Wants::Anything, words: "zip zipcity zipcode postcode" },
    Rule {
        class: Class::NationalIdentifier,
        wants: Wants::Anything,
        words: "
            nir ins nss nosecu insee ssn passport passeport cni nationalid nia ameli insi insc
            immatriculation vitale numsecu numss nationalnumber nationalidentifier socialsecurity
            medicare medicaid nhs nhsnumber healthid upid ss ssno cnic cin curp dni aadhaar aadhar cpf nino
            idcard healthinsurance insurancenum insurancenumber",
    },
    Rule {
        class: Class::SensitiveResult,
        wants: Wants::Anything,
        words: "
            hiv vih sida rhesus rh1 blood sanguin grossesse pregnancy pregnant enceinte genetic
            genetique karyotype caryotype toxico drug drogue syphilis pathogen pathogene hepatite
            hepatitis alcool oncogene brca causeofdeath deathcause causedeces cancer mental psychiatric
            psychiatrie",
    },
    Rule {
        class: Class::Attachment,
        wants: Wants::Anything,
        words: "
            fichier file filename photo image img scan document doc pdf blob attachment pj piece
            path chemin signature cv diplome jpeg dicom",
    },
    Rule {
        class: Class::FreeText,
        wants: Wants::Text,
        words: "
            commentaire commentaires comment comments comm note notes remarque remarques remark
            remarks observation observations obs renseignement renseignements clinique clinical clin
            rc motif reason description descr texte text txt message msg memo body subject contenu
            content anamnese antecedents history conclusion interpretation diagnostic diagnosis
            indication libre free autre other formation traitement cr details info infos information
            informations narrative dictation",
    },
    Rule {
        class: Class::ThirdParty,
        wants: Wants::Anything,
        words: "
            conjoint conjointe spouse epoux epouse mari husband wife mere pere mother father mothers fathers
            tuteur guardian guardians guardiansname mothersname fathersname kin nok proche prescripteur prescriber medecin doctor physician
            practitioner traitant contact confiance emergency correspondant employer
            employeur partner partenaire donneur donor",
    },
    // a number of that name is a tree's: `parent_result_id`
    Rule {
        class: Class::ThirdParty,
        wants: Wants::Text,
        words: "parent parents relative child enfant referred",
    },
    Rule {
        class: Class::Staff,
        wants: Wants::Text,
        words: "
            preleveur validateur validator validated technicien technician biologiste biologist
            operateur operator utilisateur user username login redacteur verificateur approbateur
            responsable organisateur auteur author infirmier nurse secretaire incharge collector
            performer receiver sender rpps adeli cps initiale initiales",
    },
    Rule {
        class: Class::Audit,
        wants: Wants::Anything,
        words: "
            utilisateur user owner creation created modified modif mod updated upd update evt event
            lastupdated lastupdate log audit session sid ip insert inserted save access download username login operateur
            operator validateur validator redacteur verificateur approbateur responsable
            organisateur auteur author sender receiver incharge",
    },
    Rule {
        class: Class::Contact,
        wants: Wants::Anything,
        words: "
            adresse address addr rue street postal postcode zip zipcity zipcode ville commune
            quartier bp tel telephone phone mobile portable gsm fax email mail courriel cp city
            county whatsapp latitude longitude",
    },
    // a cell is counted elsewhere
    Rule { class: Class::Contact, wants: Wants::PersonText, words: "cell biz" },
    Rule {
        class: Class::Identity,
        wants: Wants::Anything,
        words: "
            prenom prenoms firstname lastname surname givenname familyname midname jf maiden ddn
            naissance birth birthdate birthday dob ipp mrn sexe sex gender anonyme deces death
            deceased nationality nation patronyme usuel fname lname mname tribe ethnic ethnoracial ethnicgroup
            citizenship birthplace residence civilstatus maritalstatus",
    },
    Rule {
        class: Class::Identity,
        wants: Wants::Person,
        words: "
            nom noms name age titre title civilite profession occupation resident
            genre patient race ethnicity religion marital identifier",
    },
    Rule { class: Class::Identity, wants: Wants::PersonText, words: "first last middle given family hash" },
    Rule { class: Class::Identity, wants: Wants::Text, words: "patient" },
    Rule {
        class: Class::Billing,
        wants: Wants::Anything,
        words: "
            prix price payer paye paid remise discount assu assurance insurance facture fact
            facturation quittance invoice tarif montant amount cost billing bill cote mutuelle amo
            amc payment paiement buy",
    },
    Rule {
        class: Class::Result,
        wants: Wants::Anything,
        words: "
            valeur value resultat result resultats results res antibiogramme germe mesure titer
            concentration validation vld abnormal anormal",
    },
    Rule {
        class: Class::Quality,
        wants: Wants::NotText,
        words: "controle control calibration etalonnage conformite metrology qc",
    },
    // what the software has switched off is no finding about anybody
    Rule {
        class: Class::Technical,
        wants: Wants::NotText,
        words: "actif active activated enabled disabled archive archived visible",
    },
];

/// Whether a list has this word.
pub(super) fn has(list: &str, word: &str) -> bool {
    list.split_ascii_whitespace().any(|w| w == word)
}

/// Splits an identifier into lower-case words without accents: at `_`, other signs, digits
/// that follow letters, and where small letters turn to capitals.
#[must_use]
pub fn split(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    let mut last: Option<char> = None;
    for c in name.chars() {
        let turns = last.is_some_and(|l| {
            (l.is_lowercase() && c.is_uppercase())
                || (l.is_alphabetic() && c.is_ascii_digit() && !keeps_digit(&word))
        });
        if (!c.is_alphanumeric() || turns) && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if c.is_alphanumeric() {
            word.extend(c.to_lowercase().map(plain));
        }
        last = Some(c);
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// `md5`, `sha1`, `argon2`, `pbkdf2`: the digit belongs to the word.
fn keeps_digit(word: &str) -> bool {
    matches!(word, "md" | "sha" | "argon" | "pbkdf" | "rh")
}

const fn plain(c: char) -> char {
    match c {
        'à' | 'â' | 'ä' => 'a',
        'é' | 'è' | 'ê' | 'ë' => 'e',
        'î' | 'ï' => 'i',
        'ô' | 'ö' => 'o',
        'ù' | 'û' | 'ü' => 'u',
        'ç' => 'c',
        other => other,
    }
}
