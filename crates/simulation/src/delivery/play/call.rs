//! Requests to webhooks, through the public door, and what their callers get.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::join_all;
use hmac::{Hmac, KeyInit, Mac};
use http::StatusCode;
use rewake_core::time::Timestamp;
use rewake_http::resume_webhook;
use rewake_runtime::{Engine, WebhookError};
use sha2::Sha256;

use super::{Post, TRIES};
use crate::delivery::model::{Answer, Reply, Request, Said, Sent, Way};
use crate::delivery::receiver::{DELIVERY, FIXED, SECRET};
use crate::delivery::schedule::Call;
use crate::delivery::script::{Tells, Told, Webhook};
use crate::outsider::give_up;
use crate::prng::{Prng, Stream};
use crate::workload::Seen;
use crate::world::{World, lock};

/// How often a caller looks for a webhook, and how long it waits in between.
const LOOKS: u32 = 20;
const PAUSE_MS: u64 = 20;

/// A caller: what it sends, and where its answers are noted.
struct Caller<'a> {
    world: &'a Arc<World>,
    post: &'a Post,
    place: usize,
    call: &'a Call,
    token: String,
    told: Told,
}

/// Calls a webhook; with a delivery id, until it is answered, and then again.
pub(super) async fn call(
    world: &Arc<World>,
    (serial, call): (u64, &Call),
    prng: &mut Prng,
    post: &Post,
) {
    let Some((token, webhook)) = find(world, call.webhook).await else {
        return;
    };
    let request = Request {
        webhook,
        forged: call.forged,
    };
    let place = {
        let mut post = lock(post);
        post.push(Sent {
            number: serial,
            token: token.clone(),
            way: Way::Request(request),
            answers: Vec::new(),
        });
        post.len() - 1
    };
    let caller = Caller {
        world,
        post,
        place,
        call,
        token,
        told: Told {
            number: serial,
            finish: call.finish,
        },
    };
    if call.at_once && caller.is_named() {
        let again = call.delivery.unwrap_or_default();
        let callers = (0..=u64::from(again)).map(async |nth| {
            let mut own = Prng::at(world.seed, Stream::Outsider, (serial, 1 + nth));
            caller.send(0, &mut own).await;
        });
        join_all(callers).await;
    } else {
        let again = call.delivery.filter(|_| caller.is_named());
        caller.send(again.unwrap_or_default(), prng).await;
    }
}

/// The token of a webhook, as its workflow has made it known; waits a while for the first one.
async fn find(world: &World, nth: u64) -> Option<(String, Webhook)> {
    for _ in 0..LOOKS {
        let known: Vec<(String, Webhook)> = {
            let entries = world.ledger.lock();
            let seen = entries.seen.values().flatten();
            let webhooks = seen.filter_map(|seen| match seen {
                Seen::Webhook(token, webhook) => Some((token.clone(), *webhook)),
                _ => None,
            });
            webhooks.collect()
        };
        if let Some(nth) = nth.checked_rem(known.len() as u64) {
            return known.into_iter().nth(usize::try_from(nth).ok()?);
        }
        world.clock.sleep(PAUSE_MS).await;
    }
    None
}

impl Caller<'_> {
    /// Sends until it is answered, and then so many times more; once where a webhook cannot tell a
    /// redelivery from a new request.
    async fn send(&self, mut again: u8, prng: &mut Prng) {
        let mut hangs_up_ms = self.call.hangs_up_ms;
        let tries = if self.is_named() { TRIES } else { 1 };
        for _ in 0..tries {
            let asked = self.now();
            let request = self.request();
            let token = self.token.clone();
            let answered = give_up(self.world, prng, hangs_up_ms.take(), |engine| {
                async move { door(&engine, &token, request).await }.boxed()
            });
            let answer = match answered.await {
                None => Answer::Unknown,
                Some(Ok(said)) => Answer::Replied(Reply {
                    said,
                    asked,
                    at: self.now(),
                }),
                Some(Err(answer)) => answer,
            };
            let done = !matches!(answer, Answer::Refused | Answer::Unknown);
            lock(self.post)[self.place].answers.push(answer);
            if done && again == 0 {
                return;
            }
            again -= u8::from(done);
            self.world.clock.sleep(100).await;
        }
    }

    /// True where a redelivery can be told from a new request.
    fn is_named(&self) -> bool {
        let sent = &lock(self.post)[self.place];
        let told = match sent.way {
            Way::Request(request) => request.webhook.tells != Tells::Nothing,
            Way::Resume | Way::Admission | Way::Mail { .. } => false,
        };
        told && self.call.delivery.is_some()
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.world.clock.now())
    }

    /// The request: it is signed and named in any case, whatever the webhook looks at.
    fn request(&self) -> http::Request<Bytes> {
        let body = serde_json::to_vec(&self.told).expect("plain data can be encoded");
        let secret = if self.call.forged {
            "a guess"
        } else {
            SECRET.1
        };
        let signature = sign(secret, &body);
        let request = http::Request::post("/").header("x-hub-signature-256", signature);
        let request = match self.call.delivery {
            Some(_) => {
                let id = format!("delivery-{}", self.told.number);
                request
                    .header(DELIVERY, &id)
                    .header("x-github-delivery", &id)
            }
            None => request,
        };
        request
            .body(Bytes::from(body))
            .expect("a request is well formed")
    }
}

fn sign(secret: &str, body: &[u8]) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any length is a key");
    let tag = mac.chain_update(body).finalize().into_bytes();
    format!("sha256={}", base16ct::lower::encode_string(&tag))
}

/// Hands the request in at the public door.
async fn door(engine: &Engine, token: &str, request: http::Request<Bytes>) -> Result<Said, Answer> {
    match resume_webhook(engine, token, request).await {
        Ok(response) => Ok(said(&response)),
        Err(WebhookError::NoAnswer) => Ok(Said::TooLate),
        Err(WebhookError::RunEnded) => Ok(Said::Ended),
        Err(WebhookError::AnswerLost(_)) => Ok(Said::Lost),
        Err(WebhookError::NotFound) => Err(Answer::Nobody),
        Err(WebhookError::NotSigned(_)) => Err(Answer::Unsigned),
        Err(error) if error.may_have_happened() => Err(Answer::Unknown),
        Err(_) => Err(Answer::Refused),
    }
}

fn said(response: &http::Response<Bytes>) -> Said {
    let text = String::from_utf8_lossy(response.body());
    match response.status() {
        StatusCode::ACCEPTED => Said::Accepted,
        _ if text == FIXED => Said::Fixed,
        _ => Said::Workflow(text.into_owned()),
    }
}
