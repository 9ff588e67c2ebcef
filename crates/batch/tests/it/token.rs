//! Row tokens: what a person may copy from a report, and what they may not learn from it.

use ecluse_batch::{Beginning, NOT_A_TOKEN, Token, TokenKey};
use ecluse_core::value::{Key, Value};
use proptest::prelude::*;

fn token(key: u8, id: i64) -> Token {
    Token::new(&TokenKey::new([key; 32]), "patient", &Key(vec![Value::Int(id)]))
}

#[test]
fn a_token_names_one_row_under_one_key() {
    assert_eq!(token(1, 7), token(1, 7));
    assert_ne!(token(1, 7), token(1, 8));
    assert_ne!(token(1, 7), token(2, 7), "without the key nobody can try the numbers a file can have");
    let other = Token::new(&TokenKey::new([1; 32]), "result", &Key(vec![Value::Int(7)]));
    assert_ne!(token(1, 7), other);
}

#[test]
fn a_token_is_read_as_people_write_it() {
    let token = token(1, 7);
    let text = token.to_string();
    assert_eq!(text.len(), 26 + 6);
    for written in [
        text.to_lowercase(),
        text.replace('-', ""),
        text.replace('-', " "),
        text.replace('0', "O").replace('1', "l"),
    ] {
        assert_eq!(written.parse::<Token>().unwrap(), token, "{written}");
    }
    let eight = format!("8{}", text.get(1..).unwrap());
    for wrong in ["", "7Q4M-KD2E", &eight, &format!("{text}0"), &text.replace('-', "U-"), "é"] {
        let fault = wrong.parse::<Token>().unwrap_err();
        assert_eq!(fault.code(), &NOT_A_TOKEN, "{wrong}");
    }
}

#[test]
fn the_beginning_of_a_token_is_enough_to_know_it_again() {
    let token = token(1, 7);
    let text = token.to_string();
    let first: String = text.chars().take(9).collect();
    for written in
        [first.clone(), format!("{first}…"), format!("{first}-"), first.to_lowercase(), text.clone()]
    {
        let beginning: Beginning = written.parse().unwrap();
        assert!(beginning.of(token), "{written}");
        assert_eq!(beginning.whole(), written == text);
    }
    let other = format!(
        "{}{}",
        first.chars().take(8).collect::<String>(),
        if first.ends_with('0') { '1' } else { '0' }
    );
    assert!(!other.parse::<Beginning>().unwrap().of(token));
    for wrong in ["", "7Q4M-KD2", "7Q4M-KDUE", "8Q4M-KD2E"] {
        assert_eq!(wrong.parse::<Beginning>().unwrap_err().code(), &NOT_A_TOKEN, "{wrong}");
    }
}

proptest! {
    #[test]
    fn every_token_comes_back(key in any::<u8>(), id in any::<i64>()) {
        let token = token(key, id);
        prop_assert_eq!(token.to_string().parse::<Token>().unwrap(), token);
    }

    #[test]
    fn no_text_panics(text in ".{0,40}") {
        let _ = text.parse::<Token>();
    }
}
