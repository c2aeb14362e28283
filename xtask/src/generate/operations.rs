//! One file per operation: its request, its response and its marker.

use super::structures::Code;
use super::types::Types;
use super::{File, GenerateError, gathering_module, names};
use crate::model::Operation;

pub(crate) fn render(types: &Types<'_>) -> Result<Vec<File>, GenerateError> {
    let mut files = Vec::new();
    let mut items = Vec::new();
    let mut all = Vec::new();
    for (name, operation) in types.model.operations.iter() {
        let module = names::snake_case(name);
        let response = response_name(operation);
        files.push(File { path: format!("operations/{module}.rs"), text: operation_file(types, operation)? });
        items.push((module, vec![name.to_owned(), operation.input.shape.clone(), response]));
        all.push(format!("{name:?}"));
    }
    let rest = format!(
        "\n/// The names of all operations, in the order of the model.\n\
         pub const OPERATION_NAMES: [&str; {}] = [{}];\n",
        all.len(),
        all.join(", ")
    );
    files.push(gathering_module("operations", "The operations of the service model.", &items, &rest));
    Ok(files)
}

fn operation_file(types: &Types<'_>, operation: &Operation) -> Result<String, GenerateError> {
    let (name, request, response) = (&operation.name, &operation.input.shape, response_name(operation));
    let mut code = Code::default();
    code.push(&marker(operation, &response));
    code.import("crate::kms", &["ErrorCode", "Operation"]);

    let input = types.shape(request)?;
    code.define(types, request, input, &format!("The input of `{name}`"))?;
    code.read(types, request, input)?;
    code.import("crate::json", &["Request"]);
    code.push(&format!("impl Request for {request} {{}}\n"));

    match &operation.output {
        Some(output) if output.shape != response => {
            alias(types, &mut code, name, &response, &output.shape)?;
            return Ok(code.finish(&format!("`{name}`.")));
        }
        Some(output) => {
            let output = types.shape(&output.shape)?;
            code.define(types, &response, output, &format!("The output of `{name}`"))?;
            code.write(&response, output);
        }
        None => {
            code.import("crate::json", &["Encode", "Object", "Sink"]);
            code.push(&format!(
                "/// The output of `{name}`: an empty body.\n\
                 #[derive(Clone, Debug, PartialEq, Eq, Default)]\npub struct {response};\n\n\
                 impl Encode for {response} {{\nfn encode(&self, sink: &mut impl Sink) {{\n\
                 Object::write(sink, |_| {{}});\n}}\n}}\n"
            ));
        }
    }
    code.import("crate::json", &["Response"]);
    code.push(&format!(
        "impl Response for {response} {{\nconst HAS_BODY: bool = {};\n}}\n",
        operation.output.is_some()
    ));
    Ok(code.finish(&format!("`{name}`.")))
}

fn marker(operation: &Operation, response: &str) -> String {
    let (name, request) = (&operation.name, &operation.input.shape);
    let errors: Vec<String> =
        operation.errors.iter().map(|error| format!("ErrorCode::{}", error.shape)).collect();
    format!(
        "/// The operation `{name}`.\n#[derive(Clone, Copy, Debug)]\npub struct {name};\n\n\
         impl Operation for {name} {{\nconst NAME: &'static str = {name:?};\n\
         type Request = {request};\ntype Response = {response};\n\
         const ERRORS: &'static [ErrorCode] = &[{}];\n}}\n",
        errors.join(", ")
    )
}

fn response_name(operation: &Operation) -> String {
    format!("{}Response", operation.name)
}

/// An output that is the output of another operation, as that of ListRetirableGrants is that of ListGrants.
fn alias(
    types: &Types<'_>,
    code: &mut Code,
    name: &str,
    response: &str,
    shape: &str,
) -> Result<(), GenerateError> {
    let is_that_of_another = types.model.operations.iter().any(|(_, other)| response_name(other) == shape);
    if !is_that_of_another {
        let what = format!("the output of {name}, which is not named after an operation");
        return Err(GenerateError::Unsupported { shape: shape.to_owned(), what });
    }
    code.import("crate::kms", &[shape]);
    code.push(&format!(
        "/// The output of `{name}`: that of another operation.\npub type {response} = {shape};\n"
    ));
    Ok(())
}
