"""Test vectors for tallies and row tokens, written from docs/formats.md alone.

It shares no code with écluse: BLAKE3 is the `blake3` package of PyPI (1.0.11 when the
vectors were made), the rest is below. `python3 tally.py > tally.json`
"""

import json
import struct

from blake3 import blake3


def length(data: bytes) -> bytes:
    return struct.pack("<Q", len(data))


def enc(v: dict) -> bytes:
    match v["type"]:
        case "null":
            return b"\x00"
        case "bool":
            return b"\x01" + (b"\x01" if v["value"] else b"\x00")
        case "int":
            return b"\x02" + int(v["value"]).to_bytes(16, "little", signed=True)
        case "decimal":
            return b"\x03" + bytes([v["scale"]]) + int(v["unscaled"]).to_bytes(16, "little", signed=True)
        case "float":
            bits = int(v["bits"], 16)
            exponent, mantissa = bits >> 52 & 0x7FF, bits & (1 << 52) - 1
            if exponent == 0x7FF and mantissa:
                bits = 0x7FF8 << 48
            return b"\x04" + struct.pack("<Q", bits)
        case "text":
            data = v["value"].encode()
            return b"\x05" + length(data) + data
        case "bytes":
            data = bytes.fromhex(v["hex"])
            return b"\x06" + length(data) + data
        case "date":
            return b"\x07" + struct.pack("<i", v["days"])
        case "timestamp":
            return b"\x08" + struct.pack("<q", int(v["micros"]))
        case "instant":
            return b"\x09" + struct.pack("<q", int(v["micros"]))
        case "time":
            return b"\x0a" + struct.pack("<q", int(v["micros"]))
        case "uuid":
            return b"\x0b" + bytes.fromhex(v["hex"])
        case "json":
            data = v["value"].encode()
            return b"\x0c" + length(data) + data
    raise ValueError(v["type"])


def row_hash(key: bytes, table: str, values: list) -> bytes:
    name = table.encode()
    message = b"ecluse/tally/1" + length(name) + name + b"".join(map(enc, values))
    return blake3(message, key=key).digest()


def publish(key: bytes, scope: bytes, hashes: list) -> bytes:
    total = sum(int.from_bytes(h, "little") for h in hashes) % (1 << 256)
    message = b"ecluse/publish/1" + scope + total.to_bytes(32, "little") + struct.pack("<Q", len(hashes))
    return blake3(message, key=key).digest()


ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def token(key: bytes, table: str, values: list) -> str:
    name = table.encode()
    message = b"ecluse/token/1" + length(name) + name + b"".join(map(enc, values))
    number = int.from_bytes(blake3(message, key=key).digest()[:16], "big")
    digits = "".join(ALPHABET[number >> 5 * i & 31] for i in reversed(range(26)))
    return "-".join(digits[i : i + 4] for i in range(0, 26, 4))


VALUES = [
    {"type": "null"},
    {"type": "bool", "value": True},
    {"type": "bool", "value": False},
    {"type": "int", "value": "0"},
    {"type": "int", "value": "-1"},
    {"type": "int", "value": "9223372036854775807"},
    {"type": "int", "value": "-9223372036854775808"},
    {"type": "decimal", "scale": 1, "unscaled": "10"},
    {"type": "decimal", "scale": 2, "unscaled": "100"},
    {"type": "decimal", "scale": 2, "unscaled": "-1250"},
    {"type": "decimal", "scale": 0, "unscaled": "99999999999999999999999999999999999999"},
    {"type": "float", "bits": "3fb999999999999a"},
    {"type": "float", "bits": "0000000000000000"},
    {"type": "float", "bits": "8000000000000000"},
    {"type": "float", "bits": "7ff0000000000000"},
    {"type": "float", "bits": "7ff8000000000000"},
    {"type": "float", "bits": "fff8000000000001"},
    {"type": "text", "value": ""},
    {"type": "text", "value": "Éléonore "},
    {"type": "text", "value": "E\u0301le\u0301onore "},
    {"type": "bytes", "hex": ""},
    {"type": "bytes", "hex": "00ff10"},
    {"type": "date", "days": 0},
    {"type": "date", "days": -1},
    {"type": "date", "days": 17897},
    {"type": "timestamp", "micros": "1546300800000001"},
    {"type": "timestamp", "micros": "-1"},
    {"type": "instant", "micros": "1546300800000001"},
    {"type": "time", "micros": "86399999999"},
    {"type": "uuid", "hex": "00112233445566778899aabbccddeeff"},
    {"type": "json", "value": "{\"a\": 1}"},
]

KEY = bytes(range(32))
OTHER = bytes(range(32, 64))

ROWS = [
    ("patient", [VALUES[3], VALUES[18], VALUES[22], VALUES[0]]),
    ("patient", [VALUES[4], VALUES[19], VALUES[23], VALUES[1]]),
    ("patient", [VALUES[5], VALUES[17], VALUES[24], VALUES[2]]),
    ("résultat", VALUES),
    ("", []),
]


def main() -> None:
    hashes = [row_hash(KEY, table, values) for table, values in ROWS]
    chunk = lambda table, number: b"\x01" + struct.pack("<QQ", table, number)
    whole = lambda table: b"\x02" + struct.pack("<Q", table)
    print(
        json.dumps(
            {
                "key": KEY.hex(),
                "values": [{**v, "enc": enc(v).hex()} for v in VALUES],
                "rows": [
                    {"table": t, "values": v, "hash": h.hex()} for (t, v), h in zip(ROWS, hashes, strict=True)
                ],
                "publish": [
                    {"table": 0, "chunk": 0, "rows": [], "out": publish(KEY, chunk(0, 0), []).hex()},
                    {"table": 1, "chunk": 7, "rows": [0], "out": publish(KEY, chunk(1, 7), hashes[:1]).hex()},
                    {"table": 1, "chunk": 7, "rows": [0, 1, 2], "out": publish(KEY, chunk(1, 7), hashes[:3]).hex()},
                    {"table": 1, "chunk": 7, "rows": [0, 0, 0], "out": publish(KEY, chunk(1, 7), hashes[:1] * 3).hex()},
                    {"table": 1, "chunk": 8, "rows": [0, 1, 2], "out": publish(KEY, chunk(1, 8), hashes[:3]).hex()},
                    {"table": 1, "chunk": None, "rows": [0, 1, 2], "out": publish(KEY, whole(1), hashes[:3]).hex()},
                ],
                "token_key": OTHER.hex(),
                "tokens": [
                    {"table": t, "values": v, "token": token(OTHER, t, v)}
                    for t, v in [
                        ("patient", [VALUES[3]]),
                        ("patient", [VALUES[4]]),
                        ("result", [VALUES[3]]),
                        ("result", [VALUES[18], VALUES[24]]),
                    ]
                ],
            },
            indent=1,
            ensure_ascii=True,
        )
    )


if __name__ == "__main__":
    main()
