//! Names of the model as names of Rust.

/// `AWSAccountId` to `aws_account_id`.
pub(crate) fn snake_case(name: &str) -> String {
    let characters: Vec<char> = name.chars().collect();
    let mut snake = String::new();
    for (at, character) in characters.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|before| characters.get(before));
        let after = characters.get(at + 1);
        let word_starts = character.is_ascii_uppercase()
            && before.is_some_and(|before| {
                !before.is_ascii_uppercase() || after.is_some_and(char::is_ascii_lowercase)
            });
        if word_starts {
            snake.push('_');
        }
        snake.push(character.to_ascii_lowercase());
    }
    snake
}

/// `TagListType` from `tagListType`: the Rust type of a shape.
pub(crate) fn type_name(shape: &str) -> String {
    let mut characters = shape.chars();
    let first: String = characters.next().into_iter().map(|first| first.to_ascii_uppercase()).collect();
    first + characters.as_str()
}

/// `keyId` from `KeyId`, `aWSAccountId` from `AWSAccountId`: the name of a member in audit events.
pub(crate) fn lower_first(member: &str) -> String {
    let mut characters = member.chars();
    let first: String = characters.next().into_iter().map(|first| first.to_ascii_lowercase()).collect();
    first + characters.as_str()
}

/// `ALIAS_NAME_TYPE` from `AliasNameType`.
pub(crate) fn constant_case(name: &str) -> String {
    snake_case(name).to_ascii_uppercase()
}

/// `ECC_NIST_P256` to `EccNistP256`, `aws-managed` to `AwsManaged`; what is in camel case already stays. `SELF` is `SelfValue`, for `Self` is taken.
pub(crate) fn variant(value: &str) -> String {
    let variant: String = value.split(['_', '-', '.', ' ']).map(variant_word).collect();
    if variant == "Self" { "SelfValue".to_owned() } else { variant }
}

fn variant_word(word: &str) -> String {
    if word.chars().any(|character| character.is_ascii_lowercase()) {
        return type_name(word);
    }
    let mut characters = word.chars();
    let first: String = characters.next().into_iter().collect();
    first + &characters.as_str().to_ascii_lowercase()
}
