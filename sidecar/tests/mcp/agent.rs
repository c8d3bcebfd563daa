//! A client of the sidecar: speaks the protocol line by line, and holds every result against the
//! tool's own schema.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

/// How the protocol is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Era {
    /// `initialize` first, as up to 2025-11-25.
    Legacy,
    /// `_meta` on every request, as from 2026-07-28.
    Modern,
}

/// A running sidecar and its client.
pub struct Agent {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    era: Era,
    last_id: u64,
    schemas: HashMap<String, jsonschema::Validator>,
}

/// What a tool answered.
#[derive(Debug)]
pub struct Answer {
    pub is_error: bool,
    pub body: Value,
}

impl Agent {
    /// Starts the sidecar for the engines of that runtime folder and learns the tools.
    pub fn start(runtime: &Path, args: &[&str]) -> Agent {
        Agent::start_in(Era::Legacy, runtime, args)
    }

    pub fn start_in(era: Era, runtime: &Path, args: &[&str]) -> Agent {
        let mut child = Command::new(env!("CARGO_BIN_EXE_tickgate-mcp"))
            .args(args)
            .env("TICKGATE_RUNTIME_DIR", runtime.join("tickgate"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (input, output) = (child.stdin.take(), child.stdout.take().unwrap());
        let output = BufReader::new(output);
        let mut agent = Agent { child, input, output, era, last_id: 0, schemas: HashMap::new() };
        agent.greet();
        for tool in agent.tools() {
            let schema = jsonschema::draft202012::new(&closed(&tool["outputSchema"])).unwrap();
            agent.schemas.insert(tool["name"].as_str().unwrap().to_owned(), schema);
        }
        agent
    }

    fn greet(&mut self) {
        if self.era == Era::Modern {
            let found = self.request("server/discover", json!({}));
            let versions = found["result"]["supportedVersions"].as_array().unwrap();
            assert!(versions.contains(&json!("2026-07-28")), "{found}");
            return;
        }
        let info = json!({"name": "test", "version": "0"});
        let params =
            json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": info});
        let greeting = self.request("initialize", params);
        assert_eq!(greeting["result"]["protocolVersion"], "2025-11-25", "{greeting}");
        assert!(greeting["result"]["instructions"].as_str().unwrap().contains("order_check"));
        self.say(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}).to_string());
    }

    pub fn tools(&mut self) -> Vec<Value> {
        let listed = self.request("tools/list", json!({}));
        listed["result"]["tools"].as_array().unwrap_or_else(|| panic!("{listed}")).clone()
    }

    /// Calls a tool. Its result must keep its own schema, and its text must say the same as its structure.
    pub fn call(&mut self, tool: &str, arguments: Value) -> Answer {
        let answer = self.request("tools/call", json!({"name": tool, "arguments": arguments}));
        let result = &answer["result"];
        let body = result["structuredContent"].clone();
        let text = result["content"][0]["text"].as_str().unwrap_or_else(|| panic!("{answer}"));
        assert_eq!(serde_json::from_str::<Value>(text).unwrap(), body);
        let faults: Vec<_> = self.schemas[tool].iter_errors(&body).map(|e| e.to_string()).collect();
        assert!(faults.is_empty(), "{tool}: {faults:?} in {body:#}");
        if body.get("error").is_none() {
            for field in ["engine_seq", "ts_venue_ns", "ts_recv_ns", "age_us"] {
                assert!(body["as_of"].get(field).is_some(), "{tool} lacks as_of.{field}: {body:#}");
            }
        }
        Answer { is_error: result["isError"].as_bool().unwrap_or(false), body }
    }

    /// The same, for a call that must succeed.
    pub fn get(&mut self, tool: &str, arguments: Value) -> Value {
        let answer = self.call(tool, arguments);
        assert!(!answer.is_error, "{tool}: {:#}", answer.body);
        answer.body
    }

    /// The same, for a call that must be a fault; returns its code and what it says.
    pub fn fault(&mut self, tool: &str, arguments: Value) -> (String, String) {
        let answer = self.call(tool, arguments);
        assert!(answer.is_error, "{tool}: {:#}", answer.body);
        let error = &answer.body["error"];
        let text = format!("{} {}", error["message"], error["fix"]);
        (error["code"].as_str().unwrap_or_else(|| panic!("{:#}", answer.body)).to_owned(), text)
    }

    /// One request and its answer.
    pub fn request(&mut self, method: &str, mut params: Value) -> Value {
        self.last_id += 1;
        if self.era == Era::Modern {
            params["_meta"] = json!({
                "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "0"},
                "io.modelcontextprotocol/clientCapabilities": {},
            });
        }
        let id = self.last_id;
        self.say(
            &json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}).to_string(),
        );
        let answer = self.hear();
        assert_eq!(answer["id"], id, "{answer}");
        answer
    }

    /// Writes one line.
    pub fn say(&mut self, line: &str) {
        let input = self.input.as_mut().unwrap();
        writeln!(input, "{line}").unwrap();
    }

    /// Reads one line, which must be protocol.
    pub fn hear(&mut self) -> Value {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        let message: Value =
            serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"));
        assert_eq!(message["jsonrpc"], "2.0", "{line}");
        message
    }

    /// Closes the sidecar's input.
    pub fn ask_no_more(&mut self) {
        self.input = None;
    }

    /// Closes the sidecar's input and waits until it leaves. Everything it still writes must be nothing.
    pub fn close(mut self) -> std::process::ExitStatus {
        self.ask_no_more();
        let status = self.child.wait().unwrap();
        let mut rest = String::new();
        std::io::Read::read_to_string(&mut self.output, &mut rest).unwrap();
        assert_eq!(rest, "");
        status
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The schema of a result, made to refuse every field that it does not name. A fault, and what the
/// sidecar says of a restart, may come with any result.
fn closed(schema: &Value) -> Value {
    let mut schema = schema.clone();
    close(&mut schema);
    for (field, of) in [
        ("error", "object"),
        ("engine_restarted", "boolean"),
        ("epoch", "string"),
        ("previous_epoch", "string"),
    ] {
        schema["properties"][field] = json!({ "type": of });
    }
    schema
}

fn close(schema: &mut Value) {
    if let Value::Object(fields) = schema {
        fields.values_mut().for_each(close);
        if fields.get("properties").is_some_and(Value::is_object) && fields.contains_key("type") {
            fields.insert("additionalProperties".into(), false.into());
        }
    }
}
