//! Features of rooms: none is on unless the one who builds asks for it. There is one that must not be: what measures has no
//! encryption.

use cargo_metadata::Package;

use super::Finding;

/// The feature of a build that copies where others encrypt.
const MEASURING: &str = "measure-copy";

/// Features that are on by themselves.
pub(crate) fn check(packages: &[Package]) -> Vec<Finding> {
    packages.iter().filter_map(|package| Some(finding(package, broken_rule(package)?))).collect()
}

fn broken_rule(package: &Package) -> Option<String> {
    if package.features.get("default").is_some_and(|features| !features.is_empty()) {
        return Some("has features by default: leave them out".to_owned());
    }
    let asks = package.dependencies.iter().find(|one| one.features.iter().any(|name| name == MEASURING))?;
    Some(format!(
        "always builds `{}` with `{MEASURING}`, which encrypts nothing: pass it on by a feature",
        asks.name
    ))
}

fn finding(package: &Package, what: String) -> Finding {
    Finding { place: format!("package {}", package.name), what }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(features: &str, of_dependency: &str) -> usize {
        let dependency = format!(
            r#"{{"name":"crypto","source":null,"req":"*","kind":null,"rename":null,"optional":false,"uses_default_features":true,"features":[{of_dependency}],"target":null,"registry":null}}"#
        );
        let manifest = format!(
            r#"{{"name":"keywright","version":"0.1.0","id":"x","dependencies":[{dependency}],"targets":[],"features":{{{features}}},"manifest_path":"/x"}}"#
        );
        check(&[serde_json::from_str(&manifest).unwrap()]).len()
    }

    #[test]
    fn no_build_measures_unless_it_is_told_to() {
        assert_eq!(found("", ""), 0);
        assert_eq!(found(r#""measure-copy":["crypto/measure-copy"]"#, ""), 0);
        assert_eq!(found(r#""measure-copy":[],"default":["measure-copy"]"#, ""), 1);
        assert_eq!(found("", r#""measure-copy""#), 1);
    }
}
