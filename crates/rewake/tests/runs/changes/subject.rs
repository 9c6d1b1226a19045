//! The workflow whose code is changed, and what its codes are made of.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt::Display;
use std::sync::Mutex;

use futures::future::BoxFuture;
use rewake::CreateHook;
use rewake::prelude::*;

use crate::probe::Probe;

/// What the workflow does in one build.
pub(super) type Code = fn(Subject) -> BoxFuture<'static, anyhow::Result<String>>;

/// Writes a [`Code`].
macro_rules! code {
    (|$subject:pat_param| $body:block) => {
        |$subject: Subject| -> futures::future::BoxFuture<'static, anyhow::Result<String>> {
            Box::pin(async move { $body })
        }
    };
}
pub(super) use code;

/// What a build is made of: its name, and its code for each run's workflow.
#[derive(Clone, Copy, Debug)]
struct Build {
    name: &'static str,
    code: Code,
}

static DEPLOYED: Mutex<BTreeMap<String, Build>> = Mutex::new(BTreeMap::new());

/// From here on, the run that goes by `own` is run by this code.
pub(super) fn deploy(own: &str, name: &'static str, code: Code) {
    let build = Build { name, code };
    DEPLOYED.lock().unwrap().insert(own.to_owned(), build);
}

fn deployed(own: &str) -> Build {
    DEPLOYED.lock().unwrap()[own]
}

/// One name, and the code that was deployed last.
#[workflow]
pub(super) async fn subject(own: String) -> anyhow::Result<String> {
    let code = deployed(&own).code;
    code(Subject { own }).await
}

/// What a code knows of its run.
#[derive(Clone, Debug)]
pub(super) struct Subject {
    own: String,
}

impl Subject {
    /// What the run goes by.
    pub(super) fn own(&self) -> String {
        self.own.clone()
    }

    /// A token of this run's.
    pub(super) fn token(&self, name: impl Display) -> String {
        format!("{}/{name}", self.own)
    }

    /// A hook of this run's.
    pub(super) fn hook(&self, name: impl Display) -> CreateHook<u64> {
        create_hook().token(self.token(name))
    }

    /// The last thing that nearly every code does, and what wakes it after the deployment.
    pub(super) async fn gate(&self, told: impl Display) -> anyhow::Result<String> {
        let n = self.hook("gate").await?.recv().await?;
        Ok(format!("{told} {n}"))
    }
}

#[step(name = "charge")]
pub(super) async fn charge(n: u64) -> Result<u64, Infallible> {
    Ok(n)
}

#[step(name = "bill")]
pub(super) async fn bill(n: u64) -> Result<u64, Infallible> {
    Ok(n * 10)
}

#[step(name = "ship")]
pub(super) async fn ship(n: u64) -> Result<u64, Infallible> {
    Ok(n * 100)
}

/// A step whose body is another in each build.
#[step(name = "name_the_build")]
pub(super) async fn name_the_build(own: String) -> Result<String, Infallible> {
    Ok(deployed(&own).name.to_owned())
}

/// A step that is under way until the deployment.
#[step(name = "held")]
pub(super) async fn held(#[provided] probe: Probe) -> Result<u64, Infallible> {
    probe.pass().await;
    Ok(7)
}
