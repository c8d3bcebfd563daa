pub fn run(_: &crate::setting::Setting) -> Vec<crate::contest::Outcome> { Vec::new() }
