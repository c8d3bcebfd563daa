//! Proofs as JSON files.

use std::path::Path;

use audit::{Checkpoint, Options, Proof, PublicKey, hex};
use program::println;
use serde_json::{Value, json};

use crate::show;
use crate::{Failure, bad, unreadable};

/// Most records of an order that are proved.
const RECORDS_MAX: usize = 4096;
/// Most bytes of a proof file.
const FILE_MAX: u64 = 64 << 20;

/// Writes the proof of every record of an order.
pub fn prove(folder: &Path, options: &Options, order: u64, out: &Path) -> Result<(), Failure> {
    let wanted = |record: &audit::AuditRecord| order > 0 && record.order.0 == order;
    let proved = audit::prove(folder, options, wanted, RECORDS_MAX).map_err(unreadable)?;
    let (report, proofs) = proved.map_err(|finding| bad(&finding))?;
    let checkpoint = report.last.filter(|_| !proofs.is_empty());
    let Some(checkpoint) = checkpoint else {
        return Err((1, format!("no record of order {order} before the last checkpoint")));
    };
    let records: Vec<Value> = proofs.iter().map(write).collect();
    let file = json!({
        "tickgate_audit_proof": 1,
        "order": order,
        "checkpoint": checkpoint.to_line(),
        "checkpoint_says": show::checkpoint(&checkpoint),
        "records": records,
    });
    let text = format!("{file:#}\n");
    std::fs::write(out, text).map_err(|error| (3, format!("{}: {error}", out.display())))?;
    println!("{} records of order {order} proved in {}", records.len(), out.display());
    Ok(())
}

fn write(proof: &Proof) -> Value {
    let path: Vec<String> = proof.path.iter().map(|hash| hex::encode(hash)).collect();
    let record = audit::AuditRecord::from_bytes(&proof.record).ok();
    json!({
        "record": proof.number,
        "bytes": hex::encode(&proof.record),
        "path": path,
        "says": record.map(|record| show::json(proof.number, &record)),
    })
}

/// Checks a proof. Everything that is printed comes from what is proved, not from what the file says of it.
pub fn check(file: &Path, key: &PublicKey, as_json: bool) -> Result<(), Failure> {
    let unreadable = |what: &str| (3, format!("{}: {what}", file.display()));
    let length = file.metadata().map_err(|error| unreadable(&error.to_string()))?.len();
    if length > FILE_MAX {
        return Err(unreadable("too large for a proof"));
    }
    let text = std::fs::read(file).map_err(|error| unreadable(&error.to_string()))?;
    let file: Value =
        serde_json::from_slice(&text).map_err(|error| unreadable(&error.to_string()))?;
    let line = file.get("checkpoint").and_then(Value::as_str);
    let checkpoint = line.and_then(Checkpoint::from_line);
    let checkpoint = checkpoint.ok_or_else(|| unreadable("`checkpoint` is no checkpoint"))?;
    let records = file.get("records").and_then(Value::as_array);
    let records = records.filter(|records| !records.is_empty() && records.len() <= RECORDS_MAX);
    let records = records.ok_or_else(|| unreadable("`records` holds no records"))?;
    for (place, value) in records.iter().enumerate() {
        let proof =
            read(value).ok_or_else(|| unreadable(&format!("record {place} is no proof")))?;
        let record = proof
            .check(&checkpoint, key)
            .map_err(|error| (1, format!("record {}: {error}", proof.number)))?;
        let says = show::json(proof.number, &record);
        if value.get("says").is_some_and(|other| *other != says) {
            return Err((1, format!("record {}: `says` is not what is proved", proof.number)));
        }
        if as_json {
            println!("{says}");
        } else {
            println!("{}", show::text(proof.number, &record));
        }
    }
    if !as_json {
        println!(
            "{} records stand in the log of {} records that was signed at {} ns",
            records.len(),
            checkpoint.count,
            checkpoint.wall.0
        );
    }
    Ok(())
}

fn read(value: &Value) -> Option<Proof> {
    let path = value.get("path")?.as_array()?;
    let path = path.iter().take(audit::merkle::PATH_MAX + 1);
    Some(Proof {
        number: value.get("record")?.as_u64()?,
        record: hex::decode(value.get("bytes")?.as_str()?)?,
        path: path.map(|hash| hex::decode(hash.as_str()?)).collect::<Option<_>>()?,
    })
}
