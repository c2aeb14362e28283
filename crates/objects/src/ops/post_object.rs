//! POST Object: <https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html>

use base::Call;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use wire::s3::Document;

use crate::Objects;
use crate::body::{Body, PUT_MAX};
use crate::error::ObjectsError;
use crate::object_key::ObjectKey;
use crate::post_form::find;
use crate::request::{Answer, AnswerBody, Request};

/// An object that has been written.
struct Written<'a> {
    bucket: &'a str,
    key: &'a str,
    entity_tag: String,
    url: String,
}

impl Objects {
    pub(crate) async fn post_object(
        &self,
        call: &Call,
        request: Request,
        (bucket, key): (&str, &ObjectKey),
    ) -> Result<Answer, ObjectsError> {
        let url = request.url(call);
        let Request { headers, body, form, .. } = request;
        let form = form.ok_or(ObjectsError::Bug("a form is missing"))?;
        let lengths = form.policy.as_ref().map_or(Ok(0..=PUT_MAX), |policy| policy.judge(&form.fields));
        let lengths = lengths.map_err(|fault| ObjectsError::access_denied(fault.to_string()))?;
        let lengths = *lengths.start()..=PUT_MAX.min(*lengths.end());
        let begin = |_: &_| Ok(Body::of_form(body, lengths));
        let answer = self.put(call, &headers, begin, (bucket, key)).await?;
        let entity_tag =
            answer.headers.iter().find(|(name, _)| name == "etag").map(|(_, value)| value.clone());
        let written = Written { bucket, key: key.as_str(), entity_tag: entity_tag.unwrap_or_default(), url };
        Ok(written.answer(answer, &form.fields))
    }
}

impl Written<'_> {
    /// The answer that a form wants: to go somewhere else, to be told, or nothing.
    fn answer(&self, answer: Answer, fields: &[(String, String)]) -> Answer {
        let redirect = find(fields, "success_action_redirect").or_else(|| find(fields, "redirect"));
        if let Some(url) = redirect.filter(|url| is_url(url)) {
            let separator = if url.contains('?') { '&' } else { '?' };
            let [bucket, key, tag] = [self.bucket, self.key, &self.entity_tag]
                .map(|value| utf8_percent_encode(value, NON_ALPHANUMERIC).to_string());
            let location = format!("{url}{separator}bucket={bucket}&key={key}&etag={tag}");
            return Answer { status: 303, ..answer }.header("location", location);
        }
        let answer = answer.header("location", &self.url);
        match find(fields, "success_action_status") {
            Some("200") => Answer { status: 200, ..answer },
            Some("201") => Answer { status: 201, body: AnswerBody::Xml(self.document()), ..answer },
            Some(_) | None => Answer { status: 204, ..answer },
        }
    }

    fn document(&self) -> Vec<u8> {
        let mut document = Document::plain("PostResponse");
        document
            .text("Location", &self.url)
            .text("Bucket", self.bucket)
            .text("Key", self.key)
            .text("ETag", &self.entity_tag);
        document.finish()
    }
}

/// What is no such URL counts as not said.
fn is_url(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| {
        !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(fields: &[(&str, &str)]) -> (u16, String) {
        let fields: Vec<_> =
            fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let (entity_tag, url) = ("\"e\"".to_owned(), "http://h/b/a%2Fb".to_owned());
        let written = Written { bucket: "b", key: "a/b", entity_tag, url };
        let answer = written.answer(Answer::empty(200), &fields);
        (answer.status, answer.headers.into_iter().find(|(name, _)| name == "location").unwrap().1)
    }

    #[test]
    fn a_form_says_how_it_is_answered() {
        let here = || "http://h/b/a%2Fb".to_owned();
        assert_eq!(answer(&[]), (204, here()));
        for (told, status) in [("200", 200), ("201", 201), ("204", 204), ("404", 204)] {
            assert_eq!(answer(&[("Success_Action_Status", told)]), (status, here()));
        }
        let behind = "bucket=b&key=a%2Fb&etag=%22e%22";
        let redirect = |url| answer(&[("success_action_redirect", url), ("success_action_status", "201")]);
        assert_eq!(redirect("http://x/y"), (303, format!("http://x/y?{behind}")));
        assert_eq!(redirect("https://x/y?z=1"), (303, format!("https://x/y?z=1&{behind}")));
        for bad in ["", "x", "http://", "http://x y", "javascript:alert(1)", "http://x/\r\nset-cookie: a"] {
            assert_eq!(redirect(bad), (201, here()), "{bad}");
        }
    }
}
