//! What the sidecar says of its tools.

use serde_json::Value;

use crate::agent::Agent;

/// Bytes of the whole list: about 6,000 tokens.
const LIST_BYTES_MAX: usize = 24_000;

/// Goal: a change of any name, description, schema or annotation is seen by whoever makes it.
/// Method: the list against
/// `tools.json`; with TICKGATE_BLESS set the file is written instead.
#[test]
fn list_is_as_reviewed() {
    let runtime = tempfile::tempdir().unwrap();
    let tools = Value::Array(Agent::start(runtime.path(), &[]).tools());
    let listed = serde_json::to_string_pretty(&tools).unwrap() + "\n";
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/mcp/tools.json");
    if std::env::var_os("TICKGATE_BLESS").is_some() {
        std::fs::write(path, &listed).unwrap();
    }
    let reviewed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        listed == reviewed,
        "tests/mcp/tools.json differs: run again with TICKGATE_BLESS=1 and read the difference"
    );
}

/// Goal: the list is whole, sorted and small, and each tool says all that a client may ask of it.
/// Method: every field of every tool.
#[test]
fn list_is_complete_and_small() {
    let runtime = tempfile::tempdir().unwrap();
    let tools = Agent::start(runtime.path(), &[]).tools();
    let names: Vec<&str> = tools.iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    assert_eq!(names.len(), 11);
    assert!(names.is_sorted(), "{names:?}");
    for tool in &tools {
        let name = &tool["name"];
        assert!(tool["title"].as_str().is_some_and(|title| title.len() > 5), "{name}");
        assert!(tool["description"].as_str().is_some_and(|text| text.len() > 100), "{name}");
        for schema in [&tool["inputSchema"], &tool["outputSchema"]] {
            assert_eq!(schema["type"], "object", "{name}");
            jsonschema::draft202012::meta::validate(schema).unwrap();
        }
        assert_eq!(tool["inputSchema"]["additionalProperties"], false, "{name}");
        for hint in ["readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"] {
            assert!(tool["annotations"][hint].is_boolean(), "{name} {hint}");
        }
        let writes =
            ["order_change", "order_request", "trading_halt"].contains(&name.as_str().unwrap());
        assert_eq!(tool["annotations"]["readOnlyHint"], !writes, "{name}");
        assert_eq!(tool["annotations"]["destructiveHint"], writes, "{name}");
    }
    let bytes = serde_json::to_string(&tools).unwrap().len();
    println!("tools/list: {bytes} bytes");
    assert!(bytes <= LIST_BYTES_MAX, "{bytes} bytes");
}
