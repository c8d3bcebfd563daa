//! What is said of one engine, or of each of several.

use serde_json::{Map, Value, json};

use crate::exit::Failure;

/// What is said of one engine.
#[derive(Debug, PartialEq)]
pub enum Said {
    /// To a program.
    Json(Value),
    /// To people.
    Text(String),
}

/// What is said of all.
pub struct AllSaid(Vec<(String, Result<Said, Failure>)>);

/// Does something to each, whatever becomes of the others. One without a name is alone.
pub fn each<T>(
    engines: Vec<(String, T)>,
    mut each: impl FnMut(T) -> Result<Said, Failure>,
) -> AllSaid {
    AllSaid(engines.into_iter().map(|(name, engine)| (name, each(engine))).collect())
}

impl AllSaid {
    /// Prints it: as it is of one that is alone, else by names.
    ///
    /// # Errors
    ///
    /// The failure of the first that failed, with what is wrong with every other.
    pub fn print(self) -> Result<(), Failure> {
        let (printed, failed) = self.split();
        if !printed.is_empty() {
            let answered = program::try_answer(format_args!("{printed}\n"));
            if let (Err(error), None) = (answered, &failed) {
                program::end(&error);
            }
        }
        failed.map_or(Ok(()), Err)
    }

    fn split(self) -> (String, Option<Failure>) {
        let (mut lines, mut shards, mut failed) = (Vec::new(), Map::new(), None::<Failure>);
        for (name, said) in self.0 {
            match said {
                Ok(Said::Json(value)) if name.is_empty() => lines.push(value.to_string()),
                Ok(Said::Text(text)) if name.is_empty() => lines.push(text),
                Ok(Said::Json(value)) => _ = shards.insert(name, value),
                Ok(Said::Text(text)) => lines.push(format!("{name}: {text}")),
                Err(Failure { code, message }) => {
                    let name = if name.is_empty() { name } else { name + ": " };
                    let failure = failed.get_or_insert(Failure { code, message: String::new() });
                    let apart = if failure.message.is_empty() { "" } else { "\n" };
                    failure.message += &format!("{apart}{name}{message}");
                }
            }
        }
        if !shards.is_empty() {
            lines.push(json!({ "shards": shards }).to_string());
        }
        (lines.join("\n"), failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: one that is alone is said as it is, shards by their names; one that fails hides none that did not, and is what the
    /// command ends with. Method: each way.
    #[test]
    fn all_are_said() {
        let told = |engines: &[(&str, bool)], json: bool| {
            let engines = engines.iter().map(|(name, good)| (name.to_string(), *good)).collect();
            let one = |good: bool| match (good, json) {
                (false, _) => Err(Failure::no_engine("gone")),
                (true, true) => Ok(Said::Json(json!(1))),
                (true, false) => Ok(Said::Text("done".into())),
            };
            let (said, failed) = each(engines, one).split();
            (said, failed.map(|failure| failure.message))
        };
        let text = str::to_owned;
        assert_eq!(told(&[("", true)], true), (text("1"), None));
        assert_eq!(told(&[("", true)], false), (text("done"), None));
        assert_eq!(told(&[("", false)], false), (text(""), Some(text("gone"))));
        let both = [("p-0", true), ("p-1", false), ("p-2", false)];
        let failed = Some(text("p-1: gone\np-2: gone"));
        assert_eq!(told(&both, false), (text("p-0: done"), failed.clone()));
        assert_eq!(told(&both, true), (text("{\"shards\":{\"p-0\":1}}"), failed));
    }
}
