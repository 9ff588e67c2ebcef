//! Against `docs/vectors/tally.json`, made by another implementation in another language.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, FixedSizeBinaryArray, Float64Array,
    Int64Array, StringArray, Time64MicrosecondArray, TimestampMicrosecondArray,
};
use data_encoding::HEXLOWER;
use ecluse_core::types::Type;
use ecluse_core::value::{Key, Value};
use serde_json::Value as Json;

use crate::canonical::{encode, encode_value};
use crate::column::Column;
use crate::{Batch, RowHash, RowHasher, Scope, Tally, TallyKey, Token, TokenKey};

fn vectors() -> Json {
    serde_json::from_str(include_str!("../../../docs/vectors/tally.json")).unwrap()
}

fn hex(json: &Json) -> Vec<u8> {
    HEXLOWER.decode(json.as_str().unwrap().as_bytes()).unwrap()
}

fn key(json: &Json) -> [u8; 32] {
    hex(json).try_into().unwrap()
}

fn number<T: std::str::FromStr>(json: &Json) -> T {
    let text = json.as_str().map_or_else(|| json.to_string(), str::to_owned);
    text.parse().ok().unwrap()
}

/// A vector's value as a column of one row, and as a single value where there is such a value.
fn column(v: &Json) -> (Type, ArrayRef, Option<Value>) {
    let micros = || number::<i64>(&v["micros"]);
    let text = || v["value"].as_str().unwrap();
    match v["type"].as_str().unwrap() {
        "null" => (Type::Text, Arc::new(StringArray::from(vec![None::<&str>])), Some(Value::Null)),
        "bool" => {
            let b = v["value"].as_bool().unwrap();
            (Type::Bool, Arc::new(BooleanArray::from(vec![b])), Some(Value::Bool(b)))
        }
        "int" => {
            let i = number(&v["value"]);
            (Type::Int, Arc::new(Int64Array::from(vec![i])), Some(Value::Int(i)))
        }
        "decimal" => {
            let (unscaled, scale): (i128, u8) = (number(&v["unscaled"]), number(&v["scale"]));
            let array = Decimal128Array::from(vec![unscaled])
                .with_precision_and_scale(38, i8::try_from(scale).unwrap())
                .unwrap();
            let ty = Type::Decimal { precision: 38, scale };
            (ty, Arc::new(array), Some(Value::Decimal { unscaled, scale }))
        }
        "float" => {
            let bits = u64::from_str_radix(v["bits"].as_str().unwrap(), 16).unwrap();
            (Type::Float, Arc::new(Float64Array::from(vec![f64::from_bits(bits)])), None)
        }
        "text" => {
            (Type::Text, Arc::new(StringArray::from(vec![text()])), Some(Value::Text(text().to_owned())))
        }
        "bytes" => {
            let b = hex(&v["hex"]);
            (Type::Bytes, Arc::new(BinaryArray::from_iter_values([&b])), Some(Value::Bytes(b)))
        }
        "date" => {
            let d = number(&v["days"]);
            (Type::Date, Arc::new(Date32Array::from(vec![d])), Some(Value::Date(d)))
        }
        "timestamp" => {
            let array = TimestampMicrosecondArray::from(vec![micros()]);
            (Type::Timestamp, Arc::new(array), Some(Value::Timestamp(micros())))
        }
        "instant" => {
            let array = TimestampMicrosecondArray::from(vec![micros()]).with_timezone("+00:00");
            (Type::Instant, Arc::new(array), Some(Value::Instant(micros())))
        }
        "time" => {
            (Type::Time, Arc::new(Time64MicrosecondArray::from(vec![micros()])), Some(Value::Time(micros())))
        }
        "uuid" => {
            let u: [u8; 16] = hex(&v["hex"]).try_into().unwrap();
            let array = FixedSizeBinaryArray::try_from_iter([u].iter()).unwrap();
            (Type::Uuid, Arc::new(array), Some(Value::Uuid(u)))
        }
        "json" => (Type::Json, Arc::new(StringArray::from(vec![text()])), None),
        other => panic!("{other}"),
    }
}

fn row(vector: &Json, key: &[u8; 32]) -> RowHash {
    let columns: Vec<_> = vector["values"].as_array().unwrap().iter().map(column).collect();
    let types: Vec<Type> = columns.iter().map(|c| c.0).collect();
    let batch = Batch::new(&types, columns.into_iter().map(|c| c.1).collect(), 1).unwrap();
    let mut out = Vec::new();
    let table = vector["table"].as_str().unwrap();
    RowHasher::new(&TallyKey::new(*key), table, &types).hash_rows(&batch, &mut out).unwrap();
    assert_eq!(out.len(), 1);
    out[0]
}

#[test]
fn each_value_has_the_bytes_of_the_other_implementation() {
    let vectors = vectors();
    let values = vectors["values"].as_array().unwrap();
    for v in values {
        let (ty, array, single) = column(v);
        let mut bytes = Vec::new();
        encode(&Column::new(&array, ty).unwrap(), 0, &mut bytes);
        assert_eq!(HEXLOWER.encode(&bytes), v["enc"].as_str().unwrap(), "{v}");
        if let Some(single) = single {
            let mut bytes = Vec::new();
            encode_value(&single, &mut bytes);
            assert_eq!(HEXLOWER.encode(&bytes), v["enc"].as_str().unwrap(), "{v} as a single value");
        }
    }
    assert!(values.len() > 30);
}

#[test]
fn rows_and_published_tallies_are_those_of_the_other_implementation() {
    let vectors = vectors();
    let key = key(&vectors["key"]);
    let hashes: Vec<RowHash> = vectors["rows"].as_array().unwrap().iter().map(|v| row(v, &key)).collect();
    for (hash, v) in hashes.iter().zip(vectors["rows"].as_array().unwrap()) {
        assert_eq!(HEXLOWER.encode(&hash.bytes()), v["hash"].as_str().unwrap());
    }
    for v in vectors["publish"].as_array().unwrap() {
        let mut tally = Tally::new();
        v["rows"].as_array().unwrap().iter().for_each(|i| tally.add(&hashes[number::<usize>(i)]));
        let table = number(&v["table"]);
        let scope = match &v["chunk"] {
            Json::Null => Scope::Table(table),
            chunk => Scope::Chunk { table, chunk: number(chunk) },
        };
        let out = tally.publish(&TallyKey::new(key), scope);
        assert_eq!(HEXLOWER.encode(&out), v["out"].as_str().unwrap(), "{v}");
    }
}

#[test]
fn tokens_are_those_of_the_other_implementation() {
    let vectors = vectors();
    let key = TokenKey::new(key(&vectors["token_key"]));
    for v in vectors["tokens"].as_array().unwrap() {
        let values = v["values"].as_array().unwrap().iter().map(|v| column(v).2.unwrap()).collect();
        let token = Token::new(&key, v["table"].as_str().unwrap(), &Key(values));
        assert_eq!(token.to_string(), v["token"].as_str().unwrap());
        assert_eq!(v["token"].as_str().unwrap().to_lowercase().parse::<Token>().unwrap(), token);
    }
}
