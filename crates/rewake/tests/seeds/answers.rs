//! The three ways in which a webhook answers those who call it.

use axum::http::Response;
use rewake::prelude::*;

/// 202, as soon as the request is durable.
#[workflow]
pub(crate) async fn accepts() -> anyhow::Result<String> {
    let mut calls = create_webhook().await?;
    Ok(calls.recv().await?.text()?.to_owned())
}

/// Always the same, as soon as the request is durable.
#[workflow]
pub(crate) async fn thanks() -> anyhow::Result<String> {
    let thanks = Response::builder().status(201).body("thanks")?;
    let mut calls = create_webhook().respond_with(thanks).await?;
    Ok(calls.recv().await?.text()?.to_owned())
}

/// Whatever the workflow says; the caller waits for it.
#[workflow]
pub(crate) async fn doubles() -> anyhow::Result<u32> {
    let mut calls = create_webhook().manual().await?;
    let call = calls.recv().await?;
    let doubled = 2 * call.json::<u32>()?;
    let answer = Response::new(doubled.to_string());
    call.respond_with(answer).await?;
    Ok(doubled)
}

mod tests {
    use axum::Router;
    use axum::http::{Method, Request};
    use rewake::prelude::*;

    use super::{accepts, doubles, thanks};
    use crate::stage::{call, hook_of, open, send, soon};

    async fn url<T>(rewake: &Rewake, run: &Run<T>) -> String {
        let token = hook_of(rewake, run).await.token;
        format!("/.well-known/workflow/v1/webhook/{token}")
    }

    #[tokio::test]
    async fn the_public_url_answers_as_the_webhook_says() {
        let rewake = open().await;
        let app: Router = rewake.router();

        let run = rewake.start(accepts()).await.unwrap();
        let answer = send(&app, &url(&rewake, &run).await, "a").await;
        assert_eq!((answer.status.as_u16(), answer.body.as_str()), (202, ""));
        assert_eq!(soon(run.result()).await.unwrap(), "a");

        let run = rewake.start(thanks()).await.unwrap();
        let answer = send(&app, &url(&rewake, &run).await, "b").await;
        let said = (answer.status.as_u16(), answer.body.as_str());
        assert_eq!(said, (201, "thanks"));
        assert_eq!(soon(run.result()).await.unwrap(), "b");

        let run = rewake.start(doubles()).await.unwrap();
        let answer = send(&app, &url(&rewake, &run).await, "21").await;
        assert_eq!((answer.status.as_u16(), answer.body.as_str()), (200, "42"));
        assert_eq!(soon(run.result()).await.unwrap(), 42);
    }

    #[tokio::test]
    async fn a_look_at_the_public_url_resumes_nothing() {
        let rewake = open().await;
        let app: Router = rewake.router();
        let run = rewake.start(accepts()).await.unwrap();
        let url = url(&rewake, &run).await;
        for (method, status) in [
            (Method::HEAD, 200),
            (Method::OPTIONS, 204),
            (Method::GET, 405),
        ] {
            let look = Request::builder().method(&method).uri(&url);
            let answer = call(&app, look.body("".into()).unwrap()).await;
            assert_eq!(answer.status, status, "{method}");
        }
        assert_eq!(send(&app, &url, "a").await.status, 202);
        assert_eq!(soon(run.result()).await.unwrap(), "a");
    }
}
