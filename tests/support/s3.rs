//! An S3 server in this process, over HTTP on loopback, with real signatures, on a folder that goes when it is dropped.
//!
//! Writes are taken one at a time: `s3s-fs` looks whether an object exists and then writes it, and two requests could pass
//! that look together. Amazon's promise is that one of them fails.

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{Method, StatusCode},
    response::Response,
};
use observance::{secret::Secret, store::S3Keys};
use s3s::{
    auth::SimpleAuth,
    service::{S3Service, S3ServiceBuilder},
};
use s3s_fs::FileSystem;
use tempfile::TempDir;
use tokio::{net::TcpListener, sync::Mutex, task::JoinHandle};

const BUCKET: &str = "evidence";
const ACCESS_KEY: &str = "test-access";
const SECRET_KEY: &str = "test-secret";

/// A running server with one empty bucket.
pub(crate) struct S3Server {
    _folder: TempDir,
    address: String,
    serving: JoinHandle<()>,
}

impl S3Server {
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join(BUCKET)).unwrap();
        let mut builder = S3ServiceBuilder::new(FileSystem::new(folder.path()).unwrap());
        builder.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
        let state = Arc::new(Served { s3: builder.build(), writing: Mutex::new(()) });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let router = Router::new().fallback(serve).with_state(state);
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { _folder: folder, address, serving }
    }

    /// A location in the bucket.
    pub(crate) fn location(&self, prefix: &str) -> String {
        format!("s3://{BUCKET}/{prefix}?region=eu-central-1&endpoint=http://{}", self.address)
    }
}

impl Drop for S3Server {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// The keys that the server knows.
pub(crate) fn keys() -> S3Keys {
    S3Keys { access_key: ACCESS_KEY.into(), secret_key: Secret::new(SECRET_KEY.into()), session_token: None }
}

struct Served {
    s3: S3Service,
    writing: Mutex<()>,
}

async fn serve(State(served): State<Arc<Served>>, request: Request) -> Response {
    let _writing = if request.method() == Method::PUT { Some(served.writing.lock().await) } else { None };
    match served.s3.call(request.map(s3s::Body::http_body_unsync)).await {
        Ok(answer) => answer.map(Body::new),
        Err(error) => {
            let mut answer = Response::new(Body::from(format!("{error:?}")));
            *answer.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            answer
        }
    }
}
