use crypto::SystemRandomness;
use object_store::memory::InMemory;

use super::writer::PART;
use super::*;

struct Scene {
    folder: tempfile::TempDir,
    store: InMemory,
}

impl Scene {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), store: InMemory::new() }
    }

    fn uploads(&self) -> PathBuf {
        self.folder.path().join("uploads")
    }

    fn noted(&self) -> usize {
        std::fs::read_dir(self.uploads()).unwrap().count()
    }

    fn upstream(&self, id: &str) -> Upstream {
        Upstream::of(Box::new(self.store.clone()), format!("p/{id}"), self.uploads(), None).unwrap()
    }
}

fn name() -> BlobName {
    BlobName::draw(&SystemRandomness::new()).unwrap()
}

fn text(length: usize) -> Vec<u8> {
    (0..length).map(|at| u8::try_from(at % 251).unwrap()).collect()
}

async fn write(upstream: &Upstream, name: BlobName, bytes: &[u8]) {
    let mut writer = upstream.create(name).await.unwrap();
    for piece in bytes.chunks(1_000_003) {
        writer.write(piece.to_vec()).await.unwrap();
    }
    writer.finish().await.unwrap();
}

async fn read(upstream: &Upstream, name: BlobName, range: Range<u64>) -> Result<Vec<u8>, BlobError> {
    let mut reader = upstream.read(name, range).await?;
    let mut all = Vec::new();
    while let Some(bytes) = reader.next().await? {
        assert!(!bytes.is_empty() && bytes.len() <= 256 * 1_024);
        all.extend_from_slice(&bytes);
    }
    Ok(all)
}

#[tokio::test]
async fn a_blob_of_any_length_comes_back() {
    let scene = Scene::new();
    let upstream = scene.upstream("one");
    for length in [0, 1, PART - 1, PART, PART + 1, 2 * PART, 4 * PART + 77] {
        let (name, text) = (name(), text(length));
        write(&upstream, name, &text).await;
        let end = u64::try_from(length).unwrap();
        assert!(read(&upstream, name, 0..end).await.unwrap() == text, "{length}");
        assert_eq!(read(&upstream, name, 0..0).await.unwrap(), b"");
        let from = length.saturating_sub(10);
        let tail = read(&upstream, name, u64::try_from(from).unwrap()..end).await.unwrap();
        assert_eq!(tail, text[from..]);
        assert_eq!(upstream.names().await.unwrap(), [name]);
        assert_eq!(scene.noted(), 0);
        upstream.delete(name).await.unwrap();
        upstream.delete(name).await.unwrap();
        assert!(
            matches!(upstream.read(name, 0..1).await, Err(BlobError::Missing(missing)) if missing == name)
        );
    }
}

#[tokio::test]
async fn nothing_is_there_before_the_end_and_nothing_is_left_of_what_has_none() {
    let scene = Scene::new();
    let upstream = scene.upstream("one");
    for length in [1, 3 * PART] {
        let mut writer = upstream.create(name()).await.unwrap();
        writer.write(text(length)).await.unwrap();
        assert_eq!(scene.noted(), usize::from(length > PART));
        assert_eq!(upstream.names().await.unwrap(), []);
        drop(writer);
        while scene.noted() > 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(upstream.names().await.unwrap(), []);
    }
}

#[tokio::test]
async fn what_an_earlier_process_left_is_taken_back() {
    let scene = Scene::new();
    let (before, name) = (scene.upstream("one"), name());
    let place = before.0.place(name);
    let id = scene.store.create_multipart(&place).await.unwrap();
    before.0.left.note(name, id.clone()).await.unwrap();
    std::fs::write(scene.uploads().join("0".repeat(32)), "").unwrap();
    let after = scene.upstream("one");
    after.abort_left_uploads().await.unwrap();
    assert_eq!(scene.noted(), 0);
    assert!(scene.store.put_part(&place, &id, 0, "late".into()).await.is_err());
    after.abort_left_uploads().await.unwrap();
}

#[tokio::test]
async fn each_sees_its_own_blobs_alone() {
    let scene = Scene::new();
    let (one, other, name) = (scene.upstream("one"), scene.upstream("one1"), name());
    write(&one, name, b"sealed").await;
    assert_eq!(other.names().await.unwrap(), []);
    assert!(matches!(other.read(name, 0..1).await, Err(BlobError::Missing(_))));
    other.delete(name).await.unwrap();
    assert_eq!(read(&one, name, 0..6).await.unwrap(), b"sealed");
}
