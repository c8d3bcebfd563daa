//! JSON schemas of arguments and results, kept small: an agent pays for every byte of them.

use std::sync::Arc;

use rmcp::model::JsonObject;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::Value;

use crate::reply::Stamp;

/// The schema of a tool's arguments. What is optional may be absent, which is all that an agent need know: null is taken too.
pub fn input<T: JsonSchema>() -> Arc<JsonObject> {
    let mut schema = Value::Object(compact::<T>(SchemaSettings::draft2020_12()));
    remove_null(&mut schema);
    Arc::new(object(Some(schema)))
}

/// The schema of a tool's result: the envelope with `T`'s own fields. Nothing is listed as
/// required, so that a fault fits too; and what is the same for every tool, the server's
/// instructions describe. Both would cost more than all the rest.
pub fn output<T: JsonSchema>() -> Arc<JsonObject> {
    let mut schema = written::<T>();
    let mut properties = object(schema.remove("properties"));
    properties.append(&mut object(written::<Stamp>().remove("properties")));
    for shared in ["as_of", "mode", "integrity", "integrity_cause", "null_reasons"] {
        if let Some(field) = properties.get_mut(shared) {
            remove(field, "description");
        }
    }
    if let Some(Value::Object(reasons)) = properties.get_mut("null_reasons") {
        reasons.remove("additionalProperties");
    }
    schema.insert("properties".into(), Value::Object(properties));
    Arc::new(schema)
}

fn written<T: JsonSchema>() -> JsonObject {
    let mut schema = Value::Object(compact::<T>(SchemaSettings::draft2020_12().for_serialize()));
    remove(&mut schema, "required");
    remove_item_docs(&mut schema);
    object(Some(schema))
}

/// Of several types, null goes.
fn remove_null(schema: &mut Value) {
    let Value::Object(fields) = schema else { return };
    if let Some(Value::Array(types)) = fields.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            fields.insert("type".into(), only);
        }
    }
    fields.values_mut().for_each(remove_null);
}

/// The list says what its items are.
fn remove_item_docs(schema: &mut Value) {
    if let Value::Object(fields) = schema {
        if let Some(Value::Object(items)) = fields.get_mut("items") {
            items.remove("description");
        }
        fields.values_mut().for_each(remove_item_docs);
    }
}

fn compact<T: JsonSchema>(mut settings: SchemaSettings) -> JsonObject {
    settings.meta_schema = None;
    settings.inline_subschemas = true;
    let mut schema = settings.into_generator().into_root_schema_for::<T>().to_value();
    // Names of Rust types and ranges of their integers tell an agent nothing.
    for noise in ["title", "format", "minimum", "maximum"] {
        remove(&mut schema, noise);
    }
    let mut root = object(Some(schema));
    root.remove("description");
    root
}

/// Removes a keyword from a schema and all below it. The value of these is no object; that of a
/// property of the same name is.
fn remove(schema: &mut Value, keyword: &str) {
    match schema {
        Value::Object(fields) => {
            if fields.get(keyword).is_some_and(|value| !value.is_object()) {
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
