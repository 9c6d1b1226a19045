//! The workflow and its steps.

use std::fmt;
use std::time::Duration;

use rewake::prelude::*;

use crate::postbox::Postbox;

/// What a new user is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Letter {
    /// At once.
    Welcome,
    /// A day later.
    Tips,
    /// To who has done nothing in three days.
    Reminder,
}

impl fmt::Display for Letter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Welcome => "welcome",
            Self::Tips => "tips",
            Self::Reminder => "a reminder",
        })
    }
}

/// The token under which the application says what a user has done.
pub fn activation_of(user: &str) -> String {
    format!("activated:{user}")
}

/// Accompanies a new user until they have done something, or a person takes over. Who unsubscribes
/// cancels the run, and hears nothing more.
#[workflow]
pub async fn onboard(user: String, day: Duration) -> anyhow::Result<String> {
    let mut activation = create_hook::<String>().token(activation_of(&user)).await?;

    send(user.clone(), Letter::Welcome).await?;
    sleep(day).await;

    send(user.clone(), Letter::Tips).await?;
    if let Ok(deed) = timeout(3 * day, activation.recv()).await {
        return Ok(format!("{user} has {}", deed?));
    }

    send(user.clone(), Letter::Reminder).await?;
    if let Ok(deed) = timeout(7 * day, activation.recv()).await {
        return Ok(format!("{user} has {}, once reminded", deed?));
    }

    ask_a_person(user.clone()).await?;
    Ok(format!("{user} will be called by a person"))
}

/// Sends a letter, for hours if need be.
#[step(max_retries = 10, backoff = "1m")]
pub async fn send(
    user: String,
    letter: Letter,
    #[provided] postbox: Postbox,
) -> anyhow::Result<()> {
    if !user.chars().all(char::is_alphanumeric) {
        return Err(FatalError::new(format!("`{user}` is no address")).into());
    }
    postbox.post(&user, &letter.to_string())
}

/// Asks a person to call a user whom letters do not reach.
#[step(max_retries = 10, backoff = "1m")]
pub async fn ask_a_person(user: String, #[provided] postbox: Postbox) -> anyhow::Result<()> {
    postbox.post("support", &format!("please call {user}"))
}
