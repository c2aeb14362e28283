//! Bodies that are taken as they come, and answers that are sent as they are made.

use super::*;

#[tokio::test]
async fn a_body_that_is_taken_as_it_comes_may_be_longer_than_the_limit() {
    let server = Server::start(limits()).await;
    let body = "x".repeat(20 * BODY_MAX);
    let length = body.len();
    let sent = format!(
        "PUT /stream HTTP/1.1\r\nhost: a\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    );
    let answer = server.exchange(sent.as_bytes()).await;
    assert!(answer.contains(&format!("content-length: {length}\r\n")) && answer.ends_with(&body));
    // What breaks off is shorter than it said.
    let cut = server.exchange(sent.replace("PUT", "PATCH").as_bytes()).await;
    assert!(cut.contains(&format!("content-length: {length}\r\n")) && !cut.ends_with(&body));
    // Health needs no front, but for what the front takes.
    assert!(
        server.exchange(b"GET /livez HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await.ends_with("ok")
    );
    let empty = b"GET /stream HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    assert!(server.exchange(empty).await.contains("content-length: 0\r\n"));
}

#[tokio::test]
async fn a_body_that_nobody_wants_does_not_keep_its_sender_from_the_answer() {
    let server = Server::start(limits()).await;
    let body = "x".repeat(4 * BODY_MAX);
    let head = |more: &str| {
        format!("DELETE /stream HTTP/1.1\r\nhost: a\r\ncontent-length: {}\r\n{more}\r\n", body.len())
    };
    let mut stream = server.connect().await;
    for _ in 0..2 {
        // All was read, so the connection goes on.
        stream.write_all(format!("{}{body}", head("")).as_bytes()).await.unwrap();
        assert!(read_until(&mut stream, "unread").await.starts_with("HTTP/1.1 403"));
    }
    // Who waits to be told sends nothing, and is told no.
    let mut waiting = server.connect().await;
    waiting.write_all(head("expect: 100-continue\r\n").as_bytes()).await.unwrap();
    let told = read_to_end(&mut waiting).await;
    assert!(told.starts_with("HTTP/1.1 403") && told.contains("connection: close"), "{told}");
}

#[tokio::test]
async fn a_body_that_is_taken_as_it_comes_has_its_time() {
    let server = Server::start(Limits { body_read_timeout: Duration::from_millis(50), ..limits() }).await;
    let sent = b"PUT /stream HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\nconnection: close\r\n\r\nsome";
    let mut stream = server.connect().await;
    stream.write_all(sent).await.unwrap();
    assert!(read_to_end(&mut stream).await.contains("timed out"));
}

#[tokio::test]
async fn a_front_that_streams_is_asked_before_the_list_of_origins() {
    let cors = Cors::new(&["https://console.example.com".to_owned()]);
    let server = Server::start_with(limits(), cors, None).await;
    let asked = |origin: &str, method: &str| {
        let head =
            format!("OPTIONS /stream HTTP/1.1\r\nhost: h\r\nconnection: close\r\norigin: {origin}\r\n");
        format!("{head}access-control-request-method: {method}\r\n\r\n")
    };
    let allowed = server.exchange(asked("https://console.example.com", "PUT").as_bytes()).await;
    assert!(allowed.starts_with("HTTP/1.1 200"), "{allowed}");
    assert!(allowed.contains("access-control-allow-origin: *\r\n"), "{allowed}");
    assert!(!allowed.contains("console.example.com") && !allowed.contains("expose-headers"), "{allowed}");
    let stood_in = server.exchange(asked("https://console.example.com", "DELETE").as_bytes()).await;
    assert!(stood_in.starts_with("HTTP/1.1 204"), "{stood_in}");
    assert!(stood_in.contains("access-control-allow-origin: https://console.example.com\r\n"), "{stood_in}");
    let refused = server.exchange(asked("https://other.example.com", "DELETE").as_bytes()).await;
    assert!(refused.starts_with("HTTP/1.1 403") && !refused.contains("access-control"), "{refused}");
}
