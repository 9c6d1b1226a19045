//! A payload that has to arrive once is sent again where nobody knows whether it arrived.

use rewake::ResumeError;
use rewake::prelude::*;

#[derive(Serialize)]
struct Payment {
    id: String,
    cents: u64,
}

async fn paid(rewake: &Rewake, order: u32, payment: &Payment) -> Result<Option<Hook>, ResumeError> {
    let mut repeats = 0..3;
    loop {
        let resumed = rewake
            .resume_hook(format!("order:{order}"), payment)
            .idempotency_key(&payment.id)
            .await;
        match resumed {
            // The same key: if it was taken, this gives the same hook and delivers nothing.
            Err(error) if error.may_have_happened() && repeats.next().is_some() => {}
            settled => return settled,
        }
    }
}

mod tests {
    use rewake::ResumeError;
    use rewake::prelude::*;
    use serde_json::{Value, json};

    use super::{Payment, paid};
    use crate::stage::{hook_of, open, soon};

    #[workflow]
    async fn two_payments(token: String) -> anyhow::Result<Vec<Value>> {
        let mut payments = create_hook::<Value>().token(token).await?;
        Ok(vec![payments.recv().await?, payments.recv().await?])
    }

    fn payment(id: &str, cents: u64) -> Payment {
        Payment {
            id: id.to_owned(),
            cents,
        }
    }

    #[tokio::test]
    async fn a_payment_that_comes_twice_is_delivered_once() {
        let rewake = open().await;
        let run = rewake.start(two_payments("order:7".into())).await.unwrap();
        hook_of(&rewake, &run).await;
        let first = paid(&rewake, 7, &payment("a", 100)).await.unwrap();
        let again = paid(&rewake, 7, &payment("a", 100)).await.unwrap();
        assert_eq!(again.unwrap().hook_id, first.unwrap().hook_id);
        paid(&rewake, 7, &payment("b", 50)).await.unwrap().unwrap();
        let wanted = [
            json!({ "id": "a", "cents": 100 }),
            json!({ "id": "b", "cents": 50 }),
        ];
        assert_eq!(soon(run.result()).await.unwrap(), wanted);

        // The answer outlives the hook; a key that was never taken finds nobody.
        let late = paid(&rewake, 7, &payment("a", 100)).await.unwrap();
        assert_eq!(late.unwrap().run_id, run.id());
        let new = paid(&rewake, 7, &payment("c", 1)).await.unwrap();
        assert_eq!(new, None);
    }

    #[tokio::test]
    async fn a_payload_whose_resume_is_never_awaited_is_not_taken() {
        let rewake = open().await;
        let run = rewake.start(two_payments("order:7".into())).await.unwrap();
        hook_of(&rewake, &run).await;
        drop(rewake.resume_hook("order:7", &0));
        for n in [1, 2] {
            let taken = rewake.resume_hook("order:7", &n).await.unwrap();
            assert_eq!(taken.unwrap().run_id, run.id());
        }
        assert_eq!(soon(run.result()).await.unwrap(), [1, 2]);
    }

    #[tokio::test]
    async fn another_payment_under_the_same_id_is_refused() {
        let rewake = open().await;
        let run = rewake.start(two_payments("order:7".into())).await.unwrap();
        hook_of(&rewake, &run).await;
        paid(&rewake, 7, &payment("a", 100)).await.unwrap().unwrap();
        let other = paid(&rewake, 7, &payment("a", 200)).await;
        assert_eq!(other, Err(ResumeError::KeyReused));
    }
}
