//! JSON schemas of arguments and results, kept small: an agent pays for every byte of them.

use std::sync::Arc;

use rmcp::model::JsonObject;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

use crate::fault::Refusal;
use crate::reply::{Notice, Stamp};

/// The schema of a tool's arguments.
pub fn input<T: JsonSchema>() -> Arc<JsonObject> {
    Arc::new(compact::<T>(SchemaSettings::draft2020_12()))
}

/// The schema of a tool's result: the envelope with `T`'s own fields, or `error` alone. The envelope is the same for
/// every tool, so the server's instructions describe it and the schema does not.
pub fn output<T: JsonSchema>() -> Arc<JsonObject> {
    let mut schema = written::<T>();
    let mut required = array(schema.remove("required"));
    let mut properties = object(schema.remove("properties"));
    for (mut part, always) in
        [(written::<Stamp>(), true), (written::<Notice>(), false), (written::<Refusal>(), false)]
    {
        if always {
            required.append(&mut array(part.remove("required")));
        }
        let mut fields = Value::Object(object(part.remove("properties")));
        remove(&mut fields, "description");
        properties.append(&mut object(Some(fields)));
    }
    schema.insert("properties".into(), Value::Object(properties));
    schema.insert("anyOf".into(), json!([{ "required": required }, { "required": ["error"] }]));
    Arc::new(schema)
}

fn written<T: JsonSchema>() -> JsonObject {
    compact::<T>(SchemaSettings::draft2020_12().for_serialize())
}

fn compact<T: JsonSchema>(mut settings: SchemaSettings) -> JsonObject {
    settings.meta_schema = None;
    settings.inline_subschemas = true;
    let mut schema = settings.into_generator().into_root_schema_for::<T>().to_value();
    // Names of Rust types and widths of integers tell an agent nothing.
    remove(&mut schema, "title");
    remove(&mut schema, "format");
    let mut root = object(Some(schema));
    root.remove("description");
    root
}

/// Removes a keyword from a schema and all below it. A keyword is text; a property of that name is an object.
fn remove(schema: &mut Value, keyword: &str) {
    match schema {
        Value::Object(fields) => {
            if fields.get(keyword).is_some_and(Value::is_string) {
                fields.remove(keyword);
            }
            fields.values_mut().for_each(|value| remove(value, keyword));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| remove(item, keyword)),
        _ => {}
    }
}

fn object(value: Option<Value>) -> JsonObject {
    if let Some(Value::Object(fields)) = value { fields } else { JsonObject::new() }
}

fn array(value: Option<Value>) -> Vec<Value> {
    if let Some(Value::Array(items)) = value { items } else { Vec::new() }
}
