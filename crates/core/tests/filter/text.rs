//! Row filters as text: what they mean, what is refused, and what is said about it.

use ecluse_core::catalog::Column;
use ecluse_core::filter::{
    Comparison, Filter, INCOMPARABLE, MISTYPED, NO_VALUE, Names, OUTSIDE, Other, SIDES, SYNTAX, TOO_LARGE,
    UNKNOWN, Words, parse, sentence,
};
use ecluse_core::finding::Finding;
use ecluse_core::language::Language;
use ecluse_core::types::Type;
use ecluse_core::value::Value;
use proptest::prelude::*;

fn column(name: &str, ty: Option<Type>) -> Column {
    Column {
        name: name.into(),
        sql_type: String::new(),
        ty,
        max_length: None,
        int_bounds: None,
        nullable: true,
        has_default: false,
        identity: false,
        generated: String::new(),
        collation: String::new(),
        choice: false,
        labels: Vec::new(),
        comment: String::new(),
    }
}

fn columns() -> Vec<Column> {
    [
        ("id", Type::Int),
        ("status", Type::Int),
        ("code", Type::Text),
        ("name", Type::Text),
        ("price", Type::Decimal { precision: 10, scale: 2 }),
        ("born", Type::Date),
        ("validated", Type::Timestamp),
        ("seen", Type::Instant),
        ("urgent", Type::Bool),
        ("ratio", Type::Float),
    ]
    .map(|(name, ty)| column(name, Some(ty)))
    .into_iter()
    .chain([column("shape", None), column("in", Some(Type::Int))])
    .collect()
}

fn read(text: &str) -> Result<Filter, Vec<Finding>> {
    let columns = columns();
    let request = [column("id", Some(Type::Int)), column("code", Some(Type::Text))];
    let pair = [column("a", Some(Type::Int)), column("b", Some(Type::Int))];
    let chosen = [
        Other { number: 3, name: "request", columns: &request, key: Some(0) },
        Other { number: 5, name: "lab.pair", columns: &pair, key: None },
    ];
    parse(text, &Names { columns: &columns, chosen: &chosen })
}

fn good(text: &str) -> Filter {
    read(text).unwrap_or_else(|f| panic!("{text}: {f:?}"))
}

fn compare(column: usize, op: Comparison, value: Value) -> Filter {
    Filter::Compare { column, op, value }
}

fn text(t: &str) -> Value {
    Value::Text(t.into())
}

#[test]
fn each_construct_means_what_the_page_says() {
    use Comparison::{Eq, Ge, Lt, Ne};
    let chosen = |other| Filter::Chosen { column: 0, table: 3, other };
    let cases = [
        ("true", Filter::Every),
        ("status == 4", compare(1, Eq, Value::Int(4))),
        ("status != -9223372036854775808", compare(1, Ne, Value::Int(i64::MIN))),
        ("status in [8, 4, 4]", Filter::OneOf { column: 1, values: vec![Value::Int(4), Value::Int(8)] }),
        ("code == null", Filter::IsNull { column: 2 }),
        ("code != null", Filter::Not(Box::new(Filter::IsNull { column: 2 }))),
        (r#"code.startsWith("B-")"#, Filter::StartsWith { column: 2, prefix: "B-".into() }),
        (r#"name == "O'Brien \\ \"x\" é""#, compare(3, Eq, text("O'Brien \\ \"x\" é"))),
        ("price >= decimal(\"-12.50\")", compare(4, Ge, Value::Decimal { unscaled: -1250, scale: 2 })),
        ("born < date(\"1970-01-02\")", compare(5, Lt, Value::Date(1))),
        ("born == date(\"0001-01-01\")", compare(5, Eq, Value::Date(-719_162))),
        ("born == date(\"9999-12-31\")", compare(5, Eq, Value::Date(2_932_896))),
        ("validated == timestamp(\"1969-12-31T23:59:59.5\")", compare(6, Eq, Value::Timestamp(-500_000))),
        ("seen == timestamp(\"1970-01-01T00:00:01Z\")", compare(7, Eq, Value::Instant(1_000_000))),
        ("urgent", compare(8, Eq, Value::Bool(true))),
        ("!urgent", Filter::Not(Box::new(compare(8, Eq, Value::Bool(true))))),
        ("urgent != false", compare(8, Ne, Value::Bool(false))),
        ("ratio == null", Filter::IsNull { column: 9 }),
        ("id in chosen.request", chosen(0)),
        ("id in chosen.request.id", chosen(0)),
        ("id in chosen[\"request\"][\"id\"]", chosen(0)),
        ("code in chosen.request.code", Filter::Chosen { column: 2, table: 3, other: 1 }),
        ("id in chosen.lab.pair.b", Filter::Chosen { column: 0, table: 5, other: 1 }),
        ("col[\"in\"] == 1", compare(11, Eq, Value::Int(1))),
        (
            "urgent && (status == 1 || status == 2) && id == 3",
            Filter::And(vec![
                compare(8, Eq, Value::Bool(true)),
                Filter::Or(vec![compare(1, Eq, Value::Int(1)), compare(1, Eq, Value::Int(2))]),
                compare(0, Eq, Value::Int(3)),
            ]),
        ),
    ];
    for (written, meant) in cases {
        assert_eq!(good(written), meant, "{written}");
    }
    // `Value`'s equality, not its silent Debug, is what was compared
    assert_ne!(good("status == 4"), good("status == 5"));
}

#[test]
fn what_the_subset_leaves_out_is_refused_at_its_place() {
    let cases: &[(&str, &ecluse_core::fault::Code, &str, &str)] = &[
        ("status = 4", &SYNTAX, "=", ""),
        ("", &SYNTAX, "", ""),
        ("status ==", &SYNTAX, "", ""),
        ("statut == 4", &UNKNOWN, "statut", "status"),
        ("id in chosen.requests", &UNKNOWN, "chosen.requests", "request"),
        ("id in chosen.request.idd", &UNKNOWN, "chosen.request.idd", "id"),
        ("id in chosen.lab.pair", &UNKNOWN, "chosen.lab.pair", "COLUMN"),
        ("patient.id == 4", &UNKNOWN, "patient.id", "without the table"),
        ("status + 1 == 4", &OUTSIDE, "status + 1", "column"),
        ("status == 3 + 1", &OUTSIDE, "3 + 1", "whole number"),
        ("[1, 2].all(x, x == status)", &OUTSIDE, "", "macros"),
        ("code.endsWith(\"x\")", &OUTSIDE, "code.endsWith(\"x\")", "startsWith"),
        ("size(code) == 3", &OUTSIDE, "size(code)", "column"),
        ("urgent ? status == 1 : status == 2", &OUTSIDE, "", "&&"),
        ("false", &OUTSIDE, "false", "table"),
        ("status in []", &OUTSIDE, "[]", "values"),
        ("code.startsWith(\"\")", &OUTSIDE, "\"\"", "null"),
        ("status == \"4\"", &MISTYPED, "\"4\"", "write it as 4"),
        ("status == 4.0", &MISTYPED, "4.0", "whole number"),
        ("status == 4u", &MISTYPED, "4u", "whole number"),
        ("status == true", &MISTYPED, "true", "whole number"),
        ("code == 4", &MISTYPED, "4", "\"4\""),
        ("price == 1.5", &MISTYPED, "1.5", "decimal(\"1.5\")"),
        ("born == \"2019-01-31\"", &MISTYPED, "\"2019-01-31\"", "date(\"2019-01-31\")"),
        (
            "born == timestamp(\"2019-01-31T00:00:00\")",
            &MISTYPED,
            "timestamp(\"2019-01-31T00:00:00\")",
            "date",
        ),
        (
            "validated == timestamp(\"2019-01-31T00:00:00Z\")",
            &NO_VALUE,
            "timestamp(\"2019-01-31T00:00:00Z\")",
            "timestamp",
        ),
        ("seen == timestamp(\"2019-01-31T00:00:00\")", &MISTYPED, "timestamp(\"2019-01-31T00:00:00\")", "Z"),
        ("status < null", &MISTYPED, "status < null", "== null"),
        ("status in [1, null]", &MISTYPED, "null", "== null"),
        ("urgent > false", &MISTYPED, "urgent > false", "=="),
        ("code", &MISTYPED, "code", "compare"),
        ("status.startsWith(\"4\")", &MISTYPED, "status", ""),
        ("code in chosen.request", &MISTYPED, "code in chosen.request", "same type"),
        ("4 == status", &SIDES, "4 == status", "column first"),
        ("status == id", &SIDES, "status == id", "chosen"),
        ("born == date(\"2019-02-30\")", &NO_VALUE, "date(\"2019-02-30\")", "2019-01-31"),
        ("born == date(\"2019-2-3\")", &NO_VALUE, "date(\"2019-2-3\")", "2019-01-31"),
        ("born == date(\"0000-01-01\")", &NO_VALUE, "date(\"0000-01-01\")", ""),
        (
            "validated == timestamp(\"2019-01-31T23:59:60\")",
            &NO_VALUE,
            "timestamp(\"2019-01-31T23:59:60\")",
            "",
        ),
        ("validated == timestamp(\"2019-01-31T00:00:00.1234567\")", &NO_VALUE, "", ""),
        ("price == decimal(\"1,5\")", &NO_VALUE, "decimal(\"1,5\")", "1.50"),
        ("price == decimal(\"1e5\")", &NO_VALUE, "", ""),
        ("price == decimal(\"123456789012345678901234567890123456789\")", &NO_VALUE, "", ""),
        ("code == \"a\\x00b\"", &NO_VALUE, "", ""),
        ("ratio > decimal(\"1.0\")", &INCOMPARABLE, "", "null"),
        ("shape == 1", &INCOMPARABLE, "shape", ""),
        ("chosen.request == 1", &OUTSIDE, "chosen.request", "chosen"),
        ("id in chosen", &UNKNOWN, "chosen", ""),
        ("id in request", &OUTSIDE, "request", "chosen"),
    ];
    for (written, code, place, help) in cases {
        let findings = read(written).expect_err(written);
        let found = &findings[0];
        assert_eq!(found.code, *code, "{written}: {found:?}");
        let span = found.span.clone().unwrap();
        let pointed = written.get(span.clone()).unwrap_or_else(|| panic!("{written}: {span:?}"));
        if !place.is_empty() {
            assert_eq!(pointed, *place, "{written}");
        }
        let said = found.help.clone().unwrap_or_default();
        assert!(said.contains(help), "{written}: {said}");
    }
}

#[test]
fn all_mistakes_come_at_once_in_the_order_of_the_text() {
    let findings = read("statut == 4 && code == 4 || born == date(\"2019-13-01\")").unwrap_err();
    let codes: Vec<_> = findings.iter().map(|f| f.code.id).collect();
    assert_eq!(codes, [UNKNOWN.id, MISTYPED.id, NO_VALUE.id]);
}

#[test]
fn a_place_is_counted_in_bytes_behind_accents() {
    let written = "name == \"Éléonore\" && statut == 1";
    let findings = read(written).unwrap_err();
    assert_eq!(written.get(findings[0].span.clone().unwrap()), Some("statut"));
}

#[test]
fn size_and_depth_are_bounded() {
    let long = format!("code == \"{}\"", "x".repeat(17_000));
    let deep = format!("{}status == 1{}", "(".repeat(5_000), ")".repeat(5_000));
    let nots = format!("{}urgent", "!(".repeat(31) + &"!".repeat(3)) + &")".repeat(31);
    let many = format!("status in [{}]", vec!["1"; 1001].join(","));
    for text in [&long, &deep, &many] {
        assert_eq!(read(text).unwrap_err()[0].code, &TOO_LARGE, "{} bytes", text.len());
    }
    // at the bound it is either read or refused; it never overflows the stack
    let _ = read(&nots);
    let many = format!("status in [{}]", (0..1000).map(|i| i.to_string()).collect::<Vec<_>>().join(","));
    assert!(matches!(good(&many), Filter::OneOf { values, .. } if values.len() == 1000));
    let chain = vec!["status == 1"; 300].join(" && ");
    assert!(matches!(good(&chain), Filter::And(parts) if parts.len() == 300));
}

#[test]
fn a_text_that_is_too_long_has_its_place_although_the_bound_lies_in_a_letter() {
    let letters = "é".repeat(20_000);
    for written in [letters.clone(), format!("x{letters}")] {
        assert!(holds(&written));
        assert_eq!(read(&written).unwrap_err()[0].code, &TOO_LARGE);
    }
}

/// A stack that overflows ends the process: no test would then say anything at all.
#[test]
fn long_chains_of_anything_end_in_a_finding() {
    let chain = |first: &str, link: &str| format!("{first}{}", link.repeat(15_000 / link.len()));
    for text in [
        chain("1", "+1"),
        chain("1", "-1"),
        chain("id", ".a"),
        chain("id", "[0]"),
        chain("id", "==1"),
        chain("id", " in id"),
        chain("id", "?1:1"),
        chain("id", "()"),
        chain("id", ".startsWith(\"a\")"),
        chain("!", "!") + "urgent",
        chain("-", "-") + "1",
        chain("urgent", "||urgent"),
        chain("urgent", "&&urgent||urgent"),
        chain("id in [1", ",1") + "]",
        chain("{1:1", ",1:1") + "}",
        chain("/", "/"),
        chain("(", " ") + "urgent)",
    ] {
        let _ = read(&text);
    }
}

#[test]
fn every_filter_on_the_formats_page_is_read() {
    let page = include_str!("../../../../docs/formats.md");
    let block = page.split("```cel\n").nth(1).unwrap().split("```").next().unwrap();
    assert!(block.lines().count() > 8);
    for line in block.lines() {
        good(line);
    }
}

#[test]
fn a_filter_is_a_sentence() {
    let names = columns();
    let words = Words {
        column: &|i| names[i].name.clone(),
        other: &|table, column| format!("table {table} column {column}"),
        unsaid: &|_| false,
    };
    let cases = [
        ("true", "every row"),
        ("status in [4, 8]", "status is one of 4, 8"),
        ("born >= date(\"2019-01-31\")", "born is from 2019-01-31 on"),
        ("validated < timestamp(\"2019-01-31T12:00:00.5\")", "validated is before 2019-01-31 12:00:00.5"),
        ("!(name == \"x\")", "not (name is “x”), or it is empty"),
        ("name != \"x\"", "name is filled in and is not “x”"),
        ("urgent && (status == 1 || code == null)", "urgent is yes, and (status is 1, or code is empty)"),
        ("urgent && !(status == 1)", "urgent is yes, and (not (status is 1), or it is empty)"),
        ("id in chosen.request", "id stands in table 3 column 0 of a chosen row"),
        ("price < decimal(\"-0.05\")", "price is less than -0.05"),
    ];
    for (written, said) in cases {
        assert_eq!(sentence(&good(written), &words, Language::English), said, "{written}");
    }
}

#[test]
fn a_filter_is_a_sentence_in_french_too() {
    let names = columns();
    let words = Words {
        column: &|i| names[i].name.clone(),
        other: &|table, column| format!("colonne {column} de la table {table}"),
        unsaid: &|i| names[i].name == "name",
    };
    let cases = [
        ("true", "toutes les lignes"),
        ("status in [4, 8]", "status est l’une des valeurs 4, 8"),
        ("born >= date(\"2019-01-01\")", "born est au plus tôt le 1er janvier 2019"),
        (
            "validated < timestamp(\"2019-08-31T12:00:00.5\")",
            "validated est avant le 31 août 2019 à 12:00:00.5",
        ),
        ("!(status == 1)", "il n’est pas vrai que (status vaut 1), ou la valeur manque"),
        ("status != 1", "status a une valeur autre que 1"),
        ("urgent && (status == 1 || code == null)", "urgent vaut oui, et (status vaut 1, ou code est vide)"),
        ("id in chosen.request", "id figure parmi les lignes retenues de colonne 0 de la table 3"),
        ("price < decimal(\"-0.05\")", "price vaut moins de -0,05"),
        ("name in [\"Zerbinette\", \"Scapin\"]", "name est l’une de 2 valeurs écrites dans l’ordre"),
        ("name.startsWith(\"Zerb\")", "name commence par un texte écrit dans l’ordre"),
    ];
    for (written, said) in cases {
        assert_eq!(sentence(&good(written), &words, Language::French), said, "{written}");
    }
}

#[test]
fn a_sentence_about_persons_says_what_is_asked_and_no_literal() {
    let names = columns();
    let words = Words {
        column: &|i| names[i].name.clone(),
        other: &|table, column| format!("table {table} column {column}"),
        unsaid: &|i| ["name", "born", "id", "urgent"].contains(&names[i].name.as_str()),
    };
    let cases = [
        ("name == \"Zerbinette\"", "name is a value written in the order"),
        ("name in [\"Zerbinette\", \"Scapin\"]", "name is one of 2 values written in the order"),
        ("name in [\"Zerbinette\"]", "name is a value written in the order"),
        ("name.startsWith(\"Zerb\")", "name begins with a text written in the order"),
        ("!(name == \"Zerbinette\")", "not (name is a value written in the order), or it is empty"),
        ("id >= 4711", "id is at least a value written in the order"),
        ("born < date(\"1931-05-17\")", "born is before a value written in the order"),
        ("urgent", "urgent is a value written in the order"),
        ("name != null && status == 4", "name is not empty, and status is 4"),
        ("id in chosen.request", "id stands in table 3 column 0 of a chosen row"),
    ];
    for (written, said) in cases {
        assert_eq!(sentence(&good(written), &words, Language::English), said, "{written}");
    }
}

/// Pieces of filters, put together without sense.
fn nonsense() -> impl Strategy<Value = String> {
    let token = proptest::sample::select(vec![
        "status",
        "code",
        "born",
        "urgent",
        "price",
        "col",
        "chosen",
        "request",
        "id",
        "true",
        "false",
        "null",
        "==",
        "!=",
        "<",
        "<=",
        ">",
        ">=",
        "&&",
        "||",
        "!",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ",",
        ".",
        "in",
        "?",
        ":",
        "-",
        "+",
        "*",
        "1",
        "-1",
        "0x1F",
        "1u",
        "1.5",
        "1e400",
        "9999999999999999999",
        "\"x\"",
        "'é'",
        "r\"\\\"",
        "b\"x\"",
        "\"\\u00e9\"",
        "\"\\x\"",
        "\"\"\"",
        "date(",
        "timestamp(",
        "decimal(",
        "\"2019-01-31\"",
        ".startsWith(",
        ".all(",
        "has(",
        "//",
        "\n",
        " ",
        "é",
        "`",
        "\u{feff}",
        "\u{202e}",
    ]);
    proptest::collection::vec(token, 0..24).prop_map(|tokens| tokens.join(" "))
}

/// A filter or findings; every finding points at whole characters of the text.
fn holds(text: &str) -> bool {
    match read(text) {
        Ok(_) => true,
        Err(findings) => {
            !findings.is_empty()
                && findings.iter().all(|f| f.span.clone().is_some_and(|span| text.get(span).is_some()))
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_nonsense_panics(text in nonsense()) {
        prop_assert!(holds(&text));
    }

    #[test]
    fn no_text_panics(text in "\\PC{0,60}") {
        prop_assert!(holds(&text));
    }
}
