//! One file per operation: its request, its response and its marker.

use super::structures::{Code, has_body};
use super::types::Types;
use super::{File, GenerateError, gathering_module, names};
use crate::model::{Operation, Shape};

pub(crate) fn render(types: &Types<'_>) -> Result<Vec<File>, GenerateError> {
    let mut files = Vec::new();
    let mut items = Vec::new();
    let mut all = Vec::new();
    for (name, operation) in types.model.operations.iter() {
        let module = names::snake_case(name);
        let names = vec![name.to_owned(), request_name(operation), response_name(operation)];
        files.push(File { path: format!("operations/{module}.rs"), text: operation_file(types, operation)? });
        items.push((module, names));
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
    let (name, request, response) = (&operation.name, request_name(operation), response_name(operation));
    let codec = types.surroundings.codec;
    check_wrapper(operation)?;
    let mut code = Code::default();
    code.push(&marker(operation, &request, &response));
    code.import(types.surroundings.service, &["ErrorCode", "Operation"]);

    let nothing = Shape::empty_structure();
    let input = operation.input.as_ref().map_or(Ok(&nothing), |input| types.shape(&input.shape))?;
    code.define(types, &request, input, &format!("The input of `{name}`"))?;
    code.read(types, &request, input)?;
    code.show(types, &request, input)?;
    code.import(codec, &["Request"]);
    code.push(&format!("impl Request for {request} {{}}\n"));

    match &operation.output {
        Some(output) if output.shape != response => {
            alias(types, &mut code, name, &response, &output.shape)?;
            return Ok(code.finish(&format!("`{name}`.")));
        }
        Some(output) => {
            let output = types.shape(&output.shape)?;
            code.define(types, &response, output, &format!("The output of `{name}`"))?;
            code.write(types, &response, output);
            code.show(types, &response, output)?;
        }
        None => {
            code.import(codec, &["Encode", "Object", "Sink"]);
            code.push(&format!(
                "/// The output of `{name}`: an empty body.\n\
                 #[derive(Clone, Debug, PartialEq, Eq, Default)]\npub struct {response};\n\n\
                 impl Encode for {response} {{\nfn encode(&self, sink: &mut impl Sink) {{\n\
                 Object::write(sink, |_| {{}});\n}}\n}}\n"
            ));
            code.show(types, &response, &nothing)?;
        }
    }
    code.import(codec, &["Response"]);
    code.push(&has_body(&response, operation.output.is_some()));
    Ok(code.finish(&format!("`{name}`.")))
}

fn marker(operation: &Operation, request: &str, response: &str) -> String {
    let name = &operation.name;
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

/// The codec writes `<operation>Result` around every output.
fn check_wrapper(operation: &Operation) -> Result<(), GenerateError> {
    let wrapper = operation.output.as_ref().and_then(|output| output.result_wrapper.as_ref());
    match wrapper {
        Some(wrapper) if *wrapper != format!("{}Result", operation.name) => {
            let what = format!("the wrapper {wrapper} around its output");
            Err(GenerateError::Unsupported { shape: operation.name.clone(), what })
        }
        Some(_) | None => Ok(()),
    }
}

fn request_name(operation: &Operation) -> String {
    operation
        .input
        .as_ref()
        .map_or_else(|| format!("{}Request", operation.name), |input| names::type_name(&input.shape))
}

fn response_name(operation: &Operation) -> String {
    format!("{}Response", operation.name)
}

/// An output that several operations have, as ListRetirableGrants has that of ListGrants.
fn alias(
    types: &Types<'_>,
    code: &mut Code,
    name: &str,
    response: &str,
    shape: &str,
) -> Result<(), GenerateError> {
    let is_that_of_another = types.model.operations.iter().any(|(_, other)| response_name(other) == shape);
    if !is_that_of_another && !types.is_shared_output(shape) {
        let what = format!("the output of {name}, which is not named after an operation");
        return Err(GenerateError::Unsupported { shape: shape.to_owned(), what });
    }
    code.import(types.surroundings.service, &[shape]);
    let whose = if is_that_of_another { "another operation" } else { "several operations" };
    code.push(&format!("/// The output of `{name}`: that of {whose}.\npub type {response} = {shape};\n"));
    Ok(())
}
