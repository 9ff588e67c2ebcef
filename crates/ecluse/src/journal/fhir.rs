//! Events as FHIR R4 AuditEvent, for auditors whose tools read that.
//!
//! Nothing is added that the event does not say, but the operator's name where the session's statement is there: no
//! patient, no value, no key of a row. `detail` carries what the event's exact bytes are rebuilt from.

use ecluse_flow::event::{Act, Leaf, Outcome};
use serde_json::{Value, json};

/// The codes of DICOM's audit messages (PS3.16, CID 400), which FHIR's value set takes over.
const DCM: &str = "http://dicom.nema.org/resources/ontology/DCM";

/// One event. `origin` is the journal's, `operator` the name behind the session, where it is known.
pub(crate) fn event(index: u64, leaf: &Leaf, origin: &str, operator: Option<&String>) -> Value {
    let (code, display, action) = kind(leaf.act);
    let mut who = json!({ "identifier": { "system": "urn:ecluse:session", "value": leaf.session } });
    if let (Some(name), Value::Object(who)) = (operator, &mut who) {
        who.insert("display".to_owned(), Value::String(name.clone()));
    }
    let mut detail = vec![
        json!({ "type": "index", "valueString": index.to_string() }),
        json!({ "type": "salt", "valueString": leaf.salt }),
    ];
    detail.extend(leaf.paper.as_ref().map(|paper| json!({ "type": "paper", "valueString": paper })));
    json!({
        "resourceType": "AuditEvent",
        "id": leaf.salt,
        "type": { "system": DCM, "code": code, "display": display },
        "subtype": [{ "system": "urn:ecluse:act", "code": name(leaf.act) }],
        "action": action,
        "period": { "start": leaf.time },
        "recorded": leaf.time,
        "outcome": outcome(&leaf.outcome),
        "outcomeDesc": leaf.outcome,
        "agent": [{ "who": who, "requestor": true }],
        "source": {
            "observer": { "identifier": { "system": "urn:ecluse:journal", "value": origin }, "display": "écluse" },
            "type": [{
                "system": "http://terminology.hl7.org/CodeSystem/security-source-type",
                "code": "4", "display": "Application Server",
            }],
        },
        "entity": [{
            "what": { "identifier": { "system": "urn:ecluse:object", "value": leaf.object } },
            "detail": detail,
        }],
    })
}

/// All of them as one resource.
pub(crate) fn bundle(events: Vec<Value>) -> Value {
    let entry: Vec<Value> = events.into_iter().map(|event| json!({ "resource": event })).collect();
    json!({ "resourceType": "Bundle", "type": "collection", "entry": entry })
}

/// An act's word, as the event has it.
pub(crate) fn name(act: Act) -> String {
    serde_json::to_value(act).ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
}

/// DICOM's code for it, and what is done: create, read, update, delete, execute.
const fn kind(act: Act) -> (&'static str, &'static str, &'static str) {
    let (export, import) = (("110106", "Export"), ("110107", "Import"));
    let read = ("110112", "Query");
    let ((code, display), action) = match act {
        Act::Snapshot | Act::Table => (export, "R"),
        Act::Chunk | Act::Destination | Act::Finish => (import, "C"),
        Act::Undo | Act::Remove => (("110100", "Application Activity"), "D"),
        Act::Reconcile | Act::Plan | Act::Probe | Act::Locate | Act::KnownShown | Act::Compare => (read, "R"),
        Act::JournalRead => (("110101", "Audit Log Used"), "R"),
        Act::JournalErased => (("110101", "Audit Log Used"), "D"),
        Act::Alert | Act::Refuse => (("110113", "Security Alert"), "E"),
        Act::Override => (("110127", "Emergency Override Started"), "E"),
        // what a part of the path adds is an activity of the application until it says what else it is
        _ => (("110100", "Application Activity"), "E"),
    };
    (code, display, action)
}

/// 0 success, 4 minor failure (it can be gone on with), 8 serious failure (refused or failed).
fn outcome(said: &str) -> &'static str {
    match said {
        said if said == Outcome::Stopped.to_string() => "4",
        said if [Outcome::Begun, Outcome::Done].iter().any(|good| said == good.to_string()) => "0",
        _ => "8",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaf(act: Act, outcome: &str, paper: Option<&str>) -> Leaf {
        Leaf {
            v: 1,
            salt: "0a".repeat(16),
            time: "2026-11-23T01:02:03.5Z".to_owned(),
            session: "5e".repeat(16),
            act,
            object: "0b".repeat(16),
            outcome: outcome.to_owned(),
            paper: paper.map(str::to_owned),
        }
    }

    /// The leaf that an event was made of.
    fn back(event: &Value) -> Option<Leaf> {
        let text = |at: &str| event.pointer(at).and_then(Value::as_str).map(str::to_owned);
        let detail = |name: &str| {
            let all = event.pointer("/entity/0/detail")?.as_array()?;
            let one = all.iter().find(|one| one.get("type").and_then(Value::as_str) == Some(name))?;
            one.get("valueString")?.as_str().map(str::to_owned)
        };
        Some(Leaf {
            v: 1,
            salt: detail("salt")?,
            time: text("/recorded")?,
            session: text("/agent/0/who/identifier/value")?,
            act: serde_json::from_value(event.pointer("/subtype/0/code")?.clone()).ok()?,
            object: text("/entity/0/what/identifier/value")?,
            outcome: text("/outcomeDesc")?,
            paper: detail("paper"),
        })
    }

    /// FHIR R4, AuditEvent: what has a cardinality of one or more, and the codes of required bindings.
    fn is_audit_event(event: &Value) -> bool {
        let is_text =
            |at: &str| event.pointer(at).is_some_and(|found| found.as_str().is_some_and(|t| !t.is_empty()));
        let one_of = |at: &str, codes: &[&str]| {
            event.pointer(at).and_then(Value::as_str).is_some_and(|code| codes.contains(&code))
        };
        let id = event["id"].as_str().unwrap_or_default();
        event["resourceType"] == "AuditEvent"
            && (1..=64).contains(&id.len())
            && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.')
            && is_text("/type/code")
            && is_text("/type/system")
            && event["recorded"].as_str().is_some_and(|at| at.parse::<jiff::Timestamp>().is_ok())
            && event["period"]["start"] == event["recorded"]
            && event["agent"].as_array().is_some_and(|agents| !agents.is_empty())
            && event["agent"][0]["requestor"].is_boolean()
            && is_text("/agent/0/who/identifier/value")
            && is_text("/source/observer/identifier/value")
            && one_of("/action", &["C", "R", "U", "D", "E"])
            && one_of("/outcome", &["0", "4", "8", "12"])
    }

    #[test]
    fn an_event_is_an_audit_event_from_which_its_bytes_are_had_again() {
        let acts = [Act::Open, Act::Table, Act::Chunk, Act::Undo, Act::JournalRead, Act::Override, Act::Seal];
        for act in acts {
            for (said, code) in [("begun", "0"), ("done", "0"), ("stopped", "4"), ("ECL-RUN-020", "8")] {
                for paper in [None, Some("sha256:00")] {
                    let leaf = leaf(act, said, paper);
                    let operator = "Nadia Petit".to_owned();
                    let event = event(7, &leaf, "ecluse/0c", Some(&operator));
                    assert!(is_audit_event(&event), "{event}");
                    assert_eq!(event["outcome"], code);
                    assert_eq!(back(&event).unwrap().bytes().unwrap(), leaf.bytes().unwrap());
                }
            }
        }
        for required in ["type", "recorded", "agent", "source", "period"] {
            let mut event = event(7, &leaf(Act::Open, "done", None), "ecluse/0c", None);
            event.as_object_mut().unwrap().remove(required);
            assert!(!is_audit_event(&event), "without {required}");
        }
    }
}
